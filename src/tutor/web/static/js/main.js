import { setUpAsk } from "./ask.js";
import { setUpFilter } from "./filter.js";
import { setUpKeys } from "./keys.js";
import { setUpPane } from "./pane.js";
import { setUpToggle } from "./toggle.js";

const parts = {
  "[data-theme-toggle]": setUpToggle,
  "[data-filter-form]": setUpFilter,
  "[data-pane]": setUpPane,
  "[data-ask]": setUpAsk,
};
for (const [selector, setUp] of Object.entries(parts)) {
  const element = document.querySelector(selector);
  if (element) setUp(element);
}
setUpKeys();
document.querySelector("main #cited")?.scrollIntoView({ block: "center" });
