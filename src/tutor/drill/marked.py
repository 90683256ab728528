"""A learner's own words with the stretches marked that the points of a grade rest on."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from tutor.drill.records import Round, State
from tutor.drill.session import said


class Span(NamedTuple):
    """``label`` names what rests on ``text[start:end]`` of all that was said."""

    label: str
    start: int
    end: int
    text: str = ""


class Stretch(NamedTuple):
    """A run of words with all that rests on it; ``ends`` are the labels whose last stretch it is."""

    text: str
    labels: tuple[str, ...]
    ends: tuple[str, ...] = ()


class Reply(NamedTuple):
    """The learner's words to one question; ``start`` is where they begin in the text that spans are of."""

    state: State
    question: str
    text: str
    start: int


def replies(done: Round) -> list[Reply]:
    """What was said to a task, in order: answer, follow-ups, twist; passes and what was cleared up before left out.

    The text of all joined by line ends is what the spans of the task's grade are of.
    """
    found: list[Reply] = []
    at, question = 0, ""
    for turn in done.turns:
        if turn.who == "interviewer":
            question = turn.shown
        elif turn.state in ("answer", "follow-up", "twist"):
            words = said([turn.model_copy(update={"state": "answer"})])
            if words:
                found.append(Reply(turn.state, question, words, at))
                at += len(words) + 1
    return found


def stretches(reply: Reply, spans: Iterable[Span]) -> list[Stretch]:
    """A reply cut where something begins or ends that rests on it; together the stretches are its text.

    A span whose ``text`` does not stand at its place is looked for in the reply, and left out where it is not there:
    an earlier version may have counted otherwise.
    """
    inside = [found for span in spans if (found := _placed(reply, span))]
    cuts = sorted({0, len(reply.text), *(s.start for s in inside), *(s.end for s in inside)})
    result = []
    for start, end in pairwise(cuts):
        labels = tuple(s.label for s in inside if s.start <= start and end <= s.end)
        ends = tuple(s.label for s in inside if s.end == end)
        result.append(Stretch(reply.text[start:end], labels, ends))
    return result


def _placed(reply: Reply, span: Span) -> Span | None:
    """The span within the reply's own text, from its begin; None where it is not in it."""
    start, end = max(0, span.start - reply.start), min(len(reply.text), span.end - reply.start)
    if start < end and (not span.text or reply.text[start:end] in span.text):
        return span._replace(start=start, end=end)
    if span.text and (at := reply.text.find(span.text)) >= 0 and span.end <= span.start:
        return span._replace(start=at, end=at + len(span.text))
    return None
