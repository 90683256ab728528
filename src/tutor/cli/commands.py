"""The commands with their options, as typer knows them; only the one that is asked for is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from tutor.cli.state import State
from tutor.version import tutor_version

#: Command to the module that has it, and the function's name there; in the order of ``tutor --help``.
_COMMANDS = {
    "ask": ("ask", "ask"),
    "chat": ("chat", "chat"),
    "search": ("search", "search"),
    "card": ("card", "card"),
    "drill": ("drill", "drill"),
    "grade": ("drill", "grade"),
    "today": ("today", "today"),
    "progress": ("mastery", "progress"),
    "review": ("review", "review"),
    "path": ("path", "path"),
    "stats": ("stats", "stats"),
    "feedback": ("feedback", "feedback"),
    "export": ("transfer", "export"),
    "import": ("transfer", "import_"),
    "erase": ("transfer", "erase"),
    "ingest": ("ingest", "ingest"),
    "forget": ("ingest", "forget"),
    "serve": ("serve", "serve"),
    "mcp": ("mcp", "mcp"),
    "doctor": ("doctor", "doctor"),
    "config": ("doctor", "config"),
    "version": ("commands", "version"),
}
#: Groups of commands to the module whose ``app`` has them.
_GROUPS = {
    "corpus": "corpus",
    "eval": "eval",
    "models": "models",
    "plan": "plan",
    "log": "log_reports",
}


def call(argv: Sequence[str]) -> int:
    """Run a command line, the options that all commands share first; the exit code.

    Raises:
        TutorError: what the command raises; and typer's errors of usage, which show themselves.
        KeyboardInterrupt: the learner does not go on.
    """
    app = _app(_wanted(argv))
    try:
        return int(app(list(argv), standalone_mode=False) or 0)
    except typer.Exit as leave:
        return leave.exit_code
    except typer.Abort:
        raise KeyboardInterrupt from None


def _wanted(argv: Sequence[str]) -> str:
    """The command that is asked for; empty where that cannot be told at a glance."""
    words = iter(argv)
    for word in words:
        if word in ("--home", "--index"):
            next(words, None)
        elif not word.startswith(("--home=", "--index=")) and word not in ("--no-builtin", "--debug"):
            return word if word in _COMMANDS or word in _GROUPS else ""
    return ""


def _app(wanted: str) -> typer.Typer:
    """The whole command line, or where one command is wanted that alone."""
    app = typer.Typer(
        name="tutor",
        help="A study assistant for senior, staff and architect interviews. Works offline.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(options)
    for name, (module, function) in _COMMANDS.items():
        if wanted in ("", name):
            app.command(name)(getattr(import_module(f"tutor.cli.{module}"), function))
    for name, module in _GROUPS.items():
        if wanted in ("", name):
            app.add_typer(import_module(f"tutor.cli.{module}").app, name=name)
    return app


def options(
    context: typer.Context,
    home: Annotated[Path | None, typer.Option(help="Where everything lives (TUTOR_HOME).")] = None,
    index: Annotated[Path | None, typer.Option("--index", help="The index folder (default: HOME/index).")] = None,
    no_builtin: Annotated[bool, typer.Option("--no-builtin", help="Leave the packaged curriculum out.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=lambda on: on and _version())
    ] = False,
) -> None:
    context.obj = State(home=home, index=index, builtin=False if no_builtin else None, debug=debug)


def version() -> None:
    """Print the version."""
    _version()


def _version() -> None:
    installed = tutor_version()
    typer.echo(installed if installed != "0" else "unknown (not installed)")
    raise typer.Exit
