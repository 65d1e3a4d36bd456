// Pictures of many descents: which minimum each start reaches, and what becomes of each setting.
import { latest } from "./api.js";
import { byId, colour, explain, ink, make, say, short } from "./dom.js";
import { drawRegions, rgb } from "./ground.js";
import { clearMarks, drawMarks, drawMinima, pick, setAxes } from "./map.js";
import { replace } from "./methods.js";
import { asked, ground, change, state } from "./state.js";

const OUTCOMES = { converges: "m2", oscillates: "m4", crawls: "m0", diverges: "m6" };
const OTHERS = { beta: "momentum (β, β1 or ρ)", decay: "the rate's decay" };

function question() {
  return { ...ground(), method: state.methods[state.chosen], steps: Math.min(state.steps, 2000), seed: asked().seed, start: state.start };
}

// With more minima than colours each further round is paler; after four rounds they repeat.
const paler = (paint, round) => `rgb(${rgb(paint).map((c) => Math.round(c + (255 - c) * 0.2 * (round % 4))).join(", ")})`;

const chosen = () => `${state.chosen + 1} ${state.methods[state.chosen].split(" ")[0]}`;

// Which line is whose, and which have left the picture.
export function drawLegend(descents, isShown) {
  const said = (descent, index) => {
    const at = Math.min(state.at, descent.path.length - 1);
    const gone = descent.diverged && at >= descent.diverged_at ? " has diverged" : isShown(descent.path[at]) ? "" : " is off the map";
    return [colour(index), `${index + 1} ${descent.name}${gone}`];
  };
  explain(descents.map(said), "Contours of the cost, spaced so that each band covers a like share of the map; the palest is lowest (in dark, the darkest). Dots are the iterates, joined by straight lines; the big dot is this epoch's. ✕ is a minimum. Drag the ring to move the start.");
}

