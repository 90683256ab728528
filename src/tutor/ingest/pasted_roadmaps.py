"""Two pasted roadmaps: the Markdown one (headings) and the engineering-judgment one (months and weeks)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice, pairwise

from tutor.ingest.documents import Document, Section
from tutor.ingest.pasted_common import Ids, Line, body, cut, lines_of, note, slug

# --- the technical-excellence roadmap: Markdown headings of level 2 and 3 --------------------------------------------

_TITLE = re.compile(r"^\ufeff?#[ \t]+[^\n]*\bTechnical Excellence Roadmap\b", re.MULTILINE)
_HEADING = re.compile(r"^(#{2,3})[ \t]+(\S[^\n]*)", re.MULTILINE)
_TOP_PARTS = frozenset({"todo-list", "courses", "books", "projects-to-build", "core-cs-concepts"})
_CONTENTS = "table-of-contents"
_LEADING_SYMBOLS = re.compile(r"^[^\w]+")
_HEAD = 4000  # characters in which the document title has to appear


def recognise_headings(text: str) -> bool:
    """Whether the text opens with this roadmap's title and has at least two of its top-level parts."""
    if not _TITLE.search(text[:_HEAD]):
        return False
    return len({slug(found[2]) for found in _HEADING.finditer(text)} & _TOP_PARTS) >= 2


def split_headings(text: str, source: str) -> list[Document]:
    """One document per heading of level 2 or 3, up to the next one, and a note for title and table of contents.

    A level-2 item holds only what stands before its first level-3 heading (so it may have no section at all);
    ``meta["parts"]`` names the items below it, ``meta["parent"]`` the item above.
    """
    lines = list(lines_of(text))
    heads = []
    for index, line in enumerate(lines):
        found = _HEADING.match(line.text)
        if found and slug(found[2]) != _CONTENTS:
            heads.append((index, len(found[1]), _LEADING_SYMBOLS.sub("", found[2]).rstrip("# ")))
    ids = Ids("roadmap")
    names = [ids.claim(title) for _, _, title in heads]
    parents = _parents([level for _, level, _ in heads])
    bounds = [*(index for index, _, _ in heads), len(lines)]
    documents = note(text, source, ids.claim("about"), "About the technical excellence roadmap", lines[: bounds[0]])
    for place, (_, level, title) in enumerate(heads):
        block = lines[bounds[place] : bounds[place + 1]]
        meta: dict[str, str | int | tuple[str, ...]] = {"level": level}
        parent = parents[place]
        if parent is not None:
            meta["parent"] = names[parent]
        if parts := tuple(name for name, above in zip(names, parents, strict=True) if above == place):
            meta["parts"] = parts
        documents.append(
            cut(
                text,
                source,
                kind="roadmap",
                doc_id=names[place],
                title=title,
                span=(block[0].start, block[-1].end),
                sections=body(block[1:]),
                meta=meta,
            )
        )
    return documents


def _parents(levels: Sequence[int]) -> list[int | None]:
    """For each heading the place of the level-2 heading it stands under; None for those themselves."""
    parents: list[int | None] = []
    above: int | None = None
    for place, level in enumerate(levels):
        if level == 2:
            above = place
        parents.append(None if level == 2 else above)
    return parents


# --- the engineering-judgment roadmap: "M1 Title", a goal, "0% +", then "W1 Title", a goal, steps --------------------

_MONTH = re.compile(r"M(\d{1,2})\s+\S")
_WEEK = re.compile(r"W(\d{1,2})\s+\S")
_PROGRESS = re.compile(r"\d{1,3}%\s*[+−–-]?$")
_MONTH_BLOCK = re.compile(
    r"^[ \t]*M\d{1,2}[ \t]+\S[^\n]*\n(?:[ \t\r]*\n)*"  # title
    r"[ \t]*\S[^\n]*\n(?:[ \t\r]*\n)*"  # goal
    r"[ \t]*\d{1,3}%[ \t]*[+−–-]?[ \t]*\r?$",
    re.MULTILINE,
)
_RHYTHM = "Daily rhythm"
_JUDGMENT_FOOTER = re.compile(r"Progress is shared\b")


def recognise_months(text: str) -> bool:
    """Whether at least two month titles are each followed by a goal line and a progress line."""
    return len(list(islice(_MONTH_BLOCK.finditer(text), 2))) == 2


def split_months(text: str, source: str) -> list[Document]:
    """One document per month (up to its first week) and per week, and notes for the page above and below them.

    ``meta["goal"]`` is the line under the title; ``meta["parts"]`` of a month names its weeks.
    """
    lines = list(lines_of(text))
    footer = next((at for at, line in enumerate(lines) if _JUDGMENT_FOOTER.match(line.text)), len(lines))
    lines, closing = lines[:footer], lines[footer:]
    heads = _month_heads(lines)
    bounds = [*(index for index, _, _ in heads), len(lines)]
    documents = note(text, source, "month/about", "About the engineering judgment roadmap", lines[: bounds[0]])
    for (_, month, week), (begin, end) in zip(heads, pairwise(bounds), strict=True):
        title, under = lines[begin], lines[begin + 1 : end]
        goal, rest = (under[:1], under[1:]) if under and not _PROGRESS.match(under[0].text) else ([], under)
        rest = [line for line in rest if not _PROGRESS.match(line.text)]
        meta: dict[str, str | int | tuple[str, ...]] = {"month": month}
        if week:
            meta["week"] = week
        elif weeks := tuple(f"month/{month}/week/{w}" for _, m, w in heads if m == month and w):
            meta["parts"] = weeks
        if goal:
            meta["goal"] = goal[0].text
        documents.append(
            cut(
                text,
                source,
                kind="month",
                doc_id=f"month/{month}/week/{week}" if week else f"month/{month}",
                title=title.text,
                span=(title.start, under[-1].end if under else title.end),
                sections=body(goal, ("Goal",)) + _steps(rest),
                meta=meta,
            )
        )
    return documents + note(text, source, "month/closing", "End of the engineering judgment roadmap", closing)


def _month_heads(lines: Sequence[Line]) -> list[tuple[int, int, int]]:
    """Line index, month and week (0 for the month itself) of every title; both only count up, one by one."""
    heads: list[tuple[int, int, int]] = []
    month = week = 0
    for index, line in enumerate(lines):
        if (found := _MONTH.match(line.text)) and int(found[1]) == month + 1:
            # "M2 ..." can also open a sentence; a title has the progress line within the next two lines.
            if any(_PROGRESS.match(below.text) for below in lines[index + 1 : index + 3]):
                month, week = month + 1, 0
                heads.append((index, month, week))
        elif month and (found := _WEEK.match(line.text)) and int(found[1]) == week + 1:
            week += 1
            heads.append((index, month, week))
    return heads


def _steps(lines: Sequence[Line]) -> list[Section]:
    """The steps, and the daily rhythm below them as a section of its own."""
    for at, line in enumerate(lines):
        if line.text == _RHYTHM:
            return body(lines[:at]) + body(lines[at + 1 :], (_RHYTHM,))
    return body(lines)
