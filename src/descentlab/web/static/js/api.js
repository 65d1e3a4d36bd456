// Questions to the server. A newer question of a kind makes the older one's answer void.
const asked = new Map();

export class Refused extends Error {
  constructor(message, field) { super(message); this.field = field; }
}

export async function ask(path, body) {
  let answer;
  try {
    answer = await fetch(`/api/${path}`, body === undefined ? {} : {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
    });
  } catch { throw new Refused("The server does not answer; is 'descentlab play' still running?", ""); }
  const text = await answer.text();
  let found;
  try { found = JSON.parse(text); } catch { throw new Refused(text || `status ${answer.status}`, ""); }
  if (!answer.ok) throw new Refused(found.error ?? text, found.field ?? "");
  return found;
}

// Ask, and give the answer only if nothing newer of this kind has been asked meanwhile; without a
// path nothing is asked, and what was asked before is void. So is its refusal.
export async function latest(kind, path, body) {
  const number = (asked.get(kind) ?? 0) + 1;
  asked.set(kind, number);
  if (!path) return null;
  try {
    const found = await ask(path, body);
    return asked.get(kind) === number ? found : null;
  } catch (error) {
    if (asked.get(kind) !== number) return null;
    throw error;
  }
}

// Run one at a time; while one is under way only the newest next one waits.
export function newestOnly(work) {
  let busy = false, next = null;
  return async function run(...given) {
    if (busy) { next = given; return; }
    busy = true;
    try { await work(...given); } finally {
      busy = false;
      if (next) { const waiting = next; next = null; run(...waiting); }
    }
  };
}

export function floats(text) {
  return new Float32Array(bytes(text).buffer);
}

export function bytes(text) {
  return Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
}
