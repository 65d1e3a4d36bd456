// The optimizers' cards: kind, learning rate, decay, its other numbers, the rest as text.
import { byId, colour, fault, make, short, typed } from "./dom.js";
import { change, state } from "./state.js";

let catalogue = null;
const SHOWN = ["learning_rate", "momentum", "decay", "beta1", "beta2", "epsilon", "damping", "weight_decay", "alpha", "inner.learning_rate", "inner.momentum"];

export function setCatalogue(found) { catalogue = found; }

// 'adam lr=0.1 beta1=0.8' as {kind, given: Map}
function parts(text) {
  const [kind, ...words] = text.trim().split(/\s+/);
  return { kind, given: new Map(words.map((word) => word.split(/=(.*)/s).slice(0, 2))) };
}

function joined(kind, given) {
  return [kind, ...[...given].map(([name, value]) => `${name}=${value}`)].join(" ");
}

// The numbers of a kind by the names that its text has for them.
function fieldsOf(kind) {
  const floats = catalogue.methods[kind]?.floats ?? {};
  return Object.entries(floats).filter(([path]) => path.startsWith("optimizer."))
    .map(([path, value]) => [path.slice(10), value]).filter(([name]) => SHOWN.includes(name));
}

function written(given, name) {
  return given.get(name) ?? (name === "learning_rate" ? given.get("lr") : undefined);
}

function put(index, name, value) {
  const { kind, given } = parts(state.methods[index]);
  if (name === "learning_rate" && given.has("lr")) name = "lr";
  if (value === "") given.delete(name); else given.set(name, value);
  replace(index, joined(kind, given));
}

export function replace(index, text) {
  change({ methods: state.methods.map((old, i) => (i === index ? text : old)) });
}

export function drawCards() {
  const active = document.activeElement?.dataset?.key;
  byId("cards").replaceChildren(...state.methods.map(card));
  if (active) document.querySelector(`[data-key="${CSS.escape(active)}"]`)?.focus();
  const add = byId("add");
  if (add.options.length === 1) {
    for (const kind of Object.keys(catalogue.methods)) add.append(make("option", { value: kind, title: catalogue.methods[kind].about }, kind));
  }
}

function card(text, index) {
  const { kind, given } = parts(text), chosen = index === state.chosen, known = new Set(["lr", "lr_decay"]);
  const number = (name, label, usual) => {
    known.add(name);
    return make("label", {}, label, make("input", {
      inputmode: "decimal", value: written(given, name) ?? "", placeholder: usual, "data-key": `${index}.${name}`,
      "aria-label": `${label} of ${kind}`, "aria-describedby": `fault-${index}`, onchange: (event) => entered(event.target, index, name),
    }));
  };
  const numbers = fieldsOf(kind).map(([name, usual]) => number(name, name.replace("learning_rate", "rate").replaceAll("_", " "), usual));
  if (![...given.keys()].some((name) => name.startsWith("schedule"))) numbers.splice(1, 0, number("lr_decay", "rate's decay", 0));
  const rest = [...given].filter(([name]) => !known.has(name)).map(([name, value]) => `${name}=${value}`).join(" ");
  const kinds = Object.keys(catalogue.methods).map((name) => make("option", { value: name, selected: name === kind }, name));
  return make("div", { class: `card${chosen ? " chosen" : ""}`, style: `--own: ${colour(index)}`, "data-index": index },
    make("div", { class: "fields" },
      make("label", {}, make("input", { type: "radio", name: "chosen", checked: chosen, style: "width: auto", onchange: () => change({ chosen: index }), "aria-label": `choose ${kind}` }), "chosen"),
      make("select", { "aria-label": `optimizer ${index + 1}`, "data-key": `${index}.kind`, onchange: (event) => replace(index, start(event.target.value)) }, ...kinds),
      make("button", { type: "button", class: "tune", "data-tune": index, title: "Search learning rate, decay and momentum" }, "Tune"),
      make("button", { type: "button", title: "Remove", "aria-label": `remove ${kind}`, disabled: state.methods.length === 1, onclick: () => remove(index) }, "✕")),
    make("div", { class: "fields" }, ...numbers),
    make("details", { open: rest !== "" }, make("summary", {}, "more settings"),
      make("input", { class: "more", value: rest, spellcheck: "false", placeholder: "nesterov=true schedule=cosine", "aria-label": `more settings of ${kind}`, "data-key": `${index}.more`,
        onchange: (event) => more(index, kind, given, known, event.target.value) })),
    make("p", { class: "fault", id: `fault-${index}`, role: "alert" }),
    make("p", { class: "result", id: `result-${index}` }));
}

function start(kind) { return catalogue.methods[kind].text; }

function remove(index) {
  change({ methods: state.methods.filter((_, i) => i !== index), chosen: Math.max(0, state.chosen - (index <= state.chosen)) });
}

function entered(input, index, name) {
  const value = input.value.trim();
  if (value !== "" && Number.isNaN(typed(value))) {
    fault(`fault-${index}`, input, `${name}: '${value}' is no number; write one such as 0.01 or 1e-3`);
    return;
  }
  put(index, name, value === "" ? "" : String(typed(value)));
}

function more(index, kind, given, known, text) {
  const kept = new Map([...given].filter(([name]) => known.has(name)));
  const words = text.trim() === "" ? [] : text.trim().split(/\s+/);
  if (words.some((word) => !word.includes("="))) {
    fault(`fault-${index}`, null, `'${words.find((word) => !word.includes("="))}': write field=value`);
    return;
  }
  replace(index, joined(kind, new Map([...kept, ...words.map((word) => word.split(/=(.*)/s).slice(0, 2))])));
}

export function addMethod(kind) {
  if (kind && state.methods.length < 16) change({ methods: [...state.methods, start(kind)], chosen: state.methods.length });
}

export function drawResults(descents) {
  descents.forEach((descent, index) => {
    const place = byId(`result-${index}`);
    if (!place) return;
    const end = descent.diverged ? `diverged at epoch ${descent.diverged_at}` : `cost ${short(descent.cost[Math.min(state.at, descent.cost.length - 1)])}`;
    place.textContent = `${end} · ${descent.diagnosis.outcome}`;
  });
}

export function faultOfMethods(message) {
  state.methods.forEach((_, index) => { const place = byId(`fault-${index}`); if (place) place.textContent = ""; });
  if (message) byId(`fault-${state.chosen}`).textContent = message;
}
