"""Regressions planted on purpose: what a gate must catch to be worth its minutes."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from tutor.answering import abstain
from tutor.answering.answer import Answer, Answerer
from tutor.bootstrap import App, builtin_roots
from tutor.drill.judge import COVERED
from tutor.retrieval.encoder import OnnxEncoder
from tutor.settings import Settings

GONE = 4  # the phase whose documents are deleted
SLOWER = 4


class Noise:
    """An encoder whose question vectors say nothing."""

    def __init__(self) -> None:
        self._real = OnnxEncoder()

    def encode(self, texts: Sequence[str], **_: Any) -> list[Any]:
        return [self._blurred(text, encoded) for text, encoded in zip(texts, self._real.encode(texts), strict=True)]

    @staticmethod
    def _blurred(text: str, encoded: Any) -> Any:
        random = np.random.default_rng(zlib.crc32(text.encode()))
        dense = random.standard_normal(encoded.dense.shape).astype(np.float32)
        tokens = random.standard_normal(encoded.tokens.shape).astype(np.float32)
        tokens /= np.maximum(np.linalg.norm(tokens, axis=1, keepdims=True), 1e-6)
        return dataclasses.replace(encoded, dense=dense / np.linalg.norm(dense), tokens=tokens)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class Pleased:
    """A judge for whom everything is covered."""

    def judge(self, pairs: Sequence[tuple[str, str]]) -> Any:
        found = np.full((len(pairs), 4), 0.01, dtype=np.float32)
        found[:, COVERED] = 0.97
        return found


@contextmanager
def _noise(settings: Settings) -> Iterator[App]:
    encoder: Any = Noise()
    yield from _open(App(settings, encoder=encoder))


@contextmanager
def _without_bm25(settings: Settings) -> Iterator[App]:
    search = settings.search.model_copy(update={"weights": {"bm25": 0.0}})
    yield from _open(App(settings.model_copy(update={"search": search})))


@contextmanager
def _wrong_citations(settings: Settings) -> Iterator[App]:
    right = Answerer.ask

    def shifted(self: Answerer, question: str, **options: Any) -> Answer:
        answer = right(self, question, **options)
        moved = tuple(dataclasses.replace(c, start=c.start + 7, end=c.end + 7) for c in answer.citations)
        return dataclasses.replace(answer, citations=moved)

    with patch.object(Answerer, "ask", shifted):
        yield from _open(App(settings))


def _abstaining(threshold: float) -> Callable[[Settings], AbstractContextManager[App]]:
    @contextmanager
    def changed(settings: Settings) -> Iterator[App]:
        with patch.object(abstain, "threshold", lambda: threshold):
            yield from _open(App(settings))

    return changed


@contextmanager
def _phase_gone(settings: Settings) -> Iterator[App]:
    with tempfile.TemporaryDirectory() as scratch:
        roots = []
        for root in builtin_roots():
            copy = Path(shutil.copytree(root, Path(scratch) / root.name))
            roots.append(copy)
            for path in copy.rglob("*.md"):
                if f"\nphase: {GONE}\n" in path.read_text(encoding="utf-8")[:2000]:
                    path.unlink()
        with patch("tutor.bootstrap.builtin_roots", lambda: roots):
            yield from _open(App(settings.model_copy(update={"home": Path(scratch) / "home", "index": None})))


@contextmanager
def _slow(settings: Settings) -> Iterator[App]:
    quick = Answerer.ask

    def slow(self: Answerer, question: str, **options: Any) -> Answer:
        began = time.perf_counter()
        answer = quick(self, question, **options)
        time.sleep((SLOWER - 1) * (time.perf_counter() - began))
        return answer

    with patch.object(Answerer, "ask", slow):
        yield from _open(App(settings))


@contextmanager
def _pleased(settings: Settings) -> Iterator[App]:
    judge: Any = Pleased()
    yield from _open(App(settings, judge=judge))


def _open(app: App) -> Iterator[App]:
    app.ensure_index()
    try:
        yield app
    finally:
        app.close()


@dataclass(frozen=True, slots=True)
class Planted:
    """A regression: ``made`` opens the product that has it; ``suites`` are those that should see it."""

    name: str
    suites: tuple[str, ...]
    made: Callable[[Settings], AbstractContextManager[App]]


PLANTED = (
    Planted("an encoder that says nothing", ("retrieval",), _noise),
    Planted("BM25 off", ("retrieval",), _without_bm25),
    Planted("wrong citations", ("answers",), _wrong_citations),
    Planted(f"answers that take {SLOWER} times as long", ("answers",), _slow),
    Planted("abstaining never", ("refusals",), _abstaining(-1.0)),
    Planted("abstaining always", ("refusals",), _abstaining(2.0)),
    Planted(f"the documents of phase {GONE} deleted", ("retrieval",), _phase_gone),
    Planted("a grader that is always pleased", ("drill",), _pleased),
)
