"""The page of what is set aside, in a browser: usable by everybody, in light and dark, on a phone, without scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pages import overflow, violations

POINT = "kafka/why-not-task-queue/per-message-ack"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_state_is_usable(visit: Callable[..., Any], address: str, scheme: str) -> None:
    page = visit("/review/aside", color_scheme=scheme)
    page.request.post(f"{address}/api/v1/study/review", data={"ref": POINT, "rating": 1})
    assert page.locator("main h2").inner_text() == "Nothing is set aside" and violations(page) == []
    page.goto(page.url + f"?ref={POINT}")
    assert violations(page) == []
    page.get_by_role("button", name="Set this point aside").click()
    page.get_by_role("button", name="Take back").wait_for()
    assert violations(page) == []
    page.set_viewport_size({"width": 360, "height": 740})
    assert overflow(page) == []
    page.get_by_role("button", name="Take back").click()
    page.get_by_role("heading", name="Nothing is set aside").wait_for()


def test_without_scripts_and_a_wrong_name(visit: Callable[..., Any]) -> None:
    page = visit("/review/aside?ref=no-such-card", java_script_enabled=False, width=360)
    assert "No card is called so" in page.locator("main").inner_text()
