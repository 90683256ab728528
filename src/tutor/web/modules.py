"""A page's scripts with all that they import, so that the browser fetches every module at once.

Without that it learns of a module only when the one that imports it has arrived, and a key that is pressed meanwhile
does nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from markupsafe import Markup

_SCRIPTS = Path(__file__).resolve().parent / "static" / "js"
#: A static import, or a re-export. What is loaded only when it is needed (``import("./…")``) is none.
_IMPORT = re.compile(r"""^(?:import|export)\s+(?:[\w$*{},\s]+?\sfrom\s+)?["']\./([\w-]+)\.js["']""", re.M)
_EVERYWHERE = "main"  # what base.html loads on every page


def imports_of(script: str) -> tuple[str, ...]:
    """The modules beside it that a script's text imports, by name, in its order."""
    return tuple(dict.fromkeys(_IMPORT.findall(script)))


def closure(names: tuple[str, ...], graph: Mapping[str, tuple[str, ...]]) -> list[str]:
    """What ``names`` import, and what that imports, each once; those themselves left out.

    Raises:
        KeyError: the graph lacks one of them.
    """
    found: dict[str, None] = {}
    left = list(names)
    while left:
        new = [name for name in graph[left.pop(0)] if name not in found]
        found |= dict.fromkeys(new)
        left += new
    return [name for name in found if name not in names]


@cache
def modules(*names: str) -> Markup:
    """The elements that load these entry scripts, after a ``modulepreload`` for everything they import.

    Args:
        names: of files in ``static/js``, without ``.js``; what every page has already is not named again.

    Raises:
        KeyError: there is no such file, or one imports what is not there.
    """
    graph = _graph()
    here = {_EVERYWHERE, *closure((_EVERYWHERE,), graph)} if _EVERYWHERE not in names else set()
    ahead = [name for name in closure(names, graph) if name not in here]
    links = [f'<link rel="modulepreload" href="/static/js/{name}.js">' for name in ahead]
    return Markup("".join([*links, *(f'<script type="module" src="/static/js/{name}.js"></script>' for name in names)]))


@cache
def _graph() -> Mapping[str, tuple[str, ...]]:
    """The imports of every script, read once."""
    return {path.stem: imports_of(path.read_text(encoding="utf-8")) for path in _SCRIPTS.glob("*.js")}
