// The grade: pointing at a point lights the words it rests on, and the other way round. The links work without this.
function setUp(root) {
  const lit = (element) => (element.dataset.labels ?? element.dataset.label ?? "").split(" ").filter(Boolean);
  const all = [...root.querySelectorAll("[data-labels]")];

  function light(labels) {
    for (const element of all) element.classList.toggle("lit", lit(element).some((label) => labels.includes(label)));
  }

  for (const name of ["pointerover", "focusin"]) {
    root.addEventListener(name, (event) => {
      const over = event.target.closest("[data-labels], [data-label]");
      light(over ? lit(over) : []);
    });
  }
  root.addEventListener("pointerleave", () => light([]));
}

setUp(document.querySelector("[data-graded]"));
