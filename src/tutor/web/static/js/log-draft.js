// An entry's unsaved text, kept in this browser until the server has it.
const KEPT = ["text", "title", "tags", "cards", "item", "day"];
const key = (name) => `log-draft:${name}`;
const SENT = "log-sent";
const of = (form, field) => form.elements.namedItem(field); // elements.item is a method, not the field of that name

export function read(name) {
  try { return JSON.parse(localStorage.getItem(key(name))); } catch { return null; }
}

// False where the browser keeps nothing: then the page does not say that it did.
export function keep(name, form) {
  const fields = Object.fromEntries(KEPT.map((field) => [field, of(form, field).value]));
  try {
    const version = form.elements.version?.value; // that the draft began from: saved over a newer one, both are shown
    localStorage.setItem(key(name), JSON.stringify({ at: Date.now(), version, fields }));
    return true;
  } catch { return false; }
}

export function drop(name) {
  try { localStorage.removeItem(key(name)); } catch { /* there is none, then */ }
}

// A step that the list has no more leaves what is chosen there.
export function fill(form, fields) {
  for (const field of KEPT) {
    const element = of(form, field);
    const known = !element.options || [...element.options].some((option) => option.value === fields[field]);
    if (typeof fields[field] === "string" && known) element.value = fields[field];
  }
}

function asLoaded(element) {
  if (!element.options) return element.defaultValue;
  return ([...element.options].find((option) => option.defaultSelected) ?? element.options[0]).value;
}

export function differs(form, fields) {
  return KEPT.some((field) => (fields[field] ?? "") !== of(form, field).value);
}

// Whether something was typed before this page's scripts were there, or the browser has put back what was.
export function touched(form) {
  return KEPT.some((field) => of(form, field).value !== asLoaded(of(form, field)));
}

// What is being sent, so that the page after it knows which draft has arrived.
export function sending(name, form) {
  try { sessionStorage.setItem(SENT, JSON.stringify({ name, text: form.elements.text.value })); } catch { /* the draft stays */ }
}

// The server has stored what this tab sent: its draft goes, unless another tab has written something else since.
export function arrived(name) {
  try {
    const sent = JSON.parse(sessionStorage.getItem(SENT));
    sessionStorage.removeItem(SENT);
    if (sent?.name === name && read(name)?.fields.text === sent.text) drop(name);
  } catch { /* nothing was sent from here */ }
}
