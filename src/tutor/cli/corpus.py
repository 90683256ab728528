"""``tutor corpus``: the curriculum's own files."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from tutor.cli.state import echo_wrapped
from tutor.errors import CardError, UsageError

app = typer.Typer(help="Check and count the curriculum's files.", no_args_is_help=True)
Folder = Annotated[Path | None, typer.Argument(help="Folder with cards/ (default: the built-in curriculum).")]


@app.command("check")
def check(
    folder: Folder = None,
    sources: Annotated[
        Path | None, typer.Option(help="Folder with the source documents (*.txt): nothing may be copied from them.")
    ] = None,
) -> None:
    """Validate every file: front matter, sections, sizes, references, names, links, coverage, own words."""
    from tutor.bootstrap import builtin_corpus
    from tutor.curriculum.check import check_corpus
    from tutor.curriculum.corpus import load_corpus

    root = folder or builtin_corpus()
    corpus = load_corpus(root)
    listed = root / "items.txt"
    items = frozenset(listed.read_text(encoding="utf-8").split()) if listed.is_file() else frozenset[str]()
    copied = "\n".join(p.read_text(encoding="utf-8") for p in sorted(sources.glob("*.txt"))) if sources else ""
    problems = check_corpus(corpus, items=items, sources=copied)
    for problem in problems:
        print(f"tutor: {problem.message}", file=sys.stderr)
    probes = sum(len(card.probes) for card in corpus.cards.values())
    covered = len(corpus.covered())
    counts = f"{len(corpus.cards)} cards, {probes} probes, {len(corpus.entries)} notes and exercises"
    coverage = f"{covered} of {len(items)} items covered" if items else f"{covered} items covered"
    verdict = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}." if problems else "all valid."
    typer.echo(f"{counts}, {coverage}: {verdict}")
    if problems:
        raise typer.Exit(CardError.exit_code)


@app.command("stats")
def stats(folder: Folder = None) -> None:
    """Count documents, probes and words."""
    from tutor.bootstrap import builtin_corpus
    from tutor.curriculum.corpus import load_corpus
    from tutor.curriculum.stats import by_shelf, points, probe_kinds

    corpus = load_corpus(folder or builtin_corpus())
    rows = list(by_shelf(corpus))
    totals = [sum(column) for column in zip(*(numbers for _, *numbers in rows), strict=True)]
    typer.echo(f"{'shelf':<10}{'documents':>11}{'probes':>11}{'words':>11}")
    for name, *numbers in [*rows, ("all", *totals)]:
        typer.echo(f"{name:<10}" + "".join(f"{number:>11,}" for number in numbers))
    kinds = ", ".join(f"{kind} {count}" for kind, count in probe_kinds(corpus).most_common())
    typer.echo(f"\nprobes by kind: {kinds or 'none'}\nmust-have points: {points(corpus)}")


@app.command("twins")
def twins(
    context: typer.Context,
    folder: Folder = None,
    most: Annotated[int, typer.Option("--limit", min=1, help="How many pairs to show.")] = 50,
) -> None:
    """List sentences of different documents that repeat or may contradict each other, for you to judge."""
    from tutor.bootstrap import App, builtin_corpus
    from tutor.curriculum.corpus import load_corpus
    from tutor.ingest.twins import find_twins

    corpus = load_corpus(folder or builtin_corpus())
    found = find_twins(corpus.bodies, App(context.obj.settings()).encoder)
    for pair in found[:most]:
        typer.echo(f"{pair.kind}, {pair.similarity:.2f}")
        for said in (pair.first, pair.second):
            echo_wrapped(f"{said.doc_id}: {said.text}", lead="  ", hang=4)
    counts = Counter(pair.kind for pair in found)
    typer.echo(", ".join(f"{count} {kind}" for kind, count in counts.most_common()) or "No such pairs.")


@app.command("schema")
def schema(
    kind: Annotated[
        str, typer.Argument(help="card, day, article, problem, flawed-design, study, plan or tables.")
    ] = "card",
) -> None:
    """Print the JSON Schema of a file's fields: of a card's front matter, or of another kind of file."""
    from tutor.curriculum.card import Card
    from tutor.curriculum.parse import ENTRIES
    from tutor.curriculum.plan import Plan, Tables
    from tutor.curriculum.wording import schema_name

    models = {schema_name(model): model for model in (Card, *ENTRIES.values(), Plan, Tables)}
    if kind not in models:
        raise UsageError("there is no such kind of file", about=kind, fix=f"Known: {', '.join(models)}.")
    typer.echo(json.dumps(models[kind].model_json_schema(), indent=2))
