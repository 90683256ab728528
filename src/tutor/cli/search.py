"""``tutor search``: ranked passages, for people or as JSON lines."""

from __future__ import annotations

import textwrap
from enum import StrEnum
from typing import Annotated, Any

import typer

from tutor.cli.state import State, batch_questions, echo_wrapped, emit, parse_filters, terminal_width
from tutor.errors import UsageError


class Unit(StrEnum):
    """What one hit stands for."""

    passage = "passage"
    doc = "doc"


def search(
    context: typer.Context,
    question: Annotated[list[str] | None, typer.Argument(help="What to look for.")] = None,
    k: Annotated[int, typer.Option("-k", help="How many hits, 1 to 200.")] = 10,
    only: Annotated[list[str] | None, typer.Option("--filter", metavar="KEY=VALUE", help="As in phase=4.")] = None,
    batch: Annotated[
        str | None, typer.Option(metavar="FILE", help="JSON lines with id and question; - for stdin.")
    ] = None,
    by: Annotated[Unit, typer.Option(help="One hit per passage or per document.")] = Unit.passage,
    rerank: Annotated[
        bool | None, typer.Option("--rerank/--no-rerank", help="With or without MaxSim (default: search.rerank).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find passages in the curriculum and your documents."""
    from tutor.retrieval.search import FUSED, RERANKED, check_limit
    from tutor.wire import search_json

    state: State = context.obj
    filters = parse_filters(only or [])
    check_limit(k)
    if (batch is None) == (not question):
        raise UsageError("give either a question or --batch FILE", fix='As in: tutor search "quorum reads"')
    ranking = None if rerank is None else RERANKED if rerank else FUSED
    with state.core() as core:

        def find(text: str) -> Any:
            return core.searcher.search(text, limit=k, filters=filters, ranking=ranking, by_document=by is Unit.doc)

        if batch is not None:
            for name, text in batch_questions(batch):
                try:
                    emit({"id": name, **search_json(find(text))})
                except UsageError as error:
                    emit({"id": name, "hits": [], "ms": 0.0, "stages": {}, "error": error.message})
            return
        result = find(" ".join(question or []))
        if as_json:
            emit(search_json(result, text=True))
        else:
            _print(result)


def _print(result: Any) -> None:
    width = terminal_width()
    for wrong, right in result.expansion.corrected:
        echo_wrapped(f"(searched for “{right}” instead of “{wrong}”)")
    if not result.hits:
        typer.echo("Nothing found.")
    for number, hit in enumerate(result.hits, 1):
        page = f", page {hit.passage.page}" if hit.passage.page else ""
        head = f"{number}. {hit.passage.prefix}{page}  ({hit.passage.chunk_id}, {hit.score:.4f})"
        echo_wrapped(head, hang=3)
        text = textwrap.shorten(" ".join(hit.passage.text.split()), 3 * width, placeholder=" …")
        typer.echo(textwrap.fill(text, width, initial_indent="   ", subsequent_indent="   "))
    count = len(result.hits)
    typer.echo(f"{count} {'hit' if count == 1 else 'hits'} in {result.ms:.0f} ms")
