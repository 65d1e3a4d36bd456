// The page: the state changes, and what shows it is drawn anew.
import { ask, latest, newestOnly } from "./api.js";
import { byId, fault, make, say, typed } from "./dom.js";
import { drawExercises, listen } from "./exercises.js";
import { share, take } from "./exporting.js";
import { drawCosts, surfaceOf } from "./ground.js";
import { drawMinima, drawPaths, pick, setAxes } from "./map.js";
import { addMethod, drawCards, drawResults, faultOfMethods, setCatalogue } from "./methods.js";
import { drawCurves, drawEpochs, drawMoment, drawNow, moveMarker } from "./panels.js";
import { drawBasins, drawStability, tune } from "./regions.js";
import { drawSurface } from "./surface.js";
import { asked, change, flush, ground, onChange, read, state } from "./state.js";

const MOST_EPOCHS = 20000;
let catalogue = null, surface = null, descents = [], playing = null, later = null;

const runPaths = newestOnly(async () => {
  let found;
  try { found = await latest("run", "run", asked()); } catch (error) { refused(error); return; }
  if (!found) return;
  faultOfMethods("");
  descents = found.descents;
  if (state.view === "map" && surface) drawPaths(descents);
  drawResults(descents);
  clearTimeout(later);
  later = setTimeout(drawBeside, 60);
  document.body.dataset.ready = String(Number(document.body.dataset.ready ?? 0) + 1);
});

function refused(error) {
  const onGround = /^(landscape|settings|start|formula|domain|condition|variance|w1|w2)/.test(error.field ?? "");
  if (onGround) fault("ground-fault", state.landscape === "" ? byId("formula") : null, error.message); else faultOfMethods(error.message);
}

function drawBeside() {
  const minima = surface?.landscape.minima ?? [];
  drawCurves(descents);
  drawNow(descents, minima);
  drawMoment(descents);
  if (state.view === "surface" && surface) drawSurface(surface, descents);
}

async function drawGround() {
  let answer;
  try { answer = await latest("surface", "surface", ground()); } catch (error) { fault("ground-fault", byId("formula"), error.message); return; }
  if (!answer) return;
  fault("ground-fault", byId("formula"), "");
  surface = surfaceOf(answer);
  const info = answer.landscape;
  byId("about").textContent = `${info.title}: ${info.formula}. ${info.about} ${info.source ? `(${info.source})` : ""}`;
  drawView();
}

function drawView() {
  for (const tab of document.querySelectorAll("[role=tab]")) {
    tab.setAttribute("aria-selected", String(tab.dataset.view === state.view));
    tab.tabIndex = tab.dataset.view === state.view ? 0 : -1;
  }
  byId("surface").hidden = state.view !== "surface";
  byId("picture").hidden = state.view === "surface";
  byId("picture").setAttribute("aria-labelledby", `tab-${state.view}`);
  byId("legend").replaceChildren();
  pick(null);
  if (!surface) return;
  if (state.view === "surface") { drawSurface(surface, descents); return; }
  if (state.view === "basins") { drawBasins(surface).catch((error) => say(error.message)); return; }
  if (state.view === "stability") { drawStability().catch((error) => say(error.message)); return; }
  const [x, y] = surface.landscape.domain;
  drawCosts(byId("ground-canvas"), surface);
  setAxes({ x, y, names: ["w1", "w2"] });
  drawMinima(surface.landscape.minima);
  if (descents.length) drawPaths(descents);
}

function drawFields() {
  const typing = state.landscape === "", known = catalogue.landscapes.find(({ name }) => name === state.landscape);
  byId("landscape").value = state.landscape;
  byId("formula-label").hidden = !typing;
  if (document.activeElement !== byId("formula")) byId("formula").value = state.formula;
  state.start.forEach((value, i) => { const box = byId(`start-w${i + 1}`); if (document.activeElement !== box) box.value = String(value); });
  byId("steps").value = String(state.steps);
  const names = Object.keys(known?.settings ?? {});
  byId("settings").replaceChildren(...names.map((name) => make("label", {}, name, make("input", {
    size: 7, inputmode: "decimal", value: state.settings[name] ?? known.settings[name], "aria-describedby": "ground-fault",
    onchange: (event) => number(event.target, name, (value) => change({ settings: { ...state.settings, [name]: value } })),
  }))));
}

function drawTime() {
  const slider = byId("at");
  slider.max = state.steps;
  slider.value = state.at;
  byId("at-text").textContent = String(state.at);
}

function number(box, name, use, place = "ground-fault", check = () => "") {
  const value = typed(box.value);
  const message = Number.isNaN(value) ? `${name}: '${box.value}' is no number` : check(value);
  fault(place, box, message);
  if (!message) use(value);
}

onChange((keys) => {
  const has = (...names) => names.some((name) => keys.has(name));
  if (has("landscape", "settings", "formula", "start", "steps")) drawFields();
  if (has("landscape", "settings", "formula")) drawGround();
  if (has("methods", "chosen")) drawCards();
  if (has("at", "steps")) { drawTime(); if (!has("steps") && descents.length) { if (state.view === "map") drawPaths(descents); drawResults(descents); moveMarker(); drawNow(descents, surface?.landscape.minima ?? []); if (!playing) drawMoment(descents); } }
  if (has("landscape", "settings", "formula", "start", "steps", "methods", "seed")) runPaths();
  else if (has("chosen") && descents.length) { drawResults(descents); drawBeside(); }
  if (has("view") || (has("methods", "chosen", "steps") && ["basins", "stability"].includes(state.view))) drawView();
  if (has("exercise", "language")) drawExercises();
});

