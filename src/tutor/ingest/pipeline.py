"""Load, chunk, encode, publish: one ingest, from files to a new generation.

Only what changed is encoded: a passage's vectors are reused while its encoded text and the encoder are the same, even
when it moved. A file that can no longer be read keeps its last indexed version, and the problem is reported.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tutor.errors import IndexBusy, IndexDamaged, IndexMismatch, IndexMissing, SourceError, Unreadable
from tutor.ingest.builtin import marked, real, replaced
from tutor.ingest.changes import Changes, compare, same
from tutor.ingest.chunk import Chunk, chunk
from tutor.ingest.collect import collect
from tutor.ingest.documents import Document
from tutor.ingest.records import content_hash, document_records, passage_payload, passage_record
from tutor.retrieval.encoder import Encoder, worded
from tutor.retrieval.index import LAYOUT_VERSION, IndexReader, IndexStore, Manifest, Payload, Record, point_id
from tutor.retrieval.lexicon import Lexicon, defined_acronyms, passage_words
from tutor.telemetry import operation, stage

_ENCODE_AT_ONCE = 256  # passages in memory with vectors: 256 x 220 tokens x 96 x 4 B = 22 MB


@dataclass(slots=True)
class Report:
    """What an ingest did. Counts are of documents and passages; ``seconds`` is wall time.

    ``told_before`` are the messages of problems that an earlier ingest reported, with files not asked for this time;
    ``failed`` those of all files that are left out of the index, which is what ``tutor doctor`` lists;
    ``skipped`` counts the files of no known type by suffix.
    """

    generation: str = ""
    files: int = 0
    documents: int = 0
    passages: int = 0
    encoded: int = 0
    reused: int = 0
    removed: int = 0
    changed: bool = False
    seconds: float = 0.0
    problems: list[SourceError] = field(default_factory=list)
    told_before: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def news(self) -> list[SourceError]:
        """The problems that the last ingest did not have, and those of paths asked for."""
        return [p for p in self.problems if p.message not in self.told_before]


@dataclass(frozen=True, slots=True)
class Progress:
    """``done`` of ``total`` passages are encoded (total may be 0)."""

    done: int
    total: int


def ingest(
    store: IndexStore,
    encoder: Encoder,
    paths: Sequence[Path],
    *,
    builtin: Sequence[Path] = (),
    forget: Sequence[Path] = (),
    rebuild: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Bring the index up to date with ``paths`` and all roots ingested before.

    Args:
        store: where generations live.
        encoder: makes the vectors; must be the one the index was built with, unless ``rebuild``.
        paths: files and folders to add as roots.
        builtin: the folders of the package's curriculum, which take the place of another installation's.
        forget: roots to drop, with all documents under them; a path that is no root is a problem in the report.
        rebuild: start from nothing (the roots are remembered).

    Raises:
        IndexMismatch: the index was built with another encoder or layout, and ``rebuild`` is off.
        IndexBusy: another process is ingesting.
        IndexFault: the new generation could not be written.
    """
    with operation("ingest", rebuild=rebuild) as running:
        base = _base(store, encoder, rebuild)
        try:
            try:
                report = _ingest(store, encoder, base, paths, builtin, forget, rebuild, on_progress)
            except IndexDamaged as fault:
                if base is None:
                    raise
                base.fall_back(fault)
                report = _ingest(store, encoder, base, paths, builtin, forget, rebuild, on_progress)
        finally:
            if base:
                base.close()
        report.seconds = running.ms / 1000
        running.note(generation=report.generation, changed=report.changed, files=report.files, encoded=report.encoded)
    return report


