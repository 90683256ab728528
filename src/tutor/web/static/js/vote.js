// Votes without leaving the page: the same forms that work without scripts, sent from here.
function setUp(root) {
  async function send(form, vote) {
    const whole = form.closest("[data-vote]");
    const told = whole.querySelector("[data-told]");
    const data = new FormData(form);
    data.delete("once"); // a vote may be changed from the same page
    data.set("vote", vote);
    told.textContent = "Sending";
    try {
      // The answer to a form is a way to another page, which is not gone.
      const response = await fetch(form.action, {
        method: "POST",
        body: new URLSearchParams(data),
        headers: { accept: "application/json" },
        redirect: "manual",
      });
      if (response.type !== "opaqueredirect") {
        const body = await response.json().catch(() => null);
        throw new Error(body?.error ? `${body.error.what}. ${body.error.fix}` : "The server refused it");
      }
      const reason = data.get("reason");
      told.textContent = `Kept: ${vote === "up" ? "helpful" : "not helpful"}${reason ? `, ${reason}` : ""}. Thank you.`;
      mark(whole, vote);
    } catch (error) {
      const why = error instanceof TypeError ? "the server does not answer" : error.message;
      told.textContent = `Not kept: ${why}`;
    }
  }

  function mark(whole, vote) {
    whole.querySelector("[value=up]").setAttribute("aria-pressed", String(vote === "up"));
    whole.querySelector("[data-down]").toggleAttribute("data-chosen", vote === "down");
  }

  root.addEventListener("submit", (event) => {
    const form = event.target;
    const whole = form.closest("[data-vote]");
    if (!whole) return;
    event.preventDefault();
    const why = whole.querySelector("[data-why]");
    why.open = false;
    send(form, event.submitter?.value ?? "down");
    if (event.submitter?.value === "down") why.querySelector("summary").focus();
  });
  // Thumbs down count at once; why is asked afterwards, and may be left out.
  root.addEventListener("click", (event) => {
    const down = event.target.closest("[data-down]");
    const why = down?.closest("[data-why]");
    // Opened only after this click: then the reasons are brought above the box that stays at the bottom.
    if (why && !why.open) why.addEventListener("toggle", () => why.querySelector("form").scrollIntoView({ block: "nearest" }), { once: true });
    if (!down || down.hasAttribute("data-chosen")) return;
    send(down.closest("[data-why]").querySelector("form"), "down");
  });
}

setUp(document.querySelector("[data-ask]"));
