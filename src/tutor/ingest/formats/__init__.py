"""Reads a file that is not Markdown into a ``Document``; the reader of a format is imported only when it is needed."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from tutor.errors import SourceError
from tutor.ingest.formats.files import MAX_BYTES, read_bytes

if TYPE_CHECKING:
    from tutor.ingest.documents import Document

__all__ = ["MAX_BYTES", "SUFFIXES", "read"]

_READERS = {
    ".txt": "text",
    ".text": "text",
    ".rst": "text",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".epub": "epub",
}
SUFFIXES: frozenset[str] = frozenset(_READERS)


class _Reader(Protocol):
    def read(self, data: bytes, *, about: str, doc_id: str, source: str, stem: str) -> Document: ...


def read(path: Path, *, doc_id: str, source: str) -> Document:
    """The file at ``path`` as a document of kind ``page``, named ``doc_id`` and cited as ``source``.

    Raises:
        SourceError: the file cannot be read, is damaged, protected, too large or holds no text.
    """
    module = _READERS.get(path.suffix.lower())
    if module is None:
        raise SourceError(
            f"files ending in '{path.suffix}' are not read",
            about=str(path),
            fix=f"Use one of {', '.join(sorted(SUFFIXES))} or Markdown.",
        )
    data = read_bytes(path, limit=MAX_BYTES)
    reader = cast(_Reader, import_module(f"tutor.ingest.formats.{module}"))
    return reader.read(data, about=str(path), doc_id=doc_id, source=source, stem=path.stem)
