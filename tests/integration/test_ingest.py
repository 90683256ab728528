"""Ingest from files to an index that answers: what changes, what is reused, what is told, what is never lost."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fakes import TOPICS, FakeEncoder, write_notes
from tutor.errors import IndexBusy, IndexMismatch
from tutor.ingest import changes
from tutor.ingest.collect import moved_on
from tutor.ingest.pipeline import Report, ingest
from tutor.retrieval.edge import EdgeStore
from tutor.retrieval.index import point_id
from tutor.retrieval.lexical import words
from tutor.retrieval.search import FUSED, Searcher


def top(store: EdgeStore, question: str, *, limit: int = 3) -> list[str]:
    """The chunk ids that a question finds."""
    reader = store.open()
    try:
        return [
            h.passage.chunk_id
            for h in Searcher(reader, FakeEncoder(), ranking=FUSED).search(question, limit=limit).hits
        ]
    finally:
        reader.close()


def everything(store: EdgeStore) -> dict[str, Any]:
    """All payloads and vectors by chunk id, and the lexicon: equal for equal indexes."""
    reader = store.open()
    found: dict[str, Any] = {}
    for payload in reader.passages(["chunk_id", "text", "start", "end", "hash", "payload_hash", "heading", "ordinal"]):
        dense, tokens = reader.vectors(point_id("passage", payload["chunk_id"]))
        found[payload["chunk_id"]] = (payload, dense.tolist(), tokens.tolist())
    found["documents"] = sorted((d["doc_id"], d["hash"], tuple(d["passages"])) for d in reader.documents())
    lexicon = reader.payload("lexicon", "lexicon") or {}
    found["lexicon"] = (dict(sorted(lexicon["frequency"].items())), lexicon["forms"])
    found["counts"] = (reader.manifest.documents, reader.manifest.passages, reader.manifest.content_hash)
    reader.close()
    return found


def same_as_from_scratch(store: EdgeStore, encoder: FakeEncoder, roots: list[Path], tmp_path: Path) -> None:
    """However an index came about, it holds what a first ingest of the same files would."""
    other = EdgeStore(tmp_path / f"scratch-{time.monotonic_ns()}")
    ingest(other, encoder, roots)
    assert everything(store) == everything(other)


def test_a_folder_is_indexed_and_answers(store: EdgeStore, encoder: FakeEncoder, notes: Path) -> None:
    seen: list[tuple[int, int]] = []
    report = ingest(store, encoder, [notes], on_progress=lambda p: seen.append((p.done, p.total)))
    assert (report.files, report.documents, report.passages, report.encoded) == (6, 6, 12, 12)
    assert report.changed
    assert not report.problems
    assert seen == [(0, 12), (12, 12)]
    assert top(store, "who elects a leader with a majority of votes", limit=1) == ["notes/raft#what-it-is"]
    reader = store.open()
    document = reader.payload("document", "notes/raft") or {}
    reader.close()
    assert document["passages"] == ["notes/raft#what-it-is", "notes/raft#when-to-use"]
    payload = everything(store)["notes/raft#what-it-is"][0]
    assert document["text"][payload["start"] : payload["end"]] == payload["text"] == TOPICS["raft"]


def test_nothing_changed_writes_nothing(store: EdgeStore, encoder: FakeEncoder, notes: Path) -> None:
    first = ingest(store, encoder, [notes])
    encoder.calls.clear()
    second = ingest(store, encoder, [notes])
    assert not second.changed
    assert encoder.calls == []
    assert (second.generation, second.documents, second.passages, second.files) == (first.generation, 6, 12, 6)


def test_only_the_changed_passage_is_encoded(
    store: EdgeStore, encoder: FakeEncoder, notes: Path, tmp_path: Path
) -> None:
    ingest(store, encoder, [notes])
    encoder.calls.clear()
    path = notes / "raft.md"
    path.write_text(path.read_text(encoding="utf-8").replace("majority of votes", "strict majority"), encoding="utf-8")
    report = ingest(store, encoder, [])
    assert encoder.calls == ["Raft > What it is\nRaft elects one leader per term with a strict majority."]
    assert (report.encoded, report.reused, report.removed) == (1, 1, 0)
    same_as_from_scratch(store, encoder, [notes], tmp_path)
    assert "majority of votes" not in str(everything(store))


def test_a_new_file_is_added(store: EdgeStore, encoder: FakeEncoder, notes: Path, tmp_path: Path) -> None:
    ingest(store, encoder, [notes])
    encoder.calls.clear()
    write_notes(notes, {"crdt": "A CRDT merges without coordination."})
    report = ingest(store, encoder, [])
    assert (report.encoded, report.documents, len(encoder.calls)) == (2, 7, 2)
    assert top(store, "merges without coordination", limit=1) == ["notes/crdt#what-it-is"]
    same_as_from_scratch(store, encoder, [notes], tmp_path)


def test_a_deleted_file_disappears(store: EdgeStore, encoder: FakeEncoder, notes: Path, tmp_path: Path) -> None:
    ingest(store, encoder, [notes])
    (notes / "raft.md").unlink()
    report = ingest(store, encoder, [])
    assert (report.documents, report.passages, report.removed, report.encoded) == (5, 10, 2, 0)
    assert not [c for c in top(store, "raft leader votes", limit=12) if c.startswith("notes/raft")]
    same_as_from_scratch(store, encoder, [notes], tmp_path)


def test_a_renamed_file_keeps_its_vectors(store: EdgeStore, encoder: FakeEncoder, notes: Path, tmp_path: Path) -> None:
    ingest(store, encoder, [notes])
    encoder.calls.clear()
    (notes / "raft.md").rename(notes / "consensus.md")
    report = ingest(store, encoder, [])
    assert encoder.calls == []
    assert (report.encoded, report.reused, report.removed) == (0, 2, 2)
    assert top(store, "one leader per term", limit=1) == ["notes/consensus#what-it-is"]
    same_as_from_scratch(store, encoder, [notes], tmp_path)


def test_a_moved_passage_keeps_its_vector(store: EdgeStore, encoder: FakeEncoder, notes: Path, tmp_path: Path) -> None:
    ingest(store, encoder, [notes])
    encoder.calls.clear()
    path = notes / "raft.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("# Raft\n", "# Raft\n\nA line above moves everything.\n"), encoding="utf-8")
    report = ingest(store, encoder, [])
    assert encoder.calls == ["Raft\nA line above moves everything."]
    assert (report.encoded, report.reused) == (1, 2)
    same_as_from_scratch(store, encoder, [notes], tmp_path)


def test_a_touched_file_is_not_changed(store: EdgeStore, encoder: FakeEncoder, notes: Path) -> None:
    ingest(store, encoder, [notes])
    os.utime(notes / "raft.md", ns=(1, 1))
    assert not ingest(store, encoder, []).changed


def test_same_size_and_time_counts_as_unchanged_until_a_rebuild(
    store: EdgeStore, encoder: FakeEncoder, notes: Path
) -> None:
    """The documented price of not reading every file at every ingest."""
    ingest(store, encoder, [notes])
    path = notes / "raft.md"
    status = path.stat()
    path.write_text(path.read_text(encoding="utf-8").replace("leader", "banana"), encoding="utf-8")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert not ingest(store, encoder, []).changed
    assert ingest(store, encoder, [], rebuild=True).changed
    assert "banana" in str(everything(store))


def test_many_edits_in_a_row_end_where_a_first_ingest_would(
    store: EdgeStore, encoder: FakeEncoder, notes: Path, tmp_path: Path
) -> None:
    ingest(store, encoder, [notes])
    for step in range(4):
        write_notes(notes, {f"new{step}": f"Fact number {step} about new things."})
        (notes / f"{sorted(TOPICS)[step]}.md").unlink()
        (notes / "saga.md").write_text(f"# Saga\n\nEdition {step}.\n\n## More\n\nSame.\n", encoding="utf-8")
        ingest(store, encoder, [])
    same_as_from_scratch(store, encoder, [notes], tmp_path)
    frequency = everything(store)["lexicon"][0]
    texts = [f"{' '.join(p[0]['heading'])}\n{p[0]['text']}" for k, p in everything(store).items() if "#" in k]
    assert frequency["saga"] == sum("saga" in words(t) for t in texts)


def test_a_front_matter_edit_changes_payloads_without_encoding(
    store: EdgeStore, encoder: FakeEncoder, notes: Path
) -> None:
    ingest(store, encoder, [notes])
    encoder.calls.clear()
    path = notes / "raft.md"
    path.write_text("---\nphase: 4\n---\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    ingest(store, encoder, [])
    assert encoder.calls == []
    reader = store.open()
    found = Searcher(reader, encoder).search("leader", filters={"phase": [4]}).hits
    reader.close()
    assert {h.passage.doc_id for h in found} == {"notes/raft"}


# Bad input: told clearly, the rest done, nothing lost.


def problems(report: Report) -> dict[str, str]:
    return {Path(p.about.split(".md:")[0]).name: p.what for p in report.problems}


def test_bad_files_are_told_and_the_rest_is_indexed(store: EdgeStore, encoder: FakeEncoder, notes: Path) -> None:
    (notes / "empty.md").write_bytes(b"")
    (notes / "blank.txt").write_bytes(b" \n\t\n")
    (notes / "binary.md").write_bytes(bytes(range(256)) * 20)
    (notes / "broken.pdf").write_bytes(b"%PDF-1.7\nnot really")
    (notes / "broken.docx").write_bytes(b"PK\x03\x04 no")
    (notes / "broken.epub").write_bytes(b"")
    (notes / "front.md").write_text("---\nid: a\ntitle: b: c\n---\nbody\n", encoding="utf-8")
    with open(notes / "huge.txt", "wb") as sparse:
        sparse.truncate(200 * 2**20)
    (notes / "latin.txt").write_bytes("Ein verteilter Konsens über mehrere Ausfälle hinweg.\n".encode("cp1252"))
    (notes / "utf16.md").write_text("# Breit\n\nZwei Bytes je Zeichen.\n", encoding="utf-16")
    began = time.process_time()
    report = ingest(store, encoder, [notes])
    assert time.process_time() - began < 10
    told = problems(report)
    bad = {"empty.md", "blank.txt", "binary.md", "broken.pdf", "broken.docx", "broken.epub", "front", "huge.txt"}
    assert set(told) == bad
    assert told["huge.txt"] == "the file has 200 MB, the limit is 64 MB"
    assert all(p.fix for p in report.problems)
    assert report.documents == 8
    assert top(store, "Ausfälle", limit=1) == ["notes/latin#intro"]
    assert top(store, "Zeichen", limit=1) == ["notes/utf16#intro"]
    again = ingest(store, encoder, [])
    assert not again.changed
    assert set(problems(again)) == set(told)


def test_a_rebuild_knows_the_roots_when_no_manifest_can_be_read(
    store: EdgeStore, encoder: FakeEncoder, notes: Path
) -> None:
    before = ingest(store, encoder, [notes]).documents
    for manifest in Path(store.location).glob("generations/*/manifest.json"):
        manifest.write_text("{", encoding="utf-8")
    rebuilt = ingest(store, encoder, [], rebuild=True)
    assert (rebuilt.documents, rebuilt.problems) == (before, [])


def test_a_card_that_lacks_a_field_is_an_error_not_a_page(store: EdgeStore, encoder: FakeEncoder, notes: Path) -> None:
    (notes / "card.md").write_text("---\nid: card\ntitle: A\ncovers: [guide/a]\nphase: four\npriority: high\n---\nB.\n")
    (problem,) = ingest(store, encoder, [notes]).problems
    assert problem.about == str(notes / "card.md")
    assert "line 5: phase: 'four' is no whole number" in problem.message
    assert "tier: is missing" in problem.message


def test_a_problem_is_news_once_unless_it_is_asked_for(store: EdgeStore, encoder: FakeEncoder, notes: Path) -> None:
    (notes / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing else")
    first = ingest(store, encoder, [notes])
    assert [p.about for p in first.news] == [str(notes / "broken.pdf")]
    again = ingest(store, encoder, [])
    assert (len(again.problems), again.news) == (1, [])
    assert not again.changed
    other = notes.parent / "other.md"
    other.write_text("# Other\n\nSomething else.\n", encoding="utf-8")
    assert ingest(store, encoder, [other]).news == []
    assert len(ingest(store, encoder, [notes]).news) == 1
    (notes / "broken.pdf").unlink()
    assert ingest(store, encoder, []).problems == []
    with closing(store.open()) as reader:
        assert reader.manifest.sources["failed"] == []


def test_files_that_moved_on_are_seen_without_reading_them(
    store: EdgeStore, encoder: FakeEncoder, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(store, encoder, [notes])
    with closing(store.open()) as reader:
        sources = reader.manifest.sources
    assert moved_on(sources) == ([], [])
    (notes / "raft.md").unlink()
    kept = sorted(path for path in sources["files"] if not path.endswith("raft.md"))
    Path(kept[0]).write_text("# Changed\n\nAll of it.\n", encoding="utf-8")
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("a file was read"))
    assert moved_on(sources) == ([kept[0]], [str(notes / "raft.md")])


def test_a_changed_file_that_cannot_be_read_keeps_its_old_version(
    store: EdgeStore, encoder: FakeEncoder, notes: Path
) -> None:
    ingest(store, encoder, [notes])
    before = everything(store)
    (notes / "raft.md").write_bytes(b"\x00\x01\x02" * 50)
    report = ingest(store, encoder, [])
    assert "looks like a binary file" in problems(report)["raft.md"]
    assert everything(store) == before
    (notes / "cache.md").unlink()
    ingest(store, encoder, [])
    assert top(store, "raft leader term votes", limit=1) == ["notes/raft#what-it-is"]
    (notes / "raft.md").write_text("# Raft\n\nReadable again.\n", encoding="utf-8")
    assert not ingest(store, encoder, []).problems
    assert top(store, "readable again", limit=1) == ["notes/raft#intro"]


def test_an_unreadable_folder_keeps_its_documents(
    store: EdgeStore, encoder: FakeEncoder, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Permissions do not bind root, so the failure is made in os.scandir; test_collect.py has it with real ones."""
    write_notes(notes / "sub", {"crdt": "A CRDT merges without coordination."})
    ingest(store, encoder, [notes])
    before = everything(store)
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    report = ingest(store, encoder, [])
    assert [p.what for p in report.problems] == ["the folder cannot be read (Permission denied)"]
    assert everything(store) == before
    monkeypatch.undo()
    (notes / "sub" / "crdt.md").unlink()
    assert ingest(store, encoder, []).documents == 6


