// Moving about the map: its view box is moved and scaled. Without scripts the drawing scrolls in its frame.
import { singleKeys } from "./keys.js";
import { View } from "./map-view.js";

const frame = document.querySelector("[data-map]");
const drawing = frame.querySelector("[data-drawing]");
const nodes = [...drawing.querySelectorAll(".node")];
const curves = [...drawing.querySelectorAll(".curves path")];
const view = new View(frame, drawing);

// The lines of the card that is pointed at or focused.
function light(node) {
  const id = node?.dataset.id;
  const near = new Set();
  for (const curve of curves) {
    const touches = Boolean(id) && (curve.dataset.from === id || curve.dataset.to === id);
    curve.classList.toggle("near", touches);
    if (touches) near.add(curve.dataset.from).add(curve.dataset.to);
  }
  drawing.classList.toggle("lit", near.size > 0);
  for (const one of nodes) one.classList.toggle("near", near.has(one.dataset.id));
}

const place = (node) => ({ x: Number(node.dataset.x), y: Number(node.dataset.y) });

// From a card to the nearest one in a direction; what lies straight ahead counts as nearer.
function next(node, key) {
  const from = place(node);
  const [ax, ay] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[key];
  const far = (other) => {
    const dx = place(other).x - from.x;
    const dy = place(other).y - from.y;
    const ahead = dx * ax + dy * ay;
    return ahead > 0 ? ahead + 2 * Math.abs(dx * ay + dy * ax) : Infinity;
  };
  const best = nodes.reduce((found, other) => (far(other) < far(found) ? other : found), node);
  return best === node ? null : best;
}

drawing.addEventListener("pointerover", (event) => light(event.target.closest(".node")));
drawing.addEventListener("pointerleave", () => light(null));
drawing.addEventListener("focusin", (event) => {
  const node = event.target.closest(".node");
  light(node);
  if (node?.matches(":focus-visible")) view.bring(place(node));
});
drawing.addEventListener("focusout", () => light(null));

frame.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const node = event.target.closest(".node");
  if (event.key.startsWith("Arrow")) {
    event.preventDefault();
    if (node) next(node, event.key)?.focus(); else view.step(event.key);
  } else if (event.key.toLowerCase() === "n" && node?.matches(".found") && singleKeys()) {
    const found = matching();
    focusOn(found[(found.indexOf(node) + (event.shiftKey ? -1 : 1) + found.length) % found.length]);
  } else if ("+=".includes(event.key)) view.zoom(1.25);
  else if (event.key === "-") view.zoom(0.8);
  else if (event.key === "0") view.whole();
});
for (const button of document.querySelectorAll("[data-zoom]")) {
  const does = { in: () => view.zoom(1.4), out: () => view.zoom(1 / 1.4), whole: () => view.whole() }[button.dataset.zoom];
  button.addEventListener("click", does);
}

// The find box marks while one types. Enter goes to the card, where Enter opens it and "n" goes on to the next one; from
// the box again it is the next one too. Where there is none the server is asked.
const form = document.querySelector("[data-map-find]");
const box = form.querySelector("input");
let turn = 0;
function matching() {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  const name = (node) => node.getAttribute("aria-label").toLowerCase();
  return words.length ? nodes.filter((node) => words.every((word) => name(node).includes(word))) : [];
}
function mark() {
  const found = new Set(matching());
  for (const node of nodes) node.classList.toggle("found", found.has(node));
  return [...found];
}
function focusOn(node) {
  view.bring(place(node), true);
  node.focus({ preventScroll: true }); // the view box has it in the middle already
}
box.addEventListener("input", () => {
  turn = 0;
  const [first] = mark();
  if (first) view.bring(place(first));
});
form.addEventListener("submit", (event) => {
  const found = mark();
  if (!found.length || event.submitter?.matches(":focus")) return;
  event.preventDefault();
  const asked = new URLSearchParams(location.search);
  asked.set("find", box.value.trim());
  history.replaceState(null, "", `?${asked}`);
  focusOn(found[turn % found.length]);
  turn += 1;
});
if (box.value) mark();

view.begin(nodes.find((node) => node.classList.contains("goal")) ?? nodes.find((node) => node.classList.contains("found")));
