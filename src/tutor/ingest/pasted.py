"""Pasted curriculum pages: recognise one by its content and split it into the items it is made of.

Item ids come from titles by rule (``pasted_common.slug``), so an edited or longer paste yields ids of the same shape.
"""

from __future__ import annotations

from collections.abc import Callable

from tutor.errors import UsageError
from tutor.ingest.documents import Document
from tutor.ingest.pasted_guide import recognise_guide, split_guide
from tutor.ingest.pasted_lists import recognise_library, recognise_plan, split_library, split_plan
from tutor.ingest.pasted_roadmaps import recognise_headings, recognise_months, split_headings, split_months

_Kind = tuple[Callable[[str], bool], Callable[[str, str], list[Document]]]

_KINDS: dict[str, _Kind] = {
    "study-guide": (recognise_guide, split_guide),
    "28-day-plan": (recognise_plan, split_plan),
    "article-library": (recognise_library, split_library),
    "technical-excellence-roadmap": (recognise_headings, split_headings),
    "engineering-judgment-roadmap": (recognise_months, split_months),
}


def recognise(text: str) -> str | None:
    """Which pasted page ``text`` is, by its shape; None for every other document."""
    return next((kind for kind, (matches, _) in _KINDS.items() if matches(text)), None)


def split(kind: str, text: str, source: str) -> list[Document]:
    """The documents of a page that :func:`recognise` called ``kind``, in source order; slices never overlap.

    Each text is a verbatim slice of ``text`` that begins at ``meta["source_start"]``. What belongs to no item comes
    as documents of kind ``note`` that cover nothing.
    """
    if kind not in _KINDS:
        raise UsageError("not a kind of pasted page", about=kind, fix=f"Use one of: {', '.join(_KINDS)}")
    return _KINDS[kind][1](text, source)
