"""How long a drill's steps take: start, a reply without a grade, the graded answer, the rating with what to read.

    python evals/bench/drill.py [--rounds 20] [--home DIR]

In one process, warm, as behind HTTP: each step as a front end takes it, with its JSON, stored with a sync to disk. A
step apart from the grade should take under 50 ms. Drills go into a folder that is removed afterwards; the index is that
of DIR or TUTOR_HOME.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tutor.bootstrap import App
from tutor.drill.library import SearchLibrary
from tutor.drill.records import Session
from tutor.drill.store import DrillStore
from tutor.drill.transcript import step_json
from tutor.settings import Settings

ANSWERS = {
    "probe": "On AWS I would take SQS: each mail is acknowledged and retried alone, so a slow one holds up nobody.",
    "decision": "I choose Kafka because several teams replay the events; SQS wins where one consumer is enough.",
    "estimate": "Writes 46k/s, reads 231k/s, at peak 694k/s, storage 800 GB a day, 70 servers.",
    "hld": "Users create short links and open them; 100 million a month, reads 100 to 1, links live for five years.",
}
REQUESTS = {"probe": "why not kafka", "decision": "kafka or sqs", "estimate": "", "hld": "url shortener"}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=20)
    arguments.add_argument("--home", type=Path, default=None)
    chosen = arguments.parse_args()
    app = App(Settings(home=chosen.home) if chosen.home else Settings())
    took: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        app.drills.store = DrillStore(Path(folder))
        for number in range(chosen.rounds + 1):
            for kind in REQUESTS:
                steps = _drilled(app, kind)
                if number:  # the first is to warm up
                    for name, ms in steps:
                        took[f"{kind}: {name}"].append(ms)
    app.close()
    print(f"{chosen.rounds} rounds, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; ms")
    for name, ms in sorted(took.items()):
        print(f"{name:24} p50 {np.percentile(ms, 50):6.1f}   p95 {np.percentile(ms, 95):6.1f}   n {len(ms)}")


def _drilled(app: App, kind: str) -> list[tuple[str, float]]:
    """A drill of that format up to its first grade: what was done and how long it took, in ms."""
    steps: list[tuple[str, float]] = []
    app.drills._library = SearchLibrary(lambda: app.searcher)  # that knows no passage yet: the worst case

    def step(name: str, make: Any) -> Session:
        began = time.perf_counter()
        session: Session = make()
        json.dumps(step_json(app.drills, session))
        steps.append((name, (time.perf_counter() - began) * 1000))
        return session

    session = step("start", lambda: app.drills.start(REQUESTS[kind], kind=kind))
    while (asked := session.pending) and session.at == 0:
        said = {"clarify": "", "answer": ANSWERS[kind], "rate": "3"}.get(asked.state, "skip")
        name = {"clarify": "reply, no grade", "answer": "graded answer", "rate": "rate"}.get(asked.state, "skip")
        session = step(name, partial(app.drills.reply, session.id, asked.id, said))
    return steps


if __name__ == "__main__":
    main()
