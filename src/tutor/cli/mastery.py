"""``tutor progress``: where one stands, card by card; marks by hand, and the mastery check."""

from __future__ import annotations

import sys
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tutor.cli.state import emit, terminal_width
from tutor.cli.study import bar, counted, line, note, studying
from tutor.errors import StudyFault, UsageError
from tutor.files import write_whole

if TYPE_CHECKING:
    from tutor.study.desk import Standing, Study
    from tutor.study.progress import CardProgress, Share

_SIGNS = {"not-started": "[ ]", "learning": "[~]", "mastered": "[x]"}
_YES = {"y": True, "yes": True, "true": True, "1": True, "n": False, "no": False, "false": False, "0": False, "": False}


def progress(
    context: typer.Context,
    card: Annotated[str, typer.Argument(help="A card by id, title or alias; none for all.")] = "",
    mark: Annotated[str, typer.Option("--set", metavar="STATUS", help="not-started, learning or mastered.")] = "",
    why: Annotated[str, typer.Option("--note", help="With --set: why.")] = "",
    check: Annotated[str, typer.Option("--check", metavar="CARD", help="Go through a card's mastery check.")] = "",
    phase: Annotated[list[int] | None, typer.Option(help="List the cards of these phases (0 to 9).")] = None,
    tier: Annotated[list[int] | None, typer.Option(help="List the cards of these tiers (1 to 3).")] = None,
    section: Annotated[str, typer.Option(help="List the cards of a section, as in: storage.")] = "",
    plan: Annotated[str, typer.Option(help="List the cards of a plan, as in: 28-days.")] = "",
    share: Annotated[
        str, typer.Option("--share", metavar="FILE", help="Write a page to show to others: .html or .md.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON out; with --check answers y or n from stdin.")] = False,
) -> None:
    """Show where you stand: not started, learning or mastered, and what that rests on."""
    narrowed = bool(phase or tier or section or plan)
    if sum((bool(card), bool(check), narrowed, bool(share))) > 1:
        raise UsageError("a card, --check, --share and a list do not go together", fix="As in: tutor progress kafka")
    if (mark or why) and (check or narrowed or share):
        raise UsageError(
            "--set stands with a card alone", about="--set", fix="As in: tutor progress kafka --set mastered"
        )
    if (mark or why) and not card:
        raise UsageError("which card?", about="--set", fix="As in: tutor progress kafka --set mastered")
    if why and not mark:
        raise UsageError("a note goes with --set", about="--note", fix="As in: --set learning --note 'read it once'")
    with studying(context) as study:
        if share:
            _share_with_others(study, Path(share), as_json)
        elif check:
            _checked(study, check, as_json)
        elif mark:
            _card(study, study.mark(card, mark, why), as_json)
        elif card:
            from tutor.study.lookup import card_of

            _card(study, study.standing().cards[card_of(study.outline, card).id], as_json)
        else:
            at = study.standing()
            if narrowed:
                _list(at, _chosen(at, phase or [], tier or [], section, plan), as_json)
            else:
                _whole(study, at, as_json)


def _whole(study: Study, at: Standing, as_json: bool) -> None:
    from tutor.study.wire import progress_json

    if as_json:
        emit(progress_json(study, at))
        return
    shares = study.shares(at)
    _share("All cards", shares["all"][0])
    titles = {plan.id: plan.title for plan in at.outline.plans.values()}
    for kind, heading in (("tiers", "Tier"), ("phases", "Phase"), ("plans", "")):
        typer.echo("")
        for one in shares[kind]:
            _share(titles.get(one.name, one.name) if kind == "plans" else f"{heading} {one.name}", one)
    typer.echo("\nThe cards of a phase: tutor progress --phase 4. One card: tutor progress kafka")


def _share_with_others(study: Study, path: Path, as_json: bool) -> None:
    """Write how far one is, without a word of what one wrote."""
    from tutor.study.days import day_of
    from tutor.study.insights import readiness
    from tutor.study.shared import FORMATS, as_html, as_markdown, shown
    from tutor.studying import plans_of

    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise UsageError("the file is neither .html nor .md", about="--share", fix="As in: --share progress.html")
    at = study.standing()
    plans = plans_of(study, at).under_way()
    found = readiness(at.outline, at.cards, at.tasks)
    what = shown(day_of(at.now, study.zone), study.shares(at), found, plans)
    text = as_html(what) if suffix == ".html" else as_markdown(what)
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise StudyFault(
            f"it cannot be written ({error.strerror})", about=str(path), fix="Choose another place."
        ) from error
    if as_json:
        emit({"file": str(path)})
    else:
        note(f"Written to {path}: readiness, cards and plans. No answers, notes or log entries are in it.", "")


def _share(name: str, one: Share) -> None:
    right = f"{one.mastered:3} mastered {one.learning:3} learning of {one.cards:3}"
    wide = terminal_width() >= 80
    line(name, f"{bar(one.percent, 12) + ' ' if wide else ''}{one.percent:3}%  {right}")


