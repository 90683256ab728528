"""What a site's robots.txt allows (RFC 9309)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tutor.errors import MissingExtra, Offline, ReadingDisallowed, ReadingFailed
from tutor.ingest.readings.guard import Target

if TYPE_CHECKING:
    from protego import Protego

MAX_BYTES = 512 * 2**10  # RFC 9309, 2.5: a parser reads at least 500 KiB; what is longer is cut
PRODUCT = "tutor-study"  # the token that a robots.txt names us by


@dataclass(frozen=True, slots=True)
class Answer:
    """What asking for a robots.txt gave: its HTTP ``status``, and its ``data`` where that is 200.

    ``cut``: there is more of it than was taken.
    """

    status: int
    data: bytes = b""
    cut: bool = False


class Robots:
    """The rules of each origin, asked for once a run (RFC 9309, 2.4: at most a day).

    Args:
        ask: fetches and unpacks the robots.txt of an origin, following its redirects; raises ReadingFailed where that
            is not to be had, and ReadingRefused where the origin itself may not be asked.
    """

    def __init__(self, ask: Callable[[str], Answer]) -> None:
        self._ask = ask
        self._known: dict[str, Protego | ReadingFailed | None] = {}

    def check(self, target: Target) -> float | None:
        """The crawl-delay in seconds that applies, or None.

        Raises:
            ReadingDisallowed: the site's rules leave this address out.
            ReadingFailed: they cannot be read now, and then nothing may be asked (RFC 9309, 2.3.1.4).
            ReadingRefused: the site may not be asked for anything.
            Offline: there is no way to the site.
        """
        if target.origin not in self._known:
            self._known[target.origin] = self._rules(target.origin)
        rules = self._known[target.origin]
        if rules is None:
            return None
        if isinstance(rules, ReadingFailed):
            what = f"its robots.txt cannot be read now ({rules.what}), so nothing is asked"
            raise ReadingFailed(what, about=target.url, retry_s=rules.retry_s) from rules
        if not rules.can_fetch(target.url, PRODUCT):
            raise ReadingDisallowed("its robots.txt does not allow it", about=target.url)
        return rules.crawl_delay(PRODUCT)

    def _rules(self, origin: str) -> Protego | ReadingFailed | None:
        """The rules, why they cannot be read, or None where the site says that there are none."""
        try:
            answer = self._ask(f"{origin}/robots.txt")
            if answer.status == 200:
                return _parse(_decoded(answer))
        except Offline:
            raise
        except ReadingFailed as error:
            return error
        # 429 is no "there is none", it is "not now".
        if 400 <= answer.status < 500 and answer.status != 429:
            return None
        return ReadingFailed(f"answers with status {answer.status}")


def _decoded(answer: Answer) -> str:
    """
    Raises:
        ReadingFailed: it is no text in UTF-8 (RFC 9309, 2.2), or one of its superset's where only ASCII matters.
    """
    data = answer.data
    if data.startswith(b"%PDF-") or b"\x00" in data:  # NUL: UTF-16 and 32 as well, whose rules would be missed
        raise ReadingFailed("is no plain text")
    if answer.cut:  # within a line: half of "Allow: /public" allows more than the whole
        data = data[: data.rfind(b"\n") + 1]
    # Single bytes of another character set are what a path has of them in an address: "caf\xe9" is /caf%E9.
    text = data.decode("utf-8-sig", "surrogateescape")
    return "".join(f"%{ord(c) - 0xDC00:02X}" if 0xDC80 <= ord(c) <= 0xDCFF else c for c in text)


def _parse(text: str) -> Protego:
    try:
        from protego import Protego
    except ImportError as error:
        raise MissingExtra("the linked readings", extra="readings", module="protego") from error
    return Protego.parse(text)
