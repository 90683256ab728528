"""The prompts: what a person picks from an editor's menu, as the first message of a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tutor.errors import NotFound, UsageError
from tutor.text import mended

_MOST = 1_000  # characters of an argument


@dataclass(frozen=True, slots=True)
class PromptSpec:
    """A prompt. ``arguments`` are (name, description, required); ``card`` names the one whose document goes along."""

    name: str
    title: str
    description: str
    arguments: tuple[tuple[str, str, bool], ...]
    text: str
    card: str = ""


_DRILL = (
    "Run a mock interview drill on {topic} with me. Call drill_start with it as the request, then ask me exactly the "
    "question it gives and wait for my answer. Hand my words to drill_answer unchanged, with the ids of the drill and "
    "of the question. Give no hints and no answers of your own. When it is over show me the grade, each missed point "
    "with what to read, and the next move."
)
_READING_DRILL = (
    "Run a mock interview on {topic} with me. Find its card with search and read it with card. Ask me its questions "
    "one at a time, wait for my answer, and follow up on what is missing. Then list which points I covered and missed, "
    "each with the sentence of the card that says it. Nothing is stored: this server does not allow drills."
)
PROMPTS = (
    PromptSpec(
        "mock_drill",
        "Mock interview drill",
        "One question at a time, follow-ups on what is missing, a grade with evidence.",
        (("topic", "A card, a question, or as in: why not kafka for emails", True),),
        _DRILL,
    ),
    PromptSpec(
        "why_not",
        "Why not this technology?",
        "When not to use something, what to take instead, and where it wins after all.",
        (("technology", "As in: Kafka", True), ("context", "What it would be used for", False)),
        "Why not {technology}{context}? Call ask with this question first. Answer from what it cites: the verdict, the "
        "better alternative, the conditions under which {technology} would win after all, figures where there are any. "
        "Keep the [n] marks and list the sources. Where it does not answer, say so.",
    ),
    PromptSpec(
        "explain_card",
        "Explain a card",
        "A card in plain words, with a check of what was understood.",
        (("card", "A card by id, title or alias", True),),
        "Explain the card below to me in plain words, at the level of a staff engineer: what it is, when to use it, "
        "when not, its trade-offs with figures. Say nothing that the card does not say. Then ask me two questions that "
        "show whether I understood it.",
        card="card",
    ),
)


def listed(*, drills: bool) -> tuple[PromptSpec, ...]:
    """The prompts; without drills the mock drill reads the card instead of keeping a score."""
    if drills:
        return PROMPTS
    first = PROMPTS[0]
    reading = PromptSpec(
        first.name, first.title, "One question at a time from the card; nothing is stored.", first.arguments,
        _READING_DRILL,
    )  # fmt: skip
    return (reading, *PROMPTS[1:])


def find_prompt(name: str, *, drills: bool) -> PromptSpec:
    """A prompt by its name.

    Raises:
        NotFound: there is none.
    """
    prompts = listed(drills=drills)
    for spec in prompts:
        if spec.name == name:
            return spec
    raise NotFound("no prompt is called so", about=name[:80], fix=f"Known: {', '.join(p.name for p in prompts)}.")


def fill(spec: PromptSpec, given: Mapping[str, str]) -> str:
    """The prompt's text with its arguments, each on one line.

    Raises:
        UsageError: an argument is missing, unknown or too long.
    """
    known = [name for name, _, _ in spec.arguments]
    if unknown := sorted(set(given) - set(known)):
        raise UsageError("unknown argument", about=unknown[0][:80], fix=f"It takes: {', '.join(known)}.")
    values = {}
    for name, about, required in spec.arguments:
        value = " ".join(mended(given.get(name, "")).split())
        if required and not value:
            raise UsageError("the argument is missing", about=name, fix=f"{about}.")
        if len(value) > _MOST:
            raise UsageError(f"the argument has more than {_MOST:,} characters", about=name)
        values[name] = f" for {value}" if name == "context" and value else value
    text = spec.text
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text
