// Worked calculations beside the page: fill in numbers, see the verdict on each as you go.
import { ask, latest } from "./api.js";
import { byId, make } from "./dom.js";
import { change, state } from "./state.js";

const WORDS = {
  en: { exercises: "Exercises", exercise: "Exercise", language: "Language", given: "Given", fill: "Fill in your numbers; each is checked against your own earlier ones.", show: "Show this step", none: "choose one …",
    ok: "ok", wrong: "wrong", carried: "carried: right from a wrong number", missing: "", unknown: "unknown" },
  fa: { exercises: "تمرین‌ها", exercise: "تمرین", language: "زبان", given: "داده‌ها", fill: "عددهای خود را بنویسید؛ هر عدد با عددهای پیشین خودتان سنجیده می‌شود.", show: "این گام را نشان بده", none: "یکی را برگزینید …",
    ok: "درست", wrong: "نادرست", carried: "دنباله‌رو: درست از روی عددی نادرست", missing: "", unknown: "ناشناخته" },
};
const digits = () => state.language === "fa";
const word = (key) => WORDS[state.language][key];

export async function drawExercises() {
  for (const place of document.querySelectorAll("[data-word]")) place.textContent = word(place.dataset.word);
  const known = await latest("exercises", `exercises?language=${state.language}`);
  if (!known) return;
  byId("exercise").replaceChildren(make("option", { value: "" }, word("none")), ...known.map(({ name, title }) => make("option", { value: name, selected: name === state.exercise }, title)));
  byId("language").value = state.language;
  byId("exercises").dir = digits() ? "rtl" : "ltr";
  byId("exercises").lang = state.language;
  await drawSheet();
}

async function drawSheet() {
  const place = byId("sheet"), name = state.exercise;
  if (!name) { place.replaceChildren(); return; }
  let found;
  try {
    found = await latest("sheet", `exercises/${encodeURIComponent(name)}?language=${state.language}&persian_digits=${digits()}`);
  } catch (error) { place.replaceChildren(make("p", { class: "fault" }, error.message)); return; }
  if (!found) return;
  const given = make("div", { class: "givens" });
  given.innerHTML = found.given.join(" ");
  const written = place.dataset.name === name ? [...place.querySelectorAll("[data-answer]")].map((input) => [input.dataset.answer, input.value]) : [];
  place.dataset.name = name;
  place.replaceChildren(make("h3", {}, found.title), make("p", {}, found.text), make("h3", {}, word("given")), given, make("p", { class: "note" }, word("fill")),
    make("div", { class: "sheet-grid" }, ...found.asked.map(answer)), make("div", { id: "sheet-said", "aria-live": "polite" }));
  for (const [label, value] of written) { const box = byId(`answer-${label}`); if (box) box.value = value; }
  if (written.some(([, value]) => value.trim())) judge();
}

function answer({ label, math }) {
  const sign = make("label", { for: `answer-${label}` }), solution = make("div", { class: "solution" });
  sign.innerHTML = math;
  return make("div", { class: "answer", "data-label": label }, sign,
    make("input", { id: `answer-${label}`, "data-answer": label, inputmode: "decimal", autocomplete: "off", dir: "ltr", "aria-label": label, oninput: soon, maxlength: 40 }),
    make("button", { type: "button", title: word("show"), "aria-label": `${word("show")}: ${label}`, onclick: async () => {
      const found = await ask("solve", { exercise: state.exercise, label, language: state.language, persian_digits: digits() });
      solution.innerHTML = found.math;
    } }, "?"), make("div", { class: "status", role: "status" }), solution);
}

let waiting = null;
function soon() { clearTimeout(waiting); waiting = setTimeout(judge, 300); }

async function judge() {
  const numbers = {};
  for (const input of document.querySelectorAll("[data-answer]")) if (input.value.trim()) numbers[input.dataset.answer] = input.value;
  const found = await latest("check", "check", { exercise: state.exercise, numbers, language: state.language, persian_digits: digits() });
  if (!found) return;
  const verdicts = new Map(found.items.map((item) => [item.name, item]));
  for (const box of document.querySelectorAll(".answer")) {
    const label = box.dataset.label, item = verdicts.get(label), place = box.querySelector(".status"), input = box.querySelector("input");
    const bad = found.faults[label];
    place.className = `status ${bad ? "bad" : item?.status ?? ""}`;
    place.textContent = bad ?? (item && item.status !== "missing" ? word(item.status) + (item.guess ? `: ${item.guess}` : "") : "");
    input.setAttribute("aria-invalid", bad || item?.status === "wrong" ? "true" : "false");
  }
  byId("sheet-said").replaceChildren(...found.sentences.map((text) => make("p", {}, text)));
}

export function listen() {
  byId("exercise").addEventListener("change", (event) => change({ exercise: event.target.value }));
  byId("language").addEventListener("change", (event) => change({ language: event.target.value }));
}
