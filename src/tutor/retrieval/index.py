"""The index port: what a passage, a query and a generation are, whichever engine stores them.

Two adapters implement it with one collection layout and one query: ``edge`` (Qdrant's engine in-process) and
``server`` (a Qdrant server or cluster).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tutor.errors import TutorError

LAYOUT_VERSION = 3
DENSE, TOKENS, BM25, NAMES = "dense", "tokens", "bm25", "names"
EXACT_BELOW = 50_000  # passages; exact p50 1.2 ms at 15k with recall 1.0 (DESIGN.md), HNSW above
CANDIDATES = 50  # per leg; what MaxSim reranks
#: Of reciprocal rank fusion (Cormack, Clarke & Büttcher 2009, who found 60 best for many weak rankers). Four good legs
#: want their first places to count: 2 to 4 is best on every question set of ours (evals/LOG.md).
RRF_K = 3

#: Roles that name a subject often and say little of it: good signs of the right document, poor things to read first,
#: and nothing to quote.
ASIDE = frozenset({"resources", "mastery", "probes", "signal"})
#: A role of exercises and requirements: read last too, but quoted where they are asked for.
TASK = "task"

_NAMESPACE = uuid.UUID("6a1c0c3e-7d3f-5c55-9d0e-3b8f2f1f6c11")
FILTER_KEYS = frozenset({"phase", "section", "priority", "depth", "tier", "tags", "kind", "role", "doc_id", "covers"})
PLAIN_KEYS = frozenset({"doc_id", "kind", "role", "covers"})  # at the top of a payload; the others are under "meta"
KEYWORD_FIELDS = (
    "type",
    "doc_id",
    "kind",
    "role",
    "covers",
    *(f"meta.{k}" for k in ("section", "priority", "depth", "tags")),
)
INTEGER_FIELDS = ("meta.phase", "meta.tier")

Payload = dict[str, Any]
Vector = NDArray[np.float32]
Sparse = tuple[Sequence[int], Sequence[float]]  # ids of terms, and their weights


def point_id(kind: str, name: str) -> str:
    """The UUID of a passage, document or the lexicon: a UUIDv5, so that writing it twice overwrites."""
    return str(uuid.uuid5(_NAMESPACE, f"{kind}\x00{name}"))


def in_batches(records: Iterable[Record], size: int) -> Iterator[list[Record]]:
    """Lists of at most ``size`` records."""
    group: list[Record] = []
    for record in records:
        group.append(record)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


@dataclass(frozen=True, slots=True)
class Passage:
    """One stored chunk. ``text`` is ``document.text[start:end]``; ``names`` are aliases that it explains."""

    chunk_id: str
    doc_id: str
    title: str
    heading: tuple[str, ...]
    text: str
    start: int
    end: int
    role: str
    kind: str
    source: str
    page: int | None
    covers: tuple[str, ...]
    names: tuple[str, ...] = ()

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Passage:
        return cls(
            chunk_id=payload["chunk_id"],
            doc_id=payload["doc_id"],
            title=payload["title"],
            heading=tuple(payload["heading"]),
            text=payload["text"],
            start=payload["start"],
            end=payload["end"],
            role=payload["role"],
            kind=payload["kind"],
            source=payload["source"],
            page=payload.get("page"),
            covers=tuple(payload["covers"]),
            names=tuple(payload["names"]),
        )

    @property
    def prefix(self) -> str:
        """What stood before the passage when it was encoded."""
        return " > ".join(self.heading)


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage with its rank score; with its vectors where the query asked for them.

    ``late`` is its MaxSim with the question where the tokens leg took part: the sum over the question's tokens.
    """

    passage: Passage
    score: float
    dense: Vector | None = None
    tokens: Vector | None = None
    late: float | None = None


@dataclass(frozen=True, slots=True)
class HybridQuery:
    """One question, encoded. ``dense`` (dense_dims,), ``tokens`` (n, token_dims), ``sparse`` ids and weights.

    ``names`` are ids and weights of the names in it, whole. ``legs`` says what takes part: any of dense, bm25, names
    and tokens (the MaxSim rerank of the other legs' candidates).
    ``weights`` is the weight of each leg in the reciprocal rank fusion.
    """

    dense: Vector
    tokens: Vector
    sparse: Sparse
    limit: int
    legs: tuple[str, ...] = (DENSE, BM25, TOKENS)
    names: Sparse = ((), ())
    weights: Mapping[str, float] = field(default_factory=dict)
    filters: Mapping[str, Sequence[str | int]] = field(default_factory=dict)
    with_vectors: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """One point to write: a passage (with vectors), or a document or the lexicon (payload only)."""

    id: str
    payload: Payload
    dense: Vector | None = None
    tokens: Vector | None = None
    sparse: Sparse | None = None
    names: Sparse | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation says of itself. ``sources`` is ingest's own record of roots and files."""

    generation: str
    layout: int
    encoder: str
    dense_dims: int
    token_dims: int
    passages: int
    documents: int
    created_at: str
    content_hash: str
    sources: dict[str, Any]


class IndexReader(Protocol):
    """A published generation, open for reading. Methods raise IndexFault errors, never the engine's own."""

    #: The fault of the newest generation when an older one answers in its place, else None.
    fallback: TutorError | None

    @property
    def manifest(self) -> Manifest: ...

    def refresh(self) -> None:
        """Move to the newest published generation, if there is one."""
        ...

    def verify(self) -> int:
        """Compare the stored bytes with their checksums; how many files have one (0: none is kept).

        Raises:
            IndexDamaged: with the file that is not as it was written.
        """
        ...

    def fall_back(self, fault: TutorError) -> None:
        """Move to the newest older generation that is whole, after this one could not be read.

        Raises:
            TutorError: ``fault``, where this generation is as it was written or no older one is whole.
        """
        ...

    def search(self, query: HybridQuery) -> list[Hit]:
        """Passages, best first; one round trip."""
        ...

    def payload(self, kind: str, name: str) -> Payload | None:
        """The payload of a document or of the lexicon, or None."""
        ...

    def documents(self) -> list[Payload]:
        """Every document's payload without its text, in no order."""
        ...

    def passages(self, fields: Sequence[str]) -> Iterator[Payload]:
        """The named payload fields of every passage."""
        ...

    def vectors(self, id: str) -> tuple[Vector, Vector]:
        """The dense and token vectors of the passage with this point id."""
        ...

    def close(self) -> None: ...


class IndexWriter(Protocol):
    """A generation being built; nothing of it is visible before ``publish``."""

    generation: str

    def upsert(self, records: Iterable[Record]) -> None: ...

    def delete(self, ids: Sequence[str]) -> None: ...

    def publish(self, manifest: Manifest) -> None:
        """Flush, check the counts, and switch readers over, atomically."""
        ...

    def discard(self) -> None:
        """Remove what was written; the published generation stays."""
        ...


class IndexStore(Protocol):
    """Where generations live."""

    @property
    def location(self) -> str:
        """For people: a folder or a URL."""
        ...

    def open(self) -> IndexReader:
        """The published generation.

        Raises:
            IndexMissing: nothing was published yet.
            IndexMismatch: it has another layout.
            IndexDamaged: no published generation can be opened.
        """
        ...

    def remembered(self) -> Payload:
        """``Manifest.sources`` of the last generation, even of a damaged one or one with another layout."""
        ...

    def begin(self, *, base: Manifest | None, dense_dims: int, token_dims: int) -> IndexWriter:
        """A new generation, starting as a copy of ``base`` or empty.

        Raises:
            IndexBusy: another process is writing.
        """
        ...
