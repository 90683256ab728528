"""Are the key facts of a reference answer in what is retrieved? By area, with a control, for two corpora.

    python evals/bench/keyfacts.py QUESTIONS.jsonl [--pasted DIR] [--missing]

Questions are lines with ``question``, ``covers`` and ``key_facts``. How near a fact is to the first five passages is
the sum of three: the mean, over its content tokens, of the best cosine with any of their tokens; the best cosine of its
dense vector with that of a sentence; half the share of its terms that they hold, weighted by rarity. A fact counts as
found at or above a threshold: where one fact in twenty is "found" in the passages of another question on another item,
so that nearness of the field alone does not count. Of the measures tried, this one told facts from controls best
(evals/LOG.md). It misses facts that are there in quite other words, so its shares are lower bounds. One threshold
serves both corpora. ``--pasted`` compares with the pasted documents in DIR, indexed alone; ``--missing`` lists what is
missing.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from quality import NEUTRAL

from tutor.bootstrap import App, builtin_roots
from tutor.curriculum.corpus import load_corpus
from tutor.retrieval.lexical import query_content, terms
from tutor.settings import Settings
from tutor.text import blank_markup, blocks, sentences

FALSE_ALARMS = 0.05
TOP = 5
Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Fact:
    """``tokens`` (n, token_dims) of its content words, its ``dense`` vector, and its terms with their rarity."""

    tokens: Array
    dense: Array
    rarity: dict[str, float]


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Of the first five passages: all ``tokens`` (n, token_dims), ``sentences`` (m, dense_dims), and ``terms``."""

    tokens: Array
    sentences: Array
    terms: frozenset[str]


def facts_of(questions: list[dict[str, Any]], app: App) -> list[list[Fact]]:
    """The key facts, by question."""
    frequency, passages = app.searcher.expander.frequency, app.reader.manifest.passages
    found = []
    for question in questions:
        rows = []
        for fact, encoded in zip(question["key_facts"], app.encoder.encode(question["key_facts"]), strict=True):
            keep = [i for i, (a, b) in enumerate(encoded.offsets) if b > a and query_content(fact[a:b])]
            rarity = {t: math.log((passages + 1) / (1 + frequency(t))) for t in terms(fact)}
            rows.append(Fact(encoded.tokens[keep] if keep else encoded.tokens, encoded.dense, rarity))
        found.append(rows)
    return found


def retrieved(question: str, app: App) -> Retrieved:
    """What the first five passages hold; every sentence once alone and once with its document's title."""
    hits = app.searcher.search(question, limit=TOP, with_vectors=True).hits
    said = [""]
    for hit in hits:
        text = hit.passage.text
        for block in blocks(text):
            for start, end in sentences(text, block.start, block.end):
                plain = blank_markup(text[start:end]).strip()
                said += [plain, f"{hit.passage.title}: {plain}"] if len(plain.split()) > 2 else []
    held = {t for h in hits for t in terms(" ".join([h.passage.prefix, h.passage.text, *h.passage.names]))}
    tokens = np.concatenate([h.tokens for h in hits if h.tokens is not None])
    return Retrieved(tokens, np.array([e.dense for e in app.encoder.encode(said)]), frozenset(held))


def nearness(fact: Fact, there: Retrieved) -> float:
    """MaxSim + best sentence + half the share of terms: at most 2.5."""
    maxsim = float((fact.tokens @ there.tokens.T).max(axis=1).mean())
    sentence = float((there.sentences @ fact.dense).max())
    total = sum(fact.rarity.values()) or 1.0
    share = sum(weight for term, weight in fact.rarity.items() if term in there.terms) / total
    return maxsim + sentence + share / 2


def measure(roots: list[Path], questions: list[dict[str, Any]]) -> tuple[list[bool], list[list[float]], list[float]]:
    """Whether a right document is among the first five, the nearness of each fact, and that of the control."""
    with tempfile.TemporaryDirectory() as home:
        app = App(Settings(home=Path(home), corpus={"builtin": False}))
        app.ingest(roots)
        facts = facts_of(questions, app)
        right, top = [], []
        for question in questions:
            documents = app.searcher.search(question["question"], limit=50, by_document=True).hits
            ranked = [h.passage.covers for h in documents if not _neutral(h.passage.covers)]
            right.append(any(set(covers) & set(question["covers"]) for covers in ranked[:TOP]))
            top.append(retrieved(question["question"], app))
        app.close()
    near = [[nearness(f, top[i]) for f in rows] for i, rows in enumerate(facts)]
    rng = np.random.default_rng(7)
    control = []
    for i, rows in enumerate(facts):
        others = [j for j in range(len(questions)) if not set(questions[j]["covers"]) & set(questions[i]["covers"])]
        control += [nearness(f, top[int(rng.choice(others))]) for f in rows]
    return right, near, control


def _neutral(covers: tuple[str, ...]) -> bool:
    return bool(covers) and all(c.startswith(NEUTRAL) for c in covers)


def area(question: dict[str, Any]) -> str:
    """The phase of the first card that covers the question, else the kind of item."""
    return next((PHASES[c] for c in question["covers"] if c in PHASES), question["covers"][0].split("/")[0])


PHASES: dict[str, str] = {}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--pasted", type=Path)
    parser.add_argument("--missing", action="store_true")
    args = parser.parse_args()
    lines = args.questions.read_text(encoding="utf-8").splitlines()
    questions = [q for q in map(json.loads, filter(None, lines)) if q["covers"] and q["key_facts"]]
    for card in load_corpus(builtin_roots()[0].parent).cards.values():
        PHASES.update(dict.fromkeys(card.covers, f"phase {card.phase}"))
    results = {"curriculum": measure(builtin_roots(), questions)}
    if args.pasted:
        results["pasted"] = measure([args.pasted], questions)
    threshold = float(np.quantile([c for r in results.values() for c in r[2]], 1 - FALSE_ALARMS))
    print(
        f"{len(questions)} questions, {sum(len(q['key_facts']) for q in questions)} facts; threshold {threshold:.3f}\n"
    )
    print("| area | questions | " + " | ".join(f"{n}: document@5 | {n}: facts@5" for n in results) + " |")
    print("|---|---|" + "---|---|" * len(results))
    groups: dict[str, list[int]] = defaultdict(list)
    for i, question in enumerate(questions):
        groups[area(question)].append(i)
    for name, members in [*sorted(groups.items()), ("all", list(range(len(questions))))]:
        cells = []
        for right, near, _ in results.values():
            shares = [f >= threshold for i in members for f in near[i]]
            cells += [f"{np.mean([right[i] for i in members]):.3f}", f"{np.mean(shares):.3f}"]
        print(f"| {name} | {len(members)} | " + " | ".join(cells) + " |")
    if args.missing:
        right, near, _ = results["curriculum"]
        for i, question in enumerate(questions):
            if not right[i]:
                print(f"document {question['id']}: {question['question'][:100]} {question['covers'][:3]}")
            for fact, value in zip(question["key_facts"], near[i], strict=True):
                if value < threshold:
                    print(f"fact {value:.2f} {question['id']}: {fact}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
