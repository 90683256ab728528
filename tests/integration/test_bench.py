"""The benchmarks run: what is only run by hand rots unseen."""

import re
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parents[2] / "evals" / "bench"


def test_the_bench_of_a_large_index_runs() -> None:
    done = subprocess.run([sys.executable, str(BENCH / "large.py"), "400"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"400 synthetic passages: p50 [\d.]+ ms, p95 [\d.]+ ms, load [\d.]+ s\n", done.stdout)
