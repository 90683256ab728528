"""The command line as a process: what it prints, its exit codes, and that nothing makes it show a traceback."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SAID_BY_A_BUG = ("Traceback", "This is a bug", "Exception ignored")
QUESTION = "Why not Kafka for a simple task queue?"


def tutor(
    home: Path, *arguments: str | bytes, stdin: bytes = b"", code: int | None = 0, **variables: str
) -> subprocess.CompletedProcess[bytes]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TUTOR_")}
    environment |= {"TUTOR_HOME": str(home), "COLUMNS": "80", **variables}
    done = subprocess.run(
        [sys.executable, "-m", "tutor", *arguments], input=stdin, capture_output=True, env=environment, timeout=120
    )
    said = done.stderr.decode("utf-8", "replace")
    assert not any(words in said for words in SAID_BY_A_BUG), said
    assert code is None or done.returncode == code, said
    return done


def shell(home: Path, command: str) -> tuple[int, str, str]:
    """A pipeline; ``$TUTOR`` is the command. The exit code is the first one that is not 0."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TUTOR_")}
    environment |= {"TUTOR_HOME": str(home), "COLUMNS": "80"}
    text = command.replace("$TUTOR", f"'{sys.executable}' -m tutor")
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", text], capture_output=True, text=True, env=environment, timeout=120
    )
    assert not any(words in done.stderr for words in SAID_BY_A_BUG), done.stderr
    return done.returncode, done.stdout, done.stderr


