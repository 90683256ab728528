"""The pages over a real index, read as HTML: what works without scripts, what is escaped, what is within reach."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from fastapi.testclient import TestClient

from fakes import FakeEncoder, write_notes
from tutor.bootstrap import App
from tutor.settings import CorpusSettings, Settings
from tutor.web.app import create_app
from tutor.web.design import EDGE_ON_GROUND, TEXT_ON_GROUND, tokens
from tutor.web.library import window
from tutor.web.views import EXAMPLES, NAVIGATION

CARDS = Path(__file__).resolve().parents[2] / "corpus" / "cards"
STATIC = Path(__file__).resolve().parents[2] / "src" / "tutor" / "web" / "static"
HTML = {"accept": "text/html"}
ANSWERED = "B-tree or LSM-tree for a write-heavy store?"
HOSTILE = """# Notes <script>alert(1)</script>

A quorum <img src=x onerror=alert(2)> overlaps [a write](javascript:alert(3)) and [another](data:text/html,x).

<script>alert(4)</script>

![pixel](https://evil.example/pixel.png "t") and <iframe src="https://evil.example"></iframe>

| a | b |
|---|--:|
| <svg onload=alert(5)> | 1 |

[reference]: javascript:alert(6)

See [this][reference] and <javascript:alert(7)>, or a [fine link](https://example.org/ok).
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home = tmp_path_factory.mktemp("pages")
    core = App(Settings(home=home, corpus=CorpusSettings(builtin=False)))
    core.ingest([CARDS / f"{name}.md" for name in ("storage-engines", "caching", "rag", "vector-databases")])
    yield TestClient(create_app(core), headers=HTML)
    core.close()


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[TestClient]:
    folder = write_notes(tmp_path / "notes")
    (folder / "hostile.md").write_text(HOSTILE, encoding="utf-8")
    (folder / "long.md").write_text(
        "# Long\n\n" + "\n\n".join(f"Paragraph {i} about quorums, {'x ' * 40}." for i in range(5000)), encoding="utf-8"
    )
    core = App(Settings(home=tmp_path / "home", corpus=CorpusSettings(builtin=False)), encoder=FakeEncoder())
    core.ingest([folder])
    yield TestClient(create_app(core), headers=HTML)
    core.close()


def soup(client: TestClient, path: str, status: int = 200) -> BeautifulSoup:
    response = client.get(path)
    assert response.status_code == status
    assert response.headers["content-type"].startswith("text/html")
    return parsed(response.text)


def parsed(html: str) -> BeautifulSoup:
    """The page as a reader has it: what the templates of turns hold is not in it until a script puts it there."""
    page = BeautifulSoup(html, "html.parser")
    for template in page.select("main > template"):
        template.decompose()
    return page


def one(page: BeautifulSoup | Tag, selector: str) -> Tag:
    found = page.select_one(selector)
    assert found is not None, selector
    return found


def test_the_first_page_asks(client: TestClient) -> None:
    page = soup(client, "/")
    assert (one(page, "form")["action"], one(page, "form")["method"]) == ("/conversations", "post")
    assert one(page, "label[for=q]").get_text()
    assert [a.get_text() for a in page.select(".examples a")] == list(EXAMPLES)
    assert [a.get_text(strip=True) for a in page.select(".places a")] == [name for _, name, _ in NAVIGATION]
    assert one(page, ".places a[aria-current=page]").get_text(strip=True) == "Ask"
    assert one(page, "a.skip")["href"] == "#main"


def test_the_whole_answer_without_scripts(client: TestClient) -> None:
    page = soup(client, f"/?q={ANSWERED}")
    assert one(page, ".question").get_text() == ANSWERED
    chips = page.select(".verdict .chip, .group .chip")
    assert [chip.get_text() for chip in chips] == [str(n) for n in range(1, len(chips) + 1)]
    target = soup(client, str(chips[0]["href"]).split("#")[0])
    marked = " ".join(m.get_text() for m in target.select("mark"))
    quote = one(page, ".verdict").get_text().split("\u2060")[0]
    assert _letters(marked) == _letters(quote)
    assert ANSWERED in one(page, "template[data-markdown]").get_text()
    timings = one(page, ".turn > details.timings")
    assert not timings.has_attr("open")
    assert [d.get_text() for d in timings.select("dt")][-3:] == ["compose", "cite", "all"]
    assert all(d.get_text().endswith(" ms") for d in timings.select("dd"))


def test_a_group_names_its_document_only_when_it_changes(client: TestClient) -> None:
    page = soup(client, f"/?q={ANSWERED}")
    for heading in page.select(".group h3"):
        assert "storage engines:" not in heading.get_text()


def test_a_page_can_be_asked_for_its_head_only(client: TestClient) -> None:
    for path in ("/", "/documents", "/docs"):
        assert client.head(path).status_code == 200


def test_abstaining_helps(client: TestClient) -> None:
    page = soup(client, "/?q=How do I bake sourdough bread?")
    assert one(page, ".abstain h3").get_text() == "Not in the library"
    assert not page.select(".abstain .nearest")  # nothing here is near to it
    assert one(page, ".abstain a[href='/documents']")
    page = soup(client, "/?q=How much does caching of bread cost in Brazil?")  # far too, but it names a card
    assert page.select(".abstain .nearest a[href^='/documents/']")
    page = soup(client, "/?q=Who wrote the first LSM tree paper?")
    assert page.select(".abstain .nearest a[href^='/documents/']")
    assert one(page, ".abstain a[href='/documents']")
    assert not page.select(".chip")


def test_a_question_is_shown_as_text(client: TestClient) -> None:
    page = soup(client, "/?q=<script>alert(1)</script> %22onload=x what is a cache")
    assert "<script>alert(1)</script>" in one(page, ".question").get_text()
    assert all(script.get("src") for script in page.select("script"))


def test_an_error_has_its_three_parts_and_a_way_on(client: TestClient, tmp_path: Path) -> None:
    empty = TestClient(create_app(App(Settings(home=tmp_path), encoder=FakeEncoder())), headers=HTML)
    for path in ("/?q=what", "/documents", "/documents/x", "/healthz"):
        failed = one(soup(empty, path, 503), ".failed")
        assert "tutor ingest" in failed.get_text()
        assert one(failed, ".label").get_text()
        assert one(failed, "[data-retry]")


def test_a_question_that_is_too_long_stays_in_the_box(client: TestClient) -> None:
    text = "\n" + "Why not <b>Kafka</b> & co?\n" * 240
    response = client.get("/", params={"q": text})
    assert response.status_code == 422
    page = parsed(response.text)
    assert one(page, "textarea").get_text() == f"\n{text}"  # a browser drops the first line break
    assert one(page, "textarea")["aria-invalid"] == "true"
    over = one(page, "[data-over]")
    assert not over.has_attr("hidden")
    assert over.get_text().startswith("The question has 6,479 characters, the limit is 4,000. ")
    assert not page.select(".question, .turn .failed")
    page = soup(client, "/?q=" + "quorum " * 571)  # 3,996 characters
    assert one(page, "[data-over]").has_attr("hidden")
    assert one(page, "textarea").get_text() == ""


def test_a_long_question_is_clamped_and_can_be_opened(client: TestClient) -> None:
    text = "Why is an LSM tree better than a B-tree when a store takes many writes? " * 4
    page = soup(client, f"/?q={text}")
    heading = one(page, "h2.question.long")
    assert heading.get_text() == text.strip()
    assert one(page, "h2.question + details.whole summary").get_text()
    assert len(one(page, "title").get_text()) < 100
    page = soup(client, f"/?q={ANSWERED}")
    assert not page.select(".turn > .whole, .question.long")


@pytest.mark.parametrize(
    ("path", "status"), [("/nope", 404), ("/documents/nope", 404), ("/documents/rag?start=x", 422), ("/api/v2", 404)]
)
def test_what_is_not_there(client: TestClient, path: str, status: int) -> None:
    response = client.get(path)
    assert response.status_code == status
    if not path.startswith("/api/"):
        failed = one(BeautifulSoup(response.text, "html.parser"), ".failed")
        # Once more leads nowhere where nothing is.
        assert [a["href"] for a in failed.select("a.button")] == (["/", "/documents"] if status == 404 else [path])


def test_errors_are_json_for_those_who_do_not_ask_for_html(client: TestClient) -> None:
    response = client.get("/nope", headers={"accept": "*/*"})
    assert response.json()["error"]["about"] == "/nope"
    assert client.get("/api/v1/documents/nope").json()["error"]["what"]


def test_the_library(client: TestClient) -> None:
    page = soup(client, "/documents")
    assert one(page, ".shelf h2").get_text(" ", strip=True).startswith("Phase 3: Storage")
    assert len(page.select(".cards a")) == 4
    found = soup(client, "/documents?filter=RETRIEVAL augmentation")
    shown = [a.get_text() for a in found.select(".cards li:not([hidden]) a")]
    assert shown == ["Retrieval-augmented generation (RAG)"]
    none = soup(client, "/documents?filter=<b>zzz")
    assert not none.select(".cards li:not([hidden])")
    assert not one(none, "[data-none]").has_attr("hidden")
    assert one(none, "#filter")["value"] == "<b>zzz"


def test_a_document_page(client: TestClient) -> None:
    page = soup(client, "/documents/rag")
    assert len(page.select("h1")) == 1
    for link in page.select(".toc a"):
        assert page.select_one(str(link["href"]))
    assert one(page, "figure.diagram details pre").get_text()
    assert one(page, "div.table[tabindex='0'] table")
    labels = [h.get_text() for h in page.select("#ties h3")]
    assert labels[0] == "Read before" and "Related" in labels
    assert one(page, "#ties a[href='/documents/vector-databases']")
    resources = page.select(".resources a")
    assert resources
    assert all(a["rel"] == ["noopener", "noreferrer", "nofollow"] for a in resources)


def test_the_panes_inside_is_the_document_alone(client: TestClient) -> None:
    page = soup(client, "/documents/rag?start=30&end=90&fragment=true")
    assert page.select_one("html") is None
    assert one(page, "article.sheet #cited")


def test_nothing_of_a_hostile_document_runs(notes: TestClient) -> None:
    doc_id = next(d["doc_id"] for d in notes.get("/api/v1/documents").json() if d["source"].endswith("hostile.md"))
    length = len(notes.get(f"/api/v1/documents/{doc_id}").json()["text"])
    for path in (f"/documents/{doc_id}", f"/documents/{doc_id}?start=0&end={length}", "/documents", "/?q=quorum"):
        page = soup(notes, path)
        body = one(page, "main")
        assert not body.select("script, img, iframe, svg[onload], style, object, embed, link")
        for element in body.find_all(True):
            assert not [name for name in element.attrs if name.startswith("on") or name == "style"]
            target = str(element.get("href", ""))
            assert re.match(r"/|#|https?://|mailto:|$", target), target
    assert one(soup(notes, f"/documents/{doc_id}"), "a[href='https://example.org/ok']")


def test_a_very_long_document_comes_in_parts(notes: TestClient) -> None:
    rows = notes.get("/api/v1/documents").json()
    doc_id = next(d["doc_id"] for d in rows if d["source"].endswith("long.md"))
    text = notes.get(f"/api/v1/documents/{doc_id}").json()["text"]
    first = soup(notes, f"/documents/{doc_id}")
    assert [a.get_text() for a in first.select(".parts a")] == ["Part after"]
    start = text.index("Paragraph 3000 about")
    page = soup(notes, f"/documents/{doc_id}?start={start}&end={start + 20}")
    assert "".join(m.get_text() for m in page.select("mark")) == text[start : start + 20]
    assert len(page.select(".parts a")) == 2


def test_parts_cover_the_whole_text() -> None:
    text = "\n\n".join(f"{i} {'x' * 300}" for i in range(3000)) + "y" * 500_000
    at, seen = 0, 0
    while True:
        part = window(text, at)
        assert part.start == seen
        seen = part.end
        if part.after is None:
            break
        assert part.after > at
        at = part.after
    assert seen == len(text)


def test_the_api_page_lists_every_endpoint_and_loads_nothing(client: TestClient) -> None:
    page = soup(client, "/docs")
    for path in client.get("/openapi.json").json()["paths"]:
        assert path in page.get_text()
    assert all(str(s["src"]).startswith("/static/") for s in page.select("script"))


def test_no_page_or_static_file_names_another_machine() -> None:
    for file in (*STATIC.rglob("*.js"), *STATIC.rglob("*.css"), *STATIC.parent.glob("templates/**/*.html")):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"""(?:src|href|url|import|from|fetch)\s*[=(]?\s*["'(]?(?:https?:)?//\w""", text), (
            file.name
        )
        if file.suffix == ".html" and file.name != "shared.html":  # a file to keep, with its style in it
            assert not re.search(r"<(?:script(?! (?:type=\"module\" )?src=)|style)|\son\w+=|\sstyle=", text), file.name


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_enough_contrast(theme: str) -> None:
    """WCAG 2.2, 1.4.3 (AA): 4.5 to 1; 1.4.11: 3 to 1 for the edges of what can be used."""
    found = tokens(STATIC / "css" / "tokens.css").contrasts
    assert len(found) == len(TEXT_ON_GROUND) + len(EDGE_ON_GROUND)
    for pair in found:
        assert getattr(pair, theme) >= pair.least, pair


def _letters(text: str) -> str:
    return "".join(re.findall(r"[^\W_]+", text))


def test_every_example_is_answered_by_the_curriculum(curriculum_home: Path) -> None:
    core = App(Settings(home=curriculum_home))
    client = TestClient(create_app(core))
    asked = {q: client.post("/api/v1/ask", json={"question": q}).json() for q in EXAMPLES}
    core.close()
    assert not [q for q, answer in asked.items() if answer["abstained"]]
