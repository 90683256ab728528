"""From Enter to the first words of an answer, in a browser, beside the bare API; without a language model.

    python evals/bench/page.py HOME [--asks 30] [--json]

HOME has an index (``tutor --home HOME ingest``); its conversations are kept in a copy. Needs Playwright and Chromium on
the PATH. The server is a process of its own, warmed by five questions. Each ask is measured in the page itself, from
the key's event to the first frame with text of the answer in it: on a fresh page, and in a conversation that grows.
Then the same questions go to ``POST /api/v1/ask`` from the same page. Exit 1 where a page's median is above 150 ms.
Times are wall time on this machine; the ratio to the API is what carries over.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

GOAL_MS = 150
WARMED = 5
GOLDEN = Path(__file__).resolve().parents[1] / "golden"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
_WATCH = """() => {
  let began = 0;
  window.firstWords = new Promise((resolve) => {
    document.querySelector("#q").addEventListener("keydown", (event) => {
      if (event.key === "Enter") began = performance.now();
    }, { capture: true });
    const log = document.querySelector("[data-log]");
    const before = log.querySelectorAll(".verdict, .abstain").length;
    const seen = new MutationObserver(() => {
      if (log.querySelectorAll(".verdict, .abstain").length === before) return;
      seen.disconnect();
      requestAnimationFrame(() => resolve(performance.now() - began));
    });
    seen.observe(log, { childList: true, subtree: true });
  });
}"""
_ASK = """async (question) => {
  const began = performance.now();
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ question });
  await (await fetch("/api/v1/ask", { method: "POST", headers, body })).json();
  return performance.now() - began;
}"""


def questions(count: int) -> list[str]:
    """The first single questions of the golden set, spread over its files."""
    files = [
        [row["question"] for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()) if "question" in row]
        for path in sorted(GOLDEN.glob("*.jsonl"))
    ]
    mixed = [found[at] for at in range(count) for found in files if at < len(found)]
    return [question for question in mixed if isinstance(question, str)][:count]


@contextmanager
def served(home: Path) -> Iterator[str]:
    """The address of ``tutor serve`` in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tutor", "--home", str(home), "serve", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"{address}/healthz", timeout=5):
                    break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(20)


def on_a_page(page: Any, question: str) -> float:
    """Milliseconds from Enter to the first words."""
    page.evaluate(_WATCH)
    page.fill("#q", question)
    page.press("#q", "Enter")
    found: float = page.evaluate("window.firstWords")
    page.wait_for_selector("[data-log][aria-busy=false]")
    return found


def measure(address: str, asked: Sequence[str]) -> dict[str, list[float]]:
    """Milliseconds of every ask: on a fresh page, in a conversation, and by the bare API."""
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        raise SystemExit("Chromium is not on the PATH (Debian: apt-get install chromium)")
    times: dict[str, list[float]] = {"fresh page": [], "conversation": [], "bare API": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        fresh, going_on = browser.new_page(), browser.new_page()
        going_on.goto(address)
        for question in asked[:WARMED]:
            going_on.evaluate(_ASK, question)
        for question in asked:  # by turns, so that what else runs on the machine meets all of them
            fresh.goto(address)
            times["fresh page"].append(on_a_page(fresh, question))
            times["conversation"].append(on_a_page(going_on, question))
            times["bare API"].append(fresh.evaluate(_ASK, question))
        browser.close()
    return times


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main() -> int:
    """Measure, print, and say whether the goal is met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--asks", type=int, default=30)
    parser.add_argument("--json", action="store_true", dest="as_json")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(shutil.copytree(given.home, Path(folder) / "home"))
        with served(home) as address:
            times = measure(address, questions(given.asks))
    bare = statistics.median(times["bare API"])
    rows = {
        name: {"p50_ms": statistics.median(found), "p95_ms": percentile(found, 0.95), "min_ms": min(found),
               "ratio": statistics.median(found) / bare}
        for name, found in times.items()
    }  # fmt: skip
    load = os.getloadavg()[0]
    if given.as_json:
        print(json.dumps({"load": load, "asks": given.asks, **rows}))
    else:
        print(f"{given.asks} asks, load {load:.1f}, ms\n{'':14}{'min':>8}{'p50':>8}{'p95':>8}{'p50 / API':>11}")
        for name, row in rows.items():
            print(f"{name:14}{row['min_ms']:8.0f}{row['p50_ms']:8.0f}{row['p95_ms']:8.0f}{row['ratio']:11.2f}")
    return int(max(rows[name]["p50_ms"] for name in ("fresh page", "conversation")) > GOAL_MS)


if __name__ == "__main__":
    sys.exit(main())
