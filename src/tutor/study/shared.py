"""Progress to show to others, as one page of Markdown or HTML: how far one is, and nothing that one wrote. Pure.

It has readiness, the statuses of cards by tier and phase, and what is done of plans: no answers, no notes, no log, no
conversations. What a plan is called and what a card's status rests on are the curriculum's words, not the learner's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

from tutor.study.insights import Readiness
from tutor.study.progress import Share
from tutor.study.timetable import Timetable

FORMATS = (".html", ".md")
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem;color:#222;"
    "background:#fff}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;"
    "border-bottom:1px solid #ccc}@media(prefers-color-scheme:dark){body{color:#ddd;background:#1b1b1b}}"
)


@dataclass(frozen=True, slots=True)
class _Table:
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown: a heading, a line below it, and tables."""

    title: str
    said: str
    tables: tuple[_Table, ...]


def shown(
    day: date, shares: Mapping[str, Sequence[Share]], readiness: Iterable[Readiness], plans: Iterable[Timetable]
) -> Shown:
    """What others may see.

    Args:
        day: the learner's.
        shares: by "all", "tiers" and "phases", as ``Study.shares`` gives them.
        readiness: of each tier.
        plans: those that are under way.
    """
    whole = shares["all"][0]
    said = f"{whole.mastered} of {whole.cards} cards mastered, {whole.learning} being learnt. As of {day}."
    head = ("", "cards", "mastered", "being learnt")
    ready = tuple(
        (f"Tier {r.tier}", "not enough to say" if r.percent is None else f"{r.percent}%", f"{r.answered} of {r.cards}")
        for r in readiness
    )
    taken = tuple(
        (plan.title, f"{plan.percent}%", f"{plan.done} of {len(plan.counted)}", str(plan.end or "in any order"))
        for plan in plans
    )
    tables = [_Table("Readiness for an interview", ("", "ready", "cards answered"), ready)]
    for name, heading in (("tiers", "Tier"), ("phases", "Phase")):
        rows = tuple((f"{heading} {s.name}", str(s.cards), str(s.mastered), str(s.learning)) for s in shares[name])
        tables.append(_Table(f"Cards by {heading.lower()}", head, rows))
    if taken:
        tables.append(_Table("Plans", ("", "done", "items", "ends"), taken))
    return Shown("Progress in the curriculum", said, tuple(tables))


def as_markdown(what: Shown) -> str:
    """One page of Markdown."""
    lines = [f"# {what.title}", "", what.said]
    for table in what.tables:
        lines += ["", f"## {table.title}", "", _row(table.head), f"|{'---|' * len(table.head)}"]
        lines += [_row(row) for row in table.rows]
    return "\n".join(lines) + "\n"


def as_html(what: Shown) -> str:
    """One page of HTML that loads nothing."""
    parts = [
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(what.title)}</title>\n<style>{_STYLE}</style>\n"
        f"<main>\n<h1>{escape(what.title)}</h1>\n<p>{escape(what.said)}</p>"
    ]
    for table in what.tables:
        head = "".join(f'<th scope="col">{escape(cell)}</th>' if cell else "<td></td>" for cell in table.head)
        rows = "\n".join(
            f'<tr><th scope="row">{escape(row[0])}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in row[1:])}</tr>'
            for row in table.rows
        )
        parts.append(f"<h2>{escape(table.title)}</h2>\n<table>\n<tr>{head}</tr>\n{rows}\n</table>")
    return "\n".join([*parts, "</main>\n</html>"]) + "\n"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("\\", "\\\\").replace("|", "\\|") for cell in cells) + " |"
