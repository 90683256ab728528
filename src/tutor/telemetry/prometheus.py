"""What is counted, for Prometheus: the text that ``GET /metrics`` gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from tutor.telemetry.measures import BUCKETS, INSTRUMENTS, Figure, Instrument

_UNITS = {"s": "seconds", "USD": "usd"}


class PrometheusMeter:
    """Counts in this process' memory, from its start."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._made = {instrument.name: self._make(instrument) for instrument in INSTRUMENTS}
        self._children: dict[tuple[str, tuple[str, ...]], Counter | Gauge | Histogram] = {}

    def _make(self, instrument: Instrument) -> Counter | Gauge | Histogram:
        name, labels = plain(instrument.name), tuple(map(plain, instrument.labels))
        unit = _UNITS.get(instrument.unit, "")
        if instrument.kind == "histogram":
            return Histogram(name, instrument.about, labels, unit=unit, buckets=BUCKETS, registry=self._registry)
        kind = Counter if instrument.kind == "counter" else Gauge
        return kind(name, instrument.about, labels, unit=unit, registry=self._registry)

    def record(self, instrument: Instrument, value: float, labels: tuple[str, ...]) -> None:
        key = (instrument.name, labels)
        child = self._children.get(key)
        if child is None:  # two threads at once get the same one from the library
            made = self._made[instrument.name]
            child = self._children[key] = made.labels(*labels) if labels else made
        if isinstance(child, Histogram):
            child.observe(value)
        else:
            child.inc(value)

    def exposed(self, accept: str, figures: Sequence[Figure] = ()) -> tuple[bytes, str]:
        """The body and its content type: Prometheus text, or OpenMetrics for a client that accepts it.

        Args:
            accept: the request's Accept header.
            figures: gauges as they stand now.
        """
        encode, kind = choose_encoder(accept)
        return encode(_Both(self._registry, figures)), kind


class _Both(Collector):
    """What was counted and what is read off now."""

    def __init__(self, registry: CollectorRegistry, figures: Sequence[Figure]) -> None:
        self._registry = registry
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        yield from self._registry.collect()
        families: dict[str, GaugeMetricFamily] = {}
        for instrument, labels, value in self._figures:
            unit = _UNITS.get(instrument.unit, "")
            family = families.setdefault(
                instrument.name,
                GaugeMetricFamily(
                    plain(instrument.name), instrument.about, labels=tuple(map(plain, instrument.labels)), unit=unit
                ),
            )
            family.add_metric(labels, value)
        yield from families.values()


def plain(name: str) -> str:
    """A name of OpenTelemetry as Prometheus takes it."""
    return name.replace(".", "_")


@cache
def process_meter() -> PrometheusMeter:
    """The one of this process: what it counts is of the process, however many applications it serves."""
    prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
    return PrometheusMeter()
