"""Where the time goes: ``with stage("encode"):`` around a part, ``with operation("ask") as running:`` around a whole.

An operation collects the times of the stages within it, in this thread and in those its context is copied to (a web
server's workers). A stage costs about a microsecond while nobody listens; a tracer makes a span of each, meters take
its time. Nothing listens unless told to.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextvars import ContextVar, Token
from threading import get_ident
from time import perf_counter
from types import TracebackType
from typing import Any, Protocol

from tutor.telemetry import measures

#: What a span may carry: ids, counts, names. Words of a question or an answer go through ``tell``.
Attribute = str | int | float | bool
_log = logging.getLogger(__name__)


class Tracer(Protocol):
    """Makes spans. Called from any thread; must be quick and must not raise."""

    include_text: bool

    def begin(self, name: str, parent: Any, remote: Mapping[str, str]) -> Any:
        """A span that runs; ``parent`` is one of ours or None, ``remote`` headers that may name one elsewhere."""
        ...

    def note(self, span: Any, attributes: Mapping[str, Attribute]) -> None:
        """Put attributes on a span that runs."""
        ...

    def end(self, span: Any, error: BaseException | None) -> None:
        """End a span; of the error only its class is kept, as its message may quote somebody."""
        ...


_tracer: Tracer | None = None
_current: ContextVar[stage | None] = ContextVar("tutor_stage", default=None)
_NOTHING: Mapping[str, str] = {}


def trace_with(tracer: Tracer | None) -> None:
    """Make spans with ``tracer`` from now on; None: none."""
    global _tracer
    _tracer = tracer


class stage:
    """A part of an operation, for the length of a ``with`` block; ``name`` is one of a few, never made of input.

    Outside any operation it is still measured and traced, and collected nowhere.
    """

    __slots__ = (
        "_began",
        "_inner",
        "_notes",
        "_parent",
        "_span",
        "_thread",
        "_token",
        "_tracer",
        "name",
        "of",
        "times",
    )

    _span: Any

    def __init__(self, name: str, **notes: Attribute) -> None:
        self.name = name
        self._notes = notes
        #: The operation that this is a part of, "" if none.
        self.of = ""
        self.times: list[tuple[str, float]] | None = None

    def __enter__(self) -> stage:
        parent = self._parent = _current.get()
        if parent is not None:
            self.of = parent.of
            self.times = parent.times
        self._begin(parent, _NOTHING)
        return self

    def _begin(self, parent: stage | None, remote: Mapping[str, str]) -> None:
        self._token: Token[stage | None] = _current.set(self)
        tracer = self._tracer = _tracer
        self._span = tracer.begin(self.name, parent and parent._span, remote) if tracer is not None else None
        self._thread = get_ident()
        self._inner = 0.0
        self._began = perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = self._end(error)
        if self.times is not None:
            self.times.append((self.name, seconds - self._inner))
        if measures.meters():
            measures.record(measures.STAGE, seconds, self.of, self.name)

    def _end(self, error: BaseException | None) -> float:
        """The wall time, in seconds."""
        seconds = perf_counter() - self._began
        try:
            _current.reset(self._token)
        except ValueError:  # a generator that was begun in one worker's context and ended in another's
            if _current.get() is self:
                _current.set(self._parent)
        # Only of the same thread: what others did meanwhile takes nothing from it (and no lock is needed).
        if self._parent is not None and self._parent._thread == get_ident():
            self._parent._inner += seconds
        if self._tracer is not None:
            if self._notes:
                self._tracer.note(self._span, self._notes)
            self._tracer.end(self._span, error)
        return seconds

    def note(self, **notes: Attribute) -> None:
        """Keep ids, counts and names for the span and the log. No words of a question or an answer."""
        self._notes.update(notes)

    def tell(self, **texts: str) -> None:
        """Words of a question or an answer: on the span where ``telemetry.include_text`` is set, else nowhere."""
        if self._tracer is not None and self._tracer.include_text:
            self._tracer.note(self._span, texts)


class operation(stage):
    """A whole of stages: a question, a search, a grading, an ingest.

    One within another is a part of that: its stages are collected in both, and are the outer's in figures.
    """

    __slots__ = ("_outermost",)

    def __enter__(self) -> operation:
        parent = self._parent = _current.get()
        self._outermost = parent is None or not parent.of
        self.of = self.name if parent is None or not parent.of else parent.of
        self.times = []
        self._begin(parent, _NOTHING)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = self._end(error)
        if self._parent is not None and self._parent.times is not None:
            self._parent.times.extend(self.times or ())
        if not self._outermost:
            return
        outcome = "ok" if error is None else type(error).__name__
        if measures.meters():
            measures.record(measures.OPERATION, seconds, self.name, outcome)
        if _log.isEnabledFor(logging.DEBUG):
            fields = {"outcome": outcome, "ms": round(seconds * 1000, 2), **self._notes, "stages": self.stages}
            _log.debug("%s", self.name, extra={"fields": fields})

    @property
    def ms(self) -> float:
        """Milliseconds since it began."""
        return (perf_counter() - self._began) * 1000

    @property
    def stages(self) -> dict[str, float]:
        """Milliseconds in each stage so far, in the order in which they first ended.

        Those within a stage are taken off it, so in one thread they add up to ``ms`` at most.
        """
        found: dict[str, float] = {}
        for name, seconds in tuple(self.times or ()):
            found[name] = found.get(name, 0.0) + max(0.0, seconds) * 1000
        return found


class entry(stage):
    """Where work comes in, such as a request: a span around the operations within it, and no figure of its own.

    Args:
        name: as of a stage.
        remote: headers that may carry the caller's trace (W3C ``traceparent``).
    """

    __slots__ = ("_remote",)

    def __init__(self, name: str, remote: Mapping[str, str] = _NOTHING, **notes: Attribute) -> None:
        super().__init__(name, **notes)
        self._remote = remote

    def __enter__(self) -> entry:
        self._parent = None
        self._begin(None, self._remote)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(error)


def took(name: str, seconds: float) -> None:
    """A stage that was measured elsewhere, such as the time to the first piece of a reply."""
    around = _current.get()
    if around is not None:
        around._inner += seconds
        if around.times is not None:
            around.times.append((name, seconds))
        if around._tracer is not None:
            around._tracer.note(around._span, {f"{name}.ms": seconds * 1000})
    if measures.meters():
        measures.record(measures.STAGE, seconds, around.of if around is not None else "", name)
