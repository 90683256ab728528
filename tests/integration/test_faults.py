"""Kills, damage, full disks: the last good generation answers, the doctor explains, the next ingest succeeds."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fakes import TOPICS, FakeEncoder, passage, publish, write_notes
from tutor.answering.answer import Answerer
from tutor.errors import DiskFull, IndexBusy, IndexDamaged, IndexFault, IndexMismatch, TutorError
from tutor.ingest.pipeline import ingest
from tutor.retrieval import edge, generations
from tutor.retrieval.checksums import checksum, data_extents
from tutor.retrieval.edge import EdgeStore
from tutor.retrieval.encoder import OnnxEncoder
from tutor.retrieval.index import CANDIDATES, point_id
from tutor.retrieval.search import Searcher

PATHS = f"import sys\nsys.path[:0] = {[p for p in sys.path if p]!r}\n"


def texts(store: EdgeStore, encoder: Any, question: str = "raft leader term") -> list[str]:
    """The passages the published generation answers with; it must not be one that stands in for a damaged one."""
    reader = store.open()
    try:
        assert reader.fallback is None, reader.fallback
        return [h.passage.text for h in Searcher(reader, encoder).search(question, limit=CANDIDATES).hits]
    finally:
        reader.close()


def assert_tidy(store: EdgeStore) -> None:
    """After a writer's sweep: at most the current generation and the one before, both complete and whole.

    A writer sweeps when it begins; an ingest that finds nothing to do (the killed one had just published) never does.
    """
    with store.generations.writing():
        pass
    names = sorted(p.name for p in store.generations.folder.iterdir())
    assert len(names) <= 2, names
    assert names[-1] == store.generations.current()
    assert names == sorted(store.generations.complete())
    for name in names:
        store.generations.manifest(name)


# Kill -9.


def kill_often(folder: Path, rounds: int, seed: int) -> tuple[int, int]:
    """Kill `tutor ingest` at random moments, each time on an edited corpus; (half-written, published) counts."""
    chance = random.Random(seed)
    encoder = OnnxEncoder(threads=1)
    notes = write_notes(folder / "notes")
    store = EdgeStore(folder / "home" / "index")
    command = [sys.executable, "-m", "tutor", "--no-builtin", "--home", str(folder / "home"), "ingest", str(notes)]

    def edit(number: int) -> None:
        edited = {name: f"Edition {number} of raft leader term {name}. {text}" for name, text in TOPICS.items()}
        write_notes(notes, edited)

    def editions() -> set[str]:
        found = {t.split()[1] for t in texts(store, encoder) if t.startswith("Edition")}
        assert len(found) == 1, found
        return found

    edit(0)
    began = time.perf_counter()
    assert subprocess.run(command, capture_output=True, timeout=120).returncode == 0
    whole_s = time.perf_counter() - began
    half_written = published = 0
    for number in range(1, rounds + 1):
        edit(number)
        known = set(store.generations.folder.iterdir())
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # Every second one within what follows the first file written: the time before goes into imports mostly.
        if number % 2:
            time.sleep(chance.uniform(0, whole_s))
        else:
            while process.poll() is None and not set(store.generations.folder.iterdir()) - known:
                time.sleep(0.002)
            time.sleep(chance.uniform(0, whole_s * 0.6))
        process.kill()
        process.wait()
        written = {p.name for p in store.generations.folder.iterdir()}
        half_written += bool(written - set(store.generations.complete()))
        after = editions()
        assert after <= {str(number - 1), str(number)}
        published += after == {str(number)}
        report = ingest(store, encoder, [notes])
        assert not report.problems
        assert editions() == {str(number)}
        assert_tidy(store)
    return half_written, published


def test_fifty_two_kills_at_random_moments_of_a_real_ingest(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(kill_often, tmp_path / str(n), 26, n) for n in range(2)]
        counts = [run.result(timeout=1200) for run in runs]
    half_written, published = (sum(c) for c in zip(*counts, strict=True))
    print(f"{half_written} of 52 kills left a half-written generation, {published} came after publishing")
    assert half_written >= 3, "the kills did not reach the writing; is a run much faster than measured?"
    assert published < 52


_STEPS = """
    import os, signal
    from pathlib import Path
    from fakes import FakeEncoder
    from tutor.ingest.pipeline import ingest
    from tutor.retrieval.edge import EdgeStore
    root, notes, last = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    names = {"open", "replace", "fsync", "rmdir", "unlink", "mkdir", "write", "truncate", "close", "flush", "load"}
    names |= {"upsert_points", "delete_points", "update", "flock", "retrieve", "count", "rmtree", "sendfile"}
    steps = 0
    def step(frame, event, arg):
        global steps
        if event in ("c_call", "c_return") and arg.__name__ in names:
            steps += 1
            if steps == last:
                os.kill(os.getpid(), signal.SIGKILL)
    store, encoder = EdgeStore(root), FakeEncoder()
    sys.setprofile(step)
    ingest(store, encoder, [notes])
    sys.setprofile(None)
    print(steps)
