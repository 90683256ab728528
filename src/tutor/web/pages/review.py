"""A flash round: a question, what one is sure of, the answer, and how it went. Each rating is stored at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Annotated
from urllib.parse import urlencode

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from tutor.errors import UsageError
from tutor.study.days import day_of
from tutor.study.desk import MOST_MINUTES, Study
from tutor.study.lookup import known
from tutor.study.turns import Sitting, Turn, rate_once, revealed, sitting
from tutor.telemetry import failed
from tutor.web.core import Core, core_of
from tutor.web.errors import status_of
from tutor.web.forms import read_form, submit
from tutor.web.page_words import day_words, in_days, on_page
from tutor.web.views import page

router = APIRouter(include_in_schema=False)
CoreOf = Annotated[Core, Depends(core_of)]
RATINGS = ((1, "Forgotten", "bad"), (2, "Hard", ""), (3, "Good", "going"), (4, "Easy", "good"))
_MOST_SAID = 20_000  # characters of what is typed before the answer is shown; it is not stored


@dataclass(frozen=True, slots=True)
class Place:
    """Which round a page is of: since when (seconds since 1970, 0 for one that begins), how long, of which cards.

    ``late`` is a question that was rated in the meantime.
    """

    began: int = 0
    minutes: int | None = None
    cards: tuple[str, ...] = ()
    late: str = ""

    @property
    def path(self) -> str:
        """The page's address."""
        given: list[tuple[str, str | int]] = [("card", card) for card in self.cards]
        if self.minutes is not None:
            given.append(("minutes", self.minutes))
        if self.began:
            given.append(("began", self.began))
        if self.late:
            given.append(("late", self.late))
        return f"/review?{urlencode(given)}" if given else "/review"


@dataclass(frozen=True, slots=True)
class Guess:
    """What a learner gave before the answer: ``confidence`` from 0 to 100, None where they would rather not say.

    ``shown`` is when the question was (seconds since 1970).
    """

    confidence: int | None = None
    said: str = ""
    shown: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows: ``turn`` is its question, with the answer where ``answered``; ``late`` one that had gone."""

    place: Place
    round: Sitting
    turn: Turn | None
    today: date
    guess: Guess
    answered: bool = False
    late: Turn | None = None


@router.api_route("/review", methods=["GET", "HEAD"])
def review(
    request: Request,
    core: CoreOf,
    minutes: str = "",
    card: Annotated[list[str] | None, Query()] = None,
    began: str = "",
    late: str = "",
) -> Response:
    """The next question of a round, or how it went. ``late`` is what was rated in another window in the meantime."""
    place = Place(_number(began) or 0, _number(minutes), tuple(dict.fromkeys(card or ()))[:50], late[:255])
    if minutes.strip() and place.minutes is None:
        raise UsageError(f"'{minutes[:40]}' is no number of minutes", fix=f"From 1 to {MOST_MINUTES}.")
    return _page(request, core.study(lambda study: _look(study, place)))


@router.post("/review")
async def answer(request: Request, core: CoreOf) -> Response:
    """Shows the answer, or takes the rating down and goes on."""
    form = await read_form(request)
    place = Place(_number(form.text("began")) or 0, _number(form.text("minutes")), tuple(form.texts("card")[:50]))
    confidence = None if form.on("unsure") else _number(form.text("confidence"))
    guess = Guess(confidence, form.text("said")[:_MOST_SAID], _number(form.text("shown")) or 0)
    ref, seen = form.text("ref")[:255], form.text("seen")[:60]
    if not form.text("rating"):
        found = await run_sync(core.study, lambda study: _reveal(study, place, ref, seen, guess))
        return await run_sync(_page, request, found)

    def rate(study: Study) -> str:
        shown = datetime.fromtimestamp(guess.shown, UTC) if guess.shown else None
        rating = _number(form.text("rating")) or 0
        outcome = rate_once(study, ref, rating, seen=seen, confidence=guess.confidence, shown=shown)
        return place.path if outcome.counted else replace(place, late=ref).path

    try:
        return await submit(request, form, lambda: core.study(rate))
    except UsageError as fault:  # the answer stays on the screen with what was typed
        failed(fault)
        error = fault
    found = await run_sync(core.study, lambda study: _reveal(study, place, ref, seen, guess))
    return await run_sync(_page, request, found, error)


def _look(study: Study, place: Place) -> Shown:
    """Where the round stands; one that begins gets its beginning."""
    now = study.clock()
    began = datetime.fromtimestamp(place.began, UTC) if place.began else now.replace(microsecond=0)
    found = sitting(study, began, place.minutes, place.cards)
    late = revealed(study, place.late) if place.late and known(study.outline, place.late) else None
    place = replace(place, began=int(found.began.timestamp()), late="")
    guess = Guess(shown=int(now.timestamp()))
    return Shown(place, found, found.turn, day_of(now, study.zone), guess, late=late)


def _reveal(study: Study, place: Place, ref: str, seen: str, guess: Guess) -> Shown:
    """The question with its answer, unless it was rated since it was shown."""
    turn = revealed(study, ref)
    found = _look(study, place if turn.seen == seen else replace(place, late=ref))
    return replace(found, turn=turn, guess=guess, answered=True) if turn.seen == seen else found


def _page(request: Request, shown: Shown, error: UsageError | None = None) -> Response:
    found = shown.round
    sure = [one for one in found.recalled if one.confidence is not None]
    return page(
        request,
        "review/page.html",
        status=status_of(error) if error else 200,
        shown=shown,
        round=found,
        turn=shown.turn,
        guess=shown.guess,
        done=len(found.recalled),
        total=len(found.recalled) + found.left,
        ratings=RATINGS,
        names={number: name for number, name, _ in RATINGS},
        forgotten=[one for one in found.recalled if one.rating == 1],
        mean_sure=_percent([one.confidence or 0.0 for one in sure]),
        mean_right=_percent([float(one.rating > 1) for one in sure]),
        error=on_page(error) if error else None,
        again=replace(shown.place, began=0).path,
        in_days=in_days,
        day_words=day_words,
    )


def _percent(values: Sequence[float]) -> int | None:
    return round(100 * sum(values) / len(values)) if values else None


def _number(text: str) -> int | None:
    """A whole number from 0 of at most ten digits; None for anything else."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else None
