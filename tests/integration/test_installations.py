"""Two installations that share a home: the one at work brings its own curriculum, and the learner's files stay."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from fakes import TOPICS, FakeEncoder, write_notes
from tutor.bootstrap import App
from tutor.cli.state import State
from tutor.diagnosis import diagnose
from tutor.ingest.builtin import replaced
from tutor.ingest.pipeline import Report
from tutor.retrieval.generations import Generations
from tutor.settings import Settings

Start = Callable[[str], App]


def write_corpus(corpus: Path) -> list[Path]:
    """A curriculum of two folders, with ids of its own as cards have them."""
    for name in ("cards", "notes"):
        write_notes(corpus / name, TOPICS if name == "cards" else {"acid": "ACID is four promises of a transaction."})
    return [corpus / "cards", corpus / "notes"]


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: FakeEncoder) -> Start:
    """Starts the installation "wheel" or "checkout"; both have the same curriculum and the same home."""
    places = {
        "wheel": write_corpus(tmp_path / "venv" / "tutor" / "corpus"),
        "checkout": write_corpus(tmp_path / "src" / "corpus"),
    }

    def installed(name: str) -> App:
        monkeypatch.setattr("tutor.bootstrap.builtin_roots", lambda: places[name])
        monkeypatch.setattr("tutor.diagnosis.builtin_roots", lambda: places[name])
        monkeypatch.setattr("tutor.bootstrap.OnnxEncoder", lambda threads=0: encoder)
        return App(Settings(home=tmp_path / "home"), encoder=encoder)

    return installed


def indexed(app: App) -> set[str]:
    """The sources of all documents and passages."""
    with closing(app.store.open()) as reader:
        documents = {d["source"] for d in reader.documents()}
        assert {p["source"] for p in reader.passages(["source"])} == documents
        assert len(reader.documents()) == reader.manifest.documents == len(documents)
        assert set(reader.manifest.sources["files"]) == documents
    return documents


def ask(app: App) -> Report | None:
    with closing(app):
        return app.ensure_index()


def forget_marker(home: Path) -> None:
    """As an index was before it said which roots are built in."""
    generations = Generations(home / "index")
    path = generations.path(generations.current() or "") / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    del manifest["sources"]["builtin"]
    path.write_text(json.dumps(manifest), encoding="utf-8")


@pytest.mark.parametrize("old", [False, True], ids=["marked", "before the marker"])
def test_each_installation_brings_its_own_and_encodes_nothing_again(
    start: Start, encoder: FakeEncoder, tmp_path: Path, old: bool
) -> None:
    mine = write_notes(tmp_path / "mine", {"crdt": "A CRDT merges without coordination."})
    wheel = start("wheel")
    assert ask(wheel)
    wheel.ingest([mine])
    for name, place in (("checkout", "src"), ("wheel", "venv"), ("checkout", "src")):
        if old:
            forget_marker(tmp_path / "home")
        encoder.calls.clear()
        app = start(name)
        report = ask(app)
        assert report
        assert (report.problems, report.encoded, report.documents) == ([], 0, 8)
        assert encoder.calls == []
        sources = indexed(app)
        assert {s for s in sources if not s.startswith(str(tmp_path / place))} == {str(mine / "crdt.md")}
        assert ask(start(name)) is None  # and once is enough


def test_both_copies_in_an_old_index_become_one(start: Start, tmp_path: Path) -> None:
    """What the version before left behind: the roots of both, the files of one, a clash for each of the others."""
    checkout = start("checkout")
    roots = [tmp_path / "src" / "corpus" / n for n in ("cards", "notes")]
    wheel = start("wheel")
    assert len(wheel.ingest(roots).problems) == 7
    wheel.close()
    for name in ("wheel", "checkout"):
        forget_marker(tmp_path / "home")
        report = ask(start(name))
        assert report
        assert report.problems == []
    assert all(s.startswith(str(tmp_path / "src")) for s in indexed(checkout))


def test_the_learners_own_cards_are_never_taken_for_the_curriculum(start: Start, tmp_path: Path) -> None:
    cards = write_notes(tmp_path / "mine" / "corpus" / "cards", {"crdt": "It merges.", "paxos": "It agrees."})
    wheel = start("wheel")
    wheel.ingest([cards])
    wheel.close()
    forget_marker(tmp_path / "home")
    checkout = start("checkout")
    ask(checkout)
    assert {str(cards / "crdt.md"), str(cards / "paxos.md")} <= indexed(checkout)


def test_a_copy_that_the_learner_named_stays(start: Start, tmp_path: Path) -> None:
    """With the marker, a copy counts as the learner's however much it looks like the curriculum."""
    copy = shutil.copytree(tmp_path / "src" / "corpus" / "cards", tmp_path / "fork" / "corpus" / "cards")
    app = start("wheel")
    assert len(app.ingest([copy]).news) == 6
    app.close()
    sources = app.store.remembered()
    assert replaced(sources, [str(tmp_path / "src" / "corpus" / "cards")]) == {
        str(tmp_path / "venv" / "tutor" / "corpus" / name) for name in ("cards", "notes")
    }


def test_a_removed_installation_leaves_nothing_behind(start: Start, tmp_path: Path) -> None:
    ask(start("wheel"))
    shutil.rmtree(tmp_path / "venv")
    app = start("checkout")
    found = [f for f in diagnose(lambda: app.settings) if f.about == "sources"]
    assert [f.level for f in found] == ["warn", "ok"]
    assert "another installation" in found[0].what
    assert "next question" in found[0].fix
    assert (ask(app) or Report()).problems == []
    assert all(s.startswith(str(tmp_path / "src")) for s in indexed(app))


def test_a_rebuild_and_another_encoder_replace_it_too(start: Start, tmp_path: Path) -> None:
    ask(start("wheel"))
    checkout = start("checkout")
    assert checkout.ingest(rebuild=True).documents == 7
    assert all(s.startswith(str(tmp_path / "src")) for s in indexed(checkout))
    other = App(start("wheel").settings, encoder=FakeEncoder("fake/other"))
    assert (ask(other) or Report()).documents == 7
    assert all(s.startswith(str(tmp_path / "venv")) for s in indexed(other))


def test_without_the_curriculum_nothing_is_replaced(start: Start, tmp_path: Path) -> None:
    ask(start("wheel"))
    start("checkout")
    app = App(Settings(home=tmp_path / "home", corpus={"builtin": False}), encoder=FakeEncoder())  # type: ignore[arg-type]
    assert app.ingest().changed is False
    app.close()
    assert replaced(app.store.remembered(), []) == set()


def test_the_command_says_a_clash_once(start: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of the curriculum that cannot be indexed is no reason to say so at every question."""
    ask(start("wheel"))
    (tmp_path / "venv" / "tutor" / "corpus" / "cards" / "raft.txt").write_text("Another raft.\n", encoding="utf-8")
    told = []
    for _ in range(2):
        with State(home=tmp_path / "home", index=None, builtin=None, debug=False).core():
            told.append(capsys.readouterr().err.count("is already that of"))
    assert told == [1, 0]
