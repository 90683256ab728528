"""``tutor eval``: measure the product on the golden sets, and fail when it got worse."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tutor.cli import eval_sets
from tutor.cli.state import State, emit
from tutor.errors import MissingExtra, TutorError, UsageError
from tutor.evals import SUITES

if TYPE_CHECKING:
    from tutor.bootstrap import App
    from tutor.evals.record import Report
    from tutor.evals.sets import Sets
    from tutor.evals.suites import Tick
    from tutor.evals.verdict import Verdict

app = typer.Typer(
    help="Measure answers, retrieval and grading on the golden sets; with --gate, fail when they got worse.",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)
app.command("lint")(eval_sets.lint)
app.command("candidates")(eval_sets.candidates)
_SUITES = ", ".join(SUITES)


@app.callback()
def evaluate(
    context: typer.Context,
    suite: Annotated[list[str] | None, typer.Option(metavar="NAME", help=f"Only this one: {_SUITES}.")] = None,
    gate: Annotated[bool, typer.Option("--gate", help="Exit 1 below a floor or worse than the baseline.")] = False,
    baseline: Annotated[Path | None, typer.Option(help="Default: baselines/main.json among the sets.")] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write JSON, JUnit, Markdown and HTML (--ablate: the table).")
    ] = None,
    update_baseline: Annotated[
        str | None, typer.Option(metavar="REASON", help="Make this run the baseline; the reason is stored.")
    ] = None,
    sets: Annotated[Path | None, typer.Option(metavar="DIR", help="Default: evals/ of the checkout.")] = None,
    sample: Annotated[int, typer.Option(min=0, help="About this many cases of each set; 0 for all.")] = 0,
    ablate: Annotated[bool, typer.Option("--ablate", help="What each part of retrieval gives and costs.")] = False,
    compare: Annotated[
        tuple[Path, Path] | None, typer.Option(metavar="A.toml B.toml", help="Two settings files, side by side.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Measure; without --gate the figures are told and nothing is judged."""
    if context.invoked_subcommand:
        if given := [f"--{name.replace('_', '-')}" for name, value in context.params.items() if value]:
            raise UsageError(
                f"{', '.join(given)} before '{context.invoked_subcommand}' has no effect",
                fix=f"Put the options behind it: tutor eval {context.invoked_subcommand} --help names them.",
            )
        return
    from tutor.evals.sets import Sets, default_sets

    state: State = context.obj
    names = _suites(suite)
    _refuse(gate=gate, sample=sample, update=update_baseline, ablate=ablate, compare=compare, suite=suite)
    if (ablate or compare) and (baseline or (ablate and suite)):
        raise UsageError("an experiment has no --baseline or (with --ablate) --suite", fix="Leave them out.")
    try:
        found = Sets(sets or default_sets())
        if ablate:
            _ablate(state, found, sample, report, as_json)
        elif compare:
            _compare(compare, found, names, sample, report, as_json)
        else:
            _run(state, found, names, sample, gate, baseline, report, update_baseline, as_json)
    except TutorError as error:
        if state.debug:
            raise
        # 1 says that the product got worse; whatever kept the run from its end is something else.
        print(f"tutor: cannot run: {error.message}", file=sys.stderr)
        raise typer.Exit(2) from error


def _run(
    state: State,
    sets: Sets,
    names: tuple[str, ...],
    sample: int,
    gate: bool,
    baseline: Path | None,
    out: Path | None,
    reason: str | None,
    as_json: bool,
) -> None:
    from tutor.evals.baseline import Baseline, read_baseline, read_thresholds, write_baseline
    from tutor.evals.gate import judge, unjudged
    from tutor.evals.report.trend import append
    from tutor.evals.run import evaluate as run

    floors = read_thresholds(sets.folder / "thresholds.json")
    place = baseline or sets.folder / "baselines" / "main.json"
    names = _without_ragas(names, needed=gate or reason is not None)
    wanted = reason is None and (gate or baseline is not None or place.is_file())
    before = read_baseline(place, names) if wanted else None
    if out:
        _folder(out)
    with _product(state) as product, _progress() as tick:
        report = run(product, sets, names, sample=sample, tick=tick)
    verdict = (unjudged if sample else judge)(report, floors, before, where=str(place) if before else "none")
    if out:
        _write(out, report, verdict, sets)
    if as_json:
        emit(_plain(report) | {"verdict": _plain(verdict)})
    else:
        _print(report, verdict)
    if reason is not None:
        if broken := [f for f in verdict.findings if f.level == "fail" and f.floor is None]:
            raise UsageError(f"this run cannot be a baseline: {broken[0].metric} {broken[0].why}")
        written = datetime.now(UTC).isoformat(timespec="seconds")
        write_baseline(place, Baseline(reason=reason, written=written, report=report))
        append(sets.folder / "history", report)
        print(f"tutor: the baseline is now {place}", file=sys.stderr)
    if gate and verdict.failed:
        raise typer.Exit(1)


def _without_ragas(names: tuple[str, ...], *, needed: bool) -> tuple[str, ...]:
    """The suites that can be run; a gate must run all that were asked for.

    Raises:
        MissingExtra: Ragas is needed and not installed.
    """
    from tutor.evals.ragas_metrics import available

    if "ragas" not in names or available():
        return names
    if needed or names == ("ragas",):
        raise MissingExtra("the suite ragas", extra="eval", module="ragas")
    print("tutor: the suite ragas is left out: pip install 'tutor-study[eval]' brings it", file=sys.stderr)
    return tuple(n for n in names if n != "ragas")


