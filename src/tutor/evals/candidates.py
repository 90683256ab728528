"""Candidate cases: what learners complained about, as drafts of golden questions and of labelled drill answers.

A draft says what it is about and proposes what can be guessed; the rest is in its ``todo`` for a person. Nothing joins
the sets by itself, and ``tutor eval lint`` refuses a row that still has a ``todo``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from tutor.answering.intent import classify
from tutor.curriculum.card import Strict
from tutor.errors import SourceError
from tutor.evals.sets import Kind
from tutor.evals.wording import normalised
from tutor.feedback import FeedbackStore, Vote
from tutor.ingest.chunk import slug
from tutor.ingest.documents import Document

REVIEWED = "golden/reviewed.txt"
#: The golden kind that questions of an intent mostly are.
KINDS: dict[str, Kind] = {
    "definition": "definition",
    "list": "definition",
    "how": "how",
    "why": "how",
    "when": "how",
    "other": "how",
    "compare": "compare",
    "prefer": "compare",
    "trade-off": "compare",
    "why-not": "why-not",
    "when-not": "why-not",
    "choose": "scenario",
    "failure": "scenario",
    "plan": "scenario",
    "estimate": "estimate",
}
_PART = re.compile(r"\.\d+$")  # of a section that was cut into several passages

_ANSWER_TODO = (
    "Is it a question for this curriculum, and does it tell nothing about who asked? If not, note its id as reviewed.",
    "If it should be refused: write a row for golden/refuse.jsonl instead.",
    "documents, passages: what the answer quoted, a guess. Put in the right ones, the best first.",
    "kind, phase: check the guess; the phase is that of the first document.",
    "reference: 15 to 120 words of your own.",
    "key_facts: 1 to 6, each with aliases.",
    "id: one in the manner of the set.",
)
_DRILL_TODO = (
    "Does the answer tell nothing about who gave it? If it does, note the id as reviewed.",
    "Read card, probe and answer; 'seen' has what grader and learner said. Whoever is right, label every point.",
    "points: each point of the probe: covered, partly, missed or contradicted (evals/drill/README.md).",
    "red_flags: numbers from 1 of those that are stated.",
    "verdict, kind: strong, mixed, weak, wrong or ungraded; and what the answer is.",
    "half: fit or report, as the probe's other answers have it.",
    "id: one in the manner of the set.",
)


class Candidate(Strict):
    """A draft ``row`` for one of the sets; ``at`` is when the latest complaint was made (ISO 8601)."""

    id: str
    set: Literal["golden/questions.jsonl", "drill/answers.jsonl"]
    at: str
    row: dict[str, Any] = Field(description="in the set's schema, with 'todo' and 'seen' besides")


def candidates(home: Path, *, sets: Path | None = None, documents: Iterable[Document] = ()) -> list[Candidate]:
    """What was complained about in a home and is not yet reviewed, the newest first.

    A question is a candidate while the last vote on it is down; an answer to a drill, while the learner's last word on
    one of its points, or red flags, differs from the grade.

    Args:
        home: where the votes and drills are.
        sets: the folder of the sets, whose ``golden/reviewed.txt`` names ids to leave out, one a line.
        documents: the curriculum, to make sections of the passages that were quoted; without it none are proposed.

    Raises:
        SourceError: a file cannot be read.
    """
    done = reviewed(sets) if sets else frozenset()
    found = [*_of_votes(FeedbackStore(home / "feedback").votes(), documents), *_of_overrides(home)]
    return sorted((c for c in found if c.id not in done), key=lambda c: (c.at, c.id), reverse=True)


def reviewed(sets: Path) -> frozenset[str]:
    """The ids in ``golden/reviewed.txt``: the first word of each line, as far as it is no comment (#).

    Raises:
        SourceError: the file is there and cannot be read.
    """
    path = sets / REVIEWED
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"the list of reviewed ids cannot be read ({error})", about=str(path)) from error
    return frozenset(words[0] for line in lines if (words := line.split("#", 1)[0].split()))


def write(found: Sequence[Candidate], path: Path) -> None:
    """Write the drafts as JSON lines, golden ones first; what the file had before is replaced.

    Raises:
        SourceError: the file cannot be written.
    """
    rows = [c.row for c in sorted(found, key=lambda c: c.set != "golden/questions.jsonl")]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    except OSError as error:
        raise SourceError(f"the candidates cannot be written ({error.strerror})", about=str(path)) from error


def _id(*parts: str) -> str:
    return "c-" + hashlib.sha256("\x00".join(parts).encode("utf-8", "replace")).hexdigest()[:10]


def _of_votes(votes: Iterable[Vote], documents: Iterable[Document]) -> Iterator[Candidate]:
    last = {normalised(vote.question) or vote.question: vote for vote in votes}
    known = {d.doc_id: d for d in documents}
    for key, vote in last.items():
        if vote.vote != "down":
            continue
        cited = list(dict.fromkeys(name.split("#", 1)[0] for name in vote.citations))
        first = known.get(cited[0]) if cited else None
        row = {
            "id": _id("question", key),
            "question": vote.question,
            "kind": KINDS.get(classify(vote.question).name, "how"),
            "phase": first.meta.get("phase") if first else None,
            "history": [],
            "documents": cited,
            "passages": _places(vote.citations, known),
            "reference": "",
            "key_facts": [],
            "todo": list(_ANSWER_TODO),
            "seen": {"answer": vote.answer, "note": vote.note, "at": vote.at},
        }
        yield Candidate(id=_id("question", key), set="golden/questions.jsonl", at=vote.at, row=row)


def _places(cited: Iterable[str], known: dict[str, Document]) -> list[dict[str, str]]:
    """The sections of passages: ids hold a section's heading as a slug (``tutor.ingest.chunk``)."""
    found = []
    for name in dict.fromkeys(_PART.sub("", name) for name in cited):
        doc_id, _, wanted = name.partition("#")
        for section in known[doc_id].sections if doc_id in known else ():
            if wanted == (slug(" ".join(section.heading)) if section.heading else "intro"):
                found.append({"doc": doc_id, "section": " > ".join(section.heading)})
                break
    return found


def _of_overrides(home: Path) -> Iterator[Candidate]:
    from tutor.drill.results import FLAG
    from tutor.drill.store import DrillStore

    answers: dict[tuple[str, str, str], dict[str, dict[str, str]]] = {}
    for row in DrillStore(home / "drills").every_override():
        texts = {name: row.get(name) for name in ("card", "probe", "point", "answer", "graded", "learner", "at")}
        if all(isinstance(text, str) for text in texts.values()):
            kept = {name: str(text) for name, text in texts.items()} | {"claim": str(row.get("claim", ""))}
            answers.setdefault((kept["card"], kept["probe"], kept["answer"]), {})[kept["point"]] = kept
    for (card, probe, answer), points in answers.items():
        told = [p for p in points.values() if p["learner"] != p["graded"]]
        if not told:
            continue
        at = max(p["at"] for p in told)
        draft = {
            "id": _id("drill", card, probe, answer),
            "card": card,
            "probe": probe,
            "kind": "",
            "half": "",
            "answer": answer,
            "points": {p["point"]: p["learner"] for p in told if not p["point"].startswith(FLAG)},
            "red_flags": [],
            "verdict": "",
            "todo": list(_DRILL_TODO),
            "seen": {"overrides": [{k: p[k] for k in ("point", "claim", "graded", "learner", "at")} for p in told]},
        }
        yield Candidate(id=str(draft["id"]), set="drill/answers.jsonl", at=at, row=draft)
