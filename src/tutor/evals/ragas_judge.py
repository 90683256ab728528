"""What Ragas asks a judge model, one judgement at a time; half an answer is an error, never a score."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from tutor.evals.ragas_metrics import Embed, RagasCase, Vectors, load_ragas

#: Name → Ragas' class, and what it is told.
_KINDS = {
    "ragas_faithfulness": ("Faithfulness", ("user_input", "response", "retrieved_contexts")),
    "ragas_answer_relevancy": ("AnswerRelevancy", ("user_input", "response")),
    "ragas_context_precision": ("ContextPrecisionWithReference", ("user_input", "reference", "retrieved_contexts")),
    "ragas_context_recall": ("ContextRecall", ("user_input", "reference", "retrieved_contexts")),
    "ragas_factual_correctness": ("FactualCorrectness", ("response", "reference")),
}
JUDGED = tuple(_KINDS)
_FLAGS = frozenset({"verdict", "attributed", "noncommittal"})
_AGAIN = "Your last reply was not the whole JSON object that is asked for. Reply with that object alone."


class HalfAnswer(ValueError):
    """The model's answer has the right form and leaves out a part, or says neither yes nor no."""


class _Whole:
    """A model of Ragas, for one judgement, whose half answers are errors.

    Ragas scores 0 where a model finds no claim in a text, takes any number but 0 for yes, and averages over fewer
    verdicts than it asked for. An answer that cannot be used is asked for once more.
    """

    def __init__(self, model: Any, lost: type[Exception]) -> None:
        self._model, self._lost = model, lost
        self._claims = 0

    async def agenerate(self, prompt: str, response_model: type[Any]) -> Any:
        try:
            return self._checked(await self._model.agenerate(prompt, response_model))
        except self._lost:  # the client has tried again already
            raise
        except Exception:  # noqa: BLE001 - whatever form a server's answer had; the second one's error is raised
            return self._checked(await self._model.agenerate(f"{prompt}\n\n{_AGAIN}", response_model))

    def _checked(self, found: Any) -> Any:
        for name, value in found.model_dump().items():
            rows = value if isinstance(value, list) else [{name: value}]
            if not rows or (name == "question" and not value.strip()):
                raise HalfAnswer(f"no {name}")
            if isinstance(rows[0], str):
                self._claims = len(rows)
                continue
            if isinstance(value, list) and "verdict" in rows[0] and len(rows) != self._claims:
                raise HalfAnswer(f"{len(rows)} verdicts on {self._claims} claims")
            if any(row[flag] not in (0, 1) for row in rows if isinstance(row, Mapping) for flag in _FLAGS & row.keys()):
                raise HalfAnswer("a verdict that is neither 0 nor 1")
        return found


def judgements(
    client: Any, model: str, embed: Embed, *, lost: type[Exception]
) -> dict[str, Callable[[RagasCase], Awaitable[float]]]:
    """What a judge model can be asked of a case, by the names in ``JUDGED``.

    Args:
        client: an ``openai.AsyncOpenAI``, with its time-out and retries.
        model: the name that its server knows.
        embed: as in ``OfflineRagas``; compares questions for the answer's relevancy.
        lost: what the client raises when it has given up; all else is asked for once more.

    Returns:
        Functions that give a value (0 to 1, the relevancy -1 to 1) or NaN, and raise ``lost`` or whatever error an
        answer of a wrong form leads to.

    Raises:
        MissingExtra: Ragas is not installed.
    """
    ragas = load_ragas()
    ragas.llms.InstructorBaseRagasLLM.register(_Whole)
    vectors = Vectors(embed)
    # One attempt: the client repeats what the network lost, and `_Whole` what the model spoilt.
    served = ragas.llms.llm_factory(model, client=client, temperature=0.0, max_tokens=2048, max_retries=1)

    async def judge(kind: str, wanted: tuple[str, ...], case: RagasCase) -> float:
        told = {
            "user_input": case.question,
            "response": case.answer,
            "reference": case.reference,
            "retrieved_contexts": list(case.retrieved_contexts),
        }
        given = {"embeddings": vectors} if kind == "AnswerRelevancy" else {}
        metric = getattr(ragas.collections, kind)(llm=_Whole(served, lost), **given)
        with ragas.untraced():
            return float((await metric.ascore(**{key: told[key] for key in wanted})).value)

    return {name: partial(judge, kind, wanted) for name, (kind, wanted) in _KINDS.items()}
