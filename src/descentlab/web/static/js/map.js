// The map's overlay: axes, minima, paths, the start as a handle for pointer and arrow keys, values.
import { byId, colour, make, short, ticks } from "./dom.js";
import { change, state } from "./state.js";

const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const svg = byId("overlay"), tip = byId("tip");
const layers = {};
let view = null, axes = null, shown = [], onPick = null;

// axes: {x: [low, high], y: [low, high], names: [.., ..], log: is the x axis logarithmic}
export function setAxes(found) {
  axes = found;
  const box = svg.getBoundingClientRect();
  view = { width: box.width, height: box.height };
  svg.setAttribute("viewBox", `0 0 ${box.width} ${box.height}`);
  svg.replaceChildren();
  for (const name of ["axes", "minima", "paths", "points"]) layers[name] = svg.appendChild(make("g"));
  drawAxes();
}

const across = (x) => ((axes.log ? Math.log10(x) : x) - axes.x[0]) / (axes.x[1] - axes.x[0]) * view.width;
const down = (y) => view.height - (y - axes.y[0]) / (axes.y[1] - axes.y[0]) * view.height;
function place(event) {
  const box = svg.getBoundingClientRect();
  const x = axes.x[0] + (event.clientX - box.left) / box.width * (axes.x[1] - axes.x[0]);
  return [axes.log ? 10 ** x : x, axes.y[0] + (box.bottom - event.clientY) / box.height * (axes.y[1] - axes.y[0])];
}

function drawAxes() {
  for (const x of ticks(...axes.x)) {
    const at = (x - axes.x[0]) / (axes.x[1] - axes.x[0]) * view.width;
    const text = axes.log ? `1e${x}` : short(x);
    if (!axes.log || Number.isInteger(x)) layers.axes.append(make("text", { x: at, y: view.height - 5, "text-anchor": "middle" }, text));
  }
  for (const y of ticks(...axes.y)) layers.axes.append(make("text", { x: 5, y: down(y) + 4 }, short(y)));
  layers.axes.append(make("text", { x: view.width - 6, y: view.height - 20, "text-anchor": "end" }, axes.names[0]));
  layers.axes.append(make("text", { x: 5, y: 14 }, axes.names[1]));
}

export function drawMinima(minima) {
  layers.minima.replaceChildren(...minima.slice(0, 150).map(({ point, value }) => make("text", {
    x: across(point[0]), y: down(point[1]) + 5, "text-anchor": "middle",
  }, "✕", make("title", {}, `minimum of ${short(value)} at (${short(point[0])}, ${short(point[1])})`))));
}

// Paths up to the epoch: straight lines from iterate to iterate, and nothing between them.
export function drawPaths(descents) {
  shown = descents;
  const lines = [], points = [];
  descents.forEach((descent, index) => {
    const path = upTo(descent.path, state.at);
    const text = path.map(([x, y]) => `${clip(across(x))},${clip(down(y))}`).join(" ");
    lines.push(make("polyline", { class: "halo", points: text }), make("polyline", {
      class: "path", points: text, stroke: colour(index), "data-method": index,
      "stroke-dasharray": index === state.chosen ? null : "none",
    }));
    const dots = path.length <= 400 ? path : path.slice(-1);
    for (const [x, y] of dots) points.push(make("circle", { cx: clip(across(x)), cy: clip(down(y)), r: 1.6, fill: colour(index) }));
    const [x, y] = path[path.length - 1];
    points.push(make("circle", { class: "head", cx: clip(across(x)), cy: clip(down(y)), r: 5, fill: colour(index), stroke: "var(--paper)", "stroke-width": 1.5 }));
  });
  layers.paths.replaceChildren(...lines);
  layers.points.replaceChildren(...points);
  drawHandle();
}

// A path ends where it stops being numbers.
export function upTo(path, at) {
  const end = path.findIndex(([x, y]) => x === null || y === null);
  return path.slice(0, Math.max(1, Math.min(at + 1, end < 0 ? path.length : end)));
}

const clip = (value) => Math.max(-1e5, Math.min(1e5, value)).toFixed(2);

function drawHandle() {
  let handle = svg.querySelector(".handle");
  const label = `Start point, w1 ${short(state.start[0])}, w2 ${short(state.start[1])}. Arrow keys move it, with Shift further.`;
  if (!handle) {
    handle = make("g", { class: "handle", tabindex: 0, role: "button", id: "handle" },
      make("circle", { r: 22, style: "fill: transparent; stroke: none" }), make("circle", { r: 8 }));
    handle.addEventListener("pointerdown", grab);
    handle.addEventListener("keydown", nudge);
    svg.append(handle);
  }
  handle.setAttribute("aria-label", label);
  handle.setAttribute("transform", `translate(${clip(across(state.start[0]))} ${clip(down(state.start[1]))})`);
}

function grab(event) {
  const handle = event.currentTarget;
  handle.setPointerCapture(event.pointerId);
  event.preventDefault();
  handle.focus({ preventScroll: true });
  const move = (moved) => change({ start: place(moved).map(tidy) });
  handle.addEventListener("pointermove", move);
  const release = () => handle.removeEventListener("pointermove", move);
  handle.addEventListener("pointerup", release, { once: true });
  handle.addEventListener("pointercancel", release, { once: true });
}

function nudge(event) {
  const way = KEYS[event.key];
  if (!way) return;
  event.preventDefault();
  const size = (axes.x[1] - axes.x[0]) / (event.shiftKey ? 20 : 200);
  change({ start: [state.start[0] + way[0] * size, state.start[1] + way[1] * size].map(tidy) });
}

// Four digits behind the point of the map's size: what a pointer can mean.
function tidy(value) {
  return Number(value.toFixed(Math.max(0, 4 - Math.floor(Math.log10(axes.x[1] - axes.x[0])))));
}

export function hideMarks() {
  for (const name of ["minima", "paths", "points"]) layers[name].replaceChildren();
  svg.querySelector(".handle")?.remove();
}

// Without a map of costs a click or a pointer means a place on other axes.
export function pick(listener) { onPick = listener; }

svg.addEventListener("click", (event) => { if (onPick && axes) onPick(...place(event), true); });
svg.addEventListener("pointerleave", () => { tip.hidden = true; });
svg.addEventListener("pointermove", (event) => {
  if (!axes) return;
  const text = onPick ? onPick(...place(event), false) : nearestIterate(event);
  tip.hidden = !text;
  if (!text) return;
  tip.textContent = text;
  const box = svg.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
  tip.style.left = `${Math.min(x + 14, box.width - tip.offsetWidth - 4)}px`;
  tip.style.top = `${Math.min(y + 14, box.height - tip.offsetHeight - 4)}px`;
});

function nearestIterate(event) {
  const box = svg.getBoundingClientRect(), px = event.clientX - box.left, py = event.clientY - box.top;
  let best = null, least = 14 ** 2;
  for (const descent of shown) {
    upTo(descent.path, state.at).forEach(([x, y], epoch) => {
      const away = (across(x) - px) ** 2 + (down(y) - py) ** 2;
      if (away < least) { least = away; best = { descent, epoch }; }
    });
  }
  if (!best) return "";
  const { descent, epoch } = best, [x, y] = descent.path[epoch];
  return `${descent.name}, epoch ${epoch}\nw1 ${x}\nw2 ${y}\ncost ${descent.cost[epoch]}`;
}
