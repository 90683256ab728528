"""The index's records, query and hits in the embedded engine's types; ``server_shapes`` is the twin for a server."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import qdrant_edge as qe

from tutor.retrieval.index import (
    BM25,
    CANDIDATES,
    DENSE,
    INTEGER_FIELDS,
    KEYWORD_FIELDS,
    NAMES,
    PLAIN_KEYS,
    RRF_K,
    TOKENS,
    Hit,
    HybridQuery,
    Passage,
    Record,
)
from tutor.retrieval.kept import Stored
from tutor.retrieval.packing import PackedQuery, pack, packed_dims, unpack

# Without them a filter reads every payload from disk: 90 ms at 20k passages against 5 ms.
FIELD_INDEXES = {
    **dict.fromkeys(KEYWORD_FIELDS, qe.PayloadSchemaType.Keyword),
    **dict.fromkeys(INTEGER_FIELDS, qe.PayloadSchemaType.Integer),
}


def edge_config(dense_dims: int, token_dims: int) -> qe.EdgeConfig:
    """The collection layout; ``server_shapes.server_layout`` is its twin."""
    half, byte = qe.VectorStorageDatatype.Float16, qe.VectorStorageDatatype.Uint8
    # on_disk: pages come into memory as they are read; else opening reads whole chunks of 32 MB, each twice.
    return qe.EdgeConfig(
        vectors={
            DENSE: qe.EdgeVectorParams(size=dense_dims, distance=qe.Distance.Dot, datatype=half, on_disk=True),
            # m=0: token vectors only rerank, they are never searched, so they need no graph.
            TOKENS: qe.EdgeVectorParams(
                size=packed_dims(token_dims),
                distance=qe.Distance.Dot,
                datatype=byte,
                on_disk=True,
                multivector_config=qe.MultiVectorConfig(qe.MultiVectorComparator.MaxSim),
                hnsw_config=qe.HnswIndexConfig(m=0, ef_construct=4, full_scan_threshold=10_000),
            ),
        },
        sparse_vectors={name: qe.EdgeSparseVectorParams(modifier=qe.Modifier.Idf) for name in (BM25, NAMES)},
        wal_enabled=False,
    )


def edge_request(query: HybridQuery, asked: PackedQuery, *, exact: bool) -> qe.QueryRequest | None:
    """The one hybrid query (None when no leg has anything to search with); ``server_shapes`` has its twin."""
    only = _filter(query)
    limit = max(CANDIDATES, query.limit)
    legs: dict[str, qe.Prefetch] = {}
    if DENSE in query.legs:
        dense: Any = query.dense  # the engine takes arrays as they are; its stubs name lists only
        nearest = qe.Query.Nearest(dense, using=DENSE)
        legs[DENSE] = qe.Prefetch(limit=limit, query=nearest, filter=only, params=qe.SearchParams(exact=exact))
    for leg, (ids, weights) in ((BM25, query.sparse), (NAMES, query.names)):
        if leg in query.legs and ids:
            sparse = qe.SparseVector(indices=list(ids), values=list(weights))
            legs[leg] = qe.Prefetch(limit=limit, query=qe.Query.Nearest(sparse, using=leg), filter=only)
    if TOKENS in query.legs:
        tokens: Any = asked.vectors
        maxsim = qe.Query.Nearest(tokens, using=TOKENS)
        legs[TOKENS] = qe.Prefetch(limit=limit, query=maxsim, prefetches=list(legs.values()), filter=only)
    if not legs:
        return None
    fusion: Any = qe.Fusion.Rrf(k=RRF_K, weights=[query.weights.get(name, 1.0) for name in legs])
    return qe.QueryRequest(
        limit=query.limit,
        query=fusion,
        prefetches=list(legs.values()),
        with_payload=True,
        with_vector=False,  # ``kept`` has most of them
    )


def edge_late_request(asked: PackedQuery, found: Collection[Any]) -> qe.QueryRequest:
    """MaxSim of each of the ``found`` points, by id; scores only, which ``asked`` can read."""
    tokens: Any = asked.vectors
    return qe.QueryRequest(
        limit=len(found),
        query=qe.Query.Nearest(tokens, using=TOKENS),
        filter=qe.Filter(must=[qe.HasIdCondition(set(found))]),
        with_payload=False,
    )


def _filter(query: HybridQuery) -> qe.Filter | None:
    """None without filters: only passages have vectors, so that documents and the lexicon are never found."""
    must: list[Any] = []
    for key, values in query.filters.items():
        field = key if key in PLAIN_KEYS else f"meta.{key}"
        either: Any = list(values)
        must.append(qe.FieldCondition(key=field, match=qe.MatchAny(either)))
    return qe.Filter(must=must) if must else None


def edge_point(record: Record) -> qe.Point:
    vectors: dict[str, Any] = {}
    if record.dense is not None:
        vectors[DENSE] = record.dense
    if record.tokens is not None and len(record.tokens):
        vectors[TOKENS] = pack(record.tokens)
    for name, sparse in ((BM25, record.sparse), (NAMES, record.names)):
        if sparse is not None and sparse[0]:
            vectors[name] = qe.SparseVector(indices=list(sparse[0]), values=list(sparse[1]))
    return qe.Point(record.id, vectors, record.payload)


def edge_hits(points: Sequence[Any], vectors: Mapping[Any, Stored], late: Mapping[Any, float]) -> list[Hit]:
    """The engine's points as hits; ``vectors`` has those of a point's id, ``late`` its MaxSim.

    All token vectors are unpacked in one product: small ones, one a hit, cost more in handing them to threads.
    """
    none = Stored(None, None)
    stored = [vectors.get(point.id, none) for point in points]
    packed = [vector.tokens for vector in stored if vector.tokens is not None]
    unpacked = iter(
        np.split(unpack(np.concatenate(packed).astype(np.float32)), np.cumsum([len(p) for p in packed])[:-1])
        if packed
        else ()
    )
    return [
        Hit(
            Passage.from_payload(point.payload),
            float(point.score),
            vector.dense,
            None if vector.tokens is None else next(unpacked),
            late.get(point.id),
        )
        for point, vector in zip(points, stored, strict=True)
    ]
