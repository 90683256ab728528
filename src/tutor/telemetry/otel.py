"""OpenTelemetry: spans and figures to a collector over OTLP (extra ``telemetry``, setting ``telemetry.otlp``).

Its own providers, never the process' global ones: a program that uses tutor as a library keeps what it has set up.
A collector that does not answer costs one warning; what it missed is dropped.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Lock, Thread
from typing import Any
from urllib.parse import unquote, urlsplit

from tutor.errors import MissingExtra, SettingsError

try:
    from opentelemetry.context import Context
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.metrics import CallbackOptions, Observation
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import (
        MetricExportResult,
        MetricReader,
        MetricsData,
        PeriodicExportingMetricReader,
    )
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
    from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError as error:
    raise MissingExtra("telemetry.otlp", extra="telemetry", module="opentelemetry-sdk") from error

from tutor.telemetry.measures import BUCKETS, GAUGES, INSTRUMENTS, Figure, Instrument
from tutor.telemetry.stages import Attribute

_log = logging.getLogger(__name__)
_EXPORT_S = 5.0  # for one export with its retries
_GRACE_S = 2.0  # for what is left when the process ends
_TRACE = TraceContextTextMapPropagator()


class Otel:
    """A tracer and a meter in one.

    Args:
        resource: attributes of the process that everything it sends carries.
        sample: the share of traces that are made, 0 to 1, where the caller's headers do not decide.
        include_text: spans may carry the words of questions.
        spans: where spans go.
        figures: where figures go.
        gauges: reads off what stands now; called from the reader's thread.
    """

    def __init__(
        self,
        resource: Mapping[str, str],
        *,
        sample: float,
        include_text: bool,
        spans: SpanProcessor,
        figures: MetricReader,
        gauges: Callable[[], Sequence[Figure]] = tuple,
    ) -> None:
        self.include_text = include_text
        about = Resource.create(dict(resource))
        # No exit handler of the SDK's: it waits half a minute for a collector that does not answer.
        self._spans = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(sample)), resource=about, shutdown_on_exit=False
        )
        self._spans.add_span_processor(spans)
        self._figures = MeterProvider([figures], resource=about, shutdown_on_exit=False)
        self._tracer = self._spans.get_tracer("tutor", resource.get("service.version"))
        self._instruments = self._make(gauges)

    def _make(self, gauges: Callable[[], Sequence[Figure]]) -> dict[str, Any]:
        meter = self._figures.get_meter("tutor")
        made: dict[str, Any] = {}
        for one in INSTRUMENTS:
            if one.kind == "histogram":
                made[one.name] = meter.create_histogram(
                    one.name, one.unit, one.about, explicit_bucket_boundaries_advisory=BUCKETS
                )
            elif one.kind == "counter":
                made[one.name] = meter.create_counter(one.name, one.unit, one.about)
            else:
                made[one.name] = meter.create_up_down_counter(one.name, one.unit, one.about)

        def reader(one: Instrument) -> Callable[[CallbackOptions], Iterable[Observation]]:
            return lambda _: [
                Observation(value, dict(zip(one.labels, labels, strict=True)))
                for instrument, labels, value in gauges()
                if instrument is one
            ]

        for one in GAUGES:
            meter.create_observable_gauge(one.name, [reader(one)], one.unit, one.about)
        return made

    def begin(self, name: str, parent: Span | None, remote: Mapping[str, str]) -> Span:
        context = _TRACE.extract(remote, Context()) if parent is None else set_span_in_context(parent, Context())
        return self._tracer.start_span(name, context, SpanKind.SERVER if remote else SpanKind.INTERNAL)

    def note(self, span: Span, attributes: Mapping[str, Attribute]) -> None:
        span.set_attributes({name if "." in name else f"tutor.{name}": value for name, value in attributes.items()})

    def end(self, span: Span, error: BaseException | None) -> None:
        if error is not None:
            kind = type(error).__name__
            span.set_attribute("error.type", kind)
            span.set_status(Status(StatusCode.ERROR, kind))
        span.end()

    def record(self, instrument: Instrument, value: float, labels: tuple[str, ...]) -> None:
        attributes = dict(zip(instrument.labels, labels, strict=True))
        made = self._instruments[instrument.name]
        (made.record if instrument.kind == "histogram" else made.add)(value, attributes)

    def close(self, grace_s: float = _GRACE_S) -> None:
        """Send what is left, for at most ``grace_s``."""
        ends = [Thread(target=one.shutdown, daemon=True) for one in (self._spans, self._figures)]
        for one in ends:
            one.start()
        for one in ends:
            one.join(grace_s / len(ends))


class Delivery:
    """Says once that a collector does not take what is sent, and once that it does again."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._failing = False
        self._lock = Lock()

    def told(self, delivered: bool) -> None:
        """An export has ended."""
        with self._lock:
            if delivered is not self._failing:
                return
            self._failing = not delivered
        if delivered:
            _log.info("the collector takes traces and metrics again", extra={"fields": {"collector": self._address}})
        else:
            _log.warning(
                "the collector does not take traces or metrics, which are dropped; everything else works as before",
                extra={"fields": {"collector": self._address}},
            )


class _Spans(OTLPSpanExporter):
    delivery: Delivery

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        done = super().export(spans)
        self.delivery.told(done is SpanExportResult.SUCCESS)
        return done


class _Figures(OTLPMetricExporter):
    delivery: Delivery

    def export(
        self, metrics_data: MetricsData, timeout_millis: float | None = 10_000, **kwargs: Any
    ) -> MetricExportResult:
        done = super().export(metrics_data, timeout_millis, **kwargs)
        self.delivery.told(done is MetricExportResult.SUCCESS)
        return done


def to_collector(
    address: str,
    headers: str,
    resource: Mapping[str, str],
    *,
    sample: float,
    include_text: bool,
    gauges: Callable[[], Sequence[Figure]],
) -> Otel:
    """Over OTLP in protobuf to a collector.

    Args:
        address: the collector's base, such as http://127.0.0.1:4318; /v1/traces and /v1/metrics are put behind it.
        headers: "name=value,name=value", values percent-encoded, as OTEL_EXPORTER_OTLP_HEADERS has them.

    Raises:
        SettingsError: the address or the headers cannot be read.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError("is no http address", about="telemetry.otlp", fix="As in: http://127.0.0.1:4318")
    # Its retries and failures are told by Delivery, once; at every export they would fill the log.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)
    base, given = address.rstrip("/"), headers_of(headers)
    delivery = Delivery(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}")
    spans = _Spans(f"{base}/v1/traces", headers=given, timeout=_EXPORT_S)
    figures = _Figures(f"{base}/v1/metrics", headers=given, timeout=_EXPORT_S)
    spans.delivery = figures.delivery = delivery
    return Otel(
        resource,
        sample=sample,
        include_text=include_text,
        spans=BatchSpanProcessor(spans),
        figures=PeriodicExportingMetricReader(figures),
        gauges=gauges,
    )


def headers_of(text: str) -> dict[str, str]:
    """The headers in "name=value,name=value".

    Raises:
        SettingsError: a part without a name or "="; it does not say which, as values are secrets.
    """
    found: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, separator, value = part.partition("=")
        if not separator or not name.strip():
            raise SettingsError("is not name=value", about="telemetry.headers", fix="As in: authorization=Bearer%20KEY")
        found[name.strip().lower()] = unquote(value.strip())
    return found
