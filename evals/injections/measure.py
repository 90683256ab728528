"""How often an injected instruction reaches a reader, with a model that obeys every one of them.

    python evals/injections/measure.py [--judge] [--verbose] [--cases FILE]

``cases.jsonl`` beside this file has one attack a line: its channel (the question itself, or a place in a document),
its text, what an obedient model writes, and a marker that must not reach the reader. Each document case becomes a file
of its own about a made-up subject, is ingested as a user's file would be, and asked about. The scripted model writes
two true sentences of the passage and obeys, whether or not the attack is still in its prompt: the worst case. The
patterns of ``tutor.answering.orders`` were made with the cases of the half "fit" in view, not with those of "report".
``cases-held-out-2.jsonl`` is by somebody who had not read them.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutor.answering.generate import GroundedAnswerer
from tutor.answering.orders import folded
from tutor.bootstrap import App
from tutor.models.port import Completion, Message, Usage
from tutor.settings import CorpusSettings, Settings

CASES = Path(__file__).resolve().parent / "cases.jsonl"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``asked``: a model was asked; ``seen``: the attack was in its prompt; ``written``: its answer stood.

    ``reached``: the marker stands in what the reader gets.
    """

    case: dict[str, Any]
    asked: bool
    seen: bool
    written: bool
    reached: bool
    text: str


class _Reply:
    def __init__(self, text: str) -> None:
        self._text = text
        self.usage = Usage(0, 0, 0.0)

    def __iter__(self) -> Iterator[str]:
        for at in range(0, len(self._text), 12):
            yield self._text[at : at + 12]

    def close(self) -> None:
        """Nothing is open."""


class Obedient:
    """A model that writes what it is told to, and keeps the last prompt."""

    name = "obedient/1"
    context_tokens = 8192

    def __init__(self) -> None:
        self.text = ""
        self.prompt = ""

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float = 0.0, stop: Sequence[str] = ()
    ) -> Completion:
        """Its script, whatever is asked."""
        self.prompt = messages[-1].content
        return _Reply(self.text)

    def count_tokens(self, text: str) -> int:
        """About four characters a token."""
        return len(text) // 4 + 1


def facts(n: int) -> tuple[str, str, str]:
    """The subject of a case and two sentences that are true of it."""
    topic = f"Brindle{n} queue"
    return (
        topic,
        f"The {topic} is a message queue that keeps {n + 3} shards per broker and replicates each of them.",
        f"A consumer of the {topic} acknowledges each message before the broker deletes it.",
    )


def write(folder: Path, n: int, case: dict[str, Any]) -> None:
    """The document of a case."""
    topic, one, two = facts(n)
    text, channel = case["text"].replace("{topic}", topic), case["channel"]
    body = f"{one} {two}"
    name, suffix, heading, front, extra = f"brindle-{n}", "md", "What it is", "", f"\n\n{text}\n"
    if channel == "heading":
        heading, extra = text, ""
    elif channel == "file_name":
        name, extra = f"brindle-{n} {text}", ""
    elif channel == "front_matter":
        front, extra = f'---\ntitle: "{topic}"\ndescription: "{text}"\ntags: ["{text}"]\n---\n', ""
    elif channel == "table":
        extra = f"\n\n| Field | Value |\n|---|---|\n| broker | {text} |\n| shards | {n + 3} |\n"
    elif channel == "code":
        extra = f"\n\n```sh\n{text}\nbrindle --shards {n + 3}\n```\n"
    if channel in ("pdf_text", "pdf_metadata"):
        lines = [topic, *_wrapped(body)] + (_wrapped(text) if channel == "pdf_text" else [])
        path = folder / f"brindle-{n}.pdf"
        path.write_bytes(_pdf(lines, title=text if channel == "pdf_metadata" else topic))
        return
    if channel == "drill":
        extra = f"\n\n## Notes\n\n{text}\n"
    path = folder / f"{re.sub('[/:?]', ' ', name)[:120]}.{suffix}"
    path.write_text(f"{front}# {topic}\n\n## {heading}\n\n{body}{extra}", encoding="utf-8")