export async function drawBasins(surface, drawDescents) {
  say("Looking where every start leads …");
  const began = performance.now();
  const found = await latest("regions", "basins", question());
  if (!found || state.view !== "basins") return false;
  const paints = found.minima.map((_, i) => paler(colour(i), Math.floor(i / 8))), rest = { "-1": ink("line"), "-2": ink("ink") };
  const colours = new Map([...paints.map((p, i) => [i, rgb(p)]), ...Object.entries(rest).map(([k, p]) => [Number(k), rgb(p)])]);
  const [[x0, x1], [y0, y1]] = found.domain, [rows, columns] = found.shape;
  setAxes({ x: [x0, x1], y: [y0, y1], names: ["w1 of the start", "w2 of the start"] });
  const index = drawRegions(byId("ground-canvas"), found, (value) => colours.get(value));
  drawMinima(surface.landscape.minima);
  drawDescents();
  const share = (n) => `${(100 * n / found.starts).toFixed(1)} %`;
  const minima = found.minima.map((m, i) => [paints[i], `(${short(m.point[0], 3)}, ${short(m.point[1], 3)}), cost ${short(m.value, 3)}: ${share(m.starts)}`]);
  const others = [[rest["-1"], `at no minimum yet: ${share(found.none)}`], [rest["-2"], `diverged: ${share(found.diverged)}`]];
  explain([...minima.slice(0, 12), ...others], `Each start has the colour of the minimum at which ${chosen()} is after ${found.steps} epochs from there. ${found.minima.length > 32 ? "Colours repeat after 32 minima. " : ""}The line is its path from the ring; click or drag to start elsewhere.`);
  pick((x, y, isChosen) => {
    if (isChosen) { change({ start: [x, y].map((v) => Number(v.toPrecision(6))) }); return ""; }
    const c = Math.min(columns - 1, Math.floor((x - x0) / (x1 - x0) * columns)), r = Math.min(rows - 1, Math.floor((y - y0) / (y1 - y0) * rows));
    const value = index[r * columns + c];
    return `start ${short(x)}, ${short(y)}\n${value >= 0 ? `to the minimum of ${short(found.minima[value].value)}` : value === -1 ? "at no minimum yet" : "diverges"}`;
  });
  say(`${found.starts.toLocaleString("en")} starts × ${found.steps} epochs in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  return true;
}

export async function drawStability() {
  say("Trying learning rates and momenta …");
  const found = await latest("regions", "stability", question());
  if (!found || state.view !== "stability") return false;
  const names = found.outcomes, paints = names.map((name) => ink(OUTCOMES[name] ?? "m7")), colours = paints.map(rgb);
  const shape = [found.values.length, found.rates.length], isLog = found.other === "decay", other = OTHERS[found.other];
  const up = (value) => (isLog ? Math.log10(value) : value);
  const ends = [found.rates[0], found.rates.at(-1)].map(Math.log10), sides = [up(found.values[0]), up(found.values.at(-1))];
  setAxes({ x: ends, y: sides, names: ["learning rate", other], log: { x: true, y: isLog }, noStart: true });
  const index = drawRegions(byId("ground-canvas"), { ...found, shape }, (value) => colours[value]);
  clearMarks();
  const { rate, other: value } = found.now;
  if (rate > 0 && value !== null && (!isLog || value > 0)) drawMarks([{ at: [Math.log10(rate), up(value)], sign: "◎", said: `now: rate ${short(rate)}, ${found.other} ${short(value)}` }]);
  const added = found.name === state.methods[state.chosen].split(" ")[0] ? "" : ` (as ${found.name})`;
  explain(names.map((name, i) => [paints[i], `${name}: ${(100 * found.counts[name] / index.length).toFixed(0)} %`]),
    `What becomes of ${chosen()}${added} from this start within ${found.steps} epochs, by learning rate and ${other}. ◎ is the present setting, if it is within. Click to take another.`);
  const nearest = (value, [low, high], count) => Math.max(0, Math.min(count - 1, Math.round((value - low) / (high - low) * (count - 1))));
  pick((rate, value, isChosen) => {
    if (isChosen) { use(found, rate, value); return ""; }
    const name = names[index[nearest(up(value), sides, shape[0]) * shape[1] + nearest(Math.log10(rate), ends, shape[1])]];
    return `rate ${short(rate, 3)}, ${found.other} ${short(value, 3)}\n${name}`;
  });
  say(`${index.length.toLocaleString("en")} settings tried`);
  return true;
}

function use(found, rate, value) {
  const text = found.template.replace("{rate}", String(Number(rate.toPrecision(4)))).replace("{other}", String(Number(value.toPrecision(4))));
  replace(state.chosen, text, { view: "map" });
}

export async function tune(index) {
  const place = byId("tuning"), method = state.methods[index];
  place.replaceChildren(make("p", {}, `Searching some 10,000 settings of ${method.split(" ")[0]} …`));
  const began = performance.now();
  try {
    const found = await latest("tune", "tune", { ...question(), method });
    if (!found) return;
    const row = (name, choice) => make("tr", {}, make("th", { scope: "row" }, name),
      make("td", {}, make("button", { type: "button", class: "main", "data-use": name, "aria-label": `Use the ${name} setting`, onclick: () => replace(index, choice.method, { chosen: index }) }, "Use")),
      make("td", {}, short(choice.final_cost)), make("td", {}, choice.epochs === null ? "–" : String(choice.epochs)), make("td", {}, `${Math.round(100 * choice.success)} %`),
      make("td", { class: "wraps" }, Object.entries(choice.settings).map(([key, value]) => `${key.replace("learning_rate", "rate")} ${short(value, 4)}`).join(", ")));
    const heads = ["", "", "final cost", "epochs", "success if a little off", "settings"];
    place.replaceChildren(make("h3", {}, `Tuned: ${method.split(" ")[0]}`),
      make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Tuned settings" }, make("table", {}, make("thead", {}, make("tr", {}, ...heads.map((h) => make("th", { scope: "col" }, h)))),
        make("tbody", {}, row("best", found.best), row("robust best", found.robust)))),
      ...found.sentences.map((text) => make("p", { class: "note" }, text)),
      make("p", { class: "note" }, `${found.tried.toLocaleString("en")} settings over ${found.steps} epochs in ${((performance.now() - began) / 1000).toFixed(1)} s.`));
  } catch (error) {
    place.replaceChildren(make("p", { class: "fault" }, error.message));
  }
}
