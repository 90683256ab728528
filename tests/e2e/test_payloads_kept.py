"""The payloads in what a learner writes and the server keeps: log entries, conversations, notes, answers to drills."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from payload_pages import PUT_IN
from payload_set import payloads, together

CARDS = ("kafka", "caching", "rag", "consensus", "redis", "sharding", "tcp", "mvcc", "cdn", "sagas", "slos", "mongodb")
KINDS = sorted({payload.kind for payload in payloads()})


def send(address: str, method: str, path: str, body: dict[str, Any]) -> Any:
    """Call the interface."""
    request = urllib.request.Request(
        address + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def kept(address: str) -> dict[str, list[str]]:
    """The paths of the pages that show what was written: every payload in each kind of text."""
    entries, threads, notes, drills = [], [], [], []
    for text in together(payloads(), most=1_500):
        body = {"text": f"I chose a quorum. {text}", "title": text[:100], "cards": ["kafka"]}
        entries.append(f"/log/{send(address, 'POST', '/api/v1/study/log', body)['id']}")
    for kind in KINDS:
        texts = together([p for p in payloads() if p.kind == kind], most=3_900)
        one = send(address, "POST", "/api/v1/ask", {"question": texts[0], "conversation": "new"})["kept"]
        begun = f"/api/v1/conversations/{one['conversation']}"
        for text in [*texts[1:], f"Why not Kafka? {texts[0][:300]}"]:
            send(address, "POST", "/api/v1/ask", {"question": text, "conversation": one["conversation"]})
        send(address, "PATCH", begun, {"title": texts[0][:60]})
        send(address, "PUT", f"{begun}/turns/{one['turn']}/vote", {"vote": "down", "reason": texts[0][:300]})
        threads += [f"/conversations/{one['conversation']}", f"/conversations/{one['conversation']}/share.html"]
        drill = send(address, "POST", "/api/v1/drills", {"request": "why not kafka"})
        for _ in range(2):
            answer = {"question": drill["question"]["id"], "answer": "\n\n".join(texts)}
            drill = send(address, "POST", f"/api/v1/drills/{drill['session']}/replies", answer)
        drills.append(f"/drill/{drill['session']}")
    for card, text in zip(CARDS, together(payloads(), most=4_000), strict=False):
        send(address, "PUT", f"/api/v1/study/notes/{card}", {"text": text})
        send(address, "POST", f"/api/v1/study/progress/{card}", {"status": "learning", "note": text[:1_900]})
        notes.append(f"/documents/{card}")
    assert len(notes) == len(together(payloads(), most=4_000))
    return {"log": entries, "conversations": threads, "notes": notes, "drills": drills}


@pytest.mark.parametrize("what", ["log", "conversations", "notes", "drills"])
def test_what_was_written_comes_back_as_text(
    watched: Callable[..., Any], kept: dict[str, list[str]], what: str
) -> None:
    page = watched("/healthz")
    shared = [path for path in kept[what] if path.endswith(".html")]
    assert page.evaluate(PUT_IN, [path for path in kept[what] if path not in shared]) == []
    found = page.evaluate(PUT_IN, shared)
    assert [line for line in found if ": title " not in line] == []  # a file to pass on has a title of its own
    place = page.url.rsplit("/", 1)[0]
    for path in kept[what][:6]:
        if path not in shared:
            page.goto(place + path)
            assert page.locator("h1").count() == 1


def test_lists_and_searches(watched: Callable[..., Any], kept: dict[str, list[str]]) -> None:
    page = watched("/healthz")
    texts = [text[:190] for text in together(payloads(), most=900)]
    asked = ["/log?q=", "/conversations?q=", "/documents?filter=", "/drill?request=", "/map?goal=", "/log/digest?week="]
    paths = [first + quote(text, safe="") for first in asked for text in texts[:12]]
    paths += ["/log", "/conversations", "/today", "/progress", "/drill", "/review", "/settings", "/palette"]
    paths += [f"{path}/edit" for path in kept["log"][:8]] + [f"{path}/delete" for path in kept["log"][:2]]
    paths.append("/log/draft?" + urlencode({"id": [path.rsplit("/", 1)[1] for path in kept["log"]]}, doseq=True))
    assert [line for line in page.evaluate(PUT_IN, paths) if "/palette: title" not in line] == []
    place = page.url.rsplit("/", 1)[0]
    for path in ("/log", "/conversations", "/drill", "/today", "/log?q=script", "/conversations?q=script"):
        page.goto(place + path)
        assert page.locator("h1").count() == 1


def test_with_the_policy_on_nothing_is_left_for_it_to_stop(
    watched: Callable[..., Any], kept: dict[str, list[str]]
) -> None:
    """``visit`` fails on every report of the policy."""
    page = watched("/log", bypass_csp=False)
    place = page.url.rsplit("/", 1)[0]
    for paths in kept.values():
        for path in paths[:4]:
            if not path.endswith(".html"):
                page.goto(place + path)
                assert page.locator("h1").count() == 1
