// A diagram that is wider than its place scrolls; with scripts it can be looked at large, to be drawn nearer.
const STEP = 1.25;
const [LEAST, MOST] = [0.3, 4];

function setUp(canvas) {
  const drawing = canvas.querySelector(".drawing");
  if (!drawing) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet enlarge no-print";
  button.textContent = "Enlarge";
  button.setAttribute("aria-haspopup", "dialog");
  button.addEventListener("click", () => enlarge(drawing, button));
  canvas.parentElement.append(button);
}

function enlarge(drawing, opener) {
  const dialog = document.createElement("dialog");
  dialog.className = "large";
  dialog.setAttribute("aria-label", "Diagram, enlarged");
  const copy = drawing.cloneNode(true);
  const place = document.createElement("div");
  place.className = "large-canvas";
  place.tabIndex = 0;
  place.setAttribute("role", "group");
  place.setAttribute("aria-label", "Diagram");
  place.append(copy);
  const natural = Number(drawing.getAttribute("width"));
  const ratio = Number(drawing.getAttribute("height")) / natural;
  let scale = 1;

  function show(wanted) {
    scale = Math.min(MOST, Math.max(LEAST, wanted));
    copy.setAttribute("width", Math.round(natural * scale));
    copy.setAttribute("height", Math.round(natural * ratio * scale));
  }
  const fitting = () => Math.min((place.clientWidth - 32) / natural, (0.75 * innerHeight) / (natural * ratio));
  const actions = [
    ["+", "Zoom in", () => show(scale * STEP)],
    ["−", "Zoom out", () => show(scale / STEP)],
    ["Fit", "", () => show(fitting())],
    ["Close", "", () => dialog.close()],
  ];
  const bar = document.createElement("p");
  bar.className = "row large-bar";
  for (const [name, label, action] of actions) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = name === "Close" ? "" : "second";
    button.textContent = name;
    if (label) button.setAttribute("aria-label", label);
    button.addEventListener("click", action);
    bar.append(button);
  }
  dialog.append(bar, place);
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "+" || event.key === "=") show(scale * STEP);
    if (event.key === "-") show(scale / STEP);
    if (event.key === "0") show(fitting());
  });
  dialog.addEventListener("close", () => { dialog.remove(); opener.focus(); });
  document.body.append(dialog);
  dialog.showModal();
  show(Math.min(1.6, Math.max(0.85, fitting()))); // readable at once, and a small one is not blown up
}

for (const canvas of document.querySelectorAll(".canvas")) setUp(canvas);
