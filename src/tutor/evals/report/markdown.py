"""The report as a comment on a pull request: short above the fold, cases folded, nothing in it can break the page."""

from __future__ import annotations

import re
from html import escape

from tutor.evals.record import Case, Report
from tutor.evals.report.rows import Row, changes, context, findings, headline, named, rows, unlike
from tutor.evals.report.seen import look
from tutor.evals.report.text import line, number, signed
from tutor.evals.verdict import Change, Verdict

LIMIT = 60_000  # characters; GitHub takes 65,536
_QUESTION, _ANSWER, _REASON, _HIT, _HITS, _MOVES = 300, 700, 500, 120, 5, 6
_TAIL = 400  # characters kept free for the closing lines
_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|~>:=])")
_CUT = "*Cut here: a comment holds no more. The whole report is in the run's files.*"


def pull_request(report: Report, verdict: Verdict) -> str:
    """A comment in GitHub's Markdown with the verdict in its first line, always shorter than ``LIMIT`` characters.

    Text from questions and answers stands in HTML without empty lines, where Markdown is not read; it names no users
    or issues and makes no formula.
    """
    mark = "❌" if verdict.failed else "✅" if verdict.findings else "ℹ️"
    page = _Page()
    page.add(f"### {mark} tutor eval: {_plain(headline(verdict))}\n\n")
    page.add(_plain(" · ".join(context(report, verdict)), _REASON) + "\n")
    if verdict.unlike:
        page.add(f"\n> ⚠️ {_plain(unlike(verdict), _REASON)}\n")
    for level, title in (("fail", "Failed"), ("note", "To be known")):
        found = [f for f in findings(verdict) if f.level == level]
        lines = [f"- **{_plain(named(f), _HIT)}**: {_plain(f.why, _REASON)}\n" for f in found]
        page.group(f"\n**{title}**\n\n" if lines else "", lines, "")
    for name, some in rows(report, verdict).items():
        head = f"\n**{_plain(name, _HIT)}**\n\n| metric | value | 95 % | baseline | change | limit | verdict |\n"
        page.group(head + "|---|--:|:-:|--:|--:|--:|---|\n", [_row(r) for r in some], "")
    for better in (False, True):
        cases = changes(verdict, better=better)
        title = f"{len(cases)} question{'s' * (len(cases) != 1)} got {'better' if better else 'worse'}"
        if cases:
            page.group(f"\n<details>\n<summary>{title}</summary>\n", [_change(c) for c in cases], "</details>\n")
    broken = [(s.name, c) for s in report.suites for c in s.cases if c.error]
    if broken:
        items = [f"<li>{_html(f'{n} {c.id}', _HIT)}: {_html(c.error, _REASON)}</li>\n" for n, c in broken]
        head = f"\n<details>\n<summary>{len(broken)} could not be run</summary>\n<ul>\n"
        page.group(head, items, "</ul>\n</details>\n")
    notes = [f"- {_plain(f'{s.name}: {note}', _REASON)}\n" for s in report.suites for note in s.notes]
    page.group("\n**Notes**\n\n" if notes else "", notes, "")
    return page.text


class _Page:
    """Text that stops growing before the limit, between two parts and never within one."""

    def __init__(self) -> None:
        self.text = ""
        self.full = False

    def add(self, part: str, closing: str = "") -> None:
        if self.full:
            return
        if len(self.text) + len(part) + len(closing) > LIMIT - _TAIL:
            self.full = True
            self.text += f"{closing}\n{_CUT}\n"
        else:
            self.text += part

    def group(self, opening: str, parts: list[str], closing: str) -> None:
        """Parts between an opening and a closing, which is written even where the parts were cut."""
        if not parts or self.full:
            return
        self.add(opening + parts[0], closing)
        if self.full:
            return
        for part in parts[1:]:
            self.add(part, closing)
        if not self.full:
            self.text += closing


def _row(row: Row) -> str:
    bounds = "" if row.low is None else f"{number(row.low)} – {number(row.high)}"
    limit = "" if row.floor is None else f"{'≤' if row.ceiling else '≥'} {number(row.floor)}"
    before = "" if row.before is None else number(row.before)
    word = {"FAIL": "❌ fail", "SLICE": "❌ slices", "ok": "✅ pass", "note": "ℹ️ note", "": ""}[row.word]
    cells = [_plain(row.name, _HIT), number(row.value, row.floor), bounds, before]
    return f"| {' | '.join([*cells, signed(row.change) if row.change is not None else '', limit, word])} |\n"


def _change(change: Change) -> str:
    """One case as HTML on consecutive lines."""
    moved = [f"{name} {number(a)} → {number(b)}" for name, (a, b) in list(change.moved.items())[:_MOVES]]
    head = f"<p><b>{_html(change.after.question, _QUESTION)}</b><br>\n"
    head += (
        f"<code>{_html(change.after.id, _HIT)}</code> · {_html(change.suite, _HIT)} · {_html(', '.join(moved))}</p>\n"
    )
    return f"{head}<table>\n{_side('before', change.before)}{_side('after', change.after)}</table>\n"


def _side(title: str, case: Case) -> str:
    seen = look(case)
    hits = [f"<li>{_html(h.name, _HIT)}{' ✓' if h.right else ''}</li>" for h in seen.hits[:_HITS]]
    shown = f"<ol>{''.join(hits)}</ol>\n" if hits else ""
    if case.error:
        shown += f"<p>could not be run: {_html(case.error, _REASON)}</p>\n"
    if seen.answer:
        shown += f"<p>{_html(seen.answer, _ANSWER)}</p>\n"
    if seen.missing:
        shown += f"<p>missing: {_html('; '.join(seen.missing), _REASON)}</p>\n"
    return f"<tr><th>{title}</th><td>{shown or 'nothing was kept'}</td></tr>\n"


def _html(text: str, most: int = 0) -> str:
    """Text on one line for an HTML block: escaped, with no user or issue named and no formula begun."""
    found = escape(line(text, most))
    found = found.replace("&#x27;", "'")
    found = re.sub(r"((?<!\w)@|#)(?=\w)", r"\1&#8203;", found)  # a space of no width: @name is no mention
    return found.replace("$", "<span>$</span>").replace("`", "&#96;")


def _plain(text: str, most: int = 0) -> str:
    """Text on one line for Markdown: as for HTML, with every mark of Markdown taken literally."""
    found = line(text, most).replace("&", "\0").replace("<", "\1")
    found = _MARKS.sub(r"\\\1", found)
    found = re.sub(r"((?<!\w)@|\\#)(?=\w)", "\\1\2", found)
    found = found.replace("$", "<span>$</span>")
    return found.replace("\0", "&amp;").replace("\1", "&lt;").replace("\2", "&#8203;")