function pause() {
  cancelAnimationFrame(playing);
  playing = null;
  byId("play").firstChild.textContent = "▶";
  byId("play-word").textContent = "Play";
  drawMoment(descents);
}

function play() {
  if (playing) { pause(); return; }
  if (state.at >= state.steps) change({ at: 0 });
  byId("play").firstChild.textContent = "⏸";
  byId("play-word").textContent = "Pause";
  let before = performance.now(), part = state.at;
  const frame = (now) => {
    part += (now - before) / 1000 * state.speed;
    before = now;
    const at = Math.min(state.steps, Math.floor(part));
    if (at !== state.at) change({ at });
    if (at >= state.steps) { pause(); return; }
    playing = requestAnimationFrame(frame);
  };
  playing = requestAnimationFrame(frame);
}

// Longer and longer, until every optimizer has arrived or diverged.
async function converge() {
  for (let steps = Math.max(state.steps, 300); ; steps = Math.min(MOST_EPOCHS, 4 * steps)) {
    const found = await ask("run", { ...asked(), steps });
    const done = found.descents.map((d) => (d.diverged ? d.diverged_at : d.diagnosis.arrived_at));
    const all = done.every((epoch) => epoch !== null);
    if (!all && steps < MOST_EPOCHS) continue;
    const end = all ? Math.max(1, ...done) : steps;
    say(all ? `All have arrived or diverged by epoch ${end}.` : `Not all have arrived after ${steps} epochs.`);
    change({ steps: end, at: end });
    return;
  }
}

function listenTo() {
  const on = (id, event, work) => byId(id).addEventListener(event, work);
  on("landscape", "change", ({ target }) => {
    const known = catalogue.landscapes.find(({ name }) => name === target.value);
    change(known ? { landscape: known.name, settings: {}, start: [...known.start] } : { landscape: "", formula: state.formula || "w1^2 + 2*w2^2", settings: {} });
  });
  on("formula", "change", ({ target }) => change({ formula: target.value }));
  on("ground", "submit", (event) => event.preventDefault());
  [0, 1].forEach((i) => on(`start-w${i + 1}`, "change", ({ target }) => number(target, `w${i + 1}`, (value) => change({ start: state.start.map((old, k) => (k === i ? value : old)) }))));
  on("steps", "change", ({ target }) => number(target, "stop at", (steps) => change({ steps, at: steps }), "steps-fault", (value) => (Number.isInteger(value) && value >= 1 && value <= MOST_EPOCHS ? "" : `stop at: a whole number from 1 to ${MOST_EPOCHS}`)));
  on("at", "input", ({ target }) => change({ at: Number(target.value) }));
  on("speed", "change", ({ target }) => change({ speed: Number(target.value) }));
  on("rewind", "click", () => { if (playing) pause(); change({ at: 0 }); });
  on("back", "click", () => change({ at: Math.max(0, state.at - 1) }));
  on("step", "click", () => change({ at: Math.min(state.steps, state.at + 1) }));
  on("play", "click", play);
  on("converge", "click", () => converge().catch((error) => say(error.message)));
  on("share", "click", share);
  on("export", "change", ({ target }) => { take(target.value, descents).catch((error) => say(error.message)); target.value = ""; });
  on("add", "change", ({ target }) => { addMethod(target.value); target.value = ""; });
  on("cards", "click", ({ target }) => { if (target.dataset.tune !== undefined) tune(Number(target.dataset.tune)); });
  on("epochs-box", "toggle", () => drawEpochs(descents[state.chosen], surface?.landscape.minima ?? []));
  for (const tab of document.querySelectorAll("[role=tab]")) {
    tab.addEventListener("click", () => change({ view: tab.dataset.view }));
    tab.addEventListener("keydown", (event) => {
      const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!way) return;
      const tabs = [...document.querySelectorAll("[role=tab]")], next = tabs[(tabs.indexOf(tab) + way + tabs.length) % tabs.length];
      next.focus();
      change({ view: next.dataset.view });
    });
  }
  listen();
  addEventListener("hashchange", () => change(read(location.hash)));
  addEventListener("pagehide", flush);
  let width = 0;
  new ResizeObserver(([{ contentRect }]) => {
    if (contentRect.width === width || contentRect.width === 0) return;
    if (width) drawView();
    width = contentRect.width;
  }).observe(byId("picture"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { drawView(); drawCards(); drawBeside(); });
}

async function begin() {
  Object.assign(state, read(location.hash));
  catalogue = await ask("catalogue");
  setCatalogue(catalogue);
  byId("landscape").replaceChildren(...catalogue.landscapes.map(({ name, title }) => make("option", { value: name }, title)), make("option", { value: "" }, "a formula of my own"));
  listenTo();
  change({ ...state });
}

begin();
