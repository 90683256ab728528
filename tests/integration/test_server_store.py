"""The server adapter. No Qdrant server runs here: the behaviour is tested on qdrant-client's in-memory engine, and what
goes over the wire against recorded requests (tests/data/qdrant/; `RECORD=1 pytest …` writes them anew).
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qdrant_client import QdrantClient, models

from fakes import FakeEncoder, passage, publish, write_notes
from tutor.errors import IndexBusy, IndexDamaged, IndexFault, IndexMismatch, IndexMissing, IndexUnreachable
from tutor.ingest.pipeline import ingest
from tutor.retrieval import server, server_shapes
from tutor.retrieval.edge import EdgeStore
from tutor.retrieval.index import BM25, DENSE, NAMES, TOKENS, HybridQuery, IndexStore, Record, point_id
from tutor.retrieval.lexical import query_vector, terms
from tutor.retrieval.packing import pack_query
from tutor.retrieval.search import RERANKED, Searcher
from tutor.retrieval.server import ServerStore, connect
from tutor.settings import QdrantSettings

RECORDED = Path(__file__).parents[1] / "data" / "qdrant"
SETTINGS = QdrantSettings(url="memory", collection="tutor")
pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


@pytest.fixture
def remote() -> Iterator[ServerStore]:
    client = QdrantClient(":memory:")
    yield ServerStore(client, SETTINGS)
    client.close()


def collections(store: ServerStore) -> list[str]:
    return sorted(c.name for c in store.client.get_collections().collections)


def noisy(count: int = 60) -> list[Record]:
    """Passages without ties, which engines break as they like."""
    chance = np.random.default_rng(11)
    words = "raft leader term vote quorum log kafka offset cache ttl saga shard".split()
    found = []
    for n in range(count):
        record = passage(
            f"c{n}",
            " ".join(chance.choice(words, 12)),
            FakeEncoder(),
            doc_id=f"d{n % 6}",
            phase=n % 3,
            tags=[f"t{n % 2}"],
        )
        assert record.sparse is not None
        assert record.tokens is not None
        found.append(
            replace(
                record,
                dense=record.dense + chance.normal(0, 0.1, 32).astype(np.float32),
                tokens=record.tokens + chance.normal(0, 0.2, np.shape(record.tokens)).astype(np.float32),
                sparse=(record.sparse[0], [v * float(chance.uniform(0.7, 1.3)) for v in record.sparse[1]]),
            )
        )
    return found


def ask(store: IndexStore, text: str, **more: Any) -> list[tuple[str, float]]:
    encoded = FakeEncoder().encode([text])[0]
    sparse = query_vector(dict.fromkeys(terms(text), 1.0))
    reader = store.open()
    try:
        hits = reader.search(HybridQuery(encoded.dense, encoded.tokens, sparse, more.pop("limit", 15), **more))
        return [(h.passage.chunk_id, round(h.score, 5)) for h in hits]
    finally:
        reader.close()


@pytest.mark.parametrize("legs", [(DENSE,), (BM25,), (DENSE, BM25), (DENSE, BM25, TOKENS)])
@pytest.mark.parametrize("filters", [{}, {"phase": [1]}, {"tags": ["t0"], "doc_id": ["d0", "d2"]}])
def test_the_same_data_gives_the_same_order_as_edge(
    remote: ServerStore, store: EdgeStore, legs: tuple[str, ...], filters: dict[str, Any]
) -> None:
    records = noisy()
    publish(remote, records, FakeEncoder())
    publish(store, records, FakeEncoder())
    for text in ("raft leader vote", "cache ttl of a shard", "kafka offset"):
        # The product's own weights: equal ones make ties, which each engine breaks as it likes.
        ours, theirs = (ask(s, text, legs=legs, filters=filters, weights=RERANKED.weights) for s in (store, remote))
        assert [name for name, _ in ours] == [name for name, _ in theirs]
        assert ours
        assert [score for _, score in ours] == pytest.approx([score for _, score in theirs], abs=2e-5)


def test_publish_switches_the_alias_and_keeps_one_generation_before(remote: ServerStore, encoder: FakeEncoder) -> None:
    with pytest.raises(IndexMissing) as caught:
        remote.open()
    assert caught.value.fix == "Run: tutor ingest"
    names = []
    for n in range(3):
        manifest = publish(remote, [passage(f"c{n}", "raft leader", encoder)], encoder)
        names.append(remote.name_of(manifest.generation))
        assert remote.current() == names[-1]
        assert [c for c, _ in ask(remote, "raft")] == [f"c{n}"]
    assert collections(remote) == names[-2:]


def test_a_sweep_leaves_other_instances_and_unfinished_writers_alone(remote: ServerStore, encoder: FakeEncoder) -> None:
    """`tutor_dev` lives on the same server; its collections begin with `tutor_` too."""
    neighbour = ServerStore(remote.client, replace_collection("tutor_dev"))
    publish(neighbour, [passage("theirs", "raft", encoder)], encoder)
    remote.client.create_collection(
        "tutor_notes", vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT)
    )
    publish(remote, [passage("a", "raft", encoder)], encoder)
    unfinished = remote.begin(base=None, dense_dims=32, token_dims=16)
    for n in range(3):
        publish(remote, [passage(f"b{n}", "raft", encoder)], encoder)
    assert [c for c, _ in ask(neighbour, "raft")] == ["theirs"]
    assert "tutor_notes" in collections(remote)
    unfinished.discard()
    assert len([c for c in collections(remote) if c.startswith("tutor_2")]) == 2


def replace_collection(name: str) -> QdrantSettings:
    return SETTINGS.model_copy(update={"collection": name})


def test_a_copy_carries_everything_and_changes_only_what_is_told(remote: ServerStore, encoder: FakeEncoder) -> None:
    records = noisy(150)  # more than one batch
    base = publish(remote, records, encoder)
    writer = remote.begin(base=base, dense_dims=32, token_dims=16)
    assert remote.current() == remote.name_of(base.generation)
    writer.delete([records[0].id])
    writer.upsert([passage("fresh", "quorum of replicas", encoder)])
    writer.publish(replace(base, generation=writer.generation))
    reader = remote.open()
    names = {p["chunk_id"] for p in reader.passages(["chunk_id"])}
    assert names == {f"c{n}" for n in range(1, 150)} | {"fresh"}
    dense, tokens = reader.vectors(records[7].id)
    assert dense == pytest.approx(records[7].dense, abs=1e-2)
    assert tokens == pytest.approx(np.asarray(records[7].tokens), abs=1e-2)
    assert [d["doc_id"] for d in reader.documents()] == ["doc"]
    assert all("text" not in d for d in reader.documents())
    assert (reader.payload("lexicon", "lexicon") or {})["frequency"] == {"quorum": 3}
    assert reader.payload("document", "none") is None


def test_a_discarded_generation_leaves_nothing(remote: ServerStore, encoder: FakeEncoder) -> None:
    publish(remote, [passage("a", "raft", encoder)], encoder)
    before = collections(remote)
    writer = remote.begin(base=None, dense_dims=32, token_dims=16)
    writer.upsert([passage("b", "raft", encoder)])
    writer.discard()
    assert collections(remote) == before
    with pytest.raises(IndexDamaged, match="holds 4 points, not 5"):
        publish(remote, [passage("a", "raft", encoder)], encoder, passages_total=2)
    assert collections(remote) == before


def test_a_base_that_is_no_longer_current_is_refused(remote: ServerStore, encoder: FakeEncoder) -> None:
    first = publish(remote, [passage("a", "raft", encoder)], encoder)
    publish(remote, [passage("b", "raft", encoder)], encoder)
    with pytest.raises(IndexBusy, match="another process has just ingested"):
        remote.begin(base=first, dense_dims=32, token_dims=16)


def test_a_reader_refreshes(remote: ServerStore, encoder: FakeEncoder) -> None:
    publish(remote, [passage("a", "raft", encoder)], encoder)
    reader = remote.open()
    manifest = publish(remote, [passage("b", "raft", encoder)], encoder)
    assert reader.manifest.generation != manifest.generation
    reader.refresh()
    assert reader.manifest.generation == manifest.generation


def test_another_layout_refuses_and_still_names_its_roots(
    remote: ServerStore, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(remote, [passage("a", "raft", encoder)], encoder, sources={"roots": ["/notes"], "files": {}})
    monkeypatch.setattr(server, "LAYOUT_VERSION", 99)
    with pytest.raises(IndexMismatch) as caught:
        remote.open()
    assert caught.value.fix == "Run: tutor ingest --rebuild"
    assert remote.remembered()["roots"] == ["/notes"]


def test_the_pipeline_on_the_server_store(remote: ServerStore, encoder: FakeEncoder, notes: Path) -> None:
    assert ingest(remote, encoder, [notes]).encoded == 12
    encoder.calls.clear()
    assert not ingest(remote, encoder, []).changed
    write_notes(notes, {"raft": "Raft elects one leader, second edition."})
    (notes / "saga.md").unlink()
    (notes / "lsm.md").rename(notes / "trees.md")
    report = ingest(remote, encoder, [])
    assert (report.encoded, report.documents, len(encoder.calls)) == (1, 5, 1)
    assert ingest(remote, encoder, [], rebuild=True).documents == 5
    reader = remote.open()
    manifest = reader.manifest
    assert (manifest.documents, manifest.passages) == (5, 10)
    reader.close()


# What goes over the wire.


class Stub(BaseHTTPRequestHandler):
    """Answers like a server where everything works, and keeps every request."""

    seen: list[tuple[str, str, Any]]
    status = 200

    def _answer(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size)) if size else None
        path = self.path.split("?")[0]
        type(self).seen.append((self.command, path, body))
        result: Any = True
        if path.endswith("/points/count"):
            result = {"count": 4}
        elif path.endswith("/points/query/batch"):
            result = [{"points": []} for _ in body["searches"]]
        elif path == "/aliases":
            result = {"aliases": []}
        elif path == "/collections" and self.command == "GET":
            result = {"collections": []}
        elif path.endswith(("/points", "/index", "/points/delete")):
            result = {"operation_id": 1, "status": "completed"}
        content = json.dumps({"result": result, "status": "ok", "time": 0.0}).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = _answer

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def wire() -> Iterator[tuple[ServerStore, type[Stub]]]:
    handler = type("Handler", (Stub,), {"seen": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{http.server_port}"
        store = connect(QdrantSettings(url=url, shards=6, replication=2))
        yield store, handler
        store.client.close()
        http.shutdown()
        thread.join()


def check(name: str, requests: list[tuple[str, str, Any]]) -> None:
    path = RECORDED / f"{name}.json"
    found = json.loads(json.dumps([{"method": m, "path": p, "body": b} for m, p, b in requests]))
    if os.environ.get("RECORD"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    assert found == json.loads(path.read_text(encoding="utf-8"))


def steady(requests: list[tuple[str, str, Any]], generation: str) -> list[tuple[str, str, Any]]:
    text = json.dumps(requests).replace(generation.replace(".", "-"), "GENERATION").replace(generation, "GENERATION")
    return [tuple(r) for r in json.loads(text)]


def test_recorded_publish(wire: tuple[ServerStore, type[Stub]], encoder: FakeEncoder) -> None:
    store, handler = wire
    record = passage("a", "raft", encoder)
    small = replace(record, dense=np.ones(2, np.float32), tokens=np.ones((1, 2), np.float32))
    small = replace(small, sparse=([7], [1.5]), names=([5], [1.0]))
    tiny = FakeEncoder("fake/2x2", dense_dims=2, token_dims=2)
    manifest = publish(store, [small], tiny)
    check("publish", steady(handler.seen, manifest.generation))


def test_recorded_query(wire: tuple[ServerStore, type[Stub]]) -> None:
    store, handler = wire
    query = HybridQuery(
        dense=np.asarray([0.5, 1.0], np.float32),
        tokens=np.asarray([[0.5, 0.25], [1.0, 0.0]], np.float32),
        sparse=([3, 9], [1.0, 0.5]),
        names=([4], [1.0]),
        legs=(DENSE, BM25, NAMES, TOKENS),
        limit=7,
        weights={DENSE: 1.0, BM25: 1.5, TOKENS: 1.25},
        filters={"phase": [3, 4], "doc_id": ["kafka"]},
        with_vectors=True,
    )
    asked = pack_query(query.tokens)
    for exact in (True, False):
        store.client.query_batch_points("tutor_x", server_shapes.server_requests(query, asked, exact=exact))
    plain = replace(query, legs=(DENSE, BM25), filters={}, with_vectors=False)
    store.client.query_batch_points("tutor_x", server_shapes.server_requests(plain, asked, exact=True))
    check("query", handler.seen)


def test_the_layout_is_edge_s(wire: tuple[ServerStore, type[Stub]], store: EdgeStore, encoder: FakeEncoder) -> None:
    """What create_collection sends against what Edge writes to disk for the same dimensions."""
    remote, handler = wire
    remote.begin(base=None, dense_dims=32, token_dims=16)
    sent = next(b for m, p, b in handler.seen if m == "PUT" and p.count("/") == 2)
    manifest = publish(store, [passage("a", "raft", encoder)], encoder)
    config = store.generations.path(manifest.generation) / "shard" / "edge_config.json"
    made = json.loads(config.read_text(encoding="utf-8"))
    for name in (DENSE, TOKENS):
        for key in ("size", "distance", "datatype", "multivector_config"):
            assert sent["vectors"][name].get(key) == made["vectors"][name].get(key), (name, key)
    assert sent["vectors"][TOKENS]["hnsw_config"]["m"] == made["vectors"][TOKENS]["hnsw_config"]["m"] == 0
    assert sent["sparse_vectors"] == made["sparse_vectors"] == {name: {"modifier": "idf"} for name in (BM25, NAMES)}
    assert (sent["shard_number"], sent["replication_factor"]) == (6, 2)


def test_a_server_that_is_not_there_is_told_quickly() -> None:
    store = connect(QdrantSettings(url="http://127.0.0.1:9", timeout_s=0.5))
    began = time.perf_counter()
    with pytest.raises(IndexUnreachable, match="the Qdrant server does not answer") as caught:
        store.open()
    assert time.perf_counter() - began < 15
    assert caught.value.transient
    assert "TUTOR_QDRANT_URL" in caught.value.fix
    store.client.close()


@pytest.mark.parametrize(
    ("status", "message", "fix"),
    [
        (401, "refuses the key", "Set TUTOR_QDRANT_API_KEY."),
        (403, "refuses the key", "Set TUTOR_QDRANT_API_KEY."),
        (500, "the Qdrant server answered 500", ""),
    ],
)
def test_what_a_server_refuses(wire: tuple[ServerStore, type[Stub]], status: int, message: str, fix: str) -> None:
    store, handler = wire
    handler.status = status
    with pytest.raises(IndexFault, match=message) as caught:
        store.open()
    assert caught.value.fix == fix
    with pytest.raises(IndexFault, match=message):
        store.begin(base=None, dense_dims=2, token_dims=2)


def test_the_searcher_on_the_server_store(remote: ServerStore, encoder: FakeEncoder, notes: Path) -> None:
    ingest(remote, encoder, [notes])
    reader = remote.open()
    found = reader.vectors(point_id("passage", "notes/raft#what-it-is"))
    assert found[0].shape == (32,)
    assert Searcher(reader, encoder)._generation == reader.manifest.generation
