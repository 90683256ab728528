"""Decisions: which option an answer chooses, and whether the choice moves when the constraint does."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

from tutor.curriculum.card import Card, Probe
from tutor.drill.calibration import calibrated
from tutor.drill.grade import CAP, Grade, PointGrade, Verdict, settle
from tutor.drill.grading import Grader
from tutor.drill.judge import Status
from tutor.drill.rubric import MOVE, Move, Rubric

#: Where a card's twist turns the choice round: what is right before it and no longer after, read from ``twist.expect``.
MOVES = Path(__file__).with_name("moves.json")
_STUCK = 0.5  # of a point, taken away for a choice that does not move
_SAME = 0.45  # nearness from which two constraints are the same one; set by hand
Side = Literal["", "leave", "take"]
_CLAUSE = re.compile(r"[.;,!?\n]+\s*|\s+(?:and|but|so|then)\s+|\s+(?=(?:because|since|as|for which)\s)", re.I)
_REASON = re.compile(r"^(?:because|since|as)\b", re.I)
_FOR = re.compile(
    r"\b(?:stay\w*|stick\w*|go|going|went) (?:with|for)|\b(?:keep|take|use|choose|pick|prefer|adopt|run)(?:s|ing)?\b"
    r"|\b(?:switch|move|change|migrate)\w* (?:\w+ )?(?:over )?(?:to|on)\b|\bfall back (?:on|to)\b"
    r"|\bdecide (?:for|on)\b",
    re.I,
)
_AGAINST = re.compile(
    r"\b(?:drop|leav|abandon|ditch|retir|remov|replac|skip|question|avoid)(?:e|es|s|ing|ping)?\b|\bgiv\w+ up\b"
    r"|\bget rid"
    r"|\bwithout\b|\bno(?:t| longer| more| need)?\b|n['’]t\b|\bnever\b|\binstead of\b|\brather than\b|\bover\b"
    r"|\baway from\b|\bfrom\b|\bstop\b|\bagainst\b",
    re.I,
)
_AFTER_FOR = re.compile(
    r"^\W*(?:it is|is enough|suffices|will do|would do|may do|wins|fits|now|instead|becomes|would be"
    r"|is (?:my|the) (?:choice|pick))",
    re.I,
)
_AFTER_AGAINST = re.compile(
    r"^\W*(?:is|are|would be|becomes?)?\W*(?:now |then |just |far )?(?:overkill|too (?:much|heavy|costly|expensive)"
    r"|out\b|no longer|not (?:needed|worth|justified|enough)|hard to justify|goes|loses)"
    r"|^\W*costs? (?:too )?(?:much|more)\b",
    re.I,
)
_STAYS = re.compile(
    r"\b(?:nothing|little|not much|not a thing) (?:really )?(?:changes?|would change)\b|\bno change\b"
    r"|\b(?:answer|choice|decision) (?:stands|stays|holds|remains)\b|\bstays? (?:exactly )?the same\b"
    r"|\bsame as before\b"
    r"|\b(?:would|do|does|will)(?: not|n['’]t) change (?:anything|a thing|my|the (?:choice|answer|decision))"
    r"|\b(?:stay|stick) with (?:it|that|what|my)\b",
    re.I,
)
_OTHER = re.compile(r"\bthe other (?:one|option)?\s*(?=[.;,!?\n]|$|here\b|then\b|instead\b)", re.I)
_ONLY_IF = re.compile(r"\b(?:if|when|where|unless|once)\b", re.I)
_VENDOR = re.compile(r"^(?:apache|amazon|aws|google|azure|plain|classic|an?|the|one)\s+", re.I)
_TAIL = re.compile(r"(?:[,:]| (?:such as|as|in|with|on|for|from|by|over|that|without)\b).*", re.I)
_BRACKETS = re.compile(r"\(([^)]*)\)")


def names(text: str) -> tuple[str, ...]:
    """What "Amazon SQS", "SQS or RabbitMQ" or "IVF (inverted file)" can be called in an answer, in lower case."""
    head = _TAIL.sub("", _BRACKETS.sub(" ", text))
    parts = [head, *re.split(r"\s+(?:or|plus|and)\s+|/", head)]
    found = [" ".join(part.split()).lower() for part in parts]
    return tuple(dict.fromkeys(_VENDOR.sub("", name) for name in found if len(name) > 1))


@lru_cache(maxsize=1)
def _moves() -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = json.loads(MOVES.read_text(encoding="utf-8"))
    return found


def own_names(card: Card) -> tuple[str, ...]:
    """What a card's own option is called: its title and aliases."""
    return tuple(dict.fromkeys(n for text in (card.title, *card.aliases, *card.acronyms) for n in names(text)))


def move_of(card: Card, probe: Probe) -> Move | None:
    """Where the twist of a probe moves the choice; None where the curriculum does not say it plainly."""
    known = _moves().get(f"{card.id}/{probe.id}")
    return Move(leave=tuple(known["leave"]), take=tuple(known["take"])) if known else None


def to_alternative(card: Card, probe: Probe) -> Move:
    """From the card's own option to the alternative: where its condition holds."""
    other = names(probe.alternative.name) if probe.alternative else ()
    return Move(leave=tuple(n for n in own_names(card) if n not in other), take=other)


def under(card: Card, probe: Probe, constraint: str, alike: Callable[[str, str], float]) -> Move | None:
    """The choice that a constraint of the learner's own makes right, where it is one that the curriculum knows.

    Args:
        card: the card of the probe.
        probe: one with an alternative.
        constraint: in the learner's words; may be empty.
        alike: how near two texts are in meaning, in [-1, 1].
    """
    if not constraint or probe.alternative is None:
        return None
    known = [(alike(constraint, probe.alternative.wins_when), to_alternative(card, probe))]
    if moving := move_of(card, probe):
        known.append((alike(constraint, probe.twist.change), moving))
    near, move = max(known, key=lambda pair: pair[0])
    return move if near >= _SAME else None


