"""The description of the API in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pages import overflow, violations


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_anybody_can_read_it(visit: Callable[..., Any], scheme: str) -> None:
    page = visit("/docs", color_scheme=scheme)
    assert violations(page) == []
    assert page.locator("h1").count() == 1


def test_it_fits_a_phone_and_tells_what_any_call_may_answer(visit: Callable[..., Any]) -> None:
    page = visit("/docs", width=360)
    assert overflow(page) == []
    common = page.locator("main > .sheet > ul > li code").all_inner_texts()
    assert common == ["400", "401", "403", "405", "413", "421", "500"]
