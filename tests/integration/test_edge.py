"""The embedded index against arithmetic anyone can do: dense, BM25, MaxSim, fusion; and many processes at once."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rank_bm25 import BM25Okapi

from fakes import FakeEncoder, passage, publish
from tutor.errors import IndexDamaged, IndexMissing
from tutor.ingest.pipeline import ingest
from tutor.retrieval.edge import EdgeReader, EdgeStore
from tutor.retrieval.index import BM25, CANDIDATES, DENSE, NAMES, RRF_K, TOKENS, HybridQuery, Record, point_id
from tutor.retrieval.lexical import AVERAGE_TERMS, K1, B, query_vector, terms

WORDS = (
    "quorum raft paxos leader follower term vote log segment offset broker topic partition replica shard hash ring "
    "cache eviction stampede ttl saga compensation outbox idempotent retry backoff timeout circuit latency p99 tail"
).split()
QUESTIONS = (
    "leader vote term",
    "cache stampede ttl",
    "retry backoff timeout circuit",
    "p99 latency",
    "saga outbox raft",
)


def corpus(count: int = 120) -> list[str]:
    chosen = random.Random(7)
    return [" ".join(chosen.choices(WORDS, k=chosen.randint(8, 60))) for _ in range(count)]


@pytest.fixture(scope="module")
def records() -> list[Record]:
    encoder = FakeEncoder()
    return [
        passage(
            f"c{n}",
            text,
            encoder,
            doc_id=f"d{n % 10}",
            role=("body", "when-not")[n % 2],
            kind=("page", "card")[n % 3 == 0],
            covers=[f"guide/x{n % 4}"],
            phase=n % 5,
            tags=["even" if n % 2 == 0 else "odd", "all"],
            priority=("high", "low")[n % 2],
        )
        for n, text in enumerate(corpus())
    ]


@pytest.fixture(scope="module")
def reader(records: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeReader]:
    store = EdgeStore(tmp_path_factory.mktemp("edge") / "index")
    publish(store, records, FakeEncoder())
    found = store.open()
    yield found
    found.close()


@pytest.fixture(scope="module")
def untied(records: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeReader]:
    """The same passages with a little noise in every vector: the engine breaks ties at random."""
    noise = np.random.default_rng(3)
    changed = []
    for record in records:
        assert record.sparse is not None
        ids, values = record.sparse
        changed.append(
            replace(
                record,
                dense=record.dense + noise.normal(0, 0.05, 32).astype(np.float32),
                tokens=record.tokens + noise.normal(0, 0.2, np.shape(record.tokens)).astype(np.float32),
                sparse=(ids, [v * float(noise.uniform(0.8, 1.2)) for v in values]),
            )
        )
    store = EdgeStore(tmp_path_factory.mktemp("untied") / "index")
    publish(store, changed, FakeEncoder())
    found = store.open()
    yield found
    found.close()


def query(text: str, *, legs: tuple[str, ...], limit: int = 200, **more: Any) -> HybridQuery:
    encoded = FakeEncoder().encode([text])[0]
    sparse = query_vector(dict.fromkeys(terms(text), 1.0))
    return HybridQuery(encoded.dense, encoded.tokens, sparse, limit, legs, **more)


def ranked(reader: EdgeReader, text: str, *, legs: tuple[str, ...], **more: Any) -> list[str]:
    return [h.passage.chunk_id for h in reader.search(query(text, legs=legs, **more))]


def assert_ranked_by(order: list[str], scores: dict[str, float], *, count: int, tolerance: float) -> None:
    """``order`` is one by falling score up to ties within ``tolerance``, and nothing better was left out."""
    values = [scores[name] for name in order]
    assert len(order) == count
    assert all(a >= b - tolerance for a, b in pairwise(values)), values
    left_out = [s for name, s in scores.items() if name not in order]
    assert not left_out or max(left_out) <= min(values) + tolerance


@pytest.mark.parametrize("text", QUESTIONS)
def test_dense_is_brute_force(reader: EdgeReader, records: list[Record], text: str) -> None:
    asked = FakeEncoder().encode([text])[0].dense
    scores = {
        r.payload["chunk_id"]: float(np.asarray(r.dense, dtype=np.float16).astype(np.float32) @ asked) for r in records
    }
    assert_ranked_by(ranked(reader, text, legs=(DENSE,), limit=20), scores, count=20, tolerance=1e-3)


def maxsim(asked: Any, record: Record) -> float:
    return float((asked @ np.asarray(record.tokens, dtype=np.float16).astype(np.float32).T).max(axis=1).sum())


@pytest.mark.parametrize("text", QUESTIONS)
def test_maxsim_is_brute_force(reader: EdgeReader, records: list[Record], text: str) -> None:
    asked = FakeEncoder().encode([text])[0].tokens
    scores = {r.payload["chunk_id"]: maxsim(asked, r) for r in records}
    assert_ranked_by(ranked(reader, text, legs=(TOKENS,), limit=20), scores, count=20, tolerance=5e-3)


@pytest.mark.parametrize("text", QUESTIONS)
def test_bm25_is_rank_bm25(reader: EdgeReader, records: list[Record], text: str) -> None:
    """Two documented differences are given to rank_bm25: the fixed average length, and Lucene's never negative IDF
    ``ln(1 + (N - n + 0.5) / (n + 0.5))``; what is left is the same formula on the same tokens."""
    tokenised = [terms(r.payload["text"]) for r in records]
    model = BM25Okapi(tokenised, k1=K1, b=B)
    model.avgdl = AVERAGE_TERMS
    for term in model.idf:
        holding = sum(term in tokens for tokens in tokenised)
        model.idf[term] = math.log(1 + (len(tokenised) - holding + 0.5) / (holding + 0.5))
    values = model.get_scores(terms(text))
    scores = {r.payload["chunk_id"]: float(s) for r, s in zip(records, values, strict=True) if s > 0}
    count = min(40, len(scores))
    assert_ranked_by(ranked(reader, text, legs=(BM25,), limit=40), scores, count=count, tolerance=0.02)


def test_bm25_agrees_with_unchanged_rank_bm25_on_rare_terms(tmp_path: Path) -> None:
    """Where no term is in half of the passages and lengths are alike, the differences change nothing."""
    texts = [f"{a} {b} {c} plain filler text" for a, b, c in zip(WORDS, WORDS[3:], WORDS[7:], strict=False)]
    encoder = FakeEncoder()
    store = EdgeStore(tmp_path / "index")
    publish(store, [passage(f"c{n}", t, encoder) for n, t in enumerate(texts)], encoder)
    reader = store.open()
    model = BM25Okapi([terms(t) for t in texts], k1=K1, b=B)
    for text in ("raft leader", "cache ttl saga", "broker"):
        values = model.get_scores(terms(text))
        scores = {f"c{n}": float(s) for n, s in enumerate(values) if s > 0}
        assert_ranked_by(ranked(reader, text, legs=(BM25,)), scores, count=len(scores), tolerance=0.05)
    reader.close()


@pytest.mark.parametrize("text", QUESTIONS)
@pytest.mark.parametrize("weights", [{}, {DENSE: 1.0, BM25: 1.1, TOKENS: 1.03}, {DENSE: 3.0, BM25: 0.5, TOKENS: 1.0}])
def test_fusion_is_reciprocal_rank(untied: EdgeReader, text: str, weights: dict[str, float]) -> None:
    """Qdrant's weighted form: the sum over legs of ``1 / (rank / weight + k - 1)``, rank from 1, each leg's best 50."""
    dense = ranked(untied, text, legs=(DENSE,), limit=CANDIDATES)
    lexical = ranked(untied, text, legs=(BM25,), limit=CANDIDATES)
    union = set(dense) | set(lexical)
    all_by_tokens = ranked(untied, text, legs=(TOKENS,), limit=200)
    late = [name for name in all_by_tokens if name in union][:CANDIDATES]
    scores: dict[str, float] = {}
    for leg, order in ((DENSE, dense), (BM25, lexical), (TOKENS, late)):
        for rank, name in enumerate(order, 1):
            scores[name] = scores.get(name, 0.0) + 1 / (rank / weights.get(leg, 1.0) + RRF_K - 1)
    hits = untied.search(query(text, legs=(DENSE, BM25, TOKENS), limit=20, weights=weights))
    assert_ranked_by([h.passage.chunk_id for h in hits], scores, count=20, tolerance=1e-5)
    assert [h.score for h in hits] == pytest.approx([scores[h.passage.chunk_id] for h in hits], abs=1e-5)


@pytest.mark.parametrize("legs", [(DENSE,), (TOKENS,), (DENSE, BM25), (DENSE, BM25, TOKENS)])
@pytest.mark.parametrize(
    ("filters", "holds"),
    [
        ({"phase": [3]}, lambda n: n % 5 == 3),
        ({"phase": [1, 2]}, lambda n: n % 5 in (1, 2)),
        ({"tags": ["odd"]}, lambda n: n % 2 == 1),
        ({"priority": ["high"], "phase": [4]}, lambda n: n % 2 == 0 and n % 5 == 4),
        ({"role": ["when-not"]}, lambda n: n % 2 == 1),
        ({"kind": ["card"]}, lambda n: n % 3 == 0),
        ({"doc_id": ["d7", "d8"]}, lambda n: n % 10 in (7, 8)),
        ({"covers": ["guide/x1"]}, lambda n: n % 4 == 1),
        ({"section": ["nowhere"]}, lambda n: False),
    ],
)
def test_filters_hold_for_every_leg(
    reader: EdgeReader, records: list[Record], legs: tuple[str, ...], filters: dict[str, Any], holds: Any
) -> None:
    found = ranked(reader, " ".join(WORDS), legs=legs, filters=filters)
    assert sorted(found) == sorted(f"c{n}" for n in range(len(records)) if holds(n))


@pytest.mark.parametrize("legs", [(DENSE,), (BM25,), (TOKENS,), (DENSE, BM25), (DENSE, BM25, TOKENS)])
def test_documents_and_the_lexicon_are_never_found(
    reader: EdgeReader, records: list[Record], legs: tuple[str, ...]
) -> None:
    """They have no vectors; a search for more than there is finds the passages and nothing else."""
    found = ranked(reader, " ".join(WORDS), legs=legs)
    assert sorted(found) == sorted(r.payload["chunk_id"] for r in records)


def test_nothing_to_search_with_finds_nothing(reader: EdgeReader) -> None:
    assert ranked(reader, "the of and", legs=(BM25,)) == []


def test_what_was_written_is_read_back(reader: EdgeReader, records: list[Record]) -> None:
    dense, tokens = reader.vectors(records[5].id)
    assert dense == pytest.approx(records[5].dense, abs=1e-3)
    # A byte an entry: half a step is .004 in 16 dimensions, and turning the vectors back adds up a few of them.
    assert tokens == pytest.approx(np.asarray(records[5].tokens), abs=1e-2)
    hit = reader.search(query("raft", legs=(DENSE,), limit=1, with_vectors=True))[0]
    assert hit.dense is not None
    assert hit.dense.shape == (32,)
    assert hit.tokens is not None
    assert hit.tokens.shape[1] == 16
    assert reader.payload("document", "doc") is not None
    assert reader.payload("document", "no such") is None
    assert [d["doc_id"] for d in reader.documents()] == ["doc"]
    assert all("text" not in d and "sections" not in d for d in reader.documents())
    assert sorted(p["chunk_id"] for p in reader.passages(["chunk_id"])) == sorted(
        r.payload["chunk_id"] for r in records
    )


def test_the_layout_on_disk(reader: EdgeReader) -> None:
    folder = reader._generations.path(reader.manifest.generation)
    layout = json.loads((folder / "shard" / "edge_config.json").read_text(encoding="utf-8"))
    dense, tokens = layout["vectors"]["dense"], layout["vectors"]["tokens"]
    assert (dense["size"], dense["distance"], dense["datatype"]) == (32, "Dot", "float16")
    assert (tokens["size"], tokens["distance"], tokens["datatype"]) == (18, "Dot", "uint8")
    assert tokens["multivector_config"] == {"comparator": "max_sim"}
    assert tokens["hnsw_config"]["m"] == 0
    assert "quantization_config" not in tokens
    assert layout["sparse_vectors"] == {name: {"modifier": "idf"} for name in (BM25, NAMES)}
    assert layout["wal_enabled"] is False
    assert {p.name for p in folder.iterdir()} == {"manifest.json", "shard", "reader.lock"}


def test_a_copy_keeps_the_holes(store: EdgeStore, encoder: FakeEncoder, notes: Path) -> None:
    """The engine reserves 32 MB a storage; a generation copied with them written out would take 160 MB and more."""
    ingest(store, encoder, [notes])
    (notes / "raft.md").write_text("# Raft\n\nAnother.\n", encoding="utf-8")
    ingest(store, encoder, [])
    folder = store.generations.path(store.generations.current() or "")
    assert sum(p.stat().st_blocks * 512 for p in folder.rglob("*") if p.is_file()) < 8 * 2**20


def test_a_copy_leaves_the_temporary_file_of_a_loading_reader(store: EdgeStore, encoder: FakeEncoder) -> None:
    base = publish(store, [passage("a", "raft", encoder)], encoder)
    passing = store.generations.path(base.generation) / "shard" / ".atomicwriteXYZ"
    passing.mkdir()
    (passing / "tmpfile.tmp").symlink_to("gone")  # listed, and not there when it is to be copied
    publish(store, [passage("a", "raft", encoder)], encoder, base=base)
    assert not list(store.generations.path(store.generations.current() or "").rglob(".atomicwrite*"))


def test_nothing_indexed_yet(store: EdgeStore) -> None:
    with pytest.raises(IndexMissing) as caught:
        store.open()
    assert caught.value.fix == "Run: tutor ingest"


def test_a_generation_with_missing_points_is_not_published(store: EdgeStore, encoder: FakeEncoder) -> None:
    publish(store, [passage("a", "one", encoder)], encoder)
    with pytest.raises(IndexDamaged, match="holds 3 points, its manifest says 4"):
        publish(store, [passage("a", "one", encoder)], encoder, passages_total=2)
    reader = store.open()
    assert reader.fallback is None
    assert reader.manifest.passages == 1
    reader.close()
    assert len(list(store.generations.folder.iterdir())) == 1


def test_a_reader_keeps_its_generation_and_refreshes_to_the_newest(store: EdgeStore, encoder: FakeEncoder) -> None:
    publish(store, [passage("old", "raft leader", encoder)], encoder)
    reader = store.open()
    for n in range(3):
        publish(store, [passage(f"new{n}", "raft leader", encoder)], encoder)
    assert ranked(reader, "raft", legs=(DENSE,)) == ["old"]
    assert reader.manifest.generation in {p.name for p in store.generations.folder.iterdir()}
    reader.refresh()
    assert ranked(reader, "raft", legs=(DENSE,)) == ["new2"]
    reader.close()
    publish(store, [passage("last", "raft leader", encoder)], encoder)
    assert len(list(store.generations.folder.iterdir())) == 2


def run_python(code: str, *arguments: str) -> subprocess.Popen[str]:
    head = f"import sys\nsys.path[:0] = {[p for p in sys.path if p]!r}\n"
    return subprocess.Popen(
        [sys.executable, "-c", head + textwrap.dedent(code), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


_READ = """
    from pathlib import Path
    from fakes import FakeEncoder
    from tutor.retrieval.edge import EdgeStore
    from tutor.retrieval.search import Searcher
    root, stop = map(Path, sys.argv[1:])
    reader = EdgeStore(root).open()
    searcher = Searcher(reader, FakeEncoder())
    editions, asked = set(), 0
    while not stop.exists() or not asked:
        texts = [h.passage.text for h in searcher.search("edition of the text", limit=50).hits]
        assert len(texts) == 6, texts
        found = {t.split()[1] for t in texts}
        assert len(found) == 1, found  # never half of one edition and half of another
        assert reader.fallback is None, reader.fallback
        editions |= found
        asked += 1
        searcher.refresh()
    print(len(editions), asked)
