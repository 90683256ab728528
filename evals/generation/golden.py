"""How much of what a lying model writes reaches a reader, on the golden questions.

    python evals/generation/golden.py [--every N]

For every n-th answerable golden question a scripted model writes the sentences of the extractive answer, and for each
of them a lie made of it by rule: a figure changed, a negation put in, two sides swapped, a name exchanged, a condition
made absolute, a sentence of another question's answer with this one's number. The order is shuffled with a fixed seed.
None of these lies was looked at when the check was made.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from tutor.answering.generate import GroundedAnswerer
from tutor.bootstrap import App
from tutor.models.port import Completion, Message, Usage
from tutor.settings import Settings

QUESTIONS = Path(__file__).resolve().parents[1] / "golden" / "questions.jsonl"
_VERB = re.compile(r"\b(is|are|has|have|can|keeps|uses|needs|gives|takes|makes|costs|means|must)\b")
_FIGURE = re.compile(r"\b\d+(?:[.,]\d+)*\b")
_SIDES = re.compile(r"\b(\w[\w-]{3,}) (and|or|instead of|for|than|over|to|of|with) (\w[\w-]{3,})\b")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][A-Za-z]{3,}\b")


class Liar:
    """A model that writes ``text``."""

    name = "liar/1"
    context_tokens = 8192
    text = ""

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float = 0.0, stop: Sequence[str] = ()
    ) -> Completion:
        """Its text, whatever is asked."""
        return _Reply(self.text)

    def count_tokens(self, text: str) -> int:
        """About four characters a token."""
        return len(text) // 4 + 1


class _Reply:
    def __init__(self, text: str) -> None:
        self._text = text
        self.usage = Usage(0, 0, 0.0)

    def __iter__(self) -> Iterator[str]:
        yield self._text

    def close(self) -> None:
        """Nothing is open."""


def lies(true: str, elsewhere: str) -> dict[str, str]:
    """The lies that can be made of a sentence, by kind."""
    found = {"borrowed": elsewhere}
    if match := _FIGURE.search(true):
        figure = match.group()
        changed = (
            str(int(figure) * 3 + 1)
            if figure.isdigit()
            else figure.replace(figure[0], "7" if figure[0] != "7" else "4", 1)
        )
        found["number"] = true[: match.start()] + changed + true[match.end() :]
    if match := _VERB.search(true):
        denied = (
            f"{match.group()} not"
            if match.group() in ("is", "are", "can", "has", "have", "must")
            else "never " + match.group()
        )
        found["negated"] = true[: match.start()] + denied + true[match.end() :]
        found["overgeneral"] = true[: match.start()] + f"always {match.group()}" + true[match.end() :]
    if (match := _SIDES.search(true)) and match.group(2) not in ("and", "or"):
        found["swapped"] = (
            f"{true[: match.start()]}{match.group(3)} {match.group(2)} {match.group(1)}{true[match.end() :]}"
        )
    if match := _NAME.search(true):
        found["name"] = true[: match.start()] + "Quorbex" + true[match.end() :]
    return found


def main() -> None:
    """Measure and print, by kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="Only every n-th question.")
    parser.add_argument("--verbose", action="store_true", help="Every lie that was let through.")
    given = parser.parse_args()
    asked = [json.loads(line)["question"] for line in QUESTIONS.read_text(encoding="utf-8").split("\n") if line]
    random_ = random.Random(20261122)
    told: Counter[str] = Counter()
    through: Counter[str] = Counter()
    answers = written = 0
    with tempfile.TemporaryDirectory() as home:
        app = App(Settings(home=Path(home)))
        app.ingest()
        model = Liar()
        answerer = GroundedAnswerer(app.answerer, model, app.judge)
        elsewhere = "A quorum read overlaps a quorum write when R+W>N holds."
        for question in asked[:: given.every]:
            quoted = app.answerer.ask(question)
            if quoted.abstained:
                continue
            answers += 1
            true = [" ".join(c.quote.split()) for c in quoted.citations]
            kinds = dict.fromkeys(true, "true")
            for sentence in true:
                made = lies(sentence, elsewhere)
                kind = random_.choice(sorted(made))
                kinds.setdefault(made[kind], kind)
            opening, *rest = kinds
            random_.shuffle(rest)
            model.text = f"{opening} [1]\n\n" + "\n".join(f"- {line} [{random_.randint(1, 8)}]" for line in rest)
            answer = answerer.ask(question)
            assert answer.generation is not None
            if answer.generation.fallback:
                elsewhere = true[-1]
                continue
            written += 1
            shown_text = " ".join(answer.text.split())
            for line, kind in kinds.items():
                told[kind] += 1
                kept = f"{line} [" in shown_text
                through[kind] += kept
                if given.verbose and kept and kind != "true":
                    print(f"  {kind:11} {line}")
            elsewhere = true[-1]
        app.close()
    for kind in sorted(told):
        print(f"{kind:12} {through[kind]:5} of {told[kind]:5} let through")
    bad, of = sum(through[k] for k in told if k != "true"), sum(told[k] for k in told if k != "true")
    shown = sum(through.values())
    print(f"{answers} answers, {written} written; in these {bad} of {of} lies got through = {bad / of:.4f}")
    print(f"{shown} sentences reached the reader, {bad} of them lies = {bad / max(1, shown):.4f}")


if __name__ == "__main__":
    main()