def test_duplicate_ids_keep_the_first_and_the_second_takes_over_when_it_goes(
    store: EdgeStore, encoder: FakeEncoder, notes: Path
) -> None:
    (notes / "raft.txt").write_text("Another text on rafts, made of wood.\n", encoding="utf-8")
    for _ in range(2):
        report = ingest(store, encoder, [notes])
        (problem,) = report.problems
        assert problem.about == str(notes / "raft.txt")
        assert problem.what == f"the id 'notes/raft' is already that of {notes / 'raft.md'}"
        assert report.documents == 6
    (notes / "raft.md").unlink()
    assert not ingest(store, encoder, []).problems
    assert top(store, "wood", limit=1) == ["notes/raft#intro"]


def test_circular_links(store: EdgeStore, encoder: FakeEncoder, notes: Path) -> None:
    (notes / "again").symlink_to(notes, target_is_directory=True)
    report = ingest(store, encoder, [notes, notes / "again"])
    assert report.documents == 6
    assert {(p.about, p.what) for p in report.problems} == {
        (str(notes / "again"), "is a link that leads back to itself")
    }


def test_a_path_that_is_not_there_is_told_once_and_not_remembered(
    store: EdgeStore, encoder: FakeEncoder, notes: Path, tmp_path: Path
) -> None:
    (tmp_path / "x.zip").write_bytes(b"x")
    report = ingest(store, encoder, [notes, tmp_path / "typo", tmp_path / "x.zip"])
    assert {p.what for p in report.problems} == {"there is no such file or folder", "files of type '.zip' are not read"}
    assert report.documents == 6
    assert not ingest(store, encoder, []).problems


