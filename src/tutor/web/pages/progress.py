"""Progress: where one stands, what answers and reviews show, and marks brought in from a study guide."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from tutor.curriculum.outline import CardLine
from tutor.errors import NotFound, TutorError, UsageError
from tutor.study.desk import Study
from tutor.study.lookback import look_back
from tutor.study.marks import CardMark, Marks, read_marks, store_marks
from tutor.study.paths import named
from tutor.study.progress import STATUSES
from tutor.web import progress as shown
from tutor.web.core import Core, core_of
from tutor.web.errors import status_of
from tutor.web.forms import read_form, submit
from tutor.web.views import page

router = APIRouter(include_in_schema=False)
CoreOf = Annotated[Core, Depends(core_of)]
MOST_GUIDE_CHARACTERS = 300_000  # the whole study guide has 100,000


@router.api_route("/progress", methods=["GET", "HEAD"])
def overview(request: Request, core: CoreOf, days: int = 90, by: str = "phase") -> Response:
    """Everything that answers and reviews show; ``days`` is how far back, 0 for all; cards are grouped ``by``."""
    if by not in shown.GROUPS:
        raise NotFound("cards are not grouped so", about=by[:40], fix=f"One of: {', '.join(shown.GROUPS)}.")

    def gather(study: Study) -> dict[str, Any]:
        found = look_back(study, days)
        shares = study.shares(found.standing)
        drawn = shown.draw(found, shares[shown.GROUPS[by]], by, aim=study.retention)
        begun = bool(found.standing.tasks or found.standing.marks or found.standing.deck.items or found.days.done)
        return {"found": found, "all": shares["all"][0], "drawn": drawn, "begun": begun, "zone": study.zone}

    context = core.study(gather)
    return page(
        request,
        "progress/page.html",
        days=days,
        by=by,
        periods=shown.PERIODS,
        groups=shown.GROUPS,
        words=shown,
        **context,
    )


@router.api_route("/progress/cards", methods=["GET", "HEAD"])
def cards(
    request: Request,
    core: CoreOf,
    status: str = "",
    phase: str = "",
    tier: str = "",
    section: Annotated[str, Query(max_length=200)] = "",
    plan: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Every card with where one stands and why; what is given narrows the list."""
    wanted = {"status": status, "phase": phase, "tier": tier, "section": section, "plan": plan}

    def gather(study: Study) -> dict[str, Any]:
        at = study.standing()
        outline = at.outline
        of_plan = named(outline.plans[plan].steps) if plan in outline.plans else set()

        def fits(card: CardLine) -> bool:
            return (
                status in ("", at.cards[card.id].status)
                and phase in ("", str(card.phase))
                and tier in ("", str(card.tier))
                and section in ("", card.section)
                and (not plan or card.id in of_plan)
            )

        every = list(outline.cards.values())
        choices = {
            "status": [(name, name.replace("-", " ")) for name in STATUSES],
            "phase": _choices(study, "phase", sorted({str(card.phase) for card in every}, key=int)),
            "tier": _choices(study, "tier", sorted({str(card.tier) for card in every}, key=int)),
            "section": _choices(study, "section", sorted({card.section for card in every})),
            "plan": _choices(study, "plan", list(outline.plans)),
        }
        rows = [(card, at.cards[card.id]) for card in every if fits(card)]
        return {
            "rows": rows,
            "total": len(every),
            "choices": choices,
            "zone": study.zone,
            "today": at.now.astimezone(study.zone).date(),
        }

    context = core.study(gather)
    return page(request, "progress/cards.html", wanted=wanted, words=shown, **context)


def _choices(study: Study, by: str, names: list[str]) -> list[tuple[str, str]]:
    return [(name, shown.group_shown(study.outline, by, name)) for name in names]


@router.api_route("/progress/import", methods=["GET", "HEAD"])
def marks(request: Request, taken: int | None = None) -> Response:
    """A box for a study guide with marks; ``taken`` is how many the form has just taken in."""
    return page(request, "progress/import.html", text="", taken=taken, most=MOST_GUIDE_CHARACTERS)


@router.post("/progress/import")
async def take_marks(request: Request, core: CoreOf) -> Response:
    """What the marks would change; with ``apply`` they are taken in. What was pasted stays in the box."""
    form = await read_form(request)
    text = form.text("text")

    def read(study: Study) -> tuple[Marks, list[CardMark]]:
        if len(text) > MOST_GUIDE_CHARACTERS:
            raise UsageError(
                f"the text has {len(text):,} characters, the limit is {MOST_GUIDE_CHARACTERS:,}",
                fix="Paste it in two parts; what is taken in twice counts once.",
            )
        found = read_marks(text, study.outline)
        if not found.cards:
            raise UsageError(
                "none of its marks belongs to a card of the curriculum" if text.strip() else "nothing was pasted",
                fix="Put marks before titles, as in: [x] Caching",
            )
        return found, store_marks(study.store, found.cards, dry_run=True)

    def apply() -> str:
        taken = core.study(lambda study: len(store_marks(study.store, read(study)[0].cards)))
        return f"/progress/import?taken={taken}"

    try:
        if form.on("apply"):
            return await submit(request, form, apply)
        found, new = await run_in_threadpool(core.study, read)
    except TutorError as error:
        return page(
            request, "progress/import.html", status=status_of(error), text=text, error=error, most=MOST_GUIDE_CHARACTERS
        )
    titles = core.study(lambda study: {name: card.title for name, card in study.outline.cards.items()})
    return page(
        request, "progress/import.html", text=text, found=found, new=new, titles=titles, most=MOST_GUIDE_CHARACTERS
    )
