// Beside the map: the numbers of this epoch, one update worked out, all epochs.
import { latest } from "./api.js";
import { byId, make, number, short, swatch, variable } from "./dom.js";
import { asked, ground, state } from "./state.js";

const MOST_ROWS = 400;
function distance(descent, epoch, minima) {
  const [x, y] = descent.path[epoch];
  if (x === null || !minima.length) return null;
  return Math.min(...minima.map(({ point }) => Math.hypot(x - point[0], y - point[1])));
}

const head = (...names) => make("thead", {}, make("tr", {}, ...names.map((name) => make("th", { scope: "col" }, name))));
const cells = (...values) => values.map((value) => make("td", { title: typeof value === "number" ? number(value) : null }, typeof value === "number" || value === null ? short(value, 5) : value));

export function drawNow(descents, minima) {
  const at = state.at;
  byId("now-title").textContent = `At epoch ${at}`;
  const rows = descents.map((descent, index) => make("tr", {},
    make("th", { scope: "row" }, swatch(variable(index)), `${index + 1} ${descent.name}`),
    ...cells(descent.cost[at], descent.gradient_norm[at], distance(descent, at, minima), descent.rate[at] ?? rateOf(descent), descent.path[at][0], descent.path[at][1])));
  byId("now").replaceChildren(head("optimizer", "cost", "gradient norm", "distance to minimum", "rate", "w1", "w2"), make("tbody", {}, ...rows));
  const said = descents[state.chosen]?.diagnosis.sentences ?? [];
  byId("chosen-title").textContent = `${state.chosen + 1} ${descents[state.chosen]?.name}: what it does, and why`;
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
    byId("moment-title").textContent = at < 1 ? "An update, worked out" : `Update ${at} of ${state.chosen + 1} ${descent?.name}, worked out`;
    if (!descent || at < 1 || (descent.diverged && at > descent.diverged_at)) {
      latest("moment");
      place.textContent = at < 1 ? "No update has been made yet." : "There are no finite numbers left to work with.";
      return;
    }
    try {
      const found = await latest("moment", "moment", { ...ground(), method: state.methods[state.chosen], start: state.start, at, steps: state.steps, seed: asked().seed });
      if (!found) return;
      place.innerHTML = found.lines.map((line) => line.math).join("");
      if (found.note) place.append(make("p", { class: "note" }, found.note));
    } catch (error) { place.textContent = error.message; }
  }, 250);
}
