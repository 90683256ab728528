// Dark or light: the system's choice until the button is used, then what was chosen.
function setUp(button) {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const show = () => button.setAttribute("aria-pressed", String(isDark()));

  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* not kept, still switched */ }
    show();
  });
  system.addEventListener("change", show);
  show();
}

setUp(document.querySelector("[data-theme-toggle]"));
