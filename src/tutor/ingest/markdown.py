"""Reads Markdown: the curriculum's own cards, and any other Markdown file with or without front matter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise

from markdown_it import MarkdownIt

from tutor.curriculum.card import Card, Resource
from tutor.curriculum.note import Article, Day, agenda
from tutor.curriculum.parse import ENTRIES, load_yaml, parse_card, parse_front, split_front_matter
from tutor.curriculum.plan import as_text, read_plan
from tutor.curriculum.practice import FlawedDesign, Problem
from tutor.errors import SourceError
from tutor.ingest.documents import Document, Section
from tutor.ingest.roles import role_of
from tutor.retrieval.index import TASK

#: Sections on what a learner is to do: they name the subject and say little of it.
_TASKS: Mapping[type, frozenset[str]] = {
    Day: frozenset({"Exercise", "Practice problem", "Reflection"}),
    Problem: frozenset({"Requirements"}),
}
_parser = MarkdownIt("commonmark").enable("table")


def read_card(text: str, *, source: str, stem: str) -> Document:
    """A card as a document; ``text`` keeps only the body, since offsets must point into what a reader sees.

    Raises:
        CardError: the front matter or the sections break the card format.
    """
    card, body_start = parse_card(text, about=source, stem=stem)
    body = text[body_start:].strip() + "\n"
    return Document(
        doc_id=card.id,
        title=card.title,
        text=body,
        source=source,
        kind="card",
        sections=_sections(body, title=None),
        covers=tuple(card.covers),
        meta=_card_meta(card),
        aliases=tuple(card.aliases),
        acronyms=dict(card.acronyms),
    )


def _card_meta(card: Card) -> dict[str, str | int | tuple[str, ...]]:
    return {
        "phase": card.phase,
        "section": card.section,
        "priority": card.priority,
        "depth": card.depth,
        "tier": card.tier,
        "tags": tuple(card.tags),
        "prerequisites": tuple(card.prerequisites),
        "related": tuple(card.related),
        "resources": _links(card.resources),
    }


def read_entry(text: str, *, source: str, stem: str, kind: str) -> Document:
    """A note or practice entry as a document; below its body stands what its front matter asks the reader to do.

    Raises:
        CardError: the front matter breaks the format.
    """
    entry, body_start = parse_front(ENTRIES[kind], text, about=source, stem=stem)
    body = text[body_start:].strip() + "\n"
    if isinstance(entry, Day):
        body = f"{body}\n{agenda(entry)}"
    meta: dict[str, str | int | tuple[str, ...]] = {"tags": tuple(entry.tags), "related": tuple(entry.related)}
    match entry:
        case Day():
            meta["section"] = entry.area
        case Article():
            meta |= {"section": entry.category, "resources": _links(entry.resources)}
        case Problem():
            meta |= {"section": entry.track, "tier": entry.tier, "resources": _links(entry.resources)}
        case _:
            meta["resources"] = _links(entry.resources)
    sections = _sections(body, title=None)
    if isinstance(entry, FlawedDesign):  # put before the reader to be picked apart: nothing to quote as advice
        sections = tuple(replace(section, role="probes") for section in sections)
    elif tasks := _TASKS.get(type(entry)):
        sections = tuple(replace(s, role=TASK) if s.heading[-1] in tasks else s for s in sections)
    return Document(
        doc_id=entry.id,
        title=entry.title,
        text=body,
        source=source,
        kind=kind,
        sections=sections,
        covers=tuple(entry.covers),
        meta=meta,
        aliases=tuple(entry.aliases),
        acronyms=dict(entry.acronyms),
    )


def read_plan_steps(text: str, *, source: str) -> list[Document]:
    """A plan as documents: one for each step or part that stands for an item, else one for the whole plan.

    Raises:
        CardError: the plan breaks the format.
    """
    plan = read_plan(text, about=source)
    steps = [(f"{plan.id}-{step.id}", step.title, as_text(step), step) for step in plan.walk() if step.covers]
    if not steps:
        body = "\n".join([plan.about, "", *(f"## {step.title}\n\n{as_text(step)}" for step in plan.steps)])
        steps = [(plan.id, plan.title, body, plan.steps[0])]
    return [
        Document(
            doc_id=name,
            title=title if name == plan.id else f"{plan.title}: {title}",
            text=body,
            source=source,
            kind="plan",
            sections=_sections(body, title=None),
            covers=tuple(step.covers),
            meta={"section": plan.title, "related": tuple(step.cards)},
        )
        for name, title, body, step in steps
    ]


def _links(resources: Iterable[Resource]) -> tuple[str, ...]:
    return tuple(f"[{r.title}]({r.url})" for r in resources)


def read_markdown(text: str, *, doc_id: str, source: str) -> Document:
    """Any Markdown file: a title from front matter, the first level-1 heading or the file name; sections by heading.

    Raises:
        CardError: front matter that is not YAML (SourceError's subclass).
        SourceError: there is no text below the front matter.
    """
    front = split_front_matter(text, about=source)
    data = load_yaml(front, about=source) if front else {}
    body = text[front.body_start :] if front else text
    if not body.strip():
        raise SourceError("there is no text in it", about=source, fix="Nothing was indexed from it.")
    heading = next((t for level, t, _, _ in _headings(body) if level == 1), None)
    title = str(data.get("title") or heading or doc_id.rsplit("/", 1)[-1])
    meta: dict[str, str | int | tuple[str, ...]] = {}
    for key in ("phase", "tier"):
        if isinstance(data.get(key), int):
            meta[key] = data[key]
    for key in ("section", "priority", "depth"):
        if isinstance(data.get(key), str):
            meta[key] = data[key]
    if tags := _strings(data.get("tags")):
        meta["tags"] = tags
    acronyms = data.get("acronyms")
    return Document(
        doc_id=doc_id,
        title=title,
        text=body,
        source=source,
        kind=str(data.get("type") or "page"),
        sections=_sections(body, title=title),
        covers=_strings(data.get("covers")),
        meta=meta,
        aliases=_strings(data.get("aliases")),
        acronyms={str(k): str(v) for k, v in acronyms.items()} if isinstance(acronyms, dict) else {},
    )


def _strings(value: object) -> tuple[str, ...]:
    """A front matter list as strings; other programs write one value plainly, or several with commas."""
    found = value if isinstance(value, list) else value.split(",") if isinstance(value, str) else [value]
    return tuple(text for text in (str(v).strip() for v in found if v is not None) if text)


def _headings(body: str) -> list[tuple[int, str, int, int]]:
    """Every top-level heading as (level, plain text, first character, first character after it)."""
    starts = [0]
    for line in body.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = []
    tokens = _parser.parse(body)
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map:
            plain = "".join(c.content for c in inline.children or [] if c.type in ("text", "code_inline"))
            found.append((int(token.tag[1]), plain.strip(), starts[token.map[0]], starts[token.map[1]]))
    return found


def _sections(body: str, *, title: str | None) -> tuple[Section, ...]:
    sections: list[Section] = []
    path: list[tuple[int, str]] = []
    start, role = 0, "body"
    headings = _headings(body)
    for level, text, begin, after in [*headings, (0, "", len(body), len(body))]:
        if body[start:begin].strip():
            names = tuple(name for _, name in path if name != title)
            sections.append(Section(names, start, begin, role))
        path = [*((lv, name) for lv, name in path if lv < level), (level, text)]
        # A subsection without a role of its own speaks for the section around it.
        roles = [role_of(name) for _, name in path]
        role = next((r for r in reversed(roles) if r != "body"), "body")
        start = after
    return tuple(sections)
