"""Errors that name a command name the request over HTTP."""

from __future__ import annotations

import pytest

from tutor.web.errors import over_http


@pytest.mark.parametrize(
    ("fix", "said"),
    [
        ("'tutor drill --list --all' shows those there are.", "GET /api/v1/drills?all=true lists those there are."),
        ("Drill something new: tutor drill --phase 4", 'Drill something new: POST /api/v1/drills {"phases": [4]}'),
        ("Start another: tutor drill", "Start another: POST /api/v1/drills"),
        (
            "But exercises are: tutor drill --format estimate --seed 3, tutor drill --format hld hld-news-feed",
            'But exercises are: POST /api/v1/drills {"format": "estimate", "seed": 3}, '
            'POST /api/v1/drills {"format": "hld", "request": "hld-news-feed"}',
        ),
        ("Did you mean: kafka?", "Did you mean: kafka?"),
    ],
)
def test_commands_become_requests(fix: str, said: str) -> None:
    assert over_http(fix) == said
