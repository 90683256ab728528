"""What a card's own text is, to tell what is pasted: not the mistakes that its red flags name."""

from __future__ import annotations

from drill_fakes import corpus
from tutor.drill.gaming import runs
from tutor.drill.library import OwnText


def test_a_red_flag_in_its_own_words_is_no_pasted_text() -> None:
    cards, own = corpus().cards, OwnText(corpus())
    said = 0
    for card in cards.values():
        for flag in (flag for probe in card.probes for flag in probe.red_flags):
            said += bool(runs(flag.wrong))
            assert not runs(flag.wrong) & own[card.id], flag.wrong
    assert said > 300


def test_the_rest_of_a_card_is_its_own_text() -> None:
    own = OwnText(corpus())
    for card in corpus().cards.values():
        for probe in card.probes:
            for point in probe.must_have:
                if found := runs(point.point):
                    assert len(found & own[card.id]) >= 0.5 * len(found), point.point
