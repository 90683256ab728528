"""``tutor ingest --readings``: fetch the pages that the curriculum links, and index them beside it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import typer

from tutor.cli.progress import bar, steps
from tutor.cli.state import State, echo_wrapped, emit

if TYPE_CHECKING:
    from tutor.bootstrap import App
    from tutor.ingest.pipeline import Report as IndexReport
    from tutor.ingest.readings.sync import Outcome, Report

_QUIET = ("fresh", "unchanged", "off")  # of these a full run tells the number alone


def sync(state: State, only: Sequence[str], *, dry: bool, as_json: bool) -> None:
    """Fetch what is due, or with ``dry`` only say what would be, and report each reading.

    Raises:
        UsageError: ``only`` names something that is not on the list.
        MissingExtra: what reads a page is not installed.
        Offline: no site can be reached; nothing was changed.
        typer.Exit: with 1, where something is left to try again or what was asked for is not here.
    """
    from tutor.bootstrap import App
    from tutor.ingest.readings.desk import check_extra
    from tutor.ingest.readings.sources import chosen, load_sources, named, sources_file
    from tutor.ingest.readings.sync import Report

    everything = load_sources(sources_file())
    asked = chosen(everything, only)
    core = App(state.settings())
    work = core.reading_sync()
    try:
        if dry:
            _tell(Report(work.plan(asked, named(only))), None, only, as_json)
            return
        check_extra()
        with work.shelf.locked(), work:
            with steps() as show:
                report = work.run(
                    asked, again=named(only), whole=None if only else everything, on_outcome=_following(show)
                )
            index = _index(core)
        _tell(report, index, only, as_json)
    finally:
        core.close()
    if (index and index.news) or not report.done(asked=bool(only)):
        raise typer.Exit(1)


def _following(show: Callable[[str, int, int], None] | None) -> Callable[[Outcome, int, int], None]:
    """A bar where somebody watches, a line for every fifty elsewhere."""

    def on_outcome(outcome: Outcome, done: int, total: int) -> None:
        if show:
            show("Fetching", done, total)
        elif done % 50 == 0:
            print(f"tutor: {done} of {total} readings asked for", file=sys.stderr, flush=True)

    return on_outcome


def _index(core: App) -> IndexReport | None:
    """Index what is on the shelf; None where nothing ever was."""
    shelf = core.settings.readings_dir
    if not (shelf / "index").is_dir() and not any((shelf / "text").glob("*.json")):
        return None
    with bar("Indexing the readings") as advance:
        return core.index_readings(on_progress=advance)


def _tell(report: Report, index: IndexReport | None, only: Sequence[str], as_json: bool) -> None:
    from tutor.ingest.readings.sync import STATUSES

    counts = {status: report.counts[status] for status in STATUSES if report.counts[status]}
    if as_json:
        emit(
            {
                "readings": [_row(outcome) for outcome in report.outcomes],
                "counts": counts,
                "removed": report.removed,
                "index": index and {"documents": index.documents, "passages": index.passages},
            }
        )
        return
    for outcome in report.outcomes:
        if only or outcome.status not in _QUIET:
            why = f" ({outcome.why})" if outcome.why else ""
            echo_wrapped(f"{outcome.source.url}: {STATUSES[outcome.status]}{why}", hang=4)
    if report.removed:
        typer.echo(f"{len(report.removed)} removed that the list no longer has.")
    for problem in index.news if index else ():
        print(f"tutor: {problem.message}", file=sys.stderr)
    words = ", ".join(f"{count} {STATUSES[status]}" for status, count in counts.items())
    typer.echo(f"{report.counts.total()} readings: {words or 'none'}.")
    if index:
        typer.echo(f"The readings' index has {index.documents} documents, {index.passages} passages.")


def _row(outcome: Outcome) -> dict[str, Any]:
    source = outcome.source
    return {
        "id": source.id,
        "url": source.url,
        "title": source.title,
        "kind": source.kind,
        "cards": list(source.cards),
        "licence": source.licence,
        "status": outcome.status,
        "why": outcome.why,
        "text": outcome.text,
    }
