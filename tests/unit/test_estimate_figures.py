"""Which figure of an answer stands for which quantity, where several of a kind stand together."""

from __future__ import annotations

import pytest

from tutor.drill.estimate import Checked, check
from tutor.drill.scenarios import scenario

CHAT = scenario(1)  # 200 million people, 100 deliveries each a day, 1 kB; 10,000/s for a server, peak 3 times


def checked(answer: str, id: str) -> Checked:
    assert CHAT.title == "a chat service" and {200e6, 100.0, 1e3, 1e4} <= set(CHAT.given)
    return next(one for one in check(CHAT, answer) if one.id == id)


@pytest.mark.parametrize(
    ("answer", "id", "quote", "status"),
    [
        ("Delivered 200M x 100 = 20 billion a day, about 231k/s, peak roughly 700k.", "reads", "231k/s", "right"),
        ("Delivered 200M x 100 = 20 billion a day, about 231k/s, peak roughly 700k.", "peak", "700k", "right"),
        ("Bandwidth out: 231k x 1 kB = 231 MB/s, peak 700 MB/s.", "egress", "700 MB/s", "right"),
        ("In 9 MB/s, out 231k x 1KB = 231 MB/s, peak 700 MB/s.", "egress", "700 MB/s", "right"),
        ("Peak 105k/s. Servers: 105k / 10k = 11.", "servers", "11", "carried"),
        ("Servers: 700k / 10k = 70.", "servers", "70", "right"),
        ("700k / 10k = 70 servers", "servers", "70", "right"),
    ],
)
def test_a_figure_stands_for_what_its_words_say(answer: str, id: str, quote: str, status: str) -> None:
    found = checked(answer, id)
    assert (found.quote, found.status) == (quote, status)
