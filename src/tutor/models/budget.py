"""What may be spent on a question and on a day; whoever would exceed it is told before anything is sent."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from tutor.errors import BudgetSpent
from tutor.models.port import NOTHING, Completion, LanguageModel, Message, PerQuestion, Usage
from tutor.models.reading import prompt_tokens
from tutor.models.retry import Timed
from tutor.models.wrapped import Wrapped

_log = logging.getLogger(__name__)
_LOCK_S = 5.0


class Priced(Timed, Protocol):
    """A model whose price can be asked for, and that can be given less time than it would take."""

    def cost(self, prompt: int, completion: int) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Spent:
    """What a day took: ``requests`` with those that failed and were tried again, and what they took.

    ``unpriced`` ones cost something that is not known and is not in ``usd``.
    """

    day: str
    requests: int = 0
    tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0


class Ledger:
    """What was spent on each day (UTC), one small file a day; several processes may write.

    A request is entered at its most before it is sent and put right when it ends, so that two at once cannot both take
    the last of a budget. What a process that died had entered stays.

    Args:
        folder: where the files are; made when something is first written.
        clock: the time now, with a time zone.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.folder = folder
        self._clock = clock

    def day(self) -> str:
        """Today's date (UTC), as in 2026-01-31."""
        return self._clock().astimezone(UTC).date().isoformat()

    def today(self) -> Spent:
        """What this day has taken so far.

        Raises:
            OSError, ValueError: the file cannot be read.
        """
        day = self.day()
        try:
            row = json.loads((self.folder / f"{day}.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Spent(day)
        try:
            found = Spent(day, int(row["requests"]), int(row["tokens"]), float(row["usd"]), int(row["unpriced"]))
        except (KeyError, TypeError) as error:
            raise ValueError("not what was written") from error
        if not (found.requests >= 0 and found.tokens >= 0 and found.usd >= 0 and found.unpriced >= 0):
            raise ValueError("a number below 0")
        return found

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else writes meanwhile.

        Raises:
            OSError: the lock cannot be had (``TimeoutError``: within five seconds).
        """
        from filelock import FileLock, Timeout

        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.folder / "spent.lock", timeout=_LOCK_S):
                yield
        except Timeout as error:
            raise TimeoutError("another process holds the lock") from error

    def write(self, spent: Spent) -> None:
        """Replace the day's file whole. Call it under ``locked``."""
        path = self.folder / f"{spent.day}.json"
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(spent)), encoding="utf-8")
        os.replace(fresh, path)


class BudgetedModel(Wrapped[Priced]):
    """A model that is asked only while there is something left to spend; what is tried again is asked again.

    Args:
        model: the model.
        ledger: where a day's spending is kept.
        question_tokens: most tokens for one question (``llm.question_tokens``); 0: no limit.
        day_tokens: most tokens a day (``llm.day_tokens``); 0: no limit.
        day_usd: most US dollars a day (``llm.day_usd``), where the price is known; 0: no limit.
    """

    def __init__(
        self, model: Priced, ledger: Ledger, *, question_tokens: int = 0, day_tokens: int = 0, day_usd: float = 0.0
    ) -> None:
        super().__init__(model)
        self.ledger = ledger
        self.question_tokens, self.day_tokens, self.day_usd = question_tokens, day_tokens, day_usd

    def question(self) -> Timed:
        """This model for one question: all that is asked of what is returned counts as one."""
        return _Question(self)

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        within_s: float | None = None,
    ) -> Completion:
        return self.question().stream(
            messages, max_tokens=max_tokens, temperature=temperature, stop=stop, within_s=within_s
        )

    def enter(self, most: Usage) -> Spent | None:
        """Enter a request at its most.

        Returns:
            The day that it was entered for; None where it could not be and nothing depends on it.

        Raises:
            BudgetSpent: there is not so much left today, or it cannot be known.
        """
        try:
            with self.ledger.locked():
                try:
                    before = self.ledger.today()
                except ValueError:
                    if self.day_tokens or self.day_usd:
                        raise
                    before = Spent(self.ledger.day())
                self._check(before, most)
                self.ledger.write(_plus(before, most, requests=1))
                return before
        except (OSError, ValueError) as error:
            if self.day_tokens or self.day_usd:
                raise BudgetSpent(
                    f"what today took cannot be read or written ({error})",
                    about=str(self.ledger.folder),
                    fix="Mend or remove that day's file.",
                ) from error
            _log.warning("what language models take is not noted: %s", error)
            return None

    def _check(self, before: Spent, most: Usage) -> None:
        if self.day_tokens and before.tokens + most.tokens > self.day_tokens:
            raise BudgetSpent(
                f"{before.tokens:,} of today's {self.day_tokens:,} tokens are taken, this would take {most.tokens:,}",
                about=self.name,
                fix="Raise llm.day_tokens, or wait for tomorrow (UTC).",
            )
        if self.day_usd and most.cost_usd is not None and before.usd + most.cost_usd > self.day_usd:
            raise BudgetSpent(
                f"${before.usd:.4f} of today's ${self.day_usd:.2f} are spent, this may cost ${most.cost_usd:.4f}",
                about=self.name,
                fix="Raise llm.day_usd, or wait for tomorrow (UTC).",
            )

    def settle(self, day: Spent | None, most: Usage, taken: Usage) -> None:
        """Put right what ``enter`` wrote, in the day that it wrote to."""
        if day is None:
            return
        try:
            with self.ledger.locked():
                now = self.ledger.today()
                if now.day != day.day:  # midnight has passed; yesterday's file no longer limits anything
                    return
                self.ledger.write(_plus(_plus(now, most, requests=0, sign=-1), taken, requests=0))
        except (OSError, ValueError) as error:
            _log.warning("what a language model took is not noted: %s", error)


