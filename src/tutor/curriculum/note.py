"""What a note is: a day of the 28-day plan, or an article of the library; front matter as typed models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, HttpUrl, StringConstraints, model_validator

from tutor.curriculum.card import Entity, ItemId, Line, Resource, Slug, Strict

Area = Literal["data engineering", "machine learning", "AI and LLMs", "programming", "system design"]


class _Note(Entity):
    title: Line
    covers: list[ItemId] = Field(min_length=1)
    tags: list[Slug] = Field(min_length=1)
    aliases: list[Line] = Field(default_factory=list, description="Other names of the whole topic.")
    acronyms: dict[str, Line] = Field(default_factory=dict, description="Short form to long form; searched both ways.")
    related: list[Slug] = Field(min_length=1, description="Ids of cards that go deeper.")


class Article(_Note):
    """The front matter of one article."""

    id: Annotated[str, StringConstraints(pattern=r"^article-[a-z0-9]+(-[a-z0-9]+)*$")]
    type: Literal["article"]
    category: Line
    resources: list[Resource] = Field(min_length=2)


class Exercise(Strict):
    """Something to do with one's hands, and how to tell that it is done."""

    task: Line
    done_when: list[Line] = Field(min_length=1)


class PracticeProblem(Strict):
    """A problem of a public site; ``number`` is the site's, where it has one."""

    name: Line
    number: int | None = Field(default=None, ge=1)
    url: HttpUrl
    why: Line = Field(description="Why it fits the day.")


class Day(_Note):
    """The front matter of one day: what to watch, read, do, solve and think about."""

    id: Annotated[str, StringConstraints(pattern=r"^day-[0-9]{2}$")]
    type: Literal["day"]
    day: int = Field(ge=1, le=28)
    area: Area
    video: Resource
    readings: list[Resource] = Field(min_length=3, max_length=3)
    exercise: Exercise
    problem: PracticeProblem
    reflection: Line

    @model_validator(mode="after")
    def _check(self) -> Day:
        if self.id != f"day-{self.day:02d}":
            raise ValueError(f"day {self.day} has the id day-{self.day:02d}")
        if self.video.kind != "video":
            raise ValueError("the video's kind is 'video'")
        return self


def agenda(day: Day) -> str:
    """What a day asks for, as Markdown sections to stand below its notes."""
    problem = f"{day.problem.number}. {day.problem.name}" if day.problem.number else day.problem.name
    lines = [
        "## Resources",
        "",
        *(f"- [{r.title}]({r.url})" for r in (day.video, *day.readings)),
        "",
        "## Exercise",
        "",
        day.exercise.task,
        "",
        *(f"- Done when {done}" for done in day.exercise.done_when),
        "",
        "## Practice problem",
        "",
        f"[{problem}]({day.problem.url}): {day.problem.why}",
        "",
        "## Reflection",
        "",
        day.reflection,
        "",
    ]
    return "\n".join(lines)
