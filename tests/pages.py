"""The pages in a browser: a server of a core, Chromium, and axe-core."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from typing import Any

import uvicorn

from tutor.bootstrap import App
from tutor.web.app import create_app

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


LATE_S = float(os.environ.get("LATE_S", "0"))  # LATE_S=0.4 finds the tests that act before what they need is there


def _late(app: Any) -> Any:
    """The app on a machine that is slow: each reply comes ``LATE_S`` seconds later, scripts after their page."""
    if not LATE_S:
        return app

    async def late(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await asyncio.sleep(LATE_S)
        await app(scope, receive, send)

    return late


@contextmanager
def running(core: App, port: int = 0) -> Iterator[str]:
    """The address of a server with this core, until the block ends."""
    config = uvicorn.Config(_late(create_app(core)), port=port, log_level="error", ws="none", lifespan="off")
    server = uvicorn.Server(config)
    listener = config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
        core.close()


def follow(page: Any, target: str) -> None:
    """Clicks what leads to another page, and waits for that page: a click alone returns before it is there."""
    with page.expect_navigation():
        page.locator(target).first.click()


def until(page: Any, true: Callable[[], bool], *, most_s: float = 30) -> None:
    """Waits for what comes a moment later, such as with a frame. (The policy forbids wait_for_function's eval.)

    Raises:
        AssertionError: It did not come about within ``most_s``.
    """
    end = time.monotonic() + most_s
    while not true():
        assert time.monotonic() < end, f"it did not come about in {most_s} seconds"
        page.wait_for_timeout(20)


@cache
def _axe() -> str:
    return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def violations(page: Any) -> list[str]:
    """What axe-core (WCAG 2.2 A and AA, best practices) finds on a page: rule, what it is, and where."""
    page.evaluate(_axe())
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {rule['help']} at {', '.join(' '.join(node['target']) for node in rule['nodes'][:3])}"
        for rule in found["violations"]
    ]


def overflow(page: Any) -> list[str]:
    """The elements that stand out of the window on the right, where they make the page itself scroll sideways."""
    found: list[str] = page.evaluate(
        """() => {
          const width = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= width) return [];
          return [...document.querySelectorAll("body *")]
            .filter((e) => e.getBoundingClientRect().right > width + 1)
            .map((e) => e.tagName + "." + e.className).slice(0, 8);
        }"""
    )
    return found
