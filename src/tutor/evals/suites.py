"""The suites: the product is asked every question of the sets, as a user would, and what comes back is measured."""

from __future__ import annotations

import math
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from tutor.answering.answer import Answer
from tutor.answering.cite import resolves
from tutor.bootstrap import App
from tutor.drill.grade import Grade
from tutor.errors import TutorError
from tutor.evals import SUITES, drills
from tutor.evals.asked import Asked
from tutor.evals.facts import FactJudge, agreement
from tutor.evals.metrics import area_under, percentile, ranking, risk_coverage, wrong
from tutor.evals.pace import Pace, Yardstick
from tutor.evals.record import Case, Suite
from tutor.evals.sets import HeldOut, Question, Refusal, Sets
from tutor.evals.support import supported
from tutor.retrieval.index import Hit
from tutor.training.data import section_of

_NAMES = 4
_SIDE_BY_SIDE = 4  # texts of a yardstick's pass beside a grader that reads on all cores
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
        self._asked = Asked(app, sets)
        self._yardstick = Yardstick()
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

    def _each(self, suite: str, cases: Sequence[T], measure: Callable[[T], Case]) -> tuple[Case, ...]:
        chosen = self._chosen(cases)
        found = []
        for done, one in enumerate(chosen, 1):
            found.append(measure(one))
            self._tick(suite, done, len(chosen))
        return tuple(found)

    def _chosen(self, cases: Sequence[T]) -> Sequence[T]:
        return cases[:: max(1, len(cases) // self._sample) if self._sample else 1]

    # -- the suites

    def _retrieval(self) -> Suite:
        pace = Pace(self._yardstick)

        def measure(question: Question) -> Case:
            hits = self._asked.by_document(self._asked.read(question))
            passages = pace.of(lambda: self._asked.passages(self._asked.read(question)))
            right = self._asked.answering_for(question.documents)
            places = {(p.doc, p.section) for p in question.passages}
            in_place = [(h.passage.doc_id, section_of(h.passage)) in places for h in passages]
            values = ranking([h.passage.doc_id for h in hits], right, len(question.documents))
            values |= {"section@1": float(any(in_place[:1])), "section@5": float(any(in_place[:5]))}
            seen = {"hits": [_seen(h, right) for h in hits[:5]], "wanted": list(question.documents)}
            return _case(self._asked.read(question), question, values, seen)

        cases = self._each("retrieval", self.sets.questions, self._safe(measure))
        return Suite(name="retrieval", cases=cases, totals=_latency(pace, 0.95))

    def _answering(self) -> Suite:
        pace = Pace(self._yardstick)

        def measure(question: Question) -> Case:
            answer = pace.of(lambda: self._asked.answer(self._asked.read(question)))
            covered = [False] * len(question.key_facts)
            if not answer.abstained:
                covered = self.facts.covered(answer.text, question.key_facts)
            values = {"answered": float(not answer.abstained), "key_facts": sum(covered) / len(covered)}
            if not answer.abstained:
                right = self._asked.answering_for(question.documents)
                values |= {
                    "citations_resolve": _share(resolves(c, self._asked.texts) for c in answer.citations),
                    "citations_right": _share(c.doc_id in right for c in answer.citations),
                    "sentences_supported": supported(answer, self._asked.texts),
                    "length_kept": float(60 <= len(answer.text.split()) <= answer.composed.room),
                }
            missing = [f.fact for f, on in zip(question.key_facts, covered, strict=True) if not on]
            seen = {"answer": answer.text, "missing": missing, "wanted": list(question.documents)}
            return _case(self._asked.read(question), question, values, seen)

        cases = self._each("answers", self.sets.questions, self._safe(measure))
        words = [float(len(str(c.seen["answer"]).split())) for c in cases if c.values.get("answered")]
        totals = {
            "ms_p50": pace.ms(0.5),
            **_latency(pace, 0.95),
            "words_p50": percentile(words, 0.5),
        }
        if not self._sample:  # the ruler is the same in every run
            accuracy, of_kappa = agreement(self.facts, self.sets.fact_labels)
            totals |= {"fact_judge_accuracy": accuracy, "fact_judge_kappa": of_kappa}
        return Suite(name="answers", cases=cases, totals=totals)

    def _ragas(self) -> Suite:
        from tutor.evals.ragas_suite import measure

        return measure(
            self._asked,
            [(question, self._asked.read(question)) for question in self._chosen(self.sets.questions)],
            self.sets.judge_labels,
            lambda done, total: self._tick("ragas", done, total),
        )

    def _refusals(self) -> Suite:
        """Questions to be refused and questions to be answered: was each decided rightly?"""

        def answerable(question: Question) -> Case:
            answer = self._asked.answer(self._asked.read(question))
            found = self._asked.by_document(self._asked.read(question))[:1]
            wanted = self._asked.answering_for(question.documents)
            right = {"right": float(any(hit.passage.doc_id in wanted for hit in found))}
            return _case(self._asked.read(question), question, _decision(answer, True) | right, {}, prefix="answerable")

        wanted = self._each("refusals", self.sets.questions, self._safe(answerable))

        def refusal(one: Refusal) -> Case:
            answer = self._asked.answer(one.question)
            seen = {"answer": answer.text, "why": one.why}
            return Case(id=one.id, question=one.question, kind=one.kind, values=_decision(answer, False), seen=seen)

        kept = self._each("refusals", self.sets.refusals, self._safe(refusal))
        ran = [c for c in (*wanted, *kept) if not c.error]
        curve = risk_coverage([c.values["confidence"] for c in ran], [not wrong(c.values) for c in ran])
        given = [wrong(c.values) for c in ran if c.values["answered"] == 1]
        refused = [c.values["answered"] == 0 for c in ran]
        should = [c.values["answerable"] == 0 for c in ran]
        hits = sum(r and s for r, s in zip(refused, should, strict=True))
        totals = {
            "risk": sum(given) / len(given) if given else 0.0,
            "risk_coverage_area": area_under(curve),
            "refusal_precision": hits / sum(refused) if any(refused) else math.nan,
            "refusal_recall": hits / sum(should) if any(should) else math.nan,
            "false_refusals": sum(r and not s for r, s in zip(refused, should, strict=True))
            / max(1, len(should) - sum(should)),
        }
        return Suite(name="refusals", cases=(*wanted, *kept), totals=totals)

    def _held_out(self) -> Suite:
        """The questions that abstaining was not fitted on: found, answered or refused."""
        available = {c for row in self._asked.documents.values() for c in row["covers"]}  # type: ignore[attr-defined]
        twins = self.sets.twins
        rows = [r for r in self.sets.held_out if not r.answerable or set(r.covers) & available]

        def measure(row: HeldOut) -> Case:
            shown: dict[str, object]
            wanted = set(row.covers) | {note for note, cards in twins.items() if set(row.covers) & set(cards)}
            answer = self._asked.answer(row.question)
            if not row.answerable:
                values = {"refused": float(answer.abstained)}
                return Case(
                    id=row.id, question=row.question, kind=row.kind, values=values, seen={"answer": answer.text}
                )
            hits = self._asked.by_document(row.question)[:5]
            right = [bool(set(h.passage.covers) & wanted) for h in hits]
            values = {"hit@1": float(right[:1] == [True]), "hit@5": float(any(right))}
            values["answered"] = float(not answer.abstained)
            shown = {"hits": [{"doc": h.passage.doc_id, "right": on} for h, on in zip(hits, right, strict=True)]}
            return Case(id=row.id, question=row.question, kind=row.kind, values=values, seen=shown)

        return Suite(name="held-out", cases=self._each("held-out", rows, self._safe(measure)))

    def _names(self) -> Suite:
        """ "What is X?" for every alias and acronym that a document declares."""
        names: dict[str, set[str]] = defaultdict(set)
        for doc_id, row in self._asked.documents.items():
            for name in (*row["aliases"], *row["acronyms"]):  # type: ignore[misc]
                names[str(name)].add(doc_id)

        # By their hashes, so that a new name does not change which others are asked.
        chosen = [(n, d) for n, d in sorted(names.items()) if zlib.crc32(n.encode()) % _NAMES == 0]

        def measure(item: tuple[str, set[str]]) -> Case:
            name, owners = item
            answer = self._asked.answer(f"What is {name}?")
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
        pace = Pace(self._yardstick, texts=_SIDE_BY_SIDE)

        def measure(row: dict[str, object]) -> Case:
            grade = pace.of(lambda: grader.grade(data.rubric(row), str(row["answer"])))
            graded[str(row["id"])] = grade
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
        totals |= _latency(pace, 0.5) | self._band()
        return Suite(name="drill", cases=cases, totals=totals)

    def _band(self) -> dict[str, float]:
        """Of answers of 31 to 95 words: agreement per point, verdicts right. Nothing of a sample, or without them."""
        path = self.sets.folder / "drill" / "band.jsonl"
        if self._sample or not path.is_file():
            return {}
        data = drills.Labelled(self.app, path, self.app.judge)
        grader, rows = data.grader(), [r for r in data.rows if r["half"] == "report"]
        graded = {str(r["id"]): grader.grade(data.rubric(r), str(r["answer"])) for r in rows}
        figures = drills.Outcome.over(rows, graded).figures
        return {"band_kappa": figures["kappa"], "band_verdict": figures["verdict"]}

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


def _case(
    read: str, question: Question, values: dict[str, float], seen: Mapping[str, object], prefix: str = ""
) -> Case:
    kind = f"{prefix}:{question.kind}" if prefix else question.kind
    return Case(id=question.id, question=read, kind=kind, phase=question.phase, values=values, seen=seen)


def _decision(answer: Answer, answerable: bool) -> dict[str, float]:
    return {
        "decision": float(answer.abstained != answerable),
        "confidence": answer.confidence,
        "answered": float(not answer.abstained),
        "answerable": float(answerable),
    }


def _latency(pace: Pace, share: float) -> dict[str, float]:
    """The percentile of the times in ms, and as a multiple of the yardstick's, which is what has a ceiling."""
    name = f"p{share * 100:.0f}"
    return {f"ms_{name}": pace.ms(share), f"latency_{name}": pace.ratio(share)}


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
