"""What the tests of the pages share: a browser, a server of the whole curriculum, windows that watch for trouble."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pages import CHROMIUM, FLAGS, running
from tutor.bootstrap import App
from tutor.settings import Settings


@pytest.fixture(scope="module")  # not longer: while Playwright runs, no other test can run an event loop
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
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if "Policy" in message.text else None)
        page.on("request", lambda r: None if r.url.startswith((address, "blob:", "data:")) else problems.append(r.url))
        page.goto(address + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not problems


@pytest.fixture
def watched(visit: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """``visit``, and fails when a payload did anything: ran, opened a dialog or a window, or went elsewhere."""
    pages: list[tuple[Any, str]] = []
    happened: list[str] = []

    def open_page(path: str = "/", **options: Any) -> Any:
        page = visit("/healthz", **{"bypass_csp": True, **options})
        place = page.url.rsplit("/", 1)[0]
        page.on("dialog", lambda dialog: (happened.append(dialog.message), dialog.dismiss()))
        page.on("popup", lambda popup: happened.append(popup.url))
        page.on("framenavigated", lambda frame: None if frame.url.startswith(place) else happened.append(frame.url))
        page.on("download", lambda download: happened.append(download.url))
        page.goto(place + path)
        pages.append((page, place))
        return page

    yield open_page
    for page, _ in pages:
        assert page.evaluate("typeof window.__pwned") == "undefined"
        assert page.evaluate("({}).__pwned") is None
    assert not happened
