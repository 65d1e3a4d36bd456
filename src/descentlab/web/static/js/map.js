// The map's overlay: axes, minima, paths, the start as a handle for pointer and arrow keys, values.
import { byId, colour, make, number, power, short, ticks } from "./dom.js";
import { change, state } from "./state.js";

const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const EDGE = { left: 50, right: 14, top: 10, bottom: 42 };
const FAR = 1e5, NEAR = 14, MOST_DOTS = 2000;
const svg = byId("overlay"), tip = byId("tip"), canvas = byId("ground-canvas");
const layers = {};
let view = null, axes = null, shown = [], onPick = null;

// The ground is drawn within the axes; the canvas lies where they are.
export function frame() {
  const box = svg.getBoundingClientRect();
  view = { left: EDGE.left, top: EDGE.top, width: box.width - EDGE.left - EDGE.right, height: box.height - EDGE.top - EDGE.bottom };
  Object.assign(canvas.style, { left: `${view.left}px`, top: `${view.top}px`, width: `${view.width}px`, height: `${view.height}px` });
  svg.setAttribute("viewBox", `0 0 ${box.width} ${box.height}`);
  return { ...view, whole: box };
}

// axes: {x: [low, high], y: [low, high], names: [.., ..], log: {x, y}: axes in powers of ten}
export function setAxes(found) {
  axes = { log: {}, ...found };
  const focused = document.activeElement?.id === "handle";
  frame();
  const inside = make("clipPath", { id: "inside" }, make("rect", { x: view.left, y: view.top, width: view.width, height: view.height }));
  svg.replaceChildren(make("defs", {}, inside));
  // Lines take no part in finding what is touched: with their many round dots that took seconds.
  for (const name of ["axes", "minima", "paths"]) layers[name] = svg.appendChild(make("g", name === "paths" ? { "clip-path": "url(#inside)", "pointer-events": "none" } : {}));
  drawAxes();
  drawHandle();
  if (focused) byId("handle").focus({ preventScroll: true });
}

const across = (x) => view.left + (x - axes.x[0]) / (axes.x[1] - axes.x[0]) * view.width;
const down = (y) => view.top + (axes.y[1] - y) / (axes.y[1] - axes.y[0]) * view.height;

function place(event) {
  const box = svg.getBoundingClientRect(), within = (part) => Math.min(1, Math.max(0, part));
  const right = within((event.clientX - box.left - view.left) / view.width), low = within((event.clientY - box.top - view.top) / view.height);
  const x = axes.x[0] + right * (axes.x[1] - axes.x[0]), y = axes.y[1] - low * (axes.y[1] - axes.y[0]);
  return [axes.log.x ? 10 ** x : x, axes.log.y ? 10 ** y : y];
}

function drawAxes() {
  const bottom = view.top + view.height, drawn = [];
  const text = (x, y, anchor, said, more = {}) => drawn.push(make("text", { x, y, "text-anchor": anchor, ...more }, said));
  const said = (value, log) => (log ? power(value) : short(value));
  for (const x of ticks(...axes.x, Math.min(8, view.width / 55)).filter((x) => !axes.log.x || Number.isInteger(x))) {
    drawn.push(make("path", { class: "tick", d: `M${across(x)} ${bottom}v5` }));
    text(across(x), bottom + 17, "middle", said(x, axes.log.x));
  }
  for (const y of ticks(...axes.y).filter((y) => !axes.log.y || Number.isInteger(y))) {
    drawn.push(make("path", { class: "tick", d: `M${view.left} ${down(y)}h-5` }));
    text(view.left - 8, down(y) + 4, "end", said(y, axes.log.y));
  }
  text(view.left + view.width / 2, bottom + 35, "middle", axes.names[0], { class: "axis" });
  text(0, 0, "middle", axes.names[1], { class: "axis", transform: `translate(12 ${view.top + view.height / 2}) rotate(-90)` });
  layers.axes.replaceChildren(...drawn);
}

// Marks at points: what, and how to say it.
export function drawMarks(marks) {
  layers.minima.replaceChildren(...marks.slice(0, 150).map(({ at: [x, y], sign, said }) => make("text", {
    class: "mark", x: across(x), y: down(y) + 5, "text-anchor": "middle",
  }, sign, make("title", {}, said))));
}

export function drawMinima(minima) {
  drawMarks(minima.map(({ point, value }) => ({ at: point, sign: "✕", said: `minimum of ${short(value)} at (${short(point[0])}, ${short(point[1])})` })));
}

// Paths up to the epoch: straight lines from iterate to iterate, and nothing between them.
export function drawPaths(descents, which = () => true, paint = colour) {
  shown = descents.map((descent, index) => ({ descent, index, path: upTo(descent.path, state.at) })).filter(({ index }) => which(index));
  const lines = [], heads = [];
  for (const { index, path } of shown) {
    const points = path.map(([x, y]) => [across(x), down(y)]), line = trail(points), own = paint(index);
    const dots = points.slice(-MOST_DOTS).filter(near).map(([x, y]) => `M${x.toFixed(2)} ${y.toFixed(2)}h0`).join("");
    lines.push(make("path", { class: "halo", d: line }), make("path", { class: `path${index === state.chosen ? " chosen" : ""}`, d: line, stroke: own, "data-method": index }), make("path", { class: "dots", d: dots, stroke: own }));
    const [x, y] = points.at(-1);
    if (near([x, y])) heads.push(make("circle", { class: "head", cx: x.toFixed(2), cy: y.toFixed(2), r: 5, fill: own }));
  }
  layers.paths.replaceChildren(...lines, ...heads);
  drawHandle();
}

const near = ([x, y]) => Math.abs(x) < FAR && Math.abs(y) < FAR;

