"""The index at 100,000 synthetic passages: the real engine, layout and hybrid query, made-up vectors and words."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tutor.retrieval.edge import EdgeStore
from tutor.retrieval.index import HybridQuery, Manifest, Record, point_id
from tutor.retrieval.lexical import document_vector

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
            "covers": [],
            "meta": {"phase": i % 10},
        }
        yield Record(point_id("passage", f"c{i}"), payload, _unit(rng, 384), tokens[i % 256], document_vector(found))


def measure_large(root: Path, count: int, queries: int = 100) -> tuple[float, float, float]:
    """p50 and p95 milliseconds of the whole hybrid query with rerank, and seconds to open the index."""
    store = EdgeStore(root / f"large-{count}")
    writer = store.begin(base=None, dense_dims=384, token_dims=96)
    writer.upsert(_records(count))
    writer.upsert([Record(point_id("lexicon", "lexicon"), {"type": "lexicon"})])
    writer.publish(Manifest(writer.generation, 1, "synthetic", 384, 96, count, 0, "", "", {"roots": [], "files": {}}))
    began = time.perf_counter()
    reader = store.open()
    load = time.perf_counter() - began
    rng = np.random.default_rng(4)
    times = []
    for _ in range(queries + 10):
        words = [f"w{w}" for w in rng.choice(2_000, 6)]
        query = HybridQuery(_unit(rng, 384), _unit(rng, 12, 96), document_vector(words), limit=10)
        began = time.perf_counter()
        reader.search(query)
        times.append((time.perf_counter() - began) * 1e3)
    times = sorted(times[10:])
    reader.close()
    return times[len(times) // 2], times[int(len(times) * 0.95)], load
