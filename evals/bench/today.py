"""How long ``tutor today`` takes in a new process, beside a bare interpreter: wall and processor time.

    python evals/bench/today.py [--runs 10] [--also COMMAND…]

Three homes: nothing studied yet; a plan under way and sixty reviews; the same with a ``config.toml``, so that options
and settings are read in full. Each line is the quickest of the runs, the disk cache warm. On a busy machine compare the
processor time (user and system), or its ratio to ``import sqlalchemy.orm``, which every command that writes the store
loads. ``--also`` times other commands in the second home, each as one word: ``--also stats "path kafka"``.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tutor.cli.main import main as tutor
from tutor.settings import load_settings
from tutor.study.reviews import Rated
from tutor.studying import open_study

REVIEWS = 60
BARE = ("-c", "pass")
LIBRARY = ("-c", "import sqlalchemy.orm")


def fill(home: Path) -> None:
    """Make a home with the 28-day plan under way and reviews of the last three weeks, half of them of points."""
    now = datetime.now(UTC)
    study = open_study(load_settings(home=home))
    try:
        cards = [card for card in study.outline.cards.values() if card.probes][: REVIEWS // 2]
        refs = [card.id for card in cards]
        refs += [f"{card.id}/{card.probes[0].id}/{card.probes[0].points[0].id}" for card in cards]
        grades = (1, 3, 2, 3, 4)
        study.rate([
            Rated(ref, grades[n % 5], now - timedelta(days=20 - n / 4), f"review:{n}")  # type: ignore[arg-type]
            for n, ref in enumerate(refs)
        ])  # fmt: skip
    finally:
        study.close()
    with redirect_stdout(io.StringIO()):
        code = tutor(["--home", str(home), "plan", "start", "28-days"])
    if code:
        raise SystemExit("the plan could not be started")


def quickest(arguments: tuple[str, ...], runs: int) -> tuple[float, float]:
    """Wall and processor milliseconds of a new interpreter, the least of the runs each; the first run does not count.

    Raises:
        SystemExit: the command failed.
    """
    found = []
    for number in range(runs + 1):
        began, before = time.perf_counter(), _spent_s()
        done = subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=False)
        wall, spent = time.perf_counter() - began, _spent_s() - before
        if done.returncode:
            raise SystemExit(f"{' '.join(arguments)} failed")
        if number:
            found.append((1000 * wall, 1000 * spent))
    return min(wall for wall, _ in found), min(spent for _, spent in found)


def _spent_s() -> float:
    """Processor seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--also", nargs="*", default=[], metavar="COMMAND")
    args = parser.parse_args()
    for name in [name for name in os.environ if name.upper().startswith("TUTOR_")]:
        del os.environ[name]
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its byte code
    with tempfile.TemporaryDirectory() as folder:
        new, begun, set_up = (Path(folder) / name for name in ("new", "begun", "set-up"))
        for home in (begun, set_up):
            fill(home)
        (set_up / "config.toml").write_text("[study]\nminutes = 60\n", encoding="utf-8")
        rows: list[tuple[str, tuple[str, ...]]] = [("python, nothing", BARE), ("import sqlalchemy.orm", LIBRARY)]
        rows += [
            (f"tutor today, {what}", ("-m", "tutor", "--home", str(home), "today"))
            for what, home in (("nothing studied", new), ("plan and reviews", begun), ("and config.toml", set_up))
        ]
        rows += [(f"tutor {also}", ("-m", "tutor", "--home", str(begun), *also.split())) for also in args.also]
        times = {name: quickest(arguments, args.runs) for name, arguments in rows}
    (bare, _), (_, library) = times["python, nothing"], times["import sqlalchemy.orm"]
    print(f"quickest of {args.runs}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'':32} {'wall ms':>8} {'CPU ms':>8} {'wall / bare':>12} {'CPU / library':>14}")
    for name, (wall, spent) in times.items():
        print(f"{name:32} {wall:8.0f} {spent:8.0f} {wall / bare:12.1f} {spent / library:14.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
