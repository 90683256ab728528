"""How fast one host is asked: a pause between requests, more where it asks for it, and waits before another try."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from tutor.errors import ReadingFailed

MAX_CRAWL_DELAY_S = 60.0  # what is honoured of a site's own crawl-delay
MAX_WAIT_S = 30.0  # a longer wait is left to the next run


@dataclass(slots=True)
class Pace:
    """``delay_s`` between two requests to a host; ``clock`` in seconds that only grow, ``today`` in Unix seconds."""

    delay_s: float = 2.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    today: Callable[[], float] = time.time
    chance: Callable[[], float] = random.random
    _last: dict[str, float] = field(default_factory=dict)
    _own: dict[str, float] = field(default_factory=dict)
    _until: dict[str, float] = field(default_factory=dict)

    def slower(self, host: str, delay_s: float | None) -> None:
        """From now on ask this host no faster than its crawl-delay."""
        if delay_s is not None and delay_s > 0:
            self._own[host] = min(delay_s, MAX_CRAWL_DELAY_S)

    def turn(self, host: str) -> None:
        """Wait until this host may be asked again.

        Raises:
            ReadingFailed: it asked for a longer wait than a run makes.
        """
        if (left := self._until.get(host, 0.0) - self.clock()) > 0:
            raise ReadingFailed("the site asked to be left alone for a while", about=host, retry_s=left)
        if host in self._last:
            wait = self._last[host] + max(self.delay_s, self._own.get(host, 0.0)) - self.clock()
            if wait > 0:
                self.sleep(wait)
        self._last[host] = self.clock()

    def rest(self, host: str, seconds: float) -> None:
        """Do not ask this host again for so long."""
        self._until[host] = self.clock() + seconds

    def again(self, host: str, attempt: int, asked_s: float | None) -> bool:
        """Wait before the next try, 1, 2, 4 … seconds with jitter or what the site asked for; False: not in this run.

        Args:
            attempt: how many tries were made.
            asked_s: the site's Retry-After.
        """
        if asked_s is not None and asked_s > MAX_WAIT_S:
            self.rest(host, asked_s)
            return False
        backoff: float = 2.0 ** (attempt - 1)
        self.sleep(max(asked_s or 0.0, backoff * (0.5 + self.chance() / 2)))
        return True

    def retry_after(self, headers: Mapping[str, str]) -> float | None:
        """The seconds of a Retry-After header, which has seconds or a date; at most a week, None without one."""
        value = headers.get("retry-after", "").strip()
        if value.isascii() and value.isdigit():
            return min(float(value[:12]), 7 * 86_400.0)
        try:
            moment = parsedate_to_datetime(value)
            return min(max(0.0, moment.timestamp() - self.today()), 7 * 86_400.0)
        except (ValueError, TypeError, OverflowError):
            return None
