"""A learner who has studied for two months: drills, reviews with guesses, marks and entries of the log."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from tutor.bootstrap import App
from tutor.settings import Settings
from tutor.study.reviews import Rated

NOW = datetime.now(UTC)  # pages show what is of the last days: a fixed date would run out of them
_VERDICTS = ((0.8, "strong"), (0.55, "mixed"), (0.3, "weak"), (0.0, "wrong"))


def study(home: Path, *, cards: int = 48, days: int = 60, seed: int = 7) -> None:
    """Fill a home: the same for the same seed, but for the time it begins from."""
    core = App(Settings(home=home))
    try:
        chance, outline = Random(seed), core.study.outline
        chosen = [card for card in outline.cards.values() if card.probes][:cards]
        rows, rated = [], []
        for number in range(cards * 2):
            card = chosen[number % len(chosen)]
            probe = card.probes[number // len(chosen) % len(card.probes)]
            at = NOW - timedelta(days=chance.uniform(0.2, days), minutes=number)
            score = min(1.0, max(0.0, chance.gauss(0.62 - 0.08 * (card.tier - 1), 0.24)))
            verdict = next(name for least, name in _VERDICTS if score >= least)
            points = {
                point.id: chance.choices(
                    ("covered", "partly", "missed", "contradicted"), (score + 0.1, 0.2, 0.3, 0.08)
                )[0]
                for point in probe.points
            }
            rows.append({
                "session": f"{at:%Y%m%d}-{number:08x}", "task": 1, "card": card.id, "probe": probe.id, "kind": "probe",
                "verdict": verdict, "score": round(score, 3), "points": points,
                "rating": chance.choice((2, 3, 3, 4, 5)), "seconds": 90 + number, "at": at.isoformat(),
            })  # fmt: skip
        _same_point_both_ways(rows)
        folder = home / "drills"
        folder.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps(row) for row in sorted(rows, key=lambda row: str(row["at"]))]
        (folder / "results.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        core.study.sync()
        for card in chosen[: cards // 2]:
            gap = 0.0
            for turn in range(5):
                gap += (1, 2.5, 6, 11, 20)[turn] * chance.uniform(0.8, 1.3)
                if gap < days:
                    sure = chance.choice((0.4, 0.6, 0.8, 0.9, 1.0))
                    right = chance.random() < 0.92 - gap / 150
                    at = NOW - timedelta(days=days - gap, minutes=turn)
                    source = f"review:{card.id}-{turn}"
                    rated.append(Rated(card.id, 3 if right else 1, at, source, sure, float(right), 40.0))
        core.study.rate(rated)
        for name in ("back-of-envelope-estimation", "tail-latency"):
            if name in outline.cards:
                core.study.mark(name, "mastered", "from work")
    finally:
        core.close()


def _same_point_both_ways(rows: list[dict[str, object]]) -> None:
    """One point that was made in an early answer and contradicted in a later one."""
    early, late = rows[0], {**rows[0]}
    point = next(iter(early["points"]))  # type: ignore[call-overload]
    early["points"] = {point: "covered"}
    early["at"] = (NOW - timedelta(days=20)).isoformat()
    late |= {"session": "20260101-ffffffff", "points": {point: "contradicted"}, "verdict": "wrong", "score": 0.1}
    late["at"] = (NOW - timedelta(days=3)).isoformat()
    rows.append(late)


ENTRIES = (
    ("RESP over JSON", "I chose RESP over JSON as the wire protocol of the Redis clone. A parser without a library has "
     "to be small, and length prefixes need no escaping. The price is a format that no browser speaks.",
     "redis protocol"),
    ("", "Went with an append-only file before snapshots: the crash test was easier to write, and it shows what fsync "
     "costs. Not sure how often to rewrite it.", "redis durability"),
    ("Kafka is not a task queue", "Decided against Kafka for the thumbnail jobs.\n\n- no acknowledgement of single "
     "messages\n- one slow job blocks its partition\n\nA plain queue wins until replay is needed. "
     "What would change my mind? **Fan-out** to three teams.", "kafka queues"),
)  # fmt: skip


def write(home: Path, *, many: int = 0) -> list[str]:
    """Three entries of the last days, and ``many`` more before them; ids, the newest first."""
    core = App(Settings(home=home))
    try:
        book, made = core.log, []
        for n in range(many):
            day = (NOW - timedelta(days=30 + n % 300)).date().isoformat()
            made.append(
                book.add(f"Entry {n}: the index of shard {n} moved.", tags=[f"t{n % 7}"], day=day, cards=["none"]).id
            )
        for n, (title, text, tags) in reversed(list(enumerate(ENTRIES))):
            day = (book.today - timedelta(days=n)).isoformat()
            made.append(book.add(text, title=title, tags=[tags], day=day, item=("M1W1", "M1W2", "none")[n]).id)
        return made[::-1]
    finally:
        core.close()
