"""A serving process allocates from one heap, whichever thread answers."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

#: Eight threads allocate at the same time; prints what the call said, and how many heaps the C library then has.
PROGRAM = """
import ctypes, re, sys, tempfile, threading
from tutor.cli.allocator import few_arenas
said = few_arenas() if sys.argv[1] == "few" else None
gate = threading.Barrier(8)
def allocate():
    gate.wait()
    kept = [bytearray(10_000) for _ in range(200)]
    gate.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
with tempfile.NamedTemporaryFile() as file:
    stream = ctypes.c_void_p(libc.fopen(file.name.encode(), b"w"))
    libc.malloc_info(0, stream); libc.fclose(stream)
    print(said, len(re.findall("<heap ", open(file.name).read())))
"""


def heaps(how: str, **environment: str) -> tuple[str, int]:
    inherited = {key: value for key, value in os.environ.items() if key != "MALLOC_ARENA_MAX"}
    environment = {**inherited, "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    said, count = done.stdout.split()
    return said, int(count)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have other heaps")
def test_all_threads_share_one_heap() -> None:
    assert heaps("as it is")[1] > 1  # else the next line says nothing
    assert heaps("few") == ("True", 1)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have other heaps")
def test_the_environment_wins() -> None:
    said, count = heaps("few", MALLOC_ARENA_MAX="3")
    assert said == "False" and 1 < count <= 3
