"""Rows of tables: where they stand, and how one reads by itself."""

from __future__ import annotations

import re
from html import unescape

import pytest

from tutor.bootstrap import builtin_roots
from tutor.tables import rows
from tutor.web.highlight import render_document

TABLE = """Before it.

| Pattern | Read freshness | Write \\| cost |
|:--|---|--:|
| **Cache-aside** | stale until `DEL` | write plus delete |
|  Write-back  | | cache only \\| at first |
| | nameless | 1 |
| three | cells |
| bare | | |
| 3 | 2 of 3 |  99.970% |

After it.
"""


def said(table: str) -> list[str]:
    return [row.said for row in rows(table)]


def test_a_row_reads_by_itself_with_the_heads_of_its_columns() -> None:
    assert said(TABLE) == [
        "**Cache-aside:** Read freshness: stale until `DEL`; Write | cost: write plus delete",
        "**Write-back:** Write | cost: cache only | at first",
        "**Pattern 3:** Read freshness: 2 of 3; Write | cost: 99.970%",
    ]


def test_a_row_stands_where_it_says() -> None:
    assert [TABLE[row.start : row.end] for row in rows(TABLE)] == [
        "**Cache-aside** | stale until `DEL` | write plus delete",
        "Write-back  | | cache only \\| at first",
        "3 | 2 of 3 |  99.970%",
    ]
    assert {TABLE[slice(*row.above)] for row in rows(TABLE)} == {"| Pattern | Read freshness | Write \\| cost |\n"}


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("| A | B |\n| x | y |\n", []),  # no line of dashes: no table
        ("| A | B |\n|---|---|\n", []),
        ("| A | B |\n|---|---|\n| x | y", ["**x:** B: y"]),  # no bar at its end
        ("| A | |\n|---|---|\n| x | y |", ["**x:** y"]),
        ("| A |\n|---|\n| x |", []),
        ("| Question | Answer |\n|---|---|\n| Is it there? | no |", ["**Is it there?** Answer: no"]),
        ("| | B |\n|---|---|\n| 7 | y |", ["**7:** B: y"]),
        ("|", []),
        ("```\n| A | B |\n|---|---|\n| x | y |\n```", []),
    ],
)
def test_shapes(table: str, expected: list[str]) -> None:
    assert said(table) == expected


def test_a_quoted_row_is_marked_cell_by_cell() -> None:
    for row in rows(TABLE):
        html = render_document(TABLE, row.start, row.end).html
        marked = "".join(map(unescape, re.findall(r"<mark[^>]*>(.*?)</mark>", html)))
        assert marked == "".join(re.sub(r"[*`]", "", cell) for cell in row.cells)


def test_every_row_of_the_curriculum_stands_where_it_says() -> None:
    texts = [path.read_text(encoding="utf-8") for root in builtin_roots() for path in sorted(root.rglob("*.md"))]
    found = [(text, row) for text in texts for row in rows(text)]
    assert len(found) > 1_000
    for text, row in found:
        quoted = text[row.start : row.end].replace("\\|", "|")
        assert all(cell in quoted for cell in row.cells)
        assert quoted.startswith(row.cells[0]) and "\n" not in quoted