def rows(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def jsonl(*lines: dict[str, Any]) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


@pytest.fixture(scope="module")
def home(curriculum_home: Path) -> Path:
    return curriculum_home


# --- the stable interface -------------------------------------------------------------------------------------------


def test_search_lines(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes(jsonl({"id": "a", "question": QUESTION}, {"id": 2, "question": "quorum reads", "more": 1}))
    from_file = rows(tutor(home, "search", "--batch", str(path), "-k", "3"))
    from_pipe = rows(tutor(home, "search", "-k", "3", "--batch", "-", stdin=path.read_bytes()))
    assert [row["id"] for row in from_file] == ["a", 2]
    for row, other in zip(from_file, from_pipe, strict=True):
        assert list(row) == ["id", "hits", "ms", "stages"]
        assert list(row["stages"]) == ["clean", "expand", "encode", "query", "order"]
        assert row["hits"] == other["hits"]
        assert len(row["hits"]) == 3
        assert isinstance(row["ms"], float)
        for hit in row["hits"]:
            assert list(hit) == ["doc_id", "chunk_id", "covers", "score"]
            assert isinstance(hit["doc_id"], str)
            assert isinstance(hit["chunk_id"], str)
            assert isinstance(hit["score"], float)
            assert all(isinstance(item, str) for item in hit["covers"])
    assert from_file[0]["hits"][0]["covers"] == ["guide/apache-kafka-deep-dive"]


def test_timings_are_shown_where_asked_for(home: Path) -> None:
    plain, timed = (tutor(home, "ask", *more, QUESTION).stdout.decode() for more in ([], ["--timings"]))
    assert timed.startswith(plain)
    shown = timed.removeprefix(plain)
    assert re.match(r"\nAnswered in \d+\.\d ms:\n  clean +\d+\.\d\d\n", shown)
    (row,) = rows(tutor(home, "ask", "--json", QUESTION))
    assert [line.split()[0] for line in shown.splitlines()[2:]] == [*row["stages"], "the"]
    assert sum(row["stages"].values()) <= row["ms"] + 0.1


def test_search_by_document_has_one_hit_a_document(home: Path) -> None:
    asked = jsonl({"id": 1, "question": "leader election"})
    for rerank in ("--rerank", "--no-rerank"):
        (row,) = rows(tutor(home, "search", "--by", "doc", rerank, "--batch", "-", stdin=asked))
        documents = [hit["doc_id"] for hit in row["hits"]]
        assert len(documents) == len(set(documents)) > 3


def test_ask_lines(home: Path) -> None:
    asked = jsonl({"id": "a", "question": QUESTION}, {"id": "b", "question": "How do I bake sourdough bread?"})
    answered, abstained = rows(tutor(home, "ask", "--batch", "-", stdin=asked))
    for row in (answered, abstained):
        assert {"id", "answer", "citations", "abstained", "confidence", "nearest", "ms", "stages"} <= set(row)
        assert 0.0 <= row["confidence"] <= 1.0
        assert isinstance(row["ms"], float)
        for near in row["nearest"]:
            assert {"doc_id", "title", "covers"} <= set(near)
    assert answered["abstained"] is False
    assert [c["n"] for c in answered["citations"]] == list(range(1, len(answered["citations"]) + 1))
    for citation in answered["citations"]:
        assert {"n", "doc_id", "chunk_id", "start", "end", "quote", "covers"} <= set(citation)
        assert citation["end"] - citation["start"] == len(citation["quote"])
        # Of a row of a table the cells are quoted, and each is said behind the head of its column.
        said = answered["answer"].split(f" [{citation['n']}]")[0].splitlines()[-1]
        assert all(part in said for part in citation["quote"].replace("**", "").split(" | "))
    assert abstained["abstained"] is True
    assert abstained["citations"] == []
    assert abstained["nearest"]


def test_json_of_one_question(home: Path) -> None:
    asked = json.loads(tutor(home, "ask", "--json", QUESTION).stdout)
    assert not asked["abstained"]
    hits = json.loads(tutor(home, "search", "--json", "-k", "2", "quorum", "reads").stdout)["hits"]
    assert len(hits) == 2
    assert all(len(hit["text"]) == hit["end"] - hit["start"] for hit in hits)


def test_a_bad_question_is_its_lines_error(home: Path) -> None:
    asked = jsonl(
        {"id": 1, "question": ""},
        {"id": 2, "question": "a" * 20_000},
        {"id": 3, "question": "\u200b"},
        {"id": 4, "question": "kafka"},
    )
    for command in ("ask", "search"):
        found = rows(tutor(home, command, "--batch", "-", stdin=asked))
        assert [row["id"] for row in found] == [1, 2, 3, 4]
        assert ["empty" in row.get("error", "") for row in found] == [True, False, True, False]
        assert "20,000 characters" in found[1]["error"]
        assert "error" not in found[3]
        assert {*found[3]} <= {*found[0]}


BAD_LINES = {
    b"not json": "the line is not JSON (at character 1)",
    b"[1]": "the line is a list, not an object with 'id' and 'question'",
    b'"text"': "the line is text, not an object with 'id' and 'question'",
    b"null": "the line is null, not an object with 'id' and 'question'",
    b"{}": "the line has no 'id' and no 'question'",
    b'{"id": 1}': "the line has no 'question'",
    b'{"question": "x"}': "the line has no 'id'",
    b'{"id": 1, "question": null}': "'question' is null, not text",
    b'{"id": 1, "question": 5}': "'question' is a number, not text",
    b'{"id": 1, "question": ["a"]}': "'question' is a list, not text",
    b'{"id": 1, "question": "caf\xe9"}': "the line is not UTF-8 (at byte 27)",
    b"\xff\xfe": "the line is not UTF-8 (at byte 1)",
    b"\x00": "the line is not JSON (at character 1)",
    b"[" * 100_000: "the line is nested too deeply",
    b'{"id": ' + b"9" * 5000 + b', "question": "x"}': "the line has a number that is too long",
}


def test_bad_lines_are_named_and_the_others_are_done(home: Path) -> None:
    good = jsonl({"id": 1, "question": "kafka"})
    asked = good + b"\n" + b"\n".join(BAD_LINES) + b"\n" + good
    for command in ("ask", "search"):
        done = tutor(home, command, "--batch", "-", stdin=asked, code=2)
        assert [row["id"] for row in rows(done)] == [1, 1]
        said = done.stderr.decode().splitlines()
        assert said[:-1] == [f"tutor: -:{n}: {what}" for n, what in enumerate(BAD_LINES.values(), 3)]
        assert f"{len(BAD_LINES)} lines were left out" in said[-1]


def test_any_characters_come_back_as_json(home: Path) -> None:
    questions = [
        "\\ud800 kafka",
        "ka\\u0000fka",
        "什么是Kafka",
        "ما هو كافكا",
        "हिन्दी",
        "🦆",
        "\\u202ekafka",
        "<b>&amp;",
    ]
    asked = "".join(f'{{"id": "{q}", "question": "{q}"}}\n' for q in questions)
    wanted = [json.loads(line)["id"] for line in asked.splitlines()]
    for variables in ({}, {"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C"}):
        done = tutor(home, "search", "-k", "1", "--batch", "-", stdin=asked.encode(), **variables)
        assert [row["id"] for row in rows(done)] == wanted


def test_a_byte_order_mark_and_windows_line_ends_are_fine(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "bom.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + jsonl({"id": 1, "question": "kafka"}).replace(b"\n", b"\r\n") * 2)
    assert len(rows(tutor(home, "search", "-k", "1", "--batch", str(path)))) == 2


def test_common_options_may_stand_behind_the_command(home: Path, tmp_path: Path) -> None:
    index = Path(shutil.copytree(home / "index", tmp_path / "elsewhere"))
    asked = b'{"id": 1, "question": "What is a quorum?"}\n'
    for common in (["--index", str(index)], [f"--index={index}"]):
        assert len(rows(tutor(tmp_path / "bare", "search", "--batch", "-", *common, stdin=asked))) == 1
    assert not (tmp_path / "bare" / "index").exists()
    # behind "--" everything is the question's
    told = json.loads(tutor(home, "ask", "--json", "--", "Kafka", "partitions", "--index", "x").stdout)
    assert told["citations"]


def test_a_common_option_without_its_folder_is_named(home: Path) -> None:
    assert "--index" in tutor(home, "ask", "Kafka", "--index", code=2).stderr.decode()


def test_version_in_both_ways(home: Path) -> None:
    assert tutor(home, "--version").stdout == tutor(home, "version").stdout != b""


def test_an_empty_batch_is_done_at_once(home: Path) -> None:
    for command in ("ask", "search"):
        assert tutor(home, command, "--batch", "-").stdout == b""


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_batch_that_cannot_be_read_is_named(home: Path, name: str) -> None:
    assert f"{name}: cannot be read" in tutor(home, "ask", "--batch", name, code=2).stderr.decode()


# --- wrong use ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ask"], "give either a question"),
        (["search"], "give either a question"),
        (["ask", "x", "--batch", "-"], "give either a question"),
        (["ask", " \t"], "the question is empty"),
        (["search", "\u200b\u200d"], "the question is empty"),
        (["search", "x" * 20_000], "20,000 characters, the limit is 4,000"),
        (["search", "x", "-k", "0"], "1 to 200"),
        (["search", "x", "-k", "201"], "1 to 200"),
        (["search", "--batch", "-", "-k", "-1"], "1 to 200"),
        (["search", "x", "-k", "many"], "-k"),
        (["search", "x", "--by", "word"], "--by"),
        (["search", "x", "--filter", "phase"], "key=value"),
        (["search", "x", "--filter", "=4"], "key=value"),
        (["search", "x", "--filter", "phase=four"], "whole number"),
        (["search", "x", "--filter", "phase=" + "9" * 30], "whole number"),
        (["ask", "--batch", "-", "--filter", "colour=red"], "colour"),
        (["ask", "x", "--nope"], "--nope"),
        (["nope"], "nope"),
        (["--nope"], "--nope"),
        (["corpus", "nope"], "nope"),
        (["ingest", "--rebuild=maybe"], "--rebuild"),
        (["forget"], "PATHS"),
        (["serve", "--port", "http"], "--port"),
    ],
)
def test_wrong_use_is_exit_2(home: Path, arguments: list[str], said: str) -> None:
    done = tutor(home, *arguments, code=2)
    assert said.lower() in done.stderr.decode().lower()
    assert done.stdout == b""


def test_bytes_that_are_no_text_are_left_out(home: Path) -> None:
    assert b"kafka" in tutor(home, "search", "-k", "1", b"kaf\xffka caf\xe9").stdout
    assert b"empty" in tutor(home, "ask", b"\xff\xfe", code=2).stderr


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"TUTOR_NOPE": "1"}, "TUTOR_NOPE"),
        ({"TUTOR_SERVER_PORT": "x"}, "server.port"),
        ({"TUTOR_QDRANT": "{"}, "qdrant"),
    ],
)
def test_a_wrong_setting_is_exit_2(home: Path, variables: dict[str, str], said: str) -> None:
    for command in (["ask", "kafka"], ["config"]):
        assert said in tutor(home, *command, code=2, **variables).stderr.decode()
    done = tutor(home, "doctor", code=1, **variables)
    assert said in done.stdout.decode()


