"""Forms of the pages: they work without scripts, and a form that is sent twice is carried out once.

Requests of other sites never arrive here: browsers name the origin of a POST, and
``security.Guard`` refuses foreign ones. The pages use no cookie, so there is nothing that another site could borrow.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from anyio.to_thread import run_sync
from fastapi import Request
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from tutor.errors import UsageError
from tutor.text import mended

MAX_FIELDS = 400
_REMEMBERED = 2_000


class Form:
    """What a form sent. A field that is missing reads as if it were empty."""

    def __init__(self, data: FormData) -> None:
        self._data = data

    def text(self, name: str, default: str = "") -> str:
        """A field's last value, line ends as ``\\n``, without what cannot be stored."""
        found = self.texts(name)
        return found[-1] if found else default

    def texts(self, name: str) -> list[str]:
        """Every value of a field, in the form's order."""
        values = (value for value in self._data.getlist(name) if isinstance(value, str))
        return [mended(value).replace("\r\n", "\n") for value in values]

    def whole(self, name: str, default: int | None = None) -> int | None:
        """A field as a whole number; ``default`` where it is empty.

        Raises:
            UsageError: it is something else.
        """
        text = self.text(name).strip()
        if not text:
            return default
        try:
            return int(text)
        except ValueError as error:
            raise UsageError(f"{name} is no whole number", about=text[:80], fix="Write digits only.") from error

    def on(self, name: str) -> bool:
        """Whether a box is ticked."""
        return bool(self.text(name))

    async def file(self, name: str) -> bytes:
        """A file that was sent, once; empty where there is none."""
        value = self._data.get(name)
        if not isinstance(value, UploadFile):
            return b""
        try:
            return await value.read()
        finally:
            await value.close()  # a large one lies in a temporary file


async def read_form(request: Request) -> Form:
    """The form of a request, URL-encoded or multipart.

    Raises:
        UsageError: it cannot be read, or has more than 400 fields.
    """
    try:
        return Form(await request.form(max_files=1, max_fields=MAX_FIELDS))
    except HTTPException as error:
        if error.status_code == 413:
            raise
        raise UsageError(
            "the form cannot be read", about=str(error.detail), fix="Send it from its own page."
        ) from error


class Once:
    """What became of the forms that were sent, by the token each carries: a replay is shown the same result.

    It forgets the oldest of more than 2,000, and all when the server ends.
    """

    def __init__(self) -> None:
        self._done: OrderedDict[str, str] = OrderedDict()
        self._under_way: dict[str, list[Lock]] = {}  # a lock for everybody who has sent that token and is not done
        self._lock = Lock()

    @staticmethod
    def token() -> str:
        """A new form's token."""
        return secrets.token_urlsafe(12)

    def carry_out(self, token: str, work: Callable[[], str]) -> str:
        """The path to show after ``work``, which is called unless the token was used.

        A second sending waits for the first, and is carried out only where that one failed; other forms wait for none.
        """
        if not token:
            return work()
        with self._turn(token):
            with self._lock:
                if token in self._done:
                    return self._done[token]
            path = work()
            with self._lock:
                self._done[token] = path
                while len(self._done) > _REMEMBERED:
                    self._done.popitem(last=False)
            return path

    @contextmanager
    def _turn(self, token: str) -> Iterator[None]:
        """One at a time for each token."""
        with self._lock:
            waiting = self._under_way.setdefault(token, [])
            lock = waiting[0] if waiting else Lock()
            waiting.append(lock)
        try:
            with lock:
                yield
        finally:
            with self._lock:
                waiting.pop()
                if not waiting:
                    del self._under_way[token]


async def submit(request: Request, form: Form, work: Callable[[], str]) -> RedirectResponse:
    """Carry a form out in a worker thread, once for its field ``once``, and go to the path that ``work`` returns.

    The answer is 303, so that a reload or the way back sends nothing again.

    Raises:
        What ``work`` raises.
    """
    once: Once = request.app.state.once
    path = await run_sync(once.carry_out, form.text("once"), work)
    return RedirectResponse(path, status_code=303)
