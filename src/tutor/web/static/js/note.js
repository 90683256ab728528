// A card's note saves itself while it is written. What is not saved yet survives a reload; what another window has
// saved meanwhile is never written over unseen: both texts are shown, and the learner chooses.
const WAIT = 900; // milliseconds without typing
const AGAIN = 5000; // after a failure

function setUp(section) {
  const card = section.dataset.card;
  const path = `/api/v1/study/notes/${encodeURIComponent(card)}`;
  const form = section.querySelector("form");
  const field = section.querySelector("[data-text]");
  const version = section.querySelector("[data-version]");
  const shown = section.querySelector("[data-shown]");
  const editor = section.querySelector("[data-editor]");
  const other = section.querySelector("[data-other]");
  const save = section.querySelector("[data-save]");
  const told = section.querySelector("[data-said]");
  const key = `note:${card}`;
  let base = Number(version.value); // the version that the text in the field was written on
  let stored = other.hidden ? field.value.trim() : null; // what the server is known to have; null in a conflict
  let timer = 0;
  let running = false;

  function say(words) { if (told.textContent !== words) told.textContent = words; }

  function keep() {
    try {
      if (field.value.trim() === stored) sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, JSON.stringify({ text: field.value, version: base }));
    } catch { /* not kept over a reload, still saved when the server answers */ }
  }

  function restore() {
    let left = null;
    try { left = JSON.parse(sessionStorage.getItem(key)); } catch { /* nothing that can be read */ }
    if (!left || typeof left.text !== "string" || left.text.trim() === stored || !other.hidden) return;
    field.value = left.text;
    if (Number.isInteger(left.version)) version.value = base = left.version; // a newer note is not written over
    editor.open = true;
    say("Put back what was not saved yet");
    later(WAIT);
  }

  function later(wait) {
    clearTimeout(timer);
    timer = setTimeout(send, wait);
  }

  function conflict(now) {
    other.hidden = false;
    section.querySelector("[data-other-text]").textContent = now.text || "(empty)";
    version.value = now.version; // saving by the button is a choice, made with both texts in view
    stored = null;
    save.textContent = "Save mine over it";
    say("Not saved: the note was changed in another window");
    keep();
  }

  function settled(now, text) {
    version.value = base = now.version;
    stored = now.text;
    shown.innerHTML = now.html; // rendered and sanitised on the server
    shown.hidden = !now.html;
    other.hidden = true;
    save.textContent = "Save";
    keep();
    if (field.value === text) say("Saved");
    else later(WAIT);
  }

  async function ask(init) {
    const response = await fetch(path, { headers: { accept: "application/json", "content-type": "application/json" }, ...init });
    return { status: response.status, body: await response.json() };
  }

  async function send({ chosen = false } = {}) {
    clearTimeout(timer);
    if (running || (!chosen && !other.hidden) || field.value.trim() === stored) return;
    running = true;
    const text = field.value;
    say("Saving");
    try {
      const { status, body } = await ask({ method: "PUT", body: JSON.stringify({ text, version: Number(version.value) }) });
      if (status === 200) settled(body, text);
      else if (status === 409) conflict((await ask({})).body);
      else {
        say(`Not saved: ${body.error.what}. ${body.error.fix}`);
        if (body.error.transient) later(AGAIN);
      }
    } catch {
      say("Not saved: tutor does not answer. The text stays here and is saved when it does.");
      later(AGAIN);
    } finally {
      running = false;
    }
  }

  field.addEventListener("input", () => { keep(); say(other.hidden ? "Not saved yet" : told.textContent); later(WAIT); });
  field.addEventListener("change", () => send());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.submitter?.hasAttribute("data-both")) {
      const there = section.querySelector("[data-other-text]").textContent;
      field.value = `${there}\n\n---\n\n${field.value.trim()}`;
    }
    send({ chosen: true });
  });
  addEventListener("pagehide", () => {
    if (!other.hidden || field.value.trim() === stored) return;
    const body = JSON.stringify({ text: field.value, version: Number(version.value) });
    fetch(path, { method: "PUT", keepalive: true, headers: { "content-type": "application/json" }, body }).catch(() => {});
  });
  addEventListener("online", () => send());
  restore();
}

const section = document.querySelector("[data-note]");
if (section) setUp(section);
