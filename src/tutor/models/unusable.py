"""A model that the settings name and that cannot be asked: it says why, each time, and the quoted answer stands."""

from __future__ import annotations

from collections.abc import Sequence

from tutor.errors import ModelRefused, TutorError
from tutor.models.port import Completion, Message


class UnusableModel:
    """Stands in for the model ``name``; ``error`` is what is wrong with its settings or its installation."""

    context_tokens = 8192

    def __init__(self, name: str, error: TutorError) -> None:
        self.name = name
        self._error = error

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float = 0.0, stop: Sequence[str] = ()
    ) -> Completion:
        """Nothing.

        Raises:
            ModelRefused: always.
        """
        raise ModelRefused(self._error.what, about=self._error.about, fix=self._error.fix) from self._error

    def count_tokens(self, text: str) -> int:
        """About four bytes a token."""
        return len(text.encode("utf-8", "surrogatepass")) // 4 + 1
