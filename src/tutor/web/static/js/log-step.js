// Where the plan is, first among the steps to choose from: it is that of the entry's day, also once another day is chosen.

// Gives a function that asks for the step anew, for a day that was not typed.
export function followDay(form) {
  const [day, item] = ["day", "item"].map((name) => form.elements.namedItem(name)); // elements.item is a method
  let chosen = false; // whether the learner chose where the plan is: then the choice goes with the day
  let latest = 0;

  const group = () => item.querySelector("optgroup[data-now]");

  function show(step) {
    const was = item.value;
    const moves = chosen;
    group()?.remove();
    if (step) {
      const made = document.createElement("optgroup");
      made.dataset.now = "";
      made.label = step.label;
      made.append(new Option(step.title, step.item));
      item.options[0].after(made);
    }
    if (!moves) { item.value = was; return; }
    item.value = step?.item ?? ""; // also while a date is half typed: the next day may have one again
    item.dispatchEvent(new Event("input", { bubbles: true })); // the draft has it, too
  }

  async function ask() {
    latest += 1;
    const turn = latest;
    try {
      const response = await fetch(`/log/step?day=${encodeURIComponent(day.value)}`);
      if (response.ok && turn === latest) show(await response.json());
    } catch { /* the server is away: what is chosen stays */ }
  }

  item.addEventListener("change", () => { chosen = item.selectedOptions[0]?.parentElement === group(); });
  day.addEventListener("change", ask);
  return ask;
}
