// The settings page: commands that can be copied, forms that say they are at it, times in one's own zone.
import { showKeyboard } from "./keys.js";

for (const code of document.querySelectorAll("[data-copy]")) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet copying", textContent: "Copy" });
  button.setAttribute("aria-label", `Copy ${code.textContent}`);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2500);
  });
  code.after(button);
}

for (const form of document.querySelectorAll("form[data-busy]")) {
  const button = form.querySelector("[type=submit]");
  const label = button.textContent;
  form.addEventListener("submit", () => {
    button.setAttribute("aria-disabled", "true");
    button.textContent = `${form.dataset.busy} …`;
  });
  addEventListener("pageshow", () => { button.removeAttribute("aria-disabled"); button.textContent = label; });
}

for (const time of document.querySelectorAll("[data-time]")) {
  time.textContent = new Date(time.dateTime).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

// After everything was deleted the browser's own memory of it goes too: drafts, recent choices, places on the map.
if (document.querySelector("[data-forget]")) {
  try {
    const kept = ["theme", "keys"];
    for (const key of Object.keys(localStorage)) if (!kept.includes(key)) localStorage.removeItem(key);
    sessionStorage.clear();
  } catch { /* storage is off: there is nothing in it */ }
}

document.querySelector("[data-keyboard-open]").addEventListener("click", showKeyboard);
