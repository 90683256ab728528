"""What a card is: front matter as typed models, and the sections its body must have.

The models are the single source of the card format: ``tutor corpus schema`` prints them as JSON Schema and
``docs/card-format.md`` explains them to authors.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, StringConstraints, model_validator

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
ItemId = Annotated[str, StringConstraints(pattern=r"^(guide|article|day|month|roadmap)/[a-z0-9/-]+$")]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=600, pattern=r"^[^\n]+$")]

Priority = Literal["high", "medium", "low"]
Depth = Literal["fundamental", "intermediate", "deep-dive"]
ProbeKind = Literal["why-not", "compare", "how", "failure", "scale", "estimate", "design", "trade-off"]
ResourceKind = Literal["doc", "blog", "paper", "video", "book", "course", "hands-on"]

#: The nine parts of the study guide's deep-dive template, in order. "Figures" may stand before "Mastery check".
DEEP_DIVE_SECTIONS = (
    "Why it exists",
    "Internal mechanics",
    "Trade-offs",
    "When to use",
    "When NOT to use",
    "Interview traps and red flags",
    "Production failures",
    "Design scenarios",
    "Mastery check",
)
OPTIONAL_SECTIONS = ("Figures",)
#: What every card has, whatever its depth; the other parts of the template are optional below "deep-dive".
NEEDED_SECTIONS: dict[str, tuple[str, ...]] = {
    "deep-dive": DEEP_DIVE_SECTIONS,
    "intermediate": (
        "Why it exists",
        "Internal mechanics",
        "Trade-offs",
        "When to use",
        "When NOT to use",
        "Production failures",
        "Mastery check",
    ),
    "fundamental": ("Why it exists", "Internal mechanics", "Mastery check"),
}


class Strict(BaseModel):
    """Refuses unknown keys; immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Entity(Strict):
    """Anything that has a file of its own, named after its id."""

    id: str


class Resource(Strict):
    """One linked reading."""

    kind: ResourceKind
    title: Line
    url: HttpUrl


class MustHave(Strict):
    """One atomic, checkable point that a good answer contains, and what to ask when it is missing."""

    id: Slug
    point: Line
    aliases: list[Line] = Field(min_length=1, description="Terms and accepted phrasings that also count.")
    follow_up: Line = Field(description="The question an interviewer asks when the point is missing.")


class RedFlag(Strict):
    """A wrong claim, and why it is wrong."""

    wrong: Line
    why: Line


class Alternative(Strict):
    """The other option of a why-not or compare probe: when it wins, and what it costs."""

    name: Line
    wins_when: Line
    costs: Line


class Twist(Strict):
    """A constraint that changes mid-interview, and what should change in the answer."""

    change: Line
    expect: Line


class Probe(Strict):
    """One interview question with its rubric."""

    id: Slug
    kind: ProbeKind
    ask: Line
    alternative: Alternative | None = None
    must_have: list[MustHave] = Field(min_length=3, max_length=6)
    staff_level: list[Line] = Field(min_length=1, description="Points that lift a senior answer to a staff one.")
    red_flags: list[RedFlag] = Field(min_length=1)
    signal: Line = Field(description="What the interviewer is really testing.")
    twist: Twist

    @model_validator(mode="after")
    def _check(self) -> Probe:
        if self.kind in ("why-not", "compare") and self.alternative is None:
            raise ValueError(f"a {self.kind} probe needs 'alternative' (name, wins_when, costs)")
        ids = [m.id for m in self.must_have]
        if len(set(ids)) != len(ids):
            raise ValueError("must_have ids repeat")
        return self


class Card(Entity):
    """The front matter of one card."""

    id: Slug
    title: Line
    covers: list[ItemId] = Field(min_length=1)
    phase: int = Field(ge=0, le=9)
    section: Line
    priority: Priority
    depth: Depth
    tier: int = Field(ge=1, le=3)
    tags: list[Slug] = Field(min_length=1)
    aliases: list[Line] = Field(default_factory=list, description="Other names of the whole topic.")
    acronyms: dict[str, Line] = Field(default_factory=dict, description="Short form to long form; searched both ways.")
    prerequisites: list[Slug] = Field(default_factory=list)
    related: list[Slug] = Field(default_factory=list)
    resources: list[Resource] = Field(min_length=1)
    probes: list[Probe] = Field(default_factory=list)

    @model_validator(mode="after")
    def _check(self) -> Card:
        ids = [p.id for p in self.probes]
        if len(set(ids)) != len(ids):
            raise ValueError("probe ids repeat")
        if self.id in self.prerequisites or self.id in self.related:
            raise ValueError("a card cannot name itself in prerequisites or related")
        return self
