"""What a drill consists of: tasks for a probe, a card, a set, a decision, a design mock, a review or a story."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TypeGuard

from tutor.curriculum.card import Card, Probe
from tutor.curriculum.corpus import Corpus
from tutor.curriculum.practice import FlawedDesign, Problem
from tutor.drill import arithmetic, decision, star
from tutor.drill.gaming import content
from tutor.drill.records import Task
from tutor.drill.rubric import MOVE, Move, Point, of_probe, of_review, of_step
from tutor.drill.scenarios import TITLES, scenario
from tutor.errors import NotFound, UsageError

FORMATS = (
    "probe", "card", "set", "decision", "estimate", "hld", "lld", "ml", "genai", "capstone", "review", "behavioural",
)  # fmt: skip
MOCKS = ("hld", "lld", "ml", "genai", "capstone", "review")
#: A drill that goes from step to step; its grades are read when it is over.
ROUNDS = tuple(kind for kind in MOCKS if kind != "review")
STORIES = "star-prompts"
_CHOICES = frozenset({"why-not", "compare", "trade-off"})


@dataclass(frozen=True, slots=True)
class Selection:
    """Which probes a set is drawn from; what is empty does not narrow it. ``only`` are (card, probe) keys."""

    cards: Collection[str] = ()
    phases: Collection[int] = ()
    tiers: Collection[int] = ()
    kinds: Collection[str] = ()
    only: Collection[tuple[str, str]] | None = None
    count: int | None = None
    seed: int | None = None

    @property
    def narrows(self) -> bool:
        """Whether it says more than a seed."""
        return bool(self.cards or self.phases or self.tiers or self.kinds or self.only is not None or self.count)


def of_one(card: Card, probe: Probe, *, follow_ups: int = 3) -> Task:
    """A quick probe."""
    return Task(card=card.id, probe=probe.id, rubric=of_probe(card, probe), follow_ups=follow_ups)


def of_whole_card(card: Card) -> list[Task]:
    """Every probe of a card, in its order.

    Raises:
        NotFound: the card has none.
    """
    if not card.probes:
        raise NotFound("the card has no probes", about=card.id, fix="Drill another: tutor drill --phase 4")
    return [
        of_one(card, probe, follow_ups=2).model_copy(update={"clarify": n == 0}) for n, probe in enumerate(card.probes)
    ]


def drawn(corpus: Corpus, chosen: Selection, count: int, *, deciding: bool = False) -> list[tuple[Card, Probe]]:
    """Probes drawn at random, no card twice before every card had its turn; with a seed the same ones again.

    Args:
        corpus: what they are drawn from.
        chosen: what narrows it.
        count: how many, where the selection does not say.
        deciding: only those with an alternative to decide between.

    Raises:
        NotFound: nothing fits.
        UsageError: the count is out of range, or more than fit.
    """
    wanted = count if chosen.count is None else chosen.count
    if not 1 <= wanted <= 50:
        raise UsageError(f"a set has 1 to 50 probes, not {wanted}", about="count")
    fitting = [
        (card, probe)
        for card in corpus.cards.values()
        if (not chosen.cards or card.id in chosen.cards)
        and (not chosen.phases or card.phase in chosen.phases)
        and (not chosen.tiers or card.tier in chosen.tiers)
        for probe in card.probes
        if (not chosen.kinds or probe.kind in chosen.kinds)
        and (chosen.only is None or (card.id, probe.id) in chosen.only)
        and (not deciding or (probe.kind in _CHOICES and probe.alternative))
    ]
    if not fitting:
        raise NotFound("no probe fits", fix="Widen it: another phase (0 to 9), tier (1 to 3) or kind.")
    if chosen.count and chosen.only is None and chosen.count > len(fitting):
        raise UsageError(
            f"only {len(fitting)} fit, not {chosen.count}", about="count", fix="Ask for fewer, or widen it."
        )
    random.Random(chosen.seed).shuffle(fitting)
    turns: dict[str, int] = {}
    ranked: list[tuple[int, int]] = []
    for n, (card, _) in enumerate(fitting):
        ranked.append((turns.get(card.id, 0), n))
        turns[card.id] = turns.get(card.id, 0) + 1
    return [fitting[n] for _, n in sorted(ranked)[:wanted]]


def of_set(corpus: Corpus, chosen: Selection) -> list[Task]:
    """Probes as ``drawn``, five where the selection does not say how many."""
    picked = drawn(corpus, chosen, 5)
    return [of_one(card, probe, follow_ups=2).model_copy(update={"clarify": False}) for card, probe in picked]


def of_kind(corpus: Corpus, kind: str, chosen: Selection) -> list[Task]:
    """Tasks of a format that is about a card, drawn: probes or decisions, one where nothing else is said, or a card.

    Raises:
        NotFound: nothing fits.
        UsageError: a count of cards.
    """
    if kind == "card" and chosen.count:
        raise UsageError("one card is drawn at a time", about="count", fix="A set has a count: leave the format out.")
    picked = drawn(corpus, chosen, 1, deciding=kind == "decision")
    if kind == "card":
        return of_whole_card(picked[0][0])
    return [of_decision(*pair) if kind == "decision" else of_one(*pair) for pair in picked]


def command_for(corpus: Corpus, card: str, probe: str) -> str:
    """The command that drills a result again which is no card's probe, or nothing where there is none any more."""
    if card == STORIES:
        return f"tutor drill --format behavioural {probe}"
    if card == "estimation":
        return f"tutor drill --format estimate --seed {probe.removeprefix('estimate-')}"
    entry = corpus.entries.get(card)
    kind = "review" if isinstance(entry, FlawedDesign) else entry.track if isinstance(entry, Problem) else ""
    return f"tutor drill --format {kind} {card}" if kind else ""


