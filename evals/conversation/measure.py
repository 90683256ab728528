"""How follow-ups are read, and what the semantic cache mistakes: ``python evals/conversation/measure.py [HOME]``.

HOME holds an index of the curriculum (``tutor --home HOME ingest``). The tables are those of docs/conversation.md.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

from tutor.answering.cache import SIMILAR, normalised
from tutor.answering.sense import Senses
from tutor.answering.talk import Said
from tutor.bootstrap import App
from tutor.settings import Settings

EVALS = Path(__file__).resolve().parents[1]


def rows(name: str) -> list[dict]:
    return [json.loads(line) for line in (EVALS / name).read_text(encoding="utf-8").splitlines()]


def right(app: App, wanted: list[str]) -> set[str]:
    """The documents that answer: those wanted, on the same item, or notes on the same subject."""
    covers = {d["doc_id"]: set(d["covers"]) for d in app.reader.documents()}
    items = set().union(*(covers.get(name, set()) for name in wanted))
    twins = json.loads((EVALS / "calibration" / "twins.json").read_text(encoding="utf-8"))
    items |= {note for note, cards in twins.items() if items & set(cards)}
    return {doc for doc, mine in covers.items() if doc in wanted or items & mine}


def rank(app: App, question: str, answering: set[str]) -> int:
    hits = app.searcher.search(question, limit=10, by_document=True).hits
    return next((n for n, hit in enumerate(hits, 1) if hit.passage.doc_id in answering), 0)


def read(app: App, turns: list[str]) -> str:
    return app.talk.read(turns[-1], app.talk.remembered(Said(turn) for turn in turns[:-1])).text


def holds(row: dict, text: str) -> bool:
    """Whether a reading says what it must and nothing that it must not; a full question is left byte for byte."""
    if row["untouched"]:
        return text == row["turns"][-1]
    low = f" {text.lower()}"
    return all(term in low for term in row["must"]) and not any(term in low for term in row["must_not"])


def follow_ups(app: App) -> None:
    for half in ("develop", "report"):
        table: dict[str, list[float]] = defaultdict(lambda: [0.0] * 8)
        for row in rows("conversation/followups.jsonl"):
            if row["half"] != half:
                continue
            text = read(app, row["turns"])
            answering = right(app, row["documents"])
            ranks = [rank(app, t, answering) for t in (text, row["turns"][-1], " ".join(row["turns"]))]
            found = [1.0, float(holds(row, text))]
            for place in ranks:
                found += [float(place == 1), float(0 < place <= 5)]
            for name in (row["kind"], "all"):
                table[name] = [a + b for a, b in zip(table[name], found, strict=True)]
        print(f"\nfollow-ups, {half} half\nkind          n  right | read: @1   @5 | raw: @1   @5 | joined: @1   @5")
        for name, (n, *sums) in table.items():
            s = [f"{x / n:.3f}" for x in sums]
            print(f"{name:12} {n:3.0f}  {s[0]} | {s[1]} {s[2]} | {s[3]} {s[4]} | {s[5]} {s[6]}")


def golden(app: App) -> None:
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0] * 4)
    touched = full = 0
    everything = rows("golden/questions.jsonl")
    for place, row in enumerate(everything):
        if not row["history"]:
            full += 1
            touched += read(app, [everything[place - 7]["question"], row["question"]]) != row["question"]
            continue
        answering = right(app, row["documents"])
        turns = [*row["history"], row["question"]]
        for name, text in (("raw", turns[-1]), ("joined", " ".join(turns)), ("read", read(app, turns))):
            place_of = rank(app, text, answering)
            found = [1.0, place_of == 1, 0 < place_of <= 5, 1 / place_of if place_of else 0.0]
            sums[name] = [a + b for a, b in zip(sums[name], found, strict=True)]
    print("\ngolden follow-ups")
    for name, (n, first, five, reciprocal) in sums.items():
        print(f"{name:8} hit@1 {first / n:.3f}  hit@5 {five / n:.3f}  MRR {reciprocal / n:.3f}  ({n:.0f})")
    print(f"full golden questions after another's: {touched} of {full} touched")
    for name in ("questions", "held_out"):
        asked = [r["question"] for r in rows(f"calibration/{name}.jsonl") if r["answerable"]]
        changed = sum(read(app, [asked[n - 5], q]) != q for n, q in enumerate(asked))
        print(f"calibration/{name}: {changed} of {len(asked)} touched")


def pairs(app: App) -> None:
    senses = Senses(app.searcher)
    for half in ("develop", "report", "last", "named", "second", "third"):
        same, other, by_cosine = [], [], {0.9: [0, 0], 0.95: [0, 0]}
        for row in rows("cache/pairs.jsonl"):
            if row["half"] != half:
                continue
            first, second = senses.of(row["a"]), senses.of(row["b"])
            cosine = senses.similarity(row["a"], row["b"])
            found = first is not None and first == second and cosine >= SIMILAR
            (same if row["same"] else other).append(found or normalised(row["a"]) == normalised(row["b"]))
            for least, counts in by_cosine.items():
                counts[not row["same"]] += cosine >= least
        plain = "; ".join(
            f"cosine >= {least} alone: {hit / max(1, len(same)):.3f}, {false / max(1, len(other)):.3f}"
            for least, (hit, false) in by_cosine.items()
        )
        print(f"\npairs, {half}: hits {sum(same)} of {len(same)}, false hits {sum(other)} of {len(other)} ({plain})")


if __name__ == "__main__":
    product = App(Settings(home=Path(sys.argv[1])) if len(sys.argv) > 1 else Settings())
    follow_ups(product)
    golden(product)
    pairs(product)
    product.close()
