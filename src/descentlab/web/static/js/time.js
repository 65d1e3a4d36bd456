// Time: play, pause, step, rewind, and running on until all have arrived.
import { ask } from "./api.js";
import { byId, say } from "./dom.js";
import { mostEpochs } from "./fields.js";
import { asked, change, state } from "./state.js";

let playing = null, paused = () => {};

export const isPlaying = () => playing !== null;

function show(sign, word) {
  byId("play").firstChild.textContent = sign;
  byId("play-word").textContent = word;
}

export function pause() {
  if (playing === null) return;
  cancelAnimationFrame(playing);
  playing = null;
  show("▶", "Play");
  paused();
}

function play() {
  if (playing !== null) { pause(); return; }
  if (state.at >= state.steps) change({ at: 0 });
  show("⏸", "Pause");
  let before = performance.now(), part = state.at, set = state.at;
  const frame = (now) => {
    if (state.at !== set) part = state.at; // the slider was moved meanwhile
    part += Math.max(0, now - before) / 1000 * state.speed;
    before = now;
    set = Math.min(state.steps, Math.floor(part));
    playing = requestAnimationFrame(frame);
    if (set !== state.at) change({ at: set });
    if (set >= state.steps) pause();
  };
  playing = requestAnimationFrame(frame);
}

// Longer and longer, until every optimizer has arrived or diverged.
export async function converge() {
  pause();
  say("Running on …");
  const most = mostEpochs();
  for (let steps = Math.min(most, Math.max(state.steps, 300)); ; steps = Math.min(most, 4 * steps)) {
    const found = await ask("run", { ...asked(), steps });
    const done = found.descents.map((d) => (d.diverged ? d.diverged_at : d.diagnosis.arrived_at));
    const all = done.every((epoch) => epoch !== null);
    if (!all && steps < most) continue;
    const end = all ? Math.max(1, ...done) : steps;
    change({ steps: end, at: end });
    say(all ? `All have arrived or diverged by epoch ${end}.` : `Not all have arrived after ${steps} epochs.`);
    return;
  }
}

export function listenToTime(onPause) {
  paused = onPause;
  const on = (id, event, work) => byId(id).addEventListener(event, work);
  const to = (at) => { pause(); change({ at: Math.min(state.steps, Math.max(0, at)) }); };
  on("at", "input", ({ target }) => change({ at: Number(target.value) }));
  on("speed", "change", ({ target }) => change({ speed: Number(target.value) }));
  on("rewind", "click", () => to(0));
  on("back", "click", () => to(state.at - 1));
  on("step", "click", () => to(state.at + 1));
  on("play", "click", play);
}
