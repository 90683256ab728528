"""``tutor eval`` as it is called: exit codes, refusals that name what is wrong, and the reports it writes."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tutor.bootstrap import App
from tutor.cli.main import main
from tutor.evals import ablate
from tutor.evals.baseline import Baseline, write_baseline
from tutor.evals.run import evaluate
from tutor.evals.sets import Sets
from tutor.settings import Settings

EVALS = Path(__file__).resolve().parents[2] / "evals"
SMALL = ("--suite", "retrieval", "--sample", "6")
WHOLE = ("--suite", "retrieval")
CASES = 46  # of the sets' questions; the gate takes them all


@pytest.fixture(scope="module")
def home(curriculum_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose evaluation finds its index made."""
    found = tmp_path_factory.mktemp("home")
    shutil.copytree(curriculum_home, found / "eval")
    return found


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sets without baseline and history, with an eighth of the questions."""
    left_out = shutil.ignore_patterns("baselines", "history", "bench")
    found = Path(shutil.copytree(EVALS, tmp_path_factory.mktemp("sets") / "evals", ignore=left_out))
    questions = found / "golden" / "questions.jsonl"
    lines = questions.read_text(encoding="utf-8").splitlines(keepends=True)[::8]
    assert len(lines) == CASES
    questions.write_text("".join(lines), encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def baseline(home: Path, few: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the product reaches now."""
    app = App(Settings(home=home / "eval"))
    app.ensure_index()
    report = evaluate(app, Sets(few), ("retrieval",))
    app.close()
    path = tmp_path_factory.mktemp("baseline") / "main.json"
    write_baseline(path, Baseline(reason="what these tests compare with", written="", report=report))
    return path


