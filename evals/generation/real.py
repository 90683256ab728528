"""What becomes of a real model's answers on the golden questions: the model of the settings, as the product asks it.

    TUTOR_LLM_PROVIDER=gguf TUTOR_LLM_MODEL=model.gguf python evals/generation/real.py [--every N] [--out FILE]

Counts how many answers stand, what share of the written sentences is supported, why the others fell back, and the times
to the first piece and to the end. ``--out`` keeps each sentence that reaches a reader with the span it cites, one JSON
line each, to be labelled by people: that share of unsupported ones is what the check lets through.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections import Counter
from pathlib import Path

from tutor.bootstrap import App
from tutor.settings import load_settings

QUESTIONS = Path(__file__).resolve().parents[1] / "golden" / "questions.jsonl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=12, help="ask every n-th question")
    parser.add_argument("--home", type=Path, help="a home with an index; by default a new one")
    parser.add_argument("--out", type=Path, help="sentences with their spans, as JSON lines")
    given = parser.parse_args()
    settings = load_settings(home=given.home or Path(tempfile.mkdtemp()))
    app = App(settings.model_copy(update={"llm": settings.llm.model_copy(update={"cache": False})}))
    app.ensure_index()
    if app.grounded is None:
        parser.error("no model is set: TUTOR_LLM_PROVIDER and TUTOR_LLM_MODEL")
    rows = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    asked = [row for row in rows if row.get("documents") and not row.get("history")][:: given.every]
    found, reasons, kept = [], Counter[str](), []
    for row in asked:
        answer = app.grounded.ask(row["question"])
        done = answer.generation
        if done is None:
            reasons["refused before the model was asked"] += 1
            continue
        found.append(done)
        reasons[done.fallback or "stands"] += 1
        print(f"{row['id']}: {done.line()}", flush=True)
        if not done.fallback:
            spans = {c.n: c.quote for c in answer.citations}
            for sentence in (*answer.composed.verdict, *(s for g in answer.composed.groups for s in g.sentences)):
                cited = [spans[n] for n in sentence.cites]
                kept.append({"id": row["id"], "question": row["question"], "sentence": sentence.text, "spans": cited})
    if given.out:
        given.out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept), encoding="utf-8")
    sentences = sum(done.sentences for done in found)
    print(f"\n{app.grounded.model.name}: {len(asked)} questions, {len(found)} asked of the model")
    print(f"sentences written {sentences}, supported {sum(done.supported for done in found)}, shown {len(kept)}")
    if first := [done.first_ms for done in found if done.first_ms is not None]:
        whole = statistics.median(done.ms for done in found)
        print(f"first piece p50 {statistics.median(first) / 1000:.1f} s, whole p50 {whole / 1000:.1f} s")
    for reason, count in reasons.most_common():
        print(f"  {count:3} {reason}")
    app.close()


if __name__ == "__main__":
    main()
