"""Plans over HTTP: the same objects as ``tutor plan … --json`` writes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from tutor.errors import NotFound
from tutor.study.calendar_file import as_calendar
from tutor.study.custom import Custom, tracks
from tutor.study.plan_wire import custom_json, option_json, row_json, summary_json, table_json
from tutor.study.plans import Plans
from tutor.study.timetable import CUSTOM
from tutor.study.windows import of_step, of_week
from tutor.web.core import Core, core_of
from tutor.web.plan_schemas import (
    CaughtUpOut,
    CustomOut,
    PlansOut,
    ShownOut,
    SkippedOut,
    SummaryOut,
    TableOut,
    TickedOut,
    WaysOut,
)
from tutor.web.schemas import ErrorOut, Text
from tutor.web.study_schemas import SPARSE

CoreOf = Annotated[Core, Depends(core_of)]
Skips = Annotated[list[Text], Field(max_length=400, examples=[["sat", "sun", "2026-12-24..2026-12-31"]])]
_ERRORS: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorOut, "description": "No plan, step, item or card has this name, or it is not under way."},
    422: {"model": ErrorOut, "description": "A date is past, or there is no way to hold the plan; says what would do."},
    503: {"model": ErrorOut, "description": "The study store cannot be read or written."},
}

router = APIRouter(prefix="/api/v1/study/plans", tags=["plans"], responses=_ERRORS)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StartIn(_Body):
    """From when, how fast, and without which days. A step takes ``pace`` of the plan's unit; or an end is given."""

    start: date | None = Field(None, description="Today where it is missing.")
    pace: float | None = Field(None, ge=0.1, le=10)
    until: date | None = Field(None, description="The day by which it is to end, in place of a pace.")
    hours: float | None = Field(None, gt=0, le=60, description="A week, in place of a pace.")
    skips: Skips = Field(default_factory=list)
    afresh: bool = Field(False, description="What was ticked off before does not count.")


class CustomIn(_Body):
    """An interview's date, a track and hours a week."""

    interview: date
    track: Text = Field(max_length=40, examples=["backend"])
    hours: float = Field(description="A week, above 0, at most 60.", allow_inf_nan=False)
    start: date | None = None
    skips: Skips = Field(default_factory=list)
    known: list[Text] = Field(default_factory=list, max_length=500, description="Cards that need no time.")
    what_fits: bool = Field(False, description="Take what fits where tier 1 does not.")
    preview: bool = Field(False, description="Only say what it would hold.")


class TickIn(_Body):
    """Items or steps that were done, or were not after all."""

    items: list[Text] = Field(min_length=1, max_length=1_000)
    done: bool = True


class SkipIn(_Body):
    """Days without study; of one plan, or of all that are under way."""

    days: Skips
    plan: Text = ""
    undo: bool = Field(False, description="Study on them after all.")


class CatchUpIn(_Body):
    """A way to catch up."""

    way: Literal["shift", "squeeze", "drop"]


@router.get("", response_model=PlansOut, summary="List the plans")
def listed(core: CoreOf) -> dict[str, Any]:
    """Those of the curriculum and the learner's own, with progress where under way; and the tracks there are."""

    def list_(plans: Plans) -> dict[str, Any]:
        own = next((table for table in plans.under_way() if table.taken.plan == CUSTOM), None)
        return {
            "plans": [row_json(*row) for row in plans.all()],
            "custom": summary_json(own) if own else None,
            "tracks": [{"id": track.id, "title": track.title} for track in tracks().values()],
        }

    return core.plans(list_)


