// Cost by epoch: one line a method, the epoch that is shown as a marker, exact values on hover.
import { byId, make, number, power, short, swatch, ticks, variable } from "./dom.js";
import { change, state } from "./state.js";

const EDGE = { left: 62, right: 12, top: 8, bottom: 40 };
const svg = byId("curves"), tip = byId("curves-tip");
let shown = [], view = null, steps = 1, marker = null;

// The axis ends a little above the costs at the start, so that one that diverges hides no other.
function range(descents, isLog) {
  let low = Infinity, high = -Infinity;
  for (const { cost } of descents) for (const c of cost) if (c !== null && (!isLog || c > 0)) { low = Math.min(low, c); high = Math.max(high, c); }
  if (low > high) [low, high] = [1, 10];
  const starts = Math.max(...descents.map(({ cost }) => cost[0] ?? 0), 1e-9), isCut = high > 1e3 * starts;
  if (isCut) [low, high] = isLog ? [low, 1e3 * starts] : [Math.max(low, -10 * starts), 10 * starts];
  if (isLog) return { low: Math.log10(low) - 0.05, high: Math.log10(high) + 0.05 + (low === high ? 1 : 0), isCut };
  const spare = 0.03 * (high - low) || 1;
  return { low: low - spare, high: high + spare, isCut };
}

const across = (epoch) => EDGE.left + epoch / steps * view.width;
const down = (cost) => {
  const y = EDGE.top + (view.high - (view.isLog ? Math.log10(cost) : cost)) / (view.high - view.low) * view.height;
  return Math.max(-1e4, Math.min(1e4, y));
};

// A line is broken where there is no number, or none that a logarithmic axis could have.
function line(cost) {
  const every = Math.max(1, Math.ceil(cost.length / 4000));
  let text = "", isOpen = false;
  for (let t = 0; t < cost.length; t += every) {
    const isDrawn = cost[t] !== null && (!view.isLog || cost[t] > 0);
    if (isDrawn) text += `${isOpen ? "L" : "M"}${across(t).toFixed(1)} ${down(cost[t]).toFixed(1)}`;
    isOpen = isDrawn;
  }
  return text;
}

function axes() {
  const drawn = [], right = EDGE.left + view.width, bottom = EDGE.top + view.height;
  const text = (x, y, anchor, said, more = {}) => drawn.push(make("text", { x, y, "text-anchor": anchor, ...more }, said));
  for (const y of ticks(view.low, view.high, view.height / 45).filter((y) => !view.isLog || Number.isInteger(y))) {
    const at = EDGE.top + (view.high - y) / (view.high - view.low) * view.height;
    drawn.push(make("path", { class: "grid", d: `M${EDGE.left} ${at}H${right}` }));
    text(EDGE.left - 6, at + 4, "end", view.isLog ? power(y) : short(y, 4));
  }
  for (const epoch of ticks(0, steps, Math.min(8, view.width / 60)).filter(Number.isInteger)) {
    drawn.push(make("path", { class: "grid", d: `M${across(epoch)} ${EDGE.top}V${bottom}` }));
    text(across(epoch), bottom + 16, "middle", String(epoch));
  }
  text(EDGE.left + view.width / 2, bottom + 34, "middle", "epoch", { class: "axis" });
  text(0, 0, "middle", "cost", { class: "axis", transform: `translate(12 ${EDGE.top + view.height / 2}) rotate(-90)` });
  return make("g", {}, ...drawn);
}

export function drawCurves(descents) {
  const box = svg.getBoundingClientRect(), isLog = descents.every(({ cost }) => cost.every((c) => c === null || c >= 0));
  [shown, steps] = [descents, Math.max(1, descents[0].cost.length - 1)];
  view = { ...range(descents, isLog), isLog, width: box.width - EDGE.left - EDGE.right, height: box.height - EDGE.top - EDGE.bottom };
  svg.setAttribute("viewBox", `0 0 ${box.width} ${box.height}`);
  const inside = make("clipPath", { id: "within" }, make("rect", { x: EDGE.left, y: EDGE.top, width: view.width, height: view.height }));
  marker = make("path", { class: "now" });
  const lines = descents.map(({ cost }, index) => make("path", { class: `path${index === state.chosen ? " chosen" : ""}`, d: line(cost), style: `stroke: ${variable(index)}`, "data-cost": index }));
  svg.replaceChildren(make("defs", {}, inside), axes(), make("g", { "clip-path": "url(#within)" }, ...lines), marker);
  byId("curves-legend").replaceChildren(...descents.map(({ name }, index) => make("span", {}, swatch(variable(index)), `${index + 1} ${name}`)));
  byId("curves-note").textContent = `${view.isCut ? "The axis ends above the costs at the start: what diverges leaves it. " : ""}Click to go to an epoch.`;
  moveMarker();
}

export function moveMarker() {
  if (view) marker.setAttribute("d", `M${across(Math.min(state.at, steps)).toFixed(1)} ${EDGE.top}v${view.height}`);
}

function epochAt(event) {
  const part = (event.clientX - svg.getBoundingClientRect().left - EDGE.left) / view.width;
  return Math.max(0, Math.min(steps, Math.round(part * steps)));
}

svg.addEventListener("click", (event) => { if (view) change({ at: epochAt(event) }); });
svg.addEventListener("pointerleave", () => { tip.hidden = true; });
svg.addEventListener("pointermove", (event) => {
  if (!view) return;
  const epoch = epochAt(event), box = svg.getBoundingClientRect();
  tip.textContent = [`epoch ${epoch}`, ...shown.map(({ name, cost }, index) => `${index + 1} ${name} ${number(cost[epoch])}`)].join("\n");
  tip.hidden = false;
  const right = event.clientX - box.left + 14;
  tip.style.left = `${right + tip.offsetWidth > box.width ? Math.max(0, right - 28 - tip.offsetWidth) : right}px`;
  tip.style.top = "12px";
});
