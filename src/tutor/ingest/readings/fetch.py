"""One page: redirects, each checked anew; robots; pace; conditional requests; tries again where it makes sense."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

from tutor.errors import Offline, ReadingFailed, ReadingRefused
from tutor.ingest.readings.content import ENCODINGS, charset_of, kind_of, unpack
from tutor.ingest.readings.guard import Guard, Target
from tutor.ingest.readings.pace import Pace
from tutor.ingest.readings.robots import MAX_BYTES, Answer, Robots
from tutor.ingest.readings.transport import Limits, Response, Transport

MAX_REDIRECTS = 5
TRIES = 3
_MOVED = frozenset({301, 302, 303, 307, 308})
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_ACCEPT = "text/html,application/xhtml+xml,application/pdf;q=0.9,text/plain;q=0.8,text/markdown;q=0.8"


@dataclass(frozen=True, slots=True)
class Validators:
    """What the last answer of ``url`` said to ask with the next time."""

    url: str = ""
    etag: str = ""
    modified: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What came back. ``status`` is 200, 304 (as it was) or another that ends the matter; ``url`` is the last asked.

    ``kind`` is html, pdf or text; ``charset`` what the header named, if anything.
    """

    url: str
    status: int
    data: bytes = b""
    kind: str = ""
    charset: str | None = None
    validators: Validators = Validators()


class Fetcher:
    """Fetches pages, one after another.

    Args:
        transport: sends single requests.
        guard: says which addresses may be asked at all.
        pace: says when.
        agent: the User-Agent.
        limits: of each request.
    """

    def __init__(
        self, transport: Transport, guard: Guard, pace: Pace, *, agent: str, limits: Limits | None = None
    ) -> None:
        self._transport = transport
        self._guard = guard
        self._pace = pace
        self._agent = agent
        self._limits = limits or Limits()
        self._robots = Robots(self._ask_robots)

    def get(self, url: str, known: Validators | None = None) -> Page:
        """The page at an address, wherever it has moved to.

        Args:
            known: what the last answer said; a page that is as it was comes back with status 304 and no data.

        Raises:
            ReadingRefused: an address on the way, robots.txt, the type or the size does not allow it.
            ReadingFailed: the site does not answer as it should; ``retry_s`` says for how long to leave it alone.
        """
        known = known or Validators()

        def send(target: Target) -> Response:
            self._pace.slower(target.host, self._robots.check(target))
            headers = self._headers(_ACCEPT)
            if target.url == known.url:
                headers |= {"If-None-Match": known.etag} if known.etag else {}
                headers |= {"If-Modified-Since": known.modified} if known.modified else {}
            return self._patiently(target, headers)

        target, answer = self._follow(url, send)
        if answer.status != 200:
            if answer.status == 304 and target.url != known.url:
                raise ReadingFailed("says that nothing changed, and was never asked that", about=target.url)
            return Page(target.url, answer.status, validators=known)
        data = unpack(answer.body, answer.headers, self._limits.unpacked, about=target.url, left_s=answer.left_s)
        kind = kind_of(data, answer.headers, about=target.url)
        validators = Validators(target.url, _line(answer.headers, "etag"), _line(answer.headers, "last-modified"))
        return Page(target.url, 200, data, kind, charset_of(answer.headers), validators)

    def _follow(self, url: str, send: Callable[[Target], Response]) -> tuple[Target, Response]:
        seen: list[str] = []
        while True:
            target = self._guard.check(url)
            if target.url in seen:
                raise ReadingRefused("its redirects lead round in a circle", about=url)
            if len(seen) > MAX_REDIRECTS:
                raise ReadingRefused(f"redirects more than {MAX_REDIRECTS} times", about=seen[0])
            seen.append(target.url)
            answer = send(target)
            place = answer.headers.get("location", "")
            if answer.status not in _MOVED or not place:
                return target, answer
            try:
                url = urljoin(target.url, place)
            except ValueError as error:
                raise ReadingRefused("redirects to what is no address", about=target.url) from error

    def _patiently(self, target: Target, headers: Mapping[str, str], cut_after: int | None = None) -> Response:
        """One request, tried again where the trouble may pass."""
        for attempt in range(1, TRIES + 1):
            self._pace.turn(target.host)
            asked: float | None = None
            try:
                answer = self._transport.get(target, headers, self._limits, cut_after=cut_after)
            except Offline:
                raise
            except ReadingFailed:
                if attempt == TRIES or not self._pace.again(target.host, attempt, None):
                    raise
                continue
            if answer.status not in _AGAIN:
                return answer
            asked = self._pace.retry_after(answer.headers)
            if attempt == TRIES or not self._pace.again(target.host, attempt, asked):
                break
        raise ReadingFailed(f"answers with status {answer.status}", about=target.url, retry_s=asked)

    def _ask_robots(self, url: str) -> Answer:
        """What a site answers for its robots.txt, unpacked.

        Raises:
            ReadingFailed: there is one and it cannot be read: it is packed in a way that is not known, or has moved to
                where nothing is asked. What it says may be "no", so that is no leave.
            ReadingRefused: the site itself may not be asked.
        """
        headers = self._headers("text/plain")
        answered = False

        def send(target: Target) -> Response:
            nonlocal answered
            answer = self._patiently(target, headers, cut_after=MAX_BYTES)
            answered = True
            return answer

        try:
            target, answer = self._follow(url, send)
            if answer.status != 200:
                return Answer(answer.status)
            body, about, cut = answer.body, target.url, answer.cut
            data = unpack(body, answer.headers, MAX_BYTES, about=about, whole=False, cut=cut, left_s=answer.left_s)
        except ReadingRefused as error:
            if answered:
                raise ReadingFailed(error.what, about=error.about) from error
            raise
        return Answer(200, data[:MAX_BYTES], cut or len(data) >= MAX_BYTES)

    def _headers(self, accept: str) -> dict[str, str]:
        return {"User-Agent": self._agent, "Accept": accept, "Accept-Encoding": ENCODINGS}


def _line(headers: Mapping[str, str], name: str) -> str:
    """A header that may be sent back: printable ASCII, and not a page long."""
    value = headers.get(name, "").strip()
    return value if value.isascii() and value.isprintable() and len(value) <= 500 else ""
