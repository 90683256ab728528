"""Progress that others can see: how far one is, in one file, and nothing of what one wrote."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tutor.cli.main import main

SECRET = "zebra-secret"


@pytest.fixture
def studied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path / "home"))
    assert main(["progress", "kafka", "--set", "mastered", "--note", SECRET]) == 0
    assert main(["log", f"I chose {SECRET} over Kafka."]) == 0
    assert main(["plan", "start", "28-days"]) == 0
    assert main(["plan", "done", "28-days", "day-01/notes"]) == 0
    capsys.readouterr()
    return tmp_path


def test_a_page_of_html_or_markdown_tells_how_far_one_is_and_no_more(
    studied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, text = studied / "p.html", studied / "p.md"
    assert main(["progress", "--share", str(page)]) == 0
    assert "No answers, notes or log entries are in it." in " ".join(capsys.readouterr().out.split())
    assert main(["progress", "--share", str(text), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": str(text)}
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    rows = {row.th.text: [cell.text for cell in row.find_all("td")] for row in soup.select("tr") if row.th}
    assert "1 of " in soup.p.text and "cards mastered" in soup.p.text
    (plan,) = [cells for name, cells in rows.items() if "28" in name]
    assert plan[1] == "1 of 224"
    assert [h.text for h in soup.find_all("h2")] == [
        "Readiness for an interview", "Cards by tier", "Cards by phase", "Plans",
    ]  # fmt: skip
    assert not soup.find_all(["script", "link", "img"])
    markdown = text.read_text(encoding="utf-8")
    assert "| 1 of 224 |" in markdown and "## Cards by phase" in markdown
    assert SECRET not in markdown and SECRET not in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--share", "p.pdf"], "neither .html nor .md"),
        (["kafka", "--share", "p.md"], "do not go together"),
        (["--share", "no/such/folder/p.md"], "cannot be written"),
    ],
)
def test_what_cannot_be_written_is_refused(
    studied: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(studied)
    assert main(["progress", *arguments]) != 0
    assert said in " ".join(capsys.readouterr().err.split())


def test_an_export_to_an_unknown_ending_is_refused(studied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(studied / "e.csv")]) == 2
    assert "'.csv' names no format" in capsys.readouterr().err and not (studied / "e.csv").exists()
    assert main(["export", str(studied / "e.csv"), "--format", "json"]) == 0, "where it is said it is meant"


def test_the_minutes_of_a_path_are_the_sum_of_its_cards(studied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tutor.settings import Settings
    from tutor.studying import open_study

    study = open_study(Settings(home=studied / "home"))
    found = study.path("kafka", ["replication"])
    study.close()
    assert main(["path", "kafka", "--from", "replication"]) == 0
    total = sum(stage.minutes for stage in found.stages)
    assert total < 90 and f"about {total} min, to read and to drill once" in capsys.readouterr().out


def test_a_reason_for_cards_of_a_custom_plan_is_given_in_full_once(
    studied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    until = (datetime.now(UTC) + timedelta(days=70)).date().isoformat()
    assert main(["plan", "custom", "--interview", until, "--track", "backend", "--hours", "8", "--preview"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.count("Tier 1: Services meet over a network") > 1
    assert said.count("Tier 1: Services meet over a network that fails: traffic, messages") == 1
