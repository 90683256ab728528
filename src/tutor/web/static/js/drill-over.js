// After a drill or one of its tasks: what was typed while the last answer was read is shown, not lost.
import { showLater } from "./drill-later.js";

showLater(document.querySelector("main"));