"""


def step_ingest(root: Path, notes: Path, last: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PATHS + textwrap.dedent(_STEPS), str(root), str(notes), str(last)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_a_kill_at_chosen_steps_between_the_first_file_and_the_last(tmp_path: Path, encoder: FakeEncoder) -> None:
    """Random moments rarely hit the microseconds around the switch: here the process kills itself at counted calls."""
    notes = write_notes(tmp_path / "notes")
    ready = EdgeStore(tmp_path / "ready")
    ingest(ready, encoder, [notes])
    before = sorted(texts(ready, encoder))
    write_notes(notes, {"raft": "Raft leader term, second edition."})
    shutil.copytree(ready.generations.root, tmp_path / "count", copy_function=generations.copy_sparse)
    counted = step_ingest(tmp_path / "count", notes, -1)
    assert counted.returncode == 0, counted.stderr
    total = int(counted.stdout)
    after = sorted(texts(EdgeStore(tmp_path / "count"), encoder))
    assert after != before
    chosen = sorted({*range(1, total, max(1, total // 6)), *range(total - 7, total)})
    outcomes = set()
    for number in chosen:
        store = EdgeStore(tmp_path / f"at{number}")
        shutil.copytree(ready.generations.root, store.generations.root, copy_function=generations.copy_sparse)
        killed = step_ingest(store.generations.root, notes, number)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        found = sorted(texts(store, encoder))
        assert found in (before, after), number
        outcomes.add(found == after)
        ingest(store, encoder, [notes])
        assert sorted(texts(store, encoder)) == after
        assert_tidy(store)
        shutil.rmtree(store.generations.root)
    assert outcomes == {True, False}, "no kill fell before or none after the switch"


def test_a_generation_sealed_but_not_published_is_never_read_and_is_removed(
    store: EdgeStore, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(store, [passage("old", "raft leader", encoder)], encoder)
    monkeypatch.setattr(generations.Generations, "switch", lambda self, name: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        publish(store, [passage("unpublished", "raft leader", encoder)], encoder)
    monkeypatch.undo()
    store = EdgeStore(store.generations.root)
    assert len(store.generations.complete()) == 2
    assert texts(store, encoder, "raft") == ["raft leader"]
    name = store.generations.current() or ""
    (store.generations.path(name) / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(IndexDamaged):
        store.open()


# Damage.


def shard_file(folder: Path, part: str) -> Path:
    return next(p for p in sorted(folder.rglob("*")) if p.is_file() and part in str(p))


def overwrite(path: Path) -> None:
    size = min(path.stat().st_size, 65536)
    with open(path, "r+b") as handle:
        handle.write(random.Random(1).randbytes(size))


DAMAGE: dict[str, Callable[[EdgeStore, Path], Any]] = {
    "manifest removed": lambda _, g: (g / "manifest.json").unlink(),
    "manifest emptied": lambda _, g: (g / "manifest.json").write_bytes(b""),
    "manifest cut": lambda _, g: os.truncate(g / "manifest.json", 100),
    "manifest garbage": lambda _, g: (g / "manifest.json").write_bytes(b"\xff\x00garbage"),
    "manifest a list": lambda _, g: (g / "manifest.json").write_text("[]", encoding="utf-8"),
    "manifest without files": lambda _, g: (g / "manifest.json").write_text('{"layout": 1}', encoding="utf-8"),
    "a file removed": lambda _, g: shard_file(g, "segment.json").unlink(),
    "a file cut": lambda _, g: os.truncate(shard_file(g, "vector_storage-tokens/vectors/chunk"), 1000),
    "a file grown": lambda _, g: os.truncate(shard_file(g, "mutable_id_tracker.mappings"), 2**20),
    "segment overwritten": lambda _, g: overwrite(shard_file(g, "segment.json")),
    "mappings overwritten": lambda _, g: overwrite(shard_file(g, "mutable_id_tracker.mappings")),
    "payloads overwritten": lambda _, g: overwrite(shard_file(g, "payload_storage/tracker.dat")),
    "edge_config overwritten": lambda _, g: overwrite(shard_file(g, "edge_config.json")),
    "the shard removed": lambda _, g: shutil.rmtree(g / "shard"),
    "the folder removed": lambda _, g: shutil.rmtree(g),
    "the folder a file": lambda _, g: (shutil.rmtree(g), g.write_bytes(b"x")),
    "CURRENT points nowhere": lambda s, _: (s.generations.root / "CURRENT").write_text("20300101", encoding="utf-8"),
    "CURRENT cut": lambda s, _: (s.generations.root / "CURRENT").write_text("2", encoding="utf-8"),
    "CURRENT garbage": lambda s, _: (s.generations.root / "CURRENT").write_bytes(b"\xff\xfe\x00\x01"),
}


@pytest.fixture(scope="module")
def two_generations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with notes/ and an index/ of two generations: before and after an edit of raft.md."""
    folder = tmp_path_factory.mktemp("two")
    notes = write_notes(folder / "notes")
    store, encoder = EdgeStore(folder / "index"), FakeEncoder()
    ingest(store, encoder, [notes])
    write_notes(notes, {"raft": "Raft leader term, second edition."})
    ingest(store, encoder, [])
    return folder