# --- where everything lives -----------------------------------------------------------------------------------------


def test_home_and_index_choose_the_place(tmp_path: Path) -> None:
    note = tmp_path / "note.md"
    note.write_text("# Zymurgy\n\nA quorum of brewers tastes the beer before it leaves.\n", encoding="utf-8")
    one, two = tmp_path / "one", tmp_path / "two"
    assert b"1 documents" in tutor(one, "--no-builtin", "ingest", str(note)).stdout
    tutor(one, "--no-builtin", "--index", str(two), "ingest", str(note))
    assert (one / "index" / "CURRENT").exists()
    assert (two / "CURRENT").exists()
    asked = ["search", "--json", "brewers"]
    found = tutor(tmp_path / "none", "--home", str(one), "--no-builtin", *asked)
    assert json.loads(found.stdout)["hits"][0]["doc_id"] == "note"
    found = tutor(tmp_path / "none", "--no-builtin", *asked, TUTOR_INDEX=str(two))
    assert json.loads(found.stdout)["hits"][0]["doc_id"] == "note"
    assert b"1 removed" in tutor(one, "--no-builtin", "forget", str(note)).stdout
    assert json.loads(tutor(one, "--no-builtin", *asked).stdout)["hits"] == []


@pytest.mark.parametrize("place", ["/dev/null", "/proc/nowhere"])
def test_a_home_that_cannot_be_is_named(place: str) -> None:
    for command in (["ask", "kafka"], ["ingest"]):
        done = tutor(Path(place), *command, code=1)
        assert place in done.stderr.decode()
    tutor(Path(place), "doctor", code=None)


