"""The description of the API in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pages import overflow


def test_it_fits_a_phone_and_tells_what_any_call_may_answer(visit: Callable[..., Any]) -> None:
    """That anybody can read it test_shell.py looks at: 7,500 elements take axe-core some seconds."""
    page = visit("/docs", width=360)
    assert overflow(page) == []
    assert page.locator("h1").count() == 1
    common = page.locator("main > .sheet > ul > li code").all_inner_texts()
    assert common == ["400", "401", "403", "405", "413", "421", "500"]
