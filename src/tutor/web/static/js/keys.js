// Keys that work on every page while nobody is typing. Single keys can be turned off (WCAG 2.1.4): see Settings.
import { openPalette } from "./palette.js";

const TYPING = "input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]";
const WAIT_MS = 2000; // for the letter after "g"
const keyboard = document.getElementById("keyboard");
let begun = -WAIT_MS; // when "g" was pressed, on the clock of events, which begins with the page

export function singleKeys() {
  try { return localStorage.getItem("keys") !== "off"; } catch { return true; }
}

export function showKeyboard() {
  if (!keyboard.open) keyboard.showModal();
}

function single(event) {
  if (event.key === "/") {
    const box = document.querySelector("#q, #filter, [data-box]");
    box?.focus();
    return Boolean(box);
  }
  if (event.key === "?") { showKeyboard(); return true; }
  const going = event.timeStamp - begun < WAIT_MS;
  begun = event.key === "g" && !going ? event.timeStamp : -WAIT_MS;
  const place = going ? document.querySelector(`[data-go="${CSS.escape(event.key)}"]`) : null;
  place?.click();
  return Boolean(place);
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  const chord = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  if (chord && event.key.toLowerCase() === "k") { event.preventDefault(); openPalette(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || !singleKeys()) return;
  if (event.target.closest?.(TYPING) || document.querySelector("dialog[open]")) return;
  if (single(event)) event.preventDefault();
});
document.querySelector("[data-palette-open]").addEventListener("click", () => openPalette());
if (/mac|iphone|ipad/i.test(navigator.platform)) {
  document.querySelector("[data-palette-open] kbd").textContent = "⌘ K";
}
for (const button of document.querySelectorAll("dialog [data-close]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}
// A press beside a dialog closes it, as Escape does.
keyboard.addEventListener("click", (event) => { if (event.target === keyboard) keyboard.close(); });
const choice = document.querySelector("[data-keys-choice]");
if (choice) {
  choice.checked = singleKeys();
  choice.addEventListener("change", () => {
    try { localStorage.setItem("keys", choice.checked ? "on" : "off"); } catch { /* holds for nothing then */ }
  });
}