@pytest.fixture
def two(two_generations: Path, tmp_path: Path) -> EdgeStore:
    shutil.copytree(two_generations / "index", tmp_path / "two", copy_function=generations.copy_sparse)
    return EdgeStore(tmp_path / "two")


@pytest.mark.parametrize(
    ("kind", "rebuild"), [*((kind, False) for kind in DAMAGE), *((kind, True) for kind in list(DAMAGE)[::9])]
)
def test_the_generation_before_answers_and_an_ingest_mends(
    two: EdgeStore, encoder: FakeEncoder, kind: str, rebuild: bool
) -> None:
    whole = len(texts(two, encoder))
    DAMAGE[kind](two, two.generations.path(two.generations.current() or ""))
    reader = two.open()
    # Where only the pointer is lost, the newest generation is found by its name.
    expected = "second edition" if kind.startswith("CURRENT") else TOPICS["raft"]
    found = [h.passage.text for h in Searcher(reader, encoder).search("raft leader term", limit=50).hits]
    assert len(found) == whole
    assert any(expected in t for t in found)
    assert isinstance(reader.fallback, IndexDamaged)
    assert reader.fallback.fix == "Run: tutor ingest --rebuild"
    reader.close()
    report = ingest(two, encoder, [], rebuild=rebuild)
    assert report.changed
    assert report.documents == 6
    assert any("second edition" in t for t in texts(two, encoder))
    assert_tidy(two)


def test_all_generations_damaged_says_so_and_a_rebuild_remembers_the_roots(
    two: EdgeStore, encoder: FakeEncoder
) -> None:
    for name in two.generations.complete():
        shutil.rmtree(two.generations.path(name) / "shard")
    with pytest.raises(IndexDamaged) as caught:
        two.open()
    assert caught.value.fix == "Run: tutor ingest --rebuild"
    with pytest.raises(IndexDamaged):
        ingest(two, encoder, [])
    assert ingest(two, encoder, [], rebuild=True).documents == 6
    assert any("second edition" in t for t in texts(two, encoder))


