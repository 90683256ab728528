"""Does the gate catch what it should, and nothing else? On the whole sets, the floors and the baseline in force.

    python evals/mutations.py [--runs 20] [--home DIR]

Every regression of ``tutor.evals.planted`` must fail the gate; a product that nothing was changed in must pass it so
many times. Exit codes: 0 both hold, 1 not.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
QUICK = ("retrieval", "refusals", "held-out")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--home", type=Path, help="with an index of the curriculum alone; one is made where left out")
    args = parser.parse_args()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does, before numpy is imported
    from tutor.bootstrap import App
    from tutor.evals.baseline import read_baseline, read_thresholds
    from tutor.evals.gate import judge
    from tutor.evals.planted import PLANTED
    from tutor.evals.report.rows import headline
    from tutor.evals.run import evaluate
    from tutor.evals.sets import Sets
    from tutor.settings import Settings

    sets, floors = Sets(HERE), read_thresholds(HERE / "thresholds.json")
    baseline = read_baseline(HERE / "baselines" / "main.json")
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        settings = Settings(home=args.home or Path(scratch))
        with contextlib.closing(App(settings)) as app:
            app.ensure_index()  # by the product as it is: what is planted must not be in the index of all that follow
        for planted in PLANTED:
            with planted.made(settings) as app:
                verdict = judge(evaluate(app, sets, planted.suites), floors, baseline)
            failing = [f.metric + (f" [{f.slice}]" if f.slice else "") for f in verdict.findings if f.level == "fail"]
            wrong += not failing
            told = ", ".join(failing[:4]) + (f" and {len(failing) - 4} more" if len(failing) > 4 else "")
            print(f"{'caught' if failing else 'MISSED'}: {planted.name}: {told}", flush=True)
        alarms = 0
        for number in range(1, args.runs + 1):
            with contextlib.closing(App(settings)) as app:
                app.ensure_index()
                verdict = judge(evaluate(app, sets, QUICK), floors, baseline)
            alarms += verdict.failed
            print(f"run {number}: {headline(verdict)}", flush=True)
        print(f"{args.runs} runs with nothing changed: {alarms} alarms")
    return 1 if wrong or alarms else 0


if __name__ == "__main__":
    sys.exit(main())