// A line through all points; what is too far off to be drawn is cut where it leaves.
function trail(points) {
  let text = "", last = null;
  const at = ([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`;
  points.forEach((point, i) => {
    const cut = i ? between(points[i - 1], point) : near(point) ? [point, point] : null;
    if (!cut) return;
    text += (last === cut[0] ? "" : `M${at(cut[0])}`) + (i ? `L${at(cut[1])}` : "");
    [, last] = cut;
  });
  return text;
}

// The part of a line between two points that is near enough to be drawn (Liang and Barsky).
function between(a, b) {
  if (near(a) && near(b)) return [a, b];
  let from = 0, to = 1;
  for (const k of [0, 1]) {
    const way = b[k] - a[k];
    if (way === 0 && Math.abs(a[k]) >= FAR) return null;
    const ends = way === 0 ? [0, 1] : [(-FAR - a[k]) / way, (FAR - a[k]) / way].sort((x, y) => x - y);
    from = Math.max(from, ends[0]);
    to = Math.min(to, ends[1]);
  }
  const point = (part) => [a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1])];
  return from < to ? [from > 0 ? point(from) : a, to < 1 ? point(to) : b] : null;
}

// A path ends where it stops being numbers.
export function upTo(path, at) {
  const end = path.findIndex(([x, y]) => x === null || y === null);
  return path.slice(0, Math.max(1, Math.min(at + 1, end < 0 ? path.length : end)));
}

// Whether the axes are those of the map, so that paths can be drawn.
export const isMap = () => axes !== null && !axes.noStart;

export function isShown([x, y]) {
  return x >= axes.x[0] && x <= axes.x[1] && y >= axes.y[0] && y <= axes.y[1];
}

// The start: at the edge of the map if it lies outside. On other axes there is none.
function drawHandle() {
  let handle = svg.querySelector(".handle");
  if (axes.noStart) { handle?.remove(); return; }
  if (!handle) {
    handle = make("g", { class: "handle", tabindex: 0, role: "button", id: "handle" },
      make("circle", { r: 22, class: "reach" }), make("circle", { r: 8 }));
    handle.addEventListener("pointerdown", grab);
    handle.addEventListener("keydown", nudge);
    svg.append(handle);
  }
  const [x, y] = state.start.map((value, k) => Math.min([axes.x, axes.y][k][1], Math.max([axes.x, axes.y][k][0], value)));
  handle.setAttribute("aria-label", `Start point, w1 ${short(state.start[0])}, w2 ${short(state.start[1])}. Arrow keys move it, with Shift further.`);
  handle.setAttribute("transform", `translate(${across(x).toFixed(2)} ${down(y).toFixed(2)})`);
}

function grab(event) {
  const handle = event.currentTarget;
  if (event.button) return;
  handle.setPointerCapture(event.pointerId);
  event.preventDefault();
  handle.focus({ preventScroll: true });
  tip.hidden = true;
  const move = (moved) => change({ start: place(moved).map(tidy) });
  handle.addEventListener("pointermove", move);
  const release = () => { for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) handle.removeEventListener(kind, release); handle.removeEventListener("pointermove", move); };
  for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) handle.addEventListener(kind, release);
}

function nudge(event) {
  const way = KEYS[event.key];
  if (!way) return;
  event.preventDefault();
  const size = (axes.x[1] - axes.x[0]) / (event.shiftKey ? 20 : 200), high = (axes.y[1] - axes.y[0]) / (event.shiftKey ? 20 : 200);
  change({ start: [state.start[0] + way[0] * size, state.start[1] + way[1] * high].map(tidy) });
}

// Four digits behind the point of the map's size: what a pointer can mean.
function tidy(value, k) {
  const size = k === 1 ? axes.y[1] - axes.y[0] : axes.x[1] - axes.x[0];
  return Number(value.toFixed(Math.min(100, Math.max(0, 4 - Math.floor(Math.log10(size))))));
}

export function clearMarks() {
  for (const name of ["minima", "paths"]) layers[name]?.replaceChildren();
  shown = [];
}

// On pictures of regions a pointer tells what is there, and a click takes it.
export function pick(listener) { onPick = listener; }

const isInside = (event) => {
  const box = svg.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
  return x >= view.left && x <= view.left + view.width && y >= view.top && y <= view.top + view.height;
};

svg.addEventListener("click", (event) => { if (onPick && axes && isInside(event) && !event.target.closest(".handle")) onPick(...place(event), true); });
svg.addEventListener("pointerleave", () => { tip.hidden = true; });
svg.addEventListener("pointermove", (event) => {
  if (!axes || event.buttons) return;
  const text = nearestIterate(event) || (onPick && isInside(event) ? onPick(...place(event), false) : "");
  tip.hidden = !text;
  if (!text) return;
  tip.textContent = text;
  const box = svg.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
  tip.style.left = `${Math.max(4, Math.min(x + 14, box.width - tip.offsetWidth - 4))}px`;
  tip.style.top = `${Math.max(4, Math.min(y + 14, box.height - tip.offsetHeight - 4))}px`;
});

function nearestIterate(event) {
  const box = svg.getBoundingClientRect(), px = event.clientX - box.left, py = event.clientY - box.top;
  let best = null, least = NEAR ** 2;
  for (const { descent, index, path } of shown) {
    path.forEach(([x, y], epoch) => {
      const away = (across(x) - px) ** 2 + (down(y) - py) ** 2;
      if (away < least) { least = away; best = { descent, index, epoch }; }
    });
  }
  if (!best) return "";
  const { descent, index, epoch } = best, [x, y] = descent.path[epoch];
  return `${index + 1} ${descent.name}, epoch ${epoch}\nw1 ${number(x)}\nw2 ${number(y)}\ncost ${number(descent.cost[epoch])}`;
}
