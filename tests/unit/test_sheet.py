"""The calculator sheet: values with their units, and what is told of lines that cannot be computed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.quantities.sheet import MAX_LINES, compute, last_value


def shown(text: str) -> str:
    return compute(text)[-1].shown


def error(text: str) -> str:
    return compute(text)[-1].error


def test_lines_use_the_names_above_them() -> None:
    lines = compute("users = 50 M\ndau = users * 20%\nqps = dau * 10 / day")
    assert [line.shown for line in lines] == ["50 million", "10 million", "1,157/s = 100 million/day"]
    assert [line.name for line in lines] == ["users", "dau", "qps"]
    assert last_value(lines) == lines[-1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 kB * 100 M", "200 GB"),
        ("1,500 * 2", "3,000"),
        ("10 GB / 5 s", "2 GB/s = 16 Gbit/s = 172.8 TB/day"),
        ("1 TB / 100 MB/s", "2.778 h"),  # without blanks the rate is one figure
        ("1 TB / 100 MB / 5 s", "2,000/s = 172.8 million/day"),
        ("1 TB * 1 TB", "1e+24 B^2"),
        ("1 Gbit/s in MB/s", "125 MB/s"),
        ("3 years in days", "1,095 days"),
        ("$0.02 * 1 M", "$20,000"),
        ("$50 / day", "$1,500/month = $18,250/year"),
        ("2^10", "1,024"),
        ("2 ** 3 - 10", "-2"),
        ("3 × 4 ÷ 2", "6"),
        ("100 per day", "0.001157/s = 100/day"),
        ("5 bn", "5 billion"),
        ("0 GB", "0 B"),
        ("3 KiB", "3.072 kB"),
        ("1 µs", "1 µs"),
        ("0.5 * 3 min", "1.5 min"),
        ("1e6 / 1e3", "1,000"),
        ("-(2 + 3)", "-5"),
        ("1e6 requests / day", "11.57/s = 1 million/day"),
        ("500 requests/s", "500/s = 43.2 million/day"),
        ("300 M users * 10 messages / user / day", "34,720/s = 3 billion/day"),
        ("2 kB / message * 1 M Messages per day", "23.15 kB/s = 185.2 kbit/s = 2 GB/day"),
        ("users = 50 M users\nusers * 4 queries per user", "200 million"),
        ("5000 reads + 100 writes + 1 event", "5,101"),
        ("qps = 50/s\nqps in requests / day", "4.32 million requests/day"),
        ("300M posts/day", "3,472/s = 300 million/day"),
        ("10M req/day * 1 KB", "115.7 kB/s = 925.9 kbit/s = 10 GB/day"),
        ("36000 orders / hour", "10/s = 864,000/day"),
    ],
)
def test_values_have_their_units(text: str, expected: str) -> None:
    assert shown(text) == expected


def test_a_name_may_have_blanks_and_be_that_of_a_rate() -> None:
    assert shown("qps = 1000/s\npeak qps = 3 * qps\npeak QPS / 500/s") == "6"


def test_remarks_and_empty_lines_have_neither_value_nor_error() -> None:
    lines = compute("# what is given\n\nusers = 5 # thousand, later")
    assert [(line.shown, line.error) for line in lines] == [("", ""), ("", ""), ("5", "")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 GB + 3 s", "a time cannot be added to data"),
        ("1 GB - 3", "a plain number cannot be taken from data"),
        ("users = 5\nuser * 2", "'user' is neither a unit nor the name of a line above (did you mean 'users'?)"),
        ("dau * 2", "'dau' is neither a unit nor the name of a line above"),
        ("users = 5\n3 users", "write * before 'users'"),
        ("users * 10", "'users' is neither a unit nor the name of a line above"),
        ("10 / users", "'users' is neither a unit nor the name of a line above"),
        (
            "users = 5\ntotal = 10\ntotal / user",
            "'user' is neither a unit nor the name of a line above (did you mean 'users'?)",
        ),
        ("3 sheep", "'sheep' is neither a unit nor the name of a line above"),
        ("a = 1 /\na * 2", "'a' above has no value"),
        ("5 m", "'m' is unclear: write M for millions, min for minutes"),
        ("1 / (2 - 2)", "this divides by 0"),
        ("(1 + 2", "a closing bracket is missing"),
        ("1 + 2)", "')' cannot stand here"),
        ("3 4", "'4' cannot stand here: write *, /, + or - before it"),
        ("a =", "there is nothing after the ="),
        ("1 +", "the line ends where a figure should stand"),
        ("day = 5", "'day' is a unit: choose another name"),
        ("million = 5", "'million' has a meaning here already: choose another name"),
        ("5x = 3", "'5x' is no name: a name has letters, digits and blanks, and begins with a letter"),
        ("2 GB in days", "this is data, which has no 'days'"),
        ("2 ^ 0.5", "a power is a whole number up to 30"),
        ("9e99 * 2", "the figure is too large"),
        ("__import__('os')", "''' cannot be read here"),
        ("(" * 50 + "1", "there are too many brackets in brackets"),
        ("1" * 300, "the line is longer than 200 characters"),
    ],
)
def test_what_is_wrong_is_said(text: str, expected: str) -> None:
    assert error(text) == expected


def test_a_sheet_has_a_bound() -> None:
    lines = compute("1\n" * 500)
    assert [line.error for line in lines[MAX_LINES - 1 :]] == ["", "a sheet has 60 lines: what follows is not computed"]


@given(st.text(alphabet="0123456789.,+-*/^()%$ =kMGBsdayinusers_\n#eE×", max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    for line in compute(text):
        assert not (line.error and line.shown)
        assert (line.value is None) == (not line.shown)
