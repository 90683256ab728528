"""Conversations taken along: Markdown, JSON, and a file that shows them anywhere, without scripts or a server.

What the learner's own log says is left out of the file that is shared: it was not written for others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import Response
from markupsafe import Markup

from tutor.answering.answer import Answer
from tutor.answering.compose import Sentence
from tutor.keeping import LAID_OUT, kept_answer
from tutor.study.conversations import KeptTurn, Summary, Thread
from tutor.web.pieces import capital, copyable, place, words
from tutor.web.render import inline
from tutor.web.views import page


@dataclass(frozen=True, slots=True)
class SharedTurn:
    """A question as the file shows it; ``verdict`` and ``groups`` are safe HTML, ``text`` an answer as it was written.

    ``groups`` are a label and its lines each; a line's ``[n]`` leads to the source ``n`` below it:
    ``sources`` are its number, where it stands, and what is quoted.
    """

    number: int
    question: str
    read: str
    text: str
    verdict: Sequence[Markup] = ()
    groups: Sequence[tuple[str, Sequence[Markup]]] = ()
    sources: Sequence[tuple[int, str, str]] = ()
    notes: Sequence[str] = ()


def shared_page(request: Request, title: str, turns: Sequence[KeptTurn], zone: ZoneInfo) -> Response:
    """A file to download, which loads nothing and runs nothing."""
    shown = [_shared(turn, number) for number, turn in enumerate(turns, 1)]
    day = f"{turns[-1].at.astimezone(zone):%-d %B %Y}" if turns else ""
    return page(
        request, "conversations/shared.html", headers=attachment(title, "html"), heading=title, turns=shown, day=day
    )


def attachment(title: str, suffix: str) -> dict[str, str]:
    """Headers of a file that is saved under a name made of its title, and kept by no browser or proxy."""
    name = re.sub(r"[^a-z0-9]+", "-", title.lower())[:60].strip("-") or "conversation"
    return {"Content-Disposition": f'attachment; filename="{name}.{suffix}"', "Cache-Control": "no-store"}


def summary_json(about: Summary) -> dict[str, Any]:
    """A conversation without its turns as JSON."""
    created, changed = (moment.isoformat(timespec="seconds") for moment in (about.created, about.changed))
    return {"id": about.id, "title": about.title, "created": created, "changed": changed, "questions": about.turns}


def turn_json(turn: KeptTurn) -> dict[str, Any]:
    """A turn as JSON, its answer as the API gave it."""
    return {
        "id": turn.id,
        "at": turn.at.isoformat(timespec="seconds"),
        "question": turn.question,
        "standalone": turn.standalone or None,
        "vote": turn.vote,
        "reason": turn.reason,
        "answer": {name: value for name, value in turn.answer.items() if name != LAID_OUT},
    }


def thread_json(thread: Thread) -> dict[str, Any]:
    """A conversation with its turns as JSON."""
    return summary_json(thread.about) | {"turns": [turn_json(turn) for turn in thread.turns]}


def thread_markdown(thread: Thread) -> str:
    """A conversation as Markdown: each question a heading, its answer and its sources below it."""
    parts = [f"# {thread.about.title}\n"]
    for turn in thread.turns:
        answer = kept_answer(turn.answer)
        text = str(turn.answer.get("answer", ""))
        question = " ".join(turn.question.split())
        parts.append(copyable(replace(answer, question=question)) if answer else f"## {question}\n\n{text}\n")
    return "\n".join(parts)


def _shared(turn: KeptTurn, number: int) -> SharedTurn:
    answer = kept_answer(turn.answer)
    if answer is None:
        return SharedTurn(number, turn.question, turn.standalone, str(turn.answer.get("answer", "")))
    if answer.abstained or not answer.citations:
        return SharedTurn(number, turn.question, turn.standalone, answer.text)
    return SharedTurn(
        number,
        turn.question,
        turn.standalone,
        "",
        [_sentence(line, number) for line in answer.composed.verdict],
        [(group.label, [_sentence(line, number) for line in group.sentences]) for group in answer.composed.groups],
        [(citation.n, place(citation), words(citation.quote)) for citation in answer.citations],
        list(_notes(answer)),
    )


def _sentence(line: Sentence, number: int) -> Markup:
    mark = f"{line.mark.strip()} " if line.mark else ""
    marks = "".join(f' <a href="#s{number}-{n}">[{n}]</a>' for n in line.cites)
    return Markup("{}{}{}").format(mark, Markup(inline(line.text)), Markup(marks))


def _notes(answer: Answer) -> Iterator[str]:
    if answer.uncovered:
        yield f"Nothing quoted here is about {', '.join(answer.uncovered)}."
    if answer.generation:
        yield f"{capital(answer.generation.line())}."


def as_file(thread: Thread, kind: str) -> tuple[str, str, Mapping[str, str]]:
    """A conversation's text, media type and headers as ``markdown`` or ``json``."""
    if kind == "markdown":
        return thread_markdown(thread), "text/markdown; charset=utf-8", attachment(thread.about.title, "md")
    text = json.dumps(thread_json(thread), ensure_ascii=False, indent=1)
    return text, "application/json", attachment(thread.about.title, "json")
