"""What a page keeps between a form and the page that is shown after it: a result to tell, a file to be confirmed.

In memory, under a key that cannot be guessed, so that an address of ours can never carry somebody else's words.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Waiting(Generic[T]):
    """Values by key; of more than ``most`` the oldest is forgotten, and all when the server ends."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, T] = OrderedDict()
        self._lock = Lock()

    def put(self, value: T) -> str:
        """The key of a value that is kept from now on."""
        key = secrets.token_urlsafe(9)
        with self._lock:
            self._kept[key] = value
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return key

    def get(self, key: str) -> T | None:
        """A value, which stays; None where it is not kept (any more)."""
        with self._lock:
            return self._kept.get(key)

    def drop(self, key: str) -> None:
        """Forget a value."""
        with self._lock:
            self._kept.pop(key, None)