def test_a_known_root_that_goes_is_told_until_it_is_forgotten(
    store: EdgeStore, encoder: FakeEncoder, notes: Path, tmp_path: Path
) -> None:
    ingest(store, encoder, [notes])
    notes.rename(tmp_path / "away")
    for _ in range(2):
        assert [p.what for p in ingest(store, encoder, []).problems] == ["there is no such file or folder"]
    (tmp_path / "away").rename(notes)
    assert ingest(store, encoder, []).documents == 6


def test_forget(store: EdgeStore, encoder: FakeEncoder, notes: Path, tmp_path: Path) -> None:
    more = write_notes(tmp_path / "more", {"crdt": "A CRDT merges without coordination."})
    ingest(store, encoder, [notes, more])
    report = ingest(store, encoder, [], forget=[more])
    assert (report.documents, report.removed) == (6, 2)
    same_as_from_scratch(store, encoder, [notes], tmp_path)
    assert ingest(store, encoder, []).documents == 6
    (problem,) = ingest(store, encoder, [], forget=[notes / "raft.md"]).problems
    assert problem.what == "was not ingested by this path"
    assert str(notes) in problem.fix
    assert everything(store)["counts"][0] == 6


def test_rebuild_encodes_everything_and_remembers_the_roots(
    store: EdgeStore, encoder: FakeEncoder, notes: Path
) -> None:
    ingest(store, encoder, [notes])
    before = everything(store)
    encoder.calls.clear()
    report = ingest(store, encoder, [], rebuild=True)
    assert (len(encoder.calls), report.reused) == (12, 0)
    assert everything(store) == before


