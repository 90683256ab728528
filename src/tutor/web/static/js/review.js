// Review by keys: Space shows the answer, 1 to 4 rate it. What was typed outlives a reload.
import { singleKeys } from "./keys.js";

function typing(target) {
  return target.closest("input:not([type=range]), textarea, select, [contenteditable], button, a, summary");
}

function setUp() {
  const part = document.querySelector("[data-review]");
  const form = part?.querySelector("[data-reveal]");
  if (!form) return;
  const slider = form.querySelector("[type=range]");
  const box = form.querySelector("textarea");
  const output = form.querySelector("[data-sure]");
  const show = () => { output.textContent = `${slider.value} %`; };
  try {
    const kept = JSON.parse(sessionStorage.getItem("review") ?? "null");
    if (kept?.ref === part.dataset.ref) { box.value ||= kept.said; slider.value = kept.sure; }
  } catch { /* what is kept there is not ours, or storage is off */ }
  const keep = () => {
    show();
    try {
      sessionStorage.setItem("review", JSON.stringify({ ref: part.dataset.ref, said: box.value, sure: slider.value }));
    } catch { /* storage is off: a reload loses what was typed, nothing else */ }
  };
  slider.addEventListener("input", keep);
  box.addEventListener("input", keep);
  show();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || document.querySelector("dialog[open]")) return;
  if (!singleKeys()) return;
  const button = event.key === " " ? document.querySelector("[data-show]")
    : /^[1-4]$/.test(event.key) ? document.querySelector(`[data-rating="${event.key}"]`) : null;
  const busy = event.key === " " ? typing(event.target) : event.target.closest("input, textarea, select");
  if (!button || busy) return;
  event.preventDefault();
  button.form.requestSubmit(button);
});
document.addEventListener("swapped", setUp);
setUp();
