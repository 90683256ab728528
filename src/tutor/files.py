"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, data: bytes, *, suffix: str = "") -> None:
    """Write a file that only its owner may read, and have it on the disk; where that fails, what was there stays.

    Args:
        path: the file, in a folder that is there.
        data: all of it.
        suffix: of the scratch file beside it, whose name begins with "tmp".

    Raises:
        OSError: it cannot be written; no scratch file is left.
    """
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix="tmp", suffix=suffix)
    try:
        with open(handle, "wb") as scratch:
            scratch.write(data)
            scratch.flush()
            os.fsync(handle)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
