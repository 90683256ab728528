"""Settings: what is in force, health, how the pages look, and everything one has made taken out, in, or deleted."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from tutor.bootstrap import App
from tutor.errors import NotFound, TutorError, UsageError
from tutor.inforce import lines
from tutor.telemetry import failed
from tutor.web.core import Core, core_of
from tutor.web.errors import status_of
from tutor.web.forms import read_form, submit
from tutor.web.status import Checks, anki_there, in_force
from tutor.web.views import page
from tutor.web.waiting import Waiting

router = APIRouter(include_in_schema=False)
CoreOf = Annotated[Core, Depends(core_of)]
#: What has to be typed before everything is deleted.
WORDS = "delete everything"
_NAMES = {
    "learners": "Your name and time zone",
    "marks": "Marks of cards",
    "drilled": "Graded drill tasks",
    "memory": "Review schedules",
    "reviews": "Reviews",
    "plans": "Plans",
    "ticks": "Ticks of plans",
    "entries": "Versions of log entries",
    "sittings": "Sittings",
    "drills": "Drill files and their lines",
    "feedback": "Votes",
    "log-drafts": "Unfinished log entries",
    "card_notes": "Notes on cards",
    "conversations": "Conversations",
    "turns": "Questions and answers",
}


class Kept:
    """What the settings page of a server keeps between requests."""

    def __init__(self) -> None:
        self.checks = Checks()
        self.told: Waiting[dict[str, Any]] = Waiting(200)
        self.uploads: Waiting[bytes] = Waiting(4)  # each up to 32 MB


def kept_of(request: Request) -> Kept:
    """The application's, for routes to depend on."""
    kept: Kept = request.app.state.settings_page
    return kept


KeptOf = Annotated[Kept, Depends(kept_of)]


@router.api_route("/settings", methods=["GET", "HEAD"])
def settings(request: Request, core: CoreOf, kept: KeptOf, told: str = "") -> Response:
    """What is in force, and what can be done. ``told`` is the key of what a form has just brought about."""
    return _page(request, core, told=kept.told.get(told))


@router.api_route("/settings/check", methods=["GET", "HEAD"])
@router.api_route("/settings/import", methods=["GET", "HEAD"])
@router.api_route("/settings/erase", methods=["GET", "HEAD"])
def form_again() -> Response:
    """The addresses of forms, when their answer is loaded again."""
    return RedirectResponse("/settings#data", status_code=303)


@router.post("/settings/check")
async def check(request: Request, core: CoreOf, kept: KeptOf) -> Response:
    """Look at the installation, as ``tutor doctor`` does; the page shows what the last check found."""

    def look() -> str:
        kept.checks.run(core.settings)
        return "/settings#health"

    return await submit(request, await read_form(request), look)


@router.get("/settings/anki")
def anki(core: CoreOf) -> Response:
    """An Anki deck of what is weak or due, as ``tutor export --format anki`` makes it."""

    def make(app: App) -> bytes:
        from tutor.study.anki import due_today, notes, write

        at = app.study.standing()
        chosen = notes(app.transfer.export(), at.outline, due_today(at, app.study.zone))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "tutor.apkg"
            write(path, chosen, at.now)
            return path.read_bytes()

    headers = {"Content-Disposition": 'attachment; filename="tutor.apkg"', "Cache-Control": "no-store"}
    return Response(core.own(make), media_type="application/octet-stream", headers=headers)


@router.post("/settings/import")
async def look_at_import(request: Request, core: CoreOf, kept: KeptOf) -> Response:
    """Take an export, change nothing, and go to the page that says what it would change."""
    form = await read_form(request)
    data = await form.file("file")

    def look() -> str:
        if not data:
            raise UsageError("no file was chosen", fix="Choose the JSON file that an export gave you.")
        core.bring_in(data, dry_run=True)
        return f"/settings/import/{kept.uploads.put(data)}"

    try:
        return await submit(request, form, look)
    except TutorError as fault:
        failed(fault)
        wrong: TutorError = fault  # the name of an except clause ends with it
        return await run_sync(lambda: _page(request, core, status=status_of(wrong), import_error=wrong))


@router.api_route("/settings/import/{key}", methods=["GET", "HEAD"])
def preview(request: Request, core: CoreOf, kept: KeptOf, key: str) -> Response:
    """What an import would change."""
    found = core.bring_in(_upload(kept, key), dry_run=True)
    return page(request, "settings/import.html", found=found, rows=_rows(found), key=key)


@router.post("/settings/import/{key}")
async def bring_in(request: Request, core: CoreOf, kept: KeptOf, key: str) -> Response:
    """Bring in what was looked at."""

    def carry_out() -> str:
        done = core.bring_in(_upload(kept, key), dry_run=False)
        kept.uploads.drop(key)
        return (
            f"/settings?told={kept.told.put({'kind': 'imported', 'rows': _rows(done), 'backup': done['backup']})}#data"
        )

    return await submit(request, await read_form(request), carry_out)


@router.post("/settings/erase")
async def erase(request: Request, core: CoreOf, kept: KeptOf) -> Response:
    """Delete all that the learner has made, where the words were typed."""
    form = await read_form(request)
    typed = form.text("words")
    if " ".join(typed.lower().split()) != WORDS:
        return await run_sync(lambda: _page(request, core, status=422, typed=typed, not_erased=True))

    def carry_out() -> str:
        done = core.log(lambda _: core.own(lambda app: app.erase()))  # nobody writes an entry meanwhile
        told = {"kind": "erased", "rows": done.rows, "files": done.files, "backup": done.backup, "left": done.left}
        told |= {"several": done.several, "kept_in": done.kept_in}
        return f"/settings?told={kept.told.put(told)}#data"

    return await submit(request, form, carry_out)


def _page(request: Request, core: Core, *, status: int = 200, **context: Any) -> Response:
    given = {"told": None, "import_error": None, "typed": "", "not_erased": False} | context
    return page(
        request,
        "settings/page.html",
        status=status,
        parts=list(in_force(core, str(request.base_url))),
        every=list(lines(core.settings)),
        config=core.settings.home.expanduser() / "config.toml",
        check=kept_of(request).checks.last,
        anki=anki_there(),
        words=WORDS,
        **given,
    )


def _upload(kept: Kept, key: str) -> bytes:
    """
    Raises:
        NotFound: it was brought in already, or is too long ago.
    """
    data = kept.uploads.get(key)
    if data is None:
        raise NotFound(
            "this file is not waiting any more", about="import", fix="Choose it again under Settings, Your data."
        )
    return data


def _rows(done: dict[str, Any]) -> list[tuple[str, int, int, int]]:
    """(part, new, kept, replaced) of the parts in which there is something."""
    return [
        (_NAMES.get(name, name.capitalize()), counts["new"], counts["kept"], counts["replaced"])
        for name, counts in done["parts"].items()
        if counts["new"] + counts["kept"] + counts["replaced"]
    ]
