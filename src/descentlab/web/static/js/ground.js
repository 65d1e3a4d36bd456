// The ground under the paths: costs as colours and contour lines, or regions, on a canvas.
import { floats, bytes } from "./api.js";
import { isDark, ink } from "./dom.js";
import { frame } from "./map.js";

const LIGHT = [[255, 255, 255], [226, 236, 245], [176, 205, 228], [122, 168, 207], [74, 124, 176], [42, 82, 134]];
const DARK = [[20, 26, 36], [28, 44, 66], [36, 66, 98], [48, 94, 128], [78, 132, 158], [134, 178, 190]];
const LEVELS = 18;

// What the page knows of a landscape: its values on a grid, and these as levels from 0 to 1. A
// level is the share of the map that lies lower, so that valleys and cliffs are both seen.
export function surfaceOf(answer) {
  const values = floats(answer.values), sorted = values.filter(Number.isFinite).sort(), count = sorted.length || 1;
  const heights = Float32Array.from(values, (value) => (Number.isFinite(value) ? share(sorted, value) / count : NaN));
  return { ...answer, values, heights, low: sorted[0] ?? 0 };
}

// The number of sorted values below one.
function share(sorted, value) {
  let low = 0, high = sorted.length;
  while (low < high) { const middle = (low + high) >> 1; if (sorted[middle] < value) low = middle + 1; else high = middle; }
  return low;
}

function shade(level, colours) {
  const place = Math.min(0.9999, Math.max(0, level)) * (colours.length - 1), i = Math.floor(place), part = place - i;
  return colours[i].map((c, k) => Math.round(c + part * (colours[i + 1][k] - c)));
}

export function drawCosts(canvas, surface) {
  const { columns, rows, heights } = surface, colours = isDark() ? DARK : LIGHT;
  paint(canvas, columns, rows, (i) => (Number.isNaN(heights[i]) ? [128, 128, 128] : shade(heights[i], colours)), true);
  const pen = canvas.getContext("2d");
  pen.strokeStyle = isDark() ? "rgba(255,255,255,.22)" : "rgba(20,40,70,.25)";
  pen.lineWidth = Math.max(1, devicePixelRatio * 0.75);
  const sx = canvas.width / (columns - 1), sy = canvas.height / (rows - 1);
  for (let n = 1; n < LEVELS; n++) {
    pen.beginPath();
    contour(heights, columns, rows, (n / LEVELS) ** 1.6, (x0, y0, x1, y1) => {
      pen.moveTo(x0 * sx, canvas.height - y0 * sy);
      pen.lineTo(x1 * sx, canvas.height - y1 * sy);
    });
    pen.stroke();
  }
}

// The line of one level through the cells of a grid (marching squares).
function contour(values, columns, rows, level, draw) {
  for (let r = 0; r < rows - 1; r++) {
    for (let c = 0; c < columns - 1; c++) {
      const i = r * columns + c, corner = [values[i], values[i + 1], values[i + 1 + columns], values[i + columns]];
      const above = corner.map((v) => v > level);
      if (above[0] === above[1] && above[1] === above[2] && above[2] === above[3]) continue;
      const ends = [];
      for (let e = 0; e < 4; e++) {
        const f = (e + 1) % 4;
        if (above[e] === above[f]) continue;
        const part = (level - corner[e]) / (corner[f] - corner[e]);
        ends.push([[c + part, r], [c + 1, r + part], [c + 1 - part, r + 1], [c, r + 1 - part]][e]);
      }
      for (let k = 0; k + 1 < ends.length; k += 2) draw(...ends[k], ...ends[k + 1]);
    }
  }
}

export function drawRegions(canvas, answer, colourOf) {
  const index = new Int8Array(bytes(answer.index).buffer), [rows, columns] = answer.shape;
  paint(canvas, columns, rows, (i) => colourOf(index[i]), false);
  return index;
}

// Rows run upwards in the data and downwards on the canvas.
function paint(canvas, columns, rows, colourOf, smooth) {
  const image = new ImageData(columns, rows);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const to = 4 * ((rows - 1 - r) * columns + c), [red, green, blue] = colourOf(r * columns + c);
      image.data[to] = red; image.data[to + 1] = green; image.data[to + 2] = blue; image.data[to + 3] = 255;
    }
  }
  const small = new OffscreenCanvas(columns, rows);
  small.getContext("2d").putImageData(image, 0, 0);
  fit(canvas);
  const pen = canvas.getContext("2d");
  pen.imageSmoothingEnabled = smooth;
  const sx = smooth ? canvas.width / (columns - 1) : 0, sy = smooth ? canvas.height / (rows - 1) : 0;
  pen.drawImage(small, -sx / 2, -sy / 2, canvas.width + sx, canvas.height + sy);
}

function fit(canvas) {
  const box = frame(), ratio = devicePixelRatio || 1;
  canvas.width = Math.max(2, Math.round(box.width * ratio));
  canvas.height = Math.max(2, Math.round(box.height * ratio));
}

export function rgb(text) {
  const probe = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  probe.fillStyle = text || ink("muted");
  probe.fillRect(0, 0, 1, 1);
  return [...probe.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}
