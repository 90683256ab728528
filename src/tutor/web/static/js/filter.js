// The library's filter while typing; without scripts the same form asks the server.
function setUp(form) {
  const box = form.querySelector("[data-filter]");
  const count = form.querySelector("[data-filter-count]");
  const none = document.querySelector("[data-filter-none]");
  const shelves = [...document.querySelectorAll("[data-shelf]")];
  const total = count.textContent.split(" ")[2];
  if (box.value) return; // the server has left the others out: the next change asks it again

  function apply() {
    const needles = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let all = 0;
    for (const shelf of shelves) {
      let shown = 0;
      for (const item of shelf.querySelectorAll("[data-words]")) {
        item.hidden = !needles.every((needle) => item.dataset.words.includes(needle));
        shown += !item.hidden;
      }
      shelf.hidden = shown === 0;
      shelf.querySelector(".count").textContent = shown;
      all += shown;
    }
    none.hidden = all > 0;
    count.textContent = `${all} of ${total} documents`;
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  box.addEventListener("input", apply);
  box.addEventListener("keydown", (event) => { if (event.key === "Escape") { box.value = ""; apply(); } });
}

const form = document.querySelector("[data-filter-form]");
if (form) setUp(form); // an empty library has none
