"""The C library's memory for a process that serves for weeks."""

from __future__ import annotations

import os
import platform

_M_ARENA_MAX = -8  # malloc.h of glibc


def few_arenas() -> bool:
    """Let all threads allocate from one heap; whether it could be done. ``MALLOC_ARENA_MAX`` wins where it is set.

    By default glibc gives threads heaps of their own, eight for each core. What one thread frees another cannot use, so
    a server whose answers are made now in this worker thread, now in that one grows by what an answer takes for each of
    them: 448 MB of anonymous memory and growing after 1,750 answers, against 286 MB (evals/LOG.md). Nothing is slower:
    answers are made one at a time. To be called before there are threads.
    """
    if platform.libc_ver()[0] != "glibc" or "MALLOC_ARENA_MAX" in os.environ:
        return False
    import ctypes

    return bool(ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1))
