"""What is kept of a model's part in an answer, and the events while it writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tutor.models.port import Usage

if TYPE_CHECKING:
    from tutor.answering.answer import Answer
    from tutor.answering.cite import Citation
    from tutor.answering.compose import Sentence


@dataclass(frozen=True, slots=True)
class Generation:
    """Who wrote, how much of it stood up, and what it took.

    ``sentences`` is how many could be checked, ``supported`` how many of them a cited span says, ``dropped`` the others
    with the reason. ``fallback`` is why the extractive answer stands instead ("" where the written one does).
    ``first_ms`` until the model's first piece (None: there was none), ``ms`` until the end, checks included. ``kept``:
    the reply had been written before and was checked anew. ``trouble``: what went wrong after its beginning had been
    sent: the sentences that stood up by then are the answer.
    """

    model: str
    usage: Usage
    first_ms: float | None
    ms: float
    sentences: int
    supported: int
    dropped: tuple[Dropped, ...]
    fallback: str = ""
    kept: bool = False
    trouble: str = ""

    @property
    def share(self) -> float:
        """The supported share of its sentences, in [0, 1]; 0 where there were none."""
        return self.supported / self.sentences if self.sentences else 0.0

    def line(self) -> str:
        """One line for a reader."""
        taken = f"; {self.took()}" if self.took() else ""
        if self.fallback:
            why = f"not written by {self.model}: {self.fallback}"
            return f"{why}; the sentences above are quoted from the library{taken}"
        dropped = f"; {len(self.dropped)} dropped" if self.dropped else ""
        noun = "sentence" if self.sentences == 1 else "sentences"
        when = ", kept from before" if self.kept else ""
        ended = f"; it ended early: {self.trouble}" if self.trouble else ""
        checked = f"{self.supported} of {self.sentences} {noun} supported{dropped}"
        return f"written by {self.model}{when}; {checked}{taken}{ended}"

    def took(self) -> str:
        """The tokens and, where the model does not run here, the cost of the reply; "" where nothing was taken."""
        usage = self.usage
        if not usage.tokens:
            return ""
        tokens = f"{'about ' if usage.estimated else ''}{usage.tokens:,} tokens"
        if usage.cost_usd is None:
            return f"{tokens}, cost not known"
        if usage.cost_usd == 0:
            return tokens
        return f"{tokens}, {'under $0.0001' if usage.cost_usd < 0.0001 else f'${usage.cost_usd:.4f}'}"


def never_asked(model: str, why: str) -> Generation:
    """The part of a model that is set up and was not asked."""
    return Generation(model, Usage(0, 0, 0.0), None, 0.0, 0, 0, (), fallback=why)


@dataclass(frozen=True, slots=True)
class Draft:
    """Text as the model writes it, unchecked: to be shown as a draft, as plain text, or not at all."""

    text: str


@dataclass(frozen=True, slots=True)
class Settled:
    """A sentence that its cited spans say."""

    sentence: Sentence
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A sentence that does not reach the answer, and why."""

    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The end: the answer that stands, with its ``generation`` (None where the model was not asked)."""

    answer: Answer


Event = Draft | Settled | Dropped | Finished
