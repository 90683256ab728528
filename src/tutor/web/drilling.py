"""The start page of drills: what goes on, what is due, what can be drilled, and how a form becomes a drill."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import ValidationError

from tutor.drill.engine import Drills
from tutor.drill.results import coverage_of
from tutor.drill.scenarios import TITLES
from tutor.drill.transcript import today_json
from tutor.errors import UsageError
from tutor.web.core import Core
from tutor.web.forms import Form
from tutor.web.library import PHASES
from tutor.web.schemas import DrillIn

RECENT = 8
TIERS = (1, 2, 3)


class Format(NamedTuple):
    """A format as the page offers it; ``kind`` is its name in ``formats.FORMATS``, "" for whatever fits."""

    kind: str
    name: str
    about: str


FORMATS = (
    Format("", "Whatever fits", "From your words one question; without any a set of five."),
    Format("probe", "One question", "A question, follow-ups, a changed constraint, a grade."),
    Format("card", "A whole card", "Every question of one card."),
    Format("set", "A set", "Questions from a phase, a tier or a thread."),
    Format("decision", "A or B", "Choose, name the condition and the price; then the constraint moves."),
    Format("estimate", "Estimate", "Back of the envelope in 8 minutes, with a sheet that minds the units."),
    Format("hld", "System design", "A mock of 45 minutes in nine timed steps."),
    Format("lld", "Low-level design", "A mock of 29 minutes in six timed steps."),
    Format("ml", "ML system design", "A mock of 45 minutes."),
    Format("genai", "GenAI system design", "A mock of 45 minutes."),
    Format("capstone", "Capstone", "A large design of 50 minutes in ten dimensions."),
    Format("review", "Design review", "Find what is wrong with a design, in 20 minutes."),
    Format("behavioural", "A story", "A behavioural question, answered in STAR shape."),
)
NAMES = {"set": "Set of questions", **{f.kind: f.name for f in FORMATS if f.kind and f.kind != "set"}}
#: How each verdict's badge looks.
BADGES = {"strong": "good", "mixed": "going", "weak": "bad", "wrong": "bad", "ungraded": ""}


class Recent(NamedTuple):
    """A drill with results; ``verdict`` where it had one task only, ``coverage`` the mean of its tasks."""

    session: str
    title: str
    kind: str
    at: datetime
    tasks: int
    coverage: float
    verdict: str


def start_context(drills: Drills, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the start page shows; ``given`` is what its form holds."""
    corpus = drills.corpus
    today = today_json(drills)
    threads = corpus.tables.threads if corpus.tables else []
    names = [card.title for card in corpus.cards.values() if card.probes]
    names += [entry.title for entry in corpus.entries.values() if hasattr(entry, "rubric") or hasattr(entry, "flaws")]
    form = {"request": "", "format": "", "phase": "", "tier": "", "thread": "", "count": "", **given}
    if card := corpus.cards.get(form["request"]):
        form["request"] = card.title
    return {
        "due": today["due"],
        "opened": [{**row, "at": datetime.fromisoformat(row["started"])} for row in today["open"]],
        "recent": recent(drills),
        "formats": FORMATS,
        "chosen": next((f for f in FORMATS if f.kind == form["format"]), FORMATS[0]),
        "names": NAMES,
        "badges": BADGES,
        "phases": PHASES,
        "tiers": TIERS,
        "threads": [(thread.id, thread.title) for thread in threads],
        "subjects": sorted({*names, *TITLES}, key=str.lower),
        "form": form,
    }


def recent(drills: Drills, most: int = RECENT) -> list[Recent]:
    """The drills that last had a result, the newest first."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in drills.store.viewed():
        groups.setdefault(str(row.get("session")), []).append(row)
    found = []
    for session, rows in groups.items():
        last = {row.get("task"): row for row in rows}
        covered = [coverage_of(row) for row in last.values()]
        newest = max(last.values(), key=lambda row: str(row["at"]))
        title = title_of(drills, newest["card"])
        at = datetime.fromisoformat(newest["at"])
        verdict = newest["verdict"] if len(last) == 1 else ""
        kind = NAMES.get(str(newest.get("kind", "")), "")
        found.append(Recent(session, title, kind, at, len(last), sum(covered) / len(covered), verdict))
    return sorted(found, key=lambda one: one.at, reverse=True)[:most]


def title_of(drills: Drills, card: str) -> str:
    """What a result's card is called."""
    entry = drills.corpus.cards.get(card) or drills.corpus.entries.get(card)
    return entry.title if entry else card.capitalize()


def asked_for(form: Form) -> DrillIn:
    """What a form of the start page asks for.

    Raises:
        UsageError: it cannot be drilled so.
    """
    phase, tier = form.whole("phase"), form.whole("tier")
    try:
        return DrillIn(
            request=form.text("request").strip(),
            format=form.text("format"),
            card=form.text("card"),
            phases=[] if phase is None else [phase],
            tiers=[] if tier is None else [tier],
            thread=form.text("thread"),
            count=form.whole("count"),
            seed=form.whole("seed"),
            due=form.text("from") == "due",
            weak=form.text("from") == "weak",
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(str(first["msg"]), about=str(first["loc"][0]), fix="Shorten it.") from error


def begun(core: Core, form: Form) -> str:
    """The path of the drill that a form starts; with the button "choose" its questions are chosen for the learner.

    Raises:
        NotFound: no such card, probe or exercise.
        UsageError: the parts do not fit together.
    """
    choose = form.text("do") == "choose"
    asked = DrillIn(choose=True, count=form.whole("count") or 1) if choose else asked_for(form)
    return f"/drill/{core.begun(asked).id}"
