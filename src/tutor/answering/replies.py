"""Replies of a model that stood up before, to be read again instead of paid for again.

What is kept is the model's own text. It is checked against the passages each time as if it had just been written, so
nothing is trusted for having been kept.
"""

from __future__ import annotations

from collections.abc import Callable

from tutor.answering.cache import AnswerCache, Scope
from tutor.retrieval.search import Filters


class KeptReplies:
    """Replies by question, in a scope of all else that they depend on; the cache is opened when it is first needed."""

    def __init__(self, cache: Callable[[], AnswerCache], scope: Callable[[Filters | None], Scope]) -> None:
        self._cache = cache
        self._scope = scope

    def get(self, question: str, filters: Filters | None) -> str | None:
        """The reply to a question, or to one that provably asks the same."""
        found = self._cache().get(question, self._scope(filters))
        reply = found.payload.get("reply") if found else None
        return reply if isinstance(reply, str) and reply else None

    def put(self, question: str, filters: Filters | None, reply: str) -> None:
        """Keep a reply that stood up."""
        self._cache().put(question, self._scope(filters), {"reply": reply})
