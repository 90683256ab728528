"""What a site's robots.txt allows (RFC 9309)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tutor.errors import MissingExtra, Offline, ReadingDisallowed, ReadingFailed, ReadingRefused
from tutor.ingest.readings.guard import Target

if TYPE_CHECKING:
    from protego import Protego

MAX_BYTES = 512 * 2**10  # RFC 9309, 2.5: a parser reads at least 500 KiB; what is longer is cut
PRODUCT = "tutor-study"  # the token that a robots.txt names us by


@dataclass(frozen=True, slots=True)
class Answer:
    """What asking for a robots.txt gave: its ``text`` and HTTP ``status``; 0 where the site did not answer."""

    status: int
    text: str = ""


class Robots:
    """The rules of each origin, asked for once a run (RFC 9309, 2.4: at most a day).

    Args:
        ask: fetches the robots.txt of an origin, following its redirects.
    """

    def __init__(self, ask: Callable[[str], Answer]) -> None:
        self._ask = ask
        self._known: dict[str, Protego | bool] = {}

    def check(self, target: Target) -> float | None:
        """The crawl-delay in seconds that applies, or None.

        Raises:
            ReadingDisallowed: the site's rules leave this address out.
            ReadingFailed: they cannot be read now, and then nothing may be asked (RFC 9309, 2.3.1.4).
            Offline: there is no way to the site.
        """
        if target.origin not in self._known:
            self._known[target.origin] = self._rules(target.origin)
        rules = self._known[target.origin]
        if rules is True:
            return None
        if rules is False:
            raise ReadingFailed("its robots.txt cannot be read now, so nothing is asked", about=target.url)
        if not rules.can_fetch(target.url, PRODUCT):
            raise ReadingDisallowed("its robots.txt does not allow it", about=target.url)
        return rules.crawl_delay(PRODUCT)

    def _rules(self, origin: str) -> Protego | bool:
        """Rules, or whether everything is allowed."""
        try:
            answer = self._ask(f"{origin}/robots.txt")
        except Offline:
            raise
        except ReadingFailed:
            return False
        except ReadingRefused:
            return True  # it leads to no robots.txt that can be asked for: unavailable (RFC 9309, 2.3.1.3)
        if answer.status == 200:
            return _parse(answer.text)
        # 429 is no "there is none", it is "not now".
        return 400 <= answer.status < 500 and answer.status != 429


def _parse(text: str) -> Protego:
    try:
        from protego import Protego
    except ImportError as error:
        raise MissingExtra("the linked readings", extra="readings", module="protego") from error
    return Protego.parse(text)
