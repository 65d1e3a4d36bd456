// The page: the state changes, and what shows it is drawn anew.
import { ask, latest, newestOnly } from "./api.js";
import { byId, fault, make, say, seldom, short } from "./dom.js";
import { drawCurves, moveMarker } from "./curves.js";
import { drawExercises, listen } from "./exercises.js";
import { share, take } from "./exporting.js";
import { drawFields, formulaIsGood, listenToFields, setLandscapes } from "./fields.js";
import { drawCosts, surfaceOf } from "./ground.js";
import { drawMinima, drawPaths, isMap, isShown, pick, setAxes } from "./map.js";
import { addMethod, drawCards, drawResults, faultOfMethods, setCatalogue } from "./methods.js";
import { drawEpochs, drawMoment, drawNow } from "./panels.js";
import { drawBasins, drawLegend, drawStability, tune } from "./regions.js";
import { drawSurface } from "./surface.js";
import { converge, isPlaying, listenToTime } from "./time.js";
import { asked, change, flush, ground, onChange, read, state } from "./state.js";

let surface = null, descents = [], later = null, answers = 0, refusedFor = "";

const runPaths = newestOnly(async () => {
  let found;
  try { found = await latest("run", "run", asked()); } catch (error) { refused(error); return; }
  if (!found || found.descents.length !== state.methods.length) return;
  faultOfMethods("");
  if (refusedFor === "run") fault("ground-fault", null, "");
  refusedFor = "";
  fault("steps-fault", null, "");
  byId("picture").classList.remove("stale");
  descents = found.descents;
  drawOnMap();
  drawResults(descents);
  clearTimeout(later);
  later = setTimeout(drawBeside, answers ? 60 : 0);
  answers += 1;
});

// What the server will not do is told beside the field; until it is mended the picture is pale.
function refused(error) {
  byId("picture").classList.add("stale");
  refusedFor = "run";
  const method = /^methods\.(\d+)/.exec(error.field)?.[1];
  if (method !== undefined) faultOfMethods(error.message, Number(method));
  else if (error.field === "steps") fault("steps-fault", byId("steps"), error.message);
  else { formulaIsGood(false); fault("ground-fault", state.landscape === "" && error.field === "formula" ? byId("formula") : null, error.message); }
}

function drawBeside() {
  const minima = surface?.landscape.minima ?? [];
  drawNow(descents, minima);
  drawMoment(descents);
  if (state.view === "surface" && surface) drawSurface(surface, descents);
  drawCurves(descents);
  document.body.dataset.ready = String(answers);
}

async function drawGround() {
  let answer;
  try { answer = await latest("surface", "surface", ground()); } catch (error) { refused(error); refusedFor = "surface"; return; }
  if (!answer) return;
  if (!byId("picture").classList.contains("stale") || refusedFor === "surface") fault("ground-fault", byId("formula"), "");
  formulaIsGood(true);
  surface = surfaceOf(answer);
  const info = answer.landscape, [[a, b], [c, d]] = info.domain.map((side) => side.map((v) => short(v)));
  const points = info.minima.slice(0, 4).map(({ point, value }) => `${short(value)} at (${short(point[0], 4)}, ${short(point[1], 4)})`).join("; ");
  const more = info.minima.length > 4 ? ` and ${info.minima.length - 4} more` : "";
  byId("about").replaceChildren(`${info.title}: `, make("span", { class: "formula" }, info.formula), `. ${info.about} On ${a} ≤ w1 ≤ ${b}, ${c} ≤ w2 ≤ ${d}. `,
    points ? `Minima: ${points}${more}. ` : "No minimum within. ", info.source ? `(${info.source})` : "");
  drawView();
}

function drawOnMap() {
  if (!surface || !descents.length || !isMap()) return;
  if (state.view === "map") { drawPaths(descents); drawLegend(descents, isShown); }
  if (state.view === "basins") drawPaths(descents, (index) => index === state.chosen, () => "var(--ink)");
}

