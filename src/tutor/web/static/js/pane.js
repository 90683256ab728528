// The side pane: a citation's document, scrolled to the highlighted passage. On narrow screens it covers the page, and
// the way back closes it.
function setUp(pane) {
  const body = pane.querySelector("[data-pane-body]");
  const narrow = matchMedia("(max-width: 62rem)");
  const behind = [...document.querySelectorAll("[data-rail], [data-ask]")];
  let opener = null;
  let latest = 0;
  let step = ""; // the pane's own in the way back: "taken" while it covers the page, "leaving" until it is gone

  function show(on) {
    pane.hidden = !on;
    document.body.classList.toggle("with-pane", on);
    for (const element of behind) element.inert = on && narrow.matches;
    if (!on || !narrow.matches || step) return;
    step = "taken";
    history.pushState({ pane: true }, "");
  }

  function close() {
    latest += 1;
    show(false);
    if (step === "taken") {
      step = "leaving";
      history.back();
    }
    opener?.setAttribute("aria-expanded", "false");
    opener?.dispatchEvent(new Event("pane-closed", { bubbles: true }));
    opener?.focus();
    opener = null;
  }

  async function open(link) {
    latest += 1;
    const turn = latest;
    opener?.setAttribute("aria-expanded", "false");
    opener = link;
    link.setAttribute("aria-expanded", "true");
    show(true);
    body.replaceChildren();
    body.setAttribute("aria-busy", "true");
    pane.querySelector("[data-pane-open]").href = link.href;
    pane.focus({ preventScroll: true });
    const url = new URL(link.href);
    url.hash = "";
    url.searchParams.set("fragment", "true");
    try {
      const response = await fetch(url, { headers: { accept: "text/html" } });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      if (turn !== latest) return;
      // Rendered and sanitised on the server, by the route that the plain link opens.
      body.replaceChildren(...page.querySelectorAll(".sheet"));
      for (const element of body.querySelectorAll("[id]:not(mark)")) element.removeAttribute("id");
      const cited = body.querySelector("#cited");
      if (cited) cited.scrollIntoView({ block: "center" }); else body.scrollTop = 0;
    } catch {
      if (turn === latest) body.textContent = "The document could not be opened. Is tutor still running?";
    } finally {
      if (turn === latest) body.removeAttribute("aria-busy");
    }
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-cite]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    open(link);
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !pane.hidden) close(); });
  window.addEventListener("popstate", () => {
    const back = step;
    step = "";
    if (back === "taken") close();
  });
  narrow.addEventListener("change", () => { if (!pane.hidden) show(true); });
  pane.querySelector("[data-pane-close]").addEventListener("click", close);
}

setUp(document.querySelector("[data-pane]"));
