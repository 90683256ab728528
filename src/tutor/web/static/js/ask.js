// Asking: the answer streams in; without scripts the same form loads the whole page.
export function setUpAsk(root) {
  const form = root.querySelector("[data-form]");
  const box = form.querySelector("textarea");
  const send = form.querySelector("[data-send]");
  const stop = form.querySelector("[data-stop]");
  const log = root.querySelector("[data-log]");
  let source = null;
  let turn = null;

  const busy = (on) => { send.hidden = on; stop.hidden = !on; log.setAttribute("aria-busy", String(on)); };
  const grow = () => { box.style.height = "auto"; box.style.height = `${box.scrollHeight + 2}px`; };
  const template = (name) => document.querySelector(`template[data-${name}]`).content.firstElementChild.cloneNode(true);

  function finish() {
    if (source) source.close();
    source = null;
    turn?.querySelector(".skeleton")?.remove();
    busy(false);
  }

  function fail(question, { what, about = "", fix = "" }) {
    const shown = template("failed");
    shown.querySelector("[data-what]").textContent = what;
    shown.querySelector("[data-about]").textContent = about;
    shown.querySelector("[data-fix]").textContent = fix;
    shown.querySelector("[data-retry]").addEventListener("click", (event) => {
      event.target.closest(".turn").remove();
      ask(question);
    });
    finish();
    turn.append(shown);
  }

  function abstain(data) {
    const shown = template("abstain");
    shown.querySelector("[data-text]").textContent = "No card answers this, so nothing is made up.";
    for (const card of data.nearest) {
      const link = document.createElement("a");
      link.href = `/documents/${card.doc_id.split("/").map(encodeURIComponent).join("/")}`;
      link.textContent = card.title;
      const item = document.createElement("li");
      item.append(link);
      shown.querySelector("[data-nearest]").append(item);
    }
    turn.append(shown);
  }

  function tools(data) {
    const bar = document.createElement("div");
    bar.className = "tools";
    const copy = document.createElement("button");
    copy.type = "button";
    copy.textContent = "Copy as Markdown";
    copy.addEventListener("click", async () => {
      const sources = data.citations.map((c) => `[${c.n}] ${[c.title, ...c.heading.slice(1)].join(" > ")}`).join("\n");
      try { await navigator.clipboard.writeText(`${data.answer}\n\n${sources}\n`); copy.textContent = "Copied"; }
      catch { copy.textContent = "Copying is not allowed here"; }
    });
    bar.append(copy);
    turn.append(bar);
  }

  function note(text) {
    const line = document.createElement("p");
    line.className = "note";
    line.textContent = text;
    turn.append(line);
  }

  function ask(question) {
    finish();
    root.querySelector("[data-intro]")?.remove();
    root.querySelector("[data-examples]")?.remove();
    root.classList.add("asked");
    turn = document.createElement("article");
    turn.className = "turn";
    const head = document.createElement("h2");
    head.className = "question";
    head.textContent = question;
    const skeleton = document.createElement("div");
    skeleton.className = "skeleton";
    skeleton.innerHTML = '<p class="hidden">Searching the curriculum</p><span></span><span></span><span></span>';
    const answer = document.createElement("div");
    answer.className = "answer";
    turn.append(head, skeleton, answer);
    log.append(turn);
    turn.scrollIntoView({ block: "start" });
    busy(true);
    history.replaceState(null, "", `/?q=${encodeURIComponent(question)}`);
    document.title = `${question} – tutor`;
    source = new EventSource(`/api/v1/ask/stream?q=${encodeURIComponent(question)}`);
    source.addEventListener("piece", (event) => {
      turn.querySelector(".skeleton")?.remove();
      // The server renders and sanitises; nothing from the question or a document comes here unescaped.
      answer.insertAdjacentHTML("beforeend", JSON.parse(event.data).html);
    });
    source.addEventListener("done", (event) => {
      const data = JSON.parse(event.data);
      finish();
      if (data.corrected.length) note(`Searched for ${data.corrected.map(([a, b]) => `“${b}” instead of “${a}”`).join(", ")}.`);
      if (data.abstained) abstain(data); else tools(data);
    });
    source.addEventListener("error", (event) => {
      fail(question, event.data ? JSON.parse(event.data).error : {
        what: "The answer did not arrive", fix: "Is tutor still running? Start it with: make serve",
      });
    });
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const question = box.value.trim();
    if (!question) { box.focus(); return; }
    box.value = "";
    grow();
    ask(question);
  });
  stop.addEventListener("click", () => { finish(); note("Stopped."); box.focus(); });
  box.addEventListener("input", grow);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); }
  });
  if (!root.classList.contains("asked")) box.focus({ preventScroll: true });
}
