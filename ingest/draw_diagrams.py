"""Draw the curriculum's Mermaid diagrams: a plain SVG each, named after its source, in ``src/tutor/web/diagrams``.

    npm install --prefix DIR mermaid@11.17.2
    python ingest/draw_diagrams.py DIR/node_modules/mermaid/dist/mermaid.min.js [--all]

Needs the extra ``dev`` (Playwright) and Chromium. A diagram whose source has not changed is left alone, so that
another machine's fonts do not redraw them all; ``--all`` draws every one anew. Drawings without a source are removed.
``docs/decisions/0010-diagrams-drawn-beforehand.md`` says why they are drawn here and not in the reader's browser.
"""

from __future__ import annotations

import shutil
import sys
from html import escape
from pathlib import Path
from typing import Any

from tutor.web.drawings import FOLDER, name_of, sources

ROOT = Path(__file__).resolve().parents[1]
#: Widest text on any reader's machine is about DejaVu's: boxes that fit it fit every other font.
SETTINGS = {
    "startOnLoad": False,
    "securityLevel": "strict",
    "theme": "base",
    "look": "classic",
    "htmlLabels": False,
    "fontFamily": "DejaVu Sans",
    "fontSize": 13,
    "themeVariables": {"fontFamily": "DejaVu Sans", "fontSize": "13px"},
    # Close together: a card's text is 43 rem wide, and most flows go from left to right.
    "flowchart": {
        "htmlLabels": False,
        "useMaxWidth": False,
        "nodeSpacing": 26,
        "rankSpacing": 30,
        "padding": 9,
        "wrappingWidth": 120,
    },
    "sequence": {
        "useMaxWidth": False,
        "mirrorActors": False,
        "actorMargin": 40,
        "height": 48,
        "wrap": False,
        **{f"{part}FontFamily": "DejaVu Sans" for part in ("actor", "note", "message")},
        **{f"{part}FontSize": 13 for part in ("actor", "note", "message")},
    },
    "class": {"htmlLabels": False, "useMaxWidth": False},
    "state": {"useMaxWidth": False, "nodeSpacing": 60, "rankSpacing": 60},
}
KINDS = {"flowchart": "Flow", "sequence": "Sequence", "class": "Classes", "state": "States"}


def main(library: Path, *, everything: bool) -> None:
    """Draw what has no drawing yet, and remove what has no source any more."""
    wanted = {
        name_of(source): source for text in (ROOT / "corpus").rglob("*.md") for source in sources(text.read_text())
    }
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.svg"):
        if path.stem not in wanted:
            path.unlink()
            print(f"removed {path.name}")
    todo = {n: s for n, s in wanted.items() if everything or not (FOLDER / f"{n}.svg").exists()}
    if todo:
        _draw(library, todo)
    size = sum(path.stat().st_size for path in FOLDER.glob("*.svg"))
    print(f"{len(todo)} drawn, {len(wanted)} in all, {size:,} bytes")


def _draw(library: Path, todo: dict[str, str]) -> None:
    from playwright.sync_api import Error, sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1600, "height": 1200})
        page.set_content('<!doctype html><body><div id="stage"></div></body>')
        page.add_script_tag(path=library)
        page.add_script_tag(path=Path(__file__).with_name("draw_diagrams.js"))
        page.evaluate("(settings) => mermaid.initialize(settings)", SETTINGS)
        for name, source in sorted(todo.items()):
            try:
                found: dict[str, Any] = page.evaluate("(source) => draw(source)", _readable(source))
            except Error as error:
                sys.exit(f"Mermaid cannot read this diagram:\n\n{source}\n{error}")
            (FOLDER / f"{name}.svg").write_text(_labelled(found) + "\n", encoding="utf-8")
        browser.close()


def _readable(source: str) -> str:
    """A source as Mermaid draws it well.

    A semicolon ends a statement, also in the middle of a message: there it is written by its number. States stand
    side by side, where there is room for what their arrows say.
    """
    kind = source.split(maxsplit=1)[0]
    if kind == "sequenceDiagram":
        return source.replace(";", "#59;")
    return source.replace(kind, f"{kind}\n  direction LR", 1) if kind == "stateDiagram-v2" else source


def _labelled(found: dict[str, Any]) -> str:
    """The drawing with what it says as its name: an image for those who do not see it."""
    kind = next((shown for prefix, shown in KINDS.items() if found["words"]["kind"].startswith(prefix)), "Diagram")
    label = f"{kind}: " + "; ".join(found["words"]["said"])
    svg: str = found["svg"]
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1)


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if a != "--all"]
    if len(arguments) != 1:
        sys.exit(__doc__)
    main(Path(arguments[0]), everything="--all" in sys.argv)
