"""``tutor doctor`` and ``tutor config``: what is in force, what is wrong, what to do."""

from __future__ import annotations

import typer

from tutor.cli.state import State, echo_wrapped


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
    from tutor.inforce import lines

    state: State = context.obj
    for line in lines(state.settings()):
        typer.echo(f"{line.name} = {line.value}    ({line.variable})")
