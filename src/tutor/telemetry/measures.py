"""Every figure that is counted, named once, and the functions that count.

A name becomes that of OpenTelemetry as it stands and that of Prometheus by OpenTelemetry's own rule: dots to
underscores, the unit behind it, ``_total`` behind a counter. So one dashboard reads both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

#: Upper bounds of the histograms' buckets, in seconds: from a tokenizer's call to a long reply of a language model.
BUCKETS = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)


@dataclass(frozen=True, slots=True)
class Instrument:
    """Something counted. ``unit`` is "s" or a currency; ``labels`` take few values each, and never a user's words."""

    name: str
    kind: Literal["counter", "level", "histogram", "gauge"]
    about: str
    labels: tuple[str, ...] = ()
    unit: str = ""


#: An instrument, the values of its labels, and what it stands at.
Figure = tuple[Instrument, tuple[str, ...], float]

STAGE = Instrument(
    "tutor.stage.duration", "histogram", "Wall time of a stage of an operation.", ("operation", "stage"), "s"
)
OPERATION = Instrument(
    "tutor.operation.duration",
    "histogram",
    "Wall time of a question, search, grading or ingest; outcome is ok or the kind of error.",
    ("operation", "outcome"),
    "s",
)
REQUEST = Instrument(
    "http.server.request.duration",
    "histogram",
    "Wall time of a request until its response had been sent.",
    ("http.request.method", "http.route", "http.response.status_code"),
    "s",
)
IN_FLIGHT = Instrument("http.server.active_requests", "level", "Requests that are being answered.")
ANSWERS = Instrument("tutor.answers", "counter", "Questions by intent and outcome.", ("intent", "outcome"))
ERRORS = Instrument("tutor.errors", "counter", "Errors that a client was told of, by kind.", ("kind",))
MODEL_REPLIES = Instrument(
    "tutor.model.replies", "counter", "Replies of a language model; outcome is ok or the error.", ("model", "outcome")
)
MODEL_TOKENS = Instrument(
    "tutor.model.tokens", "counter", "Tokens of a language model, prompt and completion.", ("model", "direction")
)
MODEL_COST = Instrument("tutor.model.cost", "counter", "What replies cost, where prices are known.", ("model",), "USD")
INDEX = Instrument(
    "tutor.index.info", "gauge", "The generation that answers (1), 0 without one.", ("generation", "encoder")
)
INDEX_AGE = Instrument("tutor.index.age", "gauge", "Time since that generation was made.", (), "s")
PASSAGES = Instrument("tutor.index.passages", "gauge", "Passages in that generation.")
DOCUMENTS = Instrument("tutor.index.documents", "gauge", "Documents in that generation.")
BUILD = Instrument("tutor.build.info", "gauge", "The version that runs.", ("version",))

INSTRUMENTS = (STAGE, OPERATION, REQUEST, IN_FLIGHT, ANSWERS, ERRORS, MODEL_REPLIES, MODEL_TOKENS, MODEL_COST)
GAUGES = (INDEX, INDEX_AGE, PASSAGES, DOCUMENTS, BUILD)


class Meter(Protocol):
    """Takes what is counted. Called from any thread; must be quick and must not raise."""

    def record(self, instrument: Instrument, value: float, labels: tuple[str, ...]) -> None:
        """Add to a counter or level, or put one observation into a histogram; ``labels`` in the instrument's order."""
        ...


_meters: tuple[Meter, ...] = ()


def add_meter(meter: Meter) -> None:
    """Let ``meter`` hear of everything from now on; once, however often it is added."""
    global _meters
    if meter not in _meters:
        _meters = (*_meters, meter)


def remove_meter(meter: Meter) -> None:
    """Tell ``meter`` nothing any more."""
    global _meters
    _meters = tuple(one for one in _meters if one is not meter)


def meters() -> Sequence[Meter]:
    """Who listens now."""
    return _meters


def record(instrument: Instrument, value: float, *labels: str) -> None:
    """Tell everybody who listens."""
    for meter in _meters:
        meter.record(instrument, value, labels)


def answered(intent: str, outcome: Literal["answered", "abstained", "refused"]) -> None:
    """Count a question; ``refused`` are those that cannot be answered whatever the curriculum has."""
    record(ANSWERS, 1, intent, outcome)


def failed(error: BaseException) -> None:
    """Count an error that somebody is told of, by its class."""
    record(ERRORS, 1, type(error).__name__)


def model_reply(
    model: str,
    *,
    prompt_tokens: int = 0,
    completion_tokens: int = 0,
    cost_usd: float | None = None,
    error: BaseException | None = None,
) -> None:
    """Count a reply of a language model, or its failure; its times are stages (``model.first_token``, ``model.reply``).

    Args:
        model: "provider/model", as ``LanguageModel.name``.
        prompt_tokens: of this reply, as is the next.
        completion_tokens: what was written before a failure counts too.
        cost_usd: None where the price is not known.
        error: why there is no whole reply.
    """
    record(MODEL_REPLIES, 1, model, type(error).__name__ if error else "ok")
    for direction, tokens in (("prompt", prompt_tokens), ("completion", completion_tokens)):
        if tokens:
            record(MODEL_TOKENS, tokens, model, direction)
    if cost_usd:
        record(MODEL_COST, cost_usd, model)