def of_decision(card: Card, probe: Probe, constraint: str = "", makes: Move | None = None) -> Task:
    """A decision: choose, say when the other wins and what the choice costs; then the constraint moves.

    The constraint that moves is the probe's twist where it is known which choice it makes right, else the condition
    under which the alternative wins.

    Args:
        card: the card of the probe.
        probe: one with an alternative.
        constraint: the learner's own, in their words.
        makes: the choice that this constraint makes right, where that is known; then it is what falls away.

    Raises:
        UsageError: the probe has no alternative.
    """
    other = probe.alternative
    if other is None:
        raise UsageError(
            f"'{probe.id}' has no alternative to decide between",
            about=card.id,
            fix="Choose a why-not or compare probe.",
        )
    rubric = of_probe(card, probe)
    move, twist, expect = decision.move_of(card, probe), rubric.twist, rubric.expect
    if makes is not None:
        move = Move(leave=makes.take, take=makes.leave)
        twist = f"This no longer holds: {constraint}."
        expect = f"Without it the choice returns to {', '.join(move.take[:2])}."
    elif move is None:
        move, twist, expect = decision.to_alternative(card, probe), other.wins_when, f"{other.name} is right now."
    extra = (
        Point(
            id="other-wins",
            text=f"{other.name} wins when: {other.wins_when}",
            follow_up=f"Under which conditions would you choose {other.name} after all?",
        ),
        Point(
            id="other-costs", text=f"{other.name} costs: {other.costs}", follow_up=f"What does {other.name} cost you?"
        ),
        Point(id=MOVE, text=f"The choice follows the constraint. Under “{twist}”: {expect}"),
    )
    under = f" Your constraint: {constraint}." if constraint else ""
    ask = (
        f"{probe.ask}{under} Decide between “{card.title}” and “{other.name}”: name your choice, the condition it "
        "rests on, and its price."
    )
    rubric = rubric.model_copy(
        update={
            "points": (*rubric.points, *extra),
            "ask": ask,
            "twist": twist,
            "expect": expect,
            "move": move,
            "graded": "decision",
        }
    )
    return Task(card=card.id, probe=probe.id, rubric=rubric, follow_ups=3)


#: How a design is asked for before its name: "design a URL shortener".
_DESIGN = re.compile(
    r"^(?:(?:please|how would you|can you|let['’]s) )*(?:design|build|review)(?: me| us)?(?: (?:a|an|the))? "
)


def decisions(cards: Iterable[Card]) -> list[tuple[Card, Probe]]:
    """The probes that have an alternative."""
    return [(c, p) for c in cards for p in c.probes if p.kind in _CHOICES and p.alternative]


