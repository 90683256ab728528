"""What a model that stands before another passes on as it is."""

from __future__ import annotations

from typing import Generic, TypeVar

from tutor.models.port import LanguageModel

M = TypeVar("M", bound=LanguageModel)


class Wrapped(Generic[M]):
    """The name, the context and the counting of ``model``; a subclass brings its own ``stream``."""

    def __init__(self, model: M) -> None:
        self.model = model

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def context_tokens(self) -> int:
        return self.model.context_tokens

    def count_tokens(self, text: str) -> int:
        return self.model.count_tokens(text)
