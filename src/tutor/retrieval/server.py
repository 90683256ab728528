"""The index on a Qdrant server or cluster (``qdrant-client``): the same layout and query as ``edge``.

A generation is a collection ``<name>_<generation>``; readers use the alias ``<name>``, which one request switches. The
manifest is a payload-only point, as the lexicon is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields
from typing import Any

import numpy as np
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

from tutor.errors import IndexBusy, IndexDamaged, IndexFault, IndexMismatch, IndexMissing, IndexUnreachable, TutorError
from tutor.retrieval.generations import REBUILD, new_name
from tutor.retrieval.index import (
    DENSE,
    EXACT_BELOW,
    INTEGER_FIELDS,
    KEYWORD_FIELDS,
    LAYOUT_VERSION,
    TOKENS,
    Hit,
    HybridQuery,
    Manifest,
    Payload,
    Record,
    Vector,
    in_batches,
    point_id,
)
from tutor.retrieval.packing import pack_query, packed_dims, unpack
from tutor.retrieval.server_shapes import same_point, server_hit, server_layout, server_point, server_requests
from tutor.settings import QdrantSettings

_BATCH = 64  # 64 passages of 200 x 98 bytes are about 6 MB of JSON; the server's limit is 32 MB


def connect(settings: QdrantSettings) -> ServerStore:
    """A store on the server that the settings name; nothing is sent yet."""
    client = QdrantClient(
        url=settings.url,
        api_key=settings.api_key.get_secret_value() or None,
        timeout=math.ceil(settings.timeout_s),  # whole seconds; 0 would be none at all
        check_compatibility=False,  # it would ask the server at construction; doctor reports versions
    )
    return ServerStore(client, settings)


@contextmanager
def _mapped(about: str) -> Iterator[None]:
    """qdrant-client's exceptions as ours."""
    try:
        yield
    except UnexpectedResponse as error:
        if error.status_code in (401, 403):
            raise IndexFault(
                "the Qdrant server refuses the key", about=about, fix="Set TUTOR_QDRANT_API_KEY."
            ) from error
        raise IndexFault(
            f"the Qdrant server answered {error.status_code}: {error.reason_phrase}", about=about
        ) from error
    except (ResponseHandlingException, ApiException, OSError) as error:
        raise IndexUnreachable(
            f"the Qdrant server does not answer ({error})", about=about, fix="Is it running? Check TUTOR_QDRANT_URL."
        ) from error


class ServerStore:
    """Generations as collections behind an alias."""

    def __init__(self, client: QdrantClient, settings: QdrantSettings) -> None:
        self.client = client
        self.settings = settings

    @property
    def location(self) -> str:
        return self.settings.url

    def current(self) -> str | None:
        """The collection behind the alias."""
        with _mapped(self.location):
            aliases = self.client.get_aliases().aliases
        return next((a.collection_name for a in aliases if a.alias_name == self.settings.collection), None)

    def open(self) -> ServerReader:
        return ServerReader(self)

    def remembered(self) -> Payload:
        """``Manifest.sources`` of the published generation, also of one with another layout."""
        name = self.current()
        if name is None:
            return {}
        with _mapped(self.location):
            found = self.client.retrieve(name, [point_id("manifest", "manifest")], with_payload=["sources"])
        return dict((found[0].payload or {}).get("sources", {})) if found else {}

    def begin(self, *, base: Manifest | None, dense_dims: int, token_dims: int) -> ServerWriter:
        return ServerWriter(self, base, dense_dims, token_dims)

    def name_of(self, generation: str) -> str:
        """The collection of a generation."""
        return f"{self.settings.collection}_{generation.replace('.', '-')}"