def test_ingest_does_the_rest_and_says_what_failed(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "good.md").write_text("# Raft\n\nRaft elects one leader per term.\n", encoding="utf-8")
    (folder / "bad.pdf").write_bytes(b"%PDF-1.7 broken")
    done = tutor(tmp_path / "home", "--no-builtin", "ingest", str(folder), str(tmp_path / "missing"), code=1)
    said = done.stderr.decode()
    assert "bad.pdf" in said
    assert "missing" in said
    assert b"Indexed 1 documents" in done.stdout
    assert b"Nothing changed" in tutor(tmp_path / "home", "--no-builtin", "ingest", code=None).stdout


def test_a_refused_comparison_names_the_nearest_cards(home: Path) -> None:
    asked = "Kafka vs Pizza"
    said = " ".join(tutor(home, "ask", asked).stdout.decode().split())
    nearest = json.loads(tutor(home, "ask", "--json", asked).stdout)["nearest"]
    assert len(nearest) == 3
    assert said.endswith(f"The nearest cards are: {'; '.join(near['title'] for near in nearest)}.")


def test_ingest_and_doctor_count_the_same_files(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "good.md").write_text("# Raft\n\nRaft elects one leader per term.\n", encoding="utf-8")
    (folder / "same.md").write_text("# One\n\nA text.\n", encoding="utf-8")
    (folder / "same.txt").write_text("Another of that name.\n", encoding="utf-8")
    for n in range(3):
        (folder / f"bad{n}.pdf").write_bytes(b"%PDF-1.7 broken")
    front = "id: card\ntitle: x\ncovers: [y]\nphase: four\npriority: urgent"
    (folder / "card.md").write_text(f"---\n{front}\n---\nBody.\n", encoding="utf-8")
    (folder / "dead.md").symlink_to(tmp_path / "nowhere.md")
    (folder / "circle").symlink_to(folder, target_is_directory=True)
    (tmp_path / "docs-too").mkdir()
    (tmp_path / "docs-too" / "other.md").write_text("", encoding="utf-8")

    def ingest(*paths: Path, code: int | None = 0) -> tuple[str, int]:
        done = tutor(tmp_path / "home", "--no-builtin", "ingest", *map(str, paths), code=code)
        told = [line for line in done.stderr.decode().splitlines() if line.startswith("tutor: ")]
        return done.stdout.decode(), len(told)

    def listed() -> int:
        lines = tutor(tmp_path / "home", "--no-builtin", "doctor", code=None).stdout.decode().splitlines()
        return sum(line.startswith("warn  sources:") for line in lines)

    told = ingest(tmp_path / "docs", tmp_path / "docs-too", code=1)
    assert (told[1], listed()) == (8, 8)
    assert "as before" not in told[0]
    assert "8 files still cannot be indexed, as before: tutor doctor lists them." in ingest()[0]
    (folder / "new.pdf").write_bytes(b"%PDF-1.7 broken")
    out, told_now = ingest(code=1)
    assert (told_now, listed()) == (1, 9)
    assert "9 files cannot be indexed, 8 of them as before: tutor doctor lists them all." in out
    out, told_now = ingest(folder, code=1)  # asked for, so told again, the card too; the other folder is not
    assert told_now == 8
    assert "9 files cannot be indexed, 1 of them as before" in out


