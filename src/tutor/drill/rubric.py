"""What an answer is graded against: points, red flags, and what lifts an answer; made from cards and exercises."""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic import Field

from tutor.curriculum.card import Card, Probe, Strict
from tutor.curriculum.practice import FlawedDesign, Problem, Step

_SPOKEN = {"api": "API", "api-data-model": "API and data model", "trade-offs": "Trade-offs, with alternatives"}
#: What an interviewer says at a step of a design round.
_ASKED: dict[str, str] = {
    "requirements": "We design “{title}”. What must it do, and how well must it do it?",
    "estimation": "How big is it? Estimate the traffic, the storage and the bandwidth.",
    "api": "What does its API look like?",
    "data-model": "What do you store, where, and by which keys is it read?",
    "api-data-model": "What does the API look like, and what do you store behind it?",
    "architecture": "Draw me the architecture. What happens to one request on its way through it?",
    "deep-dive": "Let us go deep. Which part is the hardest, and how does it work in detail?",
    "scale": "Now it grows tenfold. What breaks first, and what do you do about it?",
    "scaling": "Now it grows tenfold. What breaks first, and what do you do about it?",
    "trade-offs": "Which decisions could have gone the other way, and why did you take these?",
    "operations": "It is live. How do you watch it, change it and get it back when it fails?",
    "cost": "What does it cost, and where would you save?",
    "reliability": "What fails, what do users then see, and how does it recover?",
    "observability": "It is slow for some users. How do you notice, and how do you find out why?",
    "evolution": "How does this look in two years, and how do you get there without a stop?",
    "wrap-up": "We are nearly out of time. Sum it up: what is weak, and what would you do next?",
}
#: How every design round closes; for problems without points of their own for it, those of low-level design.
CLOSE_OUT = (
    "It is said what is logged or measured in production, and which of it raises an alert.",
    "It is said how a change is rolled out and taken back while stored data and old callers keep working.",
    "It is said how the code is tested, with concurrent use and the failure of what it depends on.",
)
#: The id of the point that the reply to a twist is graded against.
TWIST = "twist"
#: The id of the point of a decision drill that the reply to the moved constraint makes.
MOVE = "move"


class Claim(NamedTuple):
    """``text`` is what sentences are compared with to find the nearest; ``asked`` is what the judge reads with them."""

    text: str
    asked: str


def flag_claim(wrong: str, why: str) -> Claim:
    """A red flag as a claim: without the truth beside it the judge takes the right view of its subject for the flag."""
    return Claim(wrong, f"Red flag: {wrong} In truth: {why}")


class Point(Strict):
    """One checkable claim; ``aliases`` are accepted phrasings, ``follow_up`` is asked where it is missing."""

    id: str
    text: str
    aliases: tuple[str, ...] = ()
    follow_up: str = ""


class Flag(Strict):
    """A wrong claim, and why it is wrong; ``id`` counts from 1."""

    id: int
    wrong: str
    why: str


class Move(Strict):
    """What a moved constraint makes wrong and what it makes right: names of options, in lower case."""

    leave: tuple[str, ...] = ()
    take: tuple[str, ...] = ()


class Rubric(Strict):
    """``doc_id`` is the document the points are from; ``lifts`` are what makes a senior answer a staff one.

    ``graded`` says by what: the claims of its points, the arithmetic of the scenario drawn by ``seed``, a story's
    form, or claims and a choice that must go where ``move`` says.
    """

    doc_id: str
    title: str
    ask: str
    points: tuple[Point, ...]
    flags: tuple[Flag, ...] = ()
    lifts: tuple[str, ...] = ()
    twist: str = ""
    expect: str = Field("", description="What should change in the answer with the twist.")
    signal: str = ""
    graded: Literal["claims", "arithmetic", "story", "decision"] = "claims"
    move: Move | None = None
    seed: int = 0

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What an answer is searched for: points, flags and lifts, in this order."""
        return (
            *(Claim(p.text, p.text) for p in self.points),
            *(flag_claim(f.wrong, f.why) for f in self.flags),
            *(Claim(line, line) for line in self.lifts),
        )


def of_probe(card: Card, probe: Probe) -> Rubric:
    """The rubric of a card's probe."""
    return Rubric(
        doc_id=card.id,
        title=card.title,
        ask=probe.ask,
        points=tuple(
            Point(id=m.id, text=m.point, aliases=tuple(m.aliases), follow_up=m.follow_up) for m in probe.must_have
        ),
        flags=tuple(Flag(id=n, wrong=f.wrong, why=f.why) for n, f in enumerate(probe.red_flags, 1)),
        lifts=tuple(probe.staff_level),
        twist=probe.twist.change,
        expect=probe.twist.expect,
        signal=probe.signal,
    )


def of_card(card: Card, ask: str) -> Rubric:
    """A question of the learner's own, graded against all that the card's probes want; point ids carry the probe's."""
    return Rubric(
        doc_id=card.id,
        title=card.title,
        ask=ask,
        points=tuple(
            Point(id=f"{p.id}/{m.id}", text=m.point, aliases=tuple(m.aliases), follow_up=m.follow_up)
            for p in card.probes
            for m in p.must_have
        ),
        flags=tuple(
            Flag(id=n, wrong=f.wrong, why=f.why) for n, f in enumerate((f for p in card.probes for f in p.red_flags), 1)
        ),
        lifts=tuple(line for p in card.probes for line in p.staff_level),
    )


def step_name(step: str) -> str:
    """A step of a design round as it is spoken of: "api-data-model" → "API and data model"."""
    return _SPOKEN.get(step, step.replace("-", " ").capitalize())


def of_step(problem: Problem, step: Step) -> Rubric:
    """The rubric of one step of a design problem."""
    lines = problem.rubric.get(step) or (CLOSE_OUT if step == "operations" else ())
    name = step_name(step)
    return Rubric(
        doc_id=problem.id,
        title=problem.title,
        ask=_ASKED.get(step, "Let us talk about {name}.").format(name=name[0].lower() + name[1:], title=problem.title),
        points=tuple(Point(id=f"{step}-{n}", text=line) for n, line in enumerate(lines, 1)),
    )


def of_review(design: FlawedDesign) -> Rubric:
    """The planted flaws of a design."""
    return Rubric(
        doc_id=design.id,
        title=design.title,
        ask="Review this design: which flaws do you see, how would each show in production, and what mends it?",
        points=tuple(
            Point(id=f.id, text=f.point, aliases=tuple(f.aliases), follow_up=f"Production reports: {f.shows} Why?")
            for f in design.flaws
        ),
    )
