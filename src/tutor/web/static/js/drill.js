// The interview room: a reply is sent and the room replaced by what the server renders; nothing that is typed is lost.
// Without scripts the same form loads the whole page.
import { Clocks } from "./drill-clock.js";
import { forget, store, stored } from "./drill-kept.js";
import { draftKey as keyOf, sent as noteSent, setAside, showAside, showLater, typedSince } from "./drill-later.js";
import { Sheet } from "./drill-sheet.js";
import { offerVoice } from "./drill-voice.js";

const live = document.querySelector("[data-live]");
let leaving = () => {};

// `typed`: what was written beside an answer while it was read, by its key; `at`: the key where that goes on, and where.
// `fromEnd`: how far from its end the caret stood in the answer's box, where it stood there.
function setUp(room, { focus = false, typed = new Map(), at = null, fromEnd = null } = {}) {
  const form = room.querySelector("[data-reply]");
  const words = form.querySelector("[data-words]");
  const notes = room.querySelector("[data-notes]");
  const status = room.querySelector("[data-status]");
  const saved = room.querySelector("[data-saved]");
  const revision = form.querySelector("[data-revision]");
  const { session, question } = room.dataset;
  const draftKey = keyOf(question);
  const beside = [["notes", notes], ["sheet", room.querySelector("[data-lines]")]]
    .filter(([, box]) => box).map(([name, box]) => [`drill.${room.dataset.session}.${name}`, box]);
  const clocks = new Clocks(room, (text) => { live.textContent = text; });
  const told = room.querySelector("[data-reply]").parentElement.querySelector(".failed");
  let sending = false;
  let composing = false; // a character that is put together from several keys: its box must stay where it is
  let unheard = null; // the words of a sending that no answer came to
  let saving = null;
  let keepWhenIdle = 0;
  // Another window has written too: what is here is saved over it only by "Save the notes". Until then this tab keeps
  // it under the revision 0, which is older than any: after a reload it is told again.
  let overtaken = Boolean(room.querySelector("[data-other]"));
  const remember = (key, box) => store(key, `${overtaken ? 0 : revision.value}\n${box.value}`);

  // What this tab had that was not sent or saved; after an error the page itself has what is newest.
  if (words && !told && stored(draftKey)) words.value = stored(draftKey);
  const changed = () => store(draftKey, words.value);
  words?.addEventListener("input", () => {
    changed();
    if (sending && status.textContent) status.textContent = "Reading your answer. What you type now is not sent, and stays.";
  });
  words?.addEventListener("compositionstart", () => { composing = true; });
  words?.addEventListener("compositionend", () => { composing = false; });
  const later = typedSince(session, question);
  if (later.text && words && !later.changed) {
    words.value = later.moves ? later.text : [words.value.trimEnd(), later.text].filter(Boolean).join("\n");
    changed();
  } else if (later.text) setAside(session, "", later.text);
  showAside(room, session, words, changed);
  for (const [key, box] of beside) {
    const [base, text] = split(stored(key));
    if (typed.has(key)) {
      box.value = typed.get(key);
      remember(key, box);
      keepSoon();
    } else if (text && !told && text !== box.value) {
      box.value = text;
      revision.value = base; // where another window has saved since, that is told
      keepSoon();
    }
    box.addEventListener("input", () => { remember(key, box); keepSoon(); });
  }

  const sheet = room.querySelector("[data-sheet]");
  const calculator = sheet && new Sheet(sheet, words, changed);
  offerVoice(room, words, changed);

  // Whoever opens or closes the brief has it so from then on.
  room.querySelector("[data-brief] summary")?.addEventListener("click", (event) => {
    event.currentTarget.parentElement.dataset.chosen = "";
  });

  function keepSoon() {
    clearTimeout(keepWhenIdle);
    keepWhenIdle = setTimeout(() => { if (!overtaken) keep(); }, 1500);
  }

  // Saves notes, sheet and draft without touching what is on the screen.
  async function keep() {
    if (sending || saving) { keepSoon(); return; }
    const sent = beside.map(([, box]) => box.value);
    const body = new FormData(form);
    body.set("do", "keep");
    body.set("once", again(body.get("once")));
    saving = post(form, body);
    try {
      const { page, response } = await saving;
      const fresh = page.querySelector("[data-revision]");
      if (fresh) revision.value = fresh.value;
      if (!response.ok) {
        const what = page.querySelector(".failed .label")?.textContent ?? "The notes were not saved";
        overtaken ||= response.status === 409;
        if (saved) saved.textContent = `${what}. ${overtaken ? "“Save the notes” keeps yours." : "Nothing is lost here."}`;
        showOther(page.querySelector("[data-other]"));
        for (const [key, box] of beside) if (overtaken && stored(key)) remember(key, box);
        return;
      }
      if (saved) saved.textContent = "Saved";
      overtaken = false;
      showOther(null);
      beside.forEach(([key, box], n) => { if (box.value === sent[n]) forget(key); else remember(key, box); });
    } catch {
      if (saved) saved.textContent = "Not saved: the server does not answer. It stays in this tab.";
    } finally {
      saving = null;
    }
  }

  // What another window has written, above what is written here.
  function showOther(other) {
    room.querySelector("[data-other]")?.remove();
    if (other) notes.before(other);
  }

  async function send(submitter) {
    if (sending) return;
    sending = true; // before anything is waited for: a second press sends nothing
    clearTimeout(keepWhenIdle);
    if (saving) await saving.catch(() => {});
    const body = new FormData(form, submitter);
    const said = words?.value ?? "";
    // The same words sent again are a replay, which is harmless; others are not to be taken for one.
    if (unheard !== null && unheard !== said) body.set("once", again(body.get("once")));
    const sent = beside.map(([, box]) => box.value);
    const doing = submitter?.value ?? "send";
    form.setAttribute("aria-busy", "true");
    if (words) {
      changed();
      noteSent(session, question, said, doing === "go");
    }
    room.querySelector(".failed[data-lost]")?.remove();
    status.textContent = doing === "send" && room.dataset.state !== "clarify" ? "Reading your answer" : "";
    try {
      const { page, response, url } = await post(form, body);
      if (composing) await new Promise((done) => { words.addEventListener("compositionend", done, { once: true }); });
      const next = page.querySelector("[data-room]");
      const later = beside.filter(([, box], n) => box.value !== sent[n]);
      if (response.ok) for (const [key, box] of beside) if (!later.some(([name]) => name === key)) forget(key);
      const left = !response.ok && page.querySelector(".left");
      if (left) { // another window has answered: the words count nowhere, and a reload must not lose them
        setAside(session, question, words?.value ?? "");
        left.remove();
      }
      if (!next && !response.ok) { refuse(page, submitter); return; }
      if (!next || (response.redirected && new URL(url).pathname !== location.pathname)) {
        leaving();
        if (later.length) {
          const kept = await revisionNow(room.dataset.session);
          for (const [key, box] of later) store(key, `${kept}\n${box.value}`);
        }
        // The drill is over: its address is the same, and shows the grade now.
        if (new URL(url).pathname === location.pathname) location.reload(); else location.assign(url);
        return;
      }
      const writing = beside.find(([, box]) => box === document.activeElement);
      const at = writing && { key: writing[0], caret: writing[1].selectionStart };
      const fromEnd = words && words === document.activeElement ? words.value.length - words.selectionEnd : null;
      if (next.dataset.question === question && words) { // refused: the box goes on as it is here
        const box = next.querySelector("[data-words]");
        if (box) box.value = words.value;
      }
      replace(room, next, { focus: true, typed: new Map(later.map(([key, box]) => [key, box.value])), at, fromEnd });
      const told = [".failed .label", ".prompt", ".ask"].map((part) => next.querySelector(part)?.textContent).find(Boolean) ?? "";
      live.textContent = next.querySelector("[data-aside]") ? `${told} What was not sent is kept above your answer.` : told;
    } catch {
      unheard = said;
      fail("The server does not answer", "Is tutor still running? Start it with: tutor serve", submitter);
    } finally {
      sending = false;
      form.removeAttribute("aria-busy");
    }
  }

  // What is no room: the grade of a drill that another window has ended, with the words left over; or a failure.
  function refuse(page, submitter) {
    const inside = page.querySelector("main");
    if (inside?.querySelector("[data-graded], .debrief")) {
      leaving();
      document.querySelector("main").replaceChildren(...inside.childNodes);
      showLater(document.querySelector("main"));
      return;
    }
    const said = (selector) => page.querySelector(selector)?.textContent.trim();
    fail(said(".failed h3, .failed .label") ?? "That did not work", said(".failed dl > div:last-child dd") ?? "Try again.", submitter);
  }

  function fail(what, fix, submitter) {
    status.textContent = "";
    const shown = document.querySelector("[data-failed-template]").content.firstElementChild.cloneNode(true);
    shown.dataset.lost = "";
    shown.querySelector("[data-what]").textContent = what;
    shown.querySelector("[data-fix]").textContent = `Your words are still here. ${fix}`;
    shown.querySelector("[data-again]").addEventListener("click", () => { shown.remove(); send(submitter); });
    form.before(shown);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const doing = event.submitter?.value;
    if (doing === "compute") { calculator.compute(); keepSoon(); return; }
    if (doing === "insert") { calculator.insert(); keepSoon(); return; }
    if (doing === "keep") { keep(); return; }
    send(event.submitter);
  });
  room.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    if (!form.contains(event.target)) return; // beside the answer it sends nothing
    event.preventDefault();
    send(form.querySelector('button[value="send"]'));
  });
  leaving = () => { clocks.stop(); clearTimeout(keepWhenIdle); };
  const writing = beside.find(([key]) => key === at?.key)?.[1];
  if (writing) {
    writing.focus({ preventScroll: true });
    writing.setSelectionRange(at.caret, at.caret);
  } else if (focus) {
    (words ?? form.querySelector("[data-rate]"))?.focus();
    if (words && fromEnd !== null) words.setSelectionRange(...Array(2).fill(Math.max(0, words.value.length - fromEnd)));
  } else if (words && matchMedia("(hover: hover)").matches) words.focus({ preventScroll: true });
}

// A token of its own for what is sent by the same form, and is another thing.
function again(token) {
  return `${token}.${Math.random().toString(36).slice(2)}`;
}

async function post(form, body) {
  const response = await fetch(form.action, { method: "POST", body, headers: { accept: "text/html" } });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  return { response, page, url: response.url };
}

// The revision of what is kept beside a drill; where none can be read, one that no pad with something in it has.
async function revisionNow(session) {
  try {
    const response = await fetch(`/drill/${session}`, { headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    return page.querySelector("[data-revision]")?.value ?? 0;
  } catch {
    return 0;
  }
}

// The server has rendered and escaped it, by the page that the address opens.
function replace(room, next, options) {
  leaving();
  const brief = room.querySelector("[data-brief]");
  room.replaceWith(next);
  const opened = next.querySelector("[data-brief]");
  if (brief?.dataset.chosen !== undefined && opened) {
    opened.open = brief.open;
    opened.dataset.chosen = "";
  }
  setUp(next, options);
}

// A revision and the text behind it.
function split(kept) {
  const at = kept.indexOf("\n");
  return at < 0 ? ["", ""] : [kept.slice(0, at), kept.slice(at + 1)];
}

setUp(document.querySelector("[data-room]"));
