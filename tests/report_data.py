"""A run of an evaluation as reports get it: 60 questions in several suites, a baseline that moved, and nasty text."""

from __future__ import annotations

import random
from typing import Any

from tutor.evals.record import Case, Fingerprint, Report, Suite
from tutor.evals.report.trend import Point, point
from tutor.evals.verdict import Change, Finding, Level, Verdict

NASTY = (
    "<script>alert(1)</script> </details></td> & \"quoted\" 'single'",
    "]]> closes CDATA | pipe | `code` **bold** [link](javascript:alert(1)) # heading",
    "control \x00\x07\x1b[31mred\x1b[0m\x85 \ufffe and a lone \ud800 surrogate",
    "right-to-left \u202egnirts\u202c and שלום עולם and مرحبا 🙂👩‍🚀 :smile: [red]markup[/red]",
    "@everyone see #12 and $x^2$ \\ {{ 7*7 }} {% raw %}\n\n## not a heading\n\n- no item",
    "a_very_long_word_" + "x" * 400,
)
KINDS = ("definition", "how", "compare", "why-not", "scenario", "estimate", "multi-card", "follow-up", "misspelt")
TEXT = (
    "A commit needs a quorum of replicas, so a leader that is cut off cannot acknowledge writes, and clients that talk "
    "to it wait until a new leader is elected in the larger part."
)


def fingerprint(**other: Any) -> Fingerprint:
    parts: dict[str, Any] = {
        "corpus": "9f" * 32,
        "encoder": "tutor-encoder-1 int8",
        "grader": "4c" * 32,
        "settings": {"search": {"k": 8, "weights": [1.0, 0.7]}, "answering": {"threshold": 0.42}, "note": NASTY[0]},
        "code": "0.1.0+" + "ab" * 32,
        "sets": {"golden/questions.jsonl": "11" * 32, "golden/refuse.jsonl": "22" * 32},
    }
    return Fingerprint(**(parts | other))


