"""Speed and memory, in one run, beside a stock LlamaIndex pipeline.

    python evals/bench/speed.py [PATH…] [--stock] [--large]

Measures ``tutor ask`` in a cold process, warm search with and without the rerank, ingest, and the resident memory of
the serving process. ``--stock`` runs ``stock.py`` beside it (extras hf and llm, llama-index-embeddings-huggingface and
llama-index-retrievers-bm25) and prints ratios. ``--large`` searches 100,000 synthetic passages. The paths are ingested
beside the built-in curriculum. Every time is wall time on this machine; the ratios are what carries over.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from tutor.bootstrap import App
from tutor.retrieval.search import FUSED, RERANKED
from tutor.settings import Settings

SERVED = 400
QUESTIONS = (
    "Why not Kafka for a simple task queue?",
    "What is semantic caching?",
    "B-tree vs LSM tree for a write-heavy workload",
    "How does Raft elect a leader?",
    "When would you not use Redis as the primary store?",
    "What happens when a Cassandra replica is down during a write?",
    "How do you pick a partition key in DynamoDB?",
    "How many GPUs do I need to serve a 70B model?",
    "What is the difference between CAP and PACELC?",
    "How do I detect replication lag?",
)


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def cold(home: Path, runs: int = 9) -> float:
    """Median seconds of ``tutor ask`` in a fresh process."""
    times = []
    for i in range(runs):
        began = time.perf_counter()
        command = [sys.executable, "-m", "tutor", "--home", str(home), "ask", QUESTIONS[i % len(QUESTIONS)]]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def warm(app: App, repeat: int = 20) -> dict[str, tuple[float, float]]:
    """p50 and p95 milliseconds of a search, by ranking, and of a whole answer."""
    searcher = app.searcher
    found = {}
    for name, ranking in (("search, fused", FUSED), ("search, with MaxSim rerank", RERANKED)):
        for question in QUESTIONS:
            searcher.search(question, ranking=ranking)
        times = [searcher.search(q, ranking=ranking).ms for _ in range(repeat) for q in QUESTIONS]
        found[name] = (percentile(times, 0.5), percentile(times, 0.95))
    times = [app.answerer.ask(q).ms for _ in range(repeat) for q in QUESTIONS]
    found["ask"] = (percentile(times, 0.5), percentile(times, 0.95))
    return found


def serving_memory(home: Path) -> float:
    """Peak resident MB of ``tutor serve`` after ``SERVED`` questions: pages of the index come in one by one."""
    lines = (Path(__file__).parents[1] / "calibration" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [json.loads(line)["question"] for line in lines[:SERVED]]
    command = [sys.executable, "-u", "-m", "tutor", "--home", str(home), "serve", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        base = next(word for word in process.stdout.readline().split() if word.startswith("http"))
        for question in asked:
            body = json.dumps({"question": question}).encode()
            headers = {"content-type": "application/json"}
            urllib.request.urlopen(urllib.request.Request(f"{base}api/v1/ask", body, headers)).read()
        status = Path(f"/proc/{process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
    finally:
        process.terminate()
        process.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--stock", action="store_true")
    parser.add_argument("--large", action="store_true")
    args = parser.parse_args()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        app = App(Settings(home=home))
        report = app.ingest(args.paths)
        print(f"corpus: {report.documents} documents, {report.passages} passages; {os.cpu_count()} cores")
        print(f"ingest: {report.seconds:.1f} s, {report.encoded / report.seconds:.0f} passages/s")
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "tutor", "--home", folder, "ingest"], check=True, stdout=subprocess.DEVNULL
        )
        print(f"ingest again, nothing changed, cold process: {time.perf_counter() - began:.2f} s")
        print(f"ingest rate, 160-token passages: {encode_rate(app):.0f} passages/s")
        mine = warm(app)
        for name, (p50, p95) in mine.items():
            print(f"warm {name}: p50 {p50:.1f} ms, p95 {p95:.1f} ms")
        app.close()
        first = cold(home)
        print(f"cold tutor ask: median {first:.2f} s")
        if Path("/proc/self/status").exists():
            print(f"serving process after {SERVED} questions: peak {serving_memory(home):.0f} MB resident")
        if args.stock:
            from stock import measure

            theirs = measure([*args.paths, Path(__file__).resolve().parents[2] / "corpus"], QUESTIONS)
            print(
                f"stock pipeline: first answer {theirs.first_s:.1f} s, reranked p50 {theirs.reranked_ms:.0f} ms,",
                end=" ",
            )
            print(f"not reranked p50 {theirs.fused_ms:.1f} ms")
            print(f"ratio, first answer: {theirs.first_s / first:.0f} times")
            print(f"ratio, reranked query: {theirs.reranked_ms / mine['search, with MaxSim rerank'][0]:.0f} times")
        if args.large:
            from large import report

            print(report(home, 100_000))
    return 0


def encode_rate(app: App) -> float:
    """Passages of about 160 tokens encoded per second."""
    words = " ".join(p["text"] for p in app.reader.passages(["text"])).split()
    texts = [" ".join(words[i : i + 100]) for i in range(0, min(len(words), 12_800), 100)]
    texts = [t[: app.encoder.offsets(t)[min(159, len(app.encoder.offsets(t)) - 1)][1]] for t in texts]
    app.encoder.encode(texts[:8])
    began = time.perf_counter()
    app.encoder.encode(texts)
    return len(texts) / (time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(main())
