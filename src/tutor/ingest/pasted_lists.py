"""Two pasted index pages: the 28-day plan and the article library."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from tutor.ingest.documents import Document
from tutor.ingest.pasted_common import Ids, body, cut, lines_of, note

# --- the 28-day plan: "1. D01", then "Day 01 — Title", then a teaser -------------------------------------------------

_MARKER = re.compile(r"(?:\d{1,3}\.\s+)?D(\d{1,3})$")
_DAY = re.compile(r"Day\s+(\d{1,3})\s+[—–-]\s+\S")
_DAY_PAIR = re.compile(
    r"^[ \t]*(?:\d{1,3}\.[ \t]+)?D0*(\d{1,3})[ \t]*\r?\n(?:[ \t]*\r?\n)*[ \t]*Day[ \t]+0*\1[ \t]+[—–-]", re.MULTILINE
)
_PLAN_FOOTER = re.compile(r"All \d+ days available\b")


def recognise_plan(text: str) -> bool:
    """Whether at least three day titles each follow a list marker with the same number."""
    return len(list(islice(_DAY_PAIR.finditer(text), 3))) == 3


def split_plan(text: str, source: str) -> list[Document]:
    """One document per day, from its title on, and notes for the page above and below the days."""
    lines = list(lines_of(text))
    days = []
    for index in range(1, len(lines)):
        marker, day = _MARKER.match(lines[index - 1].text), _DAY.match(lines[index].text)
        if marker and day and int(marker[1]) == int(day[1]):
            days.append((index, int(day[1])))
    above = lines[: days[0][0] - 1] if days else lines
    documents = note(text, source, "day/about", "About the 28-day plan", above)
    ids = Ids("day")
    for place, (index, number) in enumerate(days):
        last = place + 1 == len(days)
        # The list marker of the next day is decoration and stays outside of both slices.
        block = lines[index:] if last else lines[index : days[place + 1][0] - 1]
        title, under = block[0], block[1:]
        below = next(
            (
                at
                for at, line in enumerate(under)
                if last and (line.indent < title.indent or _PLAN_FOOTER.match(line.text))
            ),
            len(under),
        )
        closing, under = under[below:], under[:below]
        documents.append(
            cut(
                text,
                source,
                kind="day",
                doc_id=ids.claim(f"{number:02d}"),
                title=title.text,
                span=(title.start, under[-1].end if under else title.end),
                sections=body(under),
                meta={"day": number},
            )
        )
        documents += note(text, source, "day/closing", "End of the 28-day plan", closing)
    return documents


# --- the article library: title, teaser, then the category glued to the front of the next title ----------------------

# Nothing but the name itself shows where a category ends and a title begins ("NetworkinggRPC"), so names are listed.
_AREAS = ("AI Engineering", "System Design", "DevOps", "Networking", "Security")
_PARTS = (
    *("LLM Engineering", "Data Engineering", "Caching Strategies"),
    *("Case Studies", "Distributed Systems", "Databases"),
)
_NAME = rf"(?:{'|'.join(_AREAS)})(?:[ ]/[ ](?:{'|'.join(_PARTS)}))?"
_NEXT_TITLE = r"(?=[A-Z0-9]|[a-z][A-Z])"
_GLUED = re.compile(rf"^[ \t]*{_NAME}{_NEXT_TITLE}", re.MULTILINE)
_CATEGORY = re.compile(rf"^[ \t]*({_NAME})(?:{_NEXT_TITLE}|[ \t]*\r?$)", re.MULTILINE)


def recognise_library(text: str) -> bool:
    """Whether at least three lines begin with a category name run together with a title."""
    return len(list(islice(_GLUED.finditer(text), 3))) == 3


def split_library(text: str, source: str) -> list[Document]:
    """One document per article: title, teaser, and the category that closes it (kept in the slice, not in a section).

    A slice ends inside a line where a category is glued to the next title.
    """
    ids = Ids("article")
    documents: list[Document] = []
    end = 0
    for category, start, name_start, end in _articles(text):
        lines = list(lines_of(text, start, name_start))
        if not lines:
            continue
        # Whatever a page shows above its first article comes before that article's title and teaser.
        above = lines[:-2] if start == 0 else []
        title, teaser = lines[len(above)], lines[len(above) + 1 :]
        documents += note(text, source, "article/about", "About the article library", above)
        documents.append(
            cut(
                text,
                source,
                kind="article",
                doc_id=ids.claim(title.text),
                title=title.text,
                span=(title.start, end),
                sections=body(teaser),
                meta={"category": category},
            )
        )
    rest = list(lines_of(text, end))
    return documents + note(text, source, "article/closing", "End of the article library", rest)


def _articles(text: str) -> Iterator[tuple[str, int, int, int]]:
    """Per article its category, its start, and the start and end of the category name, as offsets into ``text``."""
    start = 0
    for found in _CATEGORY.finditer(text):
        yield found[1], start, found.start(1), found.end(1)
        start = found.end(1)
