"""Where a judge model may be asked, how its agreement is counted, and the rows that it is measured with."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from tutor.errors import SettingsError
from tutor.evals.agreement import JudgeLabel, cohen
from tutor.evals.judge_address import check
from tutor.evals.judged import Score
from tutor.evals.sets import rows
from tutor.settings import JudgeSettings, load_settings

ROOT = Path(__file__).resolve().parents[2]
LABELS = list(rows(ROOT / "evals" / "golden" / "judge_labels.jsonl", JudgeLabel))


def settings(url: str, key: str = "hush-hush", model: str = "m") -> JudgeSettings:
    return JudgeSettings(url=url, model=model, api_key=SecretStr(key))  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:11434",
        "ftp://example.org",
        "file:///etc/passwd",
        "https://",
        "http://me:pw@example.org",
        "http://me@example.org",
        "http://example.org:port",
        "http://[::1",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check(settings(url))
    assert caught.value.about == "judge.url"
    assert "TUTOR_JUDGE" in caught.value.fix
    assert "hush" not in caught.value.message and "pw" not in caught.value.message


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/v1",
        "http://127.0.0.1:11434/v1",
        "http://127.8.8.8",
        "http://localhost/v1",
        "http://[::1]:8080",
        "HTTPS://EXAMPLE.ORG",
    ],
)
def test_the_key_is_safe_on_the_way(url: str) -> None:
    assert check(settings(url)) == ()


@pytest.mark.parametrize("url", ["http://example.org/v1", "http://10.0.0.5:8000", "http://localhost.example.org"])
def test_a_key_in_the_open_is_warned_of(url: str) -> None:
    (note,) = check(settings(url))
    assert "unencrypted" in note and "hush" not in note
    assert check(settings(url, key="")) == ()


def test_a_model_must_be_named() -> None:
    with pytest.raises(SettingsError, match="TUTOR_JUDGE_MODEL"):
        check(settings("https://example.org", model=""))


def test_the_section_is_read_and_its_key_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().judge.url == ""
    monkeypatch.setenv("TUTOR_JUDGE_API_KEY", "hush-hush")
    monkeypatch.setenv("TUTOR_JUDGE_MAX_CASES", "7")
    monkeypatch.setenv("TUTOR_JUDGE_TIMEOUT_S", "2.5")
    found = load_settings()
    assert (found.judge.api_key.get_secret_value(), found.judge.max_cases, found.judge.timeout_s) == (
        "hush-hush",
        7,
        2.5,
    )
    assert "hush" not in repr(found)
    with pytest.raises(ValidationError):
        JudgeSettings(max_cases=0)  # type: ignore[call-arg]


def test_bounds_say_what_failures_hide() -> None:
    assert Score(mean=0.8, judged=8, failed=2).bounds == (pytest.approx(0.64), pytest.approx(0.84))
    assert Score(mean=None, judged=0, failed=3).bounds == (0.0, 1.0)
    assert Score(mean=None, judged=0, failed=0, left=4).bounds == (0.0, 1.0)


@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        ((20, 0, 0, 20), 1.0),
        ((0, 20, 20, 0), -1.0),
        ((20, 5, 10, 15), 0.4),  # yes/yes, yes/no, no/yes, no/no: the example in Cohen's kappa on Wikipedia
        ((10, 10, 10, 10), 0.0),
        ((40, 0, 0, 0), 0.0),
        ((0, 0, 0, 0), 0.0),
    ],
)
def test_cohens_kappa(table: tuple[int, int, int, int], kappa: float) -> None:
    answers = [(True, True), (True, False), (False, True), (False, False)]
    pairs = [pair for pair, count in zip(answers, table, strict=True) for _ in range(count)]
    assert cohen(pairs) == pytest.approx(kappa)


def test_the_labels_are_half_bad_and_the_two_questions_independent() -> None:
    assert Counter((row.faithful, row.covers) for row in LABELS) == {
        (faithful, covers): 10 for faithful in (True, False) for covers in (True, False)
    }
    assert len({row.id for row in LABELS}) == len({row.answer for row in LABELS}) == 40


def test_the_contexts_stand_in_the_curriculum() -> None:
    corpus = "\n".join(
        path.read_text(encoding="utf-8").replace("**", "") for path in (ROOT / "corpus" / "cards").glob("*.md")
    )
    missing = [(row.id, context) for row in LABELS for context in row.contexts if context not in corpus]
    assert missing == []


def test_length_does_not_give_the_label_away() -> None:
    for label in ("faithful", "covers"):
        means = [sum(len(row.answer) for row in LABELS if getattr(row, label) is value) / 20 for value in (True, False)]
        assert 0.5 < means[0] / means[1] < 2.0
