// Runs before the first paint, so that a stored theme does not flash. Not a module, because modules run later.
document.documentElement.classList.add("js");
try {
  const stored = localStorage.getItem("theme");
  if (stored === "dark" || stored === "light") document.documentElement.dataset.theme = stored;
} catch { /* storage may be off; the system's theme holds */ }
