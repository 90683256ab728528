"""What labelled rows must keep to: answers of drills, facts and judgements by people, and notes on the same subject."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tutor.drill.rubric import Rubric
from tutor.errors import SourceError
from tutor.evals.drills import faults_of
from tutor.evals.lint_rows import Fault
from tutor.evals.sets import FactLabel, JudgeLabel
from tutor.evals.wording import normalised
from tutor.ingest.documents import Document

TWINS = "calibration/twins.json"


def drill_rows(
    file: str,
    rows: Sequence[Mapping[str, Any]],
    rubrics: Mapping[tuple[str, str], Rubric],
    beside: Sequence[Mapping[str, Any]] = (),
) -> Iterator[Fault]:
    """Of labelled answers: unknown probes, points, flags and classes, an id that is not its probe's, the same answer
    twice to a probe, a probe in both halves, also where the other half has it in the sound rows ``beside`` these."""
    for row in rows:
        row_id = str(row.get("id"))
        found = list(faults_of(row, rubrics))
        for what, fix in found:
            yield Fault(file=file, id=row_id, what=what, fix=fix)
        head = f"{row.get('card')}/{row.get('probe')}/"
        if not found and not (row_id.startswith(head) and row_id.removeprefix(head).isdigit()):
            yield Fault(file=file, id=row_id, what="the id is not that of its probe", fix=f"Call it {head}1 and so on.")
    named = [(str(r.get("id")), (r.get("card"), r.get("probe")), r) for r in rows]
    answers = [(row_id, (str(probe), normalised(str(r.get("answer"))))) for row_id, probe, r in named]
    yield from _twice(file, answers, "is the answer that {other} gives", "Keep one.")
    halves = [(str(r.get("id")), str((r.get("card"), r.get("probe"))), str(r.get("half"))) for r in (*beside, *rows)]
    yield from _halved(file, halves, "its probe is in the half '{half}' with {other}")


def fact_labels(file: str, labels: Sequence[FactLabel]) -> Iterator[Fault]:
    """Of labels of facts: the same fact of the same answer twice, a question in both halves."""
    same = [(one.id, (normalised(one.answer), normalised(one.fact))) for one in labels]
    yield from _twice(file, same, "labels the fact and the answer of {other}", "Keep one.")
    halves = [(one.id, normalised(one.question), one.half) for one in labels]
    yield from _halved(file, halves, "its question is in the half '{half}' with {other}")


def judge_labels(file: str, labels: Sequence[JudgeLabel]) -> Iterator[Fault]:
    """Of labels for a judge model: the same answer to the same question twice, a context twice."""
    same = [(one.id, (normalised(one.question), normalised(one.answer))) for one in labels]
    yield from _twice(file, same, "labels the answer of {other}", "Keep one.")
    for one in labels:
        if len(set(map(normalised, one.contexts))) < len(one.contexts):
            yield Fault(file=file, id=one.id, what="a context stands twice", fix="Each once.")


def twins(folder: Path, documents: Sequence[Document]) -> Iterator[Fault]:
    """Of ``calibration/twins.json``: notes and cards that no document covers, one twice, or beside itself.

    Raises:
        SourceError: the file cannot be read.
    """
    doubled: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        doubled.extend(name for name in dict.fromkeys(names) if names.count(name) > 1)
        return dict(pairs)

    try:
        found = json.loads((folder / TWINS).read_text(encoding="utf-8"), object_pairs_hook=once)
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"the set cannot be read ({error})", about=str(folder / TWINS)) from error
    except (ValueError, RecursionError) as error:
        yield Fault(file=TWINS, what=f"is no JSON ({error})", fix="An object of lists: a note's item to cards' items.")
        return
    if not isinstance(found, dict) or not all(
        isinstance(cards, list) and cards and all(isinstance(card, str) for card in cards) for cards in found.values()
    ):
        yield Fault(file=TWINS, what="is no object of lists", fix="A note's item to its cards' items.")
        return
    known = {item for document in documents for item in document.covers}
    for note in doubled:
        yield Fault(file=TWINS, id=note, what="stands there twice: only the last counts", fix="Join the two.")
    for note, cards in found.items():
        for item in dict.fromkeys((note, *cards)):
            if item not in known:
                fix = "Name an item as a document's 'covers' has it."
                yield Fault(file=TWINS, id=note, what=f"no document covers '{item}'", fix=fix)
        if len(set(cards)) < len(cards) or note in cards:
            yield Fault(file=TWINS, id=note, what="names an item twice, or itself", fix="Each card once.")


def _twice(file: str, keyed: Iterable[tuple[str, Hashable]], what: str, fix: str) -> Iterator[Fault]:
    first: dict[Hashable, str] = {}
    for row_id, key in keyed:
        if key in first:
            yield Fault(file=file, id=row_id, what=what.format(other=first[key]), fix=fix)
        first.setdefault(key, row_id)


def _halved(file: str, rows: Sequence[tuple[str, str, str]], what: str) -> Iterator[Fault]:
    """What is fitted on must not be reported on."""
    first: dict[str, tuple[str, str]] = {}
    for row_id, key, half in rows:
        other, its_half = first.setdefault(key, (row_id, half))
        if half != its_half:
            fix = "Put all of it into one half: what is fitted on must not be reported on."
            yield Fault(file=file, id=row_id, what=what.format(half=its_half, other=other), fix=fix)
