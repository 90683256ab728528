"""What a card's page says beside its text: where the learner stands, what to try, notes, what it hangs together with.

Everything here is of the learner or the curriculum's outline. Where the study store does not answer the text is shown
all the same, with what is wrong.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from tutor.curriculum import builtin_corpus
from tutor.curriculum.card import Card, Probe
from tutor.curriculum.outline import CardLine
from tutor.drill.results import made_of
from tutor.errors import CardError, TutorError
from tutor.study import notes, paths
from tutor.study.days import day_of, end_of
from tutor.study.desk import Standing, Study
from tutor.study.entries import LogEntry
from tutor.study.progress import CardProgress
from tutor.study.wire import card_json
from tutor.web.core import Core

_log = logging.getLogger(__name__)
_HISTORY = 8  # the newest that a page lists
_ENTRIES = 10
_WHY = {
    "why-not": "Why not",
    "compare": "Compare",
    "how": "How",
    "failure": "Failure",
    "scale": "Scale",
    "estimate": "Estimate",
    "design": "Design",
    "trade-off": "Trade-off",
}
_BY = {"check": "Mastery check", "override": "Your own mark", "import": "Imported", "decay": "Forgotten"}


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another card, with where the learner stands with it."""

    doc_id: str
    title: str
    status: str
    due: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A probe to try; ``probe`` is its whole rubric, None where the card's file cannot be read."""

    id: str
    kind: str
    ask: str
    points: Sequence[str]
    probe: Probe | None
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Happened:
    """A mark, a drill or a view of the card's points, with its day in words; ``link`` is empty for a mark."""

    day: str
    what: str
    note: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class CardPage:
    """All of it for one card; days are words, ``due`` says whether the card is to be reviewed today or before."""

    card: CardLine
    progress: CardProgress
    since: str
    due: bool
    due_on: str
    history: Sequence[Happened]
    questions: Sequence[Question]
    note: notes.Note
    neighbours: Sequence[tuple[str, Sequence[Neighbour]]]
    threads: Sequence[tuple[str, Sequence[Neighbour]]]
    plans: Sequence[tuple[str, str]]
    entries: Sequence[LogEntry]
    more_entries: int


def whole_card(card_id: str) -> Card | None:
    """A card of the built-in curriculum with its rubrics; None where it cannot be had, which the log says."""
    try:
        return _whole_card(card_id)
    except CardError as fault:
        _log.warning("%s", fault.message)
        return None


@lru_cache(maxsize=256)
def _whole_card(card_id: str) -> Card | None:
    from tutor.curriculum.corpus import read_card

    return read_card(builtin_corpus(), card_id)


def card_page(core: Core, doc_id: str) -> CardPage | TutorError | None:
    """What a card's page says beside its text.

    Returns:
        None where the id is no card of the curriculum; the error where the study store does not answer.
    """
    try:
        found = core.study(lambda study: _of_study(study, doc_id))
        if found is None:
            return None
        total, entries = core.log(lambda book: book.search(book.query(cards=[doc_id]), limit=_ENTRIES))
    except TutorError as fault:
        _log.warning("a card is shown without what the learner made of it. %s", fault.message)
        return fault
    return CardPage(**found, entries=entries, more_entries=total - len(entries))


def _of_study(study: Study, doc_id: str) -> dict[str, Any] | None:
    card = study.outline.cards.get(doc_id)
    if card is None:
        return None
    at = study.standing()
    until = until_today(study, at.now)
    ties = paths.ties(at.outline, doc_id)
    known = card_json(at, at.cards[doc_id])
    points = {(task.session, task.task): task.points for task in at.tasks}
    threads = {thread.id: thread for thread in at.outline.threads}

    def near(names: Sequence[str]) -> list[Neighbour]:
        return [_neighbour(at, name, until) for name in names if name in at.outline.cards]

    others = [name for name in ties.related if name not in (*ties.before, *ties.after)]
    groups = (("Read before", ties.before), ("Builds on this", ties.after), ("Related", others))
    return {
        "card": card,
        "progress": at.cards[doc_id],
        "since": day_words(at.cards[doc_id].since, study.zone),
        "due": is_due(at.cards[doc_id], until),
        "due_on": day_words(at.cards[doc_id].due, study.zone),
        "history": [_happened(row, study.zone, points) for row in list(reversed(known["history"]))[:_HISTORY]],
        "questions": _questions(card, known["history"]),
        "note": notes.read(study.store, doc_id),
        "neighbours": [(label, near(names)) for label, names in groups if names],
        "threads": [(threads[name].title, near(threads[name].cards)) for name in ties.threads],
        "plans": [(name, at.outline.plans[name].title) for name in ties.plans],
    }


def _questions(card: CardLine, history: Sequence[Mapping[str, Any]]) -> list[Question]:
    whole = whole_card(card.id)
    rubrics = {probe.id: probe for probe in whole.probes} if whole else {}
    last = {row["probe"]: str(row["verdict"]) for row in history if row["what"] == "drill"}
    return [
        Question(
            probe.id,
            _WHY.get(probe.kind, probe.kind),
            probe.ask,
            [point.text for point in probe.points],
            rubrics.get(probe.id),
            last.get(probe.id, ""),
        )
        for probe in card.probes
    ]


def _happened(row: Mapping[str, Any], zone: ZoneInfo, points: Mapping[tuple[str, int], Mapping[str, str]]) -> Happened:
    """``points`` are the statuses of each drill's task, by its session and number."""
    day = day_words(datetime.fromisoformat(row["at"]), zone)
    if row["what"] == "drill":
        found = points.get((row["session"], row["task"]), {})
        made = f", {made_of(found):g} of {len(found)} points" if found else ""
        return Happened(day, f"Drilled: {row['verdict']}{made}", link=f"/drill/{row['session']}")
    if row["what"] == "view":
        said = f"Your view of a point: {row['status']}, graded {row['graded']}"
        if row["point"].startswith("!"):
            said = "Your view of a red flag: not said"
        return Happened(day, said, link=f"/drill/{row['session']}/{row['task']}")
    status = str(row["status"]).replace("-", " ")
    return Happened(day, f"{_BY.get(row['why'], row['why'])}: {status}", note=str(row["note"]))


def day_words(moment: datetime | None, zone: ZoneInfo) -> str:
    """The learner's day of a moment, as "3 May 2026"; empty for none."""
    if moment is None:
        return ""
    day = day_of(moment, zone)
    return f"{day.day} {day:%B} {day.year}"


def _neighbour(at: Standing, name: str, until: datetime) -> Neighbour:
    return Neighbour(name, at.outline.cards[name].title, at.cards[name].status, is_due(at.cards[name], until))


def until_today(study: Study, now: datetime) -> datetime:
    """The end of the learner's day: what is due before it is due today."""
    return end_of(day_of(now, study.zone), study.zone)


def is_due(found: CardProgress, until: datetime) -> bool:
    """Whether a card is to be reviewed before ``until``; one that is set aside is not."""
    return found.due is not None and found.due < until and not found.suspended
