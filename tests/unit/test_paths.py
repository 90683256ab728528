"""The way to a card, what it hangs together with, and maps: by hand on a small curriculum, by rules on the real one."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study_fakes import NOW, answered, card, curriculum, standing
from tutor.bootstrap import builtin_corpus
from tutor.curriculum.outline import outline
from tutor.errors import NotFound, UsageError
from tutor.study.lookup import card_of, known, point_of
from tutor.study.paths import dot, map_of, mermaid, path_to, ties
from tutor.study.progress import Marked

SMALL = curriculum()
REAL = outline(builtin_corpus(), None)


def names(goal: str, have: tuple[str, ...] = (), mastered: tuple[str, ...] = ()) -> list[str]:
    marks = tuple(Marked(name, "mastered", "check", NOW) for name in mastered)
    return [s.card for s in path_to(SMALL, goal, standing(SMALL, marks=marks), have=have).stages]


def test_each_comes_after_what_it_builds_on_and_nothing_else_is_there() -> None:
    assert names("broker") == ["disk", "log", "queue", "broker"]
    assert names("disk") == ["disk"]


def test_what_is_known_is_left_out_with_what_only_it_needs() -> None:
    assert names("broker", have=("log",)) == ["queue", "broker"]
    assert names("broker", mastered=("queue",)) == ["disk", "log", "broker"]  # broker itself builds on log
    assert names("broker", mastered=("log", "queue")) == ["broker"]
    assert names("broker", mastered=("broker", "log", "queue")) == ["broker"]  # the goal is always there
    found = path_to(SMALL, "broker", standing(SMALL), have=("log",))
    assert found.left_out == ("log",)


def test_minutes_are_what_is_left() -> None:
    found = path_to(SMALL, "log", standing(SMALL, answered("disk", "mixed", 1)))
    assert [(s.status, s.minutes) for s in found.stages] == [("learning", 12), ("not-started", 22)]  # two probes of six
    assert found.hours == 0.6
    assert [s.why for s in found.stages] == ["Log builds on it", "your goal"]


def test_a_circle_ends() -> None:
    round_ = curriculum(card("a", "b"), card("b", "a"))
    assert sorted(s.card for s in path_to(round_, "a", standing(round_)).stages) == ["a", "b"]


def test_a_prerequisite_that_is_gone_is_passed_over() -> None:
    some = curriculum(card("a", "gone"))
    assert [s.card for s in path_to(some, "a", standing(some)).stages] == ["a"]
    assert ties(some, "a").before == ()


@given(st.sampled_from(sorted(REAL.cards)), st.sets(st.sampled_from(sorted(REAL.cards)), max_size=20))
def test_on_the_real_curriculum_the_way_is_complete_in_order_and_the_fewest(goal: str, have: set[str]) -> None:
    found = path_to(REAL, goal, standing(REAL), have=have)
    way = [s.card for s in found.stages]
    assert way[-1] == goal and len(set(way)) == len(way)
    for place, name in enumerate(way):
        for below in REAL.cards[name].prerequisites:
            assert below in way[:place] or below in have
    needed, waiting = {goal}, [goal]
    while waiting:
        for below in REAL.cards[waiting.pop()].prerequisites:
            if below not in have and below not in needed:
                needed.add(below)
                waiting.append(below)
    assert set(way) == needed


def test_ties() -> None:
    found = ties(SMALL, "disk")
    assert (found.before, found.after, found.related) == ((), ("log",), ("cache",))
    assert (found.threads, found.plans) == (("thread",), ("plan",))
    assert ties(SMALL, "broker").related == ("cache",) and "broker" in ties(SMALL, "cache").related


def test_a_map_has_each_tie_once() -> None:
    drawn = map_of(REAL, standing(REAL))
    pairs = [frozenset((e.source, e.target)) for e in drawn.edges]
    assert len(drawn.nodes) == len(REAL.cards) and len(set(pairs)) == len(pairs)
    ids = {n.id for n in drawn.nodes}
    assert all(e.source in ids and e.target in ids for e in drawn.edges)
    some = map_of(SMALL, standing(SMALL), ["log", "disk", "gone", "disk"])
    assert [n.id for n in some.nodes] == ["log", "disk"]
    assert [(e.source, e.target, e.kind) for e in some.edges] == [("disk", "log", "before")]


def test_mermaid_has_a_line_for_each_and_no_name_that_breaks_it() -> None:
    drawn = map_of(REAL, standing(REAL))
    lines = mermaid(drawn).splitlines()
    assert lines[0] == "flowchart LR"
    boxes = [line for line in lines if re.fullmatch(r'  n\d+\["[^"]+"\]:::(notstarted|learning|mastered)', line)]
    arrows = [line for line in lines if re.fullmatch(r"  n\d+ (-->|-\.->?|-\.-) n\d+", line)]
    assert (len(boxes), len(arrows)) == (len(drawn.nodes), len(drawn.edges))
    assert len(lines) == 1 + len(boxes) + len(arrows) + 3


def test_dot_is_what_graphviz_reads() -> None:
    text = dot(map_of(REAL, standing(REAL)))
    assert text.startswith("digraph") and text.endswith("}\n") and text.count("{") == text.count("}") == 1
    labels = re.findall(r'label=("(?:[^"\\]|\\.)*")', text)
    assert [json.loads(label) for label in labels] == [c.title for c in REAL.cards.values()]
    if shutil.which("dot"):
        subprocess.run(["dot", "-Tsvg"], input=text.encode(), check=True, capture_output=True, timeout=60)


@pytest.mark.parametrize("name", ["kafka", "Apache Kafka", " apache-KAFKA ", "apache kafka"])
def test_a_card_by_what_people_call_it(name: str) -> None:
    assert card_of(REAL, name).id == "kafka"


def test_every_card_by_its_id_title_and_items() -> None:
    for one in REAL.cards.values():
        assert card_of(REAL, one.id) is one
        assert (
            card_of(REAL, one.covers[0]).covers[0] == one.covers[0]
            or one.covers[0] in card_of(REAL, one.covers[0]).covers
        )


def test_an_unknown_card_names_the_nearest() -> None:
    with pytest.raises(NotFound, match="Did you mean: kafka"):
        card_of(REAL, "kafak")
    with pytest.raises(NotFound, match="tutor progress"):
        card_of(REAL, "xyzzy\n" * 50)
    with pytest.raises(UsageError, match="which card"):
        card_of(REAL, " - ")


def test_points_by_ref() -> None:
    assert point_of(SMALL, "disk/p1/a") is not None
    assert [point_of(SMALL, ref) for ref in ("disk", "disk/p1", "disk/p1/z", "disk/p9/a", "x/p1/a", "//", "")] == [
        None
    ] * 7
    assert known(SMALL, "disk") and known(SMALL, "disk/p1/a") and not known(SMALL, "disk/p1")
