// Everything that the page shows, and the same as the address: opening a link gives the same.
export const state = {
  landscape: "rosenbrock", formula: "", settings: {}, start: [-1.54, -0.64], steps: 150, at: 150,
  methods: ["gd lr=0.001", "momentum lr=0.0002", "rmsprop lr=0.01", "adam lr=0.05"],
  chosen: 0, view: "map", speed: 60, seed: 0, exercise: "", language: "en",
};

const listeners = [];
export function onChange(listener) { listeners.push(listener); }

// Change some of the state; every listener is told which keys have changed.
export function change(part) {
  const keys = new Set(Object.keys(part));
  Object.assign(state, part);
  state.chosen = Math.min(state.chosen, state.methods.length - 1);
  if (state.at > state.steps) { state.at = state.steps; keys.add("at"); }
  for (const listener of listeners) listener(keys);
  remember();
}

export function ground() {
  const typed = state.landscape === "";
  return { landscape: typed ? state.formula : state.landscape, settings: typed ? {} : state.settings };
}

export function asked() {
  return { ...ground(), methods: state.methods, start: state.start, steps: state.steps, seed: state.seed };
}

// Numbers are written so that they read back to the same bits.
export function address() {
  const found = new URLSearchParams();
  found.set("l", state.landscape);
  if (state.landscape === "") found.set("f", state.formula);
  for (const [name, value] of Object.entries(state.settings)) found.set(`s.${name}`, String(value));
  found.set("p", state.start.map(String).join(","));
  found.set("n", String(state.steps));
  if (state.at !== state.steps) found.set("t", String(state.at));
  for (const text of state.methods) found.append("m", text);
  if (state.chosen) found.set("c", String(state.chosen));
  if (state.view !== "map") found.set("v", state.view);
  if (state.seed) found.set("seed", String(state.seed));
  if (state.exercise) { found.set("x", state.exercise); found.set("lang", state.language); }
  return `#${found}`;
}

let waiting = null;
function remember() {
  clearTimeout(waiting);
  waiting = setTimeout(() => history.replaceState(null, "", address()), 250);
}

export function flush() {
  clearTimeout(waiting);
  history.replaceState(null, "", address());
}

// Return the state that an address has, as far as it makes sense; the rest stays as it is.
export function read(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const found = {};
  const whole = (key, least) => {
    const value = Number(given.get(key));
    return given.has(key) && Number.isInteger(value) && value >= least ? value : undefined;
  };
  if (given.has("l")) found.landscape = given.get("l");
  if (given.has("f")) found.formula = given.get("f");
  const settings = [...given].filter(([key]) => key.startsWith("s."));
  if (settings.length) found.settings = Object.fromEntries(settings.map(([k, v]) => [k.slice(2), Number(v)]));
  const point = (given.get("p") ?? "").split(",").map(Number);
  if (point.length === 2 && point.every(Number.isFinite) && given.get("p")) found.start = point;
  const methods = given.getAll("m");
  if (methods.length) found.methods = methods.slice(0, 16);
  for (const [key, name, least] of [["n", "steps", 1], ["t", "at", 0], ["c", "chosen", 0], ["seed", "seed", 0]]) {
    const value = whole(key, least);
    if (value !== undefined) found[name] = value;
  }
  if (found.steps !== undefined && found.at === undefined) found.at = found.steps;
  if (["map", "surface", "basins", "stability"].includes(given.get("v"))) found.view = given.get("v");
  if (given.has("x")) found.exercise = given.get("x");
  if (["en", "fa"].includes(given.get("lang"))) found.language = given.get("lang");
  return found;
}
