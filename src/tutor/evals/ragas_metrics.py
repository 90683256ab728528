"""Ragas' metrics that need no model, offline. The only file that imports Ragas.

Nothing is sent anywhere. Ragas' telemetry is off, and so are two things that its own switch
leaves on: the user id that it writes to the home directory, and LangSmith traces where the shell has them on.
"""

from __future__ import annotations

import asyncio
import math
import os
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutor.errors import MissingExtra

Embed = Callable[[list[str]], NDArray[np.float32]]
# Every character that Ragas takes for a quotation mark, apostrophes too: inside a quote it would end it early.
_MARKS = re.compile(r'[\s"“”„‟\'‘’`´]+')


@dataclass(frozen=True, slots=True)
class RagasCase:
    """One answered question. Ids are of one kind; contexts best first; quotes are the answer's verbatim citations."""

    question: str
    answer: str
    reference: str
    retrieved_ids: Sequence[str] = ()
    reference_ids: Sequence[str] = ()
    retrieved_contexts: Sequence[str] = ()
    quotes: Sequence[str] = ()


def available() -> str:
    """The version of Ragas, or "" where it is not installed."""
    try:
        return version("ragas")
    except PackageNotFoundError:
        return ""


@cache
def load_ragas() -> SimpleNamespace:
    """The parts of Ragas in use; imported when first needed, which takes seconds.

    Raises:
        MissingExtra: Ragas is not installed.
    """
    os.environ["RAGAS_DO_NOT_TRACK"] = "true"  # read once, at the first event
    try:
        from langsmith import tracing_context
        from ragas import SingleTurnSample, embeddings, llms
        from ragas.metrics import collections

        with warnings.catch_warnings():
            # It points to ragas.metrics.collections, which in 0.4.3 does not have them.
            warnings.filterwarnings("ignore", r"Importing IDBased\w+ from 'ragas\.metrics'", DeprecationWarning)
            from ragas.metrics import IDBasedContextPrecision, IDBasedContextRecall
        import sacrebleu  # noqa: F401 - CHRFScore imports it when it scores, which would be late to say so
    except ImportError as error:
        raise MissingExtra("tutor eval", extra="eval", module=error.name or "ragas") from error
    # An event without a user id makes one, and writes it to the home directory, before telemetry is found off.
    for module, event in (("ragas.metrics.base", "EvaluationEvent"), ("ragas.llms.base", "LLMUsageEvent")):
        home = import_module(module)
        setattr(home, event, partial(getattr(home, event), user_id="none"))
    embeddings.BaseRagasEmbedding.register(Vectors)
    return SimpleNamespace(
        id_precision=IDBasedContextPrecision(),
        id_recall=IDBasedContextRecall(),
        sample=SingleTurnSample,
        collections=collections,
        llms=llms,
        untraced=partial(tracing_context, enabled=False),
    )


class Vectors:
    """Our encoder as Ragas' embeddings; each text is encoded once."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self._known: dict[str, NDArray[np.float32]] = {}

    def prepare(self, texts: Iterable[str]) -> None:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._embed(new), strict=True))

    def embed_text(self, text: str, **_: Any) -> NDArray[np.float32]:
        self.prepare([text])
        return self._known[text]

    async def aembed_text(self, text: str, **_: Any) -> NDArray[np.float32]:
        return self.embed_text(text)

    async def aembed_texts(self, texts: list[str], **_: Any) -> list[NDArray[np.float32]]:
        self.prepare(texts)
        return [self._known[text] for text in texts]


class OfflineRagas:
    """The metrics that need no model: cases to values by name.

    ``ragas_id_precision`` and ``ragas_id_recall`` (NaN where nothing was retrieved, or nothing is named as right),
    ``ragas_similarity`` (cosine of answer and reference, -1 to 1), ``ragas_chrf`` (character n-grams shared with the
    reference, 0 to 1, recall-weighted: of Ragas' metrics without a model it told answers best from references of
    neighbouring questions, and long answers gain little; evals/LOG.md), and where there are quotes ``ragas_quotes``
    (the share that stands in the contexts word for word).

    Args:
        embed: texts to vectors (texts, dimensions), in the order of the texts.

    Raises:
        MissingExtra: Ragas is not installed.
    """

    def __init__(self, embed: Embed) -> None:
        self._ragas = load_ragas()
        found = self._ragas.collections
        self._vectors = Vectors(embed)
        self._similarity = found.SemanticSimilarity(embeddings=self._vectors)
        self._chrf = found.CHRFScore(kwargs={"beta": 3})  # 2 is the default; Popović 2016 finds 1 to 3 good
        self._quotes = found.QuotedSpansAlignment(casefold=False, min_span_words=1)

    def score(self, case: RagasCase) -> dict[str, float]:
        """Values of one case; not to be called inside a running event loop."""
        return self.score_all([case])[0]

    def score_all(self, cases: Sequence[RagasCase]) -> list[dict[str, float]]:
        """Values of each case, in order: all texts are encoded in one batch, and one event loop serves all."""
        self._vectors.prepare(text or " " for case in cases for text in (case.answer, case.reference))
        with self._ragas.untraced():
            return asyncio.run(self._all(cases))

    async def _all(self, cases: Sequence[RagasCase]) -> list[dict[str, float]]:
        # `single_turn_score` would patch asyncio for the whole process where a loop runs: hence ascore in one loop.
        return [await self._one(case) for case in cases]

    async def _one(self, case: RagasCase) -> dict[str, float]:
        sample = self._ragas.sample(
            retrieved_context_ids=list(case.retrieved_ids), reference_context_ids=list(case.reference_ids)
        )
        texts = {"reference": case.reference, "response": case.answer}
        similar = (await self._similarity.ascore(**texts)).value
        found = {
            "ragas_id_precision": await self._ragas.id_precision.single_turn_ascore(sample),
            "ragas_id_recall": await self._ragas.id_recall.single_turn_ascore(sample),
            "ragas_similarity": similar if math.isnan(similar) else max(-1.0, min(1.0, similar)),  # float32 rounding
            "ragas_chrf": (await self._chrf.ascore(**texts)).value,
        }
        if case.quotes:
            found["ragas_quotes"] = await self._aligned(case)
        return {name: float(value) for name, value in found.items()}

    async def _aligned(self, case: RagasCase) -> float:
        quotes = [bare for quote in case.quotes if (bare := _MARKS.sub(" ", quote).strip())]
        if not quotes:
            return math.nan  # Ragas says 1.0 of an answer without quotes
        response = " ".join(f'"{quote}"' for quote in quotes)
        contexts = [_MARKS.sub(" ", context) for context in case.retrieved_contexts]
        return float((await self._quotes.ascore(response=response, retrieved_contexts=contexts)).value)
