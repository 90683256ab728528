"""Pictures of every page, to be looked at before a release: ``python tests/shots.py OUT [PATH …]``.

Each page in light and dark at 1280 pixels and in light at 360, whole, as ``OUT/<page>-<light|dark|narrow>.png``. The
server has the whole curriculum and a home of its own (``TEST_CURRICULUM`` names one that was indexed before); paths
after OUT are taken instead of the navigation's. Needs playwright and Chromium.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from pages import CHROMIUM, FLAGS, overflow, running, violations
from tutor.bootstrap import App
from tutor.settings import Settings
from tutor.web.views import NAVIGATION

KINDS = {"light": (1280, 860, "light"), "dark": (1280, 860, "dark"), "narrow": (360, 740, "light")}
#: Pages that the navigation leads to only by a step more.
MORE = (
    "/?q=When is Kafka the wrong choice?",
    "/?q=How do I bake sourdough bread?",
    "/conversations",
    "/review",
    "/documents/kafka",
    "/drill?request=kafka",
    "/map?goal=kafka",
    "/map?thread=caching",
    "/design",
    "/docs",
    "/nowhere",
)


def main(arguments: Sequence[str]) -> int:
    """Write the pictures; 1 where a page is broken, scrolls sideways or has a violation of axe's rules."""
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    out, wanted = Path(arguments[0]), arguments[1:] or [*(path for path, _, _ in NAVIGATION), *MORE]
    out.mkdir(parents=True, exist_ok=True)
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        home = Path(scratch) / "home"
        if made := os.environ.get("TEST_CURRICULUM"):
            shutil.copytree(made, home)
        core = App(Settings(home=home))
        core.ensure_index()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with running(core) as address:
            for path in wanted:
                for kind in KINDS:
                    wrong += _shot(browser, address, path, kind, out)
        browser.close()
    return 1 if wrong else 0


def _shot(browser: Any, address: str, path: str, kind: str, out: Path) -> int:
    """One picture; how many things are wrong with the page."""
    width, height, scheme = KINDS[kind]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    response = page.goto(address + path)
    page.wait_for_load_state("networkidle")
    name = re.sub(r"\W+", "-", path).strip("-") or "ask"
    page.screenshot(path=out / f"{name}-{kind}.png", full_page=True)
    if response.status not in (200, 404):
        problems.append(f"status {response.status}")
    problems += [*violations(page), *overflow(page)]
    context.close()
    print(f"{name}-{kind}: {'; '.join(problems) or 'fine'}", flush=True)
    return len(problems)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
