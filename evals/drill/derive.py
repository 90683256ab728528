"""Make answers of 31 to 95 words of the longer labelled ones, with the labels of what is kept.

    python evals/drill/derive.py                 # writes evals/drill/band-derived.jsonl

Of a longer answer only those sentences stay that make some of its labelled points; the points of the others become
missed. A variant is thrown away where a sentence that stays might make a point that was to go. Attacks are one such
sentence said again and again, or among words about something else. A derived answer is in the half of its probe.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tutor.bootstrap import App
from tutor.drill.evidence import Evidence
from tutor.drill.reading import Reading, Window, read
from tutor.evals.drills import ATTACKS, SHORT, Labelled
from tutor.settings import Settings

HERE = Path(__file__).parent
OUT = HERE / "band-derived.jsonl"
FEWEST, MOST = 31, 95  # words of a derived answer
ONE_SENTENCE = 60  # words up to which what stays may be joined to one sentence
SURELY, HARDLY = 0.5, 0.3  # judge's chance from which a sentence makes a point, and below which it does not
ALL, JOINED, REPEATED, PADDED = 0.5, 0.5, 0.12, 0.3  # shares of the answers that keep all points, and so on
WORTH = {"covered": 1.0, "partly": 0.5, "missed": 0.0, "contradicted": 0.0}
FIRST_ID = 61  # of a derived answer; written ones have lower numbers
PADDING = (
    "Let me think about that for a moment, since it is a question with quite a lot to it.",
    "That is how I would put it, and I am glad to go deeper wherever that is of interest to you.",
    "In my last project there were nine of us, and over a year we moved twelve services to another provider.",
    "We had dashboards and alerts for each of them, and the engineer on call had a runbook.",
    "Every change went out behind a switch, so that we could turn it off again on the same day.",
)


class Source:
    """A labelled answer with the sentences that its labelled points rest on."""

    def __init__(self, row: dict[str, Any], points: Sequence[str], evidence: Sequence[Evidence]) -> None:
        self.row = row
        self.reading: Reading = read(row["answer"])
        self.by_point = dict(zip(points, evidence, strict=False))
        self.flags = evidence[len(points) :]
        self.rests: dict[str, frozenset[int]] = {}
        for point, one in self.by_point.items():
            label = row["points"][point]
            window, chance = max(one.made, key=lambda made: made[1], default=(one.best, 0.0))
            if label == "contradicted":
                window, chance = one.against, float(one.features[2])
            if label in ("covered", "contradicted") and chance >= SURELY:
                self.rests[point] = self._inside(window)

    def _inside(self, window: Window) -> frozenset[int]:
        found = (s.first for s in self.reading.sentences if s.start < window.end and window.start < s.end)
        return frozenset(found)

    def labels(self, kept: Sequence[str]) -> tuple[frozenset[int], dict[str, str]] | None:
        """The sentences that make these points, and the labels of an answer of them alone; none where that is open."""
        stay = frozenset(n for point in kept for n in self.rests[point])
        for point, one in self.by_point.items():
            if point in kept or self.row["points"][point] == "missed":
                continue
            if any(chance >= HARDLY and self._inside(window) & stay for window, chance in one.made):
                return None
            if self.row["points"][point] == "contradicted" and self._inside(one.against) & stay:
                return None
        return stay, {p: self.row["points"][p] if p in kept else "missed" for p in self.by_point}

    def said_flags(self, stay: frozenset[int]) -> list[int] | None:
        """Which of the labelled red flags the sentences that stay assert; none where that is open."""
        told = self.row["red_flags"]
        if not told:
            return []
        if len(self.flags) != 1 or float(self.flags[0].features[0]) < SURELY:
            return None
        inside = self._inside(self.flags[0].best)
        return list(told) if inside <= stay else None if inside & stay else []

    def text(self, stay: frozenset[int], *, one: bool = False) -> str:
        """The sentences that stay, as they are or joined to one."""
        parts = [" ".join(s.text.split()).rstrip(".;:,-– ") for s in self.reading.sentences if s.first in stay]
        if not one:
            return " ".join(
                f"{p[0].upper()}{p[1:]}" if p.endswith(("?", "!")) else f"{p[0].upper()}{p[1:]}." for p in parts
            )
        return (
            ", and ".join([parts[0], *(_lowered(p.removeprefix("and ").removeprefix("And ")) for p in parts[1:])]) + "."
        )


def _lowered(text: str) -> str:
    word = text.split(" ", 1)[0]
    return text if word == "I" or word.startswith("I'") or word[1:] != word[1:].lower() else text[0].lower() + text[1:]


def verdict_of(labels: dict[str, str], flags: Sequence[int]) -> str:
    """By the rules that the answers were labelled by (README)."""
    share = sum(WORTH[status] for status in labels.values()) / len(labels)
    false = sum(status == "contradicted" for status in labels.values())
    if false or flags:
        return "wrong" if false > share * len(labels) or not share else "mixed"
    return "strong" if share >= 0.74 else "mixed" if share >= 0.33 else "weak"


def derived(source: Source, chance: random.Random) -> Iterator[tuple[str, str, dict[str, str], list[int]]]:
    """Kind, text, labels and red flags of the answers that one gives: at most an honest one and two attacks."""
    points = sorted(source.rests)
    tried: set[frozenset[int]] = set()
    some = [sorted(chance.sample(points, k)) for k in range(len(points) - 1, 0, -1) for _ in range(2)]
    some.insert(0 if chance.random() < ALL else len(some), points)
    honest = False
    for kept in some:
        found = source.labels(kept)
        if honest or not found or found[0] in tried or (flags := source.said_flags(found[0])) is None:
            continue
        stay, labels = found
        tried.add(stay)
        words = len(source.text(stay).split())
        if FEWEST <= words <= MOST:
            honest = True
            one = len(stay) > 1 and words <= ONE_SENTENCE and chance.random() < JOINED
            yield "one-sentence" if one else "brief", source.text(stay, one=one), labels, flags
    for kept in ([p] for p in chance.sample(points, len(points))):
        found = source.labels(kept)
        if len(points) < 3 or not found or len(found[0]) > 1 or source.row["points"][kept[0]] != "covered":
            continue
        if (flags := source.said_flags(found[0])) is None or flags:
            continue
        said = source.text(found[0])
        if not 8 <= len(said.split()) <= 30:
            continue
        if chance.random() < REPEATED:
            yield "repeated", " ".join([said] * (MOST // len(said.split()))), found[1], []
        if chance.random() < PADDED:
            first, *others = chance.sample(PADDING, 4)
            text = " ".join([first, said, *others])
            while len(text.split()) > MOST:
                text = " ".join([first, said, *(others := others[:-1])])
            yield "padded", text, found[1], []
        return


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        data = Labelled(App(Settings(home=Path(home))), HERE / "answers.jsonl")
        rows = rows_derived(data)
    args.out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    print(f"{len(rows)} answers in {args.out}")
    return 0


def rows_derived(data: Labelled) -> list[dict[str, Any]]:
    """The derived answers of all longer honest ones; the same for the same answers and judge."""
    rows: list[dict[str, Any]] = []
    number: dict[tuple[str, str], int] = {}
    for row in data.rows:
        if row["kind"] in ATTACKS | SHORT or row["id"] not in data.evidence:
            continue
        source = Source(row, [p.id for p in data.rubric(row).points], data.evidence[row["id"]])
        for kind, text, labels, flags in derived(source, random.Random(row["id"])):
            probe = (row["card"], row["probe"])
            number[probe] = number.get(probe, FIRST_ID - 1) + 1
            rows.append(
                {
                    "id": f"{row['card']}/{row['probe']}/{number[probe]}",
                    "card": row["card"],
                    "probe": row["probe"],
                    "kind": kind,
                    "half": row["half"],
                    "answer": text,
                    "points": labels,
                    "red_flags": flags,
                    "verdict": verdict_of(labels, flags),
                }
            )
    return rows


if __name__ == "__main__":
    sys.exit(main())
