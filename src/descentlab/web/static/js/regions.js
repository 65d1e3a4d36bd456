// Pictures of many descents: which minimum each start reaches, and what becomes of each setting.
import { latest } from "./api.js";
import { byId, colour, ink, make, say, short } from "./dom.js";
import { drawRegions, rgb } from "./ground.js";
import { drawMinima, hideMarks, pick, setAxes } from "./map.js";
import { asked, ground, change, state } from "./state.js";

const OUTCOMES = { converges: "m2", oscillates: "m4", crawls: "m0", diverges: "m6" };

function question() {
  return { ...ground(), method: state.methods[state.chosen], steps: Math.min(state.steps, 2000), seed: asked().seed, start: state.start };
}

function legend(entries) {
  byId("legend").replaceChildren(...entries.map(([paint, text]) => make("span", {}, make("span", { class: "swatch", style: `background: ${paint}` }), text)));
}

export async function drawBasins(surface) {
  say("Looking where every start leads …");
  const began = performance.now();
  const found = await latest("regions", "basins", question());
  if (!found || state.view !== "basins") return;
  const paints = found.minima.map((_, i) => colour(i)), rest = { "-1": ink("line"), "-2": ink("ink") };
  const colours = new Map([...paints.map((p, i) => [i, rgb(p)]), ...Object.entries(rest).map(([k, p]) => [Number(k), rgb(p)])]);
  const index = drawRegions(byId("ground-canvas"), found, (value) => colours.get(value));
  const [[x0, x1], [y0, y1]] = found.domain, [rows, columns] = found.shape;
  setAxes({ x: [x0, x1], y: [y0, y1], names: ["start w1", "start w2"] });
  hideMarks();
  drawMinima(surface.landscape.minima);
  const share = (n) => `${(100 * n / found.starts).toFixed(1)} %`;
  legend([...found.minima.slice(0, 12).map((m, i) => [paints[i], `(${short(m.point[0], 3)}, ${short(m.point[1], 3)}), cost ${short(m.value, 3)}: ${share(m.starts)}`]),
    [rest["-1"], `none yet: ${share(found.none)}`], [rest["-2"], `diverged: ${share(found.diverged)}`]]);
  pick((x, y, chosen) => {
    if (chosen) { change({ start: [x, y].map((v) => Number(v.toPrecision(5))), view: "map" }); return ""; }
    const c = Math.min(columns - 1, Math.floor((x - x0) / (x1 - x0) * columns)), r = Math.min(rows - 1, Math.floor((y - y0) / (y1 - y0) * rows));
    const value = index[r * columns + c];
    return `start ${short(x)}, ${short(y)}\n${value >= 0 ? `to the minimum of ${short(found.minima[value].value)}` : value === -1 ? "at no minimum yet" : "diverges"}\nclick to start here`;
  });
  say(`${found.starts.toLocaleString("en")} starts × ${found.steps} epochs in ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

export async function drawStability() {
  say("Trying learning rates and momenta …");
  const found = await latest("regions", "stability", question());
  if (!found || state.view !== "stability") return;
  const names = found.outcomes, paints = names.map((name) => ink(OUTCOMES[name] ?? "m7")), colours = paints.map(rgb);
  const shape = [found.values.length, found.rates.length];
  const index = drawRegions(byId("ground-canvas"), { ...found, shape }, (value) => colours[value]);
  const ends = [found.rates[0], found.rates.at(-1)].map(Math.log10), [low, high] = [found.values[0], found.values.at(-1)];
  setAxes({ x: ends, y: found.other === "decay" ? [Math.log10(low), Math.log10(high)] : [low, high], names: ["learning rate", found.other === "decay" ? "log10 of the decay" : found.other], log: true });
  hideMarks();
  legend(names.map((name, i) => [paints[i], `${name}: ${(100 * found.counts[name] / index.length).toFixed(0)} %`]));
  pick((rate, other, chosen) => {
    const value = found.other === "decay" ? 10 ** other : other;
    const c = Math.round((Math.log10(rate) - ends[0]) / (ends[1] - ends[0]) * (shape[1] - 1));
    const part = found.other === "decay" ? (other - Math.log10(low)) / Math.log10(high / low) : (other - low) / (high - low);
    const r = Math.round(part * (shape[0] - 1));
    const name = names[index[Math.max(0, Math.min(shape[0] - 1, r)) * shape[1] + Math.max(0, Math.min(shape[1] - 1, c))]];
    if (chosen) { use(found, rate, value); return ""; }
    return `rate ${short(rate, 3)}, ${found.other} ${short(value, 3)}\n${name}\nclick to use these`;
  });
  say(`${index.length.toLocaleString("en")} settings of ${found.name}`);
}

function use(found, rate, value) {
  const text = found.template.replace("{rate}", String(Number(rate.toPrecision(4)))).replace("{other}", String(Number(value.toPrecision(4))));
  change({ methods: state.methods.map((old, i) => (i === state.chosen ? text : old)), view: "map" });
}

export async function tune(index) {
  const place = byId("tuning"), method = state.methods[index];
  place.replaceChildren(make("p", {}, `Searching some 10,000 settings of ${method.split(" ")[0]} …`));
  const began = performance.now();
  try {
    const found = await latest("tune", "tune", { ...question(), method });
    if (!found) return;
    const row = (name, choice) => make("tr", {}, make("th", { scope: "row" }, name),
      make("td", {}, short(choice.final_cost)), make("td", {}, choice.epochs === null ? "–" : String(choice.epochs)), make("td", {}, `${Math.round(100 * choice.success)} %`),
      make("td", {}, Object.entries(choice.settings).map(([key, value]) => `${key.replace("_", " ")} ${short(value, 4)}`).join(", ")),
      make("td", {}, make("button", { type: "button", class: "main", "data-use": name, onclick: () => change({ methods: state.methods.map((old, i) => (i === index ? choice.method : old)), chosen: index }) }, "Use")));
    const heads = ["", "final cost", "epochs", "success if a little off", "settings", ""];
    place.replaceChildren(make("h3", {}, `Tuned: ${method.split(" ")[0]}`),
      make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Tuned settings" }, make("table", {}, make("thead", {}, make("tr", {}, ...heads.map((h) => make("th", { scope: "col" }, h)))),
        make("tbody", {}, row("best", found.best), row("robust best", found.robust)))),
      ...found.sentences.map((text) => make("p", { class: "note" }, text)),
      make("p", { class: "note" }, `${found.tried.toLocaleString("en")} settings in ${((performance.now() - began) / 1000).toFixed(1)} s.`));
  } catch (error) {
    place.replaceChildren(make("p", { class: "fault" }, error.message));
  }
}
