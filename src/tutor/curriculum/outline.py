"""The curriculum in outline: what studying needs of cards, plans and threads, without parsing 400 files.

Parsing the curriculum takes about half a second; its outline is kept as JSON and read in milliseconds, until a file of
the curriculum has another size or time.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tutor.curriculum.corpus import Corpus
    from tutor.curriculum.plan import Step

LAYOUT = 2  # of the kept file
_READ_WPM = 180  # words a minute of a technical text that is studied, not skimmed
_PROBE_MIN = 6  # a probe with its follow-ups and grade


@dataclass(frozen=True, slots=True)
class PointLine:
    """A rubric point: what to say, and what is asked where it is missing."""

    id: str
    text: str
    follow_up: str


@dataclass(frozen=True, slots=True)
class ProbeLine:
    """A probe of a card; ``kind`` as in ``card.ProbeKind``."""

    id: str
    kind: str
    ask: str
    points: tuple[PointLine, ...]


@dataclass(frozen=True, slots=True)
class CardLine:
    """A card; ``check`` are the lines of its mastery check, ``read_min`` and ``probe_min`` the minutes it takes."""

    id: str
    title: str
    phase: int
    section: str
    tier: int
    priority: str
    depth: str
    tags: tuple[str, ...]
    aliases: tuple[str, ...]
    covers: tuple[str, ...]
    prerequisites: tuple[str, ...]
    related: tuple[str, ...]
    probes: tuple[ProbeLine, ...]
    check: tuple[str, ...]
    read_min: int = 0

    @property
    def probe_min(self) -> int:
        return _PROBE_MIN * len(self.probes)


@dataclass(frozen=True, slots=True)
class StepLine:
    """A step of a plan; ``parts`` are steps too."""

    id: str
    title: str
    goal: str
    covers: tuple[str, ...]
    cards: tuple[str, ...]
    notes: tuple[str, ...]
    practice: tuple[str, ...]
    build: tuple[str, ...]
    systems: tuple[str, ...]
    foundations: tuple[str, ...]
    items: tuple[str, ...]
    log: str
    resources: tuple[tuple[str, str, str], ...]
    parts: tuple[StepLine, ...]


@dataclass(frozen=True, slots=True)
class PlanLine:
    """A plan; ``unit`` is day, week, month or section."""

    id: str
    title: str
    about: str
    unit: str
    complete: bool
    steps: tuple[StepLine, ...]


@dataclass(frozen=True, slots=True)
class DayLine:
    """What a day of the 28-day plan asks for; links are (title, address)."""

    id: str
    title: str
    area: str
    video: tuple[str, str]
    readings: tuple[tuple[str, str], ...]
    exercise: str
    problem: tuple[str, str]
    reflection: str
    read_min: int


@dataclass(frozen=True, slots=True)
class ThreadLine:
    """Cards that one design pulls in, one after another."""

    id: str
    title: str
    why: str
    cards: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """Cards and plans by id, threads in the curriculum's order; ``titles`` are those of notes and exercises by id.

    ``days`` are the 28-day plan's, by the id of their note.
    """

    cards: Mapping[str, CardLine]
    plans: Mapping[str, PlanLine]
    threads: tuple[ThreadLine, ...]
    titles: Mapping[str, str]
    days: Mapping[str, DayLine] = field(default_factory=dict)


def outline(root: Path, kept: Path | None) -> Outline:
    """The outline of the curriculum at ``root``; read from ``kept`` where that is still true of it, else made and kept.

    A ``kept`` that cannot be read or written costs time and nothing else.

    Raises:
        CardError: there is no card.
    """
    now = _fingerprint(root)
    if kept is not None:
        with suppress(OSError, ValueError, KeyError, TypeError):
            data = json.loads(kept.read_text(encoding="utf-8"))
            if (data["layout"], data["of"]) == (LAYOUT, now):
                return _read(data)
    made = _made(root, now)
    if kept is not None:
        with suppress(OSError):
            _keep(kept, {"layout": LAYOUT, "of": now, **_written(made)})
    return made


@lru_cache(maxsize=2)
def _made(root: Path, fingerprint: str) -> Outline:
    """Once for a process: the study and the log both ask for it, also where nothing can be kept."""
    from tutor.curriculum.corpus import load_corpus

    return of_corpus(load_corpus(root))


def of_corpus(corpus: Corpus) -> Outline:
    """The outline of a parsed curriculum."""
    from tutor.curriculum.note import Day

    cards = {}
    for card in sorted(corpus.cards.values(), key=lambda c: (c.phase, c.tier, c.id)):
        body = corpus.bodies.get(card.id, "")
        cards[card.id] = CardLine(
            card.id,
            card.title,
            card.phase,
            card.section,
            card.tier,
            card.priority,
            card.depth,
            tuple(card.tags),
            tuple(card.aliases),
            tuple(card.covers),
            tuple(card.prerequisites),
            tuple(card.related),
            tuple(
                ProbeLine(p.id, p.kind, p.ask, tuple(PointLine(m.id, m.point, m.follow_up) for m in p.must_have))
                for p in card.probes
            ),
            _check(body),
            _minutes(body),
        )
    plans = {
        plan.id: PlanLine(plan.id, plan.title, plan.about, plan.unit, plan.complete, tuple(map(_step, plan.steps)))
        for plan in corpus.plans.values()
    }
    threads = corpus.tables.threads if corpus.tables else []
    return Outline(
        cards,
        plans,
        tuple(ThreadLine(t.id, t.title, t.why, tuple(t.cards)) for t in threads),
        {entry.id: str(getattr(entry, "title", entry.id)) for entry in corpus.entries.values()},
        {
            day.id: DayLine(
                day.id,
                day.title,
                day.area,
                (day.video.title, str(day.video.url)),
                tuple((r.title, str(r.url)) for r in day.readings),
                day.exercise.task,
                (day.problem.name, str(day.problem.url)),
                day.reflection,
                _minutes(corpus.bodies.get(day.id, "")),
            )
            for day in corpus.entries.values()
            if isinstance(day, Day)
        },
    )


def _minutes(body: str) -> int:
    return max(1, round(len(body.split()) / _READ_WPM))


def _step(step: Step) -> StepLine:
    return StepLine(
        step.id,
        step.title,
        step.goal or "",
        tuple(step.covers),
        tuple(step.cards),
        tuple(step.notes),
        tuple(step.practice),
        tuple(step.build),
        tuple(step.systems),
        tuple(step.foundations),
        tuple(step.items),
        step.log or "",
        tuple((r.kind, r.title, str(r.url)) for r in step.resources),
        tuple(map(_step, step.parts)),
    )


def _check(body: str) -> tuple[str, ...]:
    """The items of a card's section "Mastery check"."""
    found: list[str] = []
    inside = False
    for line in body.splitlines():
        if line.startswith("## "):
            inside = line.removeprefix("## ").strip() == "Mastery check"
        elif inside and line.lstrip().startswith(("- ", "* ")):
            found.append(line.lstrip()[2:].removeprefix("[ ] ").strip())
        elif inside and found and line.startswith("  ") and line.strip():
            found[-1] += f" {line.strip()}"
    return tuple(found)