def question(i: int) -> str:
    return NASTY[i // 10] if i % 10 == 3 else f"Question {i}: when does a quorum of replicas stop taking writes?"


def retrieval(i: int, rank: int) -> Case:
    """A case whose right passage is at a rank (0: not found)."""
    title = NASTY[i % len(NASTY)] if i % 10 == 3 else "Consensus and quorums"
    hits = [
        {"doc": f"card-{n}", "title": title, "section": "Internal mechanics", "right": n == rank} for n in range(1, 6)
    ]
    values = {"recall@5": float(rank > 0), "ndcg@10": 1 / rank if rank else 0.0, "latency_ms": 12.5 + i}
    seen = {"hits": hits, "wanted": ["raft › Leader election"], "why": "the right passage is not among the first five"}
    return Case(id=f"g-{i:03}", question=question(i), kind=KINDS[i % 9], phase=i % 10 + 1, values=values, seen=seen)


def answered(i: int, coverage: float, text: str = TEXT) -> Case:
    seen = {"answer": NASTY[i // 10] if i % 10 == 3 else text, "missing": ["a majority", NASTY[0]][: 1 + i % 2]}
    values = {"key_facts": coverage, "citations_resolve": 1.0, "words": 80.0 + i}
    return Case(id=f"g-{i:03}", question=question(i), kind=KINDS[i % 9], phase=i % 10 + 1, values=values, seen=seen)


def refusal(i: int) -> Case:
    answerable = i % 3 > 0
    confidence = min(max((0.75 if answerable else 0.3) + ((i * 37) % 50 - 25) / 60, 0.0), 1.0)
    given = confidence > 0.45
    values = {"confidence": confidence, "answerable": float(answerable), "answered": float(given)}
    values |= {"right": float(i % 7 > 0)} if answerable else {}
    return Case(id=f"r-{i:03}", question=question(i), kind=("far", "near-miss", "injection")[i % 3], values=values)


def report(**other: Any) -> Report:
    rng = random.Random(7)
    ranks = [rng.choice([1, 1, 1, 2, 3, 0]) for _ in range(60)]
    broken = Case(id="g-060", question=NASTY[1], kind="how", phase=2, error="ValueError: " + NASTY[2])
    suites = (
        Suite(name="retrieval", cases=(*(retrieval(i, r) for i, r in enumerate(ranks)), broken), seconds=41.2),
        Suite(
            name="answers",
            cases=tuple(answered(i, rng.choice([0.33, 0.5, 0.67, 1.0, 1.0])) for i in range(60)),
            totals={"p95_ms": 84.2},
            notes=("Ragas was not run: the extra is not installed", NASTY[0], NASTY[3]),
            seconds=50.03,
        ),
        Suite(name="refusals", cases=tuple(refusal(i) for i in range(60)), totals={"false_refusals": 0.06}, seconds=9),
        Suite(name="drill", cases=(), totals={"kappa": 0.713, "attack_rate": 0.02}),
    )
    parts = {"fingerprint": fingerprint(), "started": "2026-11-22T03:00:00Z", "seconds": 101.3, "suites": suites}
    return Report(**(parts | other))


def finding(
    level: Level, metric: str, why: str, value: float | None = None, floor: float | None = None, **other: Any
) -> Finding:
    return Finding(level=level, metric=metric, why=why, value=value, floor=floor, **other)


def verdict(run: Report, changed: int = 15) -> Verdict:
    """What a gate could say of the run; the first ``changed`` cases got worse, as many after them better."""
    now = run.metrics
    recall, ndcg = now["retrieval.recall@5"], now["retrieval.ndcg@10"]
    low = f"phase 4 fell: {NASTY[1]}"
    found = [
        finding("fail", "retrieval.recall@5", "below its floor 0.93", recall, 0.93, before=0.95, p=0.003, cases=60),
        finding("fail", "retrieval.recall@5", low, 0.5, 0.8, slice="phase:4", cases=6),
        finding("pass", "retrieval.recall@5", "", 0.9, 0.6, slice="phase:2", cases=6),
        finding("pass", "retrieval.ndcg@10", "", ndcg, 0.5, before=0.6),
        finding("note", "answers.key_facts", f"not gated here {NASTY[4]}", 0.7, before=0.71),
        finding("fail", "refusals.false_refusals", "more than 0.04", 0.06, 0.04).model_copy(update={"ceiling": True}),
        finding("pass", "drill.kappa", "above its floor", 0.713, 0.7, before=0.7),
        finding("fail", "cost.dollars", "was not measured"),
    ]
    changes = []
    for i in range(changed * 2):
        better = i >= changed
        ranks = (0, 1 + i % 3) if better else (1 + i % 3, 0)
        before, after = (retrieval(i % 60, r) for r in ranks)
        moved = {n: (before.values[n], after.values[n]) for n in ("recall@5", "ndcg@10")}
        changes.append(Change(suite="retrieval", before=before, after=after, moved=moved, better=better))
    old, new = answered(3, 1.0), answered(4, 0.5, TEXT.replace("wait", "hang").replace("larger part", "majority"))
    old = old.model_copy(update={"seen": {"answer": TEXT}})
    changes.append(Change(suite="answers", before=old, after=new, moved={"key_facts": (1.0, 0.5)}, better=False))
    return Verdict(findings=tuple(found), changes=tuple(changes), unlike=("corpus", "settings"), baseline="main.json")


def history(run: Report, runs: int = 12) -> list[Point]:
    """Earlier runs, a day apart; the corpus changed before the sixth."""
    rng = random.Random(3)
    now = point(run)
    found = []
    for i in range(runs):
        metrics = {name: value + rng.uniform(-0.04, 0.04) * abs(value) for name, value in now.metrics.items()}
        mark = fingerprint(corpus=("8e" if i < 5 else "9f") * 32)
        update = {"started": f"2026-11-{i + 5:02}T03:00:00Z", "commit": f"{i:07x}", "metrics": metrics}
        found.append(now.model_copy(update=update | {"fingerprint": mark}))
    return found
