"""From settings to a model: which adapter, where, with which key, and what is wrapped around it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Protocol

from tutor.errors import MissingExtra, SettingsError
from tutor.models.address import check_address, in_the_clear, on_this_machine
from tutor.models.budget import BudgetedModel, Ledger
from tutor.models.keys import find_key
from tutor.models.port import LanguageModel
from tutor.models.prices import cost_of
from tutor.models.reading import Backend, TimedModel
from tutor.models.retry import RetryingModel
from tutor.models.unusable import UnusableModel
from tutor.settings import LlmSettings

_log = logging.getLogger(__name__)
#: What is assumed of a context where nothing is set: what the smallest current models of a provider take.
CONTEXT = {"ollama": 8192, "compatible": 8192, "openai": 128_000, "anthropic": 200_000}
LEDGER = "llm"  # the folder below home
#: How long the first piece of a reply may take where nothing is set and the model is on another machine. Here a long
#: prompt alone can take a slow processor longer, and a server that hangs costs nothing but the time.
FIRST_TOKEN_S = 20.0


def choose(llm: LlmSettings, home: Path) -> LanguageModel | None:
    """The model that the settings name, with deadlines, retries and budget; None where they name none.

    Nothing is imported, loaded or asked before the first question.

    Raises:
        SettingsError: no model is named, the address is none, or there is no key where one is needed.
        MissingExtra: the extra that it needs is not installed.
    """
    if llm.provider == "none":
        return None
    here = runs_here(llm)
    timed = TimedModel(
        backend(llm),
        first_token_s=llm.first_token_s or (llm.timeout_s if here else FIRST_TOKEN_S),
        timeout_s=llm.timeout_s,
        cost=cost_of(llm.provider, llm.model, free=here),
    )
    budgeted = BudgetedModel(
        timed,
        Ledger(home.expanduser() / LEDGER),
        question_tokens=llm.question_tokens,
        day_tokens=llm.day_tokens,
        day_usd=llm.day_usd,
    )
    # Around the budget: each attempt is a request of its own there.
    return RetryingModel(budgeted, retries=llm.retries, timeout_s=llm.timeout_s, late_again=not here)


def in_force(llm: LlmSettings, home: Path) -> LanguageModel | None:
    """As ``choose``, but a model that cannot be made says so when it is asked: what needs none of it goes on."""
    try:
        return choose(llm, home)
    except (SettingsError, MissingExtra) as error:
        return UnusableModel(f"{llm.provider}/{llm.model}", error)


def backend(llm: LlmSettings) -> Backend:
    """The adapter.

    Raises:
        SettingsError, MissingExtra: as ``choose``.
    """
    if not llm.model:
        raise SettingsError("no model is named", about="llm.model", fix="Run: tutor models")
    if llm.provider == "gguf":
        from tutor.models.gguf import GgufBackend

        return GgufBackend(Path(llm.model), context_tokens=llm.context_tokens)
    url = address(llm)
    key = find_key(llm)
    if not key.value and not llm.url and llm.provider in ("openai", "anthropic"):
        raise SettingsError(
            f"there is no key for {llm.provider}",
            about="llm",
            fix=f"Run 'tutor models key', or set TUTOR_LLM_API_KEY or {llm.provider.upper()}_API_KEY.",
        )
    if key.value and in_the_clear(url):
        _log.warning("the key of the language model goes to %s unencrypted (http); use https", url)
    return _served(llm.provider)(
        llm.model,
        url=url,
        key=key.value,
        context_tokens=llm.context_tokens or CONTEXT[llm.provider],
        timeout_s=llm.timeout_s,
    )


class _Served(Protocol):
    """What the adapters of servers have in common: how they are made."""

    def __call__(self, model: str, *, url: str, key: str, context_tokens: int, timeout_s: float) -> Backend: ...


def _served(provider: str) -> _Served:
    if provider == "ollama":
        from tutor.models.ollama import OllamaBackend

        return OllamaBackend
    if provider == "openai":
        from tutor.models.openai import OpenAIBackend

        return OpenAIBackend
    if provider == "anthropic":
        from tutor.models.anthropic import AnthropicBackend

        return AnthropicBackend
    from tutor.models.compatible import CompatibleBackend

    return CompatibleBackend


def address(llm: LlmSettings) -> str:
    """Where the model's server is; "" for a file.

    Raises:
        SettingsError: none is set where one is needed, or it is none.
    """
    if llm.provider in ("none", "gguf"):
        return ""
    if llm.url:
        return check_address(llm.url)
    if llm.provider == "compatible":
        raise SettingsError(
            "no address is set",
            about="llm.url",
            fix="As in: tutor models use compatible NAME --url http://127.0.0.1:8080/v1",
        )
    return {
        "ollama": "http://127.0.0.1:11434",
        "openai": "https://api.openai.com/v1",
        "anthropic": "https://api.anthropic.com",
    }[llm.provider]


def runs_here(llm: LlmSettings) -> bool:
    """Whether the model runs on this machine, so that it costs nothing and nothing leaves."""
    if llm.provider == "gguf":
        return True
    # Ollama and others pass models on whose names say so to their makers' servers.
    return llm.provider in ("ollama", "compatible") and on_this_machine(address(llm)) and "cloud" not in llm.model
