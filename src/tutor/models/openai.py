"""OpenAI's own models.

Through ``OpenAILike`` like every other server of that interface: LlamaIndex's ``OpenAI`` refuses each model that is
newer than itself (it looks its context up in a table).
"""

from __future__ import annotations

from typing import Any

from tutor.models.compatible import CompatibleBackend
from tutor.models.llama import load
from tutor.models.reading import Asked


class OpenAIBackend(CompatibleBackend):
    """A model of OpenAI."""

    provider = "openai"
    longest = "max_completion_tokens"  # "max_tokens" is refused by models that reason

    def _told(self, asked: Asked) -> dict[str, Any]:
        told = super()._told(asked)
        if self._model in load("llama_index.llms.openai.utils").O1_MODELS:
            told.pop("stop", None)  # models that reason refuse it, and any temperature but 1
            told["temperature"] = 1.0
        return told
