"""The report in a terminal, drawn with rich: tables by suite, what failed and why, what changed."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tutor.evals.record import Report
from tutor.evals.report.rows import Row, changes, context, findings, headline, named, rows, unlike
from tutor.evals.report.text import duration, line, number, signed
from tutor.evals.verdict import Change, Verdict

_MOST = 10
_MOVES = 3
_STYLE = {"FAIL": "bold red", "SLICE": "bold red", "ok": "green", "note": "yellow", "": ""}


def print_report(report: Report, verdict: Verdict, console: Console) -> None:
    """Prints a run. Good at 80 columns, and without colour where the console has none.

    Args:
        console: its width and encoding are kept to; a letter that it cannot write becomes a question mark.
    """
    show = _Printer(console)
    word = "red" if verdict.failed else "green" if verdict.findings else "default"
    show(f"tutor eval: {headline(verdict)}", f"bold {word}")
    show(" · ".join(context(report, verdict)), "dim")
    show(unlike(verdict), "yellow")
    for name, found in rows(report, verdict).items():
        suite = report.suite(name)
        show("")
        show(f"{name} · {len(suite.cases) if suite else 0} cases · {duration(suite.seconds if suite else 0)}", "bold")
        if found:
            console.print(_table(found, show.fit))
    _findings(verdict, show)
    for better in (False, True):
        _changes(changes(verdict, better=better), "better" if better else "worse", show)
    notes = [f"{s.name}: {note}" for s in report.suites for note in s.notes]
    failed = [(s.name, c) for s in report.suites for c in s.cases if c.error]
    if failed:
        show(f"\n{len(failed)} could not be run", "bold")
        for name, case in failed[:_MOST]:
            show(f"- {name} {case.id}: {line(case.error, 300)}")
        _rest(len(failed), show)
    if notes:
        show("\nNotes", "bold")
        for note in notes:
            show(f"- {note}")
    show(f"\n{headline(verdict)} in {duration(report.seconds)}", f"bold {word}")


class _Printer:
    """Prints text as it is (no markup, no emoji codes), folded at the console's width."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def __call__(self, text: str, style: str = "") -> None:
        if text or not style:
            self.console.print(Text(self.fit(text), style), soft_wrap=False)

    def fit(self, text: str) -> str:
        coded = self.console.encoding
        return "\n".join(map(line, text.split("\n"))).encode(coded, "replace").decode(coded)

    def cut(self, text: str, indent: str) -> str:
        """One line, with its indent, no wider than the console."""
        found, width = indent + self.fit(text), self.console.width
        return found if cell_len(found) <= width else set_cell_size(found, width - 3) + "..."


def _table(found: Sequence[Row], fit: object) -> Table:
    assert callable(fit)
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("metric", overflow="fold")
    for title in ("value", "95 %", "baseline", "diff", "floor"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for row in found:
        bounds = "" if row.low is None else f"{number(row.low)}–{number(row.high)}"
        cells = [row.name, number(row.value, row.floor), bounds]
        cells += [number(row.before) if row.before is not None else "", signed(row.change) if row.change else ""]
        cells += ["" if row.floor is None else ("≤" if row.ceiling else "≥") + number(row.floor), row.word]
        style = _STYLE[row.word] if row.failed else ""
        shown = [Text(fit(cell), style) for cell in cells]
        shown[-1].style = _STYLE[row.word]
        table.add_row(*shown)
    return table


def _findings(verdict: Verdict, show: _Printer) -> None:
    found = findings(verdict)
    for level, title in (("fail", "Failed"), ("note", "To be known")):
        some = [f for f in found if f.level == level]
        if some:
            show(f"\n{title}", "bold")
        for finding in some:
            show(f"- {named(finding)}: {line(finding.why)}", "red" if level == "fail" else "")


def _changes(found: list[Change], word: str, show: _Printer) -> None:
    if not found:
        return
    show(f"\n{len(found)} {word}", "bold")
    for change in found[:_MOST]:
        moves = [f"{name} {number(a)} → {number(b)}" for name, (a, b) in change.moved.items()]
        if change.after.error:
            moves = [f"could not be run: {change.after.error}"]
        more = f", {len(moves) - _MOVES} more" if len(moves) > _MOVES else ""
        show.console.print(
            Text(show.cut(line(f"{change.suite} {change.after.id}: {', '.join(moves[:_MOVES])}{more}"), "- "))
        )
        show.console.print(Text(show.cut(line(change.after.question), "  "), "dim"))
    _rest(len(found), show)


def _rest(count: int, show: _Printer) -> None:
    if count > _MOST:
        show(f"and {count - _MOST} more", "dim")
