// What is typed into the answer's box while the answer is read: what was sent and what came after are two things.
// What was sent is noted when it goes; once its question is no longer asked, whatever page shows next (also after a
// reload) finds what was typed since, puts it into the next box or keeps it beside it, and loses none of it.
import { forget, store, stored } from "./drill-kept.js";

const sentKey = (session) => `drill.${session}.sent`;
const asideKey = (session) => `drill.${session}.aside`;
export const draftKey = (question) => `drill.${question}`;

// `words` answer the question; with `moves` they go along to the next box instead ("Nothing to ask").
export function sent(session, question, words, moves) {
  store(sentKey(session), JSON.stringify({ question, words, moves }));
}

// What was typed since, where another question is asked now (`pending`, "" for none): `changed` where it is not only
// more of the same but the words themselves in another form, `moves` where it stands for what the next box begins with.
export function typedSince(session, pending) {
  const nothing = { text: "", changed: false, moves: false };
  let before;
  try { before = JSON.parse(stored(sentKey(session)) || "null"); } catch { before = null; }
  if (!before || before.question === pending) return nothing;
  const text = stored(draftKey(before.question));
  forget(sentKey(session));
  forget(draftKey(before.question));
  if (before.moves) return { text, changed: false, moves: true };
  if (text.startsWith(before.words)) return { ...nothing, text: text.slice(before.words.length).trimStart() };
  return { text, changed: text !== "", moves: false };
}

// Words that went nowhere, for the page to show until they are taken or discarded.
export function setAside(session, question, text) {
  forget(sentKey(session));
  forget(draftKey(question));
  if (text.trim()) store(asideKey(session), [stored(asideKey(session)), text].filter(Boolean).join("\n\n"));
}

// Shows what was set aside, where the page has its place for it; with a box it can be put into that.
export function showAside(root, session, words, changed) {
  root.querySelector("[data-aside]")?.remove();
  const template = root.querySelector("[data-aside-template]");
  const text = stored(asideKey(session));
  if (!template || !text) return;
  const panel = template.content.firstElementChild.cloneNode(true);
  panel.querySelector("textarea").value = text;
  const put = panel.querySelector("[data-put]");
  put.hidden = !words;
  put.addEventListener("click", () => {
    words.value = [words.value.trimEnd(), text].filter(Boolean).join("\n");
    changed();
    done();
    words.focus();
  });
  panel.querySelector("[data-discard]").addEventListener("click", () => {
    done();
    const next = words ?? document.querySelector("h1");
    if (!words) next.tabIndex = -1;
    next.focus();
  });
  function done() {
    forget(asideKey(session));
    panel.remove();
  }
  template.after(panel);
}

// On a page without a box: the grade, the debrief.
export function showLater(root) {
  const place = root.querySelector("[data-aside-template]");
  if (!place) return;
  const { session, pending } = place.dataset;
  const { text } = typedSince(session, pending);
  if (text) setAside(session, "", text);
  showAside(root, session, null, null);
}