def test_another_layout_refuses_and_a_rebuild_remembers_the_roots(
    two: EdgeStore, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "LAYOUT_VERSION", 99)
    with pytest.raises(IndexMismatch, match="the index has layout 3, this version reads 99") as caught:
        two.open()
    assert caught.value.fix == "Run: tutor ingest --rebuild"
    with pytest.raises(IndexMismatch):
        ingest(two, encoder, [])
    monkeypatch.setattr("tutor.ingest.pipeline.LAYOUT_VERSION", 99)
    assert ingest(two, encoder, [], rebuild=True).documents == 6
    assert any("second edition" in t for t in texts(two, encoder))


_FUZZ = """
    import os, random, shutil
    from pathlib import Path
    from fakes import FakeEncoder
    from tutor.errors import TutorError
    from tutor.retrieval.edge import EdgeStore
    from tutor.retrieval.generations import copy_sparse
    from tutor.retrieval.search import Searcher
    root, work = Path(sys.argv[1]), Path(sys.argv[2])
    name = (root / "CURRENT").read_text().strip()
    files = [p.relative_to(root) for p in sorted((root / "generations" / name).rglob("*")) if p.is_file()]
    files = [f for f in files if "payload_index" not in str(f)] + [f for f in files if "payload_index" in str(f)][::40]
    bad = []
    for file in files:
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(root, work, copy_function=copy_sparse)
        size = min((work / file).stat().st_size, 65536)
        with open(work / file, "r+b") as handle:
            handle.write(random.Random(str(file)).randbytes(size))
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            try:
                reader = EdgeStore(work).open()
                Searcher(reader, FakeEncoder()).search("raft leader quorum", limit=50, with_vectors=True)
                list(reader.documents()), list(reader.passages(["text"]))
                os._exit(0)
            except TutorError:
                os._exit(0)
            except BaseException as error:
                os.write(1, f"{file}: {error!r}\\n".encode())
                os._exit(9)
        _, status = os.waitpid(child, 0)
        if status:
            bad.append((str(file), status))
    print(len(files), bad)
"""