def _ingest(
    store: IndexStore,
    encoder: Encoder,
    base: IndexReader | None,
    paths: Sequence[Path],
    builtin: Sequence[Path],
    forget: Sequence[Path],
    rebuild: bool,
    on_progress: Callable[[Progress], None] | None,
) -> Report:
    report = Report()
    previous = base.manifest.sources if base else _remembered(store) if rebuild else {}
    roots: list[str] = previous.get("roots", [])
    known: dict[str, dict[str, Any]] = base.manifest.sources["files"] if base else {}
    ours = real(builtin)
    others, built_in = replaced(previous, ours), marked(previous, ours)
    # The curriculum comes first, where the other copy stood: of two files with one id the same one is kept.
    wanted = list(dict.fromkeys([*ours, *(r for r in roots if r not in others), *real(paths)]))
    for path in map(os.path.realpath, forget):
        if path in wanted:
            wanted.remove(path)
        else:
            fix = f"Ingested were: {', '.join(wanted)}." if wanted else "Nothing was ingested yet."
            report.problems.append(SourceError("was not ingested by this path", about=path, fix=fix))
    with stage("collect"):
        found, problems = collect([Path(r) for r in wanted], skipped=report.skipped)
    # A new path that is not there, or of a type that is not read, is not tried again at every ingest.
    refused = ({p.about for p in problems if not isinstance(p, Unreadable)} & set(wanted)) - set(roots)
    wanted = [r for r in wanted if r not in refused]
    with stage("load"):
        changes = compare(found, problems, known)
    failed = [p for p in (*problems, *changes.problems) if p.about not in refused]
    report.problems += [*problems, *changes.problems]
    before: list[str] = base.manifest.sources.get("failed", []) if base else []
    asked = tuple(real(paths))
    report.told_before = frozenset(before) - {p.message for p in failed if _below(p.about, asked)}
    report.failed = frozenset(p.message for p in failed)
    messages = sorted(report.failed)
    report.files = len(changes.files)
    # A generation that stands in for a damaged one is published anew, whether or not anything changed.
    stands_in = base is not None and base.fallback is not None
    if (
        base
        and not stands_in
        and not changes.fresh
        and not changes.gone
        and roots == wanted
        and previous.get("builtin", []) == built_in
        and sorted(before) == messages
        and same(known, changes.files)
    ):
        report.generation = base.manifest.generation
        report.documents, report.passages = base.manifest.documents, base.manifest.passages
        return report
    if base:
        base.verify()  # damage that is copied would be sealed anew, as what was written
    sources = {"roots": wanted, "builtin": built_in, "files": changes.files, "failed": messages}
    _write(store, encoder, base, changes, sources, report, on_progress, first=base is None and not rebuild)
    return report


def _below(about: str, paths: Sequence[str]) -> bool:
    """Whether what a problem is about (a file, maybe with its line) is one of the paths or below one."""
    return any(about == path or about.startswith((path.rstrip(os.sep) + os.sep, f"{path}:")) for path in paths)


def _base(store: IndexStore, encoder: Encoder, rebuild: bool) -> IndexReader | None:
    if rebuild:
        return None
    try:
        reader = store.open()
    except IndexMissing:
        return None
    if reader.manifest.encoder != encoder.name:
        built_with = reader.manifest.encoder
        reader.close()
        raise IndexMismatch(
            f"the index was built with the encoder {built_with}, in force is {encoder.name}",
            about=store.location,
            fix="Run: tutor ingest --rebuild",
        )
    return reader


def _remembered(store: IndexStore) -> dict[str, Any]:
    """What was ingested before, as far as the store can say: a damaged index or another layout still names it."""
    sources = store.remembered()
    return sources | {"roots": [root for root in sources.get("roots", ()) if isinstance(root, str)]}


def _refuse_other(store: IndexStore) -> None:
    """Two first ingests at once: the second began before the first had published, and knows nothing of its roots."""
    try:
        store.open().close()
    except IndexMissing:
        return
    raise IndexBusy("another process has just made the first index", about=store.location, fix="Run it again.")


