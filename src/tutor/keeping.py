"""An answer as it is kept with a conversation, and read again: the wire's JSON, and how its sentences were laid out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tutor.answering.abstain import Signals
from tutor.answering.answer import Answer, Nearest, own_markdown
from tutor.answering.cite import Citation, Further, Own
from tutor.answering.compose import Composed, Group, Sentence
from tutor.answering.written import Dropped, Generation
from tutor.models.port import Usage
from tutor.wire import answer_json

LAID_OUT = "laid_out"
_OWN = "entry"  # the kind of a citation from the learner's log
_ADDRESSES = ("http://", "https://")
_NOT_MEASURED = Signals(**dict.fromkeys((field.name for field in fields(Signals)), 0.0))


def kept_json(answer: Answer) -> dict[str, Any]:
    """``wire.answer_json``, and under ``laid_out`` what the page needs beyond it to show the answer again."""
    return answer_json(answer) | {
        LAID_OUT: {
            "question": answer.question,
            "refusal": answer.refusal,
            "verdict": [_sentence(line) for line in answer.composed.verdict],
            "groups": [
                {"label": group.label, "sentences": [_sentence(line) for line in group.sentences]}
                for group in answer.composed.groups
            ],
            "days": [own.day.isoformat() for own in answer.own],
        }
    }


def kept_answer(kept: Mapping[str, Any]) -> Answer | None:
    """The answer of such JSON; None where it cannot be read, as what an import brought may not."""
    try:
        found = _Kept.model_validate(kept)
        return _answer(found)
    except (ValidationError, ValueError, KeyError):
        return None


def _sentence(line: Sentence) -> dict[str, Any]:
    return {"text": line.text, "n": line.n, "mark": line.mark, "more": list(line.more)}


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Cited(_Part):
    n: int
    doc_id: str
    chunk_id: str = ""
    title: str
    heading: tuple[str, ...] = ()
    start: int
    end: int
    quote: str
    covers: tuple[str, ...] = ()
    page: int | None = None
    kind: str = ""
    url: str = ""
    licence: str = "unknown"

    def citation(self) -> Citation:
        given = self.model_dump(exclude={"url", "licence"})
        return Citation(**given | {"heading": self.heading, "covers": self.covers, "source": self.url})


class _Line(_Part):
    text: str
    n: int
    mark: str = ""
    more: tuple[int, ...] = ()


class _Group(_Part):
    label: str
    sentences: tuple[_Line, ...]


class _LaidOut(_Part):
    question: str
    refusal: str = ""
    verdict: tuple[_Line, ...] = ()
    groups: tuple[_Group, ...] = ()
    days: tuple[date, ...] = ()


class _Near(_Part):
    doc_id: str
    title: str
    covers: tuple[str, ...] = ()


class _Lost(_Part):
    text: str
    why: str


class _Written(_Part):
    model: str
    kept: bool = False
    fallback: str | None = None
    trouble: str | None = None
    sentences: int
    supported: int
    dropped: tuple[_Lost, ...] = ()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    estimated: bool = False
    first_ms: float | None = None
    ms: float = 0.0

    def generation(self) -> Generation:
        usage = Usage(self.prompt_tokens, self.completion_tokens, self.cost_usd, self.estimated)
        dropped = tuple(Dropped(lost.text, lost.why) for lost in self.dropped)
        fallback, trouble = self.fallback or "", self.trouble or ""
        return Generation(
            self.model, usage, self.first_ms, self.ms, self.sentences, self.supported, dropped,
            fallback=fallback, kept=self.kept, trouble=trouble,
        )  # fmt: skip


class _Kept(_Part):
    answer: str
    citations: tuple[_Cited, ...]
    abstained: bool
    confidence: float = 0.0
    nearest: tuple[_Near, ...] = ()
    intent: str = "other"
    corrected: tuple[tuple[str, str], ...] = ()
    meant: tuple[tuple[str, str], ...] = ()
    uncovered: tuple[str, ...] = ()
    generation: _Written | None = None
    further: tuple[_Cited, ...] = ()
    ms: float = 0.0
    stages: dict[str, float] = {}
    laid_out: _LaidOut


def _answer(kept: _Kept) -> Answer:
    """Raises KeyError or ValueError where the parts do not fit together."""
    shape = kept.laid_out
    citations = tuple(one.citation() for one in kept.citations if one.kind != _OWN)
    log = [one for one in kept.citations if one.kind == _OWN]
    own = tuple(
        Own(one.n, one.doc_id.removeprefix("log/"), day, "".join(one.heading[:1]), one.start, one.end, one.quote,
            one.covers)
        for one, day in zip(log, shape.days, strict=True)
    )  # fmt: skip
    known = {one.n for one in citations}
    groups = tuple(Group(group.label, tuple(_line(line, known) for line in group.sentences)) for group in shape.groups)
    composed = Composed(tuple(_line(line, known) for line in shape.verdict), groups, citations)
    return Answer(
        question=shape.question,
        intent=kept.intent,
        text=kept.answer.removesuffix(own_markdown(own)).rstrip() if own else kept.answer,
        composed=composed,
        citations=citations,
        abstained=kept.abstained,
        confidence=kept.confidence,
        signals=_NOT_MEASURED,
        nearest=tuple(Nearest(near.doc_id, near.title, near.covers) for near in kept.nearest),
        corrected=kept.corrected,
        meant=kept.meant,
        uncovered=kept.uncovered,
        refusal=shape.refusal,
        ms=kept.ms,
        stages=kept.stages,
        further=tuple(Further(f.citation(), f.licence) for f in kept.further if f.url.startswith(_ADDRESSES)),
        generation=kept.generation.generation() if kept.generation else None,
        own=own,
    )


def _line(line: _Line, known: set[int]) -> Sentence:
    found = Sentence(line.text, line.n, line.mark, line.more)
    if not known.issuperset(found.cites):
        raise KeyError("a sentence cites what is not among the citations")
    return found