"""


def test_readers_answer_side_by_side_while_one_process_ingests(
    store: EdgeStore, encoder: FakeEncoder, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()

    def edition(number: int) -> None:
        for name in "abcdef":
            (notes / f"{name}.md").write_text(f"# {name}\n\nEdition {number} of the text {name}.\n", encoding="utf-8")
        ingest(store, encoder, [notes])

    edition(0)
    stop = tmp_path / "stop"
    readers = [run_python(_READ, str(store.generations.root), str(stop)) for _ in range(3)]
    for number in range(1, 9):
        edition(number)
    stop.touch()
    seen = []
    for process in readers:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        seen.append([int(n) for n in out.split()])
    assert all(asked > 5 for _, asked in seen), seen
    assert max(editions for editions, _ in seen) > 1, seen


_LOAD = """
    from pathlib import Path
    from tutor.retrieval.edge import EdgeStore
    for _ in range(20):
        reader = EdgeStore(Path(sys.argv[1])).open()
        assert reader.fallback is None, reader.fallback
        assert reader.manifest.generation == sys.argv[2]
        reader.close()
"""


def test_eight_processes_load_the_same_generation_twenty_times_each(store: EdgeStore, encoder: FakeEncoder) -> None:
    """Each load rewrites edge_config.json; none may take another's half-written file for damage and fall back."""
    publish(store, [passage("old", "raft leader", encoder)], encoder)
    manifest = publish(store, [passage("new", "raft leader", encoder)], encoder)
    processes = [run_python(_LOAD, str(store.generations.root), manifest.generation) for _ in range(8)]
    for process in processes:
        _, err = process.communicate(timeout=90)
        assert process.returncode == 0, err


def test_half_a_file_seen_for_a_moment_is_looked_at_again(
    store: EdgeStore, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(store, [passage("old", "raft leader", encoder)], encoder)
    manifest = publish(store, [passage("new", "raft leader", encoder)], encoder)
    real = EdgeReader._load
    failed: list[str] = []

    def load(self: EdgeReader, name: str) -> Any:
        if not failed:
            failed.append(name)
            raise IndexDamaged("half a file")
        return real(self, name)

    monkeypatch.setattr(EdgeReader, "_load", load)
    reader = store.open()
    assert failed == [manifest.generation]
    assert (reader.manifest.generation, reader.fallback) == (manifest.generation, None)
    reader.close()


def test_the_ids_of_points_do_not_change() -> None:
    """An index on disk depends on them."""
    assert point_id("passage", "kafka#intro") == "e66f9803-8adc-5c82-84b6-475650c2d7dc"
    assert point_id("passage", "x") != point_id("document", "x")
