"""Everything a learner has made as one JSON document, and such a document brought in again.

A document names its format, version and schema, and carries a checksum for each part. All of it is checked before
anything is written; the database is changed in one transaction, after a backup.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from tutor.curriculum.outline import Outline
from tutor.errors import SourceError, StudyFault, StudyNewer
from tutor.study import folders, rows
from tutor.study.merge import Counts, merge, merge_learner
from tutor.study.readable import markdown
from tutor.study.rows import LEARNERS, TABLES, Row
from tutor.study.schema import HEAD
from tutor.study.store import StudyStore
from tutor.study.tables import Learner
from tutor.study.whose import own_home

FORMAT = "tutor-export"
VERSION = 1
#: Folders that are a learner's own (``whose.own_home``), with whether the order of their logs' lines counts.
FOLDERS: Mapping[str, bool] = {"drills": True, "feedback": False, "log-drafts": False}
MOST_BYTES = 512 * 2**20
_AGAIN = "Export it once more where it comes from; nothing was changed here."


@dataclass(frozen=True, slots=True)
class Export:
    """A document that has been read and checked: whose it is, when it was made, and its parts."""

    learner: Row
    made: str
    tables: Mapping[str, Sequence[Row]]
    files: Mapping[str, Mapping[str, bytes]]


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of an import, by part; ``backup`` is the copy of the database made before, empty where none was."""

    of: str
    made: str
    parts: Mapping[str, Counts]
    backup: str = ""

    dry_run: bool = False

    @property
    def changes(self) -> int:
        return sum(counts.changes for counts in self.parts.values())

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        parts = {name: {"new": c.new, "kept": c.kept, "replaced": c.replaced} for name, c in self.parts.items()}
        return {"of": self.of, "made": self.made, "dry_run": self.dry_run, "parts": parts, "backup": self.backup}


class Transfer:
    """Takes out and brings in what a learner has made.

    Args:
        store: opens the study store; closed after every call.
        home: where the folders of ``FOLDERS`` lie.
        clock: the time now, with a time zone.
        retention: the probability of recall at which a review is due.
        zone: the learner's.
        version: of tutor, for the document.
        sync: takes into the store what drills have left behind since.
        outline: the curriculum, for the titles of cards and plans.
    """

    def __init__(
        self,
        store: Callable[[], StudyStore],
        home: Path,
        *,
        clock: Callable[[], datetime],
        retention: float,
        zone: ZoneInfo,
        version: str = "",
        sync: Callable[[], object] = lambda: None,
        outline: Callable[[], Outline] = lambda: Outline({}, {}, (), {}),
    ) -> None:
        self._store = store
        self._home = home
        self._clock = clock
        self._retention = retention
        self._zone = zone
        self._version = version
        self._sync = sync
        self._outline = outline
        #: What the learner has to be told of the store.
        self.news: list[str] = []

    def export(self) -> dict[str, Any]:
        """The document, as of one moment after the last drill.

        Raises:
            StudyFault: the store cannot be read.
            Unreadable: a file of a drill cannot be read.
        """
        try:
            self._sync()
        except StudyFault as error:  # as on a disk that cannot be written: the drills' own files are in it all the same
            self.news.append(f"The last drills could not be taken into progress. {error.message}")
        with closing(self._store()) as store:
            self.news += store.news
            learner = store.owner()
            with store.read() as session:
                tables = {name: _rows(session, store.learner, name) for name in TABLES}
        own = own_home(self._home, store.learner)
        parts: dict[str, Any] = {"learners": _part("rows", [_learner(learner)])}
        parts |= {name: _part("rows", found) for name, found in tables.items()}
        parts |= {name: _part("files", folders.collect(own / name)) for name in FOLDERS}
        return {
            "format": FORMAT,
            "version": VERSION,
            "schema": HEAD,
            "tutor": self._version,
            "made": self._clock().isoformat(timespec="seconds"),
            "parts": parts,
        }

    def text(self, kind: str) -> str:
        """The export as the text of a file: ``json`` or ``markdown``.

        Raises:
            StudyFault: the store cannot be read.
        """
        document = self.export()
        if kind == "json":
            return dumped(document)
        outline = self._outline()
        titles = {card.id: card.title for card in outline.cards.values()}
        return markdown(document, titles | {plan.id: plan.title for plan in outline.plans.values()}, self._zone)

    def bring_in(self, given: Export, *, dry_run: bool = False) -> Imported:
        """Merge a document into what is here; nothing that is here is lost, and the same again changes nothing.

        Args:
            given: as ``read`` gives it.
            dry_run: only say what would become of it.

        Raises:
            StudyFault: the store cannot be written; the database is as it was.
        """
        with closing(self._store()) as store:
            self.news += store.news
            store.owner()
            found = self._merged(store, given, dry_run=True)
            done = Imported(str(given.learner["id"]), given.made, found, dry_run=dry_run)
            if dry_run or not done.changes:
                return done
            backup = store.backup("before-import-")
            parts = self._merged(store, given, dry_run=False)
            return Imported(done.of, done.made, parts, str(backup or ""))

    def _merged(self, store: StudyStore, given: Export, *, dry_run: bool) -> dict[str, Counts]:
        with store.read() if dry_run else store.write() as session:
            counts = {"learners": merge_learner(session, store.learner, given.learner)}
            counts |= merge(session, store.learner, given.tables, retention=self._retention, zone=self._zone)
            own = own_home(self._home, store.learner)
            for name, ordered in FOLDERS.items():
                files = given.files.get(name, {})
                counts[name] = folders.merge_files(own / name, files, ordered=ordered, dry_run=dry_run)
            return counts


