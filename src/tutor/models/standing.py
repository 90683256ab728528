"""Where one stands with the language model: which is in force, what it costs, what today has taken. It is not asked."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from tutor.errors import TutorError
from tutor.models.budget import Ledger
from tutor.models.choose import LEDGER, address, runs_here
from tutor.models.keys import find_key
from tutor.models.prices import price, table
from tutor.settings import Settings


def name_of(provider: str, model: str) -> str:
    """As the model calls itself: of a file its name alone."""
    return provider if provider == "none" else f"{provider}/{Path(model).name if provider == 'gguf' else model}"


def standing(settings: Settings, fault: str = "") -> dict[str, Any]:
    """The model in force as an object: address, key's source, price, limits, what today has taken.

    Args:
        settings: in force.
        fault: why it cannot be made, where that is known.
    """
    llm = settings.llm
    told: dict[str, Any] = {"model": name_of(llm.provider, llm.model), "fault": fault}
    if llm.provider == "none":
        return told
    try:
        told["address"], told["key"] = address(llm), find_key(llm).source
        told["here"] = runs_here(llm)
    except TutorError as error:
        return told | {"fault": fault or error.message}
    found = price(llm.provider, llm.model)
    told["usd_per_million"] = [0.0, 0.0] if told["here"] else list(found) if found else None
    told["prices_read"] = table()["read"]
    told["limits"] = {
        "question_tokens": llm.question_tokens,
        "day_tokens": llm.day_tokens,
        "day_usd": llm.day_usd,
    }
    told["today"] = _today(settings.home.expanduser() / LEDGER)
    return told


def kept(told: dict[str, Any]) -> str:
    """A sentence: where questions go, and what that costs."""
    if told["here"]:
        return f"Runs on this machine; nothing leaves it. Key: {told['key']}."
    cost = told["usd_per_million"]
    price_ = f"${cost[0]:g} and ${cost[1]:g} per million tokens" if cost else "of unknown price"
    dated = f" (as of {told['prices_read']})" if cost else ""
    return f"Questions and passages are sent there; {price_}{dated}. Key: {told['key']}."


def taken(told: dict[str, Any]) -> str:
    """A sentence: what today has taken, and what is allowed."""
    limits, today = told["limits"], told["today"]
    day = [f"{limits['day_tokens']:,} tokens" if limits["day_tokens"] else ""]
    day.append(f"${limits['day_usd']:g}" if limits["day_usd"] else "")
    allowed = " and ".join(filter(None, day)) or "no limit"
    if today is None:
        return f"Today: cannot be read. Allowed a day: {allowed}."
    unknown = f" and {today['unpriced']} of unknown cost" if today["unpriced"] else ""
    requests = f"{today['requests']} request{'' if today['requests'] == 1 else 's'}"
    so_far = f"{requests}, {today['tokens']:,} tokens, ${today['usd']:.4f}{unknown}"
    question = f"{limits['question_tokens']:,} tokens" if limits["question_tokens"] else "no limit"
    return f"Today: {so_far}. Allowed a day: {allowed}; a question: {question}."


def _today(folder: Path) -> dict[str, Any] | None:
    try:
        return asdict(Ledger(folder).today())
    except (OSError, ValueError):
        return None
