"""The golden sets: questions with what a right answer rests on, and questions that must be refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, ValidationError

from tutor.curriculum.card import Strict
from tutor.errors import NotFound, SourceError

Kind = Literal[
    "definition",
    "how",
    "compare",
    "why-not",
    "scenario",
    "estimate",
    "multi-card",
    "follow-up",
    "misspelt",
    "acronym",
    "spoken",
]
RefusalKind = Literal["far", "near-miss", "false-premise", "injection", "secrets"]
Row = TypeVar("Row", bound=Strict)


class Fact(Strict):
    """One thing a right answer says; ``aliases`` are other ways to say it."""

    fact: str = Field(min_length=3)
    aliases: tuple[str, ...] = ()


class Place(Strict):
    """A section that answers: the document's id and the heading path below its title."""

    doc: str
    section: str


class Question(Strict):
    """A question that the curriculum answers; ``passages`` best first; ``history`` what was asked before it."""

    id: str
    question: str = Field(min_length=3)
    kind: Kind
    phase: int | None = None
    history: tuple[str, ...] = ()
    documents: tuple[str, ...] = Field(min_length=1)
    passages: tuple[Place, ...] = Field(min_length=1)
    reference: str = Field(min_length=20)
    key_facts: tuple[Fact, ...] = Field(min_length=1)


class Refusal(Strict):
    """A question that must be refused, and why it cannot be answered."""

    id: str
    question: str = Field(min_length=3)
    kind: RefusalKind
    why: str


class FactLabel(Strict):
    """Whether an answer says a fact, as people read it: what the judge of facts is measured against."""

    id: str
    question: str
    answer: str
    fact: str
    aliases: tuple[str, ...] = ()
    covered: bool
    half: Literal["fit", "report"]


class JudgeLabel(Strict):
    """A row of ``golden/judge_labels.jsonl``, labelled by reading it.

    ``faithful``: the contexts say at least half of what the answer claims. ``covers``: by the reference the answer is
    right in at least half of what the two claim together. The two are independent of each other.
    """

    id: str
    question: str = Field(min_length=3)
    contexts: tuple[str, ...] = Field(min_length=1)
    answer: str = Field(min_length=3)
    reference: str = Field(min_length=3)
    faithful: bool
    covers: bool


class HeldOut(Strict):
    """A question of ``calibration/held_out.jsonl``: the items that answer it; none, and it must be refused."""

    id: str
    question: str
    kind: str
    answerable: bool
    covers: tuple[str, ...]


class Sets:
    """The files under ``evals/``, each read when it is first used.

    Raises:
        NotFound: the folder has no golden sets.
        SourceError: a line that is no JSON or not of the schema.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / "golden" / "questions.jsonl").is_file():
            raise NotFound(
                "no golden sets here (golden/questions.jsonl)",
                about=str(folder),
                fix="They come with the repository, not with the package: run it in a checkout, or name --sets FOLDER.",
            )

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        return tuple(rows(self.folder / "golden" / "questions.jsonl", Question))

    @cached_property
    def refusals(self) -> tuple[Refusal, ...]:
        return tuple(rows(self.folder / "golden" / "refuse.jsonl", Refusal))

    @cached_property
    def fact_labels(self) -> tuple[FactLabel, ...]:
        return tuple(rows(self.folder / "golden" / "fact_labels.jsonl", FactLabel))

    @cached_property
    def judge_labels(self) -> tuple[JudgeLabel, ...]:
        """What a judge model is compared with."""
        return tuple(rows(self.folder / "golden" / "judge_labels.jsonl", JudgeLabel))

    @cached_property
    def held_out(self) -> tuple[HeldOut, ...]:
        return tuple(rows(self.folder / "calibration" / "held_out.jsonl", HeldOut))

    @cached_property
    def twins(self) -> dict[str, list[str]]:
        """Items by the id of a note on the same subject, which answers as well as their card."""
        path = self.folder / "calibration" / "twins.json"
        try:
            found: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SourceError(f"the notes on the same subjects cannot be read ({error})", about=str(path)) from error
        return found

    @property
    def fingerprints(self) -> dict[str, str]:
        """sha256 of every set, by its path in the folder."""
        names = [
            *sorted(self.folder.glob("golden/*.jsonl")),
            self.folder / "calibration" / "held_out.jsonl",
            self.folder / "calibration" / "twins.json",
            self.folder / "drill" / "answers.jsonl",
            self.folder / "drill" / "band.jsonl",
        ]
        return {
            p.relative_to(self.folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in names
            if p.is_file()
        }


def default_sets() -> Path:
    """``evals/`` of the checkout that runs, else of the folder one is in."""
    import tutor

    ours = Path(tutor.__file__).resolve().parents[2] / "evals"
    return ours if (ours / "golden").is_dir() else Path("evals")


def rows(path: Path, kind: type[Row]) -> Iterator[Row]:
    """The rows of a JSONL file; empty lines are left out.

    Raises:
        SourceError: the file cannot be read, or a line is no JSON or not of the schema; ``about`` is file:line.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # not at U+2028, as splitlines() does
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"the set cannot be read ({error})", about=str(path)) from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield kind.model_validate_json(line)
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(map(str, first["loc"])) or "the line"
                raise SourceError(
                    f"{where}: {first['msg']}", about=f"{path}:{number}", fix="docs/evals.md has the schema."
                ) from error