def test_another_encoder_needs_a_rebuild(store: EdgeStore, encoder: FakeEncoder, notes: Path) -> None:
    ingest(store, encoder, [notes])
    other = FakeEncoder("fake/other", dense_dims=24, token_dims=8)
    with pytest.raises(IndexMismatch, match="built with the encoder fake/32x16, in force is fake/other") as caught:
        ingest(store, other, [])
    assert caught.value.fix == "Run: tutor ingest --rebuild"
    assert ingest(store, other, [], rebuild=True).documents == 6


def test_passages_without_a_token_can_be_moved(store: EdgeStore, notes: Path) -> None:
    """An encoder may know no token of a passage; its vectors are then read back as none."""

    class Mute(FakeEncoder):
        def encode(self, texts: Any, *, on_progress: Any = None) -> Any:
            import dataclasses

            return [
                dataclasses.replace(e, tokens=e.tokens[:0], offsets=()) if "Raft" in t else e
                for t, e in zip(texts, super().encode(texts, on_progress=on_progress), strict=True)
            ]

    encoder = Mute()
    ingest(store, encoder, [notes])
    (notes / "raft.md").rename(notes / "consensus.md")
    encoder.calls.clear()
    report = ingest(store, encoder, [])
    assert (report.reused, encoder.calls) == (2, [])
    reader = store.open()
    assert reader.vectors(point_id("passage", "notes/consensus#what-it-is"))[1].shape == (0, 16)
    reader.close()


