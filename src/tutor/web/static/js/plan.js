// Plans: a field chooses its line ("by the hours I have"), and a fragment opens the step that it is in.
function setUp() {
  for (const field of document.querySelectorAll("[data-chooses]")) {
    const choice = field.form.querySelector(`[name=speed][value=${field.dataset.chooses}]`);
    field.addEventListener("input", () => { choice.checked = Boolean(field.value) || choice.checked; });
    choice.addEventListener("change", () => field.focus());
  }
}

// Browsers open what a link leads into; a step's own address has to be opened here.
function reach() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let part = target.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
  target.scrollIntoView({ block: "start" });
}

document.addEventListener("swapped", setUp);
window.addEventListener("hashchange", reach);
setUp();
reach();
