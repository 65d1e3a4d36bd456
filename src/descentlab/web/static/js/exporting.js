// What is on the page, to take away: a link, iterates as CSV, the map as PNG or SVG, a study file.
import { ask } from "./api.js";
import { byId, ink, make, save, say } from "./dom.js";
import { address, asked, flush, state } from "./state.js";

export async function share() {
  flush();
  const link = location.origin + location.pathname + address();
  try { await navigator.clipboard.writeText(link); say("Link copied: it opens this very picture."); } catch { say(link); }
}

export async function take(kind, descents) {
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
    lines.push([`"${state.methods[index]}"`, t, x ?? "", y ?? "", descent.cost[t] ?? "", descent.gradient_norm[t] ?? ""].join(","));
  }));
  save("descents.csv", lines.join("\n") + "\n", "text/csv");
}

function svg() {
  const copy = byId("overlay").cloneNode(true), box = byId("overlay").getBoundingClientRect();
  const image = document.createElementNS("http://www.w3.org/2000/svg", "image");
  for (const [key, value] of Object.entries({ href: byId("ground-canvas").toDataURL("image/png"), width: box.width, height: box.height, preserveAspectRatio: "none" })) image.setAttribute(key, value);
  copy.prepend(image, make("title", {}, `${state.landscape || state.formula}: ${state.methods.join("; ")}`));
  for (const [key, value] of Object.entries({ xmlns: "http://www.w3.org/2000/svg", width: box.width, height: box.height })) copy.setAttribute(key, value);
  const style = make("style", {}, `text { font: 11px sans-serif; fill: ${ink("ink")} } .path { fill: none; stroke-width: 2 } .halo { fill: none; stroke: ${ink("paper")}; stroke-width: 4.5; opacity: .75 } .head { stroke: ${ink("paper")} } .handle circle { fill: ${ink("paper")}; stroke: ${ink("ink")}; stroke-width: 2.5 }`);
  copy.prepend(style);
  return new XMLSerializer().serializeToString(copy);
}

async function png() {
  const ground = byId("ground-canvas"), image = new Image();
  const done = new Promise((ready, failed) => { image.onload = ready; image.onerror = failed; });
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg())}`;
  await done;
  const canvas = new OffscreenCanvas(ground.width, ground.height);
  canvas.getContext("2d").drawImage(image, 0, 0, ground.width, ground.height);
  save("descents.png", await canvas.convertToBlob({ type: "image/png" }), "image/png");
}
