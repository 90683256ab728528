"""What the tests of the payloads do in a browser's page."""

from __future__ import annotations

from typing import Any

#: In the page: fetch addresses, parse each page as a browser does, look for what runs, and put it into this document.
PUT_IN = """async (paths) => {
  const found = [];
  const lively = /^(on.*|style|srcdoc)$/i;
  const foreign = "script, iframe, object, embed, base, meta, link, style, frame, img, video, math";
  for (const path of paths) {
    const response = await fetch(path, { headers: { accept: "text/html" } });
    if (response.status >= 500) found.push(`${path}: ${response.status}`);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const main = page.querySelector("main") ?? page.body;
    for (const element of page.querySelectorAll("*")) {
      const bad = element.getAttributeNames().filter((name) => lively.test(name));
      if (bad.length) found.push(`${path}: ${element.outerHTML.slice(0, 200)}`);
      for (const name of ["href", "src", "action", "formaction", "xlink:href"]) {
        if (!element.hasAttribute(name)) continue;
        const { protocol } = new URL(element.getAttribute(name), location.href);
        if (["http:", "https:", "mailto:"].includes(protocol)) continue;
        found.push(`${path}: ${element.outerHTML.slice(0, 200)}`);
      }
    }
    for (const element of main.querySelectorAll(foreign)) found.push(`${path}: ${element.outerHTML.slice(0, 200)}`);
    if (!page.title.includes("tutor")) found.push(`${path}: title ${page.title}`);
    const box = document.createElement("div");
    box.append(...main.childNodes);
    document.body.append(box);
    await new Promise((done) => setTimeout(done));
    box.remove();
  }
  return found;
}"""


def asked(page: Any, question: str) -> None:
    page.evaluate(
        """(question) => {
          const box = document.querySelector("#q");
          box.value = question;
          box.form.requestSubmit();
        }""",
        question,
    )
    page.wait_for_selector("[data-turn]:last-child > .timings, [data-turn]:last-child .failed", timeout=30_000)
