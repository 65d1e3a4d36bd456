// The fields of the ground: which landscape, its settings, the start, the part of it that is shown.
import { byId, fault, make, typed } from "./dom.js";
import { change, state } from "./state.js";

const SIDES = ["w1-from", "w1-to", "w2-from", "w2-to"];
let catalogue = [], good = "";

export function setLandscapes(found) { catalogue = found; }

const known = () => catalogue.find(({ name }) => name === state.landscape);

export function drawFields(keys) {
  const own = state.landscape === "", names = Object.keys(known()?.settings ?? {});
  byId("landscape").value = state.landscape;
  byId("formula-label").hidden = !own;
  byId("range").hidden = !own && !state.domain;
  if (keys.has("formula") || keys.has("landscape")) put("formula", state.formula);
  if (keys.has("start")) state.start.forEach((value, i) => put(`start-w${i + 1}`, String(value)));
  if (keys.has("steps")) put("steps", String(state.steps), "steps-fault");
  if (keys.has("domain") || keys.has("landscape")) {
    const sides = (state.domain ?? known()?.domain ?? [[-5, 5], [-5, 5]]).flat();
    SIDES.forEach((id, i) => put(id, String(sides[i])));
  }
  const place = byId("settings");
  if (place.dataset.names !== names.join()) place.replaceChildren(...names.map(setting));
  place.dataset.names = names.join();
  if (keys.has("settings") || keys.has("landscape")) for (const name of names) put(`setting-${name}`, String(state.settings[name] ?? known().settings[name]));
}

function put(id, value, place = "ground-fault") {
  const box = byId(id);
  if (box.getAttribute("aria-invalid") === "true") fault(place, box, "");
  if (box.value !== value) box.value = value;
}

function setting(name) {
  return make("label", {}, name, make("input", {
    id: `setting-${name}`, size: 7, inputmode: "decimal", "aria-describedby": "ground-fault",
    onchange: ({ target }) => number(target, name, (value) => change({ settings: { ...state.settings, [name]: value } })),
  }));
}

function number(box, name, use, place = "ground-fault", check = () => "") {
  const value = typed(box.value);
  const message = Number.isNaN(value) ? `${name}: '${box.value}' is no number; write one such as 0.5 or 1e-3` : check(value);
  fault(place, box, message);
  if (!message) use(value);
}

function start(target, i) {
  const within = (value) => (Math.abs(value) <= 1e12 ? "" : `w${i + 1}: a number of at most 1e12`);
  number(target, `w${i + 1}`, (value) => change({ start: state.start.map((old, k) => (k === i ? value : old)) }), "ground-fault", within);
}

function side(target, i) {
  const sides = (state.domain ?? known()?.domain ?? [[-5, 5], [-5, 5]]).flat(), other = sides[i ^ 1];
  const apart = (value) => ((i % 2 ? value > other : value < other) ? "" : `map: ${i % 2 ? "to" : "from"} must be ${i % 2 ? "above" : "below"} ${other}`);
  number(target, "map", (value) => {
    sides[i] = value;
    change({ domain: [sides.slice(0, 2), sides.slice(2)] });
  }, "ground-fault", apart);
}

export function mostEpochs() { return Math.min(20000, Math.floor(100000 / state.methods.length)); }

// The last formula that could be read, to go back to from one that cannot.
export function formulaIsGood(isGood) {
  if (state.landscape === "" && isGood) good = state.formula;
  byId("restore").hidden = isGood || state.landscape !== "" || good === "";
}

export function listenToFields() {
  const on = (id, event, work) => byId(id).addEventListener(event, work);
  on("landscape", "change", ({ target }) => {
    const chosen = catalogue.find(({ name }) => name === target.value);
    change(chosen ? { landscape: chosen.name, settings: {}, domain: null, start: [...chosen.start] } : { landscape: "", formula: state.formula || "w1^2 + 2*w2^2", settings: {}, domain: null });
  });
  on("formula", "change", ({ target }) => change({ formula: target.value }));
  on("restore", "click", () => { change({ formula: good }); byId("formula").focus(); });
  on("ground", "submit", (event) => event.preventDefault());
  [0, 1].forEach((i) => on(`start-w${i + 1}`, "change", ({ target }) => start(target, i)));
  SIDES.forEach((id, i) => on(id, "change", ({ target }) => side(target, i)));
  const whole = (value) => (Number.isInteger(value) && value >= 1 && value <= mostEpochs() ? "" : `stop at: a whole number from 1 to ${mostEpochs()}`);
  on("steps", "change", ({ target }) => number(target, "stop at", (steps) => change({ steps, at: steps }), "steps-fault", whole));
}
