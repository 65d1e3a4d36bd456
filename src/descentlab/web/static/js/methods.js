// The optimizers' cards: kind, learning rate, decay, its other numbers, the rest as text.
import { byId, fault, make, short, typed, variable } from "./dom.js";
import { change, state } from "./state.js";

let catalogue = null;
const SHOWN = ["learning_rate", "momentum", "decay", "beta1", "beta2", "epsilon", "damping", "weight_decay", "alpha", "inner.learning_rate", "inner.momentum"];

export function setCatalogue(found) { catalogue = found; }

// 'adam lr=0.1 beta1=0.8' as {kind, given: Map}
function parts(text) {
  const [kind, ...words] = text.trim().split(/\s+/);
  return { kind, given: new Map(words.map(pair)) };
}

const pair = (word) => (word.includes("=") ? [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)] : [word, ""]);
const joined = (kind, given) => [kind, ...[...given].map(([name, value]) => `${name}=${value}`)].join(" ");

// The numbers of a kind by the names that its text has for them: [name, label, what it is else].
function fieldsOf({ kind, given }) {
  const floats = Object.entries(catalogue.methods[kind]?.floats ?? {}).map(([path, value]) => [path.replace("optimizer.", ""), value]);
  const found = floats.filter(([name]) => SHOWN.includes(name)).map(([name, usual]) => [name, name.replace("learning_rate", "rate").replaceAll("_", " "), usual]);
  const isScheduled = [...given.keys()].some((name) => name.startsWith("schedule"));
  return isScheduled || !found.length ? found : [found[0], ["lr_decay", "rate's decay", 0], ...found.slice(1)];
}

const written = (given, name) => given.get(name) ?? (name === "learning_rate" ? given.get("lr") : undefined) ?? "";

function restOf(text) {
  const { kind, given } = parts(text), known = new Set(["lr", ...fieldsOf({ kind, given }).map(([name]) => name)]);
  return [...given].filter(([name]) => !known.has(name));
}

export function replace(index, text, more = {}) {
  change({ methods: state.methods.map((old, i) => (i === index ? text : old)), ...more });
}

// A card whose fields stay the same is kept, so that nothing under pointer or cursor is lost.
export function drawCards() {
  const place = byId("cards");
  while (place.children.length > state.methods.length) place.lastChild.remove();
  state.methods.forEach((text, index) => {
    const method = parts(text), shape = [method.kind, state.methods.length === 1, ...fieldsOf(method).map(([name]) => name)].join(" ");
    let card = place.children[index];
    if (card?.dataset.shape !== shape) {
      const focused = card?.contains(document.activeElement) ? document.activeElement.dataset.key : null, made = build(method, index, shape);
      if (card) card.replaceWith(made); else place.append(made);
      card = made;
      if (focused) card.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    }
    fill(card, text, method, index);
  });
}

function fill(card, text, method, index) {
  const chosen = index === state.chosen, set = (input, value) => {
    if (input.value !== value) input.value = value;
    input.removeAttribute("aria-invalid");
  };
  card.classList.toggle("chosen", chosen);
  card.querySelector("[type=radio]").checked = chosen;
  for (const [name] of fieldsOf(method)) set(card.querySelector(`[data-field="${CSS.escape(name)}"]`), written(method.given, name));
  const rest = restOf(text).map(([name, value]) => `${name}=${value}`).join(" ");
  set(card.querySelector(".more"), rest);
  if (rest) card.querySelector("details").open = true;
}

