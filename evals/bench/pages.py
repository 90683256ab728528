"""What the pages weigh, and what Lighthouse says of Ask, Card and Drill.

    python evals/bench/pages.py [--home DIR] [--desktop] [--no-lighthouse]

Starts ``tutor serve`` on loopback with a copy of the home (or makes one from the curriculum), opens every place in
Chromium (playwright) with an empty cache and adds up what came over the line. Then runs Lighthouse, as it measures by
default: a phone with a slow line and a processor four times slower than this one. It is fetched by npx; where there is
no node that part is left out and said so.

Exits with 1 where a goal is missed: 200 kB a page without diagrams, performance 95, accessibility 100, best practices
95. Performance depends on what else the machine does: measure on a quiet one.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LIGHTHOUSE = "lighthouse@13.5.0"  # Apache-2.0
MOST_KB = 200
LEAST = {"performance": 95, "accessibility": 100, "best-practices": 95}
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUESTION = "/?q=B-tree%20or%20LSM-tree%20for%20a%20write-heavy%20store%3F"
PLACES = {
    "Ask": "/",
    "Answer": QUESTION,
    "Library": "/documents",
    "Card": "/documents/kafka",
    "Today": "/today",
    "Review": "/review",
    "Drills": "/drill",
    "Drill": "",  # a session of its own
    "Plans": "/plan",
    "Plan": "/plan/28-days",
    "Progress": "/progress",
    "Map": "/map",
    "Log": "/log",
    "Write": "/log/new",
    "Talks": "/conversations",
    "Settings": "/settings",
    "API": "/docs",
}
#: What draws diagrams counts apart: only pages that have one load it.
_DRAWING = ("mermaid", "diagram")


@contextmanager
def served(home: Path) -> Iterator[str]:
    """The address of a server of that home."""
    command = [sys.executable, "-u", "-m", "tutor", "--home", str(home), "serve", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[3].rstrip("/")
    finally:
        process.terminate()
        process.wait(10)


def drill(address: str) -> str:
    """The path of a drill that has just begun."""
    body = json.dumps({"request": "why not kafka"}).encode()
    request = urllib.request.Request(f"{address}/api/v1/drills", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return f"/drill/{json.load(answer)['session']}"


def weights(address: str, paths: dict[str, str]) -> bool:
    """Print what every place takes over the line; whether all are light enough."""
    from playwright.sync_api import Response, sync_playwright

    fine = True
    print(f"{'page':10}{'requests':>9}{'kB':>8}{'diagrams kB':>13}  largest")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--headless", "--no-sandbox"])
        for name, path in paths.items():
            context = browser.new_context()
            page = context.new_page()
            came: list[Response] = []
            page.on("response", lambda response, came=came: came.append(response))
            page.goto(address + path, wait_until="networkidle")
            page.wait_for_timeout(300)
            sizes: dict[str, int] = {}
            for response in came:
                size = response.request.sizes()
                sizes[response.url] = size["responseBodySize"] + size["responseHeadersSize"]
            drawn = {url: size for url, size in sizes.items() if any(word in url for word in _DRAWING)}
            rest = sum(sizes.values()) - sum(drawn.values())
            largest = max(sizes, key=lambda url: sizes[url]).removeprefix(address)
            over = "  MISSED" if rest > MOST_KB * 1000 else ""
            fine = fine and not over
            drawing = sum(drawn.values()) / 1000
            print(f"{name:10}{len(sizes):>9}{rest / 1000:>8.1f}{drawing:>13.1f}  {largest[:50]}{over}", flush=True)
            context.close()
        browser.close()
    return fine


def lighthouse(url: str, *, desktop: bool) -> dict[str, Any]:
    """Lighthouse's report on an address."""
    command = ["npx", "--yes", LIGHTHOUSE, url, "--quiet", "--output=json", "--output-path=stdout"]
    command += [f"--only-categories={','.join(LEAST)}", "--chrome-flags=--headless --no-sandbox --disable-gpu"]
    command += ["--preset=desktop"] if desktop else []
    environment = {**os.environ, "CHROME_PATH": str(CHROMIUM)}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment, timeout=300)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def scores(address: str, paths: dict[str, str], *, desktop: bool) -> bool:
    """Print Lighthouse's scores, and what costs points; whether all are good enough."""
    fine = True
    print(f"\n{LIGHTHOUSE}, {'desktop' if desktop else 'phone'}")
    print(
        f"{'page':10}" + "".join(f"{name:>16}" for name in LEAST) + f"{'FCP ms':>9}{'LCP ms':>9}{'TBT ms':>9}{'CLS':>7}"
    )
    for name, path in paths.items():
        report = lighthouse(address + path, desktop=desktop)
        found = {key: round(100 * (report["categories"][key]["score"] or 0)) for key in LEAST}
        missed = [key for key, least in LEAST.items() if found[key] < least]
        audits = report["audits"]
        keys = ("first-contentful-paint", "largest-contentful-paint", "total-blocking-time")
        times = "".join(f"{audits[key].get('numericValue', 0):>9.0f}" for key in keys)
        shift = audits["cumulative-layout-shift"].get("numericValue", 0)
        row = "".join(f"{found[key]:>16}" for key in LEAST)
        print(f"{name:10}{row}{times}{shift:>7.3f}{'  MISSED' if missed else ''}", flush=True)
        for key in LEAST:
            for part in report["categories"][key]["auditRefs"]:
                audit = audits[part["id"]]
                if part["weight"] and audit["score"] is not None and audit["score"] < 0.9:
                    print(f"    {key}: {audit['title']} ({audit.get('displayValue', '')})")
        fine = fine and not missed
    return fine


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--home", type=Path, help="a home with an index, to be copied; made where it is left out")
    parser.add_argument("--desktop", action="store_true", help="measure as on a desktop, not as on a phone")
    parser.add_argument("--no-lighthouse", action="store_true", help="only what the pages weigh")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        if given.home:
            shutil.copytree(given.home, home)
        else:
            subprocess.run([sys.executable, "-m", "tutor", "--home", str(home), "ingest"], check=True)
        with served(home) as address:
            paths = PLACES | {"Drill": drill(address)}
            fine = weights(address, paths)
            if given.no_lighthouse or shutil.which("npx") is None:
                print("Lighthouse was left out" + ("." if given.no_lighthouse else ": there is no npx on the PATH."))
            else:
                chosen = {name: paths[name] for name in ("Ask", "Answer", "Card", "Drill")}
                fine = scores(address, chosen, desktop=given.desktop) and fine
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
