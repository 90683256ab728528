"""The suites: the product is asked every question of the sets, as a user would, and what comes back is measured."""

from __future__ import annotations

import math
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeVar

from tutor.answering.answer import Answer
from tutor.answering.cite import resolves
from tutor.answering.talk import Said
from tutor.bootstrap import App
from tutor.drill.grade import Grade
from tutor.errors import TutorError
from tutor.evals import SUITES, drills
from tutor.evals.facts import FactJudge, agreement
from tutor.evals.metrics import area_under, percentile, ranking, risk_coverage
from tutor.evals.record import Case, Suite
from tutor.evals.sets import HeldOut, Question, Refusal, Sets
from tutor.evals.support import supported
from tutor.retrieval.index import Hit
from tutor.training.data import section_of

_HITS = 10
_NAMES = 4
T = TypeVar("T")
#: Called with the suite's name, cases done and cases in all.
Tick = Callable[[str, int, int], None]


class Runner:
    """Runs suites over one product; each question is asked once, whichever suites want its answer.

    Args:
        app: the product under test, with its index made.
        sets: the golden sets.
        sample: only every n-th case, so that about this many are left; 0 takes all.
        tick: told of progress.
    """

    def __init__(self, app: App, sets: Sets, *, sample: int = 0, tick: Tick | None = None) -> None:
        self.app = app
        self.sets = sets
        self._sample = sample
        self._tick = tick or (lambda suite, done, total: None)
        self._answers: dict[str, Answer] = {}
        self._read: dict[str, str] = {}
        self.facts = FactJudge()

    def run(self, names: Sequence[str]) -> Iterator[Suite]:
        """Each suite's results, in the order of ``SUITES``."""
        table: dict[str, Callable[[], Suite]] = {
            "retrieval": self._retrieval,
            "answers": self._answering,
            "ragas": self._ragas,
            "refusals": self._refusals,
            "held-out": self._held_out,
            "names": self._names,
            "drill": self._drill,
        }
        for name in SUITES:
            if name in names:
                began = time.perf_counter()
                suite = table[name]()
                yield suite.model_copy(update={"seconds": round(time.perf_counter() - began, 2)})

    # -- what several suites need

    @cached_property
    def documents(self) -> dict[str, dict[str, object]]:
        return {d["doc_id"]: d for d in self.app.reader.documents()}

    @cached_property
    def _texts(self) -> dict[str, str]:
        return {d: str((self.app.reader.payload("document", d) or {}).get("text", "")) for d in self.documents}

    def asked(self, question: Question) -> str:
        """What the product makes of a question after what was asked before it, as in a conversation."""
        if question.id not in self._read:
            before = self.app.talk.remembered(Said(text) for text in question.history)
            self._read[question.id] = self.app.talk.read(question.question, before).text
        return self._read[question.id]

    def _case(self, question: Question, values: dict[str, float], seen: Mapping[str, object], prefix: str = "") -> Case:
        kind = f"{prefix}:{question.kind}" if prefix else question.kind
        return Case(
            id=question.id, question=self.asked(question), kind=kind, phase=question.phase, values=values, seen=seen
        )

    def _ask(self, question: str) -> Answer:
        if question not in self._answers:
            self._answers[question] = self.app.answerer.ask(question)
        return self._answers[question]

    def _each(self, suite: str, cases: Sequence[T], measure: Callable[[T], Case]) -> tuple[Case, ...]:
        chosen = self._chosen(cases)
        found = []
        for done, one in enumerate(chosen, 1):
            found.append(measure(one))
            self._tick(suite, done, len(chosen))
        return tuple(found)

    def _chosen(self, cases: Sequence[T]) -> Sequence[T]:
        return cases[:: max(1, len(cases) // self._sample) if self._sample else 1]

    def _answering_for(self, wanted: Sequence[str]) -> dict[str, frozenset[str]]:
        """The documents that answer, with the wanted ones that each stands for: itself, those that cover the same item,
        and those whose subject it is a note on.
        """
        found: dict[str, set[str]] = {}
        for name in wanted:
            items = set(map(str, self.documents.get(name, {}).get("covers", ())))  # type: ignore[call-overload]
            items |= {twin for twin, cards in self.sets.twins.items() if items & set(cards)}
            for doc_id, row in self.documents.items():
                if doc_id == name or items & set(row["covers"]):  # type: ignore[call-overload]
                    found.setdefault(doc_id, set()).add(name)
            found.setdefault(name, set()).add(name)
        return {doc_id: frozenset(names) for doc_id, names in found.items()}

    # -- the suites

    def _retrieval(self) -> Suite:
        def measure(question: Question) -> Case:
            hits = self.app.searcher.search(self.asked(question), limit=_HITS, by_document=True).hits
            passages = self.app.searcher.search(self.asked(question), limit=_HITS).hits
            right = self._answering_for(question.documents)
            places = {(p.doc, p.section) for p in question.passages}
            in_place = [(h.passage.doc_id, section_of(h.passage)) in places for h in passages]
            values = ranking([h.passage.doc_id for h in hits], right, len(question.documents))
            values |= {"section@1": float(any(in_place[:1])), "section@5": float(any(in_place[:5]))}
            seen = {"hits": [_seen(h, right) for h in hits[:5]], "wanted": list(question.documents)}
            return self._case(question, values, seen)

        return Suite(name="retrieval", cases=self._each("retrieval", self.sets.questions, self._safe(measure)))

    def _answering(self) -> Suite:
        took: list[float] = []

        def measure(question: Question) -> Case:
            answer = self._ask(self.asked(question))
            took.append(answer.ms)
            covered = [False] * len(question.key_facts)
            if not answer.abstained:
                covered = self.facts.covered(answer.text, question.key_facts)
            values = {"answered": float(not answer.abstained), "key_facts": sum(covered) / len(covered)}
            if not answer.abstained:
                right = self._answering_for(question.documents)
                values |= {
                    "citations_resolve": _share(resolves(c, self._texts) for c in answer.citations),
                    "citations_right": _share(c.doc_id in right for c in answer.citations),
                    "sentences_supported": supported(answer, self._texts),
                    "length_kept": float(60 <= len(answer.text.split()) <= 180),
                }
            missing = [f.fact for f, on in zip(question.key_facts, covered, strict=True) if not on]
            seen = {"answer": answer.text, "missing": missing, "wanted": list(question.documents)}
            return self._case(question, values, seen)

        cases = self._each("answers", self.sets.questions, self._safe(measure))
        words = [float(len(str(c.seen["answer"]).split())) for c in cases if c.values.get("answered")]
        totals = {
            "ms_p50": percentile(took, 0.5),
            "ms_p95": percentile(took, 0.95),
            "words_p50": percentile(words, 0.5),
        }
        if not self._sample:  # the ruler is the same in every run
            accuracy, of_kappa = agreement(self.facts, self.sets.fact_labels)
            totals |= {"fact_judge_accuracy": accuracy, "fact_judge_kappa": of_kappa}
        return Suite(name="answers", cases=cases, totals=totals)

    def _ragas(self) -> Suite:
        from tutor.evals.ragas_suite import measure

        return measure(
            self.app,
            self._chosen(self.sets.questions),
            lambda question: (self.asked(question), self._ask(self.asked(question))),
            self.sets.judge_labels,
            lambda done, total: self._tick("ragas", done, total),
        )

    def _refusals(self) -> Suite:
        """Questions to be refused and questions to be answered: was each decided rightly?"""

        def answerable(question: Question) -> Case:
            answer = self._ask(self.asked(question))
            return self._case(question, _decision(answer, True), {}, prefix="answerable")

        wanted = self._each("refusals", self.sets.questions, self._safe(answerable))

        def refusal(one: Refusal) -> Case:
            answer = self._ask(one.question)
            seen = {"answer": answer.text, "why": one.why}
            return Case(id=one.id, question=one.question, kind=one.kind, values=_decision(answer, False), seen=seen)

        kept = self._each("refusals", self.sets.refusals, self._safe(refusal))
        ran = [c for c in (*wanted, *kept) if not c.error]
        curve = risk_coverage([c.values["confidence"] for c in ran], [c.values["answerable"] == 1 for c in ran])
        refused = [c.values["answered"] == 0 for c in ran]
        should = [c.values["answerable"] == 0 for c in ran]
        hits = sum(r and s for r, s in zip(refused, should, strict=True))
        totals = {
            "risk_coverage_area": area_under(curve),
            "refusal_precision": hits / sum(refused) if any(refused) else math.nan,
            "refusal_recall": hits / sum(should) if any(should) else math.nan,
            "false_refusals": sum(r and not s for r, s in zip(refused, should, strict=True))
            / max(1, len(should) - sum(should)),
        }
        return Suite(name="refusals", cases=(*wanted, *kept), totals=totals)

    def _held_out(self) -> Suite:
        """The questions that abstaining was not fitted on: found, answered or refused."""
        available = {c for row in self.documents.values() for c in row["covers"]}  # type: ignore[attr-defined]
        twins = self.sets.twins
        rows = [r for r in self.sets.held_out if not r.answerable or set(r.covers) & available]

        def measure(row: HeldOut) -> Case:
            shown: dict[str, object]
            wanted = set(row.covers) | {note for note, cards in twins.items() if set(row.covers) & set(cards)}
            answer = self._ask(row.question)
            if not row.answerable:
                values = {"refused": float(answer.abstained)}
                return Case(
                    id=row.id, question=row.question, kind=row.kind, values=values, seen={"answer": answer.text}
                )
            hits = self.app.searcher.search(row.question, limit=5, by_document=True).hits
            right = [bool(set(h.passage.covers) & wanted) for h in hits]
            values = {"hit@1": float(right[:1] == [True]), "hit@5": float(any(right))}
            values["answered"] = float(not answer.abstained)
            shown = {"hits": [{"doc": h.passage.doc_id, "right": on} for h, on in zip(hits, right, strict=True)]}
            return Case(id=row.id, question=row.question, kind=row.kind, values=values, seen=shown)

        return Suite(name="held-out", cases=self._each("held-out", rows, self._safe(measure)))

    def _names(self) -> Suite:
        """ "What is X?" for every alias and acronym that a document declares."""
        names: dict[str, set[str]] = defaultdict(set)
        for doc_id, row in self.documents.items():
            for name in (*row["aliases"], *row["acronyms"]):  # type: ignore[misc]
                names[str(name)].add(doc_id)

        # By their hashes, so that a new name does not change which others are asked.
        chosen = [(n, d) for n, d in sorted(names.items()) if zlib.crc32(n.encode()) % _NAMES == 0]

        def measure(item: tuple[str, set[str]]) -> Case:
            name, owners = item
            answer = self._ask(f"What is {name}?")
            first = answer.citations[0].doc_id if answer.citations else ""
            values = {"answered": float(not answer.abstained), "own_document": float(first in owners)}
            return Case(
                id=name, question=f"What is {name}?", kind="name", values=values, seen={"hits": [{"doc": first}]}
            )

        return Suite(name="names", cases=self._each("names", chosen, self._safe(measure)))

    def _drill(self) -> Suite:
        data = drills.Labelled(self.app, self.sets.folder / "drill" / "answers.jsonl", self.app.judge)
        grader = data.grader()
        rows = [r for r in data.rows if r["half"] == "report"]
        graded: dict[str, Grade] = {}

        def measure(row: dict[str, object]) -> Case:
            grade = graded[str(row["id"])] = grader.grade(data.rubric(row), str(row["answer"]))
            values = drills.values_of(row, grade)
            return Case(
                id=str(row["id"]),
                question=f"{row['card']} / {row['probe']}",
                kind=str(row["kind"]),
                values=values,
                seen={"verdict": grade.verdict, "wanted": [str(row["verdict"])]},
            )

        cases = self._each("drill", rows, self._safe(measure))
        outcome = drills.Outcome.over([r for r in rows if r["id"] in graded], graded)
        paired = {name for case in cases for name in case.values}
        found = outcome.apart["whole"].figures | outcome.short_figures
        totals = {n: v for n, v in found.items() if n not in paired and not (self._sample and math.isnan(v))}
        totals["ms_p50"] = percentile([g.ms for g in graded.values()], 0.5)
        return Suite(name="drill", cases=cases, totals=totals)

    @staticmethod
    def _safe(measure: Callable[[T], Case]) -> Callable[[T], Case]:
        """An error of the product is that case's, and fails the gate; it does not end the run."""

        def run(one: T) -> Case:
            try:
                return measure(one)
            except Exception as error:  # noqa: BLE001  whatever the product does with a question is a result
                name = getattr(one, "id", None) or (one["id"] if isinstance(one, dict) else str(one))
                question = getattr(one, "question", str(name))
                told = error.message if isinstance(error, TutorError) else f"{type(error).__name__}: {error}"
                return Case(id=str(name), question=question, kind=getattr(one, "kind", ""), error=told)

        return run


def _decision(answer: Answer, answerable: bool) -> dict[str, float]:
    return {
        "decision": float(answer.abstained != answerable),
        "confidence": answer.confidence,
        "answered": float(not answer.abstained),
        "answerable": float(answerable),
    }


def _seen(hit: Hit, right: Mapping[str, frozenset[str]]) -> dict[str, object]:
    passage = hit.passage
    return {
        "doc": passage.doc_id,
        "title": passage.title,
        "section": section_of(passage),
        "right": passage.doc_id in right,
    }


def _share(found: Iterator[bool]) -> float:
    rows = list(found)
    return sum(rows) / len(rows) if rows else math.nan
