// The theme's button goes round system, light and dark; the settings page has the same three as a choice.
const names = { system: "System", light: "Light", dark: "Dark" };
const button = document.querySelector("[data-theme-toggle]");
const choices = document.querySelectorAll("[data-theme-choice]");

function show(name) {
  button.querySelector("[data-theme-name]").textContent = names[name];
  for (const choice of choices) choice.checked = choice.value === name;
}

button.addEventListener("click", () => {
  const all = globalThis.theme.names;
  globalThis.theme.set(all[(all.indexOf(globalThis.theme.get()) + 1) % all.length]);
});
for (const choice of choices) choice.addEventListener("change", () => globalThis.theme.set(choice.value));
document.addEventListener("theme", (event) => show(event.detail));
show(globalThis.theme.get());
