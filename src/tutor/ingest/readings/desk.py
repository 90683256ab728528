"""Puts the parts together: settings to what fetches, and what is in the library to signatures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from tutor.errors import IndexDamaged, IndexMismatch, MissingExtra
from tutor.ingest.pipeline import Progress, Report, ingest
from tutor.ingest.readings.dedup import Signature, signature
from tutor.ingest.readings.fetch import Fetcher
from tutor.ingest.readings.guard import Guard
from tutor.ingest.readings.pace import Pace
from tutor.ingest.readings.robots import PRODUCT
from tutor.ingest.readings.shelf import Shelf
from tutor.ingest.readings.sync import Sync
from tutor.ingest.readings.transport import Limits, Transport
from tutor.ingest.readings.worker import Worker
from tutor.retrieval.encoder import Encoder
from tutor.retrieval.index import IndexStore
from tutor.settings import ReadingsSettings

Texts = Callable[[], Iterable[tuple[str, str]]]


def open_sync(
    root: Path, chosen: ReadingsSettings, library: Texts, *, guard: Guard | None = None, pace: Pace | None = None
) -> Sync:
    """What fetches readings to the shelf at ``root``.

    Args:
        library: (document id, text) of every passage that is in the library anyway, in order.
        guard: by default one that lets through only the public internet.
    """
    guard = guard or Guard(ports=frozenset(chosen.ports))
    limits = Limits(
        total_s=chosen.total_s, idle_s=chosen.idle_s, body=chosen.max_mb * 2**20, unpacked=chosen.max_mb * 2**21
    )
    fetcher = Fetcher(
        Transport(guard, proxy=chosen.proxy),
        guard,
        pace or Pace(chosen.delay_s),
        agent=user_agent(chosen.contact),
        limits=limits,
    )
    return Sync(
        Shelf(root),
        fetcher,
        Worker(),
        now=time.time,
        known=lambda: signatures(library()),
        recheck_days=chosen.recheck_days,
    )


def check_extra() -> None:
    """Say so before the first request, and not after it, where what reads a page is not installed.

    Raises:
        MissingExtra: the extra ``readings`` is not installed.
    """
    for module in ("trafilatura", "protego"):
        if find_spec(module) is None:
            raise MissingExtra("the linked readings", extra="readings", module=module)


def user_agent(contact: str) -> str:
    """Our name, version and, where one is set, how to reach whoever runs this."""
    try:
        number = version("tutor-study")
    except PackageNotFoundError:
        number = "0"
    return f"{PRODUCT}/{number} ({f'+{contact}; ' if contact else ''}one learner's reading list)"


def signatures(passages: Iterable[tuple[str, str]]) -> dict[str, Signature]:
    """The signature of each document, from its passages."""
    texts: dict[str, list[str]] = {}
    for doc_id, text in passages:
        texts.setdefault(doc_id, []).append(text)
    return {doc_id: signature("\n".join(parts)) for doc_id, parts in texts.items()}


def index_texts(
    store: IndexStore, encoder: Encoder, folder: Path, on_progress: Callable[[Progress], None] | None
) -> Report:
    """Bring the readings' own index up to date with the texts in ``folder``."""
    try:
        return ingest(store, encoder, [folder], on_progress=on_progress)
    except (IndexMismatch, IndexDamaged):  # nothing is in it that the texts have not
        return ingest(store, encoder, [folder], rebuild=True, on_progress=on_progress)
