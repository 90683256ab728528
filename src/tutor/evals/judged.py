"""A judge model's verdicts on many cases: asked within a budget, failures counted, what is done kept."""

from __future__ import annotations

import asyncio
import hashlib
import math
import warnings
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

from pydantic import Field

from tutor.curriculum.card import Strict
from tutor.errors import MissingExtra
from tutor.evals.judge_address import check
from tutor.evals.ragas_judge import JUDGED, judgements
from tutor.evals.ragas_metrics import Embed, RagasCase, load_ragas
from tutor.settings import JudgeSettings

_RETRIES = 2  # of one request, by the client, which waits between them
_AT_ONCE = 4
_GIVE_UP = 10  # failures with nothing judged after which the rest is not asked
_REQUESTS = 10  # a judgement is several requests, and a server that trickles outlasts each one's time-out


class Score(Strict):
    """One metric over the cases. ``mean`` is of those judged and says nothing of the ``failed``: show them together."""

    mean: float | None = Field(description="None where nothing was judged")
    judged: int
    failed: int
    left: int = Field(0, description="not asked, because the run was stopped")
    why: dict[str, int] = Field({}, description="failures by reason")

    @property
    def bounds(self) -> tuple[float, float]:
        """The mean if all failures had been 0, and if they had been 1."""
        asked = self.judged + self.failed
        total = (self.mean or 0.0) * self.judged
        return (total / asked, (total + self.failed) / asked) if asked else (0.0, 1.0)


class Judged(Strict):
    """What a judge model made of the cases: a score for each metric, and values by case and metric."""

    scores: dict[str, Score]
    values: dict[str, dict[str, float]]
    asked: tuple[tuple[str, str], ...] = Field(description="(case, metric) judged or failed")
    cases: int
    over_budget: int = Field(description="cases beyond max_cases, which were not asked")
    stopped: bool = False
    notes: tuple[str, ...] = ()


class Judge:
    """The model that the settings name.

    Args:
        settings: section ``[judge]``; ``url`` must not be empty.
        embed: texts to vectors (texts, dimensions), for the answer's relevancy.

    Raises:
        SettingsError: the url is no http(s) address or carries a password, or no model is named.
        MissingExtra: Ragas or the OpenAI client is not installed.
    """

    def __init__(self, settings: JudgeSettings, embed: Embed) -> None:
        self.settings = settings
        self.notes = check(settings)
        self._embed = embed
        load_ragas()  # now, not after the questions were answered
        try:
            import openai
        except ImportError as error:
            raise MissingExtra("the judge model", extra="eval", module="openai") from error
        self._openai = openai

    def run(
        self,
        cases: Mapping[str, RagasCase],
        *,
        metrics: Sequence[str] = JUDGED,
        progress: Callable[[int, int], None] = lambda done, of: None,
    ) -> Judged:
        """Judge up to ``max_cases`` cases; Ctrl-C keeps what is done. Not to be called inside a running event loop.

        Args:
            cases: by id; the ones to judge are chosen by a hash of the id, the same ones each time.
            metrics: some of ``JUDGED``.
            progress: told judgements done and all of them.
        """
        chosen = sorted(cases, key=lambda name: hashlib.sha256(name.encode()).hexdigest())[: self.settings.max_cases]
        state = _State([(name, metric) for name in chosen for metric in metrics], progress)
        stopped = False
        with warnings.catch_warnings():
            # instructor, by which Ragas asks, looks at a mode of its own that it has deprecated.
            warnings.filterwarnings("ignore", "FUNCTIONS is deprecated", DeprecationWarning, "instructor")
            try:
                asyncio.run(self._work(cases, state))
            except KeyboardInterrupt:
                stopped = True
        return Judged(
            scores={metric: state.score(metric) for metric in metrics},
            values={name: state.of(name) for name in chosen if state.of(name)},
            asked=state.asked,
            cases=len(chosen),
            over_budget=len(cases) - len(chosen),
            stopped=stopped,
            notes=self.notes,
        )

    async def _work(self, cases: Mapping[str, RagasCase], state: _State) -> None:
        settings, openai = self.settings, self._openai
        async with openai.AsyncOpenAI(
            base_url=settings.url,
            api_key=settings.api_key.get_secret_value(),  # "" sends none; None would send OPENAI_API_KEY
            timeout=settings.timeout_s,
            max_retries=_RETRIES,
        ) as client:
            client.organization = client.project = None  # from variables that are meant for another server
            ask = judgements(client, settings.model, self._embed, lost=openai.OpenAIError)
            jobs = iter(state.jobs)
            async with asyncio.TaskGroup() as group:
                for _ in range(_AT_ONCE):
                    group.create_task(self._worker(jobs, cases, ask, state))

    async def _worker(
        self,
        jobs: Iterator[tuple[str, str]],
        cases: Mapping[str, RagasCase],
        ask: Mapping[str, Callable[[RagasCase], Awaitable[float]]],
        state: _State,
    ) -> None:
        for name, metric in jobs:
            if state.hopeless:
                state.failed(name, metric, "not asked: the first judgements all failed")
                continue
            try:
                async with asyncio.timeout(_REQUESTS * self.settings.timeout_s):
                    value = await ask[metric](cases[name])
            except Exception as error:  # noqa: BLE001 - whatever a server's answer leads to: a failure, counted
                state.failed(name, metric, self._why(error))
            else:
                if math.isnan(value) or not -1.001 <= value <= 1.001:
                    state.failed(name, metric, f"a score of {value:g}")
                else:
                    state.judged(name, metric, value)

    def _why(self, error: Exception) -> str:
        """The reason in few words; no text of the server's, which may repeat the key."""
        if isinstance(error, TimeoutError | self._openai.APITimeoutError):
            return "time-out"
        if isinstance(error, self._openai.APIStatusError):
            return f"HTTP {error.status_code}"
        if isinstance(error, self._openai.APIConnectionError):
            return "no connection"
        return f"an answer that cannot be used ({type(error).__name__})"


class _State:
    """What is done of a run's judgements."""

    def __init__(self, jobs: list[tuple[str, str]], progress: Callable[[int, int], None]) -> None:
        self.jobs = jobs
        self._progress = progress
        self._values: dict[tuple[str, str], float] = {}
        self._failed: dict[tuple[str, str], str] = {}

    @property
    def asked(self) -> tuple[tuple[str, str], ...]:
        return tuple(sorted({*self._values, *self._failed}))

    @property
    def hopeless(self) -> bool:
        return len(self._failed) >= _GIVE_UP and not self._values

    def judged(self, name: str, metric: str, value: float) -> None:
        self._values[name, metric] = value
        self._progress(len(self._values) + len(self._failed), len(self.jobs))

    def failed(self, name: str, metric: str, why: str) -> None:
        self._failed[name, metric] = why
        self._progress(len(self._values) + len(self._failed), len(self.jobs))

    def of(self, name: str) -> dict[str, float]:
        return {metric: value for (case, metric), value in sorted(self._values.items()) if case == name}

    def score(self, metric: str) -> Score:
        values = [value for (_, kind), value in sorted(self._values.items()) if kind == metric]
        why = Counter(reason for (_, kind), reason in self._failed.items() if kind == metric)
        failed = why.total()
        return Score(
            mean=math.fsum(values) / len(values) if values else None,
            judged=len(values),
            failed=failed,
            left=sum(kind == metric for _, kind in self.jobs) - len(values) - failed,
            why=dict(sorted(why.items())),
        )
