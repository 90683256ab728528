// One question and its answer in the log.
export class Turn {
  constructor(article) {
    this.article = article;
    this.answer = article.querySelector("[data-answer]");
    this.question = article.querySelector("[data-question]").textContent;
  }

  static begin(question, log) {
    const article = document.querySelector("[data-turn-template]").content.firstElementChild.cloneNode(true);
    const heading = article.querySelector("[data-question]");
    heading.textContent = question;
    const long = question.length > Number(log.closest("[data-ask]").dataset.long);
    heading.classList.toggle("long", long);
    article.querySelector("[data-whole]").hidden = !long;
    log.append(article);
    return new Turn(article);
  }

  show() {
    this.article.querySelector("[data-question]").scrollIntoView({ block: "start" });
  }

  status(text) {
    const line = this.article.querySelector("[data-status]");
    if (line) line.textContent = text;
  }

  // The server has rendered and sanitised it; nothing from a question or a document comes here unescaped.
  add(html) {
    this.settle();
    this.answer.insertAdjacentHTML("beforeend", html);
  }

  settle() {
    this.article.querySelector("[data-skeleton]")?.remove();
  }

  note(text) {
    this.settle();
    const line = document.createElement("p");
    line.className = "note";
    line.textContent = text;
    this.answer.before(line);
  }

  // What was there when it was stopped stays; the question can be asked again.
  stopped(again) {
    this.note("Stopped. ");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = "Ask it again";
    button.addEventListener("click", () => { this.article.remove(); again(); });
    this.answer.previousElementSibling.append(button);
  }

  // Below the answer: what became of a language model's attempt.
  after(text) {
    const line = document.createElement("p");
    line.className = "written";
    line.textContent = `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
    this.answer.append(line);
  }

  fail({ what, about = "", fix = "" }, again, offer = "") {
    this.settle();
    const shown = document.querySelector("[data-failed-template]").content.firstElementChild.cloneNode(true);
    shown.querySelector("[data-what]").textContent = what.charAt(0).toUpperCase() + what.slice(1);
    for (const [name, text] of [["about", about], ["fix", fix]]) {
      const row = shown.querySelector(`[data-${name}]`);
      if (text) row.querySelector("dd").textContent = text; else row.remove();
    }
    if (offer) shown.querySelector("[data-again]").textContent = offer;
    shown.querySelector("[data-again]").addEventListener("click", () => { this.article.remove(); again(); });
    this.answer.replaceChildren(shown);
  }

  // How long each stage of the work took, in milliseconds, and what a language model took, folded away.
  timings(stages, all, model = "") {
    const shown = document.querySelector("[data-timings-template]").content.firstElementChild.cloneNode(true);
    const rows = [...Object.entries(stages), ["all", all]].map(([name, ms]) => [name, `${ms.toFixed(1)} ms`]);
    if (model) rows.push(["language model", model]);
    for (const [name, value] of rows) {
      const row = document.createElement("div");
      const term = document.createElement("dt");
      const time = document.createElement("dd");
      term.textContent = name;
      time.textContent = value;
      row.append(term, time);
      shown.querySelector("dl").append(row);
    }
    this.article.append(shown);
  }

  // What to do next, below the answer. The server has rendered it.
  below(html) {
    this.answer.insertAdjacentHTML("afterend", html);
  }

  // The button that copies the question, the answer and its sources as Markdown.
  offerCopy() {
    const button = this.article.querySelector("[data-copy][hidden]");
    if (!button || !this.answer.querySelector("template[data-markdown]")) return;
    const said = button.querySelector("[data-copy-said]");
    const usual = said.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const source = this.answer.querySelector("template[data-markdown]"); // a written answer may have taken its place
      said.textContent = (await copy(source.content.textContent)) ? "Copied" : "Copying is not allowed here";
      setTimeout(() => { said.textContent = usual; }, 2500);
    });
  }
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
