"""What a plan is: steps in order that name cards, notes and exercises; and the tables that plans and drills lean on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, StringConstraints, ValidationError

from tutor.curriculum.card import Entity, ItemId, Line, Resource, Slug, Strict
from tutor.curriculum.parse import line_of
from tutor.curriculum.wording import card_error, yaml_problem
from tutor.errors import CardError

DocId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class Step(Strict):
    """A day, week, month or section: what to reach, what to build, read, practise and write."""

    id: Slug
    title: Line
    covers: list[ItemId] = Field(default_factory=list)
    goal: Line | None = None
    build: list[Line] = Field(default_factory=list, description="Things to make with one's hands.")
    systems: list[Line] = Field(default_factory=list, description="Reading on how systems work.")
    foundations: list[Line] = Field(default_factory=list, description="Algorithms and other groundwork.")
    log: Line | None = Field(default=None, description="What the decision log of this step is about.")
    items: list[Line] = Field(default_factory=list, description="Anything else to learn, do or own.")
    cards: list[Slug] = Field(default_factory=list)
    notes: list[DocId] = Field(default_factory=list)
    practice: list[DocId] = Field(default_factory=list)
    resources: list[Resource] = Field(default_factory=list)
    parts: list[Step] = Field(default_factory=list)


class Plan(Entity):
    """Steps in order; ``unit`` is how long a step takes, ``section`` where the order is free.

    ``complete``: it names every card, and none in a step before one that it builds on.
    """

    id: Slug
    type: Literal["plan"]
    title: Line
    about: Line
    unit: Literal["day", "week", "month", "section"]
    complete: bool = False
    steps: list[Step] = Field(min_length=1)

    def walk(self) -> Iterator[Step]:
        """Every step and its parts, in order."""
        waiting = list(reversed(self.steps))
        while waiting:
            step = waiting.pop()
            yield step
            waiting += reversed(step.parts)


class Row(Strict):
    """A row of a table, with the cards that say more."""

    cards: list[Slug] = Field(min_length=1)


class Tier(Row):
    """How much time a group of topics deserves."""

    tier: int = Field(ge=1, le=3)
    title: Line
    bar: Line = Field(description="What mastering the tier means.")
    also: list[Line] = Field(default_factory=list, description="Topics without a card of their own.")


class Thread(Row):
    """Topics that one design pulls in, one after another."""

    id: Slug
    title: Line
    why: Line


class Choice(Row):
    """One row of the decision matrix."""

    need: Line
    choose: Line
    avoid: Line
    why: Line


class Technology(Row):
    """When to reach for a building block, when not, and what instead."""

    name: Line
    use: Line
    avoid: Line
    instead: Line


class Axis(Row):
    """Two ends that a design trades along."""

    id: Slug
    ends: tuple[Line, Line]
    lean: tuple[Line, Line] = Field(description="What makes one lean to the first end, and to the second.")


class Tables(Strict):
    """``tables.yaml``: what is data in the cards on tiers, threads, decisions and trade-offs."""

    tiers: list[Tier] = Field(min_length=1)
    threads: list[Thread] = Field(min_length=1)
    choices: list[Choice] = Field(min_length=1)
    technologies: list[Technology] = Field(min_length=1)
    axes: list[Axis] = Field(min_length=1)
    ambiguous: dict[str, list[Line]] = Field(
        default_factory=dict, description="Acronyms that rightly have several long forms, with all of them."
    )


def read_plan(text: str, *, about: str) -> Plan:
    """A plan from YAML.

    Raises:
        CardError: the YAML is broken, or does not fit the model (every problem named).
    """
    return Plan.model_validate(_load(text, about, Plan))


def read_tables(path: Path) -> Tables:
    """The tables from YAML.

    Raises:
        CardError: the file is missing or broken, or does not fit the model.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CardError(f"cannot be read ({error})", about=str(path)) from error
    return Tables.model_validate(_load(text, str(path), Tables))


def _load(text: str, about: str, model: type[Plan] | type[Tables]) -> Mapping[str, Any]:
    try:
        data = yaml.safe_load(text)
        model.model_validate(data)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        what = yaml_problem(str(getattr(error, "problem", None) or error))
        raise CardError(
            f"is not valid YAML ({what})", about=f"{about}:{line}", fix="Mend or quote that line."
        ) from error
    except ValidationError as error:
        node = yaml.compose(text)
        raise card_error(
            error, model, about=about, line_of=lambda place: line_of(node, place, first=1), whole="file"
        ) from error
    return dict(data)


def as_text(step: Step) -> str:
    """A step as Markdown, to be read and indexed: what it asks for, part by part."""
    lines: list[str] = []
    if step.goal:
        lines += [step.goal, ""]
    for heading, entries in (
        ("Build", step.build),
        ("Systems", step.systems),
        ("Foundations", step.foundations),
        ("Topics", step.items),
    ):
        if entries:
            lines += [f"## {heading}", "", *(f"- {entry}" for entry in entries), ""]
    if step.log:
        lines += ["## Decision log", "", step.log, ""]
    if step.resources:
        lines += ["## Resources", "", *(f"- [{r.title}]({r.url})" for r in step.resources), ""]
    if own := [part.title for part in step.parts if part.covers]:  # documents of their own
        lines += ["## Parts", "", *(f"- {title}" for title in own), ""]
    for part in (p for p in step.parts if not p.covers):
        lines += [f"## {part.title}", "", as_text(part).replace("\n## ", "\n### ").strip(), ""]
    return "\n".join(lines).strip() + "\n"
