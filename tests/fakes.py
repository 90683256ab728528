"""Stand-ins that are exact: a small encoder whose vectors anyone can compute, and makers of records and notes."""

from __future__ import annotations

import re
import shutil
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutor.models.port import Message, Usage
from tutor.retrieval.encoder import Encoded
from tutor.retrieval.index import LAYOUT_VERSION, IndexStore, Manifest, Record, point_id
from tutor.retrieval.lexical import document_vector, names_vector, terms

_WORD = re.compile(r"\w+|[^\w\s]")


@lru_cache(maxsize=4096)
def word_vector(word: str, dims: int) -> NDArray[np.float32]:
    """A unit vector that depends on the lower-case word only."""
    found = np.random.default_rng(zlib.crc32(word.lower().encode("utf-8", "replace"))).standard_normal(dims)
    return np.asarray(found / np.linalg.norm(found), dtype=np.float32)


class FakeEncoder:
    """Bag of hashed words as the dense vector, hashed words as token vectors; ``calls`` keeps every text encoded.

    Signs are tokens too. Words outside ``vocabulary`` are no words (so the typo search looks at them).
    """

    def __init__(
        self, name: str = "fake/32x16", *, dense_dims: int = 32, token_dims: int = 16, vocabulary: Sequence[str] = ()
    ) -> None:
        self.name = name
        self.dense_dims = dense_dims
        self.token_dims = token_dims
        self.vocabulary = frozenset(vocabulary)
        self.calls: list[str] = []

    def count_tokens(self, text: str) -> int:
        return len(_WORD.findall(text))

    def offsets(self, text: str) -> tuple[tuple[int, int], ...]:
        return tuple(m.span() for m in _WORD.finditer(text))

    def is_word(self, word: str) -> bool:
        return word in self.vocabulary

    def encode(self, texts: Sequence[str], *, on_progress: Callable[[int], None] | None = None) -> list[Encoded]:
        self.calls += texts
        if on_progress and texts:
            on_progress(len(texts))
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> Encoded:
        words = _WORD.findall(text)
        total = sum((word_vector(w, self.dense_dims) for w in words), np.zeros(self.dense_dims, dtype=np.float32))
        tokens = [word_vector(w, self.token_dims) for w in words]
        return Encoded(
            np.asarray(total / max(float(np.linalg.norm(total)), 1e-9), dtype=np.float32),
            np.asarray(tokens, dtype=np.float32).reshape(-1, self.token_dims),
            self.offsets(text),
        )


def passage(name: str, text: str, encoder: FakeEncoder, *, doc_id: str = "doc", **meta: Any) -> Record:
    """A passage record as ingest would write it; ``meta`` goes under the payload's meta."""
    encoded = encoder.encode([text])[0]
    payload = {
        "type": "passage",
        "chunk_id": name,
        "doc_id": doc_id,
        "title": doc_id.title(),
        "heading": [doc_id.title()],
        "text": text,
        "start": 0,
        "end": len(text),
        "role": meta.pop("role", "body"),
        "page": None,
        "kind": meta.pop("kind", "page"),
        "source": f"/{doc_id}.md",
        "covers": meta.pop("covers", []),
        "names": meta.pop("names", []),
        "meta": meta,
        "ordinal": 0,
        "hash": name,
        "payload_hash": name,
    }
    names = names_vector(payload["names"])
    sparse = document_vector(terms(text))
    return Record(point_id("passage", name), payload, encoded.dense, encoded.tokens, sparse, names)


def publish(
    store: IndexStore,
    passages: Sequence[Record],
    encoder: FakeEncoder,
    *,
    base: Manifest | None = None,
    passages_total: int | None = None,
    sources: Mapping[str, Any] | None = None,
) -> Manifest:
    """Write the passages, one document and an empty lexicon as a new generation."""
    writer = store.begin(base=base, dense_dims=encoder.dense_dims, token_dims=encoder.token_dims)
    document = {"type": "document", "doc_id": "doc", "title": "Doc", "text": "the whole text", "sections": []}
    rest = [
        Record(point_id("document", "doc"), document | {"passages": [p.payload["chunk_id"] for p in passages]}),
        Record(point_id("lexicon", "lexicon"), {"type": "lexicon", "frequency": {"quorum": 3}, "forms": {}}),
    ]
    writer.upsert([*passages, *rest])
    manifest = Manifest(
        generation=writer.generation,
        layout=LAYOUT_VERSION,
        encoder=encoder.name,
        dense_dims=encoder.dense_dims,
        token_dims=encoder.token_dims,
        passages=len(passages) if passages_total is None else passages_total,
        documents=1,
        created_at="2026-01-01T00:00:00+00:00",
        content_hash="",
        sources=dict(sources or {"roots": [], "files": {}}),
    )
    writer.publish(manifest)
    return manifest


