"""Reads a card file: YAML front matter checked against the models, and the Markdown body below it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from tutor.curriculum.card import DEEP_DIVE_SECTIONS, NEEDED_SECTIONS, OPTIONAL_SECTIONS, Card, Entity
from tutor.curriculum.note import Article, Day
from tutor.curriculum.practice import FlawedDesign, Problem, Study
from tutor.curriculum.wording import card_error, yaml_problem
from tutor.errors import CardError

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Entry = Day | Article | Problem | FlawedDesign | Study
M = TypeVar("M", bound=Entity)
#: What is not a card says so by its ``type``.
ENTRIES: Mapping[str, type[Entry]] = {
    "day": Day,
    "article": Article,
    "problem": Problem,
    "flawed-design": FlawedDesign,
    **dict.fromkeys(("outage", "playbook", "checklist", "prompts"), Study),
}
_BEGIN = "Begin with a line '---', then 'id: …' and the other fields, then '---'. All fields: tutor corpus schema"
_KEY = re.compile(r"^([A-Za-z_][\w-]*)\s*:")
_H2 = re.compile(r"^## +(.+?) *#* *$")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """A file split at its front matter: ``body_start`` is the character offset of the body."""

    yaml_text: str
    body_start: int


def split_front_matter(text: str, *, about: str) -> FrontMatter | None:
    """The front matter of a Markdown file, or None when it has none.

    Raises:
        CardError: the opening ``---`` is never closed.
    """
    if not text.startswith("---\n"):
        return None
    end = text.find("\n---\n", 3)
    if end < 0:
        if text.rstrip().endswith("\n---"):
            end = text.rstrip().rfind("\n---")
            return FrontMatter(text[4 : end + 1], len(text))
        raise CardError("front matter opens with '---' and never closes", about=f"{about}:1", fix="Add a '---' line.")
    return FrontMatter(text[4 : end + 1], end + 5)


def load_yaml(front: FrontMatter, *, about: str) -> dict[str, Any]:
    """The front matter as a mapping.

    Raises:
        CardError: the YAML is broken (with file and line), repeats a key, or is not a mapping.
    """
    try:
        node = yaml.compose(front.yaml_text, Loader=_Loader)
        _refuse_repeats(node, about, set())
        data = yaml.load(front.yaml_text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 2 if mark else 1
        raise CardError(
            f"front matter is not valid YAML ({yaml_problem(str(error.problem))})",
            about=f"{about}:{line}{_field_at(front.yaml_text, line - 2)}",
            fix="Quote values that contain ': ' or '#', or that begin with a quote, bracket, *, &, % or @.",
        ) from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2026-13-01
        line = next((n for n, row in enumerate(front.yaml_text.splitlines()) if not _readable(row)), -1)
        raise CardError(
            f"front matter is not valid YAML ({error})",
            about=f"{about}:{line + 2}{_field_at(front.yaml_text, line)}",
            fix="Correct the value, or quote it.",
        ) from error
    except RecursionError as error:
        raise CardError("front matter is nested too deeply", about=f"{about}:1") from error
    if not isinstance(data, dict):
        raise CardError("front matter is not a list of 'key: value' lines", about=f"{about}:2")
    return data


def parse_card(text: str, *, about: str, stem: str) -> tuple[Card, int]:
    """A card and the offset of its body.

    Raises:
        CardError: one error that lists every problem, each with file, line and field.
    """
    card, body_start = parse_front(Card, text, about=about, stem=stem)
    _check_sections(card, text, body_start, about)
    return card, body_start


def parse_front(model: type[M], text: str, *, about: str, stem: str) -> tuple[M, int]:
    """The front matter of a curriculum file as ``model``, and the offset of the body.

    Raises:
        CardError: one error that lists every problem, each with file, line and field.
    """
    front = split_front_matter(text, about=about)
    if front is None:
        raise CardError("a card begins with YAML front matter", about=f"{about}:1", fix=_BEGIN)
    data = load_yaml(front, about=about)
    try:
        parsed = model.model_validate(data)
    except ValidationError as error:
        node = yaml.compose(front.yaml_text, Loader=_Loader)
        raise card_error(error, model, about=about, line_of=partial(line_of, node)) from error
    if parsed.id != stem:
        raise CardError(f"id is '{parsed.id}', the file is '{stem}.md'", about=f"{about}:2: id", fix="Make them equal.")
    return parsed, front.body_start


def _check_sections(card: Card, text: str, body_start: int, about: str) -> None:
    found = [m.group(1) for m in map(_H2.match, text[body_start:].splitlines()) if m]
    main = [h for h in found if h not in OPTIONAL_SECTIONS]
    missing = [h for h in NEEDED_SECTIONS[card.depth] if h not in main]
    extra = [h for h in main if h not in DEEP_DIVE_SECTIONS]
    if missing or extra:
        parts = (f"missing: {', '.join(missing)}", f"not in the template: {', '.join(extra)}")
        what = "; ".join(part for part, there in zip(parts, (missing, extra), strict=True) if there)
    elif main != [h for h in DEEP_DIVE_SECTIONS if h in main]:
        what = "out of order or repeated"
    else:
        return
    needed = ", ".join(NEEDED_SECTIONS[card.depth])
    raise CardError(f"sections {what}", about=about, fix=f"A card of depth {card.depth} has, in this order: {needed}.")


def _field_at(yaml_text: str, line: int) -> str:
    """``: key`` of the field that the line (0-based) belongs to, or "" where none is found."""
    for row in reversed(yaml_text.splitlines()[: line + 1]):
        if key := _KEY.match(row):
            return f": {key.group(1)}"
    return ""


def _readable(row: str) -> bool:
    """Whether a line, read for itself, has no value that is of a kind and out of its range."""
    try:
        yaml.load(row.strip().removeprefix("- "), Loader=_Loader)
    except yaml.YAMLError:
        return True  # half of something longer
    except ValueError:
        return False
    return True


def _refuse_repeats(node: yaml.Node | None, about: str, above: set[int]) -> None:
    """Refuse repeated keys, and collections used again by alias; ``above`` has the ids of the collections passed."""
    if not isinstance(node, yaml.CollectionNode):
        return
    line = f"{about}:{node.start_mark.line + 2}"
    if id(node) in above:  # nine lines of aliases of aliases unfold to a thousand million values
        raise CardError("front matter uses a list or mapping again by alias (*name)", about=line, fix="Write it out.")
    above.add(id(node))
    seen: set[str] = set()
    for child in node.value:
        key, value = child if isinstance(node, yaml.MappingNode) else (None, child)
        if key is not None:
            # PyYAML keeps the last of two equal keys, so that a pasted-twice probe list would lose data without a word.
            line = f"{about}:{key.start_mark.line + 2}"
            if not isinstance(key, yaml.ScalarNode):
                raise CardError("a key in the front matter is not plain text", about=line)
            if key.value in seen:
                raise CardError(f"'{key.value}' stands twice", about=line)
            seen.add(key.value)
        _refuse_repeats(value, about, above)


def line_of(node: yaml.Node | None, path: Sequence[int | str], *, first: int = 2) -> int:
    """The file line of the deepest node on ``path`` that exists; the YAML's first line is line ``first``."""
    line = first
    for part in path:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + first, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + first
        else:
            break
    return line
