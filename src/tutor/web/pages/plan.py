"""The plans: what there is, where one stands, and a plan by its days, weeks or months."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, cast

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from tutor.errors import NotFound, TutorError, UsageError
from tutor.study.catchup import Way
from tutor.study.custom import Custom, in_hours, most_hours, tracks
from tutor.study.desk import Study
from tutor.study.load import hours_of, hours_within, minutes_a_day
from tutor.study.pacing import Skips, skips_of
from tutor.study.plans import Plans
from tutor.study.timetable import CUSTOM, Timetable
from tutor.studying import plans_of
from tutor.telemetry import failed
from tutor.web.core import Core, core_of
from tutor.web.errors import status_of
from tutor.web.forms import Form, read_form, submit
from tutor.web.page_words import day_words, field_of, on_page
from tutor.web.plan_forms import Fields, Interview, interview_of, start_of
from tutor.web.plan_views import UNITS, entries_for, plan_page, runs, title_of
from tutor.web.views import page

router = APIRouter(include_in_schema=False)
CoreOf = Annotated[Core, Depends(core_of)]
_SINGLE = ("speed", "start", "pace", "until", "hours", "skips", "interview", "track", "known", "first", "last", "plan")
_SAID = {
    "started": "The plan has begun. Its next steps are on Today from now on.",
    "stopped": "The plan is stopped. What was ticked off is kept, and counts again when you begin anew.",
    "skipped": "The days are left out; what follows has moved.",
    "unskipped": "The days are study days again.",
    "caught-up": "The plan is laid out anew.",
}
_NONE = Fields()


@router.api_route("/plan", methods=["GET", "HEAD"])
def plans(request: Request, core: CoreOf, did: str = "") -> Response:
    """What there is to follow, and where one stands."""
    return _list(request, core, did=did)


@router.api_route("/plan/interview", methods=["GET", "HEAD"])
def interview(request: Request, core: CoreOf) -> Response:
    """A plan up to the day of an interview: the form, and with its fields what the plan would hold."""
    given = _query(request)
    return _interview(request, core, given, tried="interview" in request.query_params)


@router.post("/plan/interview")
async def take_up(request: Request, core: CoreOf) -> Response:
    """Follow a plan for an interview; one that is followed already is replaced, and its ticks stay."""
    form = await read_form(request)
    given, fits = _fields(form), form.on("what_fits")

    def take(found: Plans) -> str:
        asked = interview_of(given)
        made = _chosen(found, asked)
        found.take_up(made, start=asked.start, skips=asked.skips, what_fits=fits)
        return f"/plan/{CUSTOM}?did=started"

    return await _sent(request, core, form, take, lambda e: _interview(request, core, given, tried=True, error=e))


@router.post("/plan/skip")
async def skip(request: Request, core: CoreOf) -> Response:
    """Leave days out of a plan or of all, or study on them after all."""
    form = await read_form(request)
    given, undo = _fields(form), form.on("undo")

    def leave(found: Plans) -> str:
        first, last = given.day("first", "skip"), given.day("last", "skip")
        words = [*given.several("weekday")]
        if first is not None:
            words.append(f"{first}..{last or first}")
        elif last is not None:
            words.append(f"{last}")
        name = given.text("plan")
        found.skip(words, name, undo=undo)
        return f"{f'/plan/{found.named(name)}' if name else '/plan'}?did={'unskipped' if undo else 'skipped'}"

    def again(error: TutorError) -> Response:
        if given.text("plan"):
            return _plan(request, core, given.text("plan"), given=given, error=error, of="skip")
        return _list(request, core, given=given, error=error, of="skip")

    return await _sent(request, core, form, leave, again)


@router.api_route("/plan/{plan}", methods=["GET", "HEAD"])
def plan(request: Request, plan: str, core: CoreOf, did: str = "") -> Response:
    """A plan as it is followed, or as it would be with the dates that the form to start it asks for."""
    return _plan(request, core, plan, did=did, given=_query(request))


@router.post("/plan/{plan}/start")
async def start(request: Request, plan: str, core: CoreOf) -> Response:
    """Take a plan up."""
    form = await read_form(request)
    given, afresh = _fields(form), form.on("afresh")

    def begin(found: Plans) -> str:
        how = start_of(given)
        table = found.start(
            plan, start=how.start, pace=how.pace, until=how.until, hours=how.hours, skips=how.skips, afresh=afresh
        )
        return f"/plan/{table.taken.plan}?did=started"

    def again(error: TutorError) -> Response:
        if form.text("back") == "list":
            return _list(request, core, given=given, error=error, of=plan)
        return _plan(request, core, plan, given=given, error=error, of="start")

    return await _sent(request, core, form, begin, again)


@router.post("/plan/{plan}/tick")
async def tick(request: Request, plan: str, core: CoreOf) -> Response:
    """Tick items off (``done``) or take ticks back (``undo``): said again, it changes nothing, so it needs no token."""
    form = await read_form(request)
    done, undone, back = form.texts("done"), form.texts("undo"), form.text("back")
    minutes = form.text("minutes")[:5]

    def change(found: Plans) -> str:
        changed = found.done(plan, done) if done else []
        changed += found.done(plan, undone, undo=True) if undone else []
        if not done and not undone:
            raise UsageError("no item is named", about=plan, fix="Tick one off on the plan's page.")
        step = changed[0].stage if changed else ""
        if back == "today":
            return f"/today?minutes={minutes}" if minutes.isascii() and minutes.isdecimal() else "/today"
        return f"/plan/{found.named(plan)}{f'#{step}' if step else ''}"

    return await submit(request, form, lambda: core.plans(change))


@router.post("/plan/{plan}/catch-up")
async def catch_up(request: Request, plan: str, core: CoreOf) -> Response:
    """Lay a plan out anew in the way that was chosen."""
    form = await read_form(request)
    way = form.text("way")

    def go(found: Plans) -> str:
        if way not in ("shift", "squeeze", "drop"):
            raise UsageError("no way was chosen", about=plan, fix="Shift, squeeze or drop.")
        _, table = found.catch_up(plan, cast(Way, way))
        return f"/plan/{table.taken.plan}?did=caught-up"

    return await _sent(request, core, form, go, lambda error: _plan(request, core, plan, error=error, of="ways"))


@router.post("/plan/{plan}/stop")
async def stop(request: Request, plan: str, core: CoreOf) -> Response:
    """Follow a plan no longer."""
    form = await read_form(request)

    def end(found: Plans) -> str:
        found.stop(plan)
        return "/plan?did=stopped"

    return await submit(request, form, lambda: core.plans(end))


async def _sent(
    request: Request,
    core: Core,
    form: Form,
    work: Callable[[Plans], str],
    again: Callable[[TutorError], Response],
) -> Response:
    """Carry a form out; where it cannot be, its page comes back with what was typed and the error beside it."""
    try:
        return await submit(request, form, lambda: core.plans(work))
    except (UsageError, NotFound) as fault:
        failed(fault)
        error = fault
    return await run_sync(again, error)


def _list(
    request: Request,
    core: Core,
    *,
    did: str = "",
    given: Fields = _NONE,
    error: TutorError | None = None,
    of: str = "",
) -> Response:
    def look(found: Plans) -> dict[str, Any]:
        rows = found.all()
        own = next((table for table in found.under_way() if table.taken.custom), None)
        # Under way or not, a plan's work is the sum of its items.
        sizes = {line.id: _size(table or found.preview(line.id)) for line, table in rows}
        ticked = {line.id: found.ticked(line.id) for line, table in rows if table is None}
        return {"rows": rows, "own": own, "sizes": sizes, "ticked": ticked, "today": found.today}

    shown = core.plans(look)
    return _page(request, "plan/list.html", shown, did=did, given=given, error=error, of=of)


def _size(table: Timetable) -> int:
    return sum(entry.item.minutes for entry in table.entries)


def _plan(
    request: Request,
    core: Core,
    name: str,
    *,
    did: str = "",
    given: Fields = _NONE,
    error: TutorError | None = None,
    of: str = "",
) -> Response:
    asked, fault = "speed" in given.texts or "start" in given.texts, error

    def find(found: Plans) -> tuple[Timetable, int, TutorError | None]:
        wanted = found.named(name)
        for table in found.under_way():
            if table.taken.plan == wanted:
                return table, 0, fault
        if asked and fault is None:
            try:
                how = start_of(given)
                table = found.preview(
                    wanted, start=how.start, pace=how.pace, until=how.until, hours=how.hours, skips=how.skips
                )
                return table, found.ticked(wanted), None
            except UsageError as wrong:
                failed(wrong)
                return found.preview(wanted), found.ticked(wanted), wrong
        if wanted == CUSTOM:
            raise NotFound("you follow no plan for an interview", fix="Make one: Plan, For an interview.")
        return found.preview(wanted), found.ticked(wanted), fault

    table, ticked, error = core.plans(find)
    outline = core.study(lambda study: study.outline)
    written = core.log(lambda book: entries_for(book, outline, table)) if table.taken.active else {}

    def build(study: Study) -> dict[str, Any]:
        found = plan_page(study, plans_of(study), table, written)
        return {
            "plan": found,
            "table": table,
            "line": outline.plans.get(table.taken.plan),
            "ticked": ticked,
            "today": table.today,
            "asked": asked,
            "titles": {card.id: card.title for card in outline.cards.values()},
            "minutes": study.minutes,
            "slow": hours_of(table, study.minutes),
            "left_out_runs": runs(table.taken.skips, table.today),
        }

    shown = core.study(build)
    return _page(request, "plan/page.html", shown, did=did, given=given, error=error, of=of or "start")


def _interview(
    request: Request, core: Core, given: Fields, *, tried: bool, error: TutorError | None = None
) -> Response:
    def look(study: Study) -> dict[str, Any]:
        found, made, fault, skips = plans_of(study), None, error, Skips()
        if tried:
            try:
                asked = interview_of(given)
                skips = skips_of(asked.skips)
                made = _chosen(found, asked)
                if fault is None and not (made.cards and made.holds_tier_1):
                    found.refused(made, asked.skips)
            except (UsageError, NotFound) as wrong:
                if fault is None:
                    failed(wrong)
                    fault = wrong
        own = next((table for table in found.under_way() if table.taken.custom), None)
        return {
            "made": made,
            "groups": _groups(made) if made else [],
            "cards": study.outline.cards,
            "own": own,
            "today": found.today,
            "fault": fault,
            "a_day": minutes_a_day(made.hours, skips) if made else 0,
            "minutes": study.minutes,
            "slow": hours_within(study.minutes, skips),
        }

    shown = core.study(look)
    return _page(request, "plan/interview.html", shown, given=given, error=shown["fault"], of="interview")


def _groups(made: Custom) -> list[tuple[str, list[Any]]]:
    """The cards in their order, those that are in for the same reason together."""
    found: list[tuple[str, list[Any]]] = []
    for one in made.cards:
        if not found or found[-1][0] != one.why:
            found.append((one.why, []))
        found[-1][1].append(one)
    return found


def _page(
    request: Request,
    name: str,
    shown: dict[str, Any],
    *,
    did: str = "",
    given: Fields = _NONE,
    error: TutorError | None = None,
    of: str = "",
) -> Response:
    return page(
        request,
        name,
        status=status_of(error) if error else 200,
        **shown,
        told=_SAID.get(did, ""),
        given=given,
        nothing=_NONE,
        error=on_page(error) if error else None,
        wrong=field_of(error),
        of=of,
        units=UNITS,
        tracks=list(tracks().values()),
        most_hours=most_hours(Skips()),
        hours=in_hours,
        day_words=day_words,
        title_of=title_of,
    )


def _query(request: Request) -> Fields:
    """What a form sent with GET."""
    query = request.query_params
    return Fields(
        {name: query[name] for name in _SINGLE if name in query}, {"weekday": tuple(query.getlist("weekday"))}
    )


def _fields(form: Form) -> Fields:
    return Fields(
        {name: form.text(name) for name in _SINGLE if form.text(name)}, {"weekday": tuple(form.texts("weekday"))}
    )


def _chosen(found: Plans, asked: Interview) -> Custom:
    return found.choose(
        interview=asked.interview,
        track=asked.track,
        hours=asked.hours,
        start=asked.start,
        skips=asked.skips,
        known=asked.known,
    )
