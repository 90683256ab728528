"""The embedded index: Qdrant's engine in this process (``qdrant-edge-py``), over generation folders."""

from __future__ import annotations

import contextlib
import errno
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import qdrant_edge as qe

from tutor.errors import DiskFull, IndexBusy, IndexDamaged, IndexFault, IndexMissing, TutorError
from tutor.retrieval.edge_shapes import (
    FIELD_INDEXES,
    edge_config,
    edge_hits,
    edge_late_request,
    edge_point,
    edge_request,
)
from tutor.retrieval.generations import REBUILD, Generations, copy_sparse, new_name
from tutor.retrieval.index import (
    DENSE,
    EXACT_BELOW,
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
from tutor.retrieval.kept import Kept, Stored, finite
from tutor.retrieval.packing import pack_query, packed_dims, unpack

_BATCH = 256
# Passages up to which a reader compares every file with its checksum: the curriculum's 2,700 take 30 ms, 10,000 at most
# 0.1 s. In a larger index damage is found by a read that fails, by the next ingest and by the doctor.
_VERIFIED_BELOW = 10_000
_LOOK_AGAIN_S = 0.05
# The engine writes through memory maps, where a full disk is no error but SIGBUS: stop before it is full.
_OPENING_BYTES = 64 * 2**10  # what the engine may write when it opens a shard
_SPARE_BYTES = 64 * 2**20


class EdgeStore:
    """Generations of Edge shards under one folder."""

    def __init__(self, root: Path) -> None:
        self.generations = Generations(root)

    @property
    def location(self) -> str:
        return str(self.generations.root)

    def open(self) -> EdgeReader:
        return EdgeReader(self.generations)

    def remembered(self) -> Payload:
        """``Manifest.sources`` of the last generation, even of a damaged one or one with another layout."""
        return self.generations.sources()

    def begin(self, *, base: Manifest | None, dense_dims: int, token_dims: int) -> EdgeWriter:
        return EdgeWriter(self.generations, base, dense_dims, token_dims)


class EdgeReader:
    """One generation, open read-only; falls back to the one before when the current one is damaged.

    ``fallback`` holds the fault that made it fall back, or None. Damage that shows only when something is read raises;
    whoever can begin again asks ``fall_back`` for an older generation.
    """

    def __init__(self, generations: Generations) -> None:
        self._generations = generations
        self.fallback: TutorError | None = None
        self._open()

    def _open(self) -> None:
        # Two looks: loading rewrites edge_config.json, so another process that loads may leave half a file for a
        # moment, and a sweep may win the race for a generation just replaced. Damage is still there after 50 ms.
        fault: TutorError | None = None
        for look in (1, 2):
            wanted = self._generations.current()
            fault = None
            for name in self._generations.candidates():
                if known := self._generations.unfit.get(name):
                    fault = fault or known
                    continue
                try:
                    self._shard, self._manifest, self._held = self._load(name)
                except IndexDamaged as error:
                    fault = fault or error
                else:
                    self._wanted, self.fallback, self._kept = wanted, fault, Kept()
                    return
                if look == 1:
                    break
            time.sleep(_LOOK_AGAIN_S if look == 1 else 0)
        raise fault or IndexMissing("nothing is indexed yet", fix="Run: tutor ingest")

    def _load(self, name: str) -> tuple[Any, Manifest, ExitStack]:
        folder = self._generations.path(name)
        manifest = self._generations.manifest(name)
        with ExitStack() as held, _mapped(str(folder)):
            if lock := self._generations.hold(name):
                held.enter_context(lock)
            # What stands in for a damaged one is looked at closely, whatever its size.
            if manifest.passages < _VERIFIED_BELOW or name != self._generations.current():
                self._generations.verify(name)
            try:
                shard = qe.EdgeShard.load(str(folder / "shard"))
            except Exception as error:  # noqa: BLE001  the engine's broken files and full disks look alike
                shard = _load_aside(folder / "shard", held, error)
            held.callback(shard.close)
            self._check(shard, manifest)
            return shard, manifest, held.pop_all()

    @staticmethod
    def _check(shard: Any, manifest: Manifest) -> None:
        expected = manifest.passages + manifest.documents + 1
        if (found := shard.count(qe.CountRequest(exact=True))) != expected:
            raise IndexDamaged(
                f"holds {found} points, its manifest says {expected}", about=manifest.generation, fix=REBUILD
            )
        records = shard.retrieve([point_id("lexicon", "lexicon")], with_payload=True, with_vector=False)
        if not records or (records[0].payload or {}).get("type") != "lexicon":
            raise IndexDamaged("its payloads cannot be read", about=manifest.generation, fix=REBUILD)

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    def refresh(self) -> None:
        if self._generations.current() == self._wanted:
            return
        before = self._held
        self._open()
        before.close()

    def verify(self) -> int:
        return self._generations.verify(self._manifest.generation)

    def fall_back(self, fault: TutorError) -> None:
        name = self._manifest.generation
        try:
            intact = self.verify() > 0
        except IndexDamaged as found:
            self._generations.unfit[name] = found  # it names the file
        else:
            if intact:
                raise fault  # the engine's own; an older generation would not fare better
            self._generations.unfit[name] = fault
        before = self._held
        try:
            self._open()
        except IndexFault:
            del self._generations.unfit[name]
            raise fault from None
        before.close()

    def search(self, query: HybridQuery) -> list[Hit]:
        asked = pack_query(query.tokens)
        request = edge_request(query, asked, exact=self._manifest.passages < EXACT_BELOW)
        if request is None:
            return []
        with _mapped(self._manifest.generation):
            found = self._shard.query(request)
            late: dict[Any, float] = {}
            if TOKENS in query.legs and found:
                scored = self._shard.query(edge_late_request(asked, [point.id for point in found]))
                late = {point.id: asked.max_sim(float(point.score)) for point in scored}
            vectors: dict[Any, Stored] = {}
            if query.with_vectors:
                vectors = self._kept.of([point.id for point in found], self._vectors)
            return edge_hits(found, vectors, late)

    def _vectors(self, ids: list[Any]) -> list[Any]:
        return list(self._shard.retrieve(ids, with_payload=False, with_vector=[DENSE, TOKENS]))

    def payload(self, kind: str, name: str) -> Payload | None:
        with _mapped(self._manifest.generation):
            records = self._shard.retrieve([point_id(kind, name)], with_payload=True, with_vector=False)
        return dict(records[0].payload or {}) if records else None

    def vectors(self, id: str) -> tuple[Vector, Vector]:
        none: list[list[float]] = []  # a passage without a token the encoder knows
        with _mapped(self._manifest.generation):
            vector: Any = self._shard.retrieve([id], with_payload=False, with_vector=True)[0].vector
            stored = finite(vector.get(TOKENS, none)).reshape(-1, packed_dims(self._manifest.token_dims))
            return finite(vector[DENSE]), unpack(stored)

    def documents(self) -> list[Payload]:
        return list(self._scroll("document", qe.PayloadSelector.Exclude(["text", "sections"])))

    def passages(self, fields: Sequence[str]) -> Iterator[Payload]:
        return self._scroll("passage", qe.PayloadSelector.Include(list(fields)))

    def _scroll(self, kind: str, fields: Any) -> Iterator[Payload]:
        only = qe.Filter(must=[qe.FieldCondition(key="type", match=qe.MatchValue(kind))])
        offset = None
        while True:
            with _mapped(self._manifest.generation):
                records, offset = self._shard.scroll(
                    qe.ScrollRequest(limit=1000, offset=offset, filter=only, with_payload=fields)
                )
            for record in records:
                yield dict(record.payload or {})
            if offset is None:
                return

    def close(self) -> None:
        self._held.close()


def _load_aside(shard: Path, held: ExitStack, fault: Exception) -> Any:
    """Load through a folder of links: loading saves edge_config.json, for which a full disk has no room."""
    try:
        roomy = "/dev/shm" if Path("/dev/shm").is_dir() else None
        aside = Path(held.enter_context(TemporaryDirectory(dir=roomy, ignore_cleanup_errors=True)))
        shutil.copyfile(shard / "edge_config.json", aside / "edge_config.json")
        (aside / "segments").symlink_to((shard / "segments").resolve(), target_is_directory=True)
    except OSError as error:
        if error.errno == errno.ENOSPC or shutil.disk_usage(shard).free < _OPENING_BYTES:
            raise DiskFull(
                "the disk is full, and opening the index writes a small file",
                about=str(shard),
                fix="Make some room, there or in the folder for temporary files; nothing is damaged.",
            ) from fault
        raise fault from None
    return qe.EdgeShard.load(str(aside))


class EdgeWriter:
    """A generation folder being filled, under the writer's lock."""

    def __init__(self, generations: Generations, base: Manifest | None, dense_dims: int, token_dims: int) -> None:
        self._generations = generations
        self.generation = new_name()
        self._folder = generations.path(self.generation)
        self._stack = ExitStack()
        self._stack.enter_context(generations.writing())
        try:
            if base is not None and generations.current() not in (None, base.generation):
                self._refuse_newer(base)
            self._need(_SPARE_BYTES)
            if base is None:
                (self._folder / "shard").mkdir(parents=True)
                self._shard = qe.EdgeShard.create(str(self._folder / "shard"), edge_config(dense_dims, token_dims))
                for field, kind in FIELD_INDEXES.items():
                    self._shard.update(qe.UpdateOperation.create_field_index(field, kind))
            else:
                copied = generations.path(base.generation) / "shard"
                # A reader that loads the base at this moment has a temporary file in it.
                passing = shutil.ignore_patterns(".atomicwrite*")
                shutil.copytree(copied, self._folder / "shard", copy_function=copy_sparse, ignore=passing)
                self._shard = qe.EdgeShard.load(str(self._folder / "shard"))
        except BaseException as error:
            self._abandon()
            raise self._fault(error) from error

    def _refuse_newer(self, base: Manifest) -> None:
        """The pointer names another generation than ``base``: fine when that one is damaged, and base stood in."""
        with contextlib.closing(EdgeReader(self._generations)) as now:
            if now.manifest.generation != base.generation:
                about = str(self._generations.root)
                raise IndexBusy("another process has just ingested", about=about, fix="Run it again.")

    def _need(self, count: int) -> None:
        if shutil.disk_usage(self._generations.root).free < count:
            raise OSError(errno.ENOSPC, f"{count >> 20} MB must be free while ingesting")

    def upsert(self, records: Iterable[Record]) -> None:
        try:
            for group in in_batches(records, _BATCH):
                self._need(_SPARE_BYTES)
                self._shard.update(qe.UpdateOperation.upsert_points([edge_point(r) for r in group]))
        except Exception as error:
            raise self._fault(error) from error

    def delete(self, ids: Sequence[str]) -> None:
        if not ids:
            return
        try:
            self._shard.update(qe.UpdateOperation.delete_points(list(ids)))
        except Exception as error:
            raise self._fault(error) from error

    def publish(self, manifest: Manifest) -> None:
        try:
            if manifest.passages >= EXACT_BELOW:
                self._shard.optimize()
            self._shard.flush()
            self._shard.close()
            # Opened once more: proof that it can be, and the first load completes edge_config.json on disk.
            self._shard = qe.EdgeShard.load(str(self._folder / "shard"))
            EdgeReader._check(self._shard, manifest)
            self._shard.close()
            self._generations.seal(manifest)
            self._generations.remember(manifest.sources)
            self._generations.switch(manifest.generation)
        except Exception as error:
            self._abandon()
            raise self._fault(error) from error
        with contextlib.suppress(OSError):  # published: what cannot be removed now is removed by the next writer
            self._generations.sweep()
        self._stack.close()

    def discard(self) -> None:
        self._shard.close()
        self._abandon()

    def _abandon(self) -> None:
        if self._generations.current() != self.generation:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._stack.close()

    def _fault(self, error: BaseException) -> BaseException:
        if isinstance(error, TutorError) or not isinstance(error, Exception):
            return error
        free = shutil.disk_usage(self._generations.root).free
        kind = DiskFull if free < _SPARE_BYTES else IndexFault
        answers = "The last generation still answers. " if self._one_answers() else ""
        return kind(
            f"the new generation could not be written ({error}); {free / 2**20:.0f} MB are free",
            about=str(self._folder),
            fix=f"{answers}Make room or choose --index DIR, then run: tutor ingest",
        )

    def _one_answers(self) -> bool:
        """Whether any generation can be read: none before the first ingest, or when a rebuild was to mend them."""
        try:
            EdgeReader(self._generations).close()
        except IndexFault:
            return False
        return True


@contextlib.contextmanager
def _mapped(about: str) -> Iterator[None]:
    """What the engine raises for broken files as ours: any Exception, a panic (no ``Exception``), or odd payloads."""
    try:
        yield
    except BaseException as error:
        if isinstance(error, TutorError) or not (isinstance(error, Exception) or "Panic" in type(error).__name__):
            raise
        said = next(iter(str(error).splitlines()), "")[:160] or type(error).__name__
        raise IndexDamaged(f"the generation cannot be read ({said})", about=about, fix=REBUILD) from error
