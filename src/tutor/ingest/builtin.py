"""Which roots of an index are the curriculum that comes with the package, wherever the package is installed.

A wheel and a checkout that share a home have the same curriculum under different paths. The index records which roots
were built in (``sources["builtin"]``), so that the copy of whichever installation is at work takes the other's place,
and what the learner added is never mistaken for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from tutor.ingest.collect import collect

_SHARED = 0.5  # of the file names: two versions of the curriculum share most, a learner's own corpus/cards hardly any


def replaced(sources: Mapping[str, Any], builtin: Sequence[str]) -> set[str]:
    """The roots in ``sources`` that are another installation's built-in folders; none where ``builtin`` is empty.

    Args:
        sources: what the manifest says of its sources.
        builtin: the real paths of this installation's built-in folders.
    """
    if not builtin:
        return set()
    others = [root for root in sources.get("roots", ()) if root not in builtin]
    if "builtin" in sources:
        return set(others) & set(sources["builtin"])
    # An index from before the marker: the same last two folders and mostly the same files.
    files = sources.get("files", ())
    return {root for root in others if any(_copy(root, own, files) for own in builtin)}


def marked(sources: Mapping[str, Any], builtin: Sequence[str]) -> list[str]:
    """What to record as built in: not a folder that the learner had named before it was built in anywhere."""
    if not builtin:
        return list(sources.get("builtin", ()))
    named = set(sources.get("roots", ())) - set(sources["builtin"]) if "builtin" in sources else set[str]()
    return [root for root in builtin if root not in named]


def real(paths: Iterable[Path]) -> list[str]:
    """The paths as an index records its roots."""
    return [os.path.realpath(path) for path in paths]


def _copy(root: str, own: str, files: Iterable[str]) -> bool:
    if PurePath(root).parts[-2:] != PurePath(own).parts[-2:]:
        return False
    known = {str(PurePath(f).relative_to(root)) for f in files if PurePath(f).is_relative_to(root)}
    # Without a file in the index, all of its ids were taken by the other copy: then the folder itself tells.
    names = known or _below(root)
    return len(names & _below(own)) >= _SHARED * len(names)


def _below(root: str) -> set[str]:
    return {str(found.path.relative_to(root)) for found in collect([Path(root)])[0] if found.path.is_relative_to(root)}
