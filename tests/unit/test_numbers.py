"""Figures in speech and in notes are the same quantities; names, dates and versions are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.quantities.numbers import Quantity, agrees, quantities
from tutor.quantities.units import written

DAY = 86_400
#: Text → (value in base units, dimension) of each quantity in it.
CASES: list[tuple[str, list[tuple[float, str]]]] = [
    # figures
    ("1,000 rows", [(1e3, "")]),
    ("86 400 and 1 000 000", [(86_400, ""), (1e6, "")]),
    ("1e5", [(1e5, "")]),
    ("10⁵ and 10⁻³", [(1e5, ""), (1e-3, "")]),
    ("3×10⁸", [(3e8, "")]),
    ("1.5 x 10^9", [(1.5e9, "")]),
    ("62^7 ids", [(62.0**7, "")]),
    ("0.999^5", [(0.999**5, "")]),
    ("twenty-five thousand", [(25e3, "")]),
    ("three hundred and sixty", [(360, "")]),
    ("two thousand five hundred", [(2500, "")]),
    ("one hundred and twenty thousand", [(120e3, "")]),
    ("one point three billion", [(1.3e9, "")]),
    ("point one percent", [(0.001, "ratio")]),
    ("ninety-nine point nine percent", [(0.999, "ratio")]),
    ("three fifty over point six is five eighty-three", [(350, ""), (0.6, ""), (583, "")]),
    ("a couple of hundred", [(200, "")]),
    ("a couple hundred thousand", [(200e3, "")]),
    ("half a million", [(5e5, "")]),
    ("a quarter million", [(250e3, "")]),
    ("a million and a half", [(1.5e6, "")]),
    ("half a dozen servers", [(6, "")]),
    ("a tenth of the price", [(0.1, "")]),
    ("two thirds", [(2 / 3, "")]),
    # scales
    ("5 M users", [(5e6, "")]),
    ("200 K rows", [(200e3, "")]),
    ("12k", [(12e3, "")]),
    ("2.5bn rows", [(2.5e9, "")]),
    ("8 B parameters", [(8e9, "")]),
    ("8B parameters", [(8e9, "")]),
    ("a 7B model", [(7e9, "")]),
    ("2T tokens", [(2e12, "")]),
    ("128 B", [(128, "data")]),
    ("500 B each", [(500, "data")]),
    ("a 16B key", [(16, "data")]),
    ("fp32 = 4 B", [(4, "data")]),
    # units
    ("2.5 GB", [(2.5e9, "data")]),
    ("4 KiB", [(4096, "data")]),
    ("a kilobyte each", [(1e3, "data")]),
    ("half a kilobyte", [(500, "data")]),
    ("64-bit ids", [(8, "data")]),
    ("10 gb and 512 kb", [(10e9, "data"), (512e3, "data")]),
    ("64G heap", [(64e9, "data")]),
    ("a quarter of a second", [(0.25, "time")]),
    ("a thousandth of a second", [(1e-3, "time")]),
    ("two and a half seconds", [(2.5, "time")]),
    ("sub-10 ms", [(0.01, "time")]),
    ("5 us and 20 µs", [(5e-6, "time"), (20e-6, "time")]),
    ("a 40-second pause", [(40, "time")]),
    ("3 months, 5 years, 30d", [(90 * DAY, "time"), (5 * 365 * DAY, "time"), (30 * DAY, "time")]),
    ("5%, 5 percent, 5 per cent", [(0.05, "ratio")] * 3),
    ("3x", [(3, "factor")]),
    ("tenfold, thirteen-fold, ten times", [(10, "factor"), (13, "factor"), (10, "factor")]),
    ("400 x 25 ms", [(400, ""), (0.025, "time")]),
    ("ten million times ten microseconds", [(1e7, ""), (1e-5, "time")]),
    ("€5, $28.54 and 0.5 cents", [(5, "money"), (28.54, "money"), (0.005, "money")]),
    ("three dollars a million", [(3e-6, "money")]),
    ("$0.003 per thousand tokens", [(3e-6, "money")]),
    # rates
    ("forty-three million a day", [(43e6 / DAY, "/time")]),
    ("200 million messages daily", [(200e6 / DAY, "/time")]),
    ("10 million photos uploaded per day", [(10e6 / DAY, "/time")]),
    ("5/user/day", [(5 / DAY, "/time")]),
    ("5k QPS, 300 rps, 20 tps", [(5e3, "/time"), (300, "/time"), (20, "/time")]),
    ("7 req/s", [(7, "/time")]),
    ("40 requests per second", [(40, "/time")]),
    ("16,000 IOPS", [(16e3, "/time")]),
    ("60 rpm", [(1, "/time")]),
    ("five times a day", [(5 / DAY, "/time")]),
    ("$12k/month", [(12e3 / (30 * DAY), "money/time")]),
    ("2.5 GB/day", [(2.5e9 / DAY, "data/time")]),
    ("3 GB per user per day", [(3e9 / DAY, "data/time")]),
    ("10 Gbps and 100 Mbit/s", [(1.25e9, "data/time"), (12.5e6, "data/time")]),
    ("40 MiB/s", [(40 * 2.0**20, "data/time")]),
    ("three hundred megabytes per second", [(300e6, "data/time")]),
    ("a megabyte a second", [(1e6, "data/time")]),
    ("86,400 s a day", [(DAY, "time")]),
    ("100 million writes of 1 KB per day", [(1e8 / DAY, "/time"), (1e3, "data")]),
    ("100 million daily active users", [(1e8, "")]),
    ("3 replicas, a second copy", [(3, "")]),
    ("Users: 10\nPhotos per day: 5M", [(10, ""), (5e6, "")]),
    # ranges
    ("30-40", [(30, ""), (40, "")]),
    ("30 to 40 ms", [(0.03, "time"), (0.04, "time")]),
    ("10k-20k", [(10e3, ""), (20e3, "")]),
    ("ten to twenty thousand a second", [(10e3, "/time"), (20e3, "/time")]),
    ("between 2 and 5 TB", [(2e12, "data"), (5e12, "data")]),
    ("$10-20k", [(10e3, "money"), (20e3, "money")]),
    ("800 to 1 million", [(800, ""), (1e6, "")]),
    # no quantities
    ("a third party and the third node", []),
    ("version 3.7 on TLS 1.3 with Java 21+", []),
    ("p99, C4, i3.large, m5.2xlarge, S3", []),
    ("3.5 (GPT-3.5)", [(3.5, "")]),
    ("SHA-256 over HTTP/2", []),
    ("2PC in 3D over 5G, the 1st", []),
    ("hundreds of nodes, a few hundred, several thousand", []),
    ("at this point", []),
    ("In 2019, on 2024-05-12, May 12 or 12 May 2024 at 12:02", []),
    ("2019 users", [(2019, "")]),
    ("1. First\n2) second takes 10 ms\n## 3. Heading with 5 GB\nbody 7 GB", [(0.01, "time"), (7e9, "data")]),
]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[text for text, _ in CASES])
def test_quantities_come_in_base_units(text: str, expected: list[tuple[float, str]]) -> None:
    found = quantities(text)
    assert [(pytest.approx(q.value), q.dimension) for q in found] == expected
    assert all(text[q.start : q.end].strip() for q in found)


def test_the_same_quantity_in_other_words_agrees() -> None:
    said = "300 MB/s, 0.3 gigabytes a second, three hundred megabytes per second, 3e8 B/s, 2.4 Gbps, 26 TB a day"
    first, *others = quantities(said)
    assert len(others) == 5 and all(agrees(first, other) for other in others)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("100 ms", "0.1 s", True),
        ("1 GB", "1 GiB", True),
        ("1 GB", "1 Gbit", False),
        ("5 s", "5 MB", False),
        ("10%", "0.1", True),
        ("0 ms", "0 s", True),
        ("0 ms", "1 ms", False),
    ],
)
def test_agreement_is_of_value_and_dimension(one: str, other: str, same: bool) -> None:
    assert agrees(quantities(one)[0], quantities(other)[0]) is same


def test_a_small_bare_number_is_trivial() -> None:
    assert [q.trivial for q in quantities("one, 3, 7 and 1 s")] == [True, True, False, False]


@given(st.floats(1, 1e17), st.sampled_from(["", "/time", "data", "data/time"]), st.sampled_from(["", "day"]))
def test_what_is_written_reads_back(value: float, dimension: str, per: str) -> None:
    per = per if dimension.endswith("/time") else ""
    (read,) = quantities(f"It is {written(value, dimension, per)}.")
    assert agrees(read, Quantity(value, dimension, 0, 0), tolerance=0.01) and read.dimension == dimension


@given(st.text(alphabet="0123456789.,-^/ \nkMGBbxs%$ae³⁻thousandpoint", max_size=60))
def test_any_text_is_read(text: str) -> None:
    ends = [0]
    for q in quantities(text):
        assert ends[-1] <= q.start < q.end <= len(text)
        ends.append(q.end)