def of_mock(problem: Problem) -> list[Task]:
    """The steps of a design problem, each in its time box; operations are never left out.

    45 minutes by the playbook, 29 or 32 for low-level design, which has six or seven of its steps, 50 for a capstone.
    """
    steps = [step for step in problem.time_boxes if problem.rubric.get(step) or step == "operations"]
    tasks = []
    for n, step in enumerate(steps):
        brief = problem.ask if n == 0 else ""
        rubric = of_step(problem, step)
        tasks.append(
            Task(
                card=problem.id,
                probe=step,
                rubric=rubric,
                brief=brief,
                clarify=n == 0,
                rate=n + 1 == len(steps),
                follow_ups=0,
                minutes=problem.time_boxes[step],
            )
        )
    return tasks


def of_flawed(design: FlawedDesign, body: str) -> list[Task]:
    """A flawed design to review: its description is the brief."""
    return [Task(card=design.id, rubric=of_review(design), brief=body.strip(), clarify=False, follow_ups=3, minutes=20)]


def of_exercise(corpus: Corpus, name: str, kind: str, *, seed: int | None = None) -> list[Task]:
    """The tasks of an exercise by its id or a part of its title, or one drawn at random where ``name`` is empty.

    Raises:
        NotFound: there is none of that name; names the nearest.
    """

    def fits(entry: object) -> TypeGuard[Problem | FlawedDesign]:
        return (
            isinstance(entry, FlawedDesign) if kind == "review" else isinstance(entry, Problem) and entry.track == kind
        )

    wanted = [entry for entry in corpus.entries.values() if fits(entry)]
    if not name:
        if not wanted:
            raise NotFound("there is no exercise of this kind", about=kind)
        chosen = random.Random(seed).choice(sorted(wanted, key=lambda e: e.id))
    else:
        low = _DESIGN.sub("", name.lower().strip(" .?!")) or name.lower().strip()
        hits = [e for e in wanted if low in (e.id, e.id.removeprefix(f"{kind}-"), e.title.lower())] or [
            e for e in wanted if all(w in f"{e.id} {e.title} {' '.join(e.aliases)}".lower() for w in low.split())
        ]
        if not hits:
            import difflib

            ids = [e.id for e in wanted]
            near = difflib.get_close_matches(f"{kind}-{low.replace(' ', '-')}", ids, n=3, cutoff=0.3) or sorted(ids)[:3]
            raise NotFound(f"no {kind} exercise has this name", about=name, fix=f"Did you mean: {', '.join(near)}?")
        chosen = hits[0]
    if isinstance(chosen, FlawedDesign):
        return of_flawed(chosen, corpus.bodies[chosen.id])
    return of_mock(chosen)


def of_estimate(seed: int | None, request: str = "") -> Task:
    """A back-of-envelope estimate with figures drawn by a seed; without one, by chance.

    Raises:
        NotFound: ``request`` names none of the systems that are estimated.
    """
    number = seed if seed is not None else random.SystemRandom().randrange(2**31)
    if request:
        title = _system(request)
        number = next(n for n in itertools.count(number) if scenario(n).title == title)
    rubric = arithmetic.rubric_of(number)
    return Task(card=rubric.doc_id, probe=f"estimate-{number}", rubric=rubric, follow_ups=2, minutes=8)


def _system(request: str) -> str:
    """The title that has most of a request's words; common words such as "service" decide only between equals."""
    wanted = set(content(request))

    def shared(title: str) -> float:
        return sum(0.1 if word in ("service", "site", "store") else 1 for word in wanted & set(content(title)))

    best = max(TITLES, key=shared)
    if not shared(best):
        raise NotFound("no such system is estimated", about=request, fix=f"Known: {', '.join(TITLES)}.")
    return best


def of_story(corpus: Corpus, request: str, seed: int | None) -> Task:
    """A behavioural prompt: the one whose words the request has most of, else one drawn by the seed.

    Raises:
        NotFound: the curriculum has no prompts.
    """
    entry = corpus.entries.get(STORIES)
    if entry is None:
        raise NotFound("there are no behavioural prompts", about=STORIES)
    stories = star.prompts(corpus.bodies[STORIES])
    if named := next((s for s in stories if request.lower() == f"prompt-{s.number}"), None):
        request = named.ask
    wanted = set(content(request))
    best = max(stories, key=lambda s: len(wanted & set(content(f"{s.theme} {s.ask}"))))
    if not wanted & set(content(f"{best.theme} {best.ask}")):
        best = random.Random(seed).choice(stories)
    rubric = star.rubric(best, entry.title, STORIES).model_copy(update={"graded": "story"})
    return Task(card=STORIES, probe=f"prompt-{best.number}", rubric=rubric, clarify=False, follow_ups=3, minutes=4)
