import { setUpAsk } from "./ask.js";
import { setUpPane } from "./pane.js";

document.querySelector("[data-theme-toggle]").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try { localStorage.setItem("theme", root.dataset.theme); } catch { /* not kept, still switched */ }
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const box = document.querySelector("#q, [data-filter]");
    if (box) { event.preventDefault(); box.focus(); }
  }
});

const filter = document.querySelector("[data-filter]");
if (filter) {
  filter.addEventListener("input", () => {
    const wanted = filter.value.trim().toLowerCase();
    let any = false;
    for (const group of document.querySelectorAll("[data-group]")) {
      let shown = false;
      for (const item of group.querySelectorAll("[data-item]")) {
        item.hidden = !item.dataset.item.includes(wanted);
        shown ||= !item.hidden;
      }
      group.hidden = !shown;
      any ||= shown;
    }
    document.querySelector("[data-filter-none]").hidden = any;
  });
}

const pane = document.querySelector("[data-pane]");
if (pane) setUpPane(pane);
const ask = document.querySelector("[data-ask]");
if (ask) setUpAsk(ask);
const cited = document.getElementById("cited");
if (cited) cited.scrollIntoView({ block: "center" });
