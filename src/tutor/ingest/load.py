"""One file to documents: picks the importer by suffix and content."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tutor.curriculum import PLAN_SUFFIX
from tutor.curriculum.parse import ENTRIES, load_yaml, split_front_matter
from tutor.errors import SourceError
from tutor.ingest import formats, pasted
from tutor.ingest.chunk import slug
from tutor.ingest.collect import MARKDOWN, READING_SUFFIX, Found
from tutor.ingest.documents import Document
from tutor.ingest.formats.text import decode, normalise
from tutor.ingest.markdown import read_card, read_entry, read_markdown, read_plan_steps

_CARD_KEYS = {"probes", "priority", "depth", "tier"}
_ENTRY_KEYS = {"id", "type", "covers", "related"}


def load(found: Found) -> list[Document]:
    """The documents of a file; a pasted curriculum document gives many.

    Raises:
        SourceError: the file cannot be read or has nothing in it.
    """
    path, source = found.path, str(found.path)
    if found.size > formats.MAX_BYTES:
        limit = formats.MAX_BYTES // 2**20
        raise SourceError(
            f"the file has {found.size / 2**20:.0f} MB, the limit is {limit} MB",
            about=source,
            fix="Split it, or export only the part you study.",
        )
    if path.name.endswith(PLAN_SUFFIX):
        return read_plan_steps(normalise(decode(_bytes(path), about=source)), source=source)
    if path.name.endswith(READING_SUFFIX):
        from tutor.ingest.readings.shelf import read_reading

        return [read_reading(decode(_bytes(path), about=source), source=source)]
    suffix = path.suffix.lower()
    if suffix in MARKDOWN or suffix == ".txt":
        text = normalise(decode(_bytes(path), about=source))
        if kind := pasted.recognise(text):
            return pasted.split(kind, text, source)
        if suffix in MARKDOWN:
            front = split_front_matter(text, about=source)
            keys = load_yaml(front, about=source) if front else {}
            if keys.keys() >= _ENTRY_KEYS and keys["type"] in ENTRIES:
                return [read_entry(text, source=source, stem=path.stem, kind=keys["type"])]
            if keys.keys() >= {"id", "covers"} and keys.keys() & _CARD_KEYS:  # one forgotten field is an error, told
                return [read_card(text, source=source, stem=path.stem)]
            return [read_markdown(text, doc_id=doc_id_of(found), source=source)]
    return [formats.read(path, doc_id=doc_id_of(found), source=source)]


def doc_id_of(found: Found) -> str:
    """``folder/sub/name`` in slugs, below the name of the root; a file named directly is just its name."""
    if found.path == found.root.resolve():
        return slug(found.path.stem)
    try:
        relative = found.path.relative_to(found.root.resolve()).with_suffix("")
    except ValueError:  # reached through a link that leads out of the root
        relative = Path(found.path.stem)
    return "/".join(slug(part) for part in (found.root.resolve().name, *relative.parts))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(
            f"cannot be read ({error.strerror})", about=str(path), fix="Give yourself read permission, or remove it."
        ) from error


def only_unique(documents: list[Document], taken: dict[str, str]) -> tuple[list[Document], list[SourceError]]:
    """The documents whose ids are not taken by another file (``taken``: id → source), and an error for each such file.

    What a pasted page says beside its items is kept whatever it is called: it gets the file's name behind its own.
    """
    kept: list[Document] = []
    clashes: dict[str, list[str]] = {}
    for document in documents:
        if document.kind == "note" and taken.get(document.doc_id, document.source) != document.source:
            document = replace(document, doc_id=f"{document.doc_id}@{slug(Path(document.source).stem)}")
        other = taken.setdefault(document.doc_id, document.source)
        if other == document.source:
            kept.append(document)
        else:
            clashes.setdefault(other, []).append(document.doc_id)
    problems = []
    for other, ids in clashes.items():
        what = f"the id '{ids[0]}' is" if len(ids) == 1 else f"{len(ids)} ids ('{ids[0]}', '{ids[1]}' …) are"
        fix = "Rename the file or its id; the first one was kept."
        problems.append(SourceError(f"{what} already that of {other}", about=documents[0].source, fix=fix))
    return kept, problems
