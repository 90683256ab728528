// What a tab keeps over a reload; where the browser keeps nothing, as long as the page is open.
const memory = new Map();

export function store(key, text) {
  memory.delete(key);
  try {
    if (text) sessionStorage.setItem(key, text); else sessionStorage.removeItem(key);
  } catch {
    if (text) memory.set(key, text);
  }
}

export function stored(key) {
  try { return memory.get(key) ?? sessionStorage.getItem(key) ?? ""; } catch { return memory.get(key) ?? ""; }
}

export function forget(key) {
  store(key, "");
}
