"""What learners say to rubric points, with the right verdict: what the grader learns from.

Text files that people read and mend, one for each card, under ``ingest/training/answers/``::

    # kafka / why-not-task-queue
    ## per-message-ack
    covered: a worker deletes one message when it is done, Kafka only moves the offset of the whole partition
    contradicted: …
    !! 1
    asserted: Kafka is a queue, only faster
    rejected: people call it a faster queue, but reading removes nothing

Below a point stand statements with their status; below ``!! n`` those about the probe's n-th red flag.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tutor.curriculum.card import Card, Probe
from tutor.errors import SourceError

#: The classes that the grader tells apart, in the order of its outputs.
STATUSES = ("missed", "partly", "covered", "contradicted")
MISSED, PARTLY, COVERED, CONTRADICTED = range(4)
_FLAG = {"asserted": COVERED, "rejected": CONTRADICTED}
_LINE = re.compile(r"(?P<label>[a-z]+): (?P<text>\S.*)")


@dataclass(frozen=True, slots=True)
class Statement:
    """What a learner says, and the class it is of for the point (or red flag) ``target`` of a probe."""

    card: str
    probe: str
    target: str
    text: str
    status: int


@dataclass(frozen=True, slots=True)
class Example:
    """A claim (a rubric point, or what a red flag says), an answer or a part of one, and the class."""

    claim: str
    answer: str
    status: int


def read_statements(folder: Path) -> list[Statement]:
    """Every statement under ``folder``, in the order of file names; the target of a red flag is ``!1``, ``!2`` …

    Raises:
        SourceError: a line is no heading and no ``label: statement``.
    """
    found: list[Statement] = []
    for path in sorted(folder.glob("*.txt")):
        card = probe = target = ""
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            text = line.strip()
            if text.startswith("## "):
                target = text[3:].strip()
            elif text.startswith("!! "):
                target = "!" + text[3:].strip()
            elif text.startswith("# "):
                card, _, probe = (part.strip() for part in text[2:].partition(" / "))
                target = ""
            elif text:
                match = _LINE.fullmatch(text)
                labels = _FLAG if target.startswith("!") else {name: n for n, name in enumerate(STATUSES)}
                if not match or not target or match["label"] not in labels:
                    raise SourceError(
                        f"line {number} is no statement: {text[:60]!r}",
                        about=str(path),
                        fix=f"Write 'label: statement' below '# card / probe' and '## point' ({', '.join(STATUSES)}) "
                        f"or '!! number' ({', '.join(_FLAG)}).",
                    )
                found.append(Statement(card, probe, target, match["text"], labels[match["label"]]))
    return found


def claims_of(probe: Probe) -> dict[str, str]:
    """What each target of a probe claims."""
    return {m.id: m.point for m in probe.must_have} | {f"!{n}": f.wrong for n, f in enumerate(probe.red_flags, 1)}


def examples(
    statements: Iterable[Statement],
    cards: Mapping[str, Card],
    *,
    rounds: int,
    seed: int,
    padding: Sequence[str] = (),
) -> tuple[list[Example], list[Statement]]:
    """Pairs to learn from, and the statements whose probe or point is not (or no longer) there.

    Each statement stands alone once; then ``rounds`` times among others of its probe, in an order drawn at random, as
    in a real answer. Such a composed answer has at most one statement of a point, so every other point's class is
    known: that of its own statement, or missed. One of them is taken as a second example, more often one that is
    missed. Then come decoys, which make no point: the question, terms in a row, promises, ``padding`` (sentences that
    fit everywhere), and for red flags the right statements about the same probe.
    """
    random = np.random.default_rng(seed)
    probes = {(card.id, probe.id): probe for card in cards.values() for probe in card.probes}
    by_probe: dict[tuple[str, str], dict[str, list[Statement]]] = {}
    lost: list[Statement] = []
    for statement in statements:
        probe = probes.get((statement.card, statement.probe))
        if probe is None or statement.target not in claims_of(probe):
            lost.append(statement)
            continue
        by_probe.setdefault((statement.card, statement.probe), {}).setdefault(statement.target, []).append(statement)
    found: list[Example] = []
    for key, targets in by_probe.items():
        claims = claims_of(probes[key])
        found += [Example(claims[t], s.text, s.status) for t, said in targets.items() for s in said]
        found += _decoys(probes[key], targets, padding, random)
        for _ in range(rounds):
            for target, said in targets.items():
                for statement in said:
                    found += _composed(statement, target, targets, claims, random)
    return found, lost


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
            empty.append(" ".join(said))
            empty.append(" ".join([probe.ask, *said[:2]]))
        found += [Example(must.point, text, MISSED) for text in empty]
    # Contradictions share the point's words and honest paraphrases do not: without these, shared words would deny.
    for claim in claims.values():
        near = _near(claim, random)
        others = [ended(str(t)) for t in random.permutation(right)[: int(random.integers(1, 4))]]
        mixed = " ".join(str(t) for t in random.permutation([near, *others]))
        found += [Example(claim, text, COVERED) for text in (claim, near, mixed)]
    for target in (t for t in claims if t.startswith("!")):
        for size in (1, 1, 1, 1, 2, 3, 4):
            said = [ended(str(t)) for t in random.permutation(right)[:size]]
            found.append(Example(claims[target], " ".join(said), MISSED))
        for said_of in targets.get(target, ()):
            others = [ended(str(t)) for t in random.permutation(right)[: int(random.integers(1, 4))]]
            answer = " ".join(str(t) for t in random.permutation([ended(said_of.text), *others]))
            found.append(Example(claims[target], answer, said_of.status))
    found += [Example(f.wrong, f.why, CONTRADICTED) for f in probe.red_flags]
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
