"""Generation folders of the embedded index: written aside, checked, then switched to by one atomic rename.

::

    <index>/CURRENT                 the name of the published generation
    <index>/roots.json              what was ingested, for a rebuild when no manifest can be read
    <index>/writer.lock             held by the one process that ingests
    <index>/generations/<name>/     manifest.json · shard/ · reader.lock

A kill at any moment leaves CURRENT pointing at a complete generation; what was half-written has no manifest and is
removed by the next writer. The generation before the current one is kept, to fall back on when files are damaged.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, fields
from itertools import islice
from pathlib import Path
from typing import IO, Any

from tutor.errors import IndexBusy, IndexDamaged, IndexFault, IndexMismatch, IndexMissing, TutorError
from tutor.retrieval.checksums import checksum, data_extents
from tutor.retrieval.index import LAYOUT_VERSION, Manifest

try:
    import fcntl
except ImportError:  # pragma: no cover  Windows: files in use cannot be removed, which serves the same end
    fcntl = None  # type: ignore[assignment]

REBUILD = "Run: tutor ingest --rebuild"
# The engine may rewrite its own configuration when it loads a shard.
_NOT_SEALED = frozenset({"manifest.json", "reader.lock", "edge_config.json"})
# Loading writes it anew too, with its keys in another order. All other files keep their bytes.
_NO_CHECKSUM = frozenset({"segment.json"})


class Generations:
    """The folder layout above, without any knowledge of what a shard is."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "generations"
        self._pointer = root / "CURRENT"
        self._remembered = root / "roots.json"
        #: Generations that opened and then could not be read, with the fault; known to this process only.
        self.unfit: dict[str, TutorError] = {}

    def current(self) -> str | None:
        """The published generation's name; None when nothing was published."""
        try:
            # Garbage is read as the name of a generation that does not exist, so that an older one answers.
            name = self._pointer.read_text(encoding="utf-8", errors="replace").strip()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise IndexDamaged(f"cannot be read ({error.strerror})", about=str(self._pointer), fix=REBUILD) from error
        return name or None

    def path(self, name: str) -> Path:
        return self.folder / name

    def complete(self) -> list[str]:
        """Names of all generations that have a manifest, newest first."""
        if not self.folder.is_dir():
            return []
        names = [p.name for p in self.folder.iterdir() if (p / "manifest.json").is_file()]
        return sorted(names, reverse=True)

    def published(self) -> list[str]:
        """Complete generations up to the current one, newest first: a newer one was sealed, but a kill came before
        the switch. All complete ones when CURRENT names none that exists."""
        current = self.current()
        if current is None or not self.path(current).is_dir():
            return self.complete()
        return [n for n in self.complete() if n <= current]

    def candidates(self) -> list[str]:
        """What a reader tries in turn: the current generation, then older complete ones.

        Raises:
            IndexMissing: there is none.
        """
        current = self.current()
        names = [*([current] if current else []), *(n for n in self.published() if n != current)]
        if not names:
            raise IndexMissing("nothing is indexed yet", about=str(self.root), fix="Run: tutor ingest")
        return names

    def manifest(self, name: str) -> Manifest:
        """Read a generation's manifest and check its files' sizes against it.

        Raises:
            IndexDamaged: it is missing or unreadable, or a file is missing or has another size.
            IndexMismatch: another layout version wrote it.
        """
        path = self.path(name) / "manifest.json"
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            files = data.pop("files")
            layout = data["layout"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IndexDamaged(f"the manifest cannot be read ({error})", about=str(path), fix=REBUILD) from error
        if layout != LAYOUT_VERSION:
            raise IndexMismatch(
                f"the index has layout {layout}, this version reads {LAYOUT_VERSION}", about=str(path), fix=REBUILD
            )
        for relative, size in files.items():
            file = path.parent / relative
            if not file.is_file() or file.stat().st_size != size:
                raise IndexDamaged("a file is missing or has the wrong size", about=str(file), fix=REBUILD)
        try:
            return Manifest(**{f.name: data[f.name] for f in fields(Manifest)})
        except KeyError as error:
            raise IndexDamaged(f"the manifest lacks {error}", about=str(path), fix=REBUILD) from error

    def verify(self, name: str) -> int:
        """Compare the bytes of a generation's files with their checksums; how many files have one.

        0 for a generation that was sealed before there were checksums. The curriculum's takes 25 ms.

        Raises:
            IndexDamaged: the manifest or a file cannot be read, or a file's bytes are not those that were sealed.
        """
        path = self.path(name)
        try:
            data = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
            expected = dict(data.get("checksums", {}))
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise IndexDamaged(f"the manifest cannot be read ({error})", about=str(path), fix=REBUILD) from error
        for relative, sealed in expected.items():
            file = path / relative
            try:
                found = checksum(file)
            except OSError as error:  # a bad sector, say
                raise IndexDamaged(f"cannot be read ({error.strerror})", about=str(file), fix=REBUILD) from error
            if found != sealed:
                raise IndexDamaged("its bytes are not those that were written", about=str(file), fix=REBUILD)
        return len(expected)

    def sources(self) -> dict[str, Any]:
        """What the newest manifest that can be read says of its sources, whatever state the rest is in."""
        for name in (self.current(), *self.published()):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                data = json.loads((self.path(name or "") / "manifest.json").read_text(encoding="utf-8"))
                return dict(data["sources"])
        with contextlib.suppress(OSError, ValueError, TypeError):
            return dict(json.loads(self._remembered.read_text(encoding="utf-8")))
        return {}

    def remember(self, sources: dict[str, Any]) -> None:
        """Keep the roots outside of every generation, so that a rebuild knows them when no manifest can be read."""
        _write_durably(self._remembered, json.dumps({"roots": sources.get("roots", [])}, ensure_ascii=False))

    def seal(self, manifest: Manifest) -> None:
        """Write the manifest (with every file's size and checksum) last, then sync the folder."""
        folder = self.path(manifest.generation)
        files = {
            str(p.relative_to(folder)): p.stat().st_size
            for p in sorted(folder.rglob("*"))
            if p.is_file() and p.name not in _NOT_SEALED
        }
        for relative in files:
            with open(folder / relative, "rb") as handle:
                os.fsync(handle.fileno())
        checksums = {r: checksum(folder / r) for r in files if Path(r).name not in _NO_CHECKSUM}
        data = asdict(manifest) | {"files": files, "checksums": checksums}
        _write_durably(folder / "manifest.json", json.dumps(data, ensure_ascii=False, indent=1))

    def switch(self, name: str) -> None:
        """Publish: one rename."""
        _write_durably(self._pointer, name + "\n")

    def sweep(self) -> None:
        """Remove what is half-written, damaged or was never published, and all but the newest two; one still read
        stays."""
        current, names = self.current(), self.published()
        # Bytes are compared only where one of three is to go; the current one stays in any case.
        whole = (n for n in names if self._whole(n, thorough=len(names) > 2 and n != current))
        keep = {*islice(whole, 2), current}
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if path.name not in keep and not self._in_use(path):
                shutil.rmtree(path, ignore_errors=True)
                if path.is_file():
                    path.unlink()

    def _whole(self, name: str, *, thorough: bool) -> bool:
        try:
            self.manifest(name)
            if thorough:
                self.verify(name)
        except IndexDamaged:
            return False
        except IndexMismatch:  # another version of this program may still read it
            pass
        return name not in self.unfit

    @staticmethod
    def _in_use(path: Path) -> bool:
        if fcntl is None:  # pragma: no cover
            return False
        try:
            with open(path / "reader.lock", "rb") as handle:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True
        return False

    def hold(self, name: str) -> IO[bytes] | None:
        """Mark a generation as being read until the returned file is closed."""
        try:
            handle = open(self.path(name) / "reader.lock", "ab")  # noqa: SIM115  closed by the reader
        except OSError:
            return None  # a read-only folder: nobody can sweep it either
        if fcntl is not None:
            with contextlib.suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return handle

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """The writer's lock. It vanishes with the process, so a kill leaves nothing behind.

        Raises:
            IndexBusy: another process is writing.
            IndexFault: the folder cannot be written.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.root / "writer.lock", timeout=0)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout as error:
            raise IndexBusy(
                "another process is ingesting", about=str(self.root), fix="Try again when it has finished."
            ) from error
        except OSError as error:
            raise IndexFault(
                f"the index folder cannot be written ({error.strerror})",
                about=str(error.filename or self.root),
                fix="Choose another place with --index DIR or TUTOR_HOME.",
            ) from error
        try:
            self.sweep()
            yield
        finally:
            lock.release()


def copy_sparse(source: str, target: str) -> str:
    """Copy a file without its holes, for ``shutil.copytree``: the engine reserves 32 MB a storage, mostly holes."""
    with open(source, "rb") as reader, open(target, "wb") as writer:
        size = os.fstat(reader.fileno()).st_size
        for at, end in data_extents(reader.fileno(), size):
            reader.seek(at)
            writer.seek(at)
            while at < end and (block := reader.read(min(end - at, 1 << 20))):
                writer.write(block)
                at += len(block)
        writer.truncate(size)
    return target


def new_name() -> str:
    """A generation name that sorts by time: UTC to the microsecond."""
    now = time.time_ns() // 1000
    return time.strftime("%Y%m%dT%H%M%S", time.gmtime(now // 1_000_000)) + f".{now % 1_000_000:06d}"


def _write_durably(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".new")
    with open(temporary, "w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(temporary, path)
    if os.name == "posix":
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
