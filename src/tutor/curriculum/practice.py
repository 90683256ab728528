"""What is practised: problems to design, flawed designs to review, outages to study, stories to tell."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from tutor.curriculum.card import Entity, ItemId, Line, Resource, Slug, Strict

Step = Literal[
    "requirements",
    "estimation",
    "api",
    "data-model",
    "architecture",
    "deep-dive",
    "scale",
    "operations",
    "wrap-up",
    "api-data-model",
    "trade-offs",
    "scaling",
    "cost",
    "reliability",
    "observability",
    "evolution",
]
#: The nine steps of the interview playbook, in order, and the minutes of a 45-minute round that each may take.
STEPS: dict[Step, int] = {
    "requirements": 5,
    "estimation": 3,
    "api": 3,
    "data-model": 5,
    "architecture": 8,
    "deep-dive": 10,
    "scale": 5,
    "operations": 3,
    "wrap-up": 3,
}
#: The ten dimensions of a capstone, in order, and the minutes of a 50-minute round that each may take.
DIMENSIONS: dict[Step, int] = {
    "requirements": 4,
    "estimation": 4,
    "api-data-model": 6,
    "architecture": 7,
    "trade-offs": 6,
    "scaling": 6,
    "cost": 4,
    "reliability": 5,
    "observability": 4,
    "evolution": 4,
}
Track = Literal["lld", "hld", "ml", "genai", "capstone"]


class _Practice(Entity):
    title: Line
    covers: list[ItemId] = Field(min_length=1)
    tags: list[Slug] = Field(min_length=1)
    aliases: list[Line] = Field(default_factory=list)
    acronyms: dict[str, Line] = Field(default_factory=dict)
    related: list[Slug] = Field(min_length=1, description="Ids of cards that the exercise draws on.")
    resources: list[Resource] = Field(default_factory=list)


class Problem(_Practice):
    """A design problem with its grading rubric; ``tier`` is the rung of its track's ladder, 1 the easiest."""

    id: Annotated[str, StringConstraints(pattern=r"^(lld|hld|ml|genai|capstone)-[a-z0-9]+(-[a-z0-9]+)*$")]
    type: Literal["problem"]
    track: Track
    tier: int = Field(ge=1, le=4)
    ask: Line = Field(description="The prompt as an interviewer speaks it.")
    rubric: dict[Step, list[Line]] = Field(
        description="What a good answer has at each step of the playbook; in a capstone, in each of its ten dimensions."
    )

    @property
    def time_boxes(self) -> dict[Step, int]:
        """Minutes for each step that a round of this track goes through, in order."""
        return DIMENSIONS if self.track == "capstone" else STEPS

    @model_validator(mode="after")
    def _check(self) -> Problem:
        if not self.id.startswith(f"{self.track}-"):
            raise ValueError(f"the id of a {self.track} problem begins with '{self.track}-'")
        needed = {"requirements", "api", "data-model", "deep-dive"} if self.track == "lld" else set(self.time_boxes)
        graded = {step for step, points in self.rubric.items() if points}
        if missing := [step for step in self.time_boxes if step in needed - graded]:
            raise ValueError(f"rubric lacks {', '.join(missing)}")
        if strange := graded - set(self.time_boxes):
            raise ValueError(f"a {self.track} problem has no step {', '.join(sorted(strange))}")
        return self


class Flaw(Strict):
    """One planted flaw of a design: where it stands, what goes wrong, and what mends it."""

    id: Slug
    point: Line
    aliases: list[Line] = Field(min_length=1)
    shows: Line = Field(description="How it shows in production.")
    mend: Line


class FlawedDesign(_Practice):
    """A design to review: the body describes it, the flaws are its rubric."""

    id: Annotated[str, StringConstraints(pattern=r"^review-[a-z0-9]+(-[a-z0-9]+)*$")]
    type: Literal["flawed-design"]
    flaws: list[Flaw] = Field(min_length=3)


class Study(_Practice):
    """An outage, playbook, checklist or set of prompts: prose to read and work through."""

    id: Slug
    type: Literal["outage", "playbook", "checklist", "prompts"]