def _clause_before(text: str, at: int) -> str:
    return _CLAUSE.split(text[:at])[-1]


class _Mention(NamedTuple):
    start: int
    end: int
    side: Side


def choice(text: str, move: Move) -> Side:
    """The option that a text chooses, by verbs of choosing and refusing near the names; "" where that is not plain."""
    votes = {"leave": 0.0, "take": 0.0}
    for number, clause in enumerate(_CLAUSE.split(text.strip())):
        at, before = 0, 0.0
        for one in _mentions(clause, move):
            lead, rest = clause[at : one.start], clause[one.end :]
            if _AFTER_AGAINST.match(rest) or _AGAINST.search(lead):
                vote = -1.0
            elif (
                _FOR.search(lead)
                or _AFTER_FOR.match(rest)
                or (before < 0 and re.match(r"\W*(?:with|by|for|to)\b", lead))
            ):
                vote = 1.0
            else:  # "SQS, since nobody replays": a bare name at the beginning is a choice, in a reason it is none
                vote = 0.0 if len(lead.split()) > 2 or _REASON.match(clause) else 0.1 if number else 0.6
            if _ONLY_IF.search(rest) and number:
                vote *= 0.1  # when the other would be chosen
            if vote > 0 and before > 0:
                vote = min(vote, before)  # "take SQS or a table": one verb for both
            votes[one.side] += vote
            at, before = one.end, vote
    named = {one.side for one in _mentions(text, move)}
    if len(named) == 1 and (other := _OTHER.search(text)) and not _AGAINST.search(_clause_before(text, other.start())):
        votes["take" if named == {"leave"} else "leave"] += 1.0  # "not SQS; so the other one"
    leave, take = votes["leave"], votes["take"]
    if take > max(leave, 0) or (take >= 0 > leave):
        return "take"
    return "leave" if leave > max(take, 0) or (leave >= 0 > take) else ""


def _mentions(clause: str, move: Move) -> list[_Mention]:
    sides: tuple[tuple[Side, tuple[str, ...]], ...] = (("leave", move.leave), ("take", move.take))
    found = [
        _Mention(m.start(), m.end(), side)
        for side, called in sides
        for name in called
        for m in re.finditer(rf"(?<![\w-]){re.escape(name)}(?:s|es)?(?![\w-])", clause, re.I)
    ]
    found.sort(key=lambda one: (one.start, -one.end))
    kept: list[_Mention] = []
    for one in found:  # the longest of overlapping names
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


def moved(move: Move, before: str, reply: str) -> tuple[Status | None, str]:
    """Whether the reply to the moved constraint chooses what is right under it, and a note; None where none is named.

    Args:
        move: what to leave and what to take.
        before: what was answered before the constraint moved.
        reply: what was answered after.
    """
    after = choice(reply, move)
    first = choice(before, move)
    if not after and _STAYS.search(reply):
        after = first or "leave"
    if after == "take":
        return "covered", "Your choice was right for it already." if first == "take" else "Your choice moved with it."
    if after == "leave":
        return (
            "contradicted",
            "Your choice went the wrong way." if first == "take" else "Your choice did not move with it.",
        )
    return None, "No choice is named in the reply."


class DecisionGrader:
    """Grades claims; the point of the moved constraint stays open until the reply to it."""

    def __init__(self, claims: Grader) -> None:
        self._claims = claims

    def grade(self, rubric: Rubric, answer: str, *, seen: Sequence[str] = ()) -> Grade:
        """The grade of an answer.

        Raises:
            UsageError: the answer is too long.
        """
        began = time.perf_counter()
        asked = rubric.model_copy(update={"points": tuple(p for p in rubric.points if p.id != MOVE)})
        grade = self._claims.grade(asked, answer, seen=seen)
        if any(p.id == MOVE for p in rubric.points):
            grade = with_move(rubric, grade, "missed", "", answer)
        return grade.model_copy(update={"ms": (time.perf_counter() - began) * 1000})


def with_move(rubric: Rubric, grade: Grade, status: Status, note: str, words: str, start: int = 0) -> Grade:
    """A grade with the moved constraint's point at ``status``; a choice that does not move caps it as a falsehood."""
    worth = {"covered": 1.0, "partly": 0.5}.get(status, 0.0)
    span = {"evidence": words, "start": start, "end": start + len(words)} if worth or status == "contradicted" else {}
    # What is settled is what was said before; a choice that is stuck is no falsehood, it takes away and caps.
    settled_as: Status = "missed" if status == "contradicted" else status
    point = PointGrade(point=MOVE, status=settled_as, note=note, worth=worth).model_copy(update=span if worth else {})
    points = [*(p for p in grade.points if p.point != MOVE), point]
    if grade.verdict == "ungraded" and not worth:
        return grade.model_copy(update={"points": tuple(points)})
    settled = settle(
        rubric,
        points,
        grade.red_flags,
        grade.lifted,
        words=grade.words,
        flag_chance=grade.flag_chance,
        by=calibrated().verdict,
    )
    if status != "contradicted":
        return settled
    shown = tuple(p.model_copy(update={"status": status, **span}) if p.point == MOVE else p for p in settled.points)
    verdict: Verdict = "mixed" if settled.verdict == "strong" else settled.verdict
    score = round(max(0.0, min(settled.score - _STUCK / len(shown), CAP)), 4)
    return settled.model_copy(update={"points": shown, "verdict": verdict, "level": "", "score": score})