def test_two_first_ingests_at_once_do_not_lose_a_root(
    store: EdgeStore, encoder: FakeEncoder, notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = write_notes(tmp_path / "more", {"crdt": "A CRDT merges without coordination."})
    real = changes.load
    other: list[Report] = []

    def load(found: Any) -> Any:
        if not other:
            other.append(Report())
            other[0] = ingest(store, FakeEncoder(), [more])  # publishes while the first still reads its files
        return real(found)

    monkeypatch.setattr(changes, "load", load)
    with pytest.raises(IndexBusy, match="another process has just made the first index"):
        ingest(store, encoder, [notes])
    assert ingest(store, encoder, [notes]).documents == 7


def test_an_unchanged_corpus_costs_under_a_second_in_a_cold_process(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    write_notes(folder, {f"topic{n}": f"Topic {n} keeps its own facts, number {n}." for n in range(60)})
    command = [sys.executable, "-m", "tutor", "--no-builtin", "--home", str(tmp_path / "home"), "ingest"]
    first = subprocess.run([*command, str(folder)], capture_output=True, text=True, timeout=120)
    assert first.returncode == 0, first.stderr
    times = []
    for _ in range(3):
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        # On a machine that is busy with other things the processor's time says what it costs.
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        times.append(min(time.perf_counter() - began, used))
        assert done.stdout.startswith("Nothing changed: 60 documents, 120 passages from 60 files"), done.stderr
    assert min(times) < 1.0, times
