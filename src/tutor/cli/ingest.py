"""``tutor ingest`` and ``tutor forget``: what is in the index."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tutor.cli.progress import bar
from tutor.cli.state import State
from tutor.errors import UsageError

if TYPE_CHECKING:
    from tutor.ingest.pipeline import Report


def ingest(
    context: typer.Context,
    paths: Annotated[list[Path] | None, typer.Argument(help="Files and folders; none: refresh what is known.")] = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Start from nothing; known paths are kept.")] = False,
    readings: Annotated[bool, typer.Option("--readings", help="Fetch the pages that the curriculum links.")] = False,
    only: Annotated[list[str] | None, typer.Option(metavar="CARD|HOST|URL", help="Only these of the readings.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be fetched; ask nobody.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the readings' report as JSON.")] = False,
) -> None:
    """Index files and folders; only what changed is encoded again, what is gone is removed."""
    if readings:
        from tutor.cli.readings import sync

        if paths or rebuild:
            raise UsageError("--readings takes no paths and no --rebuild", fix="As in: tutor ingest --readings")
        sync(context.obj, only or [], dry=dry_run, as_json=as_json)
        return
    if only or dry_run or as_json:
        raise UsageError("--only, --dry-run and --json belong to --readings", fix="Add --readings.")
    _run(context, paths or [], [], rebuild)


def forget(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="Paths ingested before.")],
) -> None:
    """Remove paths, and all documents under them, from the index."""
    _run(context, [], paths, False)


def _run(context: typer.Context, paths: list[Path], dropped: list[Path], rebuild: bool) -> None:
    from tutor.bootstrap import App

    state: State = context.obj
    core = App(state.settings())
    with core.watched(), bar("Encoding") as advance:
        report = core.ingest(paths, forget=dropped, rebuild=rebuild, on_progress=advance)
    core.close()
    for problem in report.news:
        print(f"tutor: {problem.message}", file=sys.stderr)
    typer.echo(summary(report))
    if paths and report.skipped:
        typer.echo(skipped(report.skipped))
    if old := len(report.failed & report.told_before):
        typer.echo(left_out(len(report.failed), old))
    if report.news:
        raise typer.Exit(1)


def left_out(all_of_them: int, old: int) -> str:
    """One line on files that could not be indexed; ``old`` of them were told at an earlier ingest."""
    if old == all_of_them:
        files = "1 file still cannot" if old == 1 else f"{old} files still cannot"
        return f"{files} be indexed, as before: tutor doctor lists {'it' if old == 1 else 'them'}."
    return f"{all_of_them} files cannot be indexed, {old} of them as before: tutor doctor lists them all."


def skipped(counts: Counter[str]) -> str:
    """One line on files that no importer reads."""
    total = counts.total()
    kinds = ", ".join(f"{suffix} {count}" for suffix, count in counts.most_common(5))
    return f"{total} {'file' if total == 1 else 'files'} of other types left alone ({kinds})."


def summary(report: Report) -> str:
    """One line for people."""
    counts = f"{report.documents} documents, {report.passages} passages from {report.files} files"
    if not report.changed:
        what = "The index is as it was" if report.news else "Nothing changed"
        return f"{what}: {counts} ({report.seconds:.1f} s)."
    rate = f", {report.encoded / report.seconds:.0f}/s" if report.encoded and report.seconds else ""
    return (
        f"Indexed {counts}: {report.encoded} encoded, {report.reused} unchanged, {report.removed} removed"
        f" ({report.seconds:.1f} s{rate})."
    )
