"""What is wrong with a curriculum file, in words: for people who write cards, not for those who write models."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from tutor.errors import CardError

Place = Sequence[int | str]
_LONGEST = 60  # characters of a wrong value that are shown
#: What the patterns of the models mean, and how a value looks that fits.
_FORMS = (
    (r"^[a-z0-9]+(-", "is not lower-case letters, digits and single hyphens", "As in: leader-election"),
    ("^(guide|", "is no curriculum item", "It begins with guide/, article/, day/, month/ or roadmap/."),
    (r"^[^\n]+$", "has a line break", "Put it on one line."),
)
_YAML = {
    "mapping values are not allowed": "a value has ': ' in it",
    "did not find expected ',' or": "a list or mapping is not closed",
    "expected ',' or": "a list or mapping is not closed",
    "did not find expected key": "the line does not fit those above it: a key without a value, or wrong indentation",
    "did not find expected '-'": "the line does not fit the list above it",
    "could not find expected ':'": "a line has no 'key: value'",
    "found character that cannot start": "a value begins with a sign that YAML keeps for itself, or a line with a tab",
    "found unexpected end of stream": "a quote is not closed",
}


def card_error(
    error: ValidationError,
    model: type[BaseModel],
    *,
    about: str,
    line_of: Callable[[Place], int],
    whole: str = "front matter",
) -> CardError:
    """Every problem of a file in one error: line, field, what is wrong with it, and what to do.

    Args:
        error: what the model refused.
        model: the model.
        about: the file.
        line_of: gives the line of a place in the file.
        whole: what to call the fields together.
    """
    found = [(line_of(p["loc"]), field(p["loc"]) or whole, *_words(p, model)) for p in error.errors(include_url=False)]
    found.sort(key=lambda problem: problem[0])
    kind = schema_name(model)
    schema = f"All fields: tutor corpus schema{'' if kind == 'card' else f' {kind}'}"
    if len(found) == 1:
        line, name, what, mend = found[0]
        return CardError(what, about=f"{about}:{line}: {name}", fix=f"{_ended(mend)}{schema}")
    lines = "".join(f"\n  line {line}: {name}: {_ended(what)}{mend}".rstrip() for line, name, what, mend in found)
    return CardError(f"{len(found)} fields are wrong{lines}", about=about, fix=schema)


def schema_name(model: type[BaseModel]) -> str:
    """What ``tutor corpus schema`` calls a model."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", model.__name__).lower()


def field(place: Place) -> str:
    """A place in the front matter for people, who count from one: ``probes, entry 1 > ask``."""
    named = ""
    for part in place:
        named += f", entry {part + 1}" if isinstance(part, int) else f" > {part}"
    return named.removeprefix(" > ")


def yaml_problem(problem: str) -> str:
    """What a YAML parser says, in words where they are known."""
    return next((words for said, words in _YAML.items() if said in problem), problem)


def _ended(text: str) -> str:
    return f"{text}{'' if text.endswith('.') else '.'} " if text else ""


def _words(problem: Mapping[str, Any], model: type[BaseModel]) -> tuple[str, str]:
    """What is wrong, and the mend ("" where the first says it)."""
    given, limits = problem["input"], problem.get("ctx", {})
    name = str(problem["loc"][-1]) if problem["loc"] else ""
    if given is None and problem["type"] != "missing":
        return "is empty", f"Give it a value, or remove the line '{name}:'."
    match str(problem["type"]):
        case "missing":
            return "is missing", f"Add it: '{name}: …'."
        case "extra_forbidden":
            near = get_close_matches(name, model.model_fields, 1) if len(problem["loc"]) == 1 else []
            return "is no field here", f"Did you mean '{near[0]}'?" if near else "Remove it, or correct its name."
        case "string_too_short":
            return f"{_shown(given)} is too short, it needs {limits['min_length']} characters", "Write it out."
        case "string_too_long":
            return f"has {len(str(given)):,} characters, the limit is {limits['max_length']:,}", "Shorten it."
        case "string_pattern_mismatch":
            return _form(given, str(limits["pattern"]))
        case "string_type":
            return f"{_shown(given)} is not text", "Put it in quotes." if _plain(given) else "Write one line of text."
        case "literal_error":
            return f"{_shown(given)} is not known", f"It is one of {limits['expected']}."
        case "int_parsing" | "int_type" | "int_from_float" | "float_parsing" | "float_type":
            return f"{_shown(given)} is no whole number", f"As in: '{name}: 3'."
        case "greater_than_equal" | "greater_than":
            return f"{given} is too small", f"The least is {limits.get('ge', limits.get('gt'))}."
        case "less_than_equal" | "less_than":
            return f"{given} is too large", f"The most is {limits.get('le', limits.get('lt'))}."
        case "too_short" | "too_long" as kind:
            least = kind == "too_short"
            limit = limits["min_length"] if least else limits["max_length"]
            has = f"has {limits['actual_length']} entries, {'at least' if least else 'at most'} {limit}"
            return f"{has} {'is' if limit == 1 else 'are'} {'needed' if least else 'allowed'}", ""
        case "list_type" | "tuple_type":
            return f"{_shown(given)} is not a list", f"As in: '{name}: [one, two]'."
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"{_shown(given)} is not a mapping", "Write its fields as {name: value, …}."
        case kind if kind.startswith("url"):
            return f"{_shown(given)} is no web address", "As in: https://example.org/page"
    return str(problem["msg"]).removeprefix("Value error, "), ""


def _form(given: object, pattern: str) -> tuple[str, str]:
    for begins, what, mend in _FORMS:
        if pattern.startswith(begins):
            return f"{_shown(given)} {what}", mend
    return f"{_shown(given)} does not have the form it needs", f"The form as a regular expression: {pattern}"


def _plain(given: object) -> bool:
    return not isinstance(given, list | dict)


def _shown(given: object) -> str:
    text = " ".join(str(given).split())
    return f"'{text if len(text) <= _LONGEST else text[:_LONGEST] + '…'}'"