class ServerReader:
    """The collection behind the alias; queries go to the collection itself, so that one reader sees one generation."""

    fallback: TutorError | None = None  # a server keeps its collections whole, or does not answer

    def __init__(self, store: ServerStore) -> None:
        self._store = store
        self._client = store.client
        self._open()

    def _open(self) -> None:
        name = self._store.current()
        if name is None:
            raise IndexMissing("nothing is indexed yet", about=self._store.location, fix="Run: tutor ingest")
        self._collection = name
        data = self.payload("manifest", "manifest")
        if data is None:
            raise IndexDamaged("the collection has no manifest", about=name, fix=REBUILD)
        if data["layout"] != LAYOUT_VERSION:
            raise IndexMismatch(
                f"the index has layout {data['layout']}, this version reads {LAYOUT_VERSION}", about=name, fix=REBUILD
            )
        self._manifest = Manifest(**{f.name: data[f.name] for f in fields(Manifest)})

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    def verify(self) -> int:
        return 0

    def fall_back(self, fault: TutorError) -> None:
        raise fault

    def refresh(self) -> None:
        if self._store.current() != self._collection:
            self._open()

    def search(self, query: HybridQuery) -> list[Hit]:
        asked = pack_query(query.tokens)
        requests = server_requests(query, asked, exact=self._manifest.passages < EXACT_BELOW)
        if not requests:
            return []
        with _mapped(self._store.location):
            found, *scored = self._client.query_batch_points(self._collection, requests)
        late = {point.id: asked.max_sim(float(point.score)) for answer in scored for point in answer.points}
        return [server_hit(point, late.get(point.id)) for point in found.points]

    def payload(self, kind: str, name: str) -> Payload | None:
        with _mapped(self._store.location):
            records = self._client.retrieve(self._collection, [point_id(kind, name)], with_payload=True)
        return dict(records[0].payload or {}) if records else None

    def vectors(self, id: str) -> tuple[Vector, Vector]:
        with _mapped(self._store.location):
            record = self._client.retrieve(self._collection, [id], with_payload=False, with_vectors=[DENSE, TOKENS])[0]
        vector: Any = record.vector
        none: list[list[float]] = []  # a passage without a token the encoder knows
        stored = np.asarray(vector.get(TOKENS, none), dtype=np.float32)
        tokens = unpack(stored.reshape(-1, packed_dims(self._manifest.token_dims)))
        return np.asarray(vector[DENSE], dtype=np.float32), tokens

    def documents(self) -> list[Payload]:
        return list(self._scroll("document", models.PayloadSelectorExclude(exclude=["text", "sections"])))

    def passages(self, fields: Sequence[str]) -> Iterator[Payload]:
        return self._scroll("passage", list(fields))

    def _scroll(self, kind: str, fields: Any) -> Iterator[Payload]:
        only = models.Filter(must=[models.FieldCondition(key="type", match=models.MatchValue(value=kind))])
        offset: Any = None
        while True:
            with _mapped(self._store.location):
                records, offset = self._client.scroll(
                    self._collection, scroll_filter=only, limit=500, offset=offset, with_payload=fields
                )
            for record in records:
                yield dict(record.payload or {})
            if offset is None:
                return

    def close(self) -> None:
        """Nothing to release: the client is the store's."""


class ServerWriter:
    """A new collection being filled."""

    def __init__(self, store: ServerStore, base: Manifest | None, dense_dims: int, token_dims: int) -> None:
        self._store = store
        self._client = store.client
        self.generation = new_name()
        self._collection = store.name_of(self.generation)
        if base is not None and store.current() != store.name_of(base.generation):
            raise IndexBusy("another process has just ingested", about=store.location, fix="Run it again.")
        with _mapped(store.location):
            self._client.create_collection(self._collection, **server_layout(store.settings, dense_dims, token_dims))
        try:
            self._fill(base)
        except BaseException:
            with suppress(IndexFault):
                self.discard()
            raise

    def _fill(self, base: Manifest | None) -> None:
        with _mapped(self._store.location):
            for key in KEYWORD_FIELDS:
                self._client.create_payload_index(self._collection, key, models.PayloadSchemaType.KEYWORD)
            for key in INTEGER_FIELDS:
                self._client.create_payload_index(self._collection, key, models.PayloadSchemaType.INTEGER)
        if base is not None:
            self._copy(self._store.name_of(base.generation))

    def _copy(self, source: str) -> None:
        offset: Any = None
        while True:
            with _mapped(self._store.location):
                records, offset = self._client.scroll(
                    source, limit=_BATCH, offset=offset, with_payload=True, with_vectors=True
                )
                points = [same_point(r) for r in records]
                if points:
                    self._client.upsert(self._collection, points, wait=True)
            if offset is None:
                return

    def upsert(self, records: Iterable[Record]) -> None:
        for group in in_batches(records, _BATCH):
            with _mapped(self._store.location):
                self._client.upsert(self._collection, [server_point(r) for r in group], wait=True)

    def delete(self, ids: Sequence[str]) -> None:
        if ids:
            with _mapped(self._store.location):
                self._client.delete(self._collection, models.PointIdsList(points=list(ids)), wait=True)

    def publish(self, manifest: Manifest) -> None:
        alias = self._store.settings.collection
        self.upsert([Record(point_id("manifest", "manifest"), {"type": "manifest", **asdict(manifest)})])
        expected = manifest.passages + manifest.documents + 2  # the lexicon and the manifest
        with _mapped(self._store.location):
            found = self._client.count(self._collection, exact=True).count
        if found != expected:
            self.discard()
            raise IndexDamaged(f"the new collection holds {found} points, not {expected}", about=self._collection)
        before = self._store.current()
        switch: list[Any] = [
            models.CreateAliasOperation(
                create_alias=models.CreateAlias(collection_name=self._collection, alias_name=alias)
            )
        ]
        if before is not None:
            switch.insert(0, models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias)))
        with _mapped(self._store.location):
            self._client.update_collection_aliases(change_aliases_operations=switch)
        if before is not None:
            with suppress(IndexFault):  # published: what cannot be removed now is removed after the next ingest
                self._sweep(before)

    def _sweep(self, before: str) -> None:
        """Remove generations older than ``before``. Newer ones may be those that other processes are writing."""
        name = re.compile(re.escape(self._store.settings.collection) + r"_\d{8}T\d{6}-\d{6}")  # not tutor_dev's
        with _mapped(self._store.location):
            for collection in self._client.get_collections().collections:
                if name.fullmatch(collection.name) and collection.name < before:
                    self._client.delete_collection(collection.name)

    def discard(self) -> None:
        with _mapped(self._store.location):
            self._client.delete_collection(self._collection)
