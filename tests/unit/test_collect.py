"""Which files are found, and what is said about those that cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tutor.errors import SourceError, Unreadable
from tutor.ingest.collect import Found, collect
from tutor.ingest.load import doc_id_of, only_unique
from tutor.ingest.markdown import read_markdown


def names(found: list[Found]) -> list[str]:
    return [f.path.name for f in found]


def make(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("# x\n\ny.\n", encoding="utf-8")


def test_known_types_in_a_stable_order(tmp_path: Path) -> None:
    make(tmp_path, "b.md", "a.txt", "sub/c.MD", "sub/d.html", "image.png", "LICENSE", "z.pdf")
    found, problems = collect([tmp_path])
    assert names(found) == ["a.txt", "b.md", "z.pdf", "c.MD", "d.html"]
    assert not problems
    assert found[0].size == 8
    assert found[0].mtime_ns == (tmp_path / "a.txt").stat().st_mtime_ns


def test_junk_is_skipped(tmp_path: Path) -> None:
    make(tmp_path, "a.md", ".git/x.md", ".venv/x.md", "node_modules/p/x.md", "venv/x.txt", "__pycache__/x.txt")
    make(tmp_path, "__MACOSX/x.md", "lost+found/x.md", "lib/site-packages/x.md", "~$a.docx", ".hidden.md", "._a.md")
    assert names(collect([tmp_path])[0]) == ["a.md"]


def test_a_root_that_is_junk_by_name_is_still_read_when_named(tmp_path: Path) -> None:
    make(tmp_path, ".notes/a.md")
    assert names(collect([tmp_path / ".notes"])[0]) == ["a.md"]


def test_a_file_is_found_once_whatever_leads_to_it(tmp_path: Path) -> None:
    make(tmp_path, "real/a.md")
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    (tmp_path / "real" / "again.md").symlink_to("a.md")
    found, problems = collect([tmp_path, tmp_path / "real", tmp_path / "real" / "a.md"])
    assert names(found) == ["a.md"]
    assert not problems


def test_circles_of_links_end(tmp_path: Path) -> None:
    make(tmp_path, "a/b/x.md")
    (tmp_path / "a/b/up").symlink_to(tmp_path / "a", target_is_directory=True)
    (tmp_path / "self.md").symlink_to("self.md")
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    found, problems = collect([tmp_path, tmp_path / "one"])
    assert names(found) == ["x.md"]
    told = {p.about for p in problems if p.what == "is a link that leads back to itself"}
    assert told == {str(tmp_path / name) for name in ("a/b/up", "self.md", "one", "two")}
    assert len(told) == len({p.message for p in problems})


def test_files_of_other_types_are_counted(tmp_path: Path) -> None:
    for name in ("a.md", "b.png", "c.PNG", "d", ".hidden"):
        make(tmp_path, name)
    skipped: Counter[str] = Counter()
    found, problems = collect([tmp_path], skipped=skipped)
    assert (names(found), problems, skipped) == (["a.md"], [], {".png": 2, "none": 1})


def test_a_folder_reached_twice_is_no_circle(tmp_path: Path) -> None:
    make(tmp_path, "b/x.md")
    (tmp_path / "a").symlink_to(tmp_path / "b", target_is_directory=True)
    found, problems = collect([tmp_path])
    assert (names(found), problems) == (["x.md"], [])


def test_missing_paths_broken_links_and_pipes_are_told(tmp_path: Path) -> None:
    make(tmp_path, "a.md", "b.zip")
    (tmp_path / "broken.md").symlink_to("nowhere.md")
    os.mkfifo(tmp_path / "pipe.md")
    found, problems = collect([tmp_path, tmp_path / "no", tmp_path / "a.md" / "below", tmp_path / "b.zip"])
    assert names(found) == ["a.md"]
    told = {Path(p.about).name: p.what for p in problems}
    assert told == {
        "broken.md": "leads to a file that does not exist",
        "pipe.md": "is not a regular file",
        "no": "there is no such file or folder",
        "below": "there is no such file or folder",
        "b.zip": "files of type '.zip' are not read",
    }
    assert all(p.fix for p in problems)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_that_is_not_utf8_is_a_problem_of_its_own(tmp_path: Path) -> None:
    make(tmp_path, "a.md")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.md")).write_text("x", encoding="utf-8")
    found, problems = collect([tmp_path])
    assert names(found) == ["a.md"]
    assert [p.what for p in problems] == ["the file's name is not UTF-8"]
    problems[0].message.encode()


_AS_NOBODY = """
import os, sys
sys.path[:0] = {path!r}
from pathlib import Path
from tutor.ingest.collect import collect
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
found, problems = collect([Path(p) for p in sys.argv[1:]])
print([f.path.name for f in found], [(type(p).__name__, Path(p.about).name) for p in problems])
"""


def test_unreadable_folders_are_told_and_the_rest_is_read(tmp_path: Path) -> None:
    """In a process that gives up root, as permissions do not bind it."""
    make(tmp_path, "a.md", "closed/b.md", "listed/c.md", "closed/deep/d.md")
    (tmp_path / "closed").chmod(0)
    (tmp_path / "listed").chmod(0o444)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == Path.home().owner() and str(folder).startswith(str(tmp_path.parents[2])):
            folder.chmod(0o755)
    try:
        code = _AS_NOBODY.format(path=[p for p in sys.path if p])
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path), str(tmp_path / "closed" / "deep")],
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        (tmp_path / "closed").chmod(0o755)
        (tmp_path / "listed").chmod(0o755)
    expected = [("Unreadable", "closed"), ("Unreadable", "c.md"), ("Unreadable", "deep")]
    assert done.stdout.strip() == f"['a.md'] {expected}", done.stderr


def test_a_folder_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An input/output error, which no permission can bring about."""
    make(tmp_path, "a.md", "bad/b.md")
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("bad"):
            raise OSError(5, "Input/output error", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found, problems = collect([tmp_path])
    assert names(found) == ["a.md"]
    assert [(type(p), p.what) for p in problems] == [(Unreadable, "the folder cannot be read (Input/output error)")]


def test_doc_ids_come_from_the_path_below_the_root(tmp_path: Path) -> None:
    make(tmp_path, "My Notes/Part 1/A Thing.md")
    (inside,), _ = collect([tmp_path / "My Notes"])
    assert doc_id_of(inside) == "my-notes/part-1/a-thing"
    (alone,), _ = collect([tmp_path / "My Notes" / "Part 1" / "A Thing.md"])
    assert doc_id_of(alone) == "a-thing"


def test_an_id_belongs_to_the_first_file() -> None:
    one = read_markdown("# A\n\nx.\n", doc_id="same", source="/one.md")
    two = read_markdown("# B\n\ny.\n", doc_id="same", source="/two.md")
    taken: dict[str, str] = {}
    assert only_unique([one], taken) == ([one], [])
    kept, problems = only_unique([two], taken)
    assert kept == []
    assert isinstance(problems[0], SourceError)
    assert problems[0].message == (
        "/two.md: the id 'same' is already that of /one.md. Rename the file or its id; the first one was kept."
    )
