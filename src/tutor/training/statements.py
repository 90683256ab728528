"""What learners say to rubric points, with the right verdict: what the grader learns from.

Text files that people read and mend, one for each card, under ``ingest/training/answers/``::

    # kafka / why-not-task-queue
    ## per-message-ack
    covered: a worker deletes one message when it is done, Kafka only moves the offset of the whole partition
    contradicted: …
    !! 1
    asserted: Kafka is a queue, only faster
    near: Kafka's throughput comes from sequential writes
    rejected: people call it a faster queue, but reading removes nothing
    >>
    per-message-ack=covered | The offset of a partition is all there is, so one bad job holds up its neighbours.
    | That bit us first.
    !1=asserted | Otherwise it's a queue like any other.

Below a point stand statements with their status, below ``!! n`` those about the probe's n-th red flag (``near`` is true
and on its subject). Each ``>>`` begins a whole answer, a segment a line, with what it makes of which point before the
bar; a point that no segment names is missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tutor.curriculum.card import Card, Probe
from tutor.drill.judge import CONTRADICTED, COVERED, MISSED, PARTLY, STATUSES
from tutor.drill.rubric import flag_claim
from tutor.errors import SourceError
from tutor.training.flip import flipped

_POINT: dict[str, int] = {name: n for n, name in enumerate(STATUSES)}
_FLAG = {"asserted": COVERED, "rejected": CONTRADICTED, "near": MISSED}
_LINE = re.compile(r"(?P<label>[a-z]+): (?P<text>\S.*)")
_SEGMENT = re.compile(r"(?P<labels>(?:[!\w-]+=[a-z]+\s+)*)\|\s*(?P<text>\S.*)")
_WORST_FIRST = (CONTRADICTED, COVERED, PARTLY, MISSED)  # what an answer makes of a point that several segments touch


@dataclass(frozen=True, slots=True)
class Statement:
    """What a learner says, and the class it is of for the point (or red flag) ``target`` of a probe."""

    card: str
    probe: str
    target: str
    text: str
    status: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of an answer, and the class it is of for each target that it touches."""

    text: str
    labels: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer to a probe, in segments that read on from one another."""

    card: str
    probe: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Material:
    """All that was written for the grader to learn from."""

    statements: list[Statement]
    answers: list[Answer]

    def only(self, wanted: Iterable[tuple[str, str]] | None = None, *, but: Iterable[tuple[str, str]] = ()) -> Material:
        """The part that is of the (card, probe) pairs wanted, all by default, and of none in ``but``."""
        chosen = None if wanted is None else set(wanted)
        left_out = set(but)

        def kept(item: Statement | Answer) -> bool:
            key = (item.card, item.probe)
            return key not in left_out and (chosen is None or key in chosen)

        return Material([s for s in self.statements if kept(s)], [a for a in self.answers if kept(a)])

    @property
    def probes(self) -> set[tuple[str, str]]:
        """(card, probe) of everything here."""
        return {(s.card, s.probe) for s in self.statements} | {(a.card, a.probe) for a in self.answers}


@dataclass(frozen=True, slots=True)
class Example:
    """A claim (a rubric point, or a red flag with its reason), an answer or a part of one, and the class."""

    claim: str
    answer: str
    status: int


def read_material(folder: Path) -> Material:
    """Everything under ``folder``, in the order of file names; the target of a red flag is ``!1``, ``!2`` …

    Raises:
        SourceError: a line is no heading, no ``label: statement`` and no ``labels | segment``.
    """
    material = Material([], [])
    for path in sorted(folder.glob("*.txt")):
        card = probe = target = ""
        segments: list[Segment] | None = None
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            text = line.strip()
            if segments and text.startswith(("# ", "## ", "!! ", ">>")):
                material.answers.append(Answer(card, probe, tuple(segments)))
            if text.startswith("## "):
                target, segments = text[3:].strip(), None
            elif text.startswith("!! "):
                target, segments = "!" + text[3:].strip(), None
            elif text.startswith("# "):
                card, _, probe = (part.strip() for part in text[2:].partition(" / "))
                target, segments = "", None
            elif text.startswith(">>"):
                segments = []
            elif text and segments is not None:
                segments.append(_segment(text, path, number))
            elif text:
                material.statements.append(Statement(card, probe, target, *_statement(text, target, path, number)))
        if segments:
            material.answers.append(Answer(card, probe, tuple(segments)))
    return material


def _statement(text: str, target: str, path: Path, number: int) -> tuple[str, int]:
    match = _LINE.fullmatch(text)
    labels = _FLAG if target.startswith("!") else _POINT
    if not match or not target or match["label"] not in labels:
        raise SourceError(
            f"line {number} is no statement: {text[:60]!r}",
            about=str(path),
            fix=f"Write 'label: statement' below '# card / probe' and '## point' ({', '.join(_POINT)}) "
            f"or '!! number' ({', '.join(_FLAG)}).",
        )
    return match["text"], labels[match["label"]]


def _segment(text: str, path: Path, number: int) -> Segment:
    match = _SEGMENT.fullmatch(text)
    labels: dict[str, int] = {}
    for pair in match["labels"].split() if match else ():
        target, _, label = pair.partition("=")
        labels[target] = (_FLAG if target.startswith("!") else _POINT).get(label, -1)
    if not match or -1 in labels.values():
        raise SourceError(
            f"line {number} is no segment of an answer: {text[:60]!r}",
            about=str(path),
            fix="Write 'point=covered !1=asserted | text' below '>>', with no label or several before the bar.",
        )
    return Segment(match["text"], labels)


def claims_of(probe: Probe) -> dict[str, str]:
    """What each target of a probe claims, as the judge reads it."""
    flags = {f"!{n}": flag_claim(f.wrong, f.why).asked for n, f in enumerate(probe.red_flags, 1)}
    return {m.id: m.point for m in probe.must_have} | flags


def examples(
    material: Material,
    cards: Mapping[str, Card],
    *,
    rounds: float,
    seed: int,
    padding: Sequence[str] = (),
) -> tuple[list[Example], list[tuple[str, str, str]]]:
    """Pairs to learn from, and the (card, probe, target) that are not (or no longer) there.

    Each statement stands alone once; then ``rounds`` times (a share of them where it is below 1) among others of its
    probe, in an order drawn at random. Such a composed answer has at most one statement of a point, so every other
    point's class is known: that of its own statement, or missed. One of them is taken as a second example, more often
    one that is missed. Whole answers are taken as they are, and by segment, alone and with a neighbour. Then come
    decoys, which make no point: the question, terms in a row, promises, ``padding`` (sentences that fit everywhere),
    and for red flags the right statements about the same probe.
    """
    random = np.random.default_rng(seed)
    probes = {(card.id, probe.id): probe for card in cards.values() for probe in card.probes}
    claims = {key: claims_of(probe) for key, probe in probes.items()}
    by_probe: dict[tuple[str, str], dict[str, list[Statement]]] = {}
    lost: list[tuple[str, str, str]] = []
    for statement in material.statements:
        key = (statement.card, statement.probe)
        if statement.target in claims.get(key, ()):
            by_probe.setdefault(key, {}).setdefault(statement.target, []).append(statement)
        else:
            lost.append((*key, statement.target))
    found: list[Example] = []
    for key, targets in by_probe.items():
        found += [Example(claims[key][t], s.text, s.status) for t, said in targets.items() for s in said]
        found += _decoys(probes[key], targets, padding, random)
        for target, said in targets.items():
            for statement in said:
                for _ in range(int(rounds) + int(random.random() < rounds % 1)):
                    found += _composed(statement, target, targets, claims[key], random)
    for answer in material.answers:
        key = (answer.card, answer.probe)
        known = claims.get(key, {})
        unknown = {t for s in answer.segments for t in s.labels} - set(known)
        lost += [(*key, target) for target in sorted(unknown)]
        if known and not unknown:
            found += _told(answer, known, random)
    return found, lost


def _told(answer: Answer, claims: Mapping[str, str], random: np.random.Generator) -> Iterator[Example]:
    """A whole answer for every claim; its segments, alone and with the next, for what they touch and what not."""
    whole = " ".join(ended(s.text) for s in answer.segments)
    for target, claim in claims.items():
        yield Example(claim, whole, _class_of(answer.segments, target))
    for at in range(len(answer.segments)):
        for size in (1, 2)[: len(answer.segments) - at]:
            run = answer.segments[at : at + size]
            text = " ".join(ended(s.text) for s in run)
            touched = [t for t in claims if any(t in s.labels for s in run)]
            chosen = touched[: None if size == 1 else 1]
            rest = [t for t in claims if t not in touched]
            if rest and random.random() < 0.5:
                chosen = [*chosen, str(random.choice(rest))]
            for target in chosen:
                yield Example(claims[target], text, _class_of(run, target))


def _class_of(segments: Sequence[Segment], target: str) -> int:
    made = {s.labels[target] for s in segments if target in s.labels}
    return next((status for status in _WORST_FIRST if status in made), MISSED)


def _composed(
    statement: Statement,
    target: str,
    targets: Mapping[str, Sequence[Statement]],
    claims: Mapping[str, str],
    random: np.random.Generator,
) -> list[Example]:
    others = [t for t in targets if t != target]
    chosen = [str(t) for t in random.permutation(others)[: int(random.integers(1, 4))]]
    said = {target: statement} | {t: targets[t][int(random.integers(len(targets[t])))] for t in chosen}
    parts = [said[t] for t in random.permutation(list(said))]
    answer = " ".join(ended(s.text) for s in parts)
    pairs = [Example(claims[target], answer, statement.status)]
    absent = [t for t in claims if t not in said]
    if absent and random.random() < 0.7:
        pairs.append(Example(claims[str(random.choice(absent))], answer, MISSED))
    elif chosen:
        other = chosen[0]
        pairs.append(Example(claims[other], answer, said[other].status))
    return pairs


def _decoys(
    probe: Probe, targets: Mapping[str, Sequence[Statement]], padding: Sequence[str], random: np.random.Generator
) -> list[Example]:
    claims = claims_of(probe)
    terms = [alias for m in probe.must_have for alias in m.aliases]
    right = [s.text for t, said in targets.items() if not t.startswith("!") for s in said if s.status == COVERED]
    found: list[Example] = []
    for must in probe.must_have:
        shuffled = [str(t) for t in random.permutation(terms)]
        empty = [
            str(random.choice([probe.ask, probe.twist.change, must.follow_up, f"{probe.ask} {must.follow_up}"])),
            ", ".join(shuffled[: int(random.integers(3, 12))]),
            _promise(shuffled, random),
        ]
        if padding:
            said = [str(t) for t in random.permutation(list(padding))[: int(random.integers(1, 6))]]
            empty += [" ".join(said), " ".join([probe.ask, *said[:2]])]
        found += [Example(must.point, str(text), MISSED) for text in random.permutation(empty)[:2]]
    # Who repeats the claim itself has made it: shared words are no sign of a denial.
    for must in probe.must_have:
        others = [ended(str(t)) for t in random.permutation(right)[: int(random.integers(0, 3))]]
        mixed = [str(t) for t in random.permutation([_near(must.point, random), *others])]
        found.append(Example(must.point, " ".join(mixed), COVERED))
        # And who turns it round in its own words has denied it.
        said = [s.text for s in targets.get(must.id, ()) if s.status == COVERED]
        for text in (must.point, _near(must.point, random), *said[:3]):
            if wrong := flipped(text, random):
                found.append(Example(must.point, wrong, CONTRADICTED))
    for number, flag in enumerate(probe.red_flags, 1):
        target = f"!{number}"
        for size in (1, 2, 4):
            said = [ended(str(t)) for t in random.permutation(right)[:size]]
            found.append(Example(claims[target], " ".join(said), MISSED))
        for said_of in targets.get(target, ()):
            others = [ended(str(t)) for t in random.permutation(right)[: int(random.integers(1, 4))]]
            answer = " ".join(str(t) for t in random.permutation([ended(said_of.text), *others]))
            found.append(Example(claims[target], answer, said_of.status))
        found += [Example(claims[target], flag.wrong, COVERED), Example(claims[target], flag.why, CONTRADICTED)]
    return found


def _near(claim: str, random: np.random.Generator) -> str:
    """The claim as somebody who has read it repeats it: clauses in another order, small words dropped, lower case."""
    clauses = re.split(r"(?:, (?:so|and|while|whereas|which|but)?|; )\s*", claim.rstrip("."))
    if len(clauses) == 2 and random.random() < 0.5:
        clauses.reverse()
    small = {"the", "a", "an", "its", "that", "of", "is", "are", "own", "only", "about"}
    kept = [w for w in ", ".join(clauses).split() if w.lower() not in small or random.random() < 0.6]
    text = " ".join(kept)
    return ended(text.lower() if random.random() < 0.4 else text)


def _promise(terms: Sequence[str], random: np.random.Generator) -> str:
    """An announcement of terms, without a claim."""
    verbs = ["mention", "explain", "discuss", "go into", "describe", "cover", "touch on", "talk about"]
    chosen = [str(v) for v in random.permutation(verbs)]
    heads = ["I would", "I'd", "Then I would", "In my answer I'd", "Of course I would also"]
    parts = [f"{random.choice(heads)} {verb} {term}." for verb, term in zip(chosen, terms[:4], strict=False)]
    return " ".join(parts[: int(random.integers(1, 5))])


def ended(text: str) -> str:
    """The statement as a sentence among others."""
    return text if text[-1] in ".!?" else text + "."
