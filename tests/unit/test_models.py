"""Deadlines, retries, budget, keys, addresses and prices, without any vendor's library."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import ScriptedCompletion
from tutor.bootstrap import App
from tutor.errors import (
    BudgetSpent,
    Cancelled,
    ContextOverflow,
    GenerationError,
    MissingExtra,
    ModelRefused,
    ModelTimeout,
    ModelUnreachable,
    SettingsError,
    TutorError,
)
from tutor.models.address import check_address, in_the_clear, on_this_machine, place
from tutor.models.budget import BudgetedModel, Ledger, Spent, for_question
from tutor.models.choose import choose, runs_here
from tutor.models.failures import from_status, scrub
from tutor.models.keys import find_key
from tutor.models.port import Completion, LanguageModel, Message, complete
from tutor.models.prices import cost_of, price, table
from tutor.models.reading import Asked, Call, Counts, Piece, TimedModel
from tutor.models.retry import BASE_S, CAP_S, RetryingModel, delay_s
from tutor.models.watched import WatchedModel
from tutor.settings import LlmSettings, load_settings

ASKED = (Message("user", "What is a quorum?"),)


class FakeBackend:
    """A backend that does what a function says, step by step."""

    name = "fake/1"
    context_tokens = 1000

    def __init__(
        self,
        read: Callable[[Asked, Call], Generator[Piece | Counts]],
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        self._read, self._prepare = read, prepare

    def prepare(self) -> None:
        self._prepare()

    def read(self, asked: Asked, call: Call) -> Generator[Piece | Counts]:
        yield from self._read(asked, call)


def timed(
    read: Callable[[Asked, Call], Generator[Piece | Counts]],
    *,
    first_s: float = 5.0,
    whole_s: float = 5.0,
    prepare: Callable[[], None] = lambda: None,
) -> TimedModel:
    return TimedModel(
        FakeBackend(read, prepare), first_token_s=first_s, timeout_s=whole_s, cost=lambda prompt, completion: None
    )


def wait_for(call: Call, seconds: float) -> None:
    woken = threading.Event()
    call.when_closed(woken.set)
    woken.wait(seconds)


def words(*texts: str) -> Callable[[Asked, Call], Generator[Piece | Counts]]:
    def read(asked: Asked, call: Call) -> Generator[Piece | Counts]:
        for text in texts:
            yield Piece(text)
        yield Counts(7, len(texts))

    return read


def kept(reply: Completion, got: list[str]) -> None:
    """Reads into a list, which keeps what came before an error."""
    for piece in reply:
        got += [piece]


# Deadlines


def test_a_reply_and_what_it_took() -> None:
    text, usage = complete(timed(words("a ", "b")), ASKED, max_tokens=10)
    assert text == "a b"
    assert (usage.prompt_tokens, usage.completion_tokens, usage.estimated) == (7, 2, False)


def test_who_waits_is_not_kept_past_the_first_deadline() -> None:
    over = threading.Event()

    def read(asked: Asked, call: Call) -> Generator[Piece | Counts]:
        over.wait(60)  # deaf: does not even see that it was closed
        yield Piece("late")

    began = time.monotonic()
    with pytest.raises(ModelTimeout, match="no word within"):
        complete(timed(read, first_s=0.2), ASKED, max_tokens=10)
    assert time.monotonic() - began < 15
    over.set()


def test_who_waits_is_not_kept_past_the_whole_deadline() -> None:
    def read(asked: Asked, call: Call) -> Generator[Piece | Counts]:
        while not call.closed:
            yield Piece("x")
            wait_for(call, 0.02)

    got: list[str] = []
    began = time.monotonic()
    with pytest.raises(ModelTimeout, match="not done within"):
        kept(timed(read, whole_s=1).stream(ASKED, max_tokens=100), got)
    assert time.monotonic() - began < 15
    assert len(got) > 3


def test_a_deadline_is_told_as_it_was_set() -> None:
    """Not as what earlier attempts left of it."""

    def read(asked: Asked, call: Call) -> Generator[Piece | Counts]:
        wait_for(call, 10)
        yield Piece("late")

    model = timed(read, first_s=50, whole_s=60)
    with pytest.raises(ModelTimeout, match="no word within 60 s") as caught:
        list(model.stream(ASKED, max_tokens=10, within_s=0.1))
    assert "llm.timeout_s" in caught.value.fix


def test_what_no_server_accepted_took_nothing() -> None:
    def read(asked: Asked, call: Call) -> Generator[Piece | Counts]:
        raise ModelUnreachable("no connection")
        yield

    reply = timed(read).stream(ASKED, max_tokens=10)
    with pytest.raises(ModelUnreachable):
        list(reply)
    assert (reply.usage.tokens, reply.usage.cost_usd, reply.usage.estimated) == (0, 0.0, False)


def test_what_a_server_accepted_took_its_prompt() -> None:
    def read(asked: Asked, call: Call) -> Generator[Piece | Counts]:
        call.taken_up = True
        wait_for(call, 10)
        yield Piece("late")

    reply = timed(read, first_s=0.1).stream(ASKED, max_tokens=10)
    with pytest.raises(ModelTimeout):
        list(reply)
    assert reply.usage.prompt_tokens == 9 and reply.usage.estimated


def test_loading_is_not_the_first_piece() -> None:
    model = timed(words("a"), first_s=1.0, whole_s=30.0, prepare=lambda: time.sleep(1.3))
    assert complete(model, ASKED, max_tokens=10)[0] == "a"


def test_loading_ends_with_the_whole_deadline() -> None:
    with pytest.raises(ModelTimeout, match="not loaded"):
        complete(timed(words("a"), whole_s=0.2, prepare=lambda: time.sleep(1.0)), ASKED, max_tokens=10)


def test_an_error_of_the_thread_is_raised_where_it_is_waited_for() -> None:
    def read(asked: Asked, call: Call) -> Generator[Piece | Counts]:
        yield Piece("a")
        raise ModelUnreachable("gone")

    got: list[str] = []
    with pytest.raises(ModelUnreachable, match="gone"):
        got.extend(timed(read).stream(ASKED, max_tokens=10))


def test_an_unexpected_error_has_no_text_of_its_own() -> None:
    """It may hold a key or a prompt."""

    def read(asked: Asked, call: Call) -> Generator[Piece | Counts]:
        raise LookupError("sk-secret")
        yield

    with pytest.raises(GenerationError, match="LookupError") as caught:
        complete(timed(read), ASKED, max_tokens=10)
    assert "sk-secret" not in str(caught.value)


def test_closing_wakes_who_waits_and_ends_the_request() -> None:
    ended = threading.Event()

    def read(asked: Asked, call: Call) -> Generator[Piece | Counts]:
        call.when_closed(ended.set)
        wait_for(call, 10)
        yield Piece("late")

    reply = timed(read).stream(ASKED, max_tokens=10)
    threading.Timer(0.1, reply.close).start()
    with pytest.raises(Cancelled):
        list(reply)
    assert ended.is_set()
    reply.close()


def test_a_reply_may_be_read_when_it_has_long_been_done() -> None:
    reply = timed(words("a", "b"), first_s=1, whole_s=30).stream(ASKED, max_tokens=10)
    time.sleep(1.2)
    assert "".join(reply) == "ab"


def test_what_surely_does_not_fit_is_not_sent() -> None:
    def read(asked: Asked, call: Call) -> Generator[Piece | Counts]:
        raise AssertionError
        yield

    with pytest.raises(ContextOverflow, match="room for 1,000"):
        timed(read).stream((Message("user", "word " * 1000),), max_tokens=10)


def test_a_reply_without_end_is_cut() -> None:
    def read(asked: Asked, call: Call) -> Generator[Piece | Counts]:
        while True:
            yield Piece("x" * 100)

    with pytest.raises(GenerationError, match="does not end"):
        complete(timed(read), ASKED, max_tokens=16)


# Retries


class Flaky:
    """A model whose attempts are scripted: each a list of pieces, an exception among them."""

    name = "flaky/1"
    context_tokens = 1000

    def __init__(self, *attempts: Sequence[str | Exception]) -> None:
        self.attempts = list(attempts)
        self.within: list[float | None] = []

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        within_s: float | None = None,
    ) -> Completion:
        self.within.append(within_s)
        return ScriptedCompletion(self.attempts[len(self.within) - 1])

    def count_tokens(self, text: str) -> int:
        return len(text)

    def cost(self, prompt: int, completion: int) -> float | None:
        return None


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.waited: list[float] = []

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds


def retrying(model: Flaky, clock: Clock, *, retries: int = 2, timeout_s: float = 60.0) -> RetryingModel:
    return RetryingModel(model, retries=retries, timeout_s=timeout_s, clock=clock, pause=clock.pause, draw=lambda: 1.0)


def down(after_s: float | None = None) -> ModelUnreachable:
    error = ModelUnreachable("down")
    error.retry_after_s = after_s
    return error


def test_a_transient_failure_is_tried_again() -> None:
    clock = Clock()
    model = Flaky([down()], [down()], ["a", "b"])
    assert complete(retrying(model, clock), ASKED, max_tokens=10)[0] == "ab"
    assert clock.waited == [BASE_S, 2 * BASE_S]
    assert model.within == [60.0, 59.5, 58.5]


@pytest.mark.parametrize("error", [ModelRefused("no"), ContextOverflow("long"), BudgetSpent("spent"), Cancelled("x")])
def test_a_lasting_failure_is_not(error: GenerationError) -> None:
    model = Flaky([error], ["a"])
    with pytest.raises(type(error)):
        complete(retrying(model, Clock()), ASKED, max_tokens=10)
    assert len(model.within) == 1


def test_nothing_is_tried_again_after_the_first_piece() -> None:
    model = Flaky(["a", down()], ["b"])
    got: list[str] = []
    with pytest.raises(ModelUnreachable):
        kept(retrying(model, Clock()).stream(ASKED, max_tokens=10), got)
    assert got == ["a"]
    assert len(model.within) == 1


def test_the_last_failure_is_told() -> None:
    model = Flaky([down()], [down()], [ModelUnreachable("the last")])
    with pytest.raises(ModelUnreachable, match="the last"):
        complete(retrying(model, Clock()), ASKED, max_tokens=10)


def test_a_model_here_that_is_late_is_not_asked_from_the_beginning() -> None:
    model = Flaky([ModelTimeout("late")], ["a"])
    here = RetryingModel(model, retries=2, timeout_s=60, late_again=False, pause=lambda s: None)
    with pytest.raises(ModelTimeout):
        complete(here, ASKED, max_tokens=10)
    assert len(model.within) == 1
    elsewhere = Flaky([ModelTimeout("late")], ["a"])
    assert complete(retrying(elsewhere, Clock()), ASKED, max_tokens=10)[0] == "a"
    unreached = Flaky([down()], ["a"])  # one that is being started
    here = RetryingModel(unreached, retries=2, timeout_s=60, late_again=False, pause=lambda s: None)
    assert complete(here, ASKED, max_tokens=10)[0] == "a"


@pytest.mark.parametrize(
    ("given", "first_s", "again"),
    [
        ({"provider": "gguf", "model": "m.gguf", "timeout_s": 100.0}, 100.0, False),
        ({"provider": "ollama", "model": "m", "timeout_s": 100.0}, 100.0, False),
        ({"provider": "ollama", "model": "m", "first_token_s": 3.0}, 3.0, False),
        ({"provider": "ollama", "model": "m-cloud", "timeout_s": 100.0}, 20.0, True),
        ({"provider": "compatible", "model": "m", "url": "http://127.0.0.1:9/v1"}, 60.0, False),
        ({"provider": "compatible", "model": "m", "url": "http://10.0.0.1:9/v1"}, 20.0, True),
        ({"provider": "compatible", "model": "m", "url": "http://10.0.0.1:9/v1", "first_token_s": 50.0}, 50.0, True),
    ],
)
def test_how_long_the_first_piece_may_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], first_s: float, again: bool
) -> None:
    monkeypatch.setattr("tutor.models.choose.backend", lambda chosen: FakeBackend(words("a")))
    made = choose(llm(**given), tmp_path)
    assert isinstance(made, RetryingModel)
    assert isinstance(made.model, BudgetedModel)
    assert isinstance(made.model.model, TimedModel)
    assert made.model.model._first_s == first_s
    assert made.late_again is again


def test_no_retries_are_none() -> None:
    model = Flaky([down()], ["a"])
    with pytest.raises(ModelUnreachable):
        complete(retrying(model, Clock(), retries=0), ASKED, max_tokens=10)


def test_what_the_server_asks_for_is_waited_and_no_less() -> None:
    clock = Clock()
    assert complete(retrying(Flaky([down(7.0)], ["a"]), clock), ASKED, max_tokens=10)[0] == "a"
    assert clock.waited == [7.0 + BASE_S]


def test_who_has_no_time_left_is_told_at_once() -> None:
    clock = Clock()
    with pytest.raises(ModelUnreachable):
        complete(retrying(Flaky([down(120.0)], ["a"]), clock, timeout_s=60), ASKED, max_tokens=10)
    assert clock.waited == []


def test_closing_ends_the_wait() -> None:
    model = RetryingModel(Flaky([down(30.0)], ["a"]), retries=2, timeout_s=60, draw=lambda: 1.0)
    reply = model.stream(ASKED, max_tokens=10)
    threading.Timer(0.05, reply.close).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        list(reply)
    assert time.monotonic() - began < 15


@given(st.integers(1, 200), st.floats(0, 1), st.none() | st.floats(0, 3600))
def test_delays_are_bounded(attempt: int, draw: float, asked_s: float | None) -> None:
    least = asked_s or 0.0
    assert least <= delay_s(attempt, draw, asked_s) <= least + min(CAP_S, BASE_S * 2.0 ** (attempt - 1))


# Budget


class Fixed:
    """A model that replies ``b`` and says what it took."""

    name = "fixed/1"
    context_tokens = 1000

    def __init__(self, usd_per_token: float | None = 0.0, pieces: Sequence[str | Exception] = ("a", "b")) -> None:
        self.usd, self.pieces = usd_per_token, pieces
        self.asked = 0

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        within_s: float | None = None,
    ) -> Completion:
        self.asked += 1
        return _Costly(self.pieces, self.usd)

    def count_tokens(self, text: str) -> int:
        return 6

    def cost(self, prompt: int, completion: int) -> float | None:
        return None if self.usd is None else (prompt + completion) * self.usd


class _Costly(ScriptedCompletion):
    def __init__(self, pieces: Sequence[str | Exception], usd: float | None) -> None:
        super().__init__(pieces)
        self._usd = usd

    @property
    def usage(self) -> Any:
        from dataclasses import replace

        found = super().usage
        return replace(found, cost_usd=None if self._usd is None else found.tokens * self._usd)


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ledger(tmp_path: Path, at: datetime = NOON) -> Ledger:
    return Ledger(tmp_path / "llm", clock=lambda: at)


def test_a_day_is_added_up(tmp_path: Path) -> None:
    model = BudgetedModel(Fixed(0.001), ledger(tmp_path))
    for _ in range(3):
        complete(model, ASKED, max_tokens=50)
    assert ledger(tmp_path).today() == Spent("2026-03-01", requests=3, tokens=36, usd=pytest.approx(0.036), unpriced=0)
    assert ledger(tmp_path, datetime(2026, 3, 2, 0, 1, tzinfo=UTC)).today() == Spent("2026-03-02")


def test_an_unknown_price_is_not_nothing(tmp_path: Path) -> None:
    complete(BudgetedModel(Fixed(None), ledger(tmp_path)), ASKED, max_tokens=50)
    assert ledger(tmp_path).today().unpriced == 1


def test_a_day_of_tokens_ends_before_it_is_exceeded(tmp_path: Path) -> None:
    inner = Fixed()
    model = BudgetedModel(inner, ledger(tmp_path), day_tokens=80)
    complete(model, ASKED, max_tokens=50)  # 60 at most, 12 in the end
    complete(model, ASKED, max_tokens=50)
    with pytest.raises(BudgetSpent, match="24 of today's 80 tokens") as caught:
        complete(model, ASKED, max_tokens=50)
    assert "llm.day_tokens" in caught.value.fix
    assert inner.asked == 2


def test_a_day_of_dollars_ends_before_it_is_exceeded(tmp_path: Path) -> None:
    inner = Fixed(0.01)
    model = BudgetedModel(inner, ledger(tmp_path), day_usd=0.70)
    complete(model, ASKED, max_tokens=50)
    with pytest.raises(BudgetSpent, match=r"\$0\.12") as caught:
        complete(model, ASKED, max_tokens=50)
    assert "llm.day_usd" in caught.value.fix
    assert inner.asked == 1


def test_one_question_ends_before_it_is_exceeded(tmp_path: Path) -> None:
    model = for_question(BudgetedModel(Fixed(), ledger(tmp_path), question_tokens=80))
    complete(model, ASKED, max_tokens=50)
    complete(model, ASKED, max_tokens=50)
    with pytest.raises(BudgetSpent) as caught:
        complete(model, ASKED, max_tokens=50)
    assert "llm.question_tokens" in caught.value.fix


def test_two_questions_are_two(tmp_path: Path) -> None:
    model = BudgetedModel(Fixed(), ledger(tmp_path), question_tokens=80)
    for _ in range(5):
        complete(model, ASKED, max_tokens=50)


def test_what_is_under_way_counts_at_its_most(tmp_path: Path) -> None:
    model = BudgetedModel(Fixed(), ledger(tmp_path), day_tokens=100)
    first = model.stream(ASKED, max_tokens=50)
    with pytest.raises(BudgetSpent):
        model.stream(ASKED, max_tokens=50)
    first.close()
    model.stream(ASKED, max_tokens=50).close()


def test_a_failed_reply_is_put_right(tmp_path: Path) -> None:
    model = BudgetedModel(Fixed(pieces=["a", ModelUnreachable("gone")]), ledger(tmp_path), day_tokens=100)
    with pytest.raises(ModelUnreachable):
        complete(model, ASKED, max_tokens=50)
    assert ledger(tmp_path).today().tokens == 11


def test_each_attempt_is_paid_for_and_counted(tmp_path: Path) -> None:
    def stalls(asked: Asked, call: Call) -> Generator[Piece | Counts]:
        call.taken_up = True
        wait_for(call, 10)
        yield Piece("late")

    budgeted = BudgetedModel(timed(stalls, first_s=0.05), ledger(tmp_path))
    model = RetryingModel(budgeted, retries=2, timeout_s=60, pause=lambda s: None)
    reply = model.stream(ASKED, max_tokens=10)
    with pytest.raises(ModelTimeout):
        list(reply)
    assert (ledger(tmp_path).today().requests, ledger(tmp_path).today().tokens) == (3, 27)
    assert reply.usage.prompt_tokens == 27


def test_attempts_end_with_the_questions_budget(tmp_path: Path) -> None:
    inner = Fixed(pieces=[ModelTimeout("late")])
    budgeted = BudgetedModel(inner, ledger(tmp_path), question_tokens=70)
    model = for_question(RetryingModel(budgeted, retries=5, timeout_s=60, pause=lambda s: None))
    with pytest.raises(BudgetSpent, match="a question may take 70 tokens"):
        complete(model, ASKED, max_tokens=50)
    assert inner.asked == 2


def test_nobody_there_costs_no_budget(tmp_path: Path) -> None:
    def refused(asked: Asked, call: Call) -> Generator[Piece | Counts]:
        raise ModelUnreachable("no connection")
        yield

    budgeted = BudgetedModel(timed(refused), ledger(tmp_path), day_tokens=25)
    model = RetryingModel(budgeted, retries=2, timeout_s=60, pause=lambda s: None)
    for _ in range(3):
        with pytest.raises(ModelUnreachable):
            complete(model, ASKED, max_tokens=10)
    assert ledger(tmp_path).today() == Spent("2026-03-01", requests=9, tokens=0, usd=0.0, unpriced=0)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"tokens": -5}', '{"requests":1,"tokens":-1,"usd":0,"unpriced":0}'])
def test_a_damaged_day_is_no_free_day(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "llm"
    folder.mkdir()
    (folder / "2026-03-01.json").write_text(damage)
    with pytest.raises(BudgetSpent, match="cannot be read"):
        complete(BudgetedModel(Fixed(), ledger(tmp_path), day_tokens=1000), ASKED, max_tokens=50)
    assert complete(BudgetedModel(Fixed(), ledger(tmp_path)), ASKED, max_tokens=50)[0] == "ab"


def spend(folder: str, times: int, start: Any) -> None:
    model = BudgetedModel(Fixed(), Ledger(Path(folder), clock=lambda: NOON))
    start.wait()
    for _ in range(times):
        complete(model, ASKED, max_tokens=50)


def test_several_processes_add_up(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    start = context.Event()
    workers = [context.Process(target=spend, args=(str(tmp_path / "llm"), 10, start)) for _ in range(3)]
    for worker in workers:
        worker.start()
    start.set()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert (ledger(tmp_path).today().requests, ledger(tmp_path).today().tokens) == (30, 360)


# Keys


def llm(**given: Any) -> LlmSettings:
    return LlmSettings(**given)


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    stored: dict[str, str] = {}
    monkeypatch.setattr("tutor.models.keys._stored", lambda name: stored.get(name, ""))
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return stored


def test_where_a_key_is_from(ring: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_key(llm(provider="openai")).source == "none"
    ring["openai"] = "sk-ring"
    assert find_key(llm(provider="openai")).source == "keyring"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-usual")
    assert find_key(llm(provider="openai")).value == "sk-usual"
    assert find_key(llm(provider="openai", api_key="sk-ours")).value == "sk-ours"
    assert find_key(llm(provider="anthropic")).value == ""


def test_a_providers_key_goes_to_no_other_server(ring: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-usual")
    ring["openai"] = "sk-ring"
    assert find_key(llm(provider="openai", url="https://proxy.example/v1")).value == ""
    assert find_key(llm(provider="compatible", url="https://proxy.example/v1")).value == ""
    ring["compatible https://proxy.example"] = "sk-theirs"
    assert find_key(llm(provider="compatible", url="https://proxy.example/v1")).value == "sk-theirs"
    assert find_key(llm(provider="compatible", url="https://proxy.example:8443/v1")).value == ""


@pytest.mark.parametrize("wrong", ["a b", "ключ-ключ", "a\nb", "x" * 5000])
def test_what_is_no_key_is_not_sent(ring: dict[str, str], wrong: str) -> None:
    with pytest.raises(SettingsError) as caught:
        find_key(llm(provider="openai", api_key=wrong))
    assert wrong not in caught.value.message


def test_a_key_is_in_no_representation(ring: dict[str, str]) -> None:
    chosen = llm(provider="openai", api_key="sk-hush")
    assert "hush" not in repr(find_key(chosen)) + repr(chosen)


def test_a_key_in_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[llm]\nprovider = "openai"\napi_key = "sk-hush"\n')
    with pytest.raises(SettingsError, match="does not belong") as caught:
        load_settings(home=tmp_path)
    assert "hush" not in caught.value.message
    assert "tutor models key" in caught.value.fix


@pytest.mark.parametrize(
    "text",
    [
        "key sk-abcdefghijkl here",
        "Bearer abc.def",
        "sent my-own-key",
        "Incorrect key provided: sk-proj-ab***cdefgh",
    ],
)
def test_texts_are_scrubbed(text: str) -> None:
    found = scrub(text, "my-own-key")
    assert not any(part in found for part in ("abcdefghijkl", "abc.def", "my-own-key", "cdefgh"))
    assert "***" in found


def test_a_servers_message_is_short_and_one_line() -> None:
    error = from_status(400, "bad\nthing " * 100 + "sk-abcdefghijkl", about="m")
    assert "\n" not in error.message and len(error.message) < 300


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("0", 0), ("99999", 3600), ("-1", None), ("soon", None)])
def test_retry_after(header: str, seconds: float | None) -> None:
    assert from_status(429, "", about="m", headers={"retry-after": header}).retry_after_s == seconds


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("Sun, 01 Mar 2026 12:00:07 GMT", 7),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("Mon, 02 Mar 2026 12:00:00 GMT", 3600),
        ("Sun, 99 Mar 2026 12:00:07 GMT", None),
    ],
)
def test_retry_after_as_a_date(header: str, seconds: float | None) -> None:
    error = from_status(429, "", about="m", headers={"retry-after": header}, now=NOON.timestamp)
    assert error.retry_after_s == seconds


# Addresses, prices, choice


@pytest.mark.parametrize(
    "url",
    ["ftp://x", "x", "http://", "http://u:p@x/v1", "http://u@x", "http://x:99999", "http://x/?k=1", "http://a b"],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(SettingsError, match=r"llm\.url") as caught:
        check_address(url)
    assert "u:p" not in caught.value.message


def test_addresses() -> None:
    assert check_address("http://127.0.0.1:8080/v1/") == "http://127.0.0.1:8080/v1"
    assert on_this_machine("http://[::1]:80/") and on_this_machine("http://localhost/")
    assert not on_this_machine("http://localhost.example/") and not on_this_machine("http://10.0.0.1/")
    assert in_the_clear("http://10.0.0.1/") and not in_the_clear("https://a.example/")
    assert place("https://A.example:8443/v1") == "https://a.example:8443"


def test_prices_are_known_or_not_and_never_nothing() -> None:
    assert price("openai", "gpt-4o-mini-2024-07-18") == price("openai", "gpt-4o-mini") == (0.15, 0.6)
    assert price("openai", "gpt-4o-mini-turbo") is None
    assert cost_of("openai", "unheard-of", free=False)(10, 10) is None
    assert cost_of("openai", "gpt-4o-mini", free=False)(1_000_000, 0) is None  # longer than the price is for
    assert cost_of("openai", "gpt-4o-mini", free=False)(100_000, 1000) == pytest.approx(0.0156)
    assert cost_of("ollama", "any", free=True)(10, 10) == 0.0


def test_the_table_has_a_date_and_sources() -> None:
    assert datetime.fromisoformat(table()["read"])
    assert table()["sources"]
    for provider in ("openai", "anthropic"):
        assert all(0 < cost[0] < cost[1] < 1000 for cost in table()[provider].values())


def test_no_model_is_none(tmp_path: Path) -> None:
    assert choose(llm(), tmp_path) is None
    assert App(load_settings(home=tmp_path)).model is None


def test_a_model_that_is_given_is_the_one(tmp_path: Path) -> None:
    given: LanguageModel = Fixed()
    made = App(load_settings(home=tmp_path), model=given).model
    assert isinstance(made, WatchedModel)
    assert made.model is given


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"provider": "ollama"}, "no model is named"),
        ({"provider": "compatible", "model": "m"}, "no address"),
        ({"provider": "compatible", "model": "m", "url": "nowhere"}, "no http"),
        ({"provider": "openai", "model": "m"}, "no key"),
        ({"provider": "anthropic", "model": "m"}, "no key"),
    ],
)
def test_what_is_missing_is_said(ring: dict[str, str], tmp_path: Path, given: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        choose(llm(**given), tmp_path)
    assert caught.value.fix


@pytest.mark.parametrize(
    ("given", "extra"),
    [
        ({"provider": "ollama", "model": "m"}, "llm"),
        ({"provider": "openai", "model": "m", "api_key": "sk-k"}, "llm"),
        ({"provider": "anthropic", "model": "m", "api_key": "sk-k"}, "llm"),
        ({"provider": "compatible", "model": "m", "url": "http://127.0.0.1:1"}, "llm"),
        ({"provider": "gguf", "model": "m.gguf"}, "gguf"),
    ],
)
def test_a_missing_extra_is_named(
    ring: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], extra: str
) -> None:
    monkeypatch.setattr("tutor.models.llama.find_spec", lambda name: None)
    monkeypatch.setattr("tutor.models.gguf.find_spec", lambda name: None)
    with pytest.raises(MissingExtra) as caught:
        choose(llm(**given), tmp_path)
    assert f"tutor-study[{extra}]" in caught.value.fix


def test_what_runs_here() -> None:
    assert runs_here(llm(provider="gguf", model="a.gguf"))
    assert runs_here(llm(provider="ollama", model="m"))
    assert not runs_here(llm(provider="ollama", model="gpt-oss:120b-cloud"))
    assert not runs_here(llm(provider="ollama", model="m", url="http://10.0.0.1:11434"))
    assert not runs_here(llm(provider="openai", model="m"))


def test_every_error_says_what_to_do() -> None:
    for status in (400, 401, 402, 404, 413, 429, 500):
        error: TutorError = from_status(status, "said", about="m")
        assert error.what and error.about == "m"


def test_a_model_that_cannot_be_made_says_so_when_it_is_asked(tmp_path: Path) -> None:
    model = App(load_settings(home=tmp_path, llm={"provider": "gguf", "model": ""})).model
    assert model is not None and model.name == "gguf/"
    with pytest.raises(ModelRefused, match=r"llm\.model: no model is named\. Run: tutor models"):
        model.stream([Message("user", "Why not Kafka?")], max_tokens=16)
