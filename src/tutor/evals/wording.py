"""How much of a set's wording is not its own: what it shares with the curriculum and with training questions."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean

from pydantic import Field

from tutor.curriculum.card import Strict
from tutor.evals.sets import Place, Question
from tutor.ingest.documents import Document
from tutor.retrieval.lexical import terms
from tutor.text import blank_markup

_APOSTROPHE = re.compile(r"(?<=\w)['’ʼ](?=\w)")
_WORD = re.compile(r"[^\W_]+(?:\+\+|#)?")  # C, C++ and C# are three
SEED = 6  # words: the shortest run that is looked for in the whole curriculum


def words(text: str) -> list[str]:
    """The words of a text without case, accents, punctuation and Markdown; hyphened words are several."""
    folded = unicodedata.normalize("NFKD", blank_markup(text).casefold())
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    return _WORD.findall(_APOSTROPHE.sub("", plain))


def normalised(text: str) -> str:
    """What two questions share that differ in case, punctuation, accents or blanks only."""
    return " ".join(words(text))


def shared_run(mine: Sequence[str], theirs: str) -> int:
    """The length of the longest run of the words ``mine`` in ``theirs``, a text as ``normalised`` gives it."""
    longest, start, padded = 0, 0, f" {theirs} "
    for end in range(1, len(mine) + 1):
        # A longer run than the longest so far ends here, or the window moves on.
        if f" {' '.join(mine[start:end])} " in padded:
            longest = end - start
        else:
            start += 1
    return longest


class Copies:
    """Finds the longest run of words that a text shares with any document.

    Args:
        texts: by the document's id.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = {name: normalised(text) for name, text in texts.items()}

    def of(self, wanted: Mapping[str, str]) -> dict[str, tuple[int, str]]:
        """For each wanted text with a run of six words or more: its length and the document's id."""
        mine = {name: words(text) for name, text in wanted.items()}
        owners: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for name, found in mine.items():
            for seed in _grams(found, SEED):
                owners[seed].add(name)
        longest: dict[str, tuple[int, str]] = {}
        for doc_id, text in self._texts.items():
            hit = {name for seed in _grams(text.split(" "), SEED) if seed in owners for name in owners[seed]}
            for name in sorted(hit):
                run = shared_run(mine[name], text)
                if run > longest.get(name, (0, ""))[0]:
                    longest[name] = run, doc_id
        return longest


class Overlap(Strict):
    """Means over the questions of a kind of what they share with their right passages; shares in [0, 1]."""

    kind: str
    questions: int
    trigrams: float = Field(description="share of a question's content trigrams that stand in its passages")
    run: float = Field(description="words of the longest common run")
    longest: int = Field(description="the longest of these runs")
    reference_trigrams: float
    reference_run: float
    learnt: float = Field(description="Jaccard similarity of terms with the nearest training question")


def overlaps(questions: Sequence[Question], documents: Iterable[Document], learnt: Sequence[str] = ()) -> list[Overlap]:
    """The figures of each kind, sorted, and last those of ``all``.

    Args:
        questions: golden questions; those of which no passage is there are left out.
        documents: the curriculum.
        learnt: the training questions.
    """
    texts = sections(documents)
    near = Nearest(learnt)
    rows: dict[str, list[tuple[float, float, float, float, float]]] = defaultdict(list)
    for question in questions:
        passages = [texts[place] for p in question.passages if (place := (p.doc, p.section)) in texts]
        if not passages:
            continue
        plain = [normalised(text) for text in passages]
        grams = {gram for text in passages for gram in _grams(terms(text), 3)}
        row = (
            _share(question.question, grams),
            float(max(shared_run(words(question.question), text) for text in plain)),
            _share(question.reference, grams),
            float(max(shared_run(words(question.reference), text) for text in plain)),
            near.of(question.question)[0],
        )
        rows[question.kind].append(row)
        rows["all"].append(row)
    return [_figures(kind, rows[kind]) for kind in sorted(rows, key=lambda kind: (kind == "all", kind))]


def sections(documents: Iterable[Document]) -> dict[tuple[str, str], str]:
    """The text of every section that can be retrieved, by document id and heading path below the title."""
    found: dict[tuple[str, str], str] = {}
    for document in documents:
        for section in document.sections:
            place = document.doc_id, " > ".join(section.heading)
            if text := document.text[section.start : section.end].strip():
                found[place] = f"{found[place]}\n\n{text}" if place in found else text
    return found


def text_of(places: Iterable[Place], texts: Mapping[tuple[str, str], str]) -> str:
    """The text of several sections with their headings; those that are not there are left out."""
    return "\n\n".join(f"{p.section}\n\n{texts[p.doc, p.section]}" for p in places if (p.doc, p.section) in texts)


class Nearest:
    """The nearest of many questions: the share of terms in common (Jaccard), stop words left out, words as stems."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = list(dict.fromkeys(known))
        self._sizes: list[int] = []
        self._holding: dict[str, list[int]] = defaultdict(list)
        for number, text in enumerate(self._known):
            mine = set(terms(text))
            self._sizes.append(len(mine))
            for term in mine:
                self._holding[term].append(number)

    def of(self, question: str) -> tuple[float, str]:
        """The similarity in [0, 1] and the question; (0, "") where nothing is shared. Of equals, the first."""
        mine = set(terms(question))
        shared: dict[int, int] = defaultdict(int)
        for term in mine:
            for number in self._holding.get(term, ()):
                shared[number] += 1
        if not shared:
            return 0.0, ""
        best = min(shared, key=lambda n: (-shared[n] / (len(mine) + self._sizes[n] - shared[n]), n))
        return shared[best] / (len(mine) + self._sizes[best] - shared[best]), self._known[best]


def _grams(found: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    return zip(*(found[n:] for n in range(size)), strict=False)


def _share(text: str, known: set[tuple[str, ...]]) -> float:
    mine = list(_grams(terms(text), 3))
    return sum(gram in known for gram in mine) / len(mine) if mine else 0.0


def _figures(kind: str, rows: Sequence[tuple[float, float, float, float, float]]) -> Overlap:
    trigrams, runs, reference_trigrams, reference_runs, learnt = zip(*rows, strict=True)
    return Overlap(
        kind=kind,
        questions=len(rows),
        trigrams=fmean(trigrams),
        run=fmean(runs),
        longest=int(max(runs)),
        reference_trigrams=fmean(reference_trigrams),
        reference_run=fmean(reference_runs),
        learnt=fmean(learnt),
    )