@router.post("/custom", response_model=CustomOut, status_code=201, summary="Make a plan for an interview")
def custom(body: CustomIn, core: CoreOf) -> dict[str, Any]:
    """Tier 1 first, prerequisites before, within the hours; takes it up, or with ``preview`` only tells."""

    def make(plans: Plans) -> tuple[Custom, bool]:
        made = plans.choose(
            interview=body.interview,
            track=body.track,
            hours=body.hours,
            start=body.start,
            skips=body.skips,
            known=body.known,
        )
        if not body.preview:
            plans.take_up(made, start=body.start, skips=body.skips, what_fits=body.what_fits)
        return made, not body.preview

    made, taken_up = core.plans(make)
    return {**custom_json(made, core.study(lambda study: study.outline)), "taken_up": taken_up}


@router.post("/skip", response_model=SkippedOut, summary="Leave days out")
def skip(body: SkipIn, core: CoreOf) -> dict[str, Any]:
    """What follows moves back."""
    return core.plans(
        lambda plans: {"plans": [summary_json(after) for _, after in plans.skip(body.days, body.plan, undo=body.undo)]}
    )


@router.get("/{plan}", response_model=ShownOut, summary="A plan with its items", **SPARSE)
def show(plan: str, core: CoreOf, step: str = "", week: int | None = None) -> dict[str, Any]:
    """As it is followed, or as it would be from today on; whole, or one step or week of it."""

    def find(plans: Plans) -> dict[str, Any]:
        try:
            table = plans.of(plan)
        except NotFound:
            table = plans.preview(plan)
        shown = of_step(table, step) if step else of_week(table, week) if week is not None else None
        return {**table_json(table, shown), "under_way": table.taken.active}

    return core.plans(find)


@router.post("/{plan}/start", response_model=TableOut, status_code=201, summary="Take a plan up", **SPARSE)
def start(plan: str, body: StartIn, core: CoreOf) -> dict[str, Any]:
    """The plan with its dates."""
    return core.plans(
        lambda plans: table_json(
            plans.start(
                plan,
                start=body.start,
                pace=body.pace,
                until=body.until,
                hours=body.hours,
                skips=body.skips,
                afresh=body.afresh,
            )
        )
    )


@router.post("/{plan}/ticks", response_model=TickedOut, status_code=201, summary="Tick items off")
def tick(plan: str, body: TickIn, core: CoreOf) -> dict[str, Any]:
    """What changed by it, and where the plan stands."""

    def change(plans: Plans) -> dict[str, Any]:
        changed = plans.done(plan, body.items, undo=not body.done)
        return {"changed": [entry.item.id for entry in changed], "plan": summary_json(plans.of(plan))}

    return core.plans(change)


@router.get("/{plan}/catch-up", response_model=WaysOut, summary="How to catch up")
def ways(plan: str, core: CoreOf) -> dict[str, Any]:
    """Three ways, each with what it costs."""
    return core.plans(
        lambda plans: {
            "late": [entry.item.id for entry in plans.of(plan).late],
            "ways": [option_json(option) for option in plans.ways(plan)],
        }
    )


@router.post("/{plan}/catch-up", response_model=CaughtUpOut, summary="Catch up")
def catch_up(plan: str, body: CatchUpIn, core: CoreOf) -> dict[str, Any]:
    """The plan as it is then."""

    def go(plans: Plans) -> dict[str, Any]:
        option, table = plans.catch_up(plan, body.way)
        return {"way": option_json(option), "plan": summary_json(table)}

    return core.plans(go)


@router.post("/{plan}/stop", response_model=SummaryOut, summary="Follow a plan no longer")
def stop(plan: str, core: CoreOf) -> dict[str, Any]:
    """What was ticked off stays."""
    return core.plans(lambda plans: summary_json(plans.stop(plan)))


@router.get(
    "/{plan}/calendar.ics",
    response_class=Response,
    summary="A plan as a calendar file",
    responses={200: {"content": {"text/calendar": {"schema": {"type": "string"}}}}},
)
def calendar(plan: str, core: CoreOf) -> Response:
    """iCalendar, an all-day event for each step or day with something due."""
    data = core.plans(lambda plans: as_calendar(plans.of(plan), now=datetime.now(UTC)))
    return Response(data, media_type="text/calendar; charset=utf-8")
