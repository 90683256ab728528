"""The payloads in a real browser, everywhere that text of a learner or of a document is shown.

Most pages are opened with the content security policy off: what it would have stopped must not be there to be stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pages import running
from payload_pages import PUT_IN, asked
from payload_set import Payload, payloads, together
from tutor.bootstrap import App
from tutor.settings import CorpusSettings, Settings

KINDS = sorted({payload.kind for payload in payloads()})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index in which every payload is a file's name, a title and a text; and a log with every payload."""
    home = tmp_path_factory.mktemp("payloads")
    notes = home / "notes"
    notes.mkdir()
    for payload in payloads():
        title = "---\ntitle: " + _yaml(payload.line) + "\n---\n" if payload.kind != "control" else f"# {payload.line}\n"
        said = f"A quorum of {payload.id} is a majority of its nodes, {payload.text}"
        text = f"{title}\n{payload.text}\n\n## {payload.line}\n\n{said}\n".replace("\0", "\ufffd")  # NUL: a binary file
        (notes / f"{payload.file_name} {payload.id}.md").write_text(text, encoding="utf-8")
    core = App(Settings(home=home, corpus=CorpusSettings(builtin=False)))
    core.ingest([notes])
    for text in together(payloads(), most=2_500):
        core.log.add(f"I decided on a quorum of three. {text}", title=text[:150], tags=["quorum"], cards=["none"])
    core.close()
    return home


def _yaml(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    with running(App(Settings(home=home, corpus=CorpusSettings(builtin=False)))) as address:
        yield address


def test_the_canary_is_heard(watched: Callable[..., Any]) -> None:
    """That the watch would see a payload that ran: one is put in as no page of ours does."""
    page = watched("/")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.__pwned=1\">')")
    page.wait_for_function("window.__pwned === 1")
    page.evaluate("delete window.__pwned")
    page.evaluate("() => document.querySelectorAll('img').forEach((image) => image.remove())")
    wrong = page.evaluate(PUT_IN.replace("await response.text()", "\"<p onclick=x><a href='javascript:x'>\""), ["/"])
    assert len(wrong) == 3  # a handler, an address, and no title of ours


def test_questions_in_the_address(watched: Callable[..., Any]) -> None:
    page = watched("/")
    paths = page.evaluate(
        "(texts) => texts.map((q) => '/?' + new URLSearchParams({q}))", together(payloads(), most=400)
    )
    assert page.evaluate(PUT_IN, paths) == []


@pytest.mark.parametrize("kind", KINDS)
def test_questions_that_are_opened_and_streamed(watched: Callable[..., Any], kind: str) -> None:
    parts = together([p for p in payloads() if p.kind == kind])
    page = watched("/")
    place = page.url.rstrip("/")
    for text in parts:
        asked(page, text)
        asked(page, f"What is a quorum? {text[:300]}")
    assert page.locator("[data-turn]").count() == 2 * len(parts)
    page.goto(page.evaluate("([place, q]) => place + '/?' + new URLSearchParams({q})", [place, parts[0]]))
    assert page.locator("[data-question]").count() == 1


def test_documents_with_payloads_as_name_title_and_text(watched: Callable[..., Any]) -> None:
    page = watched("/documents")
    rows = page.evaluate("fetch('/api/v1/documents').then((r) => r.json())")
    assert len(rows) == len(payloads())
    assert page.locator(".cards a").count() == len(rows)
    ids = [row["doc_id"] for row in rows]
    # With a passage marked: the way of a citation, which takes every text through the marking too.
    marked = "(ids) => ids.map((id) => `/documents/${encodeURIComponent(id)}?start=0&end=400`)"
    assert page.evaluate(PUT_IN, page.evaluate(marked, ids)) == []
    page.fill("#filter", "<script>window.__pwned=1</script> script-01")
    page.keyboard.press("Enter")


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_of_each_kind_is_opened_cited_and_shown_beside(watched: Callable[..., Any], kind: str) -> None:
    chosen = [p for p in payloads() if p.kind == kind]
    page = watched("/")
    asked(page, f"What is a quorum of {chosen[0].id}?")
    chips = page.locator("[data-turn] a.chip")
    for n in range(min(3, chips.count())):
        chips.nth(n).click()
        page.wait_for_selector("[data-pane-body]:not([aria-busy]) .sheet")
        page.keyboard.press("Escape")
    rows = page.evaluate("fetch('/api/v1/documents').then((r) => r.json())")
    found = next(row["doc_id"] for row in rows if row["source"].endswith(f"{chosen[-1].id}.md"))
    place = page.url.split("/?")[0]
    page.goto(page.evaluate("([place, id]) => place + '/documents/' + encodeURIComponent(id)", [place, found]))
    assert page.locator("h1").count() == 1


def test_with_the_policy_on_nothing_is_left_for_it_to_stop(watched: Callable[..., Any]) -> None:
    """``visit`` fails on every report of the policy."""
    page = watched("/documents", bypass_csp=False)
    place = page.url.rsplit("/", 1)[0]
    rows = page.evaluate("fetch('/api/v1/documents').then((r) => r.json())")
    for kind in KINDS:
        found = next(row["doc_id"] for row in rows if row["source"].endswith(f"{kind}-01.md"))
        page.goto(page.evaluate("([place, id]) => place + '/documents/' + encodeURIComponent(id)", [place, found]))
    page.goto(f"{place}/")
    for text in together(payloads()):
        asked(page, text)


def test_a_file_name_shows_as_it_is(watched: Callable[..., Any]) -> None:
    payload: Payload = next(p for p in payloads() if p.id == "script-01")
    page = watched("/documents")
    rows = page.evaluate("fetch('/api/v1/documents').then((r) => r.json())")
    found = next(row for row in rows if row["source"].endswith(f"{payload.id}.md"))
    page.goto(page.url.rsplit("/", 1)[0] + "/documents/" + found["doc_id"])
    assert page.inner_text("h1") == payload.text
    assert payload.file_name in page.locator("main .note").last.inner_text()
