"""The index at 100,000 synthetic passages: the real engine, layout and hybrid query, made-up vectors and words.

python evals/bench/large.py [PASSAGES]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tutor.retrieval.edge import EdgeStore
from tutor.retrieval.index import BM25, DENSE, LAYOUT_VERSION, NAMES, TOKENS, HybridQuery, Manifest, Record, point_id
from tutor.retrieval.lexical import document_vector, names_vector, spans

TOKENS_PER_PASSAGE = 120
VOCABULARY = 30_000


def _unit(rng: np.random.Generator, *shape: int) -> np.ndarray:
    vectors = rng.standard_normal(shape, dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _records(count: int) -> Iterator[Record]:
    rng = np.random.default_rng(3)
    tokens = _unit(rng, 256, TOKENS_PER_PASSAGE, 96)  # reused: what is measured is the search, not the generator
    zipf = 1.0 / np.arange(1, VOCABULARY + 1)
    zipf /= zipf.sum()
    for i in range(count):
        found = [f"w{w}" for w in rng.choice(VOCABULARY, 80, p=zipf)]
        payload = {
            "type": "passage",
            "chunk_id": f"c{i}",
            "doc_id": f"d{i // 10}",
            "title": f"Document {i // 10}",
            "heading": [f"Document {i // 10}", "Section"],
            "text": " ".join(found),
            "start": 0,
            "end": 400,
            "role": "body",
            "kind": "page",
            "source": "synthetic",
            "page": None,
            "names": [],
            "covers": [],
            "meta": {"phase": i % 10},
        }
        names = names_vector(found[:2] if i % 10 == 0 else [])  # the first passage of a document explains its names
        dense = _unit(rng, 384)
        yield Record(point_id("passage", f"c{i}"), payload, dense, tokens[i % 256], document_vector(found), names)


def measure_large(root: Path, count: int, queries: int = 100) -> tuple[float, float, float]:
    """p50 and p95 milliseconds of the whole hybrid query with rerank, and seconds to open the index."""
    store = EdgeStore(root / f"large-{count}")
    writer = store.begin(base=None, dense_dims=384, token_dims=96)
    writer.upsert(_records(count))
    writer.upsert([Record(point_id("lexicon", "lexicon"), {"type": "lexicon"})])
    writer.publish(
        Manifest(writer.generation, LAYOUT_VERSION, "synthetic", 384, 96, count, 0, "", "", {"roots": [], "files": {}})
    )
    began = time.perf_counter()
    reader = store.open()
    load = time.perf_counter() - began
    rng = np.random.default_rng(4)
    times = []
    for _ in range(queries + 10):
        words = [f"w{w}" for w in rng.choice(2_000, 6)]
        names = names_vector(spans(" ".join(words)))
        legs = (DENSE, BM25, NAMES, TOKENS)
        query = HybridQuery(_unit(rng, 384), _unit(rng, 12, 96), document_vector(words), 10, legs, names)
        began = time.perf_counter()
        reader.search(query)
        times.append((time.perf_counter() - began) * 1e3)
    times = sorted(times[10:])
    reader.close()
    return times[len(times) // 2], times[int(len(times) * 0.95)], load


def report(root: Path, count: int) -> str:
    p50, p95, load = measure_large(root, count)
    return f"{count:,} synthetic passages: p50 {p50:.1f} ms, p95 {p95:.1f} ms, load {load:.2f} s"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(report(Path(folder), int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
