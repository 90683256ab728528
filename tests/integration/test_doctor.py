"""`tutor doctor`, as a user runs it: what is wrong, what to do, and the exit code."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes import FakeEncoder, passage, publish, write_notes
from tutor import diagnosis
from tutor.bootstrap import App
from tutor.diagnosis import Finding, diagnose
from tutor.errors import SettingsError
from tutor.retrieval import edge
from tutor.retrieval.edge import EdgeStore
from tutor.retrieval.generations import copy_sparse
from tutor.settings import Settings, load_settings
from tutor.web.core import Core


def tutor(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tutor", "--no-builtin", "--home", str(home), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    done.stdout = " ".join(done.stdout.split())  # lines are wrapped and aligned for people
    return done


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with notes/ and a home/ whose index has two generations, made by the real command."""
    folder = tmp_path_factory.mktemp("doctor")
    notes = write_notes(folder / "notes")
    assert tutor(folder / "home", "ingest", str(notes)).returncode == 0
    write_notes(notes, {"raft": "Raft, second edition."})
    assert tutor(folder / "home", "ingest").returncode == 0
    return folder


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made / "home", tmp_path / "home", copy_function=copy_sparse)
    return tmp_path / "home"


def findings(home: Path) -> list[Finding]:
    return list(diagnose(lambda: load_settings(home=home, corpus={"builtin": False})))


def about(found: list[Finding], name: str) -> list[Finding]:
    return [f for f in found if f.about == name]


def test_a_healthy_installation(home: Path) -> None:
    done = tutor(home, "doctor")
    assert done.returncode == 0, done.stdout
    for part in ("settings", "versions", "encoder", "index", "sources", "disk"):
        assert f"ok {part}: " in done.stdout
    assert "6 documents, 12 passages" in done.stdout
    assert "6 files, all up to date" in done.stdout


def current(home: Path) -> Path:
    return EdgeStore(home / "index").generations.path((home / "index" / "CURRENT").read_text(encoding="utf-8").strip())


