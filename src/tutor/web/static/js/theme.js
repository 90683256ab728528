// Runs before the first paint, so that a stored theme does not flash. Not a module, because modules run later.
// globalThis.theme is what the button, the palette and the settings page switch it by.
{
  const root = document.documentElement;
  const metas = [...document.querySelectorAll("meta[name=theme-color]")].map((meta) => [meta, meta.content]);
  const known = (name) => (name === "dark" || name === "light" ? name : "system");

  // The window's frame takes the first meta whose medium fits: with a theme of one's own, both have its colour.
  const apply = (name) => {
    if (name === "system") delete root.dataset.theme; else root.dataset.theme = name;
    const [, own] = metas.find(([meta]) => meta.media.includes(name)) ?? [];
    for (const [meta, colour] of metas) meta.content = own ?? colour;
  };

  const stored = () => {
    try { return known(localStorage.getItem("theme")); } catch { return root.dataset.theme ?? "system"; }
  };

  globalThis.theme = {
    names: ["system", "light", "dark"],
    get: stored,
    set(name) {
      apply(known(name));
      try { localStorage.setItem("theme", known(name)); } catch { /* not kept, still switched */ }
      document.dispatchEvent(new CustomEvent("theme", { detail: known(name) }));
    },
  };
  root.classList.add("js");
  apply(stored());
  addEventListener("storage", (event) => {
    if (event.key !== "theme") return;
    apply(known(event.newValue));
    document.dispatchEvent(new CustomEvent("theme", { detail: known(event.newValue) }));
  });
}
