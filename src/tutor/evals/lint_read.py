"""What ``tutor eval lint`` reads: sets line by line, a bad line being a fault, and what they are held against."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from tutor.curriculum.card import Strict
from tutor.errors import SourceError
from tutor.evals.lint_rows import Fault
from tutor.evals.sets import Sets
from tutor.ingest.documents import Document

Row = TypeVar("Row", bound=Strict)


def curriculum_documents(roots: Sequence[Path] | None = None) -> list[Document]:
    """The documents of the built-in curriculum, or of other folders, as ingest reads them; without an index.

    Raises:
        SourceError: a file cannot be read.
    """
    from tutor.bootstrap import builtin_roots
    from tutor.ingest.collect import collect
    from tutor.ingest.load import load

    files, problems = collect(builtin_roots() if roots is None else roots)
    if problems:
        raise problems[0]
    return [document for found in files for document in load(found)]


def training_questions(sets: Sets) -> list[str]:
    """The questions that the encoder was trained on, from the checkout that holds the sets; none where it has none.

    Raises:
        SourceError: a line is no question.
    """
    from tutor.training.data import read_questions  # needs neither torch nor the extra

    return [q.text for q in read_questions(sets.folder.resolve().parent / "ingest" / "training" / "questions")]


def objects(folder: Path, name: str, faults: list[Fault]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON objects of a file with their line numbers; other lines and drafts are faults."""
    try:
        lines = (folder / name).read_text(encoding="utf-8").split("\n")  # splitlines would cut at U+2028, too
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"the set cannot be read ({error})", about=str(folder / name)) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict) and row.keys() & {"todo", "seen"}:
            what = f"line {number} is a draft that nobody has finished"
            fix = "Do what its 'todo' says, then take out 'todo' and 'seen' (docs/evals.md)."
            faults.append(Fault(file=name, id=str(row.get("id", "")), what=what, fix=fix))
        elif isinstance(row, dict):
            yield number, row
        else:
            faults.append(Fault(file=name, what=f"line {number} is no JSON object", fix="One object a line."))


def parsed(folder: Path, name: str, kind: type[Row], faults: list[Fault]) -> list[Row]:
    """The rows of a file that are of the schema, in order; the others are added to ``faults``."""
    rows = []
    for number, row in objects(folder, name, faults):
        row_id = str(row.get("id", ""))
        try:
            rows.append(kind.model_validate_json(json.dumps(row)))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the line"
            faults.append(
                Fault(
                    file=name,
                    id=row_id,
                    what=f"line {number}: {where}: {first['msg']}",
                    fix="docs/evals.md has the schema.",
                )
            )
    return rows
