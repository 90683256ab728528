"""What went wrong on the way to a model's server, as our errors; keys are taken out of every text."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

from tutor.errors import ContextOverflow, GenerationError, ModelRefused, ModelUnreachable

_KEY_LIKE = re.compile(r"\b(?:sk|pk|key|xai|gsk|hf)[-_][A-Za-z0-9*_\-]{8,}|(?i:bearer)\s+\S+")
#: How servers say that a prompt is too long (OpenAI, Anthropic, llama.cpp, vLLM, LM Studio, Ollama).
_TOO_LONG = re.compile(
    r"context[ _-]?(?:length|window|size|overflow)|exceed_context_size|maximum context|prompt is too long"
    r"|too many (?:input )?tokens|input is too long",
    re.I,
)
_SPENT = re.compile(r"insufficient[_ ]quota|credit balance|billing", re.I)
_MAX_SAID = 200  # characters of a server's message that are shown
_MAX_WAIT_S = 3600.0


def scrub(text: str, key: str = "") -> str:
    """The text without the key and whatever looks like one."""
    if len(key) >= 4:
        text = text.replace(key, "***")
    return _KEY_LIKE.sub("***", text)


def said(text: str, key: str = "") -> str:
    """A server's message on one line, scrubbed and cut."""
    line = " ".join(scrub(text, key).split())
    return line if len(line) <= _MAX_SAID else f"{line[:_MAX_SAID]}…"


def from_status(
    status: int,
    message: str,
    *,
    about: str,
    key: str = "",
    headers: Mapping[str, str] | None = None,
    now: Callable[[], float] = time.time,
) -> GenerationError:
    """The error for an HTTP status.

    Args:
        status: 400 to 599.
        message: what the server said.
        about: the model's name.
        key: the key that was sent, to take out of the message.
        headers: of the response, in lower case, for Retry-After in seconds or as a date.
        now: seconds since 1970, to read such a date by.
    """
    told = said(message, key)
    detail = f"{status}: {told}" if told else str(status)
    if status == 413 or (status < 500 and _TOO_LONG.search(message)):
        return ContextOverflow(f"the prompt does not fit ({detail})", about=about, fix="Ask for less.")
    if status in (401, 403):
        return ModelRefused(
            f"the key was not accepted ({detail})", about=about, fix="Run: tutor models key, or set TUTOR_LLM_API_KEY."
        )
    if status == 402 or (status in (400, 429) and _SPENT.search(message)):
        return ModelRefused(f"the provider's account is spent ({detail})", about=about)
    if status == 404:
        return ModelRefused(
            f"the server does not know the model or the path ({detail})",
            about=about,
            fix="Run: tutor models, and check llm.model and llm.url.",
        )
    if status in (408, 409, 425, 429) or status >= 500:
        busy = "is busy" if status in (429, 503, 529) else "failed"
        error = ModelUnreachable(f"the server {busy} ({detail})", about=about, fix="Ask again in a while.")
        error.retry_after_s = _retry_after(headers or {}, now)
        return error
    return ModelRefused(f"the request was not accepted ({detail})", about=about)


def unreachable(what: str, *, about: str, url: str = "", key: str = "") -> ModelUnreachable:
    """The error for a connection that is not made or breaks off."""
    fix = f"Check that a server answers at {url}." if url else "Ask again."
    return ModelUnreachable(said(what, key), about=about, fix=fix)


def garbled(kind: str, *, about: str) -> ModelUnreachable:
    """The error for a reply that is not what was agreed on."""
    return ModelUnreachable(
        f"the server's reply cannot be read ({kind})",
        about=about,
        fix="Check llm.url: is it that provider's interface?",
    )


def _retry_after(headers: Mapping[str, str], now: Callable[[], float]) -> float | None:
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = max(0.0, parsedate_to_datetime(value).timestamp() - now())
        except (ValueError, TypeError, OverflowError):  # none, or nothing that we know
            return None
    return min(seconds, _MAX_WAIT_S) if seconds >= 0 else None
