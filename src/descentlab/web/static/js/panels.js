// Beside the map: cost curves, the numbers of this epoch, one update worked out, all epochs.
import { latest } from "./api.js";
import { byId, colour, ink, make, short } from "./dom.js";
import { asked, ground, state } from "./state.js";

const MOST_ROWS = 400;
let plotly = null;

export function withPlotly() {
  plotly ??= new Promise((done, failed) => {
    const script = make("script", { src: "/plotly.min.js", onload: () => done(window.Plotly), onerror: failed });
    document.head.append(script);
  });
  return plotly;
}

export const settings = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"] };

export function layout(more) {
  const axis = { gridcolor: ink("line"), linecolor: ink("line"), zeroline: false };
  return {
    margin: { l: 60, r: 10, t: 10, b: 40 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: ink("ink"), size: 12 }, xaxis: { ...axis, title: { text: "epoch" } }, yaxis: { ...axis },
    legend: { orientation: "h", y: 1.12 }, uirevision: "kept", ...more,
  };
}

export async function drawCurves(descents) {
  const Plotly = await withPlotly();
  const lows = descents.flatMap((d) => d.cost.filter((c) => c !== null));
  const log = Math.min(...lows) > 0;
  const traces = descents.map((descent, index) => ({
    y: descent.cost, name: `${index + 1} ${descent.name}`, mode: "lines", line: { color: colour(index), width: 2 },
    hovertemplate: "%{y}<extra>%{fullData.name}, epoch %{x}</extra>",
  }));
  const made = layout({ shapes: [marker()] });
  made.yaxis = { ...made.yaxis, type: log ? "log" : "linear", title: { text: "cost" }, exponentformat: "power" };
  await Plotly.react("curves", traces, made, settings);
}

const marker = () => ({ type: "line", x0: state.at, x1: state.at, yref: "paper", y0: 0, y1: 1, line: { color: ink("muted"), width: 1, dash: "dot" } });

export function moveMarker() {
  if (window.Plotly && byId("curves").data) window.Plotly.relayout("curves", { shapes: [marker()] });
}

function distance(descent, epoch, minima) {
  const [x, y] = descent.path[epoch];
  if (x === null || !minima.length) return null;
  return Math.min(...minima.map(({ point }) => Math.hypot(x - point[0], y - point[1])));
}

const head = (...names) => make("thead", {}, make("tr", {}, ...names.map((name) => make("th", { scope: "col" }, name))));
const cells = (...values) => values.map((value) => make("td", { title: String(value) }, typeof value === "number" || value === null ? short(value, 6) : value));

export function drawNow(descents, minima) {
  const at = state.at;
  byId("now-title").textContent = `At epoch ${at}`;
  const rows = descents.map((descent, index) => make("tr", {},
    make("th", { scope: "row" }, make("span", { class: "swatch", style: `background: ${colour(index)}` }), `${index + 1} ${descent.name}`),
    ...cells(descent.cost[at], descent.gradient_norm[at], distance(descent, at, minima), descent.rate[at] ?? rateOf(descent), descent.path[at][0], descent.path[at][1])));
  byId("now").replaceChildren(head("optimizer", "cost", "gradient norm", "distance to minimum", "rate", "w1", "w2"), make("tbody", {}, ...rows));
  const said = descents[state.chosen]?.diagnosis.sentences ?? [];
  byId("diagnosis").replaceChildren(...said.map((text) => make("p", {}, text)));
  if (byId("epochs-box").open) drawEpochs(descents[state.chosen], minima);
}

const rateOf = (descent) => descent.optimizer.learning_rate ?? null;

export function drawEpochs(descent, minima) {
  if (!descent) return;
  const every = Math.ceil(descent.cost.length / MOST_ROWS), rows = [];
  for (let t = 0; t < descent.cost.length; t += every) {
    rows.push(make("tr", {}, make("th", { scope: "row" }, String(t)), ...cells(descent.cost[t], descent.gradient_norm[t], distance(descent, t, minima), ...descent.path[t])));
  }
  byId("epochs").replaceChildren(head(every > 1 ? `epoch (every ${every}th)` : "epoch", "cost", "gradient norm", "distance to minimum", "w1", "w2"), make("tbody", {}, ...rows));
}

// One update in the method's own formulas; the server writes them as MathML.
let waiting = null;
export function drawMoment(descents) {
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    const descent = descents[state.chosen], at = state.at, place = byId("moment");
    if (!descent || at < 1 || (descent.diverged && at > descent.diverged_at)) {
      place.textContent = at < 1 ? "No update has been made yet." : "There are no numbers left to work with.";
      return;
    }
    const found = await latest("moment", "moment", { ...ground(), method: state.methods[state.chosen], start: state.start, at, seed: asked().seed });
    if (found) place.innerHTML = found.lines.map((line) => line.math).join("");
  }, 250);
}
