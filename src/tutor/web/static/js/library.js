import { nearest } from "./near.js";

// The library's filters while typing and choosing; the address says what is shown. Without scripts the form asks the
// server, which sends all documents too and hides the same ones.
function setUp(form) {
  const box = form.querySelector("[data-words-box]");
  const facets = [...form.querySelectorAll("[data-facet]")];
  const count = form.querySelector("[data-count]");
  const none = document.querySelector("[data-none]");
  const slip = none.querySelector("[data-slip]");
  const tabs = [...document.querySelectorAll("[data-by]")];
  const clears = [...document.querySelectorAll("[data-clear]")];
  const shelves = [...document.querySelectorAll("[data-shelf]")].map((element) => ({
    element,
    shown: element.querySelector("[data-shown]"),
    rows: [...element.querySelectorAll("[data-words]")].map((item) => {
      const link = item.querySelector("a");
      const visible = `${link.textContent} ${item.querySelector("[data-details]").textContent}`;
      return {
        item,
        id: link.pathname,
        title: link.textContent,
        words: `${visible} ${item.dataset.words}`.toLowerCase(),
        facets: new Set(item.dataset.facets.split(" ")),
      };
    }),
  }));
  const total = new Set(shelves.flatMap((shelf) => shelf.rows.map((row) => row.id))).size;
  let frame = 0;
  let telling = 0;

  function apply() {
    const needles = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = facets.filter((one) => one.value).map((one) => `${one.name}-${one.value}`);
    const found = new Set();
    for (const shelf of shelves) {
      let shown = 0;
      for (const row of shelf.rows) {
        const fits = needles.every((needle) => row.words.includes(needle)) && chosen.every((one) => row.facets.has(one));
        if (row.item.hidden === fits) row.item.hidden = !fits;
        if (fits) { shown += 1; found.add(row.id); }
      }
      shelf.element.hidden = shown === 0;
      shelf.shown.textContent = shown;
    }
    none.hidden = found.size > 0;
    if (!found.size) meant(needles);
    count.textContent = `${found.size} of ${total} documents`;
    for (const link of clears) if (form.contains(link)) link.hidden = !needles.length && !chosen.length;
  }

  // Words of titles that are a slip away from what was typed.
  function meant(needles) {
    const titles = shelves.flatMap((shelf) => shelf.rows.map((row) => row.title.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []));
    const known = [...new Set(titles.flat())];
    const near = needles.map((needle) => (known.includes(needle) ? needle : nearest(needle, known)));
    const words = near.every(Boolean) && near.join(" ") !== needles.join(" ") ? near.join(" ") : "";
    slip.hidden = !words;
    slip.querySelector("button").textContent = words;
  }

  // What is chosen as an address, grouped as now or otherwise.
  function address(by) {
    const asked = new URLSearchParams();
    if (by && by !== "phase") asked.set("by", by);
    if (box.value.trim()) asked.set("filter", box.value.trim());
    for (const one of facets) if (one.value) asked.set(one.name, one.value);
    return `/documents${asked.size ? `?${asked}` : ""}`;
  }

  // Each choice of a filter is a step to come back to; what is typed is one step, however many keys it took.
  function tell(step = false) {
    const here = address(form.elements.by?.value);
    if (here !== location.pathname + location.search) history[step ? "pushState" : "replaceState"](null, "", here);
    for (const tab of tabs) tab.href = address(tab.dataset.by);
  }

  function changed(step = false) {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(apply);
    clearTimeout(telling);
    if (step) tell(true);
    else telling = setTimeout(tell, 150); // browsers refuse an address that changes with every key
  }

  function back() {
    clearTimeout(telling);
    const asked = new URLSearchParams(location.search);
    box.value = asked.get("filter") ?? "";
    for (const one of facets) one.value = asked.get(one.name) ?? "";
    apply();
    for (const tab of tabs) tab.href = address(tab.dataset.by);
  }

  function clear() {
    box.value = "";
    for (const one of facets) one.value = "";
    changed(true);
    box.focus();
  }

  for (const tab of tabs) tab.addEventListener("click", () => tell()); // the address of what is chosen at this moment
  form.addEventListener("submit", (event) => event.preventDefault());
  box.addEventListener("input", () => changed());
  slip.querySelector("button").addEventListener("click", (event) => { box.value = event.target.textContent; changed(true); box.focus(); });
  addEventListener("popstate", back);
  box.addEventListener("keydown", (event) => { if (event.key === "Escape" && box.value) { event.preventDefault(); box.value = ""; changed(); } });
  for (const one of facets) one.addEventListener("change", () => changed(true));
  for (const link of clears) link.addEventListener("click", (event) => { event.preventDefault(); clear(); });
  apply(); // a browser that goes back has put the fields' values back, the rows are as the server sent them
}

const form = document.querySelector("[data-library]");
if (form) setUp(form); // an empty library has none
