"""The stable JSON forms of answers and searches, shared by the terminal and the API (docs/overview.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutor.answering.answer import Answer
from tutor.answering.cite import Citation, Own
from tutor.answering.written import Generation
from tutor.retrieval.search import SearchResult


def answer_json(answer: Answer) -> dict[str, Any]:
    """An answer as JSON."""
    return {
        "answer": answer.whole,
        "citations": [*map(_citation, answer.citations), *map(own_json, answer.own)],
        "abstained": answer.abstained,
        "confidence": round(answer.confidence, 4),
        "nearest": [{"doc_id": n.doc_id, "title": n.title, "covers": list(n.covers)} for n in answer.nearest],
        "intent": answer.intent,
        "corrected": [list(pair) for pair in answer.corrected],
        "meant": [list(pair) for pair in answer.meant],
        "uncovered": list(answer.uncovered),
        "generation": generation_json(answer.generation) if answer.generation else None,
        "further": [_citation(f.citation) | {"url": f.citation.source, "licence": f.licence} for f in answer.further],
        "ms": round(answer.ms, 2),
        "stages": stages_json(answer.stages),
    }


def _citation(c: Citation) -> dict[str, Any]:
    return {
        "n": c.n,
        "doc_id": c.doc_id,
        "chunk_id": c.chunk_id,
        "title": c.title,
        "heading": list(c.heading),
        "start": c.start,
        "end": c.end,
        "quote": c.quote,
        "covers": list(c.covers),
        "page": c.page,
        "kind": c.kind,
    }


def own_json(own: Own) -> dict[str, Any]:
    """A quote from the learner's log in the form of a citation: ``doc_id`` names the entry, ``covers`` its cards."""
    return {
        "n": own.n,
        "doc_id": f"log/{own.entry}",
        "chunk_id": "",
        "title": own.place,
        "heading": [own.title] if own.title else [],
        "start": own.start,
        "end": own.end,
        "quote": own.quote,
        "covers": list(own.cards),
        "page": None,
        "kind": "entry",
    }


def answer_text(answer: Answer) -> str:
    """An answer as Markdown alone: the text, what was read into the question, and a footnote for each citation."""
    parts = [answer.whole]
    notes = [f"(searched for “{right}” instead of “{wrong}”)" for wrong, right in answer.corrected]
    notes += [f"({short}: {long})" for short, long in answer.meant]
    if answer.uncovered:
        notes.append(f"(nothing quoted here is about {', '.join(answer.uncovered)})")
    if answer.refusal and answer.nearest:  # where there is no refusal, the text names them
        notes.append(f"The nearest cards are: {'; '.join(near.title for near in answer.nearest)}.")
    parts += notes
    if answer.citations or answer.own:
        lines = [f"- [{c.n}] {place(c)}" for c in answer.citations]
        lines += [f"- [{own.n}] {own.place} (yours, not the curriculum's)" for own in answer.own]
        parts += ["Sources:", "\n".join(lines)]
    return "\n\n".join(parts)


def place(citation: Citation) -> str:
    """Where a citation stands, as "Apache Kafka, Trade-offs"."""
    below = [h for h in citation.heading if h != citation.title]
    return ", ".join([citation.title, *below, *([f"page {citation.page}"] if citation.page else [])])


def generation_json(done: Generation) -> dict[str, Any]:
    """A language model's part in an answer as JSON; ``cost_usd`` is null where the price is not known."""
    return {
        "model": done.model,
        "kept": done.kept,
        "fallback": done.fallback or None,
        "trouble": done.trouble or None,
        "sentences": done.sentences,
        "supported": done.supported,
        "share": round(done.share, 4),
        "dropped": [{"text": d.text, "why": d.why} for d in done.dropped],
        "prompt_tokens": done.usage.prompt_tokens,
        "completion_tokens": done.usage.completion_tokens,
        "cost_usd": done.usage.cost_usd,
        "estimated": done.usage.estimated,
        "took": done.took(),
        "first_ms": None if done.first_ms is None else round(done.first_ms, 2),
        "ms": round(done.ms, 2),
        "line": done.line(),
    }


def search_json(result: SearchResult, *, text: bool = False) -> dict[str, Any]:
    """A search as JSON; ``text`` adds what people want to read."""
    hits = []
    for hit in result.hits:
        passage = hit.passage
        row: dict[str, Any] = {
            "doc_id": passage.doc_id,
            "chunk_id": passage.chunk_id,
            "covers": list(passage.covers),
            "score": round(hit.score, 6),
        }
        if text:
            row |= {
                "title": passage.title,
                "heading": list(passage.heading),
                "start": passage.start,
                "end": passage.end,
                "page": passage.page,
                "source": passage.source,
                "text": passage.text,
            }
        hits.append(row)
    return {"hits": hits, "ms": round(result.ms, 2), "stages": stages_json(result.stages)}


def stages_json(stages: Mapping[str, float]) -> dict[str, float]:
    """Milliseconds of each stage, in order."""
    return {name: round(ms, 3) for name, ms in stages.items()}
