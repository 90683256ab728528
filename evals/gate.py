"""The gate that exists so far: retrieval and abstaining on held-out questions, against floors.

    python evals/gate.py

Indexes the built-in curriculum and asks every question of ``evals/calibration/held_out.jsonl``: those about an item
that a document covers must find it; those about nothing in the curriculum must be refused. "What is X?" for every alias
and acronym of the front matter must be answered from a document that declares it. Every citation must resolve. The
grader of drills is measured on the half of ``evals/drill/answers.jsonl`` that it was not fitted on. Floors are in
``evals/thresholds.json``. Exit codes: 0 pass, 1 below a floor, 2 cannot run.

The encoder was not trained and abstaining not fitted on these questions, but k and the weights of the fusion were
chosen with their help (``evals/LOG.md``, "The first places count").
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
from pathlib import Path
from typing import Any

from tutor.answering.cite import resolves
from tutor.bootstrap import App
from tutor.errors import TutorError
from tutor.settings import Settings

HERE = Path(__file__).resolve().parent


def measure() -> dict[str, float]:
    """Each measure's value; shares in [0, 1]."""
    questions = labelled(HERE / "calibration" / "held_out.jsonl")
    with tempfile.TemporaryDirectory() as home:
        app = App(Settings(home=Path(home)))
        report = app.ingest()
        if report.problems:
            raise report.problems[0]
        documents = app.reader.documents()
        available = {c for d in documents for c in d["covers"]}
        texts = {d["doc_id"]: (app.reader.payload("document", d["doc_id"]) or {})["text"] for d in documents}
        covered = [q for q in questions if set(q["covers"]) & available]
        off = [q for q in questions if not q["answerable"]]
        found, first, refused, resolved, cited, words = 0, 0, 0, 0, 0, []
        for question in covered:
            hits = app.searcher.search(question["question"], limit=5, by_document=True).hits
            right = [bool(set(h.passage.covers) & set(question["covers"])) for h in hits]
            found, first = found + any(right), first + right[0]
            answer = app.answerer.ask(question["question"])
            refused += answer.abstained
            cited += len(answer.citations)
            resolved += sum(resolves(c, texts) for c in answer.citations)
            if not answer.abstained:
                words.append(len(answer.text.split()))
        refused_off = sum(app.answerer.ask(q["question"]).abstained for q in off)
        names: dict[str, set[str]] = {}
        for document in documents:
            for name in (*document["aliases"], *document["acronyms"]):
                names.setdefault(name, set()).add(document["doc_id"])
        answers = {name: app.answerer.ask(f"What is {name}?") for name in names}
        own = sum(bool(a.citations) and a.citations[0].doc_id in names[n] for n, a in answers.items())
        app.close()
    print(f"{len(documents)} documents; {len(covered)} questions, {len(off)} to be refused, {len(names)} names")
    return {
        "hit@1": first / len(covered),
        "hit@5": found / len(covered),
        "answered": 1 - refused / len(covered),
        "refused off-topic": refused_off / len(off),
        "names answered": sum(not a.abstained for a in answers.values()) / len(names),
        "names answered from their own document": own / len(names),
        "citations that resolve": resolved / cited if cited else math.nan,
        "answers of 60 to 180 words": sum(60 <= w <= 180 for w in words) / len(words) if words else math.nan,
    }


def grading() -> dict[str, float]:
    """The grader's figures on the half of the labelled answers that nothing was fitted on (``drill/calibrate.py``)."""
    from drill.calibrate import Labelled, Outcome

    with tempfile.TemporaryDirectory() as home:
        app = App(Settings(home=Path(home)))
        data = Labelled(app)
        return Outcome.of(data, data.grader(), "report").figures


def labelled(path: Path) -> list[dict[str, Any]]:
    """The questions of a file; a day or an article on the same subject as a wanted card answers as well as the card."""
    twins: dict[str, list[str]] = json.loads((HERE / "calibration" / "twins.json").read_text(encoding="utf-8"))
    questions = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    for question in questions:
        wanted = set(question["covers"])
        question["covers"] = sorted(wanted | {note for note, cards in twins.items() if wanted & set(cards)})
    return questions


def main() -> int:
    try:
        floors: dict[str, float] = json.loads((HERE / "thresholds.json").read_text(encoding="utf-8"))
        values = measure() | grading()
    except (TutorError, OSError, ValueError) as error:
        print(f"gate: cannot run: {error}", file=sys.stderr)
        return 2
    failed = [name for name in floors.keys() | values.keys() if not values.get(name, math.nan) >= floors.get(name, 2.0)]
    for name, value in values.items():
        print(f"{'FAIL' if name in failed else 'ok  '}  {name}: {value:.3f} (floor {floors.get(name, math.nan):.3f})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
