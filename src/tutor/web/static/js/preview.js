// What a citation's chip leads to, shown beside it on hover and on focus: its card, where in it, and the quoted words.
// As WCAG 1.4.13 wants it: the pointer may move onto it, Escape puts it away, and it stays until either leaves.
const OPEN_MS = 120;
const CLOSE_MS = 200;

function setUp(root) {
  const box = document.querySelector("[data-preview-template]").content.firstElementChild.cloneNode(true);
  let chip = null;
  let timer = 0;
  let dismissed = null; // the chip whose preview Escape has put away, until the pointer or the focus comes anew

  // The answer's list of sources holds what is shown, once for all its chips.
  function source(link) {
    return link.closest("[data-answer]")?.querySelector(`.sources [data-cite="${link.dataset.cite}"][data-quote]`);
  }

  function place(link) {
    const at = link.getBoundingClientRect();
    const width = Math.min(360, document.documentElement.clientWidth - 24);
    box.style.width = `${width}px`;
    const left = Math.min(Math.max(12, at.left - 24), document.documentElement.clientWidth - width - 12);
    const below = at.bottom + box.offsetHeight + 12 < innerHeight || at.top < box.offsetHeight + 12;
    box.style.left = `${left + scrollX}px`;
    box.style.top = `${(below ? at.bottom + 4 : at.top - box.offsetHeight - 4) + scrollY}px`;
  }

  function show(link) {
    const found = source(link);
    if (!found || link === dismissed || link === chip) return;
    close();
    chip = link;
    const where = found.title || found.dataset.where || "";
    const title = found.dataset.title;
    const below = where.startsWith(`${title} › `) ? where.slice(title.length + 3) : where === title ? "" : where;
    box.querySelector("[data-preview-title]").textContent = title;
    box.querySelector("[data-preview-place]").textContent = below;
    box.querySelector("[data-preview-quote]").textContent = found.dataset.quote;
    root.append(box);
    place(link);
    link.setAttribute("aria-describedby", "preview");
  }

  function close() {
    clearTimeout(timer);
    chip?.removeAttribute("aria-describedby");
    chip = null;
    box.remove();
  }

  function soon(work, after) {
    clearTimeout(timer);
    timer = setTimeout(work, after);
  }

  // The browser's own tooltip says less, and would stand over this one.
  function bare(link) {
    if (link.title) { link.dataset.where = link.title; link.removeAttribute("title"); }
    return link;
  }

  root.addEventListener("pointerover", (event) => {
    const link = event.target.closest("a[data-cite]");
    if (!link || event.pointerType === "touch") return;
    bare(link);
    const listed = source(link);
    if (listed) bare(listed);
    if (chip === link) clearTimeout(timer); else soon(() => show(link), OPEN_MS);
  });
  root.addEventListener("pointerout", (event) => {
    const link = event.target.closest("a[data-cite]");
    if (!link) return;
    dismissed = null;
    if (link !== document.activeElement || !link.matches(":focus-visible")) soon(close, CLOSE_MS);
  });
  root.addEventListener("focusin", (event) => {
    const link = event.target.closest("a[data-cite]");
    if (link?.matches(":focus-visible")) { clearTimeout(timer); show(bare(link)); }
  });
  // Back from the pane: the passage was just read, and its preview would only cover the chips below.
  root.addEventListener("pane-closed", (event) => { dismissed = event.target; });
  root.addEventListener("focusout", () => { dismissed = null; close(); });
  root.addEventListener("click", close);
  box.addEventListener("pointerenter", () => clearTimeout(timer));
  box.addEventListener("pointerleave", () => soon(close, CLOSE_MS));
  // First: with a preview open, Escape puts only that away, and not the side pane.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !chip) return;
    event.stopImmediatePropagation();
    dismissed = chip;
    close();
  }, true);
  addEventListener("resize", close);
}

setUp(document.querySelector("[data-ask]"));
