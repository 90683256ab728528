"""A model while one question is answered: one account for all that is asked of it, and one way to stop it all."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from tutor.errors import Cancelled
from tutor.models.budget import for_question
from tutor.models.port import Completion, LanguageModel, Message, Usage, total


class Asking:
    """``model`` for one question: reading it and writing its answer count together against ``llm.question_tokens``.

    ``close`` ends every reply under way, from any thread, and lets none begin.
    """

    def __init__(self, model: LanguageModel) -> None:
        self._model = for_question(model)
        self._lock = threading.Lock()
        self._replies: list[Completion] = []
        self._closed = False

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def context_tokens(self) -> int:
        return self._model.context_tokens

    def count_tokens(self, text: str) -> int:
        return self._model.count_tokens(text)

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float = 0.0, stop: Sequence[str] = ()
    ) -> Completion:
        """As ``LanguageModel.stream``.

        Raises:
            Cancelled: the question was closed.
        """
        if self._closed:
            raise Cancelled("nobody waits for the answer any more", about=self.name)
        reply = self._model.stream(messages, max_tokens=max_tokens, temperature=temperature, stop=stop)
        with self._lock:
            self._replies.append(reply)
            late = self._closed
        if late:
            reply.close()
        return reply

    @property
    def usage(self) -> Usage:
        """What the question took so far; the cost is None where that of any reply is not known."""
        with self._lock:
            replies = list(self._replies)
        return total(reply.usage for reply in replies)

    def close(self) -> None:
        """Stop; may be called again."""
        with self._lock:
            self._closed = True
            replies = list(self._replies)
        for reply in replies:
            reply.close()