def _write(
    store: IndexStore,
    encoder: Encoder,
    base: IndexReader | None,
    plan: Changes,
    sources: dict[str, Any],
    report: Report,
    on_progress: Callable[[Progress], None] | None,
    *,
    first: bool,
) -> None:
    stored = {d["doc_id"]: d for d in base.documents()} if base else {}
    fresh_ids = {d.doc_id for d in plan.fresh}
    touched = (fresh_ids | plan.gone) & stored.keys()
    reusable: dict[str, str] = {}  # vector hash → point id
    old_payloads: dict[str, Payload] = {}  # point id → payload, of touched documents
    if base and touched:
        for payload in base.passages(["chunk_id", "doc_id", "hash", "payload_hash", "text", "heading", "names"]):
            pid = point_id("passage", payload["chunk_id"])
            reusable[payload["hash"]] = pid
            if payload["doc_id"] in touched:
                old_payloads[pid] = payload
    with stage("chunk"):
        chunks = [(d, c) for d in plan.fresh for c in chunk(d, encoder.count_tokens)]
    by_document: dict[str, list[str]] = {d.doc_id: [] for d in plan.fresh}
    work: list[tuple[Document, Chunk, str, str]] = []
    new_ids: set[str] = set()
    for document, piece in chunks:
        by_document[document.doc_id].append(piece.chunk_id)
        pid = point_id("passage", piece.chunk_id)
        new_ids.add(pid)
        vector_hash = content_hash(encoder.name, piece.encoded_text)
        payload_hash = content_hash(json.dumps(passage_payload(document, piece, vector_hash, ""), sort_keys=True))
        before = old_payloads.get(pid)
        if before and before["hash"] == vector_hash and before["payload_hash"] == payload_hash:
            report.reused += 1
        else:
            work.append((document, piece, vector_hash, payload_hash))
    removed = [pid for pid in old_payloads if pid not in new_ids]
    lexicon = _lexicon(base, old_payloads, chunks, plan)
    documents = {k: v["hash"] for k, v in stored.items() if k not in plan.gone}
    documents |= {d.doc_id: content_hash(d.title, d.text, repr(sorted(d.meta.items()))) for d in plan.fresh}
    passages = sum(len(v["passages"]) for k, v in stored.items() if k not in touched) + len(new_ids)
    writer = store.begin(
        base=base.manifest if base else None, dense_dims=encoder.dense_dims, token_dims=encoder.token_dims
    )
    try:
        if first:
            _refuse_other(store)
        with stage("write"):
            writer.delete([*removed, *(point_id("document", d) for d in plan.gone)])
            writer.upsert(_records(encoder, base, work, reusable, report, on_progress))
            writer.upsert(document_records(plan.fresh, by_document, documents))
            writer.upsert([Record(point_id("lexicon", "lexicon"), {"type": "lexicon", **lexicon.to_payload()})])
        manifest = Manifest(
            generation=writer.generation,
            layout=LAYOUT_VERSION,
            encoder=encoder.name,
            dense_dims=encoder.dense_dims,
            token_dims=encoder.token_dims,
            passages=passages,
            documents=len(documents),
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            content_hash=content_hash(json.dumps(documents, sort_keys=True)),
            sources=sources,
        )
    except BaseException:
        writer.discard()
        raise
    with stage("publish"):
        writer.publish(manifest)
    report.generation, report.documents, report.passages = manifest.generation, len(documents), passages
    report.removed, report.changed = len(removed), True


def _lexicon(
    base: IndexReader | None, gone: Mapping[str, Payload], chunks: Sequence[tuple[Document, Chunk]], plan: Changes
) -> Lexicon:
    old = Lexicon.from_payload((base.payload("lexicon", "lexicon") if base else None) or {})
    frequency = Counter(dict(old.frequency))
    frequency.subtract(passage_words("\n".join([*p["heading"], *p["names"], p["text"]]) for p in gone.values()))
    frequency.update(passage_words("\n".join([*c.heading, *c.names, c.text]) for _, c in chunks))
    forms = {k: v for k, v in old.forms.items() if k not in plan.gone}
    for document in plan.fresh:
        aliases = dict.fromkeys(document.aliases, document.title)
        forms[document.doc_id] = defined_acronyms(document.text) | aliases | dict(document.acronyms)
    return Lexicon({w: n for w, n in frequency.items() if n > 0}, forms)


def _records(
    encoder: Encoder,
    base: IndexReader | None,
    work: Sequence[tuple[Document, Chunk, str, str]],
    reusable: Mapping[str, str],
    report: Report,
    on_progress: Callable[[Progress], None] | None,
) -> Iterator[Record]:
    moved = [w for w in work if w[2] in reusable]
    new = [w for w in work if w[2] not in reusable]
    for document, piece, vector_hash, payload_hash in moved:
        dense, tokens = base.vectors(reusable[vector_hash])  # type: ignore[union-attr]  # reusable implies a base
        report.reused += 1
        yield passage_record(document, piece, vector_hash, payload_hash, dense, tokens)
    done = 0
    if on_progress:
        on_progress(Progress(0, len(new)))
    for at in range(0, len(new), _ENCODE_AT_ONCE):
        group = new[at : at + _ENCODE_AT_ONCE]

        def advance(count: int) -> None:
            nonlocal done
            done += count
            if on_progress:
                on_progress(Progress(done, len(new)))

        with stage("encode"):
            vectors = encoder.encode([piece.encoded_text for _, piece, _, _ in group], on_progress=advance)
        for (document, piece, vector_hash, payload_hash), encoded in zip(group, vectors, strict=True):
            report.encoded += 1
            tokens = encoded.tokens[worded(piece.encoded_text, encoded.offsets)]
            yield passage_record(document, piece, vector_hash, payload_hash, encoded.dense, tokens)
