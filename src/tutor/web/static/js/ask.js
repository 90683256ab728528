// Asking: the answer streams in; without scripts the same form loads the whole page.
import { Refused, events } from "./events.js";
import { Draft } from "./draft.js";
import { Kept } from "./kept.js";
import { Turn } from "./turn.js";

function setUp(root) {
  const form = root.querySelector("[data-form]");
  const box = form.querySelector("textarea");
  const send = form.querySelector("[data-send]");
  const stop = form.querySelector("[data-stop]");
  const over = form.querySelector("[data-over]");
  const log = root.querySelector("[data-log]");
  const kept = new Kept(root);
  const said = []; // what this tab asked and was answered, for follow-ups where the server keeps nothing of it
  const turnsSent = 8;
  const charactersSent = 1000; // of an answer: more than its first sentence is not remembered
  let running = null;
  let linked = ""; // the question of an answer that a link opened: not kept yet

  function busy(on) {
    send.hidden = on;
    stop.hidden = !on;
    log.setAttribute("aria-busy", String(on));
  }

  function grow() {
    box.rows = 1;
    const line = parseFloat(getComputedStyle(box).lineHeight);
    while (box.scrollHeight > box.clientHeight + 2 && box.rows < 8 && line) box.rows += 1;
  }

  // Whether the box holds more than can be asked; characters are counted as the server counts them.
  function tooLong() {
    const count = [...box.value.trim().replace(/\s+/g, " ")].length;
    const long = count > Number(box.dataset.most);
    if (long) over.querySelector("[data-count]").textContent = count.toLocaleString("en");
    over.hidden = !long;
    box.setAttribute("aria-invalid", String(long));
    return long;
  }

  async function ask(question) {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    for (const part of root.querySelectorAll("[data-examples], [data-next]")) part.remove();
    root.querySelector("[data-intro]")?.replaceWith(document.querySelector("[data-heading-template]").content.cloneNode(true));
    box.placeholder = "Ask another question";
    const turn = Turn.begin(question, log);
    turn.show();
    kept.asking(question);
    if (kept.id) kept.remember(question); // until it is answered: a reload puts it back into the box
    if (!kept.id) document.title = `${question.length > 80 ? `${question.slice(0, 77)}...` : question} – tutor`;
    busy(true);
    const again = () => ask(question);
    let finished = false;
    let draft = null;
    let quoted = null; // the answer that stands while a model writes another
    let entered = null; // what later questions are told of this one
    // The quoted answer stays as it is on the screen, with all that a finished one has.
    const keep = (why) => { turn.after(`${why}; the quoted answer above stands`); done(turn, quoted); place(quoted, mine); };
    try {
      await keepShown(mine.signal);
      const body = { question, history: said.slice(-turnsSent), conversation: kept.id || "new" };
      for await (const { name, data } of events("/api/v1/ask/stream", body, mine.signal)) {
        if (name === "status") turn.status(data.text);
        else if (name === "read") turn.note(`Read as “${data.text}”`);
        else if (name === "error") { turn.fail(data.error, again); finished = true; }
        else if (name === "done") {
          finished = true;
          entered = enter(entered, question, data);
          done(turn, data);
          place(data, mine);
        }
        else if (name === "writing") {
          draft = new Draft(turn, data.model);
          quoted = data.quoted;
          entered = enter(entered, question, quoted); // now: the next question may come before the model has ended
        }
        else if (name === "draft") draft?.add(data.text);
        else if (name === "sentence" || name === "dropped") draft?.count(name === "sentence");
        else if (name === "generated") { draft?.replace(data.html); quoted = null; }
        else if (name === "kept") turn.after(data.line);
        else if (name === "stored") stored(turn, data, mine);
        else if (name === "below") turn.below(data.html);
        else if (data.html) turn.add(data.html);
      }
      if (!finished && quoted) keep("the connection broke off while the model was writing");
      else if (!finished) turn.fail({ what: "The answer broke off", fix: "Try again." }, again);
    } catch (error) {
      if (mine.signal.aborted && quoted) keep("stopped while the model was writing");
      else if (mine.signal.aborted) turn.stopped(again);
      else if (quoted) keep("the connection broke off while the model was writing");
      else if (error instanceof Refused && error.status === 404 && kept.id) {
        const gone = { what: "This conversation was deleted, in another window or by another command" };
        turn.fail(gone, () => { kept.leave(); again(); }, "Ask it in a new conversation");
      }
      else if (error instanceof Refused) turn.fail(error.parts, again);
      else turn.fail({ what: "The server does not answer", fix: "Is tutor still running? Start it with: tutor serve" }, again);
    }
    draft?.end();
    if (running === mine) { running = null; busy(false); }
  }

  // What this tab remembers of a question: anew, or the written answer in the place of the quoted one.
  function enter(entered, question, data) {
    const answer = data.abstained ? "" : [...data.answer].slice(0, charactersSent).join("");
    if (entered) return Object.assign(entered, { answer });
    said.push({ question, answer });
    return said.at(-1);
  }

  function stored(turn, data, mine) {
    if (data.line) { turn.after(data.line); return; }
    turn.article.id = `turn-${data.turn}`;
    if (running !== mine) return; // the next question has been asked: it goes on in the same conversation, or its own
    kept.forget();
    kept.stored(data);
    if (box.value) kept.remember(box.value);
  }

  // An answer that was opened by a link is kept with the first question that follows it.
  async function keepShown(signal) {
    if (!kept.keeps || kept.id || !linked) return;
    const body = JSON.stringify({ question: linked, conversation: "new", written: false });
    linked = "";
    const headers = { "content-type": "application/json" };
    const response = await fetch("/api/v1/ask", { method: "POST", body, headers, signal });
    const found = response.ok ? (await response.json()).kept : null;
    if (found?.conversation) kept.stored(found);
  }

  // Where nothing is kept the address is loaded again, or shared, without the conversation before it.
  function place(data, mine) {
    if (data.standalone && running === mine && !kept.id) kept.asking(data.standalone);
    if (running === mine && !box.value) kept.forget();
  }

  function done(turn, data) {
    if (data.corrected.length && !data.abstained) {
      turn.note(`Read as ${data.corrected.map(([wrong, right]) => `“${right}” instead of “${wrong}”`).join(", ")}.`);
    }
    if (data.meant.length) turn.note(`${data.meant.map(([short, long]) => `${short}: ${long}`).join("; ")}.`);
    if (data.uncovered.length) turn.note(`Nothing quoted here is about ${data.uncovered.join(", ")}.`);
    turn.timings(data.stages, data.ms, data.generation?.took);
    turn.offerCopy();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const question = box.value.trim();
    if (!question || tooLong()) { box.focus(); return; }
    box.value = "";
    kept.forget();
    grow();
    ask(question);
  });
  root.addEventListener("click", (event) => {
    const example = event.target.closest("[data-example]");
    if (!example || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    ask(example.textContent);
  });
  stop.addEventListener("click", () => { running?.abort(); box.focus(); });
  box.addEventListener("input", () => { grow(); tooLong(); kept.remember(box.value); });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); }
  });

  for (const article of log.querySelectorAll("[data-turn]")) {
    const turn = new Turn(article);
    turn.offerCopy();
    said.push({ question: turn.question, answer: "" });
    if (!article.id) linked = turn.question;
  }
  if (!box.value) box.value = kept.remembered();
  if (box.value) { grow(); tooLong(); }
  if (!log.children.length && matchMedia("(hover: hover)").matches) box.focus({ preventScroll: true });
}

setUp(document.querySelector("[data-ask]"));
