"""What differs between the files on disk and those of the generation that is built on.

A file that has the size and the modification time of its last ingest counts as unchanged and is not read. So content of
the same length under a restored time goes unnoticed; ``tutor ingest --rebuild`` reads everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tutor.errors import SourceError, Unreadable
from tutor.ingest.collect import Found, sha256_of
from tutor.ingest.documents import Document
from tutor.ingest.load import load, only_unique


@dataclass(slots=True)
class Changes:
    """``files``: path → what to remember of it; ``fresh`` documents to index; ``gone`` the doc_ids to remove."""

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    fresh: list[Document] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    problems: list[SourceError] = field(default_factory=list)


def compare(found: Sequence[Found], problems: Sequence[SourceError], known: Mapping[str, dict[str, Any]]) -> Changes:
    """Load what is new or changed.

    Args:
        found: the files there are.
        problems: what came with them; files known from below an unreadable folder keep their documents.
        known: ``Changes.files`` of the last ingest.
    """
    changes = Changes()
    taken: dict[str, str] = {}
    altered: list[tuple[Found, str]] = []

    def keep(path: str, entry: dict[str, Any]) -> None:
        changes.files[path] = entry
        taken.update(dict.fromkeys(entry["docs"], path))

    for file in found:
        path = str(file.path)
        entry = known.get(path)
        if entry and (entry["size"], entry["mtime_ns"]) == (file.size, file.mtime_ns):
            keep(path, entry)
        elif entry and entry["sha256"] == (digest := sha256_of(file)):  # touched, not changed
            keep(path, entry | {"size": file.size, "mtime_ns": file.mtime_ns})
        else:
            altered.append((file, digest if entry else sha256_of(file)))
    seen = {str(file.path) for file in found}
    blocked = [problem.path for problem in problems if isinstance(problem, Unreadable)]
    for path, entry in known.items():
        if path not in seen and any(Path(path).is_relative_to(place) for place in blocked):
            keep(path, entry)
    for file, digest in altered:
        path = str(file.path)
        try:
            documents, clashes = only_unique(load(file), taken)
        except SourceError as error:
            changes.problems.append(error)
            if path in known:
                keep(path, known[path])
            continue
        changes.problems += clashes
        if clashes and not documents:
            continue  # not remembered, so that it is tried again: its id may have become free
        changes.fresh += documents
        changes.files[path] = {
            "size": file.size,
            "mtime_ns": file.mtime_ns,
            "sha256": digest,
            "docs": [d.doc_id for d in documents],
        }
    before = {doc for entry in known.values() for doc in entry["docs"]}
    changes.gone = before - {doc for entry in changes.files.values() for doc in entry["docs"]}
    return changes


def same(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether two records of files name the same files with the same content."""
    return old.keys() == new.keys() and all(old[k]["sha256"] == new[k]["sha256"] for k in old)