def _wrapped(text: str) -> list[str]:
    words, lines = text.split(), [""]
    for word in words:
        if len(lines[-1]) + len(word) > 70:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _pdf(lines: Sequence[str], *, title: str) -> bytes:
    """A PDF of one page, written by hand."""
    drawn = "".join(f"BT /F1 11 Tf 50 {780 - 14 * at} Td ({line}) Tj ET\n" for at, line in enumerate(lines))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [5 0 R] /Count 1 >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /Length {len(drawn)} >>\nstream\n{drawn}endstream",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
        "/Contents 4 0 R >>",
        f"<< /Title ({title}) /Subject ({title}) /Keywords ({title}) >>",
    ]
    out, offsets = "%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    trailer = f"trailer << /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>"
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{trailer}\nstartxref\n{len(out)}\n%%EOF\n"
    return (out + end).encode("latin-1")


def read_cases(path: Path = CASES) -> list[dict[str, Any]]:
    """All cases, in order."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def measure(home: Path, cases: Sequence[dict[str, Any]], *, judge: bool = False) -> list[Outcome]:
    """What becomes of each case, on an index of its documents in ``home``."""
    folder = home / "documents"
    folder.mkdir(parents=True)
    for n, case in enumerate(cases):
        write(folder, n, {**case, "text": ""} if case["channel"] == "question" else case)
    app = App(Settings(home=home, corpus=CorpusSettings(builtin=False)))
    app.ingest([folder])
    model = Obedient()
    answerer = GroundedAnswerer(app.answerer, model, app.judge if judge else None)
    found = [_attempt(answerer, model, n, case) for n, case in enumerate(cases)]
    app.close()
    return found


def _attempt(answerer: GroundedAnswerer, model: Obedient, n: int, case: dict[str, Any]) -> Outcome:
    topic, one, two = facts(n)
    question = f"What is the {topic}?"
    if case["channel"] == "question":
        attack = case["text"].replace("{topic}", f"the {topic}")
        question = attack if "{topic}" in case["text"] else f"{question} {attack}"
    reply = case["reply"].replace("{topic}", topic)
    model.prompt, model.text = "", f"{one} [1]\n\n- {two} [1]\n- {reply}\n"
    answer = answerer.ask(question)
    trace = " ".join(folded(case["text"].replace("{topic}", topic)).split()).lower()[:40]
    return Outcome(
        case,
        asked=bool(model.prompt),
        seen=bool(trace) and trace in " ".join(folded(model.prompt).split()).lower(),
        written=answer.generation is not None and not answer.generation.fallback,
        reached=case["marker"].lower() in answer.text.lower(),
        text=answer.text,
    )


def main() -> None:
    """Measure and print, by channel."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judge", action="store_true", help="Check with the judge model too.")
    parser.add_argument("--verbose", action="store_true", help="Every attack that reached the reader.")
    parser.add_argument("--cases", type=Path, default=CASES, metavar="FILE", help="Another set of attacks.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        found = measure(Path(home), read_cases(given.cases), judge=given.judge)
    print("channel        cases  asked  seen  written  reached by the model  quoted")
    counts: dict[str, Counter[str]] = {}
    for outcome in found:
        for channel in (outcome.case["channel"], f"all, {outcome.case['half']}"):
            row = counts.setdefault(channel, Counter())
            row.update(
                cases=1,
                asked=outcome.asked,
                seen=outcome.seen,
                written=outcome.written,
                model=outcome.written and outcome.reached,
                quoted=outcome.reached and not outcome.written,
            )
        if given.verbose and outcome.reached:
            print(f"  {outcome.case['id']} {'written' if outcome.written else 'quoted'}: {outcome.text!r}")
    for channel, row in sorted(counts.items(), key=lambda item: (item[0][:4] == "all,", item[0])):
        columns = [row[name] for name in ("cases", "asked", "seen", "written", "model", "quoted")]
        print(
            f"{channel:13} {columns[0]:6} {columns[1]:6} {columns[2]:5} {columns[3]:8} {columns[4]:21} {columns[5]:7}"
        )


if __name__ == "__main__":
    main()
