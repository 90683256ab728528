// What every page has. What one page alone needs is in a module of its own, named in that page's template.
import "./toggle.js";
import "./keys.js";

document.querySelector("main #cited")?.scrollIntoView({ block: "center" });
