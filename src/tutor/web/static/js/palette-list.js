// The palette's window: a combobox over a listbox (ARIA Authoring Practices), with what was chosen lately first.
import { holds, places, score } from "./fuzzy.js";
import { showKeyboard } from "./keys.js";

const SHOWN = 12;
const KEPT = 8;
const PATIENCE = 5000; // milliseconds that the list of cards may take
const RECENT = "palette-recent";

// "drill kafka" and "path kafka" do something with a card instead of opening it.
const VERBS = [
  { verb: "drill", kind: "Drill", name: (title) => `Drill on ${title}`, href: (id) => `/drill?request=${encodeURIComponent(id)}` },
  { verb: "path", kind: "Map", name: (title) => `The path to ${title}`, href: (id) => `/map?goal=${encodeURIComponent(id)}` },
];

function pages() {
  return [...document.querySelectorAll("[data-go]")].map((link) => ({
    name: link.textContent.trim(), kind: "Place", href: link.getAttribute("href"), words: [],
  }));
}

function actions() {
  const theme = ["system", "light", "dark"].map((name) => ({
    name: `Theme: ${name}`, kind: "Action", id: `theme-${name}`, words: ["colours appearance"], run: () => globalThis.theme.set(name),
  }));
  return [
    { name: "New question", kind: "Action", href: "/", words: ["ask"] },
    { name: "Drill what is due or weak", kind: "Action", href: "/drill", words: ["interview practise"] },
    { name: "Review what is due", kind: "Action", href: "/review", words: ["recall flash cards"] },
    { name: "Write a log entry", kind: "Action", href: "/log/new", words: ["decision note"] },
    { name: "Past conversations", kind: "Action", href: "/conversations", words: ["history"] },
    { name: "Export everything", kind: "Action", href: "/settings#data", words: ["backup json markdown anki"] },
    { name: "Check the installation", kind: "Action", href: "/settings#health", words: ["health doctor status"] },
    { name: "The API", kind: "Action", href: "/docs", words: ["http documentation"] },
    { name: "Keyboard", kind: "Action", id: "keyboard", words: ["shortcuts keys help"], run: showKeyboard },
    ...theme,
  ];
}

export class Palette {
  constructor() {
    this.cards = [];
    this.loading = null;
    this.matches = [];
    this.at = 0;
    this.build();
  }

  build() {
    this.window = document.createElement("dialog");
    this.window.className = "palette";
    this.window.setAttribute("aria-label", "Find");
    this.box = Object.assign(document.createElement("input"), { type: "text", className: "input", autocomplete: "off", spellcheck: false, maxLength: 300 });
    this.box.placeholder = "A place, a card, an action, or a question";
    for (const [name, value] of Object.entries({ role: "combobox", "aria-label": "Find", "aria-expanded": "true", "aria-controls": "palette-list", "aria-autocomplete": "list" })) {
      this.box.setAttribute(name, value);
    }
    this.list = Object.assign(document.createElement("ul"), { id: "palette-list" });
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "Found");
    this.hint = Object.assign(document.createElement("p"), { className: "note" });
    this.hint.textContent = "Begin with “drill” or “path” to do that with a card.";
    this.status = Object.assign(document.createElement("p"), { className: "hidden" });
    this.status.setAttribute("role", "status");
    this.window.append(this.box, this.list, this.hint, this.status);
    document.body.append(this.window);

