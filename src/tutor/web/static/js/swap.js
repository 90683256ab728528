// Forms that come back to their own page are sent in the background, and what the server renders takes the page's place.
// Without scripts the same forms load the page. What is sent quickly one after another arrives in that order.
const main = document.querySelector("main");
const voice = document.createElement("p");
voice.className = "hidden";
voice.setAttribute("role", "status");
document.body.append(voice);
let line = Promise.resolve();
let waiting = 0;
const under = new Set(); // forms on their way, but for those of ticks

function said(text) {
  voice.textContent = "";
  requestAnimationFrame(() => { voice.textContent = text; });
}

// A tick shows at once; the server's page then has the last word. Pressed again, it is as it was.
function press(button) {
  if (!button?.matches(".tick")) return;
  const on = button.getAttribute("aria-pressed") === "true";
  button.setAttribute("aria-pressed", String(!on));
  button.name = on ? "done" : "undo";
}

// The control that stands for one after the page was put anew: a button by what it sends, a field by its id.
function again(element) {
  const name = element?.value && element.matches("button") ? `button[value="${CSS.escape(element.value)}"]` : element?.id && `#${CSS.escape(element.id)}`;
  return name ? main.querySelector(name) : null;
}

// What was typed or chosen in forms that are not sent from here, to be put into the page that takes their place.
function typed() {
  const fields = [...main.querySelectorAll("form:not([data-swap]) :is(input:not([type=hidden], [type=file]), textarea, select)")];
  const named = (field) => `${field.form.getAttribute("action")} ${field.name}${field.matches("[type=checkbox], [type=radio]") ? ` ${field.value}` : ""}`;
  return new Map(fields.map((field) => [named(field), field]));
}

function changed(field) {
  if (field.matches("[type=checkbox], [type=radio]")) return field.checked !== field.defaultChecked;
  return field.options ? [...field.options].some((option) => option.selected !== option.defaultSelected) : field.value !== field.defaultValue;
}

function put(page, from) {
  const next = page.querySelector("main");
  const before = [...typed()].filter(([, field]) => changed(field));
  const open = new Set([...main.querySelectorAll("details[id][open]")].map((d) => d.id));
  const known = new Set([...main.querySelectorAll("details[id]")].map((d) => d.id));
  const held = document.activeElement === document.body ? from : document.activeElement;
  main.replaceChildren(...next.children);
  for (const part of main.querySelectorAll("details[id]")) if (known.has(part.id)) part.open = open.has(part.id);
  const now = typed();
  for (const [name, was] of before) {
    const field = now.get(name);
    if (field?.matches("[type=checkbox], [type=radio]")) field.checked = was.checked;
    else if (field) field.value = was.value;
  }
  document.title = page.title;
  const target = main.querySelector("[data-focus]") ?? again(held);
  if (target) target.focus({ preventScroll: !target.matches("[data-focus]") }); else main.focus({ preventScroll: true });
  if (target?.matches("[data-focus]")) target.scrollIntoView({ block: "nearest" });
  said(main.querySelector("[data-say]")?.textContent ?? "");
  document.dispatchEvent(new CustomEvent("swapped"));
}

function failed(form, button) {
  press(button);
  let note = main.querySelector("[data-unsent]");
  if (!note) {
    note = document.createElement("p");
    note.className = "said wrong unsent";
    note.dataset.unsent = "";
    note.setAttribute("role", "alert");
  }
  (form.hidden ? button?.closest("li, section") ?? main : form).prepend(note);
  note.textContent = "The server does not answer, so this was not stored. Is tutor still running? Try again.";
}

async function send(form, button, body) {
  try {
    const response = await fetch(form.action, { method: "POST", body, headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!page.querySelector("main")) throw new Error("no page came"); // as when a proxy answers for a server that is gone
    const at = new URL(response.url);
    if (response.redirected && at.pathname !== location.pathname) { location.assign(at); return; }
    if (waiting > 1) return; // the last one shows what became of all
    if (response.redirected) history.replaceState(null, "", at.search ? at.pathname + at.search : at.pathname + location.hash);
    put(page, button ?? form);
  } catch {
    failed(form, button);
  } finally {
    waiting -= 1;
    if (!button?.matches(".tick")) under.delete(form);
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-swap]") || event.submitter?.matches("[data-plain]")) return;
  event.preventDefault();
  const button = event.submitter;
  const tick = button?.matches(".tick");
  if (under.has(form) && !tick) return; // a second click on what is under way
  if (!tick) under.add(form);
  const body = new URLSearchParams(new FormData(form, button));
  press(button);
  waiting += 1;
  line = line.then(() => send(form, button, body));
});
// A page that the way back brings from the browser's memory shows what was true then.
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
