"""The Model Context Protocol through the official client: over standard input and output, over HTTP, and in process."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import jsonschema
import pytest
from mcp import Client, ClientSession, MCPError, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import PromptReference, ResourceTemplateReference
from pydantic import SecretStr

from fakes import FakeEncoder, write_notes
from live_server import running
from tutor.bootstrap import App
from tutor.errors import IndexBusy
from tutor.mcp.opening import Opening
from tutor.mcp.server import build
from tutor.mcp.tools import PART_CHARS, TOOLS
from tutor.mcp.transports import http_app
from tutor.settings import CorpusSettings, Settings
from tutor.web.security import MAX_CHAT_BYTES

CARDS = Path(__file__).resolve().parents[2] / "corpus" / "cards"
KEY = "a-key-of-the-tests-0123456789"
ANSWERED = "B-tree or LSM-tree for a write-heavy store?"
READING = ["search", "ask", "card", "today"]
MODES = ["legacy", "auto"]
T = TypeVar("T")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mcp")
    (folder / "notes").mkdir()
    long = "\n\n".join(f"Paragraph {n} about quorums and leases." for n in range(7_000))
    (folder / "notes" / "long.md").write_text(f"# Long notes\n\n{long}\n", encoding="utf-8")
    app = App(Settings(home=folder, corpus=CorpusSettings(builtin=False)))
    app.ingest([*(CARDS / f"{name}.md" for name in ("storage-engines", "caching", "rag", "kafka"))])
    app.close()
    return folder


@pytest.fixture(scope="module")
def app(home: Path) -> Iterator[App]:
    made = App(Settings(home=home, corpus=CorpusSettings(builtin=False)))
    yield made
    made.close()


def server(app: App, *, allow_drills: bool = False) -> Any:
    return build(Opening(app, lambda _: None), allow_drills=allow_drills)


def within(client: Callable[[], AbstractAsyncContextManager[Client]], use: Callable[[Client], Awaitable[T]]) -> T:
    async def run() -> T:
        async with client() as opened:
            return await use(opened)

    return asyncio.run(asyncio.wait_for(run(), 120))


def local(app: App, *, drills: bool = False, mode: str = "auto") -> Callable[[], Client]:
    """A client in this process."""
    return lambda: Client(server(app, allow_drills=drills), mode=mode)


def stdio(home: Path, *options: str, mode: str = "auto", errlog: Any = None) -> Callable[[], Client]:
    """A client of a process of its own."""
    environment = {"TUTOR_HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path)}
    given = StdioServerParameters(
        command=sys.executable, args=["-m", "tutor", "--no-builtin", "mcp", *options], env=environment
    )
    return lambda: Client(stdio_client(given, **({"errlog": errlog} if errlog else {})), mode=mode)


def over_http(address: str, *, key: str = "", mode: str = "auto") -> Callable[[], AbstractAsyncContextManager[Client]]:
    @asynccontextmanager
    async def opened() -> Any:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
            transport = streamable_http_client(f"{address}/mcp", http_client=http)
            async with Client(transport, mode=mode) as client:
                yield client

    return opened


async def everything(client: Client) -> dict[str, Any]:
    """One use of each thing that only reads."""
    tools = await client.list_tools()
    asked = await client.call_tool("ask", {"question": ANSWERED})
    found = await client.call_tool("search", {"query": "cache stampede", "limit": 3})
    card = await client.call_tool("card", {"card": "storage  Engine"})
    today = await client.call_tool("today", {})
    resources = await client.list_resources()
    read = await client.read_resource("card://caching")
    prompt = await client.get_prompt("explain_card", {"card": "rag"})
    return {
        "tools": [tool.name for tool in tools.tools],
        "ask": asked,
        "search": found,
        "card": card,
        "today": today,
        "resources": [r.uri for r in resources.resources],
        "read": read.contents[0],
        "prompt": prompt.messages,
    }


def check(found: dict[str, Any], app: App) -> None:
    assert found["tools"] == READING
    answer = app.answerer.ask(ANSWERED)
    assert not found["ask"].is_error
    assert found["ask"].content[0].text.startswith(answer.text)
    assert "- [1] " in found["ask"].content[0].text
    assert [c["quote"] for c in found["ask"].structured_content["citations"]] == [c.quote for c in answer.citations]
    assert len(found["search"].structured_content["passages"]) == 3
    assert "source" not in found["search"].structured_content["passages"][0]
    assert found["card"].structured_content["doc_id"] == "storage-engines"
    assert found["today"].structured_content["due"] == []
    assert sorted(found["resources"]) == ["card://caching", "card://kafka", "card://rag", "card://storage-engines"]
    document = app.reader.payload("document", "caching")
    assert document is not None
    assert found["read"].text == document["text"]
    assert found["prompt"][1].content.resource.uri == "card://rag"


@pytest.mark.parametrize("mode", MODES)
def test_over_stdio(home: Path, app: App, mode: str) -> None:
    check(within(stdio(home, mode=mode), everything), app)


@pytest.mark.parametrize("mode", MODES)
def test_over_http(app: App, mode: str) -> None:
    with running(http_app(server(app), host="127.0.0.1", key=SecretStr("")), lifespan="on") as address:
        check(within(over_http(address, mode=mode), everything), app)


def test_the_session_of_the_protocol(home: Path) -> None:
    """``ClientSession``, as hosts use it, with the handshake."""

    async def use() -> None:
        environment = {"TUTOR_HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path)}
        given = StdioServerParameters(
            command=sys.executable, args=["-m", "tutor", "--no-builtin", "mcp"], env=environment
        )
        async with stdio_client(given) as (read, write), ClientSession(read, write) as session:
            hello = await session.initialize()
            assert hello.server_info.name == "tutor"
            assert hello.capabilities.tools and hello.capabilities.resources and hello.capabilities.prompts
            assert "ask" in (hello.instructions or "")
            assert [t.name for t in (await session.list_tools()).tools] == READING
            done = await session.call_tool("ask", {"question": ANSWERED})
            assert not done.is_error

    asyncio.run(asyncio.wait_for(use(), 120))


def test_tools_are_typed_and_say_that_they_only_read(app: App) -> None:
    tools = within(local(app, drills=True), lambda client: client.list_tools()).tools
    assert [tool.name for tool in tools] == [*READING, "drill_start", "drill_answer"]
    for tool, spec in zip(tools, TOOLS, strict=True):
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint is not spec.writes
        assert tool.annotations.destructive_hint is tool.annotations.open_world_hint is False
        assert tool.title and tool.description
        for schema in (tool.input_schema, tool.output_schema):
            jsonschema.Draft202012Validator.check_schema(schema)
            assert schema is not None and schema["type"] == "object"
        assert tool.input_schema["additionalProperties"] is False


def call(app: App, name: str, arguments: Any, *, drills: bool = False) -> Any:
    return within(local(app, drills=drills), lambda client: client.call_tool(name, arguments))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("search", {"query": "quorum"}),
        ("search", {"query": "cache", "limit": 50, "by_document": True, "kind": ["card"], "phase": [3]}),
        ("ask", {"question": ANSWERED}),
        ("ask", {"question": "How do I bake sourdough bread?"}),
        ("card", {"card": "kafka"}),
        ("today", {}),
    ],
)
def test_results_keep_to_their_schema(app: App, name: str, arguments: dict[str, Any]) -> None:
    spec = next(spec for spec in TOOLS if spec.name == name)
    done = call(app, name, arguments)
    assert not done.is_error
    jsonschema.validate(done.structured_content, spec.gives.model_json_schema(mode="serialization"))
    spec.gives.model_validate(done.structured_content)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("ask", {}, "question: Field required"),
        ("ask", {"question": 5}, "question: Input should be a valid string"),
        ("ask", {"question": ""}, "question: "),
        ("ask", {"question": "   "}, "empty"),
        ("ask", {"question": "x" * 4_001}, "question: "),
        ("ask", {"question": "x" * 1_000_000}, "question: "),
        ("ask", {"question": "quorum", "filters": {}}, "It takes: question, phase."),
        ("ask", {"question": "quorum", "phase": ["four"]}, "phase.0: "),
        ("ask", {"question": "quorum", "phase": [99]}, "phase.0: "),
        ("search", {"query": "quorum", "limit": 0}, "limit: "),
        ("search", {"query": "quorum", "limit": 10**30}, "limit: "),
        ("search", {"query": "quorum", "limit": "many"}, "limit: "),
        ("search", {"query": ["quorum"]}, "query: "),
        ("search", {"query": "quorum", "kind": ["x"] * 11}, "kind: "),
        ("card", {"card": "../../etc/passwd"}, "Find it with the tool search."),
        ("card", {"card": "nothing of this name"}, "Find it with the tool search."),
        ("card", {"card": ""}, "card: "),
        ("card", {"card": "x" * 201}, "card: "),
        ("card", {"card": "kafka", "start": -1}, "start: "),
        ("card", {"card": "kafka", "start": 10**6}, "the document ends at"),
        ("today", {"date": "tomorrow"}, "It takes: none."),
        ("drill_start", {"request": "why not kafka"}, "tutor mcp --allow-drills"),
        ("drill_answer", {}, "tutor mcp --allow-drills"),
    ],
)
def test_a_wrong_call_is_told_to_the_model(app: App, name: str, arguments: dict[str, Any], said: str) -> None:
    done = call(app, name, arguments)
    assert done.is_error
    assert said in done.content[0].text
    assert len(done.content[0].text) < 500
    assert "Traceback" not in done.content[0].text and "pydantic" not in done.content[0].text


def refused(app: App, use: Callable[[Client], Awaitable[Any]]) -> MCPError:
    async def catch(client: Client) -> MCPError:
        with pytest.raises(MCPError) as caught:
            await use(client)
        return caught.value

    return within(local(app), catch)


def test_an_unknown_tool_or_prompt(app: App) -> None:
    error = refused(app, lambda client: client.call_tool("rm", {}))
    assert (error.code, "Known: search, ask, card, today." in str(error)) == (-32602, True)
    error = refused(app, lambda client: client.get_prompt("jailbreak", {}))
    assert (error.code, "mock_drill" in str(error)) == (-32602, True)
    for arguments in ({}, {"card": "  "}, {"card": "x" * 1_001}, {"card": "rag", "more": "x"}, {"card": "nope"}):
        assert refused(app, lambda client, given=arguments: client.get_prompt("explain_card", given)).code == -32602


@pytest.mark.parametrize(
    "uri",
    [
        "card://../../../etc/passwd",
        "card://%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "card:///etc/passwd",
        "card://kafka/../caching",
        "card://caching.md",
        "card://",
        "card://\x00",
        "card://" + "x" * 5_000,
        "file:///etc/passwd",
        "https://example.org/",
        "kafka",
        "",
    ],
)
def test_addresses_are_ids_and_never_paths(app: App, uri: str) -> None:
    error = refused(app, lambda client: client.read_resource(uri))
    assert error.code == -32602
    assert len(str(error)) < 300
    assert "root:" not in str(error)


def test_resources_have_a_template_and_come_in_pages(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tutor.mcp.server._PAGE", 3)

    async def walk(client: Client) -> list[str]:
        first = await client.list_resources()
        assert first.next_cursor is not None
        rest = await client.list_resources(cursor=first.next_cursor)
        assert rest.next_cursor is None
        templates = await client.list_resource_templates()
        assert [t.uri_template for t in templates.resource_templates] == ["card://{id}"]
        return [r.uri for r in (*first.resources, *rest.resources)]

    assert len(set(within(local(app), walk))) == 4
    for cursor in ("-1", "x", "9" * 30):
        assert refused(app, lambda client, at=cursor: client.list_resources(cursor=at)).code == -32602


def test_completion_gives_ids(app: App) -> None:
    async def use(client: Client) -> tuple[list[str], list[str]]:
        template = ResourceTemplateReference(type="ref/resource", uri="card://{id}")
        one = await client.complete(template, {"name": "id", "value": "ca"})
        prompt = PromptReference(type="ref/prompt", name="why_not")
        other = await client.complete(prompt, {"name": "context", "value": "ca"})
        return one.completion.values, other.completion.values

    assert within(local(app), use) == (["caching"], [])


def test_prompts_fit_what_the_server_allows(app: App) -> None:
    async def use(client: Client) -> list[Any]:
        assert [p.name for p in (await client.list_prompts()).prompts] == ["mock_drill", "why_not", "explain_card"]
        drill = await client.get_prompt("mock_drill", {"topic": "caching"})
        why = await client.get_prompt("why_not", {"technology": "Kafka", "context": "sending\nemails"})
        return [drill.messages[0].content, why.messages[0].content]

    reading, why = within(local(app), use)
    assert "drill_start" not in reading.text
    assert "drill_start" in within(local(app, drills=True), use)[0].text
    assert why.text.startswith("Why not Kafka for sending emails?")
    assert "{" not in why.text


def test_a_long_document_comes_in_parts(home: Path, tmp_path: Path) -> None:
    app = App(Settings(home=tmp_path, corpus=CorpusSettings(builtin=False)), encoder=FakeEncoder())
    app.ingest([home / "notes" / "long.md"])
    try:
        text, start = "", 0
        while start is not None:
            done = call(app, "card", {"card": "long notes", "start": start}).structured_content
            assert len(done["text"]) <= PART_CHARS
            text, start = text + done["text"], done["next_start"]
        document = app.reader.payload("document", done["doc_id"])
        assert document is not None
        assert text == document["text"]
        error = refused(app, lambda client: client.read_resource(f"card://{done['doc_id']}"))
        assert "Read it in parts with the tool card." in str(error)
    finally:
        app.close()


# Drills


@pytest.fixture
def drilling(home: Path, tmp_path: Path) -> Iterator[App]:
    made = App(Settings(home=tmp_path, index=home / "index", corpus=CorpusSettings(builtin=False)))
    yield made
    made.close()


ANSWER = (
    "A queue acknowledges, retries and dead-letters each job alone, which Kafka does not: a consumer group commits "
    "offsets, so a slow job blocks its partition. For a simple task queue I take SQS or RabbitMQ; Kafka wins when "
    "several teams replay the same log, above about 100 MB/s."
)


def test_a_drill_from_start_to_grade(drilling: App) -> None:
    async def use(client: Client) -> list[Any]:
        step = await client.call_tool("drill_start", {"request": "why not kafka for a task queue"})
        steps = [step]
        while (asked := step.structured_content["question"]) and len(steps) < 12:
            assert asked["id"] in step.content[0].text
            assert asked["text"] in step.content[0].text
            words = {"clarify": "No questions.", "rate": "3"}.get(asked["state"], ANSWER)
            given = {"session": step.structured_content["session"], "question": asked["id"], "answer": words}
            step = await client.call_tool("drill_answer", given)
            assert not step.is_error, step.content[0].text
            again = await client.call_tool("drill_answer", given)
            assert again.is_error  # that question is no longer asked
            steps.append(step)
        return steps

    steps = within(local(drilling, drills=True), use)
    schema = next(spec for spec in TOOLS if spec.name == "drill_start").gives.model_json_schema(mode="serialization")
    for step in steps:
        jsonschema.validate(step.structured_content, schema)
    last = steps[-1].structured_content
    assert last["question"] is None
    assert last["graded"]["card"] == "kafka"
    assert last["graded"]["points"]
    assert steps[-1].content[0].text.startswith("Grade: ")
    # Later it is due, with what starts it again.
    day = datetime.now(UTC) + timedelta(days=30)
    drilling.drills._clock = lambda: day
    today = call(drilling, "today", {}).structured_content
    due = {row["card"]: row for row in today["due"]}
    assert due["kafka"]["probe"] == last["graded"]["probe"]
    assert set(due) <= {
        "kafka",
        *drilling.study.outline.cards["kafka"].prerequisites,
    }  # it went badly: they are due too
    assert today["date"] == day.date().isoformat()
    again = call(drilling, "drill_start", due["kafka"]["again"], drills=True).structured_content
    assert again["question"]
    opened = call(drilling, "today", {}).structured_content["open"]
    assert [row["session"] for row in opened] == [again["session"]]


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("drill_start", {"request": "why not gardening"}, ""),
        ("drill_start", {"format": "interpretive dance"}, "unknown format"),
        ("drill_start", {"request": "x" * 4_001}, "request: "),
        ("drill_start", {"phases": "four"}, "phases: "),
        ("drill_start", {"due": True}, "no probe is due"),
        ("drill_answer", {"session": "../../etc/passwd", "question": "q", "answer": "a"}, "no drill has this id"),
        ("drill_answer", {"session": "20260101-00000000", "question": "q", "answer": "a"}, "no drill has this id"),
        ("drill_answer", {"session": "s", "question": "q", "answer": "a" * 20_001}, "answer: "),
        ("drill_answer", {"session": "s"}, "Field required"),
    ],
)
def test_a_wrong_drill_call(drilling: App, name: str, arguments: dict[str, Any], said: str) -> None:
    done = call(drilling, name, arguments, drills=True)
    assert done.is_error
    assert said in done.content[0].text


def test_reading_writes_nothing(drilling: App, tmp_path: Path) -> None:
    within(local(drilling), lambda client: client.call_tool("today", {}))
    within(local(drilling), lambda client: client.call_tool("drill_start", {"request": "why not kafka"}))
    assert list(tmp_path.iterdir()) == []


# Opening


def test_what_cannot_be_opened_is_told_and_tried_again(app: App) -> None:
    tries: list[int] = []

    def make_ready(_: App) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise IndexBusy("another process is ingesting", fix="Try again.")

    opening = Opening(app, make_ready)
    opening.begin()

    async def use(client: Client) -> tuple[Any, Any]:
        return await client.call_tool("today", {}), await client.call_tool("today", {})

    deadline = time.monotonic() + 30
    while not tries and time.monotonic() < deadline:
        time.sleep(0.01)
    first, second = within(lambda: Client(build(opening)), use)
    assert first.is_error and "another process is ingesting. Try again." in first.content[0].text
    assert not second.is_error


def test_calls_wait_for_the_index_while_the_protocol_is_spoken(app: App) -> None:
    ready = threading.Event()
    opening = Opening(app, lambda _: ready.wait(60))
    opening.begin()

    async def use(client: Client) -> Any:
        assert len((await client.list_tools()).tools) == 4
        calling = asyncio.ensure_future(client.call_tool("today", {}))
        await asyncio.sleep(0.1)
        assert not calling.done()
        ready.set()
        return await calling

    assert not within(lambda: Client(build(opening)), use).is_error


class Breaking(FakeEncoder):
    """Encodes what is ingested, then breaks."""

    broken = False

    def encode(self, texts: Any, *, on_progress: Any = None) -> Any:
        if self.broken:
            raise ZeroDivisionError("secret path")
        return super().encode(texts, on_progress=on_progress)


def test_what_nobody_expected_is_kept_from_the_client(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    encoder = Breaking()
    app = App(Settings(home=tmp_path / "home", corpus=CorpusSettings(builtin=False)), encoder=encoder)
    app.ingest([write_notes(tmp_path / "notes")])
    encoder.broken = True
    try:
        done = call(app, "ask", {"question": ANSWERED})
    finally:
        app.close()
    assert done.is_error
    assert "ZeroDivisionError" in done.content[0].text
    assert "secret" not in done.content[0].text
    assert "secret path" in caplog.text


# The processes


def spawn(home: Path, *options: str, **variables: str) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TUTOR_")}
    environment |= {"TUTOR_HOME": str(home), **variables}
    return subprocess.Popen(
        [sys.executable, "-m", "tutor", "--no-builtin", "mcp", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}},
}


def test_standard_output_holds_the_protocol_alone_even_when_the_index_is_built(tmp_path: Path) -> None:
    """The first start of a home, with debug messages, and lines that are no messages."""
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    ask = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "today", "arguments": {}}}
    with spawn(tmp_path, TUTOR_LOG="debug") as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        err: list[str] = []
        reading = threading.Thread(target=lambda: err.extend(process.stderr or ()))
        reading.start()
        lines = [json.dumps(HELLO), "nonsense", "[]", '{"jsonrpc": "2.0"}', json.dumps(ready), json.dumps(ask)]
        process.stdin.write("\n".join(lines) + "\n")
        process.stdin.flush()
        out = []
        for line in process.stdout:
            out.append(json.loads(line))
            if out[-1].get("id") == 2:
                break
        process.stdin.close()
        out += [json.loads(line) for line in process.stdout]
        assert process.wait(60) == 0
        reading.join(60)
    assert all(message["jsonrpc"] == "2.0" for message in out)
    by_id = {message.get("id"): message for message in out}
    assert by_id[1]["result"]["serverInfo"]["name"] == "tutor"
    assert by_id[1]["result"]["protocolVersion"] == "2025-06-18"
    assert by_id[2]["result"]["structuredContent"]["due"] == []
    assert "Traceback" not in "".join(err)


def test_it_ends_when_it_is_interrupted(home: Path) -> None:
    with spawn(home) as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        process.stdin.write(json.dumps(HELLO) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1
        process.send_signal(signal.SIGINT)
        try:
            code = process.wait(60)
        finally:
            process.kill()
        assert code in (130, -signal.SIGINT)
        assert "Traceback" not in process.stderr.read()


def test_the_http_process(home: Path, app: App) -> None:
    with spawn(home, "--http", "--port", "0", TUTOR_SERVER_API_KEY=KEY) as process:
        assert process.stderr is not None
        try:
            seen = ""
            while not (found := re.search(r"MCP is at (http://127\.0\.0\.1:\d+)/mcp", seen)):
                line = process.stderr.readline()
                assert line, seen
                seen += line
            names = within(over_http(found[1], key=KEY), lambda client: client.list_tools()).tools
            assert [tool.name for tool in names] == READING
        finally:
            process.send_signal(signal.SIGINT)
            rest = process.stderr.read()
            process.wait(60)
    assert KEY not in seen + rest
    assert "Traceback" not in seen + rest


def test_it_does_not_start_where_others_can_reach_it_without_a_key(home: Path) -> None:
    with spawn(home, "--http", "--host", "0.0.0.0", "--port", "0") as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert out == ""
    assert "TUTOR_SERVER_API_KEY" in err


@pytest.mark.parametrize("given", [("--host", "0.0.0.0"), ("--port", "9"), ("--host", "127.0.0.1", "--port", "8765")])
def test_an_address_without_http_is_not_passed_over(home: Path, given: tuple[str, ...]) -> None:
    with spawn(home, *given) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert "Add --http." in err


def test_without_the_extra_it_says_what_to_install(home: Path) -> None:
    program = "import sys; sys.modules['mcp_types'] = None; from tutor.cli.main import main; sys.exit(main(['mcp']))"
    environment = os.environ | {"TUTOR_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, input="", check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "pip install 'tutor-study[mcp]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_configurations_of_the_documentation(home: Path) -> None:
    """Every JSON block and every table cell with JSON is JSON; every command line in them is one that is taken."""
    text = (Path(__file__).resolve().parents[2] / "docs" / "mcp.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```json\n(.*?)```", text, re.S) + re.findall(r"\| `(\{.*?\})` \|", text)
    assert len(blocks) == 10
    commands, addresses = [], []
    for block in map(json.loads, blocks):
        (servers,) = (block[key] for key in ("mcpServers", "servers", "context_servers") if key in block)
        for entry in servers.values():
            addresses += [entry["url"]] if "url" in entry else []
            commands += [[entry["command"], *entry["args"]]] if "command" in entry else []
    assert len(commands) == 5 and set(map(tuple, commands)) == {("tutor", "mcp")}
    assert set(addresses) == {"http://127.0.0.1:8765/mcp", "https://tutor.example/mcp"}
    shown = subprocess.run([sys.executable, "-m", "tutor", "mcp", "--help"], capture_output=True, text=True, check=True)
    for option in ("--http", "--host", "--port", "--allow-drills", "8765"):
        assert option in shown.stdout and option in text


# HTTP


@pytest.fixture(scope="module")
def open_address(app: App) -> Iterator[str]:
    with running(http_app(server(app), host="127.0.0.1", key=SecretStr("")), lifespan="on") as address:
        yield address


@pytest.fixture(scope="module")
def keyed_address(app: App) -> Iterator[str]:
    with running(http_app(server(app), host="0.0.0.0", key=SecretStr(KEY)), lifespan="on") as address:
        yield address


ACCEPT = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


@pytest.mark.parametrize("given", ["", "Bearer wrong", f"Bearer {KEY}x", f"Bearer {KEY[:-1]}", f"Token {KEY}", KEY])
def test_without_the_key_nothing_is_told(keyed_address: str, given: str) -> None:
    headers = {**ACCEPT, **({"authorization": given} if given else {})}
    for method, path in (("POST", "/mcp"), ("GET", "/mcp"), ("DELETE", "/mcp"), ("POST", "/other")):
        response = httpx2.request(method, keyed_address + path, headers=headers)
        assert response.status_code == 401
        assert "www-authenticate" in response.headers
        assert KEY not in response.text
    done = httpx2.post(f"{keyed_address}/mcp", headers=headers, json=HELLO)
    assert done.headers["www-authenticate"].startswith("Bearer")


def test_with_the_key_and_any_host_name(keyed_address: str) -> None:
    headers = {**ACCEPT, "authorization": f"Bearer {KEY}", "host": "study.example"}
    assert httpx2.post(f"{keyed_address}/mcp", headers=headers, json=HELLO).status_code == 200
    foreign = {**headers, "origin": "https://evil.example"}
    assert httpx2.post(f"{keyed_address}/mcp", headers=foreign, json=HELLO).status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1.evil.example:80"}, 421),
        ({"host": "192.168.0.7"}, 421),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"content-type": "text/plain"}, 400),
    ],
)
def test_rebinding_and_other_sites(open_address: str, headers: dict[str, str], status: int) -> None:
    assert httpx2.post(f"{open_address}/mcp", headers=ACCEPT, json=HELLO).status_code == 200
    response = httpx2.post(f"{open_address}/mcp", headers={**ACCEPT, **headers}, content=json.dumps(HELLO))
    assert response.status_code == status
    if status == 403:
        assert f"Call {open_address}/mcp from a program" in response.text
    if headers.get("host", "").startswith("evil"):
        assert f"Use {open_address}/mcp, or start it with: tutor mcp --http --host NAME" in response.text


@pytest.mark.parametrize(
    "body", [b"", b"{bad", b"[]", b"null", b'{"jsonrpc": "2.0"}', b"\xff\xfe", b"[" * 5_000, b'{"id": ' + b"9" * 5_000]
)
def test_bodies_that_are_no_messages(open_address: str, body: bytes) -> None:
    response = httpx2.post(f"{open_address}/mcp", headers=ACCEPT, content=body)
    assert 400 <= response.status_code < 500
    assert "Traceback" not in response.text


def test_a_body_of_more_than_a_megabyte(open_address: str) -> None:
    response = httpx2.post(f"{open_address}/mcp", headers=ACCEPT, content=b" " * (MAX_CHAT_BYTES + 1))
    assert response.status_code == 413
    assert httpx2.get(f"{open_address}/", headers=ACCEPT).status_code == 404
