// Small helpers for elements, numbers and colours.
export const byId = (id) => document.getElementById(id);

const DRAWN = new Set(["svg", "g", "defs", "clipPath", "path", "circle", "text", "rect", "title", "image", "style"]);

export function make(name, attributes = {}, ...children) {
  const made = DRAWN.has(name) ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function short(value, digits = 5) {
  if (value === null || value === undefined) return "not finite";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e5 || size < 1e-4 ? value.toExponential(digits - 1).replace(/\.?0+e/, "e") : String(Number(value.toPrecision(digits)));
  return text.replaceAll("-", "−").replace("e+", "e");
}

// Every digit that it takes to read the same bits back.
export const number = (value) => (value === null || value === undefined ? "not finite" : String(value));

export const power = (exponent) => `10${String(exponent).replace(/[-\d]/g, (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)])}`;

// A number that somebody typed, Persian and Arabic digits included; NaN if it is none.
export function typed(text) {
  const plain = text.trim().replace(/[۰-۹]/g, (d) => "۰۱۲۳۴۵۶۷۸۹".indexOf(d))
    .replace(/[٠-٩]/g, (d) => "٠١٢٣٤٥٦٧٨٩".indexOf(d)).replace("٫", ".").replaceAll("−", "-");
  const value = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain) ? Number(plain) : NaN;
  return Number.isFinite(value) ? value : NaN;
}

export const variable = (index) => `var(--m${index % 8})`;
export const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
export const colour = (index) => ink(`m${index % 8}`);
export const isDark = () => matchMedia("(prefers-color-scheme: dark)").matches;

// Round numbers for an axis, about so many.
export function ticks(low, high, count = 6) {
  const raw = (high - low) / count, scale = 10 ** Math.floor(Math.log10(raw));
  const step = scale * [1, 2, 5, 10].find((s) => s * scale >= raw * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) found.push(Number((i * step).toPrecision(12)));
  return found;
}

export function save(name, data, kind) {
  const link = make("a", { href: URL.createObjectURL(data instanceof Blob ? data : new Blob([data], { type: kind })), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

export function say(text) { byId("said").textContent = text; }

export const swatch = (paint) => make("span", { class: "swatch", style: `background: ${paint}` });

// What colours mean, and a sentence on what is seen.
export function explain(entries, caption) {
  byId("legend").replaceChildren(...entries.map(([paint, text]) => make("span", {}, swatch(paint), text)));
  byId("caption").textContent = caption;
}

// Show a refusal beside its field, and mark the field.
export function fault(place, field, message) {
  byId(place).textContent = message ?? "";
  if (field) field.setAttribute("aria-invalid", message ? "true" : "false");
}

// Do it now, or as soon as so many milliseconds have passed since the last time.
export function seldom(work, every) {
  let last = 0, waiting = null;
  return () => {
    if (waiting) return;
    waiting = setTimeout(() => { waiting = null; last = performance.now(); work(); }, Math.max(0, last + every - performance.now()));
  };
}
