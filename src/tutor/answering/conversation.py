"""What a conversation remembers: its last turns whole, the older ones as a summary, within fixed limits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tutor.errors import UsageError

MAX_TURNS = 6  # carry-over reads the last three; six fit a small model's prompt with room for passages
MAX_SAID_CHARS = 240  # the opening sentence of an answer: enough to name what "the second" is
MAX_QUESTION_CHARS = 1_000  # of a question as it is remembered; a longer one is cut, never refused
MAX_NAMES = 12  # of one turn
SUMMARY_LINES = 12  # older turns told one line each
SUMMARY_NAMES = 24
SUMMARY_LINE_CHARS = 160
MAX_HISTORY = 50  # turns that a client may send; all but the last six become the summary

_MARK = re.compile(r"\s*\[\d+(?:,\s*\d+)*\]")
_MARKDOWN = re.compile(r"[*_`#>]+")
_SENTENCE = re.compile(r"(?<=[.!?])\s")


@dataclass(frozen=True, slots=True)
class Turn:
    """A question as typed and as it was read, and what was answered.

    ``subject`` is what the question was about, as a phrase to carry on; ``said`` the answer's first sentence, empty
    where the curriculum did not answer; ``names`` what was named, in order; ``doc_ids`` the documents cited; ``aside``
    the circumstance it was asked under, "on failover", which ends ``standalone`` and is no part of the subject.
    """

    question: str
    standalone: str
    subject: str = ""
    said: str = ""
    names: tuple[str, ...] = ()
    doc_ids: tuple[str, ...] = ()
    aside: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """Turns that are no longer kept whole: how many, what they named (the last named last), a line on each."""

    turns: int = 0
    names: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()

    def with_turn(self, turn: Turn) -> Summary:
        """The summary with one more turn folded in; the oldest names and lines go where there are too many."""
        names = (*(n for n in self.names if n not in turn.names), *turn.names)[-SUMMARY_NAMES:]
        line = cut(f"{turn.standalone} {turn.said}".strip(), SUMMARY_LINE_CHARS)
        return Summary(self.turns + 1, names, (*self.lines, line)[-SUMMARY_LINES:])


@dataclass(frozen=True, slots=True)
class Conversation:
    """At most ``MAX_TURNS`` turns, oldest first, and a summary of those before; a value, so nothing else changes it."""

    turns: tuple[Turn, ...] = ()
    before: Summary = field(default_factory=Summary)

    @property
    def last(self) -> Turn | None:
        return self.turns[-1] if self.turns else None

    def with_turn(self, turn: Turn) -> Conversation:
        """The conversation with one more turn; the oldest goes into the summary where there are too many."""
        turns, before = (*self.turns, bounded(turn)), self.before
        while len(turns) > MAX_TURNS:
            turns, before = turns[1:], before.with_turn(turns[0])
        return replace(self, turns=turns, before=before)

    def texts(self) -> tuple[str, ...]:
        """All that was asked and said and is still remembered."""
        whole = (text for turn in self.turns for text in (turn.question, turn.standalone, turn.said))
        return (*self.before.lines, *self.before.names, *(text for text in whole if text))

    def to_json(self) -> dict[str, Any]:
        """All that is remembered: what ``/memory`` shows."""
        return {
            "turns": [
                {
                    "question": t.question,
                    "standalone": t.standalone,
                    "subject": t.subject,
                    "said": t.said,
                    "names": list(t.names),
                    "doc_ids": list(t.doc_ids),
                    "aside": t.aside,
                }
                for t in self.turns
            ],
            "before": {
                "turns": self.before.turns,
                "names": list(self.before.names),
                "lines": list(self.before.lines),
            },
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Conversation:
        """The conversation that ``to_json`` wrote, held to the same limits.

        Raises:
            UsageError: the data has another shape.
        """
        try:
            before = data.get("before", {})
            turns = data.get("turns", [])
            if len(turns) > MAX_HISTORY:
                raise UsageError(f"a conversation has at most {MAX_HISTORY} turns, not {len(turns)}")
            summary = Summary(
                max(0, int(before.get("turns", 0))),
                tuple(cut(_text(n), SUMMARY_LINE_CHARS) for n in before.get("names", []))[-SUMMARY_NAMES:],
                tuple(cut(_text(line), SUMMARY_LINE_CHARS) for line in before.get("lines", []))[-SUMMARY_LINES:],
            )
            found = cls((), summary)
            for row in turns:
                one = Turn(
                    _text(row["question"]),
                    _text(row.get("standalone") or row["question"]),
                    _text(row.get("subject", "")),
                    _text(row.get("said", "")),
                    tuple(map(_text, row.get("names", ()))),
                    tuple(map(_text, row.get("doc_ids", ()))),
                    _text(row.get("aside", "")),
                )
                found = found.with_turn(one)
            return found
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(
                f"this is no conversation ({error})", fix="It is written as tutor chat writes it."
            ) from error


def bounded(turn: Turn) -> Turn:
    """The turn within the limits of what is remembered."""
    return Turn(
        cut(turn.question, MAX_QUESTION_CHARS),
        cut(turn.standalone, MAX_QUESTION_CHARS),
        cut(turn.subject, SUMMARY_LINE_CHARS),
        cut(turn.said, MAX_SAID_CHARS),
        turn.names[:MAX_NAMES],
        turn.doc_ids[:MAX_NAMES],
        cut(turn.aside, SUMMARY_LINE_CHARS),
    )


def first_sentence(markdown: str) -> str:
    """The first sentence of an answer without marks, at most ``MAX_SAID_CHARS`` characters."""
    plain = " ".join(_MARKDOWN.sub("", _MARK.sub("", markdown)).split())
    return cut(_SENTENCE.split(plain, maxsplit=1)[0], MAX_SAID_CHARS)


def cut(text: str, most: int) -> str:
    """The text, or its beginning up to a word's end and three dots."""
    if len(text) <= most:
        return text
    return text[: most - 3].rsplit(" ", 1)[0][: most - 3] + "..."


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} where text belongs")
    return value


def joined(names: Sequence[str]) -> str:
    """ "A", "A and B", "A, B and C"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