def test_any_overwritten_file_gives_an_answer_or_a_clear_error_but_no_crash(two: EdgeStore, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PATHS + textwrap.dedent(_FUZZ), str(two.generations.root), str(tmp_path / "work")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    count, bad = done.stdout.strip().splitlines()[-1].split(" ", 1)
    assert int(count) > 25
    assert bad == "[]", done.stdout


def data_files(folder: Path) -> list[Path]:
    """Every file of a generation that holds a byte other than zero, one of each kind of payload index."""
    found = {}
    for path in sorted(p for p in (folder / "shard").rglob("*") if p.is_file() and checksum(p)):
        kind = str(path.relative_to(folder))
        if "payload_index" in kind:
            index, _, rest = kind.partition("payload_index/")[2].partition("/")
            kind = f"{index.rsplit('-', 1)[-1]}/{rest}"
        found.setdefault(kind, path)
    return list(found.values())


def overwrite_data(path: Path) -> None:
    """Other bytes where the file has data, and no other size."""
    with open(path, "r+b") as handle:
        size = path.stat().st_size
        for start, end in data_extents(handle.fileno(), size):
            handle.seek(start)
            handle.write(random.Random(1).randbytes(end - start))
        assert path.stat().st_size == size


def found_texts(reader: Any, encoder: Any) -> set[str]:
    return {h.passage.text for h in Searcher(reader, encoder).search("raft leader term", limit=50).hits}


def test_no_overwritten_file_goes_unnoticed(two: EdgeStore, encoder: FakeEncoder, tmp_path: Path) -> None:
    """Each file with data of the newest of two generations in turn: the one before answers, and the fault names it."""
    newest, older = two.generations.complete()
    reader = two.open()
    right = found_texts(reader, encoder)
    reader.close()
    files = data_files(two.generations.path(newest))
    assert len(files) > 25
    noticed = 0
    for file in files:
        store = EdgeStore(tmp_path / "work")
        shutil.copytree(two.generations.root, store.generations.root, copy_function=generations.copy_sparse)
        damaged = store.generations.root / file.relative_to(two.generations.root)
        overwrite_data(damaged)
        reader = store.open()
        if reader.fallback is None:  # the engine had no use for what was lost in its own configuration
            assert file.name in ("edge_config.json", "segment.json"), file
            assert found_texts(reader, encoder) == right
        else:
            noticed += 1
            assert reader.manifest.generation == older
            assert any(TOPICS["raft"] in text for text in found_texts(reader, encoder))
            if file.name not in ("edge_config.json", "segment.json"):
                assert reader.fallback.about == str(damaged)
                assert "its bytes are not those that were written" in reader.fallback.message
                assert "tutor ingest --rebuild" in reader.fallback.message
        reader.close()
        shutil.rmtree(store.generations.root)
    print(f"{noticed} of {len(files)} noticed")
    assert noticed >= len(files) - 2


def test_a_damaged_generation_is_mended_by_an_ingest_and_by_a_rebuild(two: EdgeStore, encoder: FakeEncoder) -> None:
    for rebuild in (False, True):
        newest = two.generations.current() or ""
        overwrite_data(shard_file(two.generations.path(newest), "payload_storage/page_0.dat"))
        assert ingest(two, encoder, [], rebuild=rebuild).changed
        assert any("second edition" in t for t in texts(two, encoder))
        assert_tidy(two)
        assert newest not in two.generations.complete()
        for name in two.generations.complete():
            assert two.generations.verify(name) > 25


@pytest.mark.parametrize("part", ["payload_storage/page_0.dat", "vector_storage-dense/vectors/chunk"])
@pytest.mark.parametrize("checksums", [True, False], ids=["too large to verify", "sealed before checksums"])
def test_damage_found_by_a_read_turns_to_the_generation_before(
    two: EdgeStore, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch, part: str, checksums: bool
) -> None:
    """Where opening compares no checksums: the same call answers, and the next ingest mends."""
    monkeypatch.setattr(edge, "_VERIFIED_BELOW", 0)
    newest, older = two.generations.complete()
    if not checksums:
        without_checksums(two)
    reader = two.open()
    answerer = Answerer(Searcher(reader, encoder))
    damage = shard_file(two.generations.path(newest), part)
    if "chunk" in part:
        with open(damage, "r+b") as handle:
            for start, end in data_extents(handle.fileno(), damage.stat().st_size):
                handle.seek(start)
                handle.write(b"\x00\x7c" * ((end - start) // 2))  # infinity in float16
    else:
        overwrite_data(damage)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = answerer.ask("What is Raft?")
    assert reader.manifest.generation == older
    assert isinstance(reader.fallback, IndexDamaged)
    assert all(c.quote in answer.text for c in answer.citations)
    reader.refresh()  # nothing new is published: it stays
    assert reader.manifest.generation == older
    reader.close()
    assert ingest(two, encoder, []).changed
    assert any("second edition" in t for t in texts(two, encoder))
    assert_tidy(two)


def without_checksums(store: EdgeStore) -> None:
    """As a version before checksums sealed them."""
    for name in store.generations.complete():
        path = store.generations.path(name) / "manifest.json"
        data = json.loads(path.read_text(encoding="utf-8"))
        del data["checksums"]
        path.write_text(json.dumps(data), encoding="utf-8")


def test_a_generation_sealed_before_checksums_opens_and_the_next_has_them(two: EdgeStore, encoder: FakeEncoder) -> None:
    without_checksums(two)
    assert len(texts(two, encoder)) > 1
    reader = two.open()
    assert reader.verify() == 0
    reader.close()
    write_notes(two.generations.root.parent / "notes")
    ingest(two, encoder, [two.generations.root.parent / "notes"])
    reader = two.open()
    assert reader.verify() > 25
    reader.close()


def test_damage_is_not_copied_into_a_generation_with_checksums_of_its_own(
    two: EdgeStore, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vector that is wrong and finite disturbs no read; an ingest that builds on it must not seal it anew."""
    monkeypatch.setattr(edge, "_VERIFIED_BELOW", 0)
    newest = two.generations.current() or ""
    overwrite_data(shard_file(two.generations.path(newest), "vector_storage-dense/vectors/chunk"))
    notes = two.generations.root.parent / "notes"
    write_notes(notes, {"paxos": "Raft leader term, third edition."})
    ingest(two, encoder, [notes])
    found = two.open()
    assert found.fallback is None
    assert any("third edition" in t for t in found_texts(found, encoder))
    ids = [point_id("passage", p["chunk_id"]) for p in found.passages(["chunk_id"])]
    assert ids
    for pid in ids:
        assert abs(float(np.linalg.norm(found.vectors(pid)[0])) - 1) < 0.01
    found.close()


def test_a_fault_of_an_intact_generation_stays_an_error(
    two: EdgeStore, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine failed, not a file: the older generation would be asked in vain, and for good."""
    reader = two.open()
    searcher = Searcher(reader, encoder)
    fault = IndexDamaged("the engine failed")
    with pytest.raises(IndexDamaged) as caught:
        searcher.fall_back(fault)
    assert caught.value is fault
    assert reader.manifest.generation == two.generations.current()
    assert reader.fallback is None
    reader.close()


def test_nothing_to_fall_back_on_is_the_fault_itself(two: EdgeStore, encoder: FakeEncoder) -> None:
    newest, older = two.generations.complete()
    shutil.rmtree(two.generations.path(older))
    reader = two.open()
    searcher = Searcher(reader, encoder)
    overwrite_data(shard_file(two.generations.path(newest), "payload_storage/page_0.dat"))
    with pytest.raises(IndexDamaged, match="tutor ingest --rebuild"):
        searcher.search("raft leader term")
    reader.close()
    with pytest.raises(IndexDamaged, match="its bytes are not those that were written"):
        two.open()


def test_a_checksum_does_not_tell_holes_from_zeros(tmp_path: Path) -> None:
    chance = random.Random(5)
    for size in (0, 1, 5000, 16384, 70000, 3_000_001):
        dense, sparse = tmp_path / "dense", tmp_path / "sparse"
        data = bytearray(size)
        with open(sparse, "wb") as handle:
            for _ in range(3):
                part = chance.randbytes(min(size, 4097))
                at = chance.randrange(size - len(part) + 1)
                data[at : at + len(part)] = part
                handle.seek(at)
                handle.write(part)
            handle.truncate(size)
        dense.write_bytes(data)
        assert checksum(dense) == checksum(sparse)
        for at in {0, size // 2, size - 1} if size else ():
            changed = bytearray(data)
            changed[at] ^= 1
            dense.write_bytes(changed)
            assert checksum(dense) != checksum(sparse)


# A full disk.


def test_a_write_that_the_system_refuses_leaves_the_last_generation(two: EdgeStore, encoder: FakeEncoder) -> None:
    """RLIMIT_FSIZE in a process of its own: the engine cannot reserve its files."""
    before = sorted(texts(two, encoder))
    notes = two.generations.root.parent / "notes"
    write_notes(notes)
    code = """
        import resource, signal
        from pathlib import Path
        from fakes import FakeEncoder
        from tutor.errors import IndexFault
        from tutor.ingest.pipeline import ingest
        from tutor.retrieval.edge import EdgeStore
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
        try:
            ingest(EdgeStore(Path(sys.argv[1])), FakeEncoder(), [Path(sys.argv[2])])
        except IndexFault as error:
            print(error.message)
    """
    command = [sys.executable, "-c", PATHS + textwrap.dedent(code), str(two.generations.root), str(notes)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "the new generation could not be written" in done.stdout, done.stderr
    assert "The last generation still answers." in done.stdout
    assert sorted(texts(two, encoder)) == before
    assert_tidy(two)
    ingest(two, encoder, [notes])
    assert_tidy(two)


def test_a_first_ingest_without_room_does_not_speak_of_a_last_generation(
    store: EdgeStore, encoder: FakeEncoder, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(edge, "_SPARE_BYTES", 2**60)
        with pytest.raises(DiskFull) as caught:
            ingest(store, encoder, [notes])
        assert caught.value.fix == "Make room or choose --index DIR, then run: tutor ingest"
    ingest(store, encoder, [notes])
    monkeypatch.setattr(edge, "_SPARE_BYTES", 2**60)
    with pytest.raises(DiskFull) as caught:
        ingest(store, encoder, [notes], rebuild=True)
    assert caught.value.fix.startswith("The last generation still answers. Make room")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, 145 MB. Not tmpfs: there the holes that the engine reserves take room."""
    place, image = tmp_path / "disk", tmp_path / "image"
    place.mkdir()
    image.touch()
    os.truncate(image, 160 * 2**20)
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    for command in (["mkfs.ext4", "-q", "-F", "-m", "0", str(image)], ["mount", "-o", "loop", str(image), str(place)]):
        try:
            subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PATH": path})
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"needs root to mount a file system of its own ({error})")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_told_before_anything_is_written(small_disk: Path, encoder: FakeEncoder, tmp_path: Path) -> None:
    notes = write_notes(tmp_path / "notes")
    store = EdgeStore(small_disk / "index")
    ingest(store, encoder, [notes])
    before = sorted(texts(store, encoder))
    write_notes(notes, {"raft": "Raft leader term, second edition."})
    (small_disk / "filler").write_bytes(bytes(80 * 2**20))
    with pytest.raises(IndexFault, match=r"64 MB must be free while ingesting\); \d+ MB are free") as caught:
        ingest(store, encoder, [])
    assert "Make room or choose --index DIR" in caught.value.fix
    assert sorted(texts(store, encoder)) == before
    assert_tidy(store)
    (small_disk / "filler").unlink()
    ingest(store, encoder, [])
    assert any("second edition" in t for t in texts(store, encoder))


_FILL = """
    from pathlib import Path
    from fakes import FakeEncoder
    from tutor.ingest.pipeline import ingest
    from tutor.retrieval import edge
    from tutor.retrieval.edge import EdgeStore
    edge._SPARE_BYTES = 0
    ingest(EdgeStore(Path(sys.argv[1])), FakeEncoder(), [])
"""


def test_a_disk_that_fills_in_the_middle_leaves_the_last_generation(
    small_disk: Path, encoder: FakeEncoder, tmp_path: Path
) -> None:
    """Without the spare room the engine may die of SIGBUS; even so nothing is lost."""
    notes = write_notes(tmp_path / "notes")
    store = EdgeStore(small_disk / "index")
    ingest(store, encoder, [notes])
    before = sorted(texts(store, encoder))
    write_notes(notes, {f"new{n}": f"New raft leader term number {n}. " + "word " * 150 for n in range(60)})
    for free_kb in (40, 200, 500):
        free = shutil.disk_usage(small_disk).free
        (small_disk / "filler").write_bytes(bytes(free - free_kb * 1024))
        command = [sys.executable, "-c", PATHS + textwrap.dedent(_FILL), str(store.generations.root)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode != 0, f"{free_kb} kB were enough"
        assert done.returncode == -signal.SIGBUS or "could not be written" in done.stderr, done.stderr
        assert sorted(texts(store, encoder)) == before
        (small_disk / "filler").unlink()
    assert ingest(store, encoder, []).documents == 66
    assert_tidy(store)


def test_a_disk_without_a_byte_left_can_be_read(
    small_disk: Path, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine saves its configuration when it loads; where it cannot, it is loaded through a folder of links."""
    store = EdgeStore(small_disk / "index")
    publish(store, [passage("a", "raft leader", encoder)], encoder)
    with open(small_disk / "filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(bytes(4096))
    real, asides = edge._load_aside, []

    def aside(*arguments: Any) -> Any:
        asides.append(1)
        return real(*arguments)

    monkeypatch.setattr(edge, "_load_aside", aside)
    before = set(Path("/dev/shm").iterdir())
    for _ in range(3):
        assert texts(store, encoder) == ["raft leader"]
    assert not [p for p in set(Path("/dev/shm").iterdir()) - before if (p / "edge_config.json").exists()]
    print(f"{len(asides)} of 3 loads went through links")


def test_a_disk_without_room_anywhere_is_no_damage(
    store: EdgeStore, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(store, [passage("a", "raft leader", encoder)], encoder)

    class Shard:
        @staticmethod
        def load(path: str) -> Any:
            raise OSError(28, "No space left on device")

    def full(*arguments: Any, **options: Any) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(edge.qe, "EdgeShard", Shard)
        patched.setattr(edge, "TemporaryDirectory", full)
        with pytest.raises(DiskFull) as caught:
            store.open()
    assert caught.value.transient
    assert "rebuild" not in caught.value.message
    assert "nothing is damaged" in caught.value.message
    assert texts(store, encoder) == ["raft leader"]


def test_a_load_that_cannot_save_its_configuration_goes_through_links(
    store: EdgeStore, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same without a disk of its own, so that it runs for everybody."""
    publish(store, [passage("a", "raft leader", encoder)], encoder)

    class Shard:
        @staticmethod
        def load(path: str) -> Any:
            if path.startswith(str(store.generations.root)):
                raise OSError(28, "No space left on device")
            return real.load(path)

    real = edge.qe.EdgeShard
    monkeypatch.setattr(edge.qe, "EdgeShard", Shard)
    assert texts(store, encoder) == ["raft leader"]


# One writer.


def test_a_second_writer_is_told_and_changes_nothing(store: EdgeStore, encoder: FakeEncoder, notes: Path) -> None:
    ingest(store, encoder, [notes])
    code = """
        from pathlib import Path
        from tutor.retrieval.generations import Generations
        with Generations(Path(sys.argv[1])).writing():
            print("holding", flush=True)
            sys.stdin.read()
    """
    holder = subprocess.Popen(
        [sys.executable, "-c", PATHS + textwrap.dedent(code), str(store.generations.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "holding\n"
    write_notes(notes, {"raft": "Raft leader term, second edition."})
    with pytest.raises(IndexBusy, match="another process is ingesting") as caught:
        ingest(store, encoder, [])
    assert caught.value.transient
    assert not any("second edition" in t for t in texts(store, encoder))
    holder.kill()
    holder.communicate()
    ingest(store, encoder, [])
    assert any("second edition" in t for t in texts(store, encoder))


def test_a_base_that_is_no_longer_current_is_refused(store: EdgeStore, encoder: FakeEncoder) -> None:
    first = publish(store, [passage("a", "one", encoder)], encoder)
    publish(store, [passage("b", "two", encoder)], encoder)
    with pytest.raises(IndexBusy, match="another process has just ingested"):
        publish(store, [passage("c", "three", encoder)], encoder, base=first)
    assert_tidy(store)


def test_an_index_folder_that_cannot_be_made(tmp_path: Path, encoder: FakeEncoder, notes: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(IndexFault, match="cannot be written") as caught:
        ingest(EdgeStore(tmp_path / "file" / "index"), encoder, [notes])
    assert "--index DIR" in caught.value.fix


def test_an_encoder_that_fails_leaves_the_last_generation(store: EdgeStore, notes: Path, encoder: FakeEncoder) -> None:
    ingest(store, encoder, [notes])
    before = sorted(texts(store, encoder))
    write_notes(notes, {"raft": "Raft leader term, second edition."})

    class Failing(FakeEncoder):
        def encode(self, texts: Any, *, on_progress: Any = None) -> Any:
            raise MemoryError("no room")

    with pytest.raises(TutorError, match="no room"):
        ingest(store, Failing(), [])
    assert sorted(texts(store, encoder)) == before
    assert_tidy(store)


def test_a_sweep_that_fails_does_not_take_the_published_generation(
    store: EdgeStore, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(store, [passage("old", "raft leader", encoder)], encoder)
    real = generations.Generations.sweep
    sweeps: list[int] = []

    def sweep(self: generations.Generations) -> None:
        sweeps.append(1)
        if len(sweeps) == 2:  # the one after publishing
            raise OSError(5, "Input/output error")
        real(self)

    monkeypatch.setattr(generations.Generations, "sweep", sweep)
    manifest = publish(store, [passage("new", "raft leader", encoder)], encoder)
    assert len(sweeps) == 2
    assert store.generations.current() == manifest.generation
    assert texts(store, encoder, "raft") == ["raft leader"]
    assert edge._SPARE_BYTES > 0