DAMAGE: dict[str, Callable[[Path], object]] = {
    "manifest": lambda home: (current(home) / "manifest.json").write_bytes(b"\xff garbage"),
    "shard": lambda home: shutil.rmtree(current(home) / "shard"),
    "CURRENT": lambda home: (home / "index" / "CURRENT").write_bytes(b"\xff\xfe\x00"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_generation_is_explained_and_mended_by_what_it_says(home: Path, kind: str) -> None:
    DAMAGE[kind](home)
    done = tutor(home, "doctor")
    assert done.returncode == 1
    assert "fail index: generation " in done.stdout
    assert "answers because a newer one is damaged" in done.stdout
    assert "→ Run: tutor ingest --rebuild" in done.stdout
    mended = tutor(home, "ingest", "--rebuild")
    assert mended.returncode == 0, mended.stderr
    assert "6 documents" in mended.stdout
    assert tutor(home, "doctor").returncode == 0


def test_no_generation_left(home: Path) -> None:
    for path in (home / "index" / "generations").iterdir():
        (path / "manifest.json").write_text("{}", encoding="utf-8")
    (index,) = about(findings(home), "index")
    assert (index.level, index.fix) == ("fail", "Run: tutor ingest --rebuild")
    assert "the manifest cannot be read" in index.what


def test_nothing_indexed_yet(tmp_path: Path) -> None:
    (index,) = about(findings(tmp_path / "new"), "index")
    assert index.level == "warn"
    assert "tutor ingest" in index.fix
    assert tutor(tmp_path / "new", "doctor").returncode == 0


def test_an_index_of_another_encoder(tmp_path: Path) -> None:
    encoder = FakeEncoder()
    publish(EdgeStore(tmp_path / "index"), [passage("a", "one", encoder)], encoder)
    index = about(findings(tmp_path), "index")[-1]
    assert (index.level, index.fix) == ("fail", "Run: tutor ingest --rebuild")
    assert "built with the encoder fake/32x16" in index.what


def test_a_missing_or_damaged_model_file(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tutor.retrieval import encoder

    copy = tmp_path / "model"
    shutil.copytree(encoder.MODEL_DIR, copy)
    real = encoder.OnnxEncoder
    monkeypatch.setattr("tutor.bootstrap.OnnxEncoder", lambda threads=0: real(copy, threads=threads))
    (copy / "tokenizer.json").write_bytes((copy / "tokenizer.json").read_bytes()[:-1] + b" ")
    (found,) = about(findings(home), "encoder")
    assert found.level == "fail"
    assert "damaged (sha256)" in found.what
    (copy / "tokenizer.json").unlink()
    (found,) = about(findings(home), "encoder")
    assert "the model file is missing" in found.what
    assert found.fix == "Reinstall tutor-study."


def test_stale_sources(home: Path, made: Path) -> None:
    notes = made / "notes"
    try:
        os.utime(notes / "cache.md")
        assert about(findings(home), "sources")[0].level == "ok"  # touched, not changed
        write_notes(notes, {"crdt": "New."})
        (notes / "saga.md").rename(notes / "saga.off")
        (stale,) = about(findings(home), "sources")
        assert stale.level == "warn"
        assert stale.what.startswith("1 files new, changed or not readable, 1 gone")
        assert stale.fix == "Run: tutor ingest"
    finally:
        (notes / "crdt.md").unlink(missing_ok=True)
        (notes / "saga.off").rename(notes / "saga.md")


def test_a_root_that_is_gone(home: Path, made: Path) -> None:
    (made / "notes").rename(made / "away")
    try:
        found = about(findings(home), "sources")
    finally:
        (made / "away").rename(made / "notes")
    assert found[0].level == "warn"
    assert "there is no such file or folder" in found[0].what
    assert "tutor forget" in found[0].fix


def test_settings_that_cannot_be_read_end_the_visit() -> None:
    def load() -> Settings:
        raise SettingsError("unknown variable TUTOR_X", about="environment", fix="Remove it.")

    assert list(diagnose(load)) == [Finding("fail", "settings", "environment: unknown variable TUTOR_X", "Remove it.")]


def test_an_unknown_variable_fails_the_doctor(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_TYPO", "1")
    done = tutor(home, "doctor")
    assert done.returncode == 1
    assert "TUTOR_TYPO" in done.stdout


def test_little_room_on_the_disk(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "_LOW_DISK_MB", 2**40)
    (disk,) = about(findings(home), "disk")
    assert disk.level == "warn"
    assert "MB free" in disk.what


def test_a_server_that_is_not_there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_QDRANT_URL", "http://127.0.0.1:9")
    (index,) = about(findings(home), "index")
    assert index.level == "fail"
    assert "the Qdrant server does not answer" in index.what
    assert "TUTOR_QDRANT_URL" in index.fix


FILES = {
    "payloads": "payload_storage/page_0.dat",
    "dense vectors": "vector_storage-dense/vectors/chunk",
    "token vectors": "vector_storage-tokens/vectors/chunk",
    "sparse vectors": "vector_storage-bm25/store/page_0.dat",
}


def overwritten(home: Path, kind: str) -> Path:
    """A file of the current generation with other bytes and the same size."""
    path = next(p for p in sorted(current(home).rglob("*")) if FILES[kind] in str(p))
    size = path.stat().st_size
    with open(path, "r+b") as handle:
        handle.write(random.Random(1).randbytes(65536))
    assert path.stat().st_size == size
    return path


@pytest.mark.parametrize("kind", FILES)
def test_overwritten_bytes_are_told_by_ask_and_doctor_and_mended_by_a_rebuild(home: Path, kind: str) -> None:
    newest = current(home).name
    path = overwritten(home, kind)
    asked = tutor(home, "ask", "What is Raft?")
    assert asked.returncode == 0, asked.stderr
    warning, outdated = asked.stderr.splitlines()
    assert "changed since the last ingest" in outdated  # for the older generation it has
    assert warning.startswith(f"tutor: an older generation answers, the newest is damaged. {path}: its bytes are not")
    done = tutor(home, "doctor")
    assert done.returncode == 1
    (older,) = set(EdgeStore(home / "index").generations.complete()) - {newest}
    assert f"fail index: generation {older} answers because a newer one is damaged" in done.stdout
    assert str(path) in done.stdout
    assert "→ Run: tutor ingest --rebuild" in done.stdout
    assert tutor(home, "ingest", "--rebuild").returncode == 0
    healthy = tutor(home, "doctor")
    assert healthy.returncode == 0
    assert "files intact" in healthy.stdout


def test_the_only_generation_overwritten(home: Path) -> None:
    for name in EdgeStore(home / "index").generations.complete():
        if name != current(home).name:
            shutil.rmtree(EdgeStore(home / "index").generations.path(name))
    path = overwritten(home, "payloads")
    asked = tutor(home, "ask", "What is Raft?")
    assert asked.returncode == 1
    assert asked.stderr.count("\n") == 1
    assert f"{path}: its bytes are not those that were written. Run: tutor ingest --rebuild" in asked.stderr
    (index,) = about(findings(home), "index")
    assert (index.level, index.fix) == ("fail", "Run: tutor ingest --rebuild")
    assert str(path) in index.what


def test_what_is_too_large_to_verify_at_each_question_is_verified_by_the_doctor(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "_VERIFIED_BELOW", 0)
    path = overwritten(home, "dense vectors")
    failed, answering = about(findings(home), "index")
    assert failed.level == "fail"
    assert str(path) in failed.what
    assert (answering.level, "files intact" in answering.what) == ("ok", True)


def without_checksums(home: Path) -> None:
    """As a version before checksums sealed its generations."""
    for name in EdgeStore(home / "index").generations.complete():
        path = EdgeStore(home / "index").generations.path(name) / "manifest.json"
        data = json.loads(path.read_text(encoding="utf-8"))
        del data["checksums"]
        path.write_text(json.dumps(data), encoding="utf-8")


def test_damage_that_only_a_read_finds_is_told_once_behind_the_answer(home: Path) -> None:
    without_checksums(home)
    path = next(p for p in current(home).rglob("chunk_0.mmap") if "vector_storage-dense/vectors" in str(p))
    with open(path, "r+b") as handle:
        handle.write(b"\x00\x7c" * 2**19)  # infinity in float16
    asked = tutor(home, "ask", "What is a saga?")
    assert asked.returncode == 0, asked.stderr
    assert "compensating actions" in asked.stdout
    assert asked.stderr.count("an older generation answers, the newest is damaged") == 1
    assert "a vector is not finite" in asked.stderr
    assert "RuntimeWarning" not in asked.stderr


def test_a_server_turns_to_the_older_generation_while_it_runs(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    app = App(load_settings(home=home, corpus={"builtin": False}))
    core = Core(app)
    documents = [d["doc_id"] for d in core.documents()]
    before = core.health()["generation"]
    path = next(p for p in current(home).rglob("page_0.dat") if "payload_storage" in str(p))
    with open(path, "r+b") as handle:
        handle.write(random.Random(1).randbytes(2**20))
    assert all(core.document(name)["text"] for name in documents)
    assert "compensating actions" in core.ask("What is a saga?").text
    assert core.health()["generation"] != before
    (told,) = caplog.messages
    assert told.startswith("an older generation answers, the newest is damaged.")
    assert str(path) in told
    app.close()


def test_an_index_from_before_checksums(home: Path) -> None:
    without_checksums(home)
    (index,) = about(findings(home), "index")
    assert index.level == "ok"
    assert "from before checksums were kept" in index.what


def test_a_home_in_memory(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = tmp_path / "a b"
    (odd / "home").mkdir(parents=True)
    mounts = tmp_path / "mounts"
    monkeypatch.setattr(diagnosis, "_MOUNTS", mounts)
    escaped = str(odd.resolve()).replace(" ", "\\040")
    mounts.write_text(f"/dev/vda / ext4 rw 0 0\ntmpfs {escaped} tmpfs rw 0 0\n", encoding="utf-8")
    in_memory = about(findings(odd / "home"), "disk")[-1]
    assert (in_memory.level, "lies in memory (tmpfs)" in in_memory.what) == ("warn", True)
    assert "TUTOR_HOME" in in_memory.fix
    assert all("in memory" not in f.what for f in about(findings(home), "disk"))
    mounts.unlink()  # no Linux
    assert all("in memory" not in f.what for f in about(findings(odd / "home"), "disk"))
