"""The tree of errors is the one drawn, and a message says what, about what, and what to do."""

from __future__ import annotations

import re

import pytest

import tutor.errors
from tutor.errors import MissingExtra, TutorError, Unreadable


def all_classes(root: type[TutorError] = TutorError) -> list[type[TutorError]]:
    return [root, *(c for child in root.__subclasses__() for c in all_classes(child))]


def drawn() -> dict[str, tuple[str, str]]:
    """Name → (parent's name, what stands behind it), read from the picture in the module's docstring."""
    found: dict[str, tuple[str, str]] = {}
    path: list[str] = []
    for line in (tutor.errors.__doc__ or "").splitlines():
        match = re.match(r"    ((?:[│├└─ ]{4})*)(\w+)( .*|)$", line)
        if match and (match.group(2) == "TutorError" or "─" in match.group(1)):
            depth = len(match.group(1)) // 4
            path[depth:] = [match.group(2)]
            found[match.group(2)] = (path[depth - 1] if depth else "", match.group(3))
    return found


def test_the_picture_is_the_tree() -> None:
    real = {c.__name__: c.__mro__[1].__name__ if c is not TutorError else "" for c in all_classes()}
    assert {name: parent for name, (parent, _) in drawn().items()} == real


@pytest.mark.parametrize("kind", all_classes(), ids=lambda c: c.__name__)
def test_what_the_picture_says_of_a_class(kind: type[TutorError]) -> None:
    said = drawn()[kind.__name__][1]
    assert ("transient" in said) == kind.transient
    if match := re.search(r"exit (\d)", said):
        assert int(match.group(1)) == kind.exit_code
    assert kind.__module__ == "tutor.errors"
    assert kind.__doc__


OWN_SIGNATURE = (MissingExtra, Unreadable)


@pytest.mark.parametrize("kind", [c for c in all_classes() if c not in OWN_SIGNATURE], ids=lambda c: c.__name__)
def test_the_message_has_three_parts(kind: type[TutorError]) -> None:
    error = kind("it broke", about="the thing", fix="Mend it.")
    assert str(error) == error.message == "the thing: it broke. Mend it."
    assert (error.what, error.about, error.fix) == ("it broke", "the thing", "Mend it.")
    assert kind("it broke").message == "it broke"
    assert kind("it broke.", fix="Mend it.").message == "it broke. Mend it."
    assert kind("it broke", about="x").message == "x: it broke"


def test_a_missing_extra_names_its_command() -> None:
    error = MissingExtra("a feature", extra="hf", module="torch")
    assert error.message == (
        "a feature: needs the 'hf' extra (torch is not installed). Run: pip install 'tutor-study[hf]'"
    )
    assert error.exit_code == 1
