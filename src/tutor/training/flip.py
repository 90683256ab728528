"""The opposite of a claim in its own words: roles swapped, an order reversed, a negation put in or taken out."""

from __future__ import annotations

import re

import numpy as np

_PAIRS = (
    "highest/lowest higher/lower before/after first/last always/never more/less most/least increases/decreases"
    " increase/decrease raises/lowers grows/shrinks reads/writes read/write leader/follower leaders/followers"
    " primary/replica producer/consumer producers/consumers client/server synchronous/asynchronous"
    " synchronously/asynchronously persistent/ephemeral durable/volatile strong/weak cheap/expensive cheaper/dearer"
    " fast/slow faster/slower early/late earlier/later same/different all/none every/no with/without above/below"
    " upstream/downstream push/pull pushes/pulls static/dynamic local/remote horizontal/vertical inside/outside"
    " minimum/maximum smaller/larger small/large few/many short/long shorter/longer old/new older/newer open/closed"
    " allowed/forbidden needed/needless possible/impossible safe/unsafe bounded/unbounded shared/separate"
    " independent/dependent mutable/immutable stateless/stateful sparse/dense success/failure succeeds/fails"
    " better/worse best/worst wins/loses wide/narrow public/private left/right up/down hit/miss hits/misses only/also"
    " random/sequential exact/approximate row/column rows/columns"
).split()
_OPPOSITE = {a: b for pair in _PAIRS for a, b in (pair.split("/"), pair.split("/")[::-1])}
_DENIED = (
    "is/is not|are/are not|can/cannot|cannot/can|must/need not|does/does not|do/do not|has/has no|have/have no"
    "|needs/does not need|need/do not need|will/will not|should/should not|isn't/is|aren't/are|can't/can"
    "|doesn't/does indeed|don't/do indeed|won't/will|helps/does not help|makes/does not make|keeps/does not keep"
    "|requires/does not require|costs/costs nothing in|means/does not mean|gives/does not give|lets/does not let"
)
_POLAR: dict[str, str] = dict(pair.split("/") for pair in _DENIED.split("|"))
_WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?|\d[\d,.]*")


def flipped(text: str, random: np.random.Generator) -> str:
    """The text with one or two of its hinges turned, or "" where there is none to turn.

    A word is replaced by its opposite, a verb is denied or no longer denied ("does not" loses its "not"), a figure is
    multiplied or divided by ten.
    """
    hinges: list[tuple[int, int, str]] = []
    for found in _WORD.finditer(text):
        word = found[0].lower()
        rest = text[found.end() :]
        if word in _OPPOSITE:
            hinges.append((*found.span(), _OPPOSITE[word]))
        elif word in _POLAR:
            gone = re.match(r"\s+(?:not|no)\b", rest)
            hinges.append(
                (found.start(), found.end() + gone.end(), found[0]) if gone else (*found.span(), _POLAR[word])
            )
        elif word[0].isdigit() and word.strip(",.").replace(",", "").replace(".", "", 1).isdigit():
            hinges.append((*found.span(), _scaled(found[0], random)))
    if not hinges:
        return ""
    most = 2 if len(hinges) > 3 and random.random() < 0.4 else 1
    chosen = sorted(random.permutation(len(hinges))[:most], reverse=True)
    for number in chosen:
        start, end, new = hinges[number]
        new = new.capitalize() if text[start].isupper() else new
        text = text[:start] + new + text[end:]
    return text


def _scaled(figure: str, random: np.random.Generator) -> str:
    tail = figure[len(figure.rstrip(",.")) :]
    value = float(figure.rstrip(",.").replace(",", "")) * float(random.choice([0.1, 0.2, 5, 10]))
    return f"{value:,.10g}{tail}" if value >= 1000 else f"{value:.4g}{tail}"
