"""``tutor eval lint`` and ``tutor eval candidates``: the golden sets themselves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from tutor.cli.state import State, emit
from tutor.errors import TutorError, UsageError


@contextmanager
def _or_two(debug: bool) -> Iterator[None]:
    """Exit 2 where a command cannot run: 1 says that it found faults."""
    try:
        yield
    except TutorError as error:
        if debug:
            raise
        print(f"tutor: cannot run: {error.message}", file=sys.stderr)
        raise typer.Exit(2) from error


def lint(
    context: typer.Context,
    sets: Annotated[Path | None, typer.Option(metavar="DIR", help="Default: evals/ of the checkout.")] = None,
    warnings: Annotated[bool, typer.Option("--warnings", help="Show what a person should look at, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Faults and overlaps as JSON lines.")] = False,
) -> None:
    """Check the golden sets against the curriculum, each other and the training questions; exit 1 for a fault."""
    from tutor.bootstrap import builtin_corpus
    from tutor.curriculum.corpus import load_corpus
    from tutor.evals.drills import rubrics_of
    from tutor.evals.lint import lint as check
    from tutor.evals.lint_read import curriculum_documents, training_questions
    from tutor.evals.sets import Sets, default_sets
    from tutor.evals.wording import overlaps

    state: State = context.obj
    with _or_two(state.debug):
        found = Sets(sets or default_sets())
        documents, learnt = curriculum_documents(), training_questions(found)
        faults = check(found, documents, learnt, rubrics_of(load_corpus(builtin_corpus())))
        real = [f for f in faults if f.level == "fault"]
        broken = any(f.file == "golden/questions.jsonl" for f in real)
        shared = [] if broken else overlaps(found.questions, documents, learnt)
    if as_json:
        for row in (*faults, *shared):
            emit(row.model_dump(mode="json"))
    else:
        for fault in faults if warnings else real:
            print(f"{fault.level}: {fault.file}: {fault.id}: {fault.what}. {fault.fix}")
        if shared:
            print("What questions and references share with the passages that answer them (three words in a row):\n")
            print(f"{'kind':12} {'questions':>9} {'shared':>7} {'longest':>8} {'references':>11}")
        for row in shared:
            figures = f"{row.trigrams:>7.3f} {row.longest:>8} {row.reference_trigrams:>11.3f}"
            print(f"{row.kind:12} {row.questions:>9} {figures}")
        hidden = len(faults) - len(real)
        more = f" ({hidden} warnings: --warnings)" if hidden and not warnings else ""
        size = f"{len(found.questions)} questions, {len(found.refusals)} refusals: " if not real else ""
        print(f"\n{size}{len(real)} faults{more}")
    if real:
        raise typer.Exit(1)


def candidates(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the drafts as JSON lines.")] = None,
    sets: Annotated[Path | None, typer.Option(metavar="DIR", help="Default: evals/ of the checkout.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON line for each draft.")] = False,
) -> None:
    """Drafts of cases from thumbs-down and overrides; a person completes them before they join a set."""
    from tutor.evals.candidates import candidates as drafts
    from tutor.evals.candidates import write
    from tutor.evals.lint_read import curriculum_documents
    from tutor.evals.sets import default_sets
    from tutor.study.whose import own_folder

    state: State = context.obj
    with _or_two(state.debug):
        folder = sets or default_sets()
        home = own_folder(state.settings())
        found = drafts(home, sets=folder if folder.is_dir() else None, documents=curriculum_documents())
        if out and out.exists():
            raise UsageError("the file is there already", about=str(out), fix="Name another: drafts are not mixed.")
        if out:
            write(found, out)
    if out:
        print(f"tutor: {len(found)} drafts in {out}", file=sys.stderr)
    elif as_json:
        for one in found:
            emit(one.model_dump(mode="json"))
    elif not found:
        print(f"Nothing to review: no thumbs-down and no override in {home}.")
    else:
        for one in found:
            print(f"{one.id}  {one.set}  {one.at[:10]}  {one.row.get('question') or one.row.get('probe')}")
        print("\nWrite them to a file with --out FILE, fill in what 'todo' names, then run: tutor eval lint")
