"""What came over the wire: unpacked within a limit, and of the type that it says it is."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping

from tutor.errors import ReadingFailed, ReadingRefused

ENCODINGS = "gzip, deflate"
#: Content type → what its bytes are read as.
TYPES = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "application/pdf": "pdf",
    "application/x-pdf": "pdf",
    "text/plain": "text",
    "text/markdown": "text",
    "text/x-markdown": "text",
}
_GENERIC = {"", "application/octet-stream", "binary/octet-stream"}  # says nothing: the bytes decide
_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.I)
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|title|meta|article|main|div|p|h1)\b", re.I)
_LOOKED_AT = 4_096
_PIECE = 64 * 2**10  # bytes unpacked at a time


def unpack(
    body: bytes,
    headers: Mapping[str, str],
    most: int,
    *,
    about: str,
    whole: bool = True,
    cut: bool = False,
    left_s: Callable[[], float] | None = None,
) -> bytes:
    """The body without its Content-Encoding.

    Args:
        most: bytes that it may become.
        whole: False where its first ``most`` bytes will do.
        cut: the body was cut on purpose: what can be unpacked of it is taken.
        left_s: seconds that are left for it, asked between pieces; None for no limit.

    Raises:
        ReadingRefused: an encoding that was not asked for, several of them, more bytes than ``most``, or anything
            behind the packed bytes. gzip allows archives in a row; no server sends a page so, and each costs a start.
        ReadingFailed: the packed bytes are damaged or end early, or the time is up.
    """
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise ReadingRefused(f"is packed as '{_shown(encoding)}', which was not asked for", about=about)
    # deflate is meant with zlib's frame (RFC 9110, 8.4.1.2), and sent without it by some.
    raw = encoding == "deflate" and not (len(body) > 1 and body[0] & 0x0F == 8 and int.from_bytes(body[:2]) % 31 == 0)
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS if raw else zlib.MAX_WBITS | 32)
    out = bytearray()
    view = memoryview(body)  # a slice of it is no copy
    for start in range(0, len(body), _PIECE):
        if left_s is not None and left_s() <= 0:
            raise ReadingFailed("took too long to unpack", about=about)
        if unpacker.eof:
            raise _trailing(about)
        try:
            out += unpacker.decompress(view[start : start + _PIECE], most + 1 - len(out))
        except zlib.error as error:
            raise ReadingFailed("the packed body is damaged", about=about) from error
        if len(out) > most:
            if not whole:
                return bytes(out[:most])
            raise ReadingRefused(f"unpacks to more than {most / 2**20:g} MB", about=about)
        if unpacker.unused_data:
            raise _trailing(about)
    if not unpacker.eof and not cut:
        raise ReadingFailed("the packed body ends early", about=about)
    return bytes(out)


def _trailing(about: str) -> ReadingRefused:
    return ReadingRefused("has something behind its packed body", about=about)


def kind_of(data: bytes, headers: Mapping[str, str], *, about: str) -> str:
    """html, pdf or text, where the declared type and the bytes agree.

    Raises:
        ReadingRefused: another type, or bytes of another kind than declared.
    """
    declared = headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared not in _GENERIC and declared not in TYPES:
        raise ReadingRefused(f"is of type {_shown(declared)}, which is not read", about=about)
    seen = _seen(data)
    kind = TYPES.get(declared, seen)
    if kind != seen and not (kind == "html" and seen == "text") and not (kind == "text" and seen == "html"):
        raise ReadingRefused(f"says that it is {_shown(declared) or kind} and is {_WORDS[seen]}", about=about)
    if kind == "binary":
        raise ReadingRefused("is of no type that is read", about=about)
    return kind


_WORDS = {"binary": "something else", "pdf": "a PDF file", "html": "a web page", "text": "plain text"}


def _seen(data: bytes) -> str:
    head = data[:_LOOKED_AT]
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if not head.startswith((b"\xff\xfe", b"\xfe\xff")) and (b"\x00" in head or _many_controls(head)):
        return "binary"
    return "html" if _HTML.search(head) else "text"


def _shown(value: str) -> str:
    """A header for a message: what a terminal could act upon is left out."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in value[:60])


def _many_controls(head: bytes) -> bool:
    odd = sum(byte < 32 and byte not in b"\t\n\r\x0c\x1b" for byte in head)
    return odd * 50 > len(head)


def charset_of(headers: Mapping[str, str]) -> str | None:
    """The character set that the header names, or None."""
    found = _CHARSET.search(headers.get("content-type", ""))
    name = found.group(1).lower() if found else None
    # Browsers read these labels as Windows-1252, and pages rely on it.
    return "cp1252" if name in ("iso-8859-1", "latin1", "latin-1", "ascii", "us-ascii") else name
