"""``tutor models``: which language models there are, which one is in force, and whether it answers."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tutor.cli.state import State, echo_wrapped, emit
from tutor.errors import TutorError, UsageError

if TYPE_CHECKING:
    from tutor.models.found import Found
    from tutor.models.health import Health
    from tutor.settings import Settings

app = typer.Typer(help="Language models: what is found, what is in force, whether it answers.", rich_markup_mode=None)
_SHOWN = 12  # models of one server


@app.callback(invoke_without_command=True)
def models(
    context: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Ask the model in force for a few words.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """List what answers on this machine, and what is in force; exit 1 when --check fails."""
    if context.invoked_subcommand is not None:
        if check or as_json:
            raise UsageError("--check and --json are for 'tutor models' alone", about=context.invoked_subcommand)
        return
    from tutor.models.found import find
    from tutor.models.standing import standing

    state: State = context.obj
    settings = state.settings()
    fault, health = "", None
    try:
        health = _checked(settings, check)
    except TutorError as error:
        fault = error.message
    found = find(settings.home)
    told = standing(settings, fault)
    if as_json:
        emit({"in_force": told, "found": [_row(one) for one in found], "health": _health_row(health)})
    else:
        _print_in_force(told, health)
        typer.echo("")
        _print_found(found)
    if check and (fault or health is None or health.fault):
        raise typer.Exit(1)


@app.command("use")
def use(
    context: typer.Context,
    provider: Annotated[str, typer.Argument(help="none, ollama, compatible, openai, anthropic or gguf.")],
    model: Annotated[str, typer.Argument(help="The name that the provider knows, or a GGUF file.")] = "",
    url: Annotated[str, typer.Option("--url", help="The server's address, where not the usual one.")] = "",
) -> None:
    """Set the model in config.toml; the rest of the file stays as it is."""
    from tutor.models.choose import choose
    from tutor.models.config_file import write_choice
    from tutor.models.standing import name_of
    from tutor.settings import load_settings

    state: State = context.obj
    settings = state.settings()
    if provider == "gguf" and model:
        model = str(Path(model).expanduser().absolute())
    # Whatever is wrong with the choice is said before anything is written.
    chosen = load_settings(home=settings.home, llm={"provider": provider, "model": model, "url": url})
    if provider == "gguf":
        from tutor.models.gguf import GgufBackend

        typer.echo(f"{GgufBackend(Path(model)).context_tokens:,} tokens of context.")
    try:
        choose(chosen.llm, chosen.home)
    except TutorError as error:
        if not error.what.startswith("there is no key"):
            raise
        echo_wrapped(f"Note: {error.message}")
    path = settings.home.expanduser() / "config.toml"
    write_choice(path, {"provider": provider, "model": model, "url": url})
    typer.echo(f"Written to {path}: {name_of(provider, model)}")
    for name in ("PROVIDER", "MODEL", "URL"):
        if f"TUTOR_LLM_{name}" in os.environ:
            echo_wrapped(f"Note: TUTOR_LLM_{name} is set in the environment and comes first.")
    if provider != "none":
        typer.echo("Try it: tutor models --check")


@app.command("key")
def key(
    context: typer.Context,
    remove: Annotated[bool, typer.Option("--remove", help="Remove it from the keyring.")] = False,
) -> None:
    """Store the key of the provider in force in the system's keyring, asked for and never shown."""
    from tutor.models.keys import entry, store

    state: State = context.obj
    llm = state.settings().llm
    if llm.provider in ("none", "gguf"):
        raise UsageError("no provider is set that takes a key", about="llm.provider", fix="Run: tutor models use …")
    value = "" if remove else _ask_key(entry(llm))
    ring = store(llm, value)
    typer.echo(f"{'Removed from' if remove else 'Stored in'} {ring}: the key of {entry(llm)}")


def _ask_key(name: str) -> str:
    """
    Raises:
        UsageError: nothing was given.
    """
    if sys.stdin is not None and sys.stdin.isatty():
        from getpass import getpass

        value = getpass(f"Key of {name} (not shown): ")
    else:
        value = sys.stdin.readline() if sys.stdin is not None else ""
    if not value.strip():
        raise UsageError(
            "no key was given", about="key", fix="Type it, or pipe it in; 'tutor models key --remove' removes."
        )
    return value


def _checked(settings: Settings, check: bool) -> Health | None:
    """Builds the model, so that what is missing is known; asks it where it should be.

    Raises:
        TutorError: it cannot be built.
    """
    from tutor.models.choose import choose
    from tutor.models.health import check as ask

    model = choose(settings.llm, settings.home)
    if check and model is None:
        raise UsageError("no model is set", about="llm.provider", fix="Run: tutor models use PROVIDER MODEL")
    return ask(model) if check and model is not None else None


def _row(found: Found) -> dict[str, Any]:
    return {"provider": found.provider, "label": found.label, "url": found.url, "models": list(found.models)}


def _health_row(health: Health | None) -> dict[str, Any] | None:
    if health is None:
        return None
    usage = health.usage
    return {
        "ok": not health.fault,
        "fault": health.fault,
        "first_piece_s": None if health.first_s is None else round(health.first_s, 3),
        "tokens_per_s": None if health.tokens_per_s is None else round(health.tokens_per_s, 1),
        "tokens": usage.tokens if usage else None,
        "usd": usage.cost_usd if usage else None,
    }


def _print_in_force(told: dict[str, Any], health: Health | None) -> None:
    from tutor.models import standing

    if told["model"] == "none":
        echo_wrapped("No language model is in force: answers are cut from the passages.")
    else:
        where = f" at {told['address']}" if told.get("address") else ""
        echo_wrapped(f"In force: {told['model']}{where}", hang=2)
    if told["fault"]:
        echo_wrapped(told["fault"], lead="  ! ", hang=4)
    if "here" in told:
        echo_wrapped(standing.kept(told), lead="  ", hang=2)
        echo_wrapped(standing.taken(told), lead="  ", hang=2)
    if health is not None and health.fault:
        echo_wrapped(f"No: {health.fault}", lead="  ", hang=2)
    elif health is not None:
        rate = f", then {health.tokens_per_s:.1f} tokens/s" if health.tokens_per_s else ""
        usage = health.usage
        taken = f" ({usage.tokens} tokens, {_usd(usage.cost_usd)})" if usage else ""
        echo_wrapped(f"It answers: first piece after {health.first_s:.2f} s{rate}{taken}", lead="  ", hang=2)


def _usd(cost: float | None) -> str:
    return "cost unknown" if cost is None else f"${cost:.6f}"


def _print_found(found: list[Found]) -> None:
    if not found:
        echo_wrapped(
            "Nothing found on this machine (asked: Ollama and the usual ports of LM Studio, llama.cpp, vLLM, Jan; "
            "GGUF files in HOME/models). Any of: tutor models use ollama NAME · use compatible NAME --url URL · "
            "use openai NAME · use anthropic NAME · use gguf FILE"
        )
        return
    typer.echo("Found on this machine:")
    for one in found:
        typer.echo(f"  {one.label}{', ' + one.url if one.url else ''}")
        for name in one.models[:_SHOWN]:
            url = f" --url {one.url}" if one.provider == "compatible" else ""
            echo_wrapped(f"tutor models use {one.provider} {name}{url}", lead="    ", hang=6)
        if not one.models:
            typer.echo("    no models")
        elif len(one.models) > _SHOWN:
            typer.echo(f"    … and {len(one.models) - _SHOWN} more (tutor models --json)")