function build(method, index, shape) {
  const { kind } = method, key = (name) => `${index}.${name}`, nth = `${index + 1}, ${kind}`;
  const numbers = fieldsOf(method).map(([name, label, usual]) => make("label", {}, label, make("input", {
    inputmode: "decimal", placeholder: usual, "data-field": name, "data-key": key(name), autocomplete: "off",
    "aria-label": `${label} of ${nth}`, "aria-describedby": `fault-${index}`, onchange: ({ target }) => entered(target, index, name),
  })));
  const known = Object.keys(catalogue.methods), kinds = known.includes(kind) ? known : [kind, ...known];
  const options = kinds.map((name) => make("option", { value: name, selected: name === kind, title: catalogue.methods[name]?.about }, name));
  return make("div", { class: "card", style: `--own: ${variable(index)}`, "data-index": index, "data-shape": shape, role: "group", "aria-label": `optimizer ${nth}` },
    make("div", { class: "fields" },
      make("label", { class: "number" }, make("input", { type: "radio", name: "chosen", onchange: () => change({ chosen: index }), "aria-label": `look closer at ${nth}`, title: "Look closer at this one" }), String(index + 1)),
      make("select", { "aria-label": `kind of optimizer ${index + 1}`, "data-key": key("kind"), onchange: ({ target }) => replace(index, catalogue.methods[target.value].text) }, ...options),
      make("button", { type: "button", "data-tune": index, "data-key": key("tune"), title: "Search learning rate, decay and momentum", "aria-label": `Tune ${nth}` }, "Tune"),
      make("button", { type: "button", title: "Remove", "aria-label": `Remove ${nth}`, disabled: state.methods.length === 1, onclick: () => remove(index) }, "✕")),
    make("div", { class: "fields" }, ...numbers),
    make("details", {}, make("summary", {}, "more settings"),
      make("input", { class: "more", spellcheck: "false", autocomplete: "off", placeholder: "nesterov=true schedule=cosine", "aria-label": `more settings of ${nth}`, "aria-describedby": `fault-${index}`, "data-key": key("more"), onchange: ({ target }) => more(target, index) })),
    make("p", { class: "fault", id: `fault-${index}`, role: "alert" }),
    make("p", { class: "result", id: `result-${index}` }));
}

function remove(index) {
  change({ methods: state.methods.filter((_, i) => i !== index), chosen: Math.max(0, state.chosen - (index < state.chosen)) });
  byId("cards").children[Math.min(index, state.methods.length - 1)].querySelector("select").focus();
}

function entered(input, index, name) {
  const text = input.value.trim(), value = typed(text);
  if (text !== "" && Number.isNaN(value)) {
    fault(`fault-${index}`, input, `${name.replaceAll("_", " ")}: '${text}' is no number; write one such as 0.01 or 1e-3`);
    return;
  }
  const { kind, given } = parts(state.methods[index]), key = name === "learning_rate" && given.has("lr") ? "lr" : name;
  if (text === "") given.delete(key); else given.set(key, String(value));
  faultOfMethods("", index);
  replace(index, joined(kind, given));
}

function more(input, index) {
  const { kind, given } = parts(state.methods[index]), words = input.value.trim() === "" ? [] : input.value.trim().split(/\s+/);
  const odd = words.find((word) => !/^[^=]+=./.test(word));
  if (odd) { fault(`fault-${index}`, input, `'${odd}': write field=value, such as nesterov=true`); return; }
  for (const [name] of restOf(state.methods[index])) given.delete(name);
  replace(index, joined(kind, new Map([...given, ...words.map(pair)])));
}

export function addMethod(kind) {
  if (state.methods.length < 16) change({ methods: [...state.methods, catalogue.methods[kind].text], chosen: state.methods.length });
}

export function drawResults(descents) {
  descents.forEach((descent, index) => {
    const place = byId(`result-${index}`), at = Math.min(state.at, descent.cost.length - 1);
    if (!place) return;
    const gone = descent.diverged && at >= descent.diverged_at;
    place.textContent = gone ? `diverged at epoch ${descent.diverged_at}` : `cost ${short(descent.cost[at])} at epoch ${at} · over ${descent.steps} epochs it ${descent.diagnosis.outcome}`;
  });
}

// A refusal beside the method that it is of; without one, none is left.
export function faultOfMethods(message, index = null) {
  for (const place of document.querySelectorAll(".card .fault")) {
    const isTyping = place.parentNode.querySelector("[aria-invalid=true]") !== null; // told where it was typed
    if (index === null ? !isTyping : place.id === `fault-${index}`) place.textContent = message;
  }
}
