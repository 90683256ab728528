"""``tutor doctor`` and ``tutor config``: what is in force, what is wrong, what to do."""

from __future__ import annotations

import re

import typer

from tutor.cli.state import State, echo_wrapped

_PASSWORD = re.compile(r"//[^/@\s]*@")  # in a URL


def doctor(context: typer.Context) -> None:
    """Check settings, versions, model files, index, sources and disk; exit 1 when something needs mending."""
    from tutor.diagnosis import diagnose

    state: State = context.obj
    failed = False
    for finding in diagnose(state.settings):
        first, *others = finding.what.splitlines()
        echo_wrapped(f"{finding.about}: {first}", lead=f"{finding.level:<5} ", hang=6)
        for line in others:  # a list, as of a card's wrong fields
            echo_wrapped(line.strip(), lead="        ", hang=10)
        if finding.fix:
            echo_wrapped(finding.fix, lead="      → ", hang=8)
        failed = failed or finding.level == "fail"
    if failed:
        raise typer.Exit(1)


def config(context: typer.Context) -> None:
    """Print every setting in force; secrets are masked."""
    from tutor.settings import PREFIX

    state: State = context.obj
    settings = state.settings()
    for name, value in settings.model_dump().items():
        for key, inner in value.items() if isinstance(value, dict) else [("", value)]:
            variable = PREFIX + "_".join(filter(None, (name, key))).upper()
            shown = settings.index_dir if name == "index" else _PASSWORD.sub("//***@", str(inner))
            typer.echo(f"{'.'.join(filter(None, (name, key)))} = {shown}    ({variable})")
