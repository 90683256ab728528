// The side pane: a citation's card, scrolled to the highlighted passage.
export function setUpPane(pane) {
  const body = pane.querySelector("[data-pane-body]");
  let opener = null;
  let latest = 0;

  function close() {
    pane.hidden = true;
    if (opener) { opener.setAttribute("aria-expanded", "false"); opener.focus(); }
    opener = null;
  }

  async function open(link) {
    const turn = ++latest;
    if (opener) opener.setAttribute("aria-expanded", "false");
    opener = link;
    link.setAttribute("aria-expanded", "true");
    pane.hidden = false;
    body.textContent = "Opening…";
    pane.querySelector("[data-pane-open]").href = link.href;
    const url = new URL(link.href);
    url.hash = "";
    url.searchParams.set("fragment", "true");
    try {
      const response = await fetch(url, { headers: { accept: "text/html" } });
      const html = await response.text();
      if (turn !== latest) return;
      // Rendered and sanitised on the server, from the same route that the plain link opens.
      body.replaceChildren(...new DOMParser().parseFromString(html, "text/html").querySelectorAll(".read"));
      for (const element of body.querySelectorAll("h2[id]")) element.removeAttribute("id");
      const cited = body.querySelector("#cited");
      pane.focus({ preventScroll: true });
      if (cited) cited.scrollIntoView({ block: "center" }); else body.scrollTop = 0;
    } catch {
      if (turn === latest) body.textContent = "The card could not be opened. Is tutor still running?";
    }
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-cite]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    open(link);
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !pane.hidden) close(); });
  pane.querySelector("[data-pane-close]").addEventListener("click", close);
}