TOPICS = {
    "quorum": "A quorum read overlaps a quorum write when R+W>N holds.",
    "kafka": "Kafka keeps an append-only log; consumers track their own offsets.",
    "cache": "A cache stampede begins when a hot key expires for everyone at once.",
    "saga": "A saga undoes finished steps with compensating actions.",
    "raft": "Raft elects one leader per term with a majority of votes.",
    "lsm": "An LSM tree turns random writes into sorted runs that compaction merges.",
}


def write_notes(folder: Path, topics: Mapping[str, str] = TOPICS) -> Path:
    """One Markdown file a topic, with two sections each."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in topics.items():
        body = (
            f"# {name.title()}\n\n## What it is\n\n{text}\n\n## When to use\n\nUse {name} when its costs are known.\n"
        )
        (folder / f"{name}.md").write_text(body, encoding="utf-8")
    return folder


def card(front: str | None = None, *, sections: Sequence[str] | None = None, **changes: str) -> str:
    """A complete card as text; ``changes`` replace front matter values by key, an empty value removes the line."""
    from tutor.curriculum.card import DEEP_DIVE_SECTIONS

    lines = dict(line.split(": ", 1) for line in _FRONT.splitlines())
    lines |= changes
    text = front if front is not None else "\n".join(f"{k}: {v}" for k, v in lines.items() if v)
    heads = DEEP_DIVE_SECTIONS if sections is None else sections
    body = "\n\n".join(f"## {head}\n\nSomething true about {head.lower()}." for head in heads)
    return f"---\n{text}\n---\n\n{body}\n"


MUST_HAVE = "{id: %s, point: A point to make., aliases: [the point], follow_up: What about it?}"
PROBE = (
    "{id: how-it-works, kind: how, ask: How does it work?, must_have: ["
    + ", ".join(MUST_HAVE % name for name in ("one", "two", "three"))
    + "], staff_level: [A staff point.], red_flags: [{wrong: It is magic., why: It is not.}], "
    "signal: Whether they know., twist: {change: Ten times the load., expect: Shards.}}"
)
_FRONT = f"""id: quorums
title: Quorums
covers: [guide/quorums]
phase: 3
section: Distributed systems
priority: high
depth: deep-dive
tier: 1
tags: [replication]
aliases: [quorum reads]
acronyms: {{RWN: read write number}}
prerequisites: []
related: [replication]
resources: [{{kind: doc, title: A page, url: "https://example.org/"}}]
probes: [{PROBE}]"""


def copy_cards(place: Path) -> tuple[Path, Path]:
    """A curriculum of four real cards, and the folder of their training questions."""
    root = Path(__file__).resolve().parents[1]
    cards, questions = place / "corpus" / "cards", place / "questions"
    cards.mkdir(parents=True)
    questions.mkdir()
    for name in ("kafka", "redis", "consensus", "acid"):
        found = next((root / "corpus" / "cards").rglob(f"{name}.md"))
        shutil.copy(found, cards / found.name)
        shutil.copy(root / "ingest" / "training" / "questions" / f"{name}.txt", questions)
    return place / "corpus", questions


class ScriptedCompletion:
    """A reply of given pieces; an exception among them is raised where it stands."""

    def __init__(self, pieces: Sequence[str | Exception]) -> None:
        self._pieces = pieces
        self._given = 0
        self.closed = False

    def __iter__(self) -> Iterator[str]:
        for piece in self._pieces:
            if self.closed:
                return
            if isinstance(piece, Exception):
                raise piece
            self._given += 1
            yield piece

    @property
    def usage(self) -> Usage:
        return Usage(10, self._given, 0.0)

    def close(self) -> None:
        self.closed = True


class ScriptedModel:
    """A language model that replies what ``script`` makes of the messages; ``asked`` keeps them."""

    name = "scripted/1"
    context_tokens = 8192

    def __init__(self, script: Callable[[Sequence[Message]], Sequence[str | Exception]]) -> None:
        self._script = script
        self.asked: list[tuple[Message, ...]] = []

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float = 0.0, stop: Sequence[str] = ()
    ) -> ScriptedCompletion:
        self.asked.append(tuple(messages))
        return ScriptedCompletion(self._script(messages))

    def count_tokens(self, text: str) -> int:
        return len(_WORD.findall(text))
