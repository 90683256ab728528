"""Studying over HTTP: the same objects as ``tutor today``, ``progress``, ``review``, ``path`` and ``stats`` write."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from tutor.study import paths
from tutor.study.desk import MOST_MINUTES, Study
from tutor.study.lookup import card_of
from tutor.study.wire import card_json, item_json, path_json, plain, progress_json, share_json, today_json
from tutor.web.core import Core, core_of
from tutor.web.schemas import ErrorOut, Text
from tutor.web.study_schemas import (
    SPARSE,
    CardOut,
    MapOut,
    PathOut,
    ProgressOut,
    RatedOut,
    RoundOut,
    StatsOut,
    SuspendedOut,
    SuspendOut,
    ThreadOut,
    TodayOut,
)

CoreOf = Annotated[Core, Depends(core_of)]
Minutes = Annotated[int | None, Query(ge=1, le=MOST_MINUTES, description="How many there are; else study.minutes.")]
_ERRORS: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorOut, "description": "No card or point has this name."},
    422: {"model": ErrorOut, "description": "Something is out of range."},
    503: {"model": ErrorOut, "description": "The study store cannot be read or written."},
}
_DRAWN: dict[int | str, dict[str, Any]] = {
    200: {
        "model": MapOut,
        "content": {"text/plain": {"schema": {"type": "string"}}},
        "description": "Nodes and edges, or a text.",
    }
}

router = APIRouter(prefix="/api/v1/study", tags=["study"], responses=_ERRORS)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MarkIn(_Body):
    """Where one stands with a card, by one's own word."""

    status: Literal["not-started", "learning", "mastered"]
    note: Text = Field("", max_length=2_000)


class CheckIn(_Body):
    """For each item of the mastery check, in its order, whether one can do it."""

    done: list[bool] = Field(max_length=100)
    seconds: float | None = Field(None, ge=0, le=86_400, description="That it took; ten minutes count at most.")


class ReviewIn(_Body):
    """A rating of what was recalled: 1 forgotten, 2 hard, 3 good, 4 easy."""

    ref: Text = Field(max_length=255, examples=["kafka/why-not-task-queue/per-message-ack"])
    rating: int = Field(ge=1, le=4)
    confidence: float | None = Field(None, ge=0, le=100, description="As given before the answer was shown.")
    seconds: float | None = Field(None, ge=0, le=86_400)
    key: str = Field("", max_length=100, description="Names the rating: sent twice, it counts once.")


class SuspendIn(_Body):
    """A card by any of its names, or a point as ``card/probe/point``."""

    ref: Text = Field(max_length=255, examples=["kafka"])
    suspended: bool = True


@router.get("/today", response_model=TodayOut, summary="What to do today, and why", **SPARSE)
def today(core: CoreOf, minutes: Minutes = None) -> dict[str, Any]:
    """Lines that fit the minutes, each with its reason; and what was left out."""
    return core.study(lambda study: today_json(study.today(minutes)))


@router.get("/progress", response_model=ProgressOut, summary="Where the learner stands")
def progress(core: CoreOf) -> dict[str, Any]:
    """Shares by phase, section, tier and plan, and every card with what its status rests on."""
    return core.study(lambda study: progress_json(study, study.standing()))


@router.get("/progress/{card}", response_model=CardOut, summary="Where the learner stands with a card")
def of_card(card: str, core: CoreOf) -> dict[str, Any]:
    """By id, title or alias; with its history and mastery check."""
    return core.study(lambda study: _card(study, card))


@router.post("/progress/{card}", response_model=CardOut, status_code=201, summary="Mark a card")
def mark(card: str, body: MarkIn, core: CoreOf) -> dict[str, Any]:
    """The learner's own word stands until a later drill or review says otherwise."""

    def change(study: Study) -> dict[str, Any]:
        return _card(study, study.mark(card, body.status, body.note).card)

    return core.study(change)


