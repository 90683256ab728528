"""The suite ``ragas``: Ragas' own metrics over the golden questions, and a judge model's where one is set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tutor.answering.answer import Answer
from tutor.bootstrap import App
from tutor.evals.agreement import Agreement, agreement
from tutor.evals.asked import Asked
from tutor.evals.judged import Judge, Judged
from tutor.evals.ragas_metrics import OfflineRagas, RagasCase
from tutor.evals.record import Case, Suite
from tutor.evals.sets import JudgeLabel, Question
from tutor.retrieval.encoder import OnnxEncoder

_PASSAGES = 8


def measure(
    asked: Asked,
    questions: Sequence[tuple[Question, str]],
    labels: Sequence[JudgeLabel],
    tick: Callable[[int, int], None],
) -> Suite:
    """Every answered question's values; a refused one is left out, as refusing is measured elsewhere.

    Args:
        asked: the product's answers.
        questions: those to ask, each with the words it is asked in.
        labels: what the judge model is compared with, where there is one.
        tick: told of cases done and all of them.

    Raises:
        MissingExtra: Ragas is not installed.
        SettingsError: the judge's settings do not fit together.
    """
    encoder = OnnxEncoder()  # the ruler stays the same whatever the product encodes with

    def embed(texts: list[str]) -> NDArray[np.float32]:
        return np.stack([e.dense for e in encoder.encode(texts)])

    ragas = OfflineRagas(embed)
    cases: dict[str, RagasCase] = {}
    answered: dict[str, tuple[Question, str]] = {}
    for done, (question, text) in enumerate(questions, 1):
        answer = asked.answer(text)
        if not answer.abstained:
            cases[question.id] = _case(asked, question, text, answer)
            answered[question.id] = (question, text)
        tick(done, len(questions))
    values = dict(zip(cases, ragas.score_all(list(cases.values())), strict=True))
    notes = [f"{len(questions) - len(cases)} refused questions have no values here"]
    totals: dict[str, float] = {}
    if asked.app.settings.judge.url:
        told = _judge(asked.app, embed, cases, labels)
        values = {name: row | told[0].values.get(name, {}) for name, row in values.items()}
        totals, judged_notes = _told(*told)
        notes += judged_notes
    else:
        notes.append("no judge model is set (judge.url): faithfulness, relevancy, contexts and facts were not judged")
    found = tuple(
        Case(id=name, question=text, kind=question.kind, phase=question.phase, values=values[name])
        for name, (question, text) in answered.items()
    )
    return Suite(name="ragas", cases=found, totals=totals, notes=tuple(notes))


def _case(asked: Asked, question: Question, text: str, answer: Answer) -> RagasCase:
    documents = asked.by_document(text)[:5]
    contexts = {h.passage.chunk_id: h.passage.text for h in asked.passages(text)[:_PASSAGES]}
    for citation in answer.citations:
        if citation.chunk_id not in contexts:
            passage = asked.app.reader.payload("passage", citation.chunk_id) or {}
            contexts[citation.chunk_id] = str(passage.get("text", ""))
    return RagasCase(
        question=text,
        answer=answer.text,
        reference=question.reference,
        retrieved_ids=[h.passage.doc_id for h in documents],
        reference_ids=question.documents,
        retrieved_contexts=list(contexts.values()),
        quotes=[c.quote for c in answer.citations],
    )


def _judge(
    app: App,
    embed: Callable[[list[str]], NDArray[np.float32]],
    cases: Mapping[str, RagasCase],
    labels: Sequence[JudgeLabel],
) -> tuple[Judged, Agreement]:
    judge = Judge(app.settings.judge, embed)
    return judge.run(cases), agreement(judge, labels)


def _told(judged: Judged, agreed: Agreement) -> tuple[dict[str, float], list[str]]:
    """Counts of failures as totals, and in words how far each of the judge's figures may be believed."""
    totals, notes = {}, list(judged.notes)
    for name, score in judged.scores.items():
        totals[f"{name}_failed"] = float(score.failed)
        compared = agreed.metrics.get(name)
        trust = (
            f"agrees with people: kappa {compared.kappa:.2f} on {compared.rows} rows" if compared else "never compared"
        )
        low, high = score.bounds
        mean = "none" if score.mean is None else f"{score.mean:.3f}"
        notes.append(
            f"{name} by {agreed.model}: {mean} over {score.judged} cases, {score.failed} failed "
            f"(between {low:.3f} and {high:.3f} with them); {trust}"
            f"{'; advisory' if agreed.advisory(name) else ''}"
        )
    if judged.over_budget:
        notes.append(f"{judged.over_budget} cases were beyond judge.max_cases and not judged")
    return totals, notes
