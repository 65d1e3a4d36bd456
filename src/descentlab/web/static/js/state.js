// Everything that the page shows, and the same as the address: opening a link gives the same.
const first = () => ({
  landscape: "rosenbrock", formula: "", settings: {}, domain: null, start: [-1.54, -0.64], steps: 150, at: 150,
  methods: ["gd lr=0.001", "momentum lr=0.0002", "rmsprop lr=0.01", "adam lr=0.05"],
  chosen: 0, view: "map", speed: 60, seed: 0, exercise: "", language: "en",
});
export const state = first();

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
  const found = { landscape: typed ? state.formula : state.landscape, settings: typed ? {} : state.settings };
  return state.domain ? { ...found, domain: state.domain } : found;
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
  if (state.domain) found.set("d", state.domain.flat().map(String).join(","));
  found.set("p", state.start.map(String).join(","));
  found.set("n", String(state.steps));
  if (state.at !== state.steps) found.set("t", String(state.at));
  for (const text of state.methods) found.append("m", text);
  if (state.chosen) found.set("c", String(state.chosen));
  if (state.view !== "map") found.set("v", state.view);
  if (state.speed !== 60) found.set("sp", String(state.speed));
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

// Return the state that an address has; what it does not say, or says badly, is as at first.
export function read(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, "")), found = first();
  const numbers = (key) => { const text = given.get(key); return text ? text.split(",").map((part) => (part.trim() ? Number(part) : NaN)) : []; };
  const isGood = (list, length) => list.length === length && list.every(Number.isFinite);
  const one = (key, name, known) => { if (known(given.get(key))) found[name] = given.get(key); };
  one("l", "landscape", (text) => text !== null);
  one("f", "formula", (text) => text !== null);
  one("v", "view", (text) => ["map", "surface", "basins", "stability"].includes(text));
  one("x", "exercise", (text) => text !== null);
  one("lang", "language", (text) => ["en", "fa"].includes(text));
  for (const [key, text] of given) if (key.startsWith("s.") && Number.isFinite(Number(text))) found.settings[key.slice(2)] = Number(text);
  const [point, domain] = [numbers("p"), numbers("d")];
  if (isGood(point, 2) && point.every((w) => Math.abs(w) <= 1e12)) found.start = point;
  if (isGood(domain, 4) && domain[0] < domain[1] && domain[2] < domain[3]) found.domain = [domain.slice(0, 2), domain.slice(2)];
  if (given.has("m")) found.methods = given.getAll("m").slice(0, 16);
  for (const [key, name, least, most] of [["n", "steps", 1, 20000], ["c", "chosen", 0, 15], ["seed", "seed", 0, 2 ** 32 - 1], ["sp", "speed", 1, 1000]]) {
    const [value] = numbers(key);
    if (Number.isInteger(value) && value >= least && value <= most) found[name] = value;
  }
  const [at] = numbers("t");
  found.at = Number.isInteger(at) && at >= 0 ? Math.min(at, found.steps) : found.steps;
  found.chosen = Math.min(found.chosen, found.methods.length - 1);
  return found;
}
