// Writing an entry: words counted, the text kept in this browser while it is unsaved, cards and tags suggested.
import * as drafts from "./log-draft.js";
import { followDay } from "./log-step.js";

const MEANT = 150; // words of an entry; the server counts the same way
const PAUSE = 500; // milliseconds without a key before text is kept and cards are looked for

function words(text) {
  const bare = text
    .replace(/^(```|~~~) *mermaid[^]*?^\1/gm, "")
    .replace(/^\|[\s:|-]+\|\s*$/gm, "")
    .replace(/[*`#>|]|^\s*(?:[-+*]|\d+\.)\s/gm, " ");
  return bare.split(/\s+/).filter(Boolean).length;
}

function setUp(form) {
  const name = form.dataset.draft;
  const text = form.elements.text;
  const count = form.querySelector("[data-count]");
  const kept = form.querySelector("[data-kept]");
  const restored = document.querySelector("[data-restored]");
  const suggested = form.querySelector("[data-suggested]");
  const known = form.querySelector("[data-known-tags]");
  const seconds = form.querySelector("[data-seconds]");
  let began = 0;
  let waiting = 0;
  let latest = 0;

  function tell() {
    const number = words(text.value);
    count.textContent = number
      ? `${number.toLocaleString("en")} ${number === 1 ? "word" : "words"} of about ${MEANT}`
      : `About ${MEANT} words; Markdown is rendered.`;
  }

  function chosen() {
    return form.elements.cards.value.split(/[\n;]/).map((line) => line.trim()).filter(Boolean);
  }

  // What becomes of the cards that the text names: all are linked until the field says which.
  function tellLinks() {
    const cards = chosen();
    suggested.querySelector("[data-links]").textContent = !cards.length ? "Named in the text, and linked:"
      : cards.length === 1 && cards[0].toLowerCase() === "none" ? "Named in the text; none is linked:"
        : "Named in the text; only those chosen in the field are linked:";
  }

  // The cards that the text names, as the server finds them; each can be put into the field.
  async function suggest() {
    latest += 1;
    const turn = latest;
    let found = [];
    if (text.value.trim()) {
      try {
        const body = new URLSearchParams({ text: `${form.elements.title.value}\n${text.value}` });
        const response = await fetch("/log/cards", { method: "POST", body });
        if (response.ok) found = await response.json();
      } catch { /* the server is away: nothing is suggested, and saving says so */ }
    }
    if (turn !== latest) return;
    const list = suggested.querySelector("ul");
    list.replaceChildren(...found.map((card) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "tag";
      button.textContent = card.title;
      const on = chosen().some((one) => one === card.title || one === card.id);
      button.setAttribute("aria-pressed", String(on));
      button.addEventListener("click", () => toggle(card, button));
      const item = document.createElement("li");
      item.append(button);
      return item;
    }));
    tellLinks();
    suggested.hidden = !found.length;
  }

  function toggle(card, button) {
    const rest = chosen().filter((one) => one !== card.title && one !== card.id && one !== "none");
    const on = button.getAttribute("aria-pressed") !== "true";
    form.elements.cards.value = [...rest, ...(on ? [card.title] : [])].join("\n");
    button.setAttribute("aria-pressed", String(on));
    tellLinks();
    changed();
  }

  function keep() {
    waiting = 0;
    if (!drafts.keep(name, form)) return;
    const time = new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
    kept.textContent = `Unsaved, kept in this browser at ${time}`;
    suggest();
  }

  function changed() {
    if (!began) began = Date.now();
    tell();
    clearTimeout(waiting);
    waiting = setTimeout(keep, PAUSE);
  }

  function tags() {
    return form.elements.tags.value.split(/[,\s]+/).filter(Boolean);
  }

  const follow = followDay(form);
  form.addEventListener("input", changed);
  form.addEventListener("submit", () => {
    if (waiting) { clearTimeout(waiting); drafts.keep(name, form); }
    if (seconds && began) seconds.value = String(Math.round((Date.now() - began) / 1000));
    drafts.sending(name, form);
  });
  addEventListener("pagehide", () => { if (waiting) drafts.keep(name, form); });
  if (known) {
    known.hidden = false;
    known.addEventListener("click", (event) => {
      const tag = event.target.closest("[data-tag]")?.dataset.tag;
      if (!tag) return;
      const there = tags();
      form.elements.tags.value = (there.includes(tag) ? there.filter((one) => one !== tag) : [...there, tag]).join(", ");
      changed();
    });
  }

  // What was typed already, or came back from the server with an error, is newer than any draft.
  const draft = drafts.read(name);
  if (drafts.touched(form)) {
    changed();
  } else if (draft && !("cameBack" in form.dataset) && drafts.differs(form, draft.fields) && draft.fields.text.trim()) {
    const before = new FormData(form);
    drafts.fill(form, draft.fields);
    follow();
    if (form.elements.version && draft.version) form.elements.version.value = draft.version;
    restored.querySelector("[data-when]").textContent = new Date(draft.at).toLocaleString("en-GB", {
      day: "numeric", month: "long", hour: "2-digit", minute: "2-digit",
    });
    restored.hidden = false;
    restored.querySelector("[data-discard]").addEventListener("click", () => {
      drafts.drop(name);
      drafts.fill(form, Object.fromEntries(before));
      follow();
      if (form.elements.version) form.elements.version.value = before.get("version");
      restored.hidden = true;
      kept.textContent = "";
      tell();
      suggest();
      text.focus();
    });
  }
  if (text.value.trim()) { tell(); suggest(); }
}

setUp(document.querySelector("[data-log-form]"));