def dumped(document: Mapping[str, Any]) -> str:
    """The document as text: a row to a line, so that two exports can be compared."""
    head = {name: value for name, value in document.items() if name != "parts"}
    lines = [json.dumps(head, ensure_ascii=False)[:-1] + ', "parts": {']
    for number, (name, part) in enumerate(document["parts"].items()):
        content = "rows" if "rows" in part else "files"
        before = {key: value for key, value in part.items() if key != content}
        opening, ending = "[]" if content == "rows" else "{}"
        lines.append(f'{"," if number else ""}{json.dumps(name)}: {json.dumps(before)[:-1]}, "{content}": {opening}')
        if content == "rows":
            items = [json.dumps(row, ensure_ascii=False) for row in part["rows"]]
        else:
            items = [f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in part["files"].items()]
        lines += [item + ("," if at < len(items) else "") for at, item in enumerate(items, 1)]
        lines.append(ending + "}")
    return "\n".join([*lines, "}}"]) + "\n"


def looks_like_one(data: bytes) -> bool:
    """Whether a file is meant to be such a document, however broken."""
    return data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and FORMAT.encode() in data[:400]


def read(data: bytes, about: str) -> Export:
    """A document with every part and row checked.

    Args:
        data: the file.
        about: its name, for errors.

    Raises:
        StudyNewer: a newer version of tutor made it.
        SourceError: it is none, is cut short, or its checksums do not match.
    """
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SourceError("the export is damaged or cut short: it is no JSON", about=about, fix=_AGAIN) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise SourceError("it is no export of tutor", about=about, fix="'tutor export FILE' makes one.")
    version, schema, parts = document.get("version"), document.get("schema"), document.get("parts")
    if (isinstance(version, int) and version > VERSION) or (isinstance(schema, str) and schema > HEAD):
        raise StudyNewer(
            f"a newer version of tutor made it (format {version}, schema {schema}; this one reads {VERSION}, {HEAD})",
            about=about,
            fix="Run: pip install --upgrade tutor-study. Nothing was changed.",
        )
    if version != VERSION or not isinstance(schema, str) or not isinstance(parts, dict):
        raise SourceError("the export is damaged: its head cannot be read", about=about, fix=_AGAIN)
    known = {"learners", *TABLES, *FOLDERS}
    if wrong := set(parts) - known | (known - set(parts) if schema == HEAD else {"learners"} - set(parts)):
        what = f"the export is damaged: its parts are not those they should be ({', '.join(sorted(wrong))})"
        raise SourceError(what, about=about, fix=_AGAIN)
    contents = {name: [] for name in TABLES} | {name: _content(name, part, about) for name, part in parts.items()}
    if len(contents["learners"]) != 1:
        raise SourceError("the export is damaged: it is of no learner", about=about, fix=_AGAIN)
    return Export(
        rows.read(LEARNERS, contents["learners"][0], f"{about}: learners"),
        str(document.get("made", "")),
        {
            name: [rows.read(table, row, f"{about}: {name}: row {at}") for at, row in enumerate(contents[name], 1)]
            for name, table in TABLES.items()
        },
        {name: folders.checked(contents.get(name, {}), f"{about}: {name}") for name in FOLDERS},
    )


def _content(name: str, part: object, about: str) -> Any:
    kind = "files" if name in FOLDERS else "rows"
    content = part.get(kind) if isinstance(part, dict) else None
    if not isinstance(part, dict) or not isinstance(content, dict if kind == "files" else list):
        raise SourceError(f"the export is damaged: part {name} is not what it was", about=about, fix=_AGAIN)
    if part.get("sha256") != _checksum(content) or part.get("count") != len(content):
        raise SourceError(f"the export is damaged: part {name} does not match its checksum", about=about, fix=_AGAIN)
    return content


def _part(kind: str, content: Any) -> dict[str, Any]:
    return {"count": len(content), "sha256": _checksum(content), kind: content}


def _checksum(content: Any) -> str:
    return sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _rows(session: Session, learner: str, name: str) -> list[Row]:
    table = TABLES[name]
    query = select(table).where(table.c.learner == learner).order_by(table.c.at, table.c.id)
    return [rows.written(dict(row)) for row in session.execute(query).mappings()]


def _learner(learner: Learner) -> Row:
    return rows.written({column.name: getattr(learner, column.name) for column in LEARNERS.columns})
