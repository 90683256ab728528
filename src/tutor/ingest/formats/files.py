"""Takes bytes from the disk and members from ZIP containers, with limits, and says in words what is wrong with them."""

from __future__ import annotations

import stat
import zipfile
import zlib
from io import BytesIO
from pathlib import Path

from tutor.errors import SourceError

MAX_BYTES = 64 * 1024 * 1024
MAX_UNPACKED = 256 * 1024 * 1024
MAX_MEMBERS = 20_000
# Word and EPUB files pack to about a tenth; text repeated on purpose packs to a thousandth.
_RATIO, _RATIO_FROM = 200, 8 * 1024 * 1024
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def size(count: int) -> str:
    """A number of bytes as MB with one decimal."""
    return f"{count / (1024 * 1024):.1f} MB"


def read_bytes(path: Path, *, limit: int = MAX_BYTES) -> bytes:
    """The content of a regular file of at most ``limit`` bytes.

    Raises:
        SourceError: it is missing, a directory, not readable, empty or too large.
    """
    about = str(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise SourceError("is a directory", about=about, fix="Give a file.")
        if not stat.S_ISREG(status.st_mode):  # a pipe would block forever
            raise SourceError("is not a regular file", about=about, fix="Give a file.")
        with path.open("rb") as file:
            data = file.read(limit + 1)  # not status.st_size: the file may be growing
    except FileNotFoundError as error:
        raise SourceError("the file does not exist (any more)", about=about, fix="Check the path.") from error
    except PermissionError as error:
        raise SourceError("permission denied", about=about, fix="Make the file readable for this user.") from error
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise SourceError(f"cannot be read ({reason})", about=about, fix="Copy it to a local disk.") from error
    if len(data) > limit:
        raise SourceError(
            f"is {size(max(status.st_size, len(data)))}, more than the limit of {size(limit)}",
            about=about,
            fix="Split it into smaller files.",
        )
    if not data.strip():
        raise SourceError("the file is empty", about=about, fix="Nothing was indexed from it.")
    return data


def open_zip(data: bytes, *, about: str, kind: str) -> zipfile.ZipFile:
    """The container, once its directory promises no more than the limits (``ZipFile`` reads no more than promised).

    Raises:
        SourceError: it is not a ZIP container, is password-protected or unpacks to too much.
    """
    if data.startswith(_OLE):
        raise SourceError(
            f"is password-protected or in an old Office format, not a {kind} file",
            about=about,
            fix=f"Open it and save it as {kind} without a password.",
        )
    try:
        archive = zipfile.ZipFile(BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise SourceError(f"is not a valid {kind} file", about=about, fix=f"Save it again as {kind}.") from error
    members = archive.infolist()
    total = sum(member.file_size for member in members)
    if total > MAX_UNPACKED or len(members) > MAX_MEMBERS or (total > _RATIO_FROM and total > _RATIO * len(data)):
        raise SourceError(
            f"unpacks to {size(total)} in {len(members)} parts from {size(len(data))} (limit {size(MAX_UNPACKED)})",
            about=about,
            fix="It looks like a zip bomb and was not opened.",
        )
    if any(member.flag_bits & 0x1 for member in members):
        raise SourceError("is password-protected", about=about, fix="Save a copy without a password.")
    return archive


def member(archive: zipfile.ZipFile, name: str, *, about: str, kind: str) -> bytes:
    """One part of the container.

    Raises:
        SourceError: the part is missing or damaged.
    """
    try:
        return archive.read(name)
    except KeyError as error:
        fix = f"Save it again as {kind}."
        raise SourceError(f"is not a valid {kind} file: {name} is missing", about=about, fix=fix) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        fix = f"Save it again as {kind}."
        raise SourceError(f"is damaged: {name} cannot be unpacked", about=about, fix=fix) from error