def test_a_wrong_card_is_told_line_by_line_in_the_doctor(tmp_path: Path) -> None:
    path = tmp_path / "card.md"
    front = "id: card\ntitle: x\ncovers: [y]\nphase: four\npriority: urgent"
    path.write_text(f"---\n{front}\n---\nBody.\n", encoding="utf-8")
    said = tutor(tmp_path / "home", "--no-builtin", "ingest", str(path), code=1).stderr.decode()
    assert f"tutor: {path}: " in said
    assert "fields are wrong\n  line 2: section: is missing" in said
    assert "\n  line 3: title: 'x' is too short" in said
    assert said.endswith("  All fields: tutor corpus schema\n")
    lines = tutor(tmp_path / "home", "--no-builtin", "doctor", code=None).stdout.decode().splitlines()
    for begin in ("line 3: title:", "line 4: covers, entry 1:", "line 5: phase:", "line 6: priority:", "All fields:"):
        assert [line for line in lines if line.startswith(f"        {begin}")], lines
    assert max(len(line) for line in lines if str(tmp_path) not in line) <= 80  # a path is never cut


# --- pipes, widths, terminals ---------------------------------------------------------------------------------------


def test_a_reader_that_leaves_is_no_error(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    path.write_bytes(jsonl({"id": 1, "question": "kafka"}) * 300)
    for command in (f"search --batch '{path}'", f"ask '{QUESTION}'", "config"):
        code, _, stderr = shell(home, f"$TUTOR {command} | head -c 1")
        assert (code, stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_under_the_output_is_said(home: Path) -> None:
    for command in (f"ask '{QUESTION}'", "search kafka --json"):
        code, _, stderr = shell(home, f"$TUTOR {command} > /dev/full")
        assert code == 1
        assert stderr.startswith("tutor: ")
        assert "space" in stderr


def test_closed_streams_are_no_bug(home: Path) -> None:
    assert shell(home, f"$TUTOR ask '{QUESTION}' >&-")[0] == 0
    code, _, stderr = shell(home, "$TUTOR search --batch - <&-")
    assert code == 2
    assert "closed" in stderr


def test_a_terminal_without_unicode_gets_escapes(home: Path) -> None:
    done = tutor(home, "ask", "What is kafak?", PYTHONIOENCODING="ascii")
    assert b"kafka" in done.stdout
    assert done.stdout.isascii()


@pytest.mark.parametrize(
    "arguments",
    [
        ["ask", QUESTION],
        ["ask", "How does Raft elect a leader?"],
        ["ask", "What is kafak?"],
        ["ask", "How do I bake sourdough bread?"],
        ["search", "quorum reads", "-k", "20"],
        ["search", "when not to use B-tree vs LSM-tree storage engines", "-k", "20"],
        ["doctor"],
        *[
            [*command, "--help"]
            for command in ([], ["ask"], ["search"], ["ingest"], ["forget"], ["serve"], ["mcp"], ["doctor"])
        ],
        *[[*command, "-h"] for command in (["config"], ["version"], ["corpus"], ["corpus", "check"])],
    ],
    ids=" ".join,
)
def test_eighty_columns_are_enough(home: Path, arguments: list[str]) -> None:
    lines = tutor(home, *arguments).stdout.decode().splitlines()
    assert lines
    assert max(map(len, lines)) <= 80


def test_wider_terminals_are_used_up_to_a_hundred_columns(home: Path) -> None:
    lines = tutor(home, "search", "quorum", COLUMNS="300").stdout.decode().splitlines()
    assert 80 < max(map(len, lines)) <= 100


def test_a_pipe_gets_no_colours(home: Path) -> None:
    assert b"\033" not in tutor(home, "ask", QUESTION).stdout


# --- the other commands ---------------------------------------------------------------------------------------------


def test_doctor_says_what_is_in_order(home: Path) -> None:
    text = tutor(home, "doctor").stdout.decode()
    assert "fail" not in text
    for part in ("settings", "versions", "encoder", "index", "sources", "disk"):
        assert part in text


def test_doctor_before_the_first_index(tmp_path: Path) -> None:
    text = tutor(tmp_path, "doctor", code=None).stdout.decode()
    assert "tutor ingest" in text


def test_config_lists_every_setting_and_hides_secrets(home: Path) -> None:
    done = tutor(
        home, "config", TUTOR_QDRANT_API_KEY="hush-hush", TUTOR_QDRANT_URL="https://me:hush-hush@example.org:6333"
    )
    text = done.stdout.decode()
    assert "hush" not in text
    assert "qdrant.api_key = *" in text
    assert "qdrant.url = https://***@example.org:6333    (TUTOR_QDRANT_URL)" in text
    assert f"home = {home}    (TUTOR_HOME)" in text
    assert f"index = {home / 'index'}    (TUTOR_INDEX)" in text
    for name in ("log", "corpus.builtin", "encoder.model", "search.rerank", "server.port"):
        assert f"\n{name} = " in text


def test_the_help_lists_every_command(home: Path) -> None:
    text = tutor(home, "--help").stdout.decode()
    for command in ("ask", "search", "ingest", "forget", "serve", "mcp", "doctor", "config", "version", "corpus"):
        assert f"\n  {command} " in text
    assert tutor(home, "-h").stdout.decode() == text


def test_version(home: Path) -> None:
    from importlib.metadata import version

    assert tutor(home, "version").stdout.decode().strip() == version("tutor-study")


def test_corpus_schema_is_a_json_schema(home: Path) -> None:
    import jsonschema

    schema = json.loads(tutor(home, "corpus", "schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert {"id", "title", "covers", "phase", "probes", "resources"} <= set(schema["properties"])


def test_corpus_check(home: Path, tmp_path: Path) -> None:
    assert b"all valid" in tutor(home, "corpus", "check").stdout
    (tmp_path / "bad.md").write_text("---\nid: bad\ntitle: [\n---\n", encoding="utf-8")
    done = tutor(home, "corpus", "check", str(tmp_path), code=1)
    assert "bad.md:" in done.stderr.decode()
    assert b": 1 problem." in done.stdout
    stats = tutor(home, "corpus", "stats").stdout.decode()
    assert stats.splitlines()[0].split() == ["shelf", "documents", "probes", "words"]
    assert "must-have points" in stats
    assert "no cards" in tutor(home, "corpus", "check", str(tmp_path / "none"), code=1).stderr.decode()
