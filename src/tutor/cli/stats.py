"""``tutor stats``: what one's answers and reviews show, with what each figure rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tutor.cli.state import emit
from tutor.cli.study import bar, counted, minutes, note, studying

if TYPE_CHECKING:
    from rich.console import Console

    from tutor.study.desk import Insights
    from tutor.study.insights import Calibration, Contradiction

_THIN = "not enough to say"


def stats(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object: every chart's data.")] = False,
) -> None:
    """Show readiness, weak spots, contradictions between your answers, calibration and time."""
    with studying(context) as study:
        found = study.stats()
        if as_json:
            from tutor.study.wire import plain

            emit(plain(found))
            return
        _print(found)


def _print(found: Insights) -> None:
    from rich.console import Console

    from tutor.cli.state import terminal_width

    console = Console(width=terminal_width(), highlight=False, markup=False, emoji=False)
    _table(
        console,
        "Readiness by tier",
        ("tier", "ready", "", "rests on"),
        [
            (
                str(r.tier),
                _THIN if r.percent is None else f"{r.percent}%",
                "" if r.percent is None else bar(r.percent, 15),
                f"{r.answered} of {r.cards} cards answered, {r.mastered} mastered, {counted(r.answers, 'answer')}",
            )
            for r in found.readiness
        ],
    )
    _table(
        console,
        "Kinds of question, the weakest first",
        ("kind", "mean score", "", "rests on"),
        [
            (
                k.kind,
                _THIN if k.score is None else f"{k.score:.0%}",
                "" if k.score is None else bar(round(100 * k.score), 15),
                f"{counted(k.answers, 'answer')}, {k.strong} strong, {k.failed} failed",
            )
            for k in found.kinds
        ],
    )
    if found.weak_points:
        typer.echo("\nWeak points (what to say):")
        for point in found.weak_points:
            note(f"- {point.title}: {point.text} (lacking {point.lacked} of {point.asked} times)", "  ")
    _contradictions(found.contradictions)
    _calibration(console, found.calibration)
    _time(console, found)
    if any(due for _, due in found.forecast):
        most = max(due for _, due in found.forecast)
        rows = [(day.isoformat(), str(due), bar(round(100 * due / most), 15)) for day, due in found.forecast]
        _table(console, "Due, by day", ("day", "due", ""), rows)


def _table(console: Console, title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        return
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print()
    console.print(table)


def _contradictions(rows: Sequence[Contradiction]) -> None:
    if not rows:
        return
    typer.echo("\nYou have said both:")
    for one in rows:
        note(f"- {one.title}: {one.text}{' (put right since)' if one.mended else ''}", "  ")
        for claim, what in ((one.made, "made"), (one.contradicted, "contradicted")):
            words = f": “{' '.join(claim.words.split())}”" if claim.words else ""
            note(f"{claim.at:%Y-%m-%d}, {what}{words}", "      ")


def _calibration(console: Console, found: Calibration) -> None:
    if found.brier is None or found.bias is None:
        typer.echo(f"\nCalibration: {_THIN} ({counted(found.guesses, 'guess', 'guesses')}, from 10 on).")
        return
    sure = "overconfident" if found.bias > 0.05 else "underconfident" if found.bias < -0.05 else "well calibrated"
    typer.echo("")
    note(
        f"Calibration: Brier score {found.brier:.3f} (0 is best; always guessing your mean: {found.unskilled:.3f}), "
        f"{sure}, {counted(found.guesses, 'guess', 'guesses')}.",
        "",
    )
    rows = [
        (f"{b.low:.0%} to {b.high:.0%}", f"{b.outcome:.0%}", bar(round(100 * b.outcome), 15), str(b.guesses))
        for b in found.curve
    ]
    _table(console, "How sure you were, and what came of it", ("sure", "came true", "", "guesses"), rows)


def _time(console: Console, found: Insights) -> None:
    studied = found.studied
    typer.echo(f"\nStudied on {counted(studied.days, 'day')} of this month, {studied.days_30} of the last 30.")
    if not studied.total_s:
        return
    kinds = ", ".join(f"{kind} {minutes(s / 60)}" for kind, s in studied.seconds.items())
    typer.echo(f"Time: {minutes(studied.total_s / 60)} ({kinds}).")
    most = max(s for _, s in studied.weeks) or 1.0
    rows = [(day.isoformat(), minutes(s / 60), bar(round(100 * s / most), 15)) for day, s in studied.weeks]
    _table(console, "By week", ("from", "time", ""), rows)
    most = max((s for _, s in studied.phases), default=0.0) or 1.0
    rows = [(f"phase {phase}", minutes(s / 60), bar(round(100 * s / most), 15)) for phase, s in studied.phases]
    _table(console, "By phase of the cards", ("", "time", ""), rows)
