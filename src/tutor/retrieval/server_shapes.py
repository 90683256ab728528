"""The index's records, query and hits in qdrant-client's types; ``edge_shapes`` is the twin for the embedded engine."""

from __future__ import annotations

from typing import Any

import numpy as np
from qdrant_client import models

from tutor.retrieval.index import (
    BM25,
    CANDIDATES,
    DENSE,
    NAMES,
    PLAIN_KEYS,
    RRF_K,
    TOKENS,
    Hit,
    HybridQuery,
    Passage,
    Record,
)
from tutor.retrieval.packing import PackedQuery, pack, packed_dims, unpack
from tutor.settings import QdrantSettings


def server_layout(settings: QdrantSettings, dense_dims: int, token_dims: int) -> dict[str, Any]:
    """The collection layout; ``edge_shapes.edge_config`` is its twin."""
    half, byte = models.Datatype.FLOAT16, models.Datatype.UINT8
    return {
        "vectors_config": {
            DENSE: models.VectorParams(size=dense_dims, distance=models.Distance.DOT, datatype=half),
            TOKENS: models.VectorParams(
                size=packed_dims(token_dims),
                distance=models.Distance.DOT,
                datatype=byte,
                on_disk=True,
                multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM),
                hnsw_config=models.HnswConfigDiff(m=0),
            ),
        },
        "sparse_vectors_config": {n: models.SparseVectorParams(modifier=models.Modifier.IDF) for n in (BM25, NAMES)},
        "shard_number": settings.shards,
        "replication_factor": settings.replication,
        "on_disk_payload": True,
    }


def server_requests(query: HybridQuery, asked: PackedQuery, *, exact: bool) -> list[models.QueryRequest]:
    """The hybrid query and, where the tokens leg takes part, MaxSim of its candidates: one batch, one round trip.

    ``edge_shapes`` has the twins; its second query names the points that the first one found. Empty when no leg has
    anything to search with.
    """
    only = _filter(query)
    limit = max(CANDIDATES, query.limit)
    legs: dict[str, models.Prefetch] = {}
    if DENSE in query.legs:
        legs[DENSE] = models.Prefetch(
            query=query.dense.tolist(),
            using=DENSE,
            limit=limit,
            filter=only,
            params=models.SearchParams(exact=exact),
        )
    for leg, (ids, factors) in ((BM25, query.sparse), (NAMES, query.names)):
        if leg in query.legs and ids:
            sparse = models.SparseVector(indices=list(ids), values=list(factors))
            legs[leg] = models.Prefetch(query=sparse, using=leg, limit=limit, filter=only)
    if TOKENS in query.legs:
        legs[TOKENS] = models.Prefetch(
            query=asked.vectors.tolist(), using=TOKENS, limit=limit, prefetch=list(legs.values()), filter=only
        )
    if not legs:
        return []
    weights = [query.weights.get(name, 1.0) for name in legs]
    requests = [
        models.QueryRequest(
            prefetch=list(legs.values()),
            query=models.RrfQuery(rrf=models.Rrf(k=RRF_K, weights=weights)),
            limit=query.limit,
            with_payload=True,
            with_vector=[DENSE, TOKENS] if query.with_vectors else False,
        )
    ]
    if TOKENS in legs:
        late = legs[TOKENS]
        most = limit * (len(legs) - 1)  # all candidates of the other legs
        requests.append(models.QueryRequest(prefetch=late.prefetch, query=late.query, using=TOKENS, limit=most))
    return requests


def _filter(query: HybridQuery) -> models.Filter | None:
    """None without filters: only passages have vectors, so that documents and the lexicon are never found."""
    must: list[Any] = []
    for key, values in query.filters.items():
        field = key if key in PLAIN_KEYS else f"meta.{key}"
        must.append(models.FieldCondition(key=field, match=models.MatchAny(any=list(values))))
    return models.Filter(must=must) if must else None


def same_point(record: models.Record) -> models.PointStruct:
    vector: Any = record.vector or {}
    return models.PointStruct(id=record.id, vector=vector, payload=record.payload)


def server_point(record: Record) -> models.PointStruct:
    vectors: dict[str, Any] = {}
    if record.dense is not None:
        vectors[DENSE] = np.asarray(record.dense).tolist()
    if record.tokens is not None and len(record.tokens):
        vectors[TOKENS] = pack(record.tokens).tolist()
    for name, sparse in ((BM25, record.sparse), (NAMES, record.names)):
        if sparse is not None and sparse[0]:
            vectors[name] = models.SparseVector(indices=list(sparse[0]), values=list(sparse[1]))
    return models.PointStruct(id=record.id, vector=vectors, payload=record.payload)


def server_hit(point: Any, late: float | None = None) -> Hit:
    vectors = point.vector or {}
    dense, tokens = vectors.get(DENSE), vectors.get(TOKENS)
    return Hit(
        Passage.from_payload(point.payload),
        float(point.score),
        None if dense is None else np.asarray(dense, dtype=np.float32),
        None if tokens is None else unpack(np.asarray(tokens, dtype=np.float32)),
        late,
    )