def _chosen(at: Standing, phases: list[int], tiers: list[int], section: str, plan: str) -> list[str]:
    from tutor.study.paths import named

    cards = list(at.outline.cards.values())
    wanted = section.strip().casefold()
    if wanted and not any(wanted in c.section.casefold() for c in cards):
        known = ", ".join(dict.fromkeys(c.section for c in cards))
        raise UsageError(f"no section is called '{section}'", about="--section", fix=f"Known: {known}.")
    if plan and plan not in at.outline.plans:
        raise UsageError(f"no plan is called '{plan}'", about="--plan", fix=f"Known: {', '.join(at.outline.plans)}.")
    for number, has, name in [(n, {c.phase for c in cards}, "phase") for n in phases] + [
        (n, {c.tier for c in cards}, "tier") for n in tiers
    ]:
        if number not in has:
            raise UsageError(f"there is no {name} {number}", about=f"--{name}", fix=f"From {min(has)} to {max(has)}.")
    of_plan = named(at.outline.plans[plan].steps) if plan else set()
    return [
        c.id
        for c in cards
        if (not phases or c.phase in phases)
        and (not tiers or c.tier in tiers)
        and (not wanted or wanted in c.section.casefold())
        and (not plan or c.id in of_plan)
    ]


def _list(at: Standing, cards: list[str], as_json: bool) -> None:
    from tutor.study.wire import plain

    if as_json:
        for name in cards:
            emit(plain(at.cards[name]))
        return
    for name in cards:
        found = at.cards[name]
        why = f"{found.why}; set aside" if found.suspended else found.why
        line(f"{_SIGNS[found.status]} {at.outline.cards[name].title} ({name})", why)
    count = Counter(at.cards[name].status for name in cards)
    typer.echo(f"\n{counted(len(cards), 'card')}: {count['mastered']} mastered, {count['learning']} learning")


def _card(study: Study, found: CardProgress, as_json: bool) -> None:
    from tutor.study.days import day_of
    from tutor.study.wire import card_json

    at = study.standing()
    row = card_json(at, found)
    if as_json:
        emit(row)
        return
    line(f"{_SIGNS[found.status]} {row['title']} ({found.card})", found.status)
    note(f"By {found.why}." if found.status == "mastered" else f"{found.why[:1].upper()}{found.why[1:]}.")
    if found.recall is not None and found.due is not None:
        due = found.due.astimezone(study.zone)
        note(f"Recall {found.recall:.0%}; due {due:%A} {due.day} {due:%B %Y}.")
    if found.suspended:
        note(f"Set aside: it does not come up in reviews. Back: tutor review --resume {found.card}")
    texts = {f"{p.id}/{m.id}": m.text for p in at.outline.cards[found.card].probes for m in p.points}
    for missed in found.missed:
        note(f"- lacking: {texts.get(missed, missed)}")
    for past in row["history"]:
        what = past.get("status") or f"{past['probe'] or 'drill'}: {past['verdict']}"
        if past["what"] == "view":
            what = f"{past['probe']}, your view: {past['point']} is {what}, graded {past['graded']}"
            if past["point"].startswith("!"):
                what = f"{past['probe']}, your view: you did not say what red flag {past['point'][1:]} is about"
        because = f" ({past['why']}{': ' + past['note'] if past['note'] else ''})" if past["what"] == "mark" else ""
        day = day_of(datetime.fromisoformat(past["at"]), study.zone)
        note(f"{day}  {what}{because}")


def _checked(study: Study, name: str, as_json: bool) -> None:
    from tutor.study.lookup import card_of

    card = card_of(study.outline, name)
    if not card.check:
        study.check(name, [])  # says what is wrong
    if not as_json:
        typer.echo(f"{card.title}: the mastery check. Can you, without looking? Answer y or n.")
    done: list[bool] = []
    began = time.monotonic()
    for number, item in enumerate(card.check, 1):
        if as_json:
            emit({"card": card.id, "item": number, "of": len(card.check), "ask": item})
        else:
            note(f"{number}. {item}", "")
        done.append(_yes(as_json))
    _card(study, study.check(card.id, done, seconds=time.monotonic() - began), as_json)


def _yes(silent: bool) -> bool:
    """A line that says yes or no; asked again where it says neither.

    Raises:
        UsageError: the input ended: nothing is taken down.
    """
    while True:
        if not silent:
            print("   y/n > ", end="", flush=True)
        said = sys.stdin.readline()
        if not said:
            raise UsageError(
                "the check was broken off, nothing was taken down", about="--check", fix="Answer each item."
            )
        answer = _YES.get(said.strip().casefold())
        if answer is not None and said.strip():
            return answer
        print("tutor: type y or n", file=sys.stderr)