function drawView() {
  for (const tab of document.querySelectorAll("[role=tab]")) {
    tab.setAttribute("aria-selected", String(tab.dataset.view === state.view));
    tab.tabIndex = tab.dataset.view === state.view ? 0 : -1;
  }
  byId("surface").hidden = state.view !== "surface";
  byId("picture").hidden = state.view === "surface";
  byId("picture").setAttribute("aria-labelledby", `tab-${state.view}`);
  pick(null);
  say("");
  if (!surface) return;
  if (state.view === "surface") { drawSurface(surface, descents); return; }
  if (state.view === "basins") { regions(drawBasins(surface, drawOnMap)); return; }
  if (state.view === "stability") { regions(drawStability(surface)); return; }
  latest("regions");
  const [x, y] = surface.landscape.domain;
  byId("picture").classList.remove("busy");
  setAxes({ x, y, names: ["w1", "w2"] });
  drawCosts(byId("ground-canvas"), surface);
  drawMinima(surface.landscape.minima);
  drawOnMap();
}

// Old pictures stay, pale, until the new one has come.
async function regions(work) {
  byId("picture").classList.add("busy");
  byId("legend").replaceChildren();
  try { if (!await work) return; } catch (error) { say(""); byId("caption").textContent = error.message; }
  byId("picture").classList.remove("busy");
}

function drawTime() {
  const slider = byId("at");
  slider.max = state.steps;
  slider.value = state.at;
  byId("at-text").textContent = String(state.at);
  byId("speed").value = String(state.speed);
}

const surfaceSoon = seldom(() => { if (state.view === "surface" && surface) drawSurface(surface, descents); }, 120);

onChange((keys) => {
  const has = (...names) => names.some((name) => keys.has(name));
  const isGround = has("landscape", "settings", "formula", "domain"), isRun = isGround || has("start", "steps", "methods", "seed");
  if (isGround || has("start", "steps")) drawFields(keys);
  if (isGround) drawGround();
  if (has("methods", "chosen")) drawCards();
  if (has("at", "steps", "speed")) drawTime();
  if (has("at") && !isRun && descents.length) { drawOnMap(); drawResults(descents); drawNow(descents, surface?.landscape.minima ?? []); moveMarker(); surfaceSoon(); if (!isPlaying()) drawMoment(descents); }
  if (isRun) runPaths();
  else if (has("chosen") && descents.length) { drawOnMap(); drawResults(descents); drawBeside(); }
  const again = { basins: ["methods", "chosen", "steps", "seed"], stability: ["methods", "chosen", "steps", "seed", "start"] }[state.view] ?? [];
  if (has("view") || (!isGround && has(...again))) drawView();
  if (has("exercise", "language")) drawExercises();
});

function listenTo() {
  const on = (id, event, work) => byId(id).addEventListener(event, work);
  listenToFields();
  listenToTime(() => drawMoment(descents));
  on("converge", "click", () => converge().catch((error) => say(error.message)));
  on("share", "click", share);
  for (const button of document.querySelectorAll("[data-export]")) button.addEventListener("click", () => take(button.dataset.export, descents).catch((error) => say(error.message)));
  on("add-one", "click", () => addMethod(byId("add").value));
  on("cards", "click", ({ target }) => { if (target.dataset.tune !== undefined) tune(Number(target.dataset.tune)); });
  on("epochs-box", "toggle", () => drawEpochs(descents[state.chosen], surface?.landscape.minima ?? []));
  const tabs = [...document.querySelectorAll("[role=tab]")];
  for (const tab of tabs) {
    tab.addEventListener("click", () => change({ view: tab.dataset.view }));
    tab.addEventListener("keydown", (event) => {
      const to = { ArrowRight: tabs.indexOf(tab) + 1, ArrowLeft: tabs.indexOf(tab) - 1, Home: 0, End: -1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      const next = tabs.at(to % tabs.length);
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
    if (width) { drawView(); drawCurves(descents); }
    width = contentRect.width;
  }).observe(byId("picture"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { drawView(); drawBeside(); });
}

async function begin() {
  Object.assign(state, read(location.hash));
  const catalogue = await ask("catalogue");
  setCatalogue(catalogue);
  setLandscapes(catalogue.landscapes);
  byId("landscape").replaceChildren(...catalogue.landscapes.map(({ name, title }) => make("option", { value: name }, title)), make("option", { value: "" }, "a formula of my own"));
  byId("add").replaceChildren(...Object.entries(catalogue.methods).map(([kind, { about }]) => make("option", { value: kind, title: about }, kind)));
  listenTo();
  change({ ...state });
}

begin().catch((error) => say(error.message));