def _fingerprint(root: Path) -> str:
    """A hash of the names, sizes and times of a folder's files: another one after any edit."""
    found = []
    for folder, _, names in os.walk(root):
        for name in names:
            if name.endswith((".md", ".yaml")):
                path = os.path.join(folder, name)
                of = os.stat(path)
                found.append(f"{path}:{of.st_size}:{of.st_mtime_ns}")
    return sha256("\n".join(sorted(found)).encode("utf-8", "surrogateescape")).hexdigest()


def _written(made: Outline) -> dict[str, Any]:
    return {
        "cards": [asdict(card) for card in made.cards.values()],
        "plans": [asdict(plan) for plan in made.plans.values()],
        "threads": [asdict(thread) for thread in made.threads],
        "titles": dict(made.titles),
        "days": [asdict(day) for day in made.days.values()],
    }


def _keep(path: Path, data: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix="outline")
    try:
        with open(handle, "w", encoding="utf-8") as scratch:
            json.dump(data, scratch, ensure_ascii=False)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _read(data: dict[str, Any]) -> Outline:
    def texts(row: dict[str, Any], *names: str) -> dict[str, Any]:
        return {**row, **{name: tuple(row[name]) for name in names}}

    def probe(row: dict[str, Any]) -> ProbeLine:
        return ProbeLine(row["id"], row["kind"], row["ask"], tuple(PointLine(**p) for p in row["points"]))

    def step(row: dict[str, Any]) -> StepLine:
        lists = ("covers", "cards", "notes", "practice", "build", "systems", "foundations", "items")
        resources = tuple((r[0], r[1], r[2]) for r in row["resources"])
        return StepLine(**{**texts(row, *lists), "resources": resources, "parts": tuple(map(step, row["parts"]))})

    def card(row: dict[str, Any]) -> CardLine:
        lists = ("tags", "aliases", "covers", "prerequisites", "related", "check")
        return CardLine(**{**texts(row, *lists), "probes": tuple(map(probe, row["probes"]))})

    def day(row: dict[str, Any]) -> DayLine:
        links = {name: (row[name][0], row[name][1]) for name in ("video", "problem")}
        return DayLine(**{**row, **links, "readings": tuple((r[0], r[1]) for r in row["readings"])})

    return Outline(
        {row["id"]: card(row) for row in data["cards"]},
        {row["id"]: PlanLine(**{**row, "steps": tuple(map(step, row["steps"]))}) for row in data["plans"]},
        tuple(ThreadLine(**texts(row, "cards")) for row in data["threads"]),
        dict(data["titles"]),
        {row["id"]: day(row) for row in data["days"]},
    )
