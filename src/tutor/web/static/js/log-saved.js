// A saved entry: its draft is no longer needed, and a reload need not say "Saved" again.
import { arrived } from "./log-draft.js";

const saved = document.querySelector("[data-log-saved]");
if (saved) {
  arrived(saved.dataset.logSaved);
  history.replaceState(history.state, "", location.pathname);
}
