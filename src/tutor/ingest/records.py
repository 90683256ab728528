"""What documents and passages look like as points of the index."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tutor.ingest.chunk import Chunk
from tutor.ingest.documents import Document
from tutor.retrieval.index import FILTER_KEYS, Payload, Record, Vector, point_id
from tutor.retrieval.lexical import document_vector, names_vector, terms


def passage_record(
    document: Document, piece: Chunk, vector_hash: str, payload_hash: str, dense: Vector, tokens: Vector
) -> Record:
    """The point of a passage: its payload, both vectors and its BM25 weights."""
    return Record(
        point_id("passage", piece.chunk_id),
        passage_payload(document, piece, vector_hash, payload_hash),
        dense,
        tokens,
        document_vector(terms(f"{piece.prefix}\n{piece.text}")),
        names_vector(piece.names),
    )


def passage_payload(document: Document, piece: Chunk, vector_hash: str, payload_hash: str) -> Payload:
    """What is stored of a passage; ``payload_hash`` is of all of it but itself."""
    return {
        "type": "passage",
        "chunk_id": piece.chunk_id,
        "doc_id": piece.doc_id,
        "title": document.title,
        "heading": list(piece.heading),
        "names": list(piece.names),
        "text": piece.text,
        "start": piece.start,
        "end": piece.end,
        "role": piece.role,
        "page": piece.page,
        "kind": document.kind,
        "source": document.source,
        "covers": list(document.covers),
        # What filters ask for; links and related cards are the document's, and were a third of a passage's payload.
        "meta": _plain({k: v for k, v in document.meta.items() if k in FILTER_KEYS}),
        "ordinal": piece.ordinal,
        "hash": vector_hash,
        "payload_hash": payload_hash,
    }


def document_records(
    documents: Sequence[Document], by_document: Mapping[str, list[str]], hashes: Mapping[str, str]
) -> Iterator[Record]:
    """The points of documents, without vectors; ``by_document`` has the ids of their passages."""
    for document in documents:
        payload: Payload = {
            "type": "document",
            "doc_id": document.doc_id,
            "title": document.title,
            "text": document.text,
            "source": document.source,
            "kind": document.kind,
            "covers": list(document.covers),
            "meta": _plain(document.meta),
            "aliases": list(document.aliases),
            "acronyms": dict(document.acronyms),
            "sections": [asdict(s) | {"heading": list(s.heading)} for s in document.sections],
            "passages": by_document[document.doc_id],
            "hash": hashes[document.doc_id],
        }
        yield Record(point_id("document", document.doc_id), payload)


def _plain(meta: Mapping[str, Any]) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in meta.items()}


def content_hash(*parts: str) -> str:
    """A 128-bit BLAKE2b of the parts, in hexadecimal."""
    return hashlib.blake2b("\x00".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
