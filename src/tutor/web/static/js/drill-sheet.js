// The calculator sheet: computed by the server while typing; the last line with a value goes into the answer.
export class Sheet {
  constructor(root, words, inserted) {
    this.lines = root.querySelector("[data-lines]");
    this.values = root.querySelector("[data-values]");
    this.words = words;
    this.inserted = inserted;
    this.last = null;
    this.waiting = 0;
    this.latest = 0;
    this.lines.addEventListener("input", () => {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.compute(), 300);
    });
    if (this.lines.value.trim()) this.compute();
  }

  async compute() {
    clearTimeout(this.waiting);
    this.latest += 1;
    const turn = this.latest;
    const headers = { "content-type": "application/json" };
    try {
      const response = await fetch("/api/v1/sheet", { method: "POST", headers, body: JSON.stringify({ text: this.lines.value }) });
      const found = await response.json();
      if (turn !== this.latest) return;
      if (!response.ok) this.show([{ number: 0, name: "", shown: "", error: found.error?.what ?? "The sheet cannot be computed" }]);
      else this.show(found);
    } catch {
      if (turn === this.latest) this.show([{ number: 0, name: "", shown: "", error: "the server does not answer; the lines stay" }]);
    }
  }

  show(lines) {
    this.last = lines.findLast((line) => line.shown) ?? null;
    this.values.replaceChildren(...lines.filter((line) => line.shown || line.error).map((line) => {
      const item = document.createElement("li");
      item.classList.toggle("bad", Boolean(line.error));
      for (const [name, text] of [["line-name", line.name || (line.number ? `line ${line.number}` : "")], ["line-value", line.shown || line.error]]) {
        const part = document.createElement("span");
        part.className = name;
        part.textContent = text;
        item.append(part, " ");
      }
      return item;
    }));
  }

  async insert() {
    await this.compute();
    if (!this.last || !this.words) return;
    const name = this.last.name || this.lines.value.split("\n")[this.last.number - 1].trim();
    const before = this.words.value.trimEnd();
    this.words.value = `${before}${before ? "\n" : ""}${name} = ${this.last.shown}`;
    this.inserted();
    this.words.focus();
  }
}
