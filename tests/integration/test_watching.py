"""The server watched: /metrics, ids of requests, log lines, traces to a collector that is there, or is not."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from fakes import FakeEncoder, write_notes
from tutor.bootstrap import App
from tutor.errors import MissingExtra, SettingsError
from tutor.settings import CorpusSettings, Settings, TelemetrySettings
from tutor.telemetry import logs, measures, stages
from tutor.telemetry.otel import Otel, headers_of
from tutor.web.app import create_app

ASKED = "What is a quorum?"
SECRET = "sourdough4711"
HERE = ("127.0.0.1", 50000)


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_notes(tmp_path_factory.mktemp("watching") / "notes")


@pytest.fixture(scope="module")
def core(notes: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    app = App(
        Settings(home=tmp_path_factory.mktemp("watched"), corpus=CorpusSettings(builtin=False)), encoder=FakeEncoder()
    )
    app.ingest([notes])
    yield app
    app.close()


@pytest.fixture
def client(core: App) -> TestClient:
    return TestClient(create_app(core), client=HERE)


@pytest.fixture
def logged() -> Iterator[None]:
    """Logging as it was, afterwards."""
    root = logging.getLogger()
    before, level = root.handlers[:], logging.getLogger("tutor").level
    yield
    root.handlers[:] = before
    logging.getLogger("tutor").setLevel(level)


# --- /metrics --------------------------------------------------------------------------------------------------------


def samples(client: TestClient) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    assert response.headers["cache-control"] == "no-store"
    return {
        (s.name, frozenset(s.labels.items())): s.value
        for family in text_string_to_metric_families(response.text)
        for s in family.samples
    }


def test_metrics_count_requests_stages_answers_and_errors(client: TestClient, core: App) -> None:
    def of(name: str, **labels: str) -> float:
        return after.get((name, frozenset(labels.items())), 0) - before.get((name, frozenset(labels.items())), 0)

    before = samples(client)
    assert client.post("/api/v1/ask", json={"question": ASKED}).status_code == 200
    assert client.post("/api/v1/ask", json={"question": ASKED, "filters": {"colour": ["red"]}}).status_code == 422
    assert client.get("/documents/none-such").status_code == 404
    assert client.get("/none-such").status_code == 404
    assert client.get("/static/css/base.css").status_code == 200
    assert client.get("/api/v1/drills").status_code == 200
    after = samples(client)
    request = "http_server_request_duration_seconds_count"
    asked = {"http_request_method": "POST", "http_route": "/api/v1/ask"}
    assert of(request, **asked, http_response_status_code="200") == 1
    assert of(request, **asked, http_response_status_code="422") == 1
    got = {"http_request_method": "GET", "http_response_status_code": "404"}
    assert of(request, **got, http_route="/documents/{doc_id:path}") == 1
    assert of(request, **got, http_route="unmatched") == 1
    got["http_response_status_code"] = "200"
    assert of(request, **got, http_route="/static/*") == 1
    assert of(request, **got, http_route="/api/v1/drills") == 1
    for stage in ("clean", "expand", "encode", "query", "order", "weigh", "abstain", "cite"):
        assert of("tutor_stage_duration_seconds_count", operation="ask", stage=stage) >= 1, stage
    assert of("tutor_operation_duration_seconds_count", operation="ask", outcome="ok") == 1
    assert of("tutor_operation_duration_seconds_count", operation="ask", outcome="UsageError") == 1
    answers = {labels: v for (name, labels), v in after.items() if name == "tutor_answers_total"}
    assert sum(answers.values()) >= 1
    assert {dict(labels)["outcome"] for labels in answers} <= {"answered", "abstained", "refused"}
    assert of("tutor_errors_total", kind="UsageError") == 1
    assert of("tutor_errors_total", kind="NotFound") == 2  # the document, the page
    assert after["http_server_active_requests", frozenset()] == 1  # the one that reads it
    manifest = core.reader.manifest
    info = frozenset({"generation": manifest.generation, "encoder": manifest.encoder}.items())
    assert after["tutor_index_info", info] == 1
    assert after["tutor_index_passages", frozenset()] == manifest.passages
    assert after["tutor_index_documents", frozenset()] == manifest.documents
    assert 0 <= after["tutor_index_age_seconds", frozenset()] < 3600
    assert any(name == "process_resident_memory_bytes" for name, _ in after)


def test_metrics_count_what_models_take(client: TestClient) -> None:
    from tutor.telemetry import model_reply

    model_reply("test/one", prompt_tokens=7, completion_tokens=2, cost_usd=0.25)
    model_reply("test/one", error=TimeoutError())
    found = {name: v for (name, labels), v in samples(client).items() if ("model", "test/one") in labels and v != 7}
    assert found["tutor_model_tokens_total"] == 2
    assert found["tutor_model_cost_usd_total"] == 0.25
    assert found["tutor_model_replies_total"] == 1


def test_metrics_as_openmetrics(client: TestClient) -> None:
    client.post("/api/v1/ask", json={"question": ASKED})
    response = client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert response.headers["content-type"].startswith("application/openmetrics-text")
    assert "tutor_stage_duration_seconds" in {family.name for family in open_families(response.text)}


def test_metrics_hold_no_words(client: TestClient) -> None:
    client.get("/", params={"q": f"What is a {SECRET} quorum?"})
    client.get(f"/documents/{SECRET}")
    client.request(SECRET.upper(), f"/{SECRET}")
    assert SECRET not in client.get("/metrics").text.lower()


def test_a_scrape_waits_for_no_answer(client: TestClient) -> None:
    with client.app.state.core._lock:  # type: ignore[attr-defined]  # as while somebody is answered
        began = time.monotonic()
        assert samples(client)["tutor_index_passages", frozenset()] > 0
        assert time.monotonic() - began < 30


def test_metrics_without_an_index(tmp_path: Path) -> None:
    app = App(Settings(home=tmp_path, corpus=CorpusSettings(builtin=False)), encoder=FakeEncoder())
    found = samples(TestClient(create_app(app), client=HERE))
    assert found["tutor_index_info", frozenset({("generation", ""), ("encoder", "")})] == 0


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("192.0.2.7", {}, 403),
        ("testclient", {}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 403),
        ("127.0.0.1", {"Forwarded": "for=192.0.2.7"}, 403),
        ("192.0.2.7", {"Authorization": "Bearer anything"}, 403),
    ],
)
def test_metrics_without_a_key_are_for_this_machine(
    core: App, address: str, headers: dict[str, str], status: int
) -> None:
    response = TestClient(create_app(core), client=(address, 50000)).get("/metrics", headers=headers)
    assert response.status_code == status
    assert ("tutor_index" in response.text) == (status == 200)


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ("Bearer s3cret", 200),
        ("bearer s3cret", 200),
        ("Bearer other", 401),
        ("s3cret", 401),
        ("", 401),
        ("Basic s", 401),
    ],
)
def test_metrics_with_a_key_are_for_those_who_have_it(given: str, status: int) -> None:
    from starlette.requests import Request

    from tutor.web.routes.metrics import stranger

    class Keyed:
        api_key = SecretStr("s3cret")

    for host in ("127.0.0.1", "192.0.2.7"):
        scope = {
            "type": "http",
            "headers": [(b"authorization", given.encode())],
            "client": (host, 1),
            "path": "/metrics",
        }
        refused = stranger(Request(scope), Keyed())  # type: ignore[arg-type]  # settings with a key
        assert (refused[1] if refused else 200) == status
        assert "s3cret" not in repr(refused)


# --- ids and log lines -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["abc-123_x.Y", "a", "f" * 64])
def test_a_sane_id_is_kept(client: TestClient, given: str) -> None:
    assert client.get("/healthz", headers={"X-Request-Id": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "f" * 65, "a b", "a;b", "-a", "ü".encode(), "{}"])
def test_any_other_is_replaced(client: TestClient, given: Any) -> None:
    made = client.get("/healthz", headers={"X-Request-Id": given}).headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", made)


def test_refusals_have_an_id_too(client: TestClient) -> None:
    refused = client.get("/healthz", headers={"host": "evil.example", "x-request-id": "mine"})
    assert (refused.status_code, refused.headers["x-request-id"]) == (421, "mine")


@pytest.mark.usefixtures("logged")
@pytest.mark.parametrize("level", ["info", "debug"])
@pytest.mark.parametrize("style", ["text", "json"])
def test_no_word_of_a_question_is_logged(
    tmp_path: Path, notes: Path, capfd: pytest.CaptureFixture[str], level: str, style: logs.Style
) -> None:
    class Failing(FakeEncoder):
        def encode(self, texts: Any, *, on_progress: Any = None) -> Any:
            if any("broken" in text for text in texts):
                raise ValueError(f"cannot encode {texts}")
            return super().encode(texts, on_progress=on_progress)

    app = App(Settings(home=tmp_path, corpus=CorpusSettings(builtin=False)), encoder=Failing())
    app.ingest([notes])
    logs.configure(level, style)
    client = TestClient(create_app(app), client=HERE)
    question = f"What is a {SECRET} quorum?"
    client.post("/api/v1/ask", json={"question": question}, headers={"X-Request-Id": "one"})
    client.get("/api/v1/ask/stream", params={"q": question})
    client.get("/", params={"q": question})
    client.get("/api/v1/search", params={"q": question})
    client.get(f"/documents/{SECRET}")
    client.get(f"/{SECRET}")
    client.post("/api/v1/ask", json={"question": question, SECRET: 1})
    client.post("/api/v1/ask", content=f'{{"{SECRET}', headers={"content-type": "application/json"})
    client.post("/api/v1/drills", json={"request": SECRET})
    client.post("/api/v1/grade", json={"card": SECRET, "probe": "x", "answer": SECRET})
    client.post("/api/v1/feedback", json={"question": question, "answer": SECRET, "vote": SECRET})
    assert client.post("/api/v1/ask", json={"question": f"broken {SECRET}"}).status_code == 500
    client.get("/api/v1/ask/stream", params={"q": f"broken {SECRET}"})
    app.close()
    seen = capfd.readouterr()
    assert SECRET not in seen.err + seen.out
    assert "ValueError" in seen.err
    if style == "json":
        rows = [json.loads(line) for line in seen.err.splitlines()]
        requests = [row for row in rows if row["event"] == "request"]
        assert (
            requests[0].items()
            >= {
                "request_id": "one",
                "method": "POST",
                "route": "/api/v1/ask",
                "status": 200,
                "level": "info",
            }.items()
        )
        assert [row["status"] for row in requests].count(500) == 1
        failed = next(row for row in rows if row["event"] == "a request failed")
        assert failed["request_id"] in {row["request_id"] for row in requests if row["status"] == 500}
        told = [row for row in rows if row["event"] == "ask" and row["outcome"] == "ok"]
        assert len(told) == (3 if level == "debug" else 0)
        assert all(row["request_id"] and row["stages"]["encode"] >= 0 for row in told)


# --- traces and metrics for a collector ------------------------------------------------------------------------------


def test_spans_of_a_request_without_words(client: TestClient) -> None:
    spans, figures = InMemorySpanExporter(), InMemoryMetricReader()

    def watch(include_text: bool) -> None:
        watcher = Otel(
            {"service.name": "tutor"},
            sample=1.0,
            include_text=include_text,
            spans=SimpleSpanProcessor(spans),
            figures=figures if not include_text else InMemoryMetricReader(),
        )
        stages.trace_with(watcher)
        measures.add_meter(watcher)
        caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        question = {"question": f"What is a {SECRET} quorum?"}
        try:
            response = client.post("/api/v1/ask", json=question, headers={"traceparent": caller})
            assert response.status_code == 200
        finally:
            stages.trace_with(None)
            measures.remove_meter(watcher)

    watch(include_text=False)
    found = {span.name: span for span in spans.get_finished_spans()}
    assert {"POST", "ask", "search", "clean", "expand", "encode", "query", "order", "abstain", "cite"} <= set(found)
    root = found["POST"]
    assert format(root.context.trace_id, "032x") == "0af7651916cd43dd8448eb211c80319c"
    assert root.parent is not None and format(root.parent.span_id, "016x") == "b7ad6b7169203331"
    assert {span.context.trace_id for span in found.values()} == {root.context.trace_id}
    for child, parent in (("ask", "POST"), ("search", "ask"), ("query", "search"), ("cite", "ask")):
        assert found[child].parent.span_id == found[parent].context.span_id
    assert root.attributes["http.route"] == "/api/v1/ask"
    assert found["ask"].attributes["tutor.intent"] == "definition"
    assert found["ask"].attributes["tutor.generation"]
    assert not any(SECRET in span.to_json() for span in spans.get_finished_spans())
    metrics = {m.name for r in figures.get_metrics_data().resource_metrics for s in r.scope_metrics for m in s.metrics}
    assert {"tutor.stage.duration", "tutor.answers", "http.server.request.duration"} <= metrics
    spans.clear()
    watch(include_text=True)
    assert any(SECRET in span.attributes.get("tutor.question", "") for span in spans.get_finished_spans())


class Collector(ThreadingHTTPServer):
    """Takes OTLP over HTTP and keeps it, parsed."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Take)
        self.traces: list[ExportTraceServiceRequest] = []
        self.metrics: list[ExportMetricsServiceRequest] = []
        self.headers: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Take(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        assert self.headers["content-type"] == "application/x-protobuf"
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        if self.path == "/v1/traces":
            self.server.traces.append(ExportTraceServiceRequest.FromString(body))
        elif self.path == "/v1/metrics":
            self.server.metrics.append(ExportMetricsServiceRequest.FromString(body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Not into the tests' output."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


def watched(home: Path, otlp: str, **given: Any) -> App:
    telemetry = TelemetrySettings(otlp=otlp, **given)
    settings = Settings(home=home, corpus=CorpusSettings(builtin=False), telemetry=telemetry)
    return App(settings, encoder=FakeEncoder())


def test_a_collector_gets_traces_and_metrics(tmp_path: Path, notes: Path, collector: Collector) -> None:
    app = watched(tmp_path, collector.url, headers=SecretStr("authorization=Bearer%20k3y"), service_name="study")
    app.ingest([notes])
    generation = app.reader.manifest.generation
    with app.watched():
        app.answerer.ask(f"What is a {SECRET} quorum?")
    app.close()
    spans = [s for t in collector.traces for r in t.resource_spans for c in r.scope_spans for s in c.spans]
    assert {"ask", "search", "encode", "query"} <= {span.name for span in spans}
    about = {a.key: a.value.string_value for a in collector.traces[0].resource_spans[0].resource.attributes}
    assert about["service.name"] == "study"
    assert about["service.version"]
    assert (about["tutor.index.generation"], about["tutor.encoder"]) == (generation, "fake/32x16")
    metrics = {
        m.name: m for t in collector.metrics for r in t.resource_metrics for c in r.scope_metrics for m in c.metrics
    }
    assert {"tutor.stage.duration", "tutor.operation.duration", "tutor.answers", "tutor.index.info"} <= set(metrics)
    assert metrics["tutor.index.passages"].gauge.data_points[0].as_int > 0
    assert all(headers["authorization"] == "Bearer k3y" for headers in collector.headers)
    assert SECRET not in repr(collector.traces) + repr(collector.metrics)
    assert stages._tracer is None


def test_nothing_is_sent_of_what_is_not_sampled(tmp_path: Path, notes: Path, collector: Collector) -> None:
    app = watched(tmp_path, collector.url, sample=0.0)
    app.ingest([notes])
    with app.watched():
        app.answerer.ask(ASKED)
    app.close()
    assert collector.traces == []
    assert collector.metrics


@pytest.mark.parametrize("kind", ["refuses", "never answers"])
def test_a_collector_that_is_down_costs_one_warning(
    tmp_path: Path, notes: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        if kind == "refuses":
            listener.close()
        app = watched(tmp_path, url)
        app.ingest([notes])
        plain = app.answerer.ask(ASKED)
        with caplog.at_level(logging.DEBUG, "tutor"):
            with app.watched():
                assert app.answerer.ask(ASKED).text == plain.text
                began = time.monotonic()
            assert time.monotonic() - began < 9  # 2 s are given to what is left
            limit = time.monotonic() + 20
            while not (told := [r for r in caplog.records if r.levelno >= logging.WARNING]):
                assert time.monotonic() < limit
                time.sleep(0.05)
        app.close()
    assert [r.getMessage() for r in told] == [
        "the collector does not take traces or metrics, which are dropped; everything else works as before"
    ]
    assert told[0].fields == {"collector": url}  # type: ignore[attr-defined]


def test_a_process_that_asks_with_a_dead_collector(tmp_path: Path, notes: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TUTOR_")}
    environment |= {
        "TUTOR_HOME": str(tmp_path),
        "TUTOR_TELEMETRY_OTLP": "http://127.0.0.1:9",
        "TUTOR_LOG_FORMAT": "json",
    }

    def tutor(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tutor", "--no-builtin", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)

    assert tutor("ingest", str(notes)).returncode == 0
    done = tutor("ask", "--json", ASKED)
    assert done.returncode == 0
    assert json.loads(done.stdout)["stages"]["encode"] > 0
    assert "Traceback" not in done.stderr
    assert sum(json.loads(line)["level"] == "warning" for line in done.stderr.splitlines()) <= 1


@pytest.mark.parametrize("otlp", ["localhost:4318", "ftp://x", "http://", "127.0.0.1"])
def test_an_address_that_is_none_is_named(tmp_path: Path, otlp: str) -> None:
    with pytest.raises(SettingsError, match=r"telemetry\.otlp"), watched(tmp_path, otlp).watched():
        raise AssertionError


def test_headers() -> None:
    assert headers_of(" A=b%20c , d=e=f,") == {"a": "b c", "d": "e=f"}
    for wrong in ("s3cret", "=s3cret"):
        with pytest.raises(SettingsError) as caught:
            headers_of(wrong)
        assert "s3cret" not in caught.value.message


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tutor.telemetry.otel")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with (
        pytest.raises(MissingExtra, match=r"tutor-study\[telemetry\]"),
        watched(tmp_path, "http://127.0.0.1:1").watched(),
    ):
        raise AssertionError
