"""What the tests of the pages share: a browser, a server of the whole curriculum, windows that watch for trouble."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pages import CHROMIUM, FLAGS, running
from tutor.bootstrap import App
from tutor.settings import Settings


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (pip install playwright)")
    if CHROMIUM is None:
        pytest.skip("needs Chromium on the PATH (apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(curriculum_home: Path) -> Iterator[str]:
    """A server of the whole curriculum, with a home of the module's own: what a test writes, later ones see."""
    with running(App(Settings(home=curriculum_home))) as address:
        yield address


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Opens a page in a fresh window; fails on a script error, a policy violation or a request to elsewhere."""
    contexts: list[Any] = []
    problems: list[str] = []

    def open_page(
        path: str = "/", *, width: int = 1280, height: int = 860, address: str = address, **options: Any
    ) -> Any:
        options.setdefault("reduced_motion", "reduce")
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if "Policy" in message.text else None)
        page.on("request", lambda r: None if r.url.startswith((address, "blob:", "data:")) else problems.append(r.url))
        page.goto(address + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not problems
