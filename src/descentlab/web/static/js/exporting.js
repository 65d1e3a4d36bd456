// What is on the page, to take away: a link, iterates as CSV, the map as PNG or SVG, a study file.
import { ask } from "./api.js";
import { byId, ink, make, save, say } from "./dom.js";
import { frame } from "./map.js";
import { address, asked, flush, state } from "./state.js";

export async function share() {
  flush();
  const link = location.origin + location.pathname + address();
  try { await navigator.clipboard.writeText(link); say("Link copied: it opens this very picture."); } catch { say(link); }
}

export async function take(kind, descents) {
  if (["svg", "png"].includes(kind) && state.view === "surface") { say("The surface has a camera of its own, at its upper right; SVG and PNG are of the map."); return; }
  if (kind === "csv") csv(descents);
  if (kind === "svg") save("descents.svg", svg(), "image/svg+xml");
  if (kind === "png") await png();
  if (kind === "study") {
    const found = await ask("study", asked());
    save(found.file, found.text, "application/yaml");
  }
}

// Every number as it was computed: it reads back to the same bits.
function csv(descents) {
  const lines = ["method,epoch,w1,w2,cost,gradient_norm"];
  descents.forEach((descent, index) => descent.path.forEach(([x, y], t) => {
    lines.push([`"${state.methods[index].replaceAll('"', '""')}"`, t, x ?? "", y ?? "", descent.cost[t] ?? "", descent.gradient_norm[t] ?? ""].join(","));
  }));
  save("descents.csv", lines.join("\n") + "\n", "text/csv");
}

function svg() {
  const copy = byId("overlay").cloneNode(true), box = frame(), { width, height } = box.whole;
  const set = (element, attributes) => Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  const image = make("image", { href: byId("ground-canvas").toDataURL("image/png"), x: box.left, y: box.top, width: box.width, height: box.height, preserveAspectRatio: "none" });
  const [dark, light] = [ink("ink"), ink("paper")];
  const style = make("style", {}, `text { font: 11px sans-serif; fill: ${dark} } .mark { paint-order: stroke; stroke: ${light}; stroke-width: 3px } .tick { stroke: ${dark} } .path { fill: none; stroke-width: 2 } .path.chosen { stroke-width: 3 } .dots { stroke-width: 3.4; stroke-linecap: round } .halo { fill: none; stroke: ${light}; stroke-width: 4.5; opacity: .75 } .head { stroke: ${light}; stroke-width: 1.5 } .reach { display: none } .handle circle { fill: ${light}; stroke: ${dark}; stroke-width: 2.5 }`);
  copy.prepend(make("title", {}, `${state.landscape || state.formula}: ${state.methods.join("; ")}`), style, make("rect", { width, height, fill: light }), image);
  set(copy, { xmlns: "http://www.w3.org/2000/svg", width, height });
  return new XMLSerializer().serializeToString(copy);
}

async function png() {
  const ratio = Math.max(2, devicePixelRatio || 1), { width, height } = frame().whole, image = new Image();
  const done = new Promise((ready, failed) => { image.onload = ready; image.onerror = failed; });
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg())}`;
  await done;
  const canvas = new OffscreenCanvas(Math.round(width * ratio), Math.round(height * ratio));
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  save("descents.png", await canvas.convertToBlob({ type: "image/png" }), "image/png");
}
