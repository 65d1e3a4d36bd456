// The surface in three dimensions, with the paths on it.
import { newestOnly } from "./api.js";
import { byId, colour, explain, ink, isDark, make } from "./dom.js";
import { upTo } from "./map.js";
import { state } from "./state.js";

const lift = (cost, low) => Math.log10(1 + Math.max(0, cost - low));
const settings = { responsive: true, displaylogo: false };
let plotly = null, ground = null, groundOf = null, wasDark = null;

// Loaded when it is first wanted: it is larger than all the rest of the page.
function withPlotly() {
  plotly ??= new Promise((done, failed) => {
    document.head.append(make("script", { src: "/plotly.min.js", onload: () => done(window.Plotly), onerror: failed }));
  });
  return plotly;
}

function groundTrace(surface) {
  if (groundOf === surface && wasDark === isDark()) return ground;
  const { columns, rows, values, low, landscape: { domain: [[x0, x1], [y0, y1]] } } = surface;
  const along = (a, b, count) => Array.from({ length: count }, (_, i) => a + (b - a) * i / (count - 1));
  const x = along(x0, x1, columns), y = along(y0, y1, rows), grid = (of) => y.map((_, r) => x.map((_, c) => of(values[r * columns + c])));
  const cost = (value) => (Number.isFinite(value) ? value : null);
  [groundOf, wasDark] = [surface, isDark()];
  ground = {
    type: "surface", x, y, z: grid((value) => (cost(value) === null ? null : lift(value, low))), customdata: grid(cost),
    showscale: false, opacity: 0.92, colorscale: isDark() ? [[0, "#1c2c42"], [1, "#86b2be"]] : [[0, "#f4f8fc"], [0.5, "#9cc0de"], [1, "#2a5286"]],
    contours: { z: { show: true, color: isDark() ? "#5b7f99" : "#6d8fb0", width: 1 } },
    hovertemplate: "w1 %{x:.4f}, w2 %{y:.4f}, cost %{customdata:.6g}<extra></extra>",
  };
  return ground;
}

// A path as far as it is over the surface; where it leaves it, the line is broken.
function pathTrace(descent, index, { low, landscape: { domain: [[x0, x1], [y0, y1]] } }) {
  const path = upTo(descent.path, state.at), over = ([a, b]) => a >= x0 && a <= x1 && b >= y0 && b <= y1;
  const points = path.map((point, t) => (over(point) ? [...point, lift(descent.cost[t], low) + 0.03] : [null, null, null]));
  return {
    type: "scatter3d", mode: "lines+markers", name: `${index + 1} ${descent.name}`, x: points.map(([a]) => a), y: points.map(([, b]) => b), z: points.map(([, , c]) => c),
    customdata: path.map((_, t) => [t, descent.cost[t]]), hovertemplate: "epoch %{customdata[0]}, cost %{customdata[1]}",
    line: { color: colour(index), width: 6 }, marker: { size: points.map((_, t) => (t === path.length - 1 ? 6 : 2)), color: colour(index) },
  };
}

export const drawSurface = newestOnly(async (surface, descents) => {
  const Plotly = await withPlotly();
  if (state.view !== "surface") return;
  const axis = { color: ink("ink"), gridcolor: ink("line"), zeroline: false };
  const made = { margin: { l: 0, r: 0, t: 0, b: 0 }, showlegend: false, paper_bgcolor: "rgba(0,0,0,0)", font: { color: ink("ink"), size: 12 } };
  made.scene = {
    xaxis: { ...axis, title: { text: "w1" } }, yaxis: { ...axis, title: { text: "w2" } },
    zaxis: { ...axis, title: { text: "height" } }, aspectmode: "manual", aspectratio: { x: 1, y: 1, z: 0.65 }, camera: { eye: { x: -1.25, y: -1.3, z: 1.1 }, center: { x: 0, y: 0, z: -0.15 } }, uirevision: surface.landscape.name,
  };
  explain(descents.map((descent, index) => [colour(index), `${index + 1} ${descent.name}`]), "Height is log10(1 + cost above the lowest on the map), so that valley and walls are both seen; the exact cost is told on hover. Drag to turn, pinch or scroll to come nearer. Paths are drawn where they are over the map.");
  await Plotly.react(byId("surface"), [groundTrace(surface), ...descents.map((descent, index) => pathTrace(descent, index, surface))], made, settings);
});