def _write(folder: Path, report: Report, verdict: Verdict, sets: Sets) -> None:
    """All reports of a run.

    Raises:
        UsageError: the folder cannot be written.
    """
    from tutor.evals.report import junit, markdown, page, trend

    history = trend.read(sets.folder / "history")
    for note in history.notes:
        print(f"tutor: {note}", file=sys.stderr)
    reports = {
        "report.json": report.model_dump_json(indent=1),
        "verdict.json": verdict.model_dump_json(indent=1),
        "junit.xml": junit.xml(report, verdict),
        "comment.md": markdown.pull_request(report, verdict),
        "report.html": page.html(report, verdict, [*history.points, trend.point(report)]),
    }
    _files(folder, reports)


def _files(folder: Path, texts: dict[str, str]) -> None:
    try:
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"the reports cannot be written ({error.strerror})", about=str(folder)) from error


def _folder(path: Path) -> None:
    """Make it, before minutes of measuring.

    Raises:
        UsageError: it cannot be made or written.
    """
    import os

    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the reports cannot be written ({error.strerror})", about=str(path)) from error
    if not os.access(path, os.W_OK):
        raise UsageError("the reports cannot be written (no permission)", about=str(path))


def _plain(model: Report | Verdict) -> dict[str, Any]:
    """As JSON knows it: a value that is no number is text."""
    found: dict[str, Any] = json.loads(model.model_dump_json())
    return found


def _print(report: Report, verdict: Verdict) -> None:
    from rich.console import Console

    from tutor.evals.report.terminal import print_report

    print_report(report, verdict, Console(file=sys.stdout, highlight=False))


def _ablate(state: State, sets: Sets, sample: int, out: Path | None, as_json: bool) -> None:
    from tutor.evals.ablate import HEAD, ablate, line

    if out:
        _folder(out)
    if not as_json:
        print(HEAD, flush=True)
    rows = []
    with _progress() as tick:
        for row in ablate(state.settings(), sets, sample=sample, tick=tick):
            rows.append(row)
            if as_json:
                emit(asdict(row))
            else:
                print(line(row), flush=True)
            if out:  # after each row: the whole takes minutes
                table = "\n".join([HEAD, *map(line, rows)])
                _files(out, {"ablation.md": f"{table}\n", "ablation.json": json.dumps([asdict(r) for r in rows])})


def _compare(
    files: tuple[Path, Path], sets: Sets, names: tuple[str, ...], sample: int, out: Path | None, as_json: bool
) -> None:
    from tutor.evals.ablate import compare
    from tutor.evals.baseline import Baseline, read_thresholds
    from tutor.evals.gate import judge
    from tutor.settings import read_settings

    one, other = (read_settings(path) for path in files)
    names = _without_ragas(names, needed=False)
    if out:
        _folder(out)
    with _progress() as tick:
        before, after = compare(one, other, sets, names, sample=sample, tick=tick)
    floors = read_thresholds(sets.folder / "thresholds.json").model_copy(update={"floors": {}, "slices": {}})
    held = Baseline(reason=f"settings of {files[0]}", written=before.started, report=before)
    verdict = judge(after, floors.model_copy(update={"ceilings": {}, "cases": {}}), held, where=str(files[0]))
    if out:
        _write(out, after, verdict, sets)
        _files(out, {"before.json": before.model_dump_json(indent=1)})
    if as_json:
        emit({"before": before.metrics, "after": after.metrics, "verdict": _plain(verdict)})
    else:
        _print(after, verdict)


def _suites(chosen: list[str] | None) -> tuple[str, ...]:
    for name in chosen or ():
        if name not in SUITES:
            raise UsageError(f"there is no suite '{name}'", about="--suite", fix=f"One of: {_SUITES}.")
    return tuple(n for n in SUITES if not chosen or n in chosen)


def _refuse(
    *, gate: bool, sample: int, update: str | None, ablate: bool, compare: Any, suite: list[str] | None
) -> None:
    """Combinations that would mislead.

    Raises:
        UsageError: naming the two that do not go together.
    """
    if ablate and compare:
        raise UsageError("--ablate and --compare are two experiments", fix="Run one after the other.")
    if (ablate or compare) and (gate or update is not None):
        raise UsageError("an experiment is no gate", fix="Leave --gate and --update-baseline out.")
    if gate and sample:
        raise UsageError("the floors are for whole sets", about="--sample", fix="Leave --gate or --sample out.")
    if update is not None and len(update.strip()) < 10:
        raise UsageError("a baseline needs a reason", about="--update-baseline", fix="Say in a sentence why it moves.")
    if update is not None and (sample or suite):
        raise UsageError("a baseline is a whole run", about="--update-baseline", fix="Leave --sample and --suite out.")


@contextmanager
def _product(state: State) -> Iterator[App]:
    """The product under test, on an index of the built-in curriculum alone, kept beside the user's own."""
    from tutor.bootstrap import App
    from tutor.cli.progress import bar

    mine = state.settings()
    if not mine.corpus.builtin:
        raise UsageError("the golden sets are about the built-in curriculum", about="--no-builtin")
    product = App(mine.model_copy(update={"home": mine.home.expanduser() / "eval", "index": None}))
    with bar("Indexing the curriculum") as advance:
        product.ensure_index(on_progress=advance)
    try:
        yield product
    finally:
        product.close()


@contextmanager
def _progress() -> Iterator[Tick | None]:
    """A bar on standard error that names the suite; none where nobody is looking."""
    from tutor.cli.progress import steps

    with steps() as tick:
        yield tick