@router.post("/progress/{card}/check", response_model=CardOut, status_code=201, summary="Take down a mastery check")
def check(card: str, body: CheckIn, core: CoreOf) -> dict[str, Any]:
    """Mastered where every item is done, learning where one is not."""
    return core.study(lambda study: _card(study, study.check(card, body.done, seconds=body.seconds).card))


@router.get("/review", response_model=RoundOut, summary="What to recall now")
def due(core: CoreOf, minutes: Minutes = None, card: Annotated[list[str] | None, Query()] = None) -> dict[str, Any]:
    """What is due until the end of the day, the likeliest forgotten first: question, answer and source of each."""
    return core.study(lambda study: plain(study.round(minutes, card or ())))


@router.post("/review", response_model=RatedOut, status_code=201, summary="Rate what was recalled")
def review(body: ReviewIn, core: CoreOf) -> dict[str, Any]:
    """The next date."""

    def take(study: Study) -> dict[str, Any]:
        item = study.review(body.ref, body.rating, confidence=body.confidence, seconds=body.seconds, key=body.key)
        return {"ref": item.ref, "due": item.due.isoformat(), "reps": item.reps, "lapses": item.lapses}

    return core.study(take)


@router.get("/review/suspended", response_model=list[SuspendedOut], summary="What is set aside")
def suspended(core: CoreOf) -> list[dict[str, Any]]:
    """Cards, and points whose card is not; they do not come up in reviews."""
    return core.study(lambda study: [item_json(item) for item in study.suspended()])


@router.post(
    "/review/suspended",
    response_model=SuspendOut,
    status_code=201,
    summary="Set a card or point aside, or take it back",
)
def suspend(body: SuspendIn, core: CoreOf) -> dict[str, Any]:
    """A card goes with its points; what is known of them stays."""
    return core.study(lambda study: {"items": [item_json(i) for i in study.suspend(body.ref, body.suspended)]})


@router.get("/path/{card}", response_model=PathOut, summary="The shortest way to a card")
def way(card: str, core: CoreOf, have: Annotated[list[str] | None, Query()] = None) -> dict[str, Any]:
    """Over what it builds on, without what is mastered; with what the card hangs together with."""

    def find(study: Study) -> dict[str, Any]:
        found = study.path(card, have or ())
        return {**path_json(found), "ties": plain(paths.ties(study.outline, found.goal))}

    return core.study(find)


@router.get("/threads", response_model=list[ThreadOut], summary="The learning threads")
def threads(core: CoreOf) -> list[dict[str, Any]]:
    """Each with its cards in order and how far one is."""

    def list_(study: Study) -> list[dict[str, Any]]:
        shares = {s.name: s for s in study.threads(study.standing())}
        return [{**plain(t), "progress": share_json(shares[t.id])} for t in study.outline.threads]

    return core.study(list_)


@router.get("/map", summary="A map of the curriculum", response_model=None, responses=_DRAWN)
def drawn(
    core: CoreOf, card: str = "", form: Literal["json", "mermaid", "dot"] = "json"
) -> dict[str, Any] | PlainTextResponse:
    """Of all cards, or of the way to one; as nodes and edges, or as text for Mermaid or Graphviz."""

    def draw(study: Study) -> paths.Map:
        cards = [stage.card for stage in study.path(card).stages] if card else None
        return paths.map_of(study.outline, study.standing().cards, cards)

    found = core.study(draw)
    if form == "json":
        return {"nodes": plain(found.nodes), "edges": plain(found.edges)}
    return PlainTextResponse((paths.mermaid if form == "mermaid" else paths.dot)(found))


@router.get("/stats", response_model=StatsOut, summary="What answers and reviews show")
def stats(core: CoreOf) -> dict[str, Any]:
    """Readiness, weak points, kinds of question, contradictions, calibration, time; null where too little is known."""
    return core.study(lambda study: dict(plain(study.stats())))


def _card(study: Study, name: str) -> dict[str, Any]:
    at = study.standing()
    return card_json(at, at.cards[card_of(at.outline, name).id])
