"""``tutor eval lint``: what is wrong with the sets as their files have them, before anything is measured on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from tutor.drill.rubric import Rubric
from tutor.evals.lint_labels import TWINS, drill_rows, fact_labels, judge_labels, twins
from tutor.evals.lint_read import objects, parsed
from tutor.evals.lint_rows import Fault, Rows
from tutor.evals.sets import FactLabel, HeldOut, JudgeLabel, Kind, Question, Refusal, RefusalKind, Sets
from tutor.evals.wording import Copies, Nearest, normalised
from tutor.ingest.documents import Document
from tutor.retrieval.lexical import terms

QUESTIONS, REFUSALS = "golden/questions.jsonl", "golden/refuse.jsonl"
LABELS, JUDGED = "golden/fact_labels.jsonl", "golden/judge_labels.jsonl"
CALIBRATION = ("calibration/questions.jsonl", "calibration/held_out.jsonl")
ANSWERS, *BAND = "drill/answers.jsonl", "drill/band.jsonl", "drill/band-derived.jsonl"
LEAST = {QUESTIONS: 320, REFUSALS: 80}
#: Words in a row shared with a document: from where it is a warning, and a fault. The documents' own check has 8, too.
QUESTION_RUN, REFERENCE_RUN = (6, 8), (9, 12)
NEAR = 0.8  # Jaccard similarity of terms, of questions of five terms or more: the same question, lightly turned


def lint(
    sets: Sets,
    documents: Sequence[Document],
    learnt: Sequence[str] = (),
    rubrics: Mapping[tuple[str, str], Rubric] | None = None,
) -> list[Fault]:
    """Every fault of the golden sets, of the labelled rows, and of the calibration sets as far as they must differ.

    Args:
        sets: the folder; a line that breaks the schema is a fault, and the others are still checked.
        documents: the curriculum, as ``lint_read.curriculum_documents`` gives it.
        learnt: the training questions, as ``lint_read.training_questions`` gives them.
        rubrics: what drill answers were labelled against, as ``drills.rubrics_of`` gives them; without, only their
            ids are looked at.

    Returns:
        By file and line; the same for the same files. A set is good when none has the level ``fault``.

    Raises:
        SourceError: a file that must be there cannot be read.
    """
    faults: list[Fault] = []
    questions = parsed(sets.folder, QUESTIONS, Question, faults)
    refusals = parsed(sets.folder, REFUSALS, Refusal, faults)
    held_out = {name: parsed(sets.folder, name, HeldOut, faults) for name in CALIBRATION if _there(sets, name)}
    labels = parsed(sets.folder, LABELS, FactLabel, faults) if _there(sets, LABELS) else []
    judged = parsed(sets.folder, JUDGED, JudgeLabel, faults) if _there(sets, JUDGED) else []
    drills = {n: [row for _, row in objects(sets.folder, n, faults)] for n in (ANSWERS, *BAND) if _there(sets, n)}

    whole: list[tuple[str, Sequence[Question | Refusal | HeldOut]]]
    whole = [(QUESTIONS, questions), (REFUSALS, refusals), *held_out.items()]
    ids = [(name, row.id) for name, rows in whole for row in rows]
    ids += [(name, row.id) for name, some in ((LABELS, labels), (JUDGED, judged)) for row in some]
    ids += [(name, str(row.get("id"))) for name, rows in drills.items() for row in rows]
    faults += _ids(ids)
    asked = [(QUESTIONS, q.id, " ".join((*q.history, q.question))) for q in questions]
    asked += [(REFUSALS, r.id, r.question) for r in refusals]
    known = [(name, r.id, r.question) for name, rows in held_out.items() for r in rows]
    faults += _twice([*asked, *known])
    faults += _learnt(asked, learnt)
    rows = Rows(documents)
    for question in questions:
        faults += rows.check(QUESTIONS, question)
    faults += _copied(questions, refusals, documents)
    faults += _counts(questions, refusals, rows.phases)
    faults += [*fact_labels(LABELS, labels), *judge_labels(JUDGED, judged)]
    if rubrics is not None:
        for name, answers in drills.items():
            faults += drill_rows(name, answers, rubrics, beside=() if name == ANSWERS else drills.get(ANSWERS, ()))
    if _there(sets, TWINS):
        faults += twins(sets.folder, documents)
    order = {
        name: n for n, name in enumerate((QUESTIONS, REFUSALS, *CALIBRATION, TWINS, LABELS, JUDGED, ANSWERS, *BAND))
    }
    place = {key: n for n, key in reversed(list(enumerate(ids)))}
    return sorted(faults, key=lambda f: (order[f.file], place.get((f.file, f.id), -1), f.level, f.what))


def _there(sets: Sets, name: str) -> bool:
    return (sets.folder / name).is_file()


def _ids(ids: Sequence[tuple[str, str]]) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for file, row_id in ids:
        if row_id in first:
            what = f"the id is already that of a row in {first[row_id]}"
            yield Fault(file=file, id=row_id, what=what, fix="Give the new row an id of its own.")
        first.setdefault(row_id, file)


def _twice(asked: Sequence[tuple[str, str, str]]) -> Iterator[Fault]:
    """Questions that stand twice; among the calibration sets themselves too, for one is fitted on and one reported."""
    first: dict[str, tuple[str, str]] = {}
    for file, row_id, text in asked:
        key = normalised(text)
        if key in first:
            other_file, other = first[key]
            yield Fault(
                file=file,
                id=row_id,
                what=f"asks what {other} in {other_file} asks",
                fix="Keep one, or ask something else.",
            )
        first.setdefault(key, (file, row_id))


def _learnt(asked: Sequence[tuple[str, str, str]], learnt: Sequence[str]) -> Iterator[Fault]:
    exact = {normalised(text) for text in learnt}
    near = Nearest(learnt)
    for file, row_id, text in asked:
        if normalised(text) in exact:
            yield Fault(
                file=file,
                id=row_id,
                what="is a training question of the encoder",
                fix="Ask it in another way, or drop it.",
            )
        elif len(set(terms(text))) >= 5 and (found := near.of(text))[0] >= NEAR:
            what = f"is close to a training question ({found[0]:.2f} of the terms): {found[1]!r}"
            yield Fault(file=file, id=row_id, what=what, fix="Ask it from another side.", level="warning")


def _copied(
    questions: Sequence[Question], refusals: Sequence[Refusal], documents: Sequence[Document]
) -> Iterator[Fault]:
    copies = Copies({d.doc_id: d.text for d in documents})
    parts = (
        (QUESTIONS, "question", {q.id: q.question for q in questions}, QUESTION_RUN),
        (REFUSALS, "question", {r.id: r.question for r in refusals}, QUESTION_RUN),
        (QUESTIONS, "reference", {q.id: q.reference for q in questions}, REFERENCE_RUN),
    )
    for file, part, texts, (warned, refused) in parts:
        for row_id, (run, doc_id) in copies.of(texts).items():
            if run >= warned:
                yield Fault(
                    file=file,
                    id=row_id,
                    what=f"the {part} has {run} words in a row from '{doc_id}'",
                    fix="Say it in other words: copied wording makes retrieval look better than it is.",
                    level="fault" if run >= refused else "warning",
                )


def _counts(questions: Sequence[Question], refusals: Sequence[Refusal], phases: frozenset[int]) -> Iterator[Fault]:
    for file, count in ((QUESTIONS, len(questions)), (REFUSALS, len(refusals))):
        if count < LEAST[file]:
            yield Fault(
                file=file, what=f"has {count} valid rows, {LEAST[file]} are needed", fix="Add some (docs/evals.md)."
            )
    wanted: tuple[tuple[str, str, Counter[Any], Sequence[Any]], ...] = (
        (QUESTIONS, "kind", Counter(q.kind for q in questions), get_args(Kind)),
        (QUESTIONS, "phase", Counter(q.phase for q in questions), sorted(phases)),
        (REFUSALS, "kind", Counter(r.kind for r in refusals), get_args(RefusalKind)),
    )
    for file, name, counts, values in wanted:
        for value in values:
            if not counts[value]:
                yield Fault(file=file, what=f"nothing of {name} '{value}'", fix="Add a question of it.")