@pytest.fixture
def made(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scratch homes have the curriculum's index already: to make one takes half a minute, and is tested elsewhere."""
    chosen = ablate._with

    def with_index(settings: Settings, place: Path, search: dict[str, Any]) -> Settings:
        if not place.exists():
            shutil.copytree(home / "eval", place)
        return chosen(settings, place, search)

    monkeypatch.setattr(ablate, "_with", with_index)


@pytest.fixture
def sets(few: Path, tmp_path: Path) -> Path:
    """The sets with floors of its own and no baseline."""
    found = Path(shutil.copytree(few, tmp_path / "evals"))
    floors(found, {"retrieval.ndcg@10": 0.01})
    return found


def floors(sets: Path, wanted: dict[str, float]) -> None:
    (sets / "thresholds.json").write_text(json.dumps({"floors": wanted}), encoding="utf-8")


def tutor(home: Path, *arguments: object) -> int:
    return main(["--home", str(home), "eval", *map(str, arguments)])


def test_a_run_above_its_floors_passes_and_writes_every_report(
    home: Path, sets: Path, baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert tutor(home, "--sets", sets, *WHOLE, "--gate", "--baseline", baseline, "--report", out) == 0
    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= 80
    assert told.startswith("tutor eval: pass")
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert [s["name"] for s in report["suites"]] == ["retrieval"]
    assert len(report["suites"][0]["cases"]) == CASES
    assert ET.parse(out / "junit.xml").getroot().tag == "testsuites"
    assert "<html" in (out / "report.html").read_text(encoding="utf-8")
    assert (out / "comment.md").read_text(encoding="utf-8")
    assert not (sets / "history").exists(), "only a baseline makes history"


def test_below_a_floor_is_1_with_the_gate_and_0_without(
    home: Path, sets: Path, baseline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    floors(sets, {"retrieval.ndcg@10": 1.01})
    assert tutor(home, "--sets", sets, *WHOLE, "--gate", "--baseline", baseline) == 1
    assert "below its floor of 1.01" in capsys.readouterr().out
    assert tutor(home, "--sets", sets, *SMALL) == 0


def test_the_report_is_json_where_it_is_asked_for(home: Path, sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tutor(home, "--sets", sets, *SMALL, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sample"] == 6
    assert told["verdict"]["sampled"] and told["verdict"]["findings"] == []


def test_a_sample_is_not_judged(home: Path, sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    floors(sets, {"retrieval.ndcg@10": 1.01})
    assert tutor(home, "--sets", sets, *SMALL, "--report", tmp_path) == 0
    assert capsys.readouterr().out.startswith("tutor eval: sampled: not judged")
    assert "<failure" not in (tmp_path / "junit.xml").read_text(encoding="utf-8")
    assert "not judged" in (tmp_path / "comment.md").read_text(encoding="utf-8").splitlines()[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--suite", "retreival"), "there is no suite 'retreival'"),
        (("--ablate", "--gate"), "an experiment is no gate"),
        (("--ablate", "--baseline", "main.json"), "an experiment has no --baseline"),
        (("--ablate", "--suite", "retrieval"), "an experiment has no --baseline or (with --ablate) --suite"),
        (("--gate", "--sample", "20"), "the floors are for whole sets"),
        (("--gate", "lint"), "--gate before 'lint' has no effect"),
        (("--update-baseline", "short"), "a baseline needs a reason"),
        (("--update-baseline", "a reason that is long enough", "--sample", "5"), "a baseline is a whole run"),
        (("--sets", "nowhere"), "no golden sets here"),
        (("--suite", "retrieval", "--baseline", "nothing.json"), "no baseline"),
        (("--compare", "a.toml", "b.toml"), "the settings cannot be read"),
    ],
)
def test_what_cannot_be_run_is_2_and_says_why(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert tutor(home, *arguments) == 2
    assert said in capsys.readouterr().err


def test_a_gate_needs_a_baseline(home: Path, sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tutor(home, "--sets", sets, *WHOLE, "--gate") == 2
    assert "no baseline" in capsys.readouterr().err


def test_a_broken_line_of_a_set_is_named(home: Path, sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open(sets / "golden" / "questions.jsonl", "a", encoding="utf-8") as file:
        file.write('{"id": "x"}\n')
    assert tutor(home, "--sets", sets, *SMALL) == 2
    assert f"questions.jsonl:{CASES + 1}: question: Field required" in capsys.readouterr().err


@pytest.mark.usefixtures("made")
def test_two_settings_are_compared_and_both_runs_kept(
    home: Path, sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other, out = tmp_path / "A.toml", tmp_path / "B.toml", tmp_path / "out"
    one.write_text("", encoding="utf-8")
    other.write_text("[search]\nrerank = false\n", encoding="utf-8")
    assert tutor(home, "--sets", sets, *SMALL, "--compare", one, other, "--report", out) == 0
    assert f"baseline: {one}" in " ".join(capsys.readouterr().out.split())
    before, after = (json.loads((out / n).read_text(encoding="utf-8")) for n in ("before.json", "report.json"))
    assert before["fingerprint"]["settings"]["search"]["rerank"] is True
    assert after["fingerprint"]["settings"]["search"]["rerank"] is False
    assert json.loads((out / "verdict.json").read_text(encoding="utf-8"))["unlike"] == ["settings"]
    assert "<html" in (out / "report.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("made")
def test_an_ablation_keeps_its_table_row_by_row(
    home: Path, sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ablate, "VARIANTS", ablate.VARIANTS[:2])
    assert tutor(home, "--sets", sets, "--ablate", "--sample", "6", "--report", tmp_path / "out") == 0
    told = capsys.readouterr().out
    assert (tmp_path / "out" / "ablation.md").read_text(encoding="utf-8") == told
    rows = json.loads((tmp_path / "out" / "ablation.json").read_text(encoding="utf-8"))
    assert [row["name"] for row in rows] == ["what ships", "BM25 alone"]
    assert rows[0]["p"] == 1.0 and rows[0]["index_mb"] > 1 and set(rows[0]["means"]) == set(ablate.MEASURES)


def spoil(path: Path, change: Callable[[Any], None]) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["report"].update(layout=2), "it is of layout 2, this version reads 1"),
        (lambda d: d["report"].update(sample=9), "a baseline is a whole run"),
        (lambda d: d["report"].update(suites=[]), "it has no cases of retrieval"),
        (lambda d: d["report"]["suites"][0]["cases"][0]["values"].update(mrr="NaN"), "is no number"),
    ],
)
def test_what_is_no_baseline_is_refused_before_anything_is_measured(
    home: Path,
    sets: Path,
    baseline: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Any], None],
    said: str,
) -> None:
    path = Path(shutil.copy(baseline, tmp_path / "spoilt.json"))
    spoil(path, change)
    for gate in (("--gate",), ()):
        assert tutor(home, "--sets", sets, *WHOLE, *gate, "--baseline", path) == 2
        told = capsys.readouterr()
        assert said in told.err
        assert "--update-baseline" in told.err
        assert told.out == ""


@pytest.mark.parametrize("arguments", [("lint", "--sets", "missing"), ("candidates", "--out", "taken")])
def test_a_check_that_cannot_run_is_no_fault(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    (tmp_path / "taken").write_text("here", encoding="utf-8")
    command, option, name = arguments
    assert tutor(home, command, option, tmp_path / name) == 2
    assert "cannot run" in capsys.readouterr().err


def test_the_sets_have_no_fault(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tutor(home, "lint") == 0
    assert "0 faults" in capsys.readouterr().out


def test_without_complaints_there_are_no_candidates(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tutor(home, "candidates") == 0
    assert "Nothing to review" in capsys.readouterr().out
