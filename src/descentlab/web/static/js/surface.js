// The surface in three dimensions, with the paths on it.
import { byId, colour, ink, isDark } from "./dom.js";
import { layout, settings, withPlotly } from "./panels.js";
import { upTo } from "./map.js";
import { state } from "./state.js";

const lift = (cost, low) => Math.log10(1 + Math.max(0, cost - low));

export async function drawSurface(surface, descents) {
  const Plotly = await withPlotly();
  const { columns, rows, values, low, landscape } = surface;
  const [[x0, x1], [y0, y1]] = landscape.domain;
  const x = Array.from({ length: columns }, (_, i) => x0 + (x1 - x0) * i / (columns - 1));
  const y = Array.from({ length: rows }, (_, i) => y0 + (y1 - y0) * i / (rows - 1));
  const z = y.map((_, r) => x.map((_, c) => lift(values[r * columns + c], low)));
  const ground = {
    type: "surface", x, y, z, showscale: false, opacity: 0.92, colorscale: isDark() ? "Ice" : "Blues", reversescale: isDark(),
    contours: { z: { show: true, usecolormap: true, width: 1 } },
    customdata: y.map((_, r) => x.map((_, c) => values[r * columns + c])),
    hovertemplate: "w1 %{x:.4f}, w2 %{y:.4f}, cost %{customdata:.6g}<extra></extra>",
  };
  const paths = descents.map((descent, index) => {
    const path = upTo(descent.path, state.at).filter(([a, b]) => a >= x0 && a <= x1 && b >= y0 && b <= y1);
    return {
      type: "scatter3d", mode: "lines+markers", name: descent.name, x: path.map(([a]) => a), y: path.map(([, b]) => b),
      z: descent.cost.slice(0, path.length).map((c) => lift(c, low) + 0.03), line: { color: colour(index), width: 6 }, marker: { size: 2, color: colour(index) },
    };
  });
  const axis = { color: ink("ink"), gridcolor: ink("line") };
  const made = layout({ margin: { l: 0, r: 0, t: 0, b: 0 }, showlegend: false });
  made.scene = {
    xaxis: { ...axis, title: { text: "w1" } }, yaxis: { ...axis, title: { text: "w2" } },
    zaxis: { ...axis, title: { text: "log10(1 + cost above the lowest)" } }, uirevision: landscape.name,
  };
  await Plotly.react(byId("surface"), [ground, ...paths], made, settings);
}
