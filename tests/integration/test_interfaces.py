"""The interfaces that are used to measure, as a process sees them: exit codes, JSON lines, widths, no tracebacks."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def home(curriculum_home: Path) -> Path:
    return curriculum_home


def run(home: Path, *arguments: str, stdin: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TUTOR_")}
    environment |= {"TUTOR_HOME": str(home), "COLUMNS": "80", **variables}
    return subprocess.run(
        [sys.executable, "-m", "tutor", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )


BATCH = """{"id": "a", "question": "Why not Kafka for a task queue?"}

{"id": 2, "question": ""}
{"id": "c", "question": "egg"}
"""


def test_search_batch_by_document(home: Path) -> None:
    done = run(home, "search", "--batch", "-", "--by", "doc", "-k", "5", stdin=BATCH)
    assert done.returncode == 0
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [r["id"] for r in rows] == ["a", 2, "c"]
    assert set(rows[0]) == {"id", "hits", "ms", "stages"}
    assert set(rows[0]["hits"][0]) == {"doc_id", "chunk_id", "covers", "score"}
    documents = [h["doc_id"] for h in rows[0]["hits"]]
    assert documents[0] == "kafka"
    assert len(set(documents)) == len(documents) == 5
    scores = [h["score"] for h in rows[0]["hits"]]
    assert scores == sorted(scores, reverse=True)
    assert rows[1]["hits"] == []
    assert "empty" in rows[1]["error"]


def test_search_batch_from_a_file_without_rerank(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(BATCH, encoding="utf-8")
    plain = run(home, "search", "--batch", str(path), "--no-rerank")
    reranked = run(home, "search", "--batch", str(path), "--rerank")
    assert plain.returncode == reranked.returncode == 0
    first = [[h["score"] for h in json.loads(out.stdout.splitlines()[0])["hits"]] for out in (plain, reranked)]
    assert first[0] != first[1]


def test_ask_batch(home: Path) -> None:
    done = run(home, "ask", "--batch", "-", stdin=BATCH)
    assert done.returncode == 0
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    for key in ("id", "answer", "citations", "abstained", "confidence", "nearest", "ms"):
        assert all(key in row for row in rows)
    citation = rows[0]["citations"][0]
    for key in ("n", "doc_id", "chunk_id", "start", "end", "quote", "covers"):
        assert key in citation
    assert not rows[0]["abstained"]
    assert citation["covers"] == ["guide/apache-kafka-deep-dive"]
    assert rows[2]["abstained"]
    assert rows[2]["citations"] == []
    assert rows[2]["nearest"]


@pytest.mark.parametrize("line", ["nonsense", "[]", '{"id": 1}', '"text"'])
def test_batch_names_the_bad_line(home: Path, line: str) -> None:
    done = run(home, "ask", "--batch", "-", stdin=f'{{"id": 1, "question": "What is Raft?"}}\n{line}\n')
    assert done.returncode == 2
    assert "-:2" in done.stderr
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["ask"], 2, "give either a question or --batch"),
        (["ask", ""], 2, "empty"),
        (["ask", "a" * 20_000], 2, "20,000 characters"),
        (["ask", "--nope"], 2, "--nope"),
        (["nope"], 2, "nope"),
        (["search", "x", "-k", "0"], 2, "1 to 200"),
        (["search", "x", "--filter", "bogus=1"], 2, "bogus"),
        (["search", "x", "--filter", "phase"], 2, "key=value"),
        (["search", "x", "--by", "page"], 2, "page"),
        (["ask", "--batch", "missing.jsonl"], 2, "missing.jsonl"),
        (["ingest", "missing.pdf"], 1, "missing.pdf"),
        (["forget", "missing"], 1, "missing"),
        (["corpus", "check", "missing"], 1, "missing"),
        (["serve", "--port", "70000"], 2, "port"),
    ],
)
def test_what_goes_wrong_is_said_and_told_by_the_exit_code(
    home: Path, arguments: list[str], code: int, said: str
) -> None:
    done = run(home, *arguments)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_unknown_setting_is_refused(home: Path) -> None:
    done = run(home, "ask", "What is Raft?", TUTOR_NOPE="1")
    assert done.returncode == 2
    assert "TUTOR_NOPE" in done.stderr


@pytest.mark.parametrize(
    "question", ["什么是Kafka", "ما هو كافكا", "🦆🦆", "' OR 1=1; --", "a\x00b\x07 raft?", "%s {x}"]
)
def test_odd_questions_are_answered_or_refused(home: Path, question: str) -> None:
    done = run(home, "ask", "--batch", "-", stdin=json.dumps({"id": 1, "question": question}) + "\n")
    assert done.returncode == 0, done.stderr
    assert isinstance(json.loads(done.stdout)["abstained"], bool)


@pytest.mark.parametrize(
    "arguments",
    [
        ["ask", "Why not Kafka for a simple task queue?"],
        ["ask", "Who won the world cup?"],
        ["search", "quorum reads", "-k", "5"],
        ["--help"],
        ["ask", "--help"],
        ["ingest", "--help"],
    ],
)
def test_fits_eighty_columns(home: Path, arguments: list[str]) -> None:
    done = run(home, *arguments)
    assert done.returncode == 0
    assert max(len(line) for line in done.stdout.splitlines()) <= 80


def test_index_option_chooses_the_place_and_the_first_question_fills_it(home: Path, tmp_path: Path) -> None:
    done = run(home, "--index", str(tmp_path / "elsewhere"), "search", "quorum", "--json", "-k", "1")
    assert done.returncode == 0
    assert (tmp_path / "elsewhere" / "CURRENT").is_file()


def test_no_builtin_leaves_the_curriculum_out(tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text("# Quorum notes\n\nA quorum of three replicas is two of them.\n")
    done = run(tmp_path / "home", "--no-builtin", "ingest", str(tmp_path / "note.md"))
    assert done.returncode == 0
    assert "1 documents" in done.stdout
    found = run(tmp_path / "home", "--no-builtin", "search", "--json", "quorum")
    assert {h["doc_id"] for h in json.loads(found.stdout)["hits"]} == {"note"}


def test_reader_that_leaves_early_is_no_error(home: Path) -> None:
    command = f"'{sys.executable}' -m tutor --home '{home}' search quorum -k 200 --json | head -c 10"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_schema_config_version_and_check(home: Path) -> None:
    schema = json.loads(run(home, "corpus", "schema").stdout)
    assert {"id", "covers", "probes", "resources"} <= set(schema["properties"])
    assert "qdrant.api_key = **" in run(home, "config", TUTOR_QDRANT_API_KEY="s3cret").stdout
    assert run(home, "version").stdout.strip()
    checked = run(home, "corpus", "check")
    assert checked.returncode == 0
    assert "all valid" in checked.stdout


def test_the_query_path_imports_nothing_heavy(home: Path) -> None:
    program = (
        "import sys; from tutor.cli.main import main; code = main(['ask', 'What is Raft?']); "
        "heavy = {'torch', 'sentence_transformers', 'llama_index', 'fastapi', 'pypdf', 'docx', 'qdrant_client'}; "
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    environment = os.environ | {"TUTOR_HOME": str(home)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0
    assert done.stderr.strip() == "[]"
