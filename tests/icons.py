"""Draws the application's icons from ``static/icon.svg``: ``python tests/icons.py``. Needs playwright and Chromium.

A maskable icon is cut to a circle or a rounded square by the system: the sign stands in its middle four fifths (the
safe zone of the web manifest), on a ground that fills the square.
"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import sync_playwright

from pages import CHROMIUM, FLAGS

STATIC = Path(__file__).resolve().parents[1] / "src" / "tutor" / "web" / "static"
GROUND = "#20594a"
SAFE = 0.8


def main() -> None:
    svg = (STATIC / "icon.svg").read_text(encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for size, suffix in ((192, ""), (512, ""), (192, "-maskable"), (512, "-maskable"), (180, "")):
            inner = round(size * SAFE) if suffix or size == 180 else size  # iOS rounds corners of its own
            ground = GROUND if inner < size else "transparent"
            page = browser.new_page(viewport={"width": size, "height": size})
            page.set_content(
                f"<style>body{{margin:0;height:100vh;display:grid;place-items:center;background:{ground}}}"
                f"svg{{width:{inner}px;height:{inner}px}}</style>{svg}"
            )
            page.screenshot(path=STATIC / "icons" / f"{size}{suffix}.png", omit_background=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