    this.box.addEventListener("input", () => { this.at = 0; this.show(); });
    this.box.addEventListener("keydown", (event) => this.press(event));
    this.list.addEventListener("click", (event) => {
      const row = event.target.closest("[role=option]");
      if (row) this.choose(this.matches[Number(row.dataset.at)], event);
    });
    this.list.addEventListener("pointermove", (event) => {
      const row = event.target.closest("[role=option]");
      if (row && Number(row.dataset.at) !== this.at) { this.at = Number(row.dataset.at); this.mark(); }
    });
    this.window.addEventListener("click", (event) => { if (event.target === this.window) this.window.close(); });
  }

  async open() {
    if (this.window.open) { this.window.close(); return; }
    for (const other of document.querySelectorAll("dialog[open]")) other.close();
    this.box.value = "";
    this.at = 0;
    this.show();
    this.window.showModal();
    this.box.focus();
    this.loading = this.load();
    await this.loading;
    if (this.window.open) this.show();
  }

  // Asked each time it is opened; the browser keeps it until the library changes (ETag).
  async load() {
    try {
      const response = await fetch("/palette", { headers: { accept: "application/json" }, signal: AbortSignal.timeout(PATIENCE) });
      if (!response.ok) return;
      const { documents } = await response.json();
      this.cards = documents.map(([id, title, place, words, card]) => ({
        name: title, kind: place, href: `/documents/${id.split("/").map(encodeURIComponent).join("/")}`, words: [...words, id], id, card,
      }));
    } catch { /* places and actions are there without the server */ }
  }

  found() {
    const typed = this.box.value.trim();
    const verb = VERBS.find((one) => typed.toLowerCase().startsWith(`${one.verb} `));
    if (verb) {
      const wanted = typed.slice(verb.verb.length + 1);
      const rows = this.cards.filter((card) => card.card).map((card) => ({
        ...card, name: verb.name(card.name), kind: verb.kind, href: verb.href(card.id), words: [card.name, ...card.words],
      }));
      return best(rows, wanted);
    }
    const all = [...pages(), ...actions(), ...this.cards];
    if (!typed) {
      const known = new Map(all.map((one) => [keyOf(one), one]));
      const lately = recent().map((key) => known.get(key)).filter(Boolean);
      return [...new Set([...lately, ...all])].slice(0, Math.max(SHOWN, lately.length));
    }
    const rows = best(all, typed);
    rows.push({ name: `Ask “${typed}”`, kind: "Ask", href: `/?q=${encodeURIComponent(typed)}`, once: true });
    rows.push({ name: `Look for “${typed}” in the library`, kind: "Library", href: `/documents?filter=${encodeURIComponent(typed)}`, once: true });
    return rows;
  }

  show() {
    this.matches = this.found();
    this.list.replaceChildren(...this.matches.map((match, at) => {
      const row = document.createElement("li");
      row.id = `palette-${at}`;
      row.dataset.at = at;
      row.setAttribute("role", "option");
      const name = marked(document.createElement("span"), match.name, match.also ? "" : match.typed);
      const kind = document.createElement("small");
      kind.textContent = match.kind;
      row.append(name, kind);
      if (match.also) kind.before(marked(Object.assign(document.createElement("small"), { className: "also" }), match.also, match.typed));
      return row;
    }));
    const none = this.matches.length === 0;
    this.status.textContent = none ? "No card has that name" : `${this.matches.length} found`;
    this.hint.textContent = none ? "No card has that name." : "Begin with “drill” or “path” to do that with a card.";
    this.mark();
  }

  mark() {
    const rows = [...this.list.children];
    rows.forEach((row, at) => row.setAttribute("aria-selected", String(at === this.at)));
    const row = rows[this.at];
    if (row) {
      this.box.setAttribute("aria-activedescendant", row.id);
      row.scrollIntoView({ block: "nearest" });
    } else this.box.removeAttribute("aria-activedescendant");
  }

  press(event) {
    const last = this.matches.length - 1;
    const to = { ArrowDown: this.at >= last ? 0 : this.at + 1, ArrowUp: this.at <= 0 ? last : this.at - 1, PageDown: last, PageUp: 0 }[event.key];
    if (to !== undefined) { event.preventDefault(); this.at = Math.max(0, to); this.mark(); return; }
    if (event.key === "Enter" && !event.isComposing) { event.preventDefault(); this.enter(event); }
  }

  // Before the cards are there, what is first may yet become a card: no question is asked in its place.
  async enter(event) {
    const typed = this.box.value;
    if (typed.trim() && !this.at && !this.cards.length) {
      this.status.textContent = this.hint.textContent = "Loading the cards";
      await this.loading;
      if (!this.window.open || this.box.value !== typed) return;
      this.show();
    }
    this.choose(this.matches[this.at], event);
  }

  choose(match, event) {
    if (!match) return;
    if (!match.once) remember(keyOf(match));
    this.window.close();
    if (match.run) { match.run(); return; }
    if (event.ctrlKey || event.metaKey) open(match.href, "_blank", "noopener"); else location.assign(match.href);
  }
}

// A name with the letters marked that were typed.
function marked(element, name, typed) {
  let from = 0;
  for (const [begin, end] of typed ? places(typed, name) : []) {
    const mark = document.createElement("mark");
    mark.textContent = name.slice(begin, end);
    element.append(name.slice(from, begin), mark);
    from = end;
  }
  element.append(name.slice(from));
  return element;
}

const keyOf = (one) => one.href ?? one.id;

function best(rows, typed) {
  const lately = recent();
  const scored = rows.map((row) => {
    const names = [row.name, ...row.words];
    const each = names.map((name, at) => score(typed, name) * (at ? 0.9 : 1));
    const fits = Math.max(...each);
    const by = each.indexOf(fits); // a card that fits by another name is shown with that name
    const place = lately.indexOf(keyOf(row));
    const found = { ...row, typed, also: by && row.id && !row.run && !holds(typed, row.name) ? names[by] : "" };
    return [fits && fits + (place < 0 ? 0 : 120 - 10 * place) + (row.card ? 150 : 0), found];
  });
  return scored.filter(([fits]) => fits > 0).sort((one, other) => other[0] - one[0]).slice(0, SHOWN).map(([, row]) => row);
}

function recent() {
  try { return JSON.parse(localStorage.getItem(RECENT) ?? "[]").filter((key) => typeof key === "string"); } catch { return []; }
}

function remember(key) {
  const keys = [key, ...recent().filter((other) => other !== key)].slice(0, KEPT);
  try { localStorage.setItem(RECENT, JSON.stringify(keys)); } catch { /* then there is nothing recent */ }
}