def for_question(model: LanguageModel) -> LanguageModel:
    """The model for one question: all that is asked of it counts against ``llm.question_tokens`` together."""
    return model.question() if isinstance(model, PerQuestion) else model


class _Question(Wrapped[BudgetedModel]):
    """A budgeted model with the tokens that one question has taken."""

    def __init__(self, budgeted: BudgetedModel) -> None:
        super().__init__(budgeted)
        self._lock = threading.Lock()
        self._taken = 0

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        within_s: float | None = None,
    ) -> Completion:
        budgeted = self.model
        prompt = prompt_tokens(messages, self.count_tokens)
        most = Usage(prompt, max_tokens, budgeted.model.cost(prompt, max_tokens), estimated=True)
        with self._lock:
            limit = budgeted.question_tokens
            if limit and self._taken + most.tokens > limit:
                raise BudgetSpent(
                    f"a question may take {limit:,} tokens; {self._taken:,} are taken, this would take {most.tokens:,}",
                    about=self.name,
                    fix="Raise llm.question_tokens.",
                )
            day = budgeted.enter(most)
            self._taken += most.tokens
        try:
            reply = budgeted.model.stream(
                messages, max_tokens=max_tokens, temperature=temperature, stop=stop, within_s=within_s
            )
        except BaseException:
            self._settle(day, most, NOTHING)
            raise
        return _Counted(reply, lambda taken: self._settle(day, most, taken))

    def _settle(self, day: Spent | None, most: Usage, taken: Usage) -> None:
        with self._lock:
            self._taken += taken.tokens - most.tokens
        self.model.settle(day, most, taken)


class _Counted:
    """A reply that says once, when it has ended however it ended, what it took."""

    def __init__(self, reply: Completion, settle: Callable[[Usage], None]) -> None:
        self._reply, self._settle = reply, settle
        self._lock = threading.Lock()
        self._told = False

    def __iter__(self) -> Iterator[str]:
        try:
            yield from self._reply
        finally:
            self._tell()

    def _tell(self) -> None:
        with self._lock:
            first, self._told = not self._told, True
        if first:
            self._settle(self._reply.usage)

    @property
    def usage(self) -> Usage:
        return self._reply.usage

    def close(self) -> None:
        self._reply.close()
        self._tell()


def _plus(spent: Spent, usage: Usage, *, requests: int, sign: int = 1) -> Spent:
    return replace(
        spent,
        requests=spent.requests + requests,
        tokens=max(0, spent.tokens + sign * usage.tokens),
        usd=max(0.0, round(spent.usd + sign * (usage.cost_usd or 0.0), 8)),
        unpriced=max(0, spent.unpriced + (sign if usage.cost_usd is None else 0)),
    )
