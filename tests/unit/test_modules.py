"""What a page's scripts import: every module is named ahead of them, once, and what may never be needed is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tutor.web import modules as under_test
from tutor.web.modules import closure, imports_of, modules

SCRIPTS = Path(under_test.__file__).parent / "static" / "js"
SCRIPT = """// import { none } from "./comment.js";
import "./first.js";
import { Some,
  other as one } from './second.js';
import * as all from "./third-part.js";
export { again } from "./first.js";
export function open() {
  return import("./later.js");
}
const text = 'import "./text.js"';
"""


def test_static_imports_are_found_and_dynamic_ones_are_not() -> None:
    assert imports_of(SCRIPT) == ("first", "second", "third-part")


def test_a_closure_has_each_module_once_and_ends_in_a_circle() -> None:
    graph = {"page": ("a", "b"), "a": ("c",), "b": ("c", "page"), "c": ("a",), "other": ()}
    assert closure(("page",), graph) == ["a", "b", "c"]
    assert closure(("page", "other"), graph) == ["a", "b", "c"]
    assert closure(("other",), graph) == []
    with pytest.raises(KeyError):
        closure(("gone",), graph)


def named(html: str) -> tuple[list[str], list[str]]:
    """(what is named ahead, the entry scripts), by path."""
    return re.findall(r'rel="modulepreload" href="([^"]+)"', html), re.findall(r'src="([^"]+)"', html)


@pytest.mark.parametrize("entry", sorted(path.stem for path in SCRIPTS.glob("*.js")))
def test_everything_that_a_script_imports_is_named_once(entry: str) -> None:
    ahead, scripts = named(modules(entry))
    assert scripts == [f"/static/js/{entry}.js"] and len(set(ahead)) == len(ahead)
    everywhere = {*named(modules("main"))[0], "/static/js/main.js"}
    reached, left = {f"/static/js/{entry}.js"}, [entry]
    while left:  # as a browser follows them, read another way
        for line in (SCRIPTS / f"{left.pop()}.js").read_text("utf-8").splitlines():
            path = "/static/js/" + line.split('"')[-2][2:] if line.startswith("import ") else ""
            if path and path not in reached:
                reached.add(path)
                left.append(Path(path).stem)
    assert {*ahead, *scripts} >= reached - everywhere
    assert {*ahead, *scripts} <= reached


def test_what_the_palette_loads_when_it_is_opened_is_not_fetched_before() -> None:
    assert not {"/static/js/palette-list.js", "/static/js/fuzzy.js"} & {*named(modules("main"))[0]}
