"""Which of Ragas' metrics without a model tells right answers from neighbouring ones.

    python evals/bench/ragas_choice.py        needs the 'eval' extra; rows of ROUGE also rouge-score

Answers the golden questions and scores each answer against its own reference, that of the nearest other question on the
same document ("hard"), a random one, and once more with the second half of the answer cut off.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tutor.bootstrap import App
from tutor.evals.ragas_metrics import load_ragas
from tutor.settings import Settings

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "questions.jsonl"


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]{4,}", text.lower()))


def answered(questions: list[dict[str, Any]]) -> dict[str, str]:
    """Answers by id, without marks; refused questions are left out."""
    with tempfile.TemporaryDirectory() as home:
        app = App(Settings(home=Path(home)))
        app.ingest()
        found = {q["id"]: app.answerer.ask(q["question"]) for q in questions}
        app.close()
    marks = re.compile(r"\[\d+\]|\*\*|`|^- ", re.M)
    return {name: " ".join(marks.sub("", a.text).split()) for name, a in found.items() if not a.abstained}


def above(own: np.ndarray, other: np.ndarray) -> float:
    """The chance that a value of the first is above one of the second (area under the ROC curve)."""
    return float(((own[:, None] > other).sum() + 0.5 * (own[:, None] == other).sum()) / (len(own) * len(other)))


def main() -> None:
    rows = [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()]
    references = {r["id"]: r["reference"] for r in rows}
    documents = {r["id"]: set(r["documents"]) for r in rows}
    answers = answered([r for r in rows if not r["history"]])
    hard, chance = {}, {}
    for name in answers:
        others = [other for other in references if other != name]
        near = [other for other in others if documents[other] & documents[name]] or others
        hard[name] = max(near, key=lambda other: len(words(references[other]) & words(references[name])))
        chance[name] = random.Random(name).choice(others)
    found = load_ragas().collections
    kinds = {
        "NonLLMStringSimilarity": found.NonLLMStringSimilarity(),
        "CHRFScore": found.CHRFScore(),
        "CHRFScore, beta 3": found.CHRFScore(kwargs={"beta": 3}),
        "CHRFScore, words": found.CHRFScore(kwargs={"word_order": 2}),
        "RougeScore 1, F1": found.RougeScore(rouge_type="rouge1"),
        "RougeScore 1, recall": found.RougeScore(rouge_type="rouge1", mode="recall"),
        "RougeScore L, recall": found.RougeScore(rouge_type="rougeL", mode="recall"),
    }
    print(f"{len(answers)} answers\n")
    print("| metric | own | hard | AUC hard | AUC random | half is worse | r with length | ms |")
    print("|---|---|---|---|---|---|---|---|")
    lengths = [len(text) for text in answers.values()]
    for label, metric in kinds.items():

        def scored(pairs: list[tuple[str, str]], metric: Any = metric) -> np.ndarray:
            inputs = [{"reference": reference, "response": response} for reference, response in pairs]
            return np.array([result.value for result in asyncio.run(metric.abatch_score(inputs))])

        try:
            started = time.perf_counter()
            own = scored([(references[name], text) for name, text in answers.items()])
            each = 1000 * (time.perf_counter() - started) / len(answers)
        except ImportError as error:
            print(f"| {label} | {error} |")
            continue
        far = scored([(references[hard[name]], text) for name, text in answers.items()])
        any_ = scored([(references[chance[name]], text) for name, text in answers.items()])
        half = scored([(references[name], text[: len(text) // 2]) for name, text in answers.items()])
        figures = [own.mean(), far.mean(), above(own, far), above(own, any_), (half < own).mean()]
        figures += [np.corrcoef(own, lengths)[0, 1]]
        print(f"| {label} | {' | '.join(f'{figure:.3f}' for figure in figures)} | {each:.1f} |")


if __name__ == "__main__":
    main()
