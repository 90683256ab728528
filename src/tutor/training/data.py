"""What the encoder learns from: questions written for the curriculum's passages, and general (query, passage) pairs.

Questions are text files that people read and mend, one for each document, under ``ingest/training/questions/``::

    # acid
    ## Why it exists
    plain: what do I gain by wrapping updates in a transaction

A question belongs to a section. Where a section was cut into several passages it goes to the one that the untrained
encoder finds nearest, and the others are nobody's negatives.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rank_bm25 import BM25Okapi

from tutor.curriculum import SHELVES
from tutor.errors import SourceError
from tutor.ingest.chunk import Chunk, chunk
from tutor.ingest.collect import collect
from tutor.ingest.load import load
from tutor.retrieval.index import Passage
from tutor.retrieval.lexical import terms

Vectors = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]

REGISTERS = frozenset(
    "plain definition how why why-not compare when scenario failure estimate acronym keywords misspelt spoken interview"
    " follow-up".split()
)
_LINE = re.compile(r"(?P<register>[a-z-]+): (?P<text>\S.*)")
_AFTER = " => "  # in a follow-up, between the question before and itself


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the section it was written for; ``section`` is the heading path below the title."""

    text: str
    register: str
    doc_id: str
    section: str


@dataclass(frozen=True, slots=True)
class Item:
    """A passage to learn with the questions it answers.

    ``group`` is what must not lie in both the training and the validation set: a document, or a repository.
    Passages of one ``section`` are never each other's negatives.
    """

    passage: str
    questions: tuple[str, ...]
    group: str
    section: str


def read_questions(folder: Path) -> list[Question]:
    """Every question under ``folder``, in the order of file names.

    Raises:
        SourceError: a line is no heading and no ``register: question`` of a known register.
    """
    found: list[Question] = []
    for path in sorted(folder.glob("*.txt")):
        doc_id, section = "", None  # the text above a document's first heading has the section ""
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if re.match("##( |$)", line):
                section = line[2:].strip()
            elif line.startswith("# "):
                doc_id, section = line[2:].strip(), None
            elif line.strip():
                match = _LINE.fullmatch(line.strip())
                if not match or match["register"] not in REGISTERS or section is None:
                    raise SourceError(
                        f"line {number} is no question: {line.strip()[:60]!r}",
                        about=str(path),
                        fix=f"Write 'register: question' below '# id' and '## section'; registers: "
                        f"{', '.join(sorted(REGISTERS))}.",
                    )
                text = match["text"].replace(_AFTER, " ")
                found.append(Question(text, match["register"], doc_id, section))
    return found


def read_passages(corpus: Path, count_tokens: Callable[[str], int]) -> list[Chunk]:
    """The passages of a curriculum folder, cut as ``tutor ingest`` cuts them.

    Raises:
        SourceError: a file cannot be read.
    """
    files, problems = collect(folder for name in SHELVES if (folder := corpus / name).is_dir())
    if problems:
        raise problems[0]
    return [piece for found in files for document in load(found) for piece in chunk(document, count_tokens)]


def section_of(piece: Chunk | Passage) -> str:
    """The heading path of a passage below its document's title, as question files write it."""
    return " > ".join(piece.heading[1:])


def match(questions: Sequence[Question], pieces: Sequence[Chunk], encode: Encode) -> tuple[list[Item], list[Question]]:
    """The passages that have questions, each with them, and the questions whose section is not (or no longer) there."""
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, piece in enumerate(pieces):
        places[piece.doc_id, section_of(piece)].append(number)
    split = {n for numbers in places.values() if len(numbers) > 1 for n in numbers}
    vectors = dict(zip(sorted(split), encode([pieces[n].encoded_text for n in sorted(split)]), strict=True))
    unsure = [q for q in questions if len(places.get((q.doc_id, q.section), ())) > 1]
    asked = dict(zip(unsure, encode([q.text for q in unsure]), strict=True))
    answered: dict[int, list[str]] = defaultdict(list)
    lost = []
    for question in questions:
        numbers = places.get((question.doc_id, question.section), [])
        if not numbers:
            lost.append(question)
            continue
        best = numbers[0]
        if len(numbers) > 1:
            best = max(numbers, key=lambda n: float(vectors[n] @ asked[question]))
        answered[best].append(question.text)
    items = [
        Item(
            pieces[n].encoded_text,
            tuple(dict.fromkeys(texts)),
            pieces[n].doc_id,
            f"{pieces[n].doc_id}#{section_of(pieces[n])}",
        )
        for n, texts in sorted(answered.items())
    ]
    return items, lost


def read_pairs(path: Path, limit: int, seed: int) -> list[Item]:
    """At most ``limit`` pairs of a ``.jsonl.gz`` of ``query``, ``passage`` and ``source`` (owner/repo:path)."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    chosen = np.random.default_rng(seed).permutation(len(rows))[:limit]
    return [
        Item(rows[i]["passage"], (rows[i]["query"],), rows[i]["source"].split(":", 1)[0], rows[i]["source"])
        for i in sorted(chosen)
    ]


def held_out(group: str, share: float) -> bool:
    """Whether a document or repository belongs to the validation set: by its name, so the same in every run.

    An article or a day's task on a card's subject is a document of its own: at a share of .1, 13 of the pairs in
    ``evals/calibration/twins.json`` lie on both sides, and what is held out of one the other may have taught. The split
    stays, since the packaged encoder was trained with it.
    """
    digest = hashlib.blake2b(group.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64 < share


def split(items: Iterable[Item], share: float) -> tuple[list[Item], list[Item]]:
    """The items to train on and those to validate on, no group in both."""
    train: list[Item] = []
    validation: list[Item] = []
    for item in items:
        (validation if held_out(item.group, share) else train).append(item)
    return train, validation


def rows_of(items: Sequence[Item], width: int) -> list[tuple[int, tuple[str, ...]]]:
    """Item numbers with up to ``width`` of their questions: a passage is encoded once for all of a row's questions.

    The shortest question of a row comes first, so that a column is padded to the length of its like.
    """
    return [
        (number, tuple(sorted(item.questions[at : at + width], key=len)))
        for number, item in enumerate(items)
        for at in range(0, len(item.questions), width)
    ]


def nearest(questions: Vectors, passages: Vectors, count: int) -> list[list[int]]:
    """For each question the ``count`` passages of the highest dot product, in no order. Both (n, dims), unit length."""
    count = min(count, len(passages))
    found: list[list[int]] = []
    for at in range(0, len(questions), 1024):
        scores = questions[at : at + 1024] @ passages.T
        found += np.argpartition(-scores, count - 1, axis=1)[:, :count].tolist()
    return found


def nearest_by_terms(questions: Sequence[str], passages: Sequence[str], count: int) -> list[list[int]]:
    """For each question the ``count`` passages of the highest BM25 score, in no order."""
    ranker = BM25Okapi([terms(text) for text in passages])
    count = min(count, len(passages))
    return [np.argpartition(-ranker.get_scores(terms(q)), count - 1)[:count].tolist() for q in questions]


def rivals(groups: Sequence[str], owners: Sequence[int], near: Sequence[Sequence[int]]) -> dict[str, list[str]]:
    """For each group the groups whose passages stand near its questions, the most frequent first.

    Args:
        groups: of each passage.
        owners: the passage that each question belongs to.
        near: the passages near each question.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for owner, numbers in zip(owners, near, strict=True):
        counts[groups[owner]].update(groups[n] for n in numbers if groups[n] != groups[owner])
    return {group: sorted(found, key=lambda g: (-found[g], g)) for group, found in counts.items()}
