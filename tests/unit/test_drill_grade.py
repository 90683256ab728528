"""From the statuses of points to score, verdict and next moves; and eloquence told from substance."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tutor.curriculum.corpus import Corpus, load_corpus
from tutor.drill.calibration import CALIBRATION, Softmax, calibrated
from tutor.drill.evidence import FEATURES, FLAG_FEATURES, NEAR, Evidence, brevity, length
from tutor.drill.grade import (
    CAP,
    WRONG_FROM,
    FlagGrade,
    Grade,
    PointGrade,
    as_viewed,
    settle,
    together,
    verdict_features,
)
from tutor.drill.grading import DOUBTED, OTHERS, SURELY, believed, status_chances
from tutor.drill.judge import CONTRADICTED, MISSED, STATUSES, Status
from tutor.drill.reading import Window
from tutor.drill.rubric import Flag, Point, Rubric
from tutor.drill.substance import Substance

ROOT = Path(__file__).resolve().parents[2]
RUBRIC = Rubric(
    doc_id="kafka",
    title="Kafka",
    ask="Why not Kafka?",
    points=tuple(Point(id=f"p{n}", text=f"Claim {n}.", follow_up=f"What about {n}?") for n in range(4)),
    flags=(Flag(id=1, wrong="Kafka is a faster queue.", why="Reading removes nothing."),),
    lifts=("Names the limit.",),
)
FLAG = FlagGrade(id=1, wrong="Kafka is a faster queue.", why="Reading removes nothing.", evidence="x", start=0, end=1)


def points(*statuses: Status, sure: float = 0.9) -> list[PointGrade]:
    worth = {"missed": 0.0, "partly": 0.5, "covered": 1.0, "contradicted": 0.0}
    return [
        PointGrade(
            point=f"p{n}",
            status=status,
            confidence=sure,
            worth=worth[status] * sure,
            denied=sure if status == "contradicted" else (1 - sure) / 3,
        )
        for n, status in enumerate(statuses)
    ]


ALL, HALF, NONE, FALSE = (
    ["covered"] * 4,
    ["covered", "covered", "missed", "missed"],
    ["missed"] * 4,
    ["contradicted"] * 4,
)


@pytest.mark.parametrize(("statuses", "verdict"), [(ALL, "strong"), (HALF, "mixed"), (NONE, "weak"), (FALSE, "wrong")])
@pytest.mark.parametrize("fitted", [True, False])
def test_the_verdict_follows_the_points(statuses: list[Status], verdict: str, fitted: bool) -> None:
    by = calibrated().verdict if fitted else None
    assert settle(RUBRIC, points(*statuses), [], [], words=100, by=by).verdict == verdict


@pytest.mark.parametrize("by", [None, calibrated().verdict])
def test_scores_rise_with_the_points_and_one_falsehood_caps_them(by: Softmax | None) -> None:
    scores = [settle(RUBRIC, points(*s), [], [], words=100, by=by).score for s in (FALSE, NONE, HALF, ALL)]
    assert scores[0] <= scores[1] < scores[2] < scores[3]
    one_false = settle(RUBRIC, points("covered", "covered", "covered", "contradicted"), [], [], words=100, by=by)
    assert one_false.score <= CAP and one_false.verdict in ("mixed", "wrong")
    flagged = settle(RUBRIC, points(*ALL), [FLAG], [], words=100, flag_chance=0.9, by=by)
    assert flagged.score <= CAP and flagged.verdict in ("mixed", "wrong")
    assert scores[3] > CAP


@pytest.mark.parametrize("by", [None, calibrated().verdict])
def test_the_verdict_never_says_more_than_the_points_show(by: Softmax | None) -> None:
    for sure in (0.4, 0.6, 0.9):
        nothing = settle(RUBRIC, points(*NONE, sure=sure), [], [], words=12, by=by)
        assert nothing.verdict == "weak"
        denied = settle(RUBRIC, points("contradicted", *NONE[1:], sure=sure), [], [], words=12, by=by)
        assert denied.verdict == ("wrong" if sure > WRONG_FROM else "weak") and denied.score <= nothing.score
        half = settle(RUBRIC, points(*HALF, sure=sure), [], [], words=100, by=by)
        assert half.verdict != "wrong"


def evidence(value: float, affinity: float = 0.6, *, deniable: bool = True, denial: float = 0.0) -> Evidence:
    nowhere = Window(0, 1, "x", 0)
    features = np.full(len(FEATURES), value, dtype=np.float32)
    return Evidence(features, nowhere, nowhere, affinity=affinity, deniable=deniable, denial=denial)


def test_what_is_not_near_is_missed_and_what_nobody_denies_is_not_contradicted() -> None:
    by = calibrated().status
    for value in (-9.0, -1.0, 0.0, 1.0, 9.0):
        assert status_chances(by, evidence(value, NEAR - 0.01))[MISSED] == 1
        assert status_chances(by, evidence(value, deniable=False))[CONTRADICTED] == 0
        unsure = status_chances(by, evidence(value, denial=0.999999))
        assert int(unsure.argmax()) != CONTRADICTED or unsure[CONTRADICTED] >= 0.999999


def denials(*chances: float) -> list[PointGrade]:
    """Points that are likeliest denied, each with this chance; covered where it is below a half."""
    return [
        PointGrade(
            point=f"p{n}",
            status="contradicted" if chance >= 0.5 else "covered",
            evidence="x",
            end=1,
            confidence=max(chance, 1 - chance),
            worth=0.0 if chance >= 0.5 else 1 - chance,
            denied=chance,
        )
        for n, chance in enumerate(chances)
    ]


@pytest.mark.parametrize("by", [None, calibrated().verdict])
def test_nobody_is_accused_on_a_middling_chance(by: Softmax | None) -> None:
    for chance in (0.5, 0.6, 0.7, 0.9):
        found = believed(denials(chance, 0.1, 0.1, 0.1))
        assert [p.status for p in found] == ["missed", "covered", "covered", "covered"]
        assert found[0].unsure and found[0].note == DOUBTED and found[0].evidence == ""
        assert found[0].denied == chance  # still known
        grade = settle(RUBRIC, found, [], [], words=60, flag_chance=0.05, by=by)
        assert grade.verdict in ("mixed", "strong") and grade.score <= CAP  # nor does a falsehood pass for it
        alone = settle(RUBRIC, believed(denials(chance, chance / 2, 0.0, 0.0)), [], [], words=60, by=by)
        assert alone.verdict != "wrong"
    sure = believed(denials(SURELY, 0.1, 0.1, 0.1))
    assert sure[0].status == "contradicted" and sure[0].evidence == "x"


def test_an_answer_that_goes_against_the_other_points_too_is_believed_to() -> None:
    together_, apart = believed(denials(0.6, 0.6, 0.6, 0.6)), believed(denials(0.6, 0.6, 0.1, 0.1))
    assert {p.status for p in together_} == {"contradicted"}
    assert [p.status for p in apart] == ["missed", "missed", "covered", "covered"]
    assert believed(denials(0.94))[0].status == "missed"  # there are no others
    assert believed(denials(0.55, OTHERS))[0].status == "contradicted"


def test_no_verdict_of_wrong_rests_on_middling_chances_alone() -> None:
    doubtful = points(*FALSE, sure=0.7)
    assert settle(RUBRIC, doubtful, [], [], words=100, by=calibrated().verdict).verdict == "weak"
    assert settle(RUBRIC, doubtful, [], [], words=100).verdict == "weak"
    told = [p.model_copy(update={"worth": None, "denied": 0.0}) for p in doubtful]  # by a grader without chances
    assert settle(RUBRIC, told, [], [], words=100).verdict == "wrong"


def test_length_stays_within_what_was_fitted() -> None:
    assert length(1) == length(25) < length(100) < length(300) == length(9_000)
    assert brevity(1) == brevity(20) == 1 > brevity(50) > brevity(80) == brevity(9_000) == 0


def test_a_reply_moves_the_point_it_was_asked_about_and_others_only_for_sure() -> None:
    before = settle(RUBRIC, points(*NONE), [], [], words=60)

    def after(*reply: Status, sure: float) -> Grade:
        return together(RUBRIC, before, settle(RUBRIC, points(*reply, sure=sure), [], [], words=20), "p0", 60)

    assert [p.status for p in after("partly", "partly", "missed", "missed", sure=0.9).points] == ["partly", *NONE[1:]]
    assert [p.status for p in after("covered", "covered", "missed", "missed", sure=0.7).points] == [
        "covered",
        *NONE[1:],
    ]
    assert [p.status for p in after("covered", "covered", "missed", "missed", sure=0.9).points] == HALF
    nothing = Grade(score=0.0, verdict="ungraded", points=tuple(points(*ALL)), reason="off the point")
    assert together(RUBRIC, before, nothing, "p0", 60) == before


def test_the_next_moves_correct_before_they_add_and_reach_for_the_next_level() -> None:
    grade = settle(RUBRIC, points("covered", "contradicted", "missed", "covered"), [], [False], words=100)
    assert grade.lifts == ("Correct: Claim 1.", "Add: Claim 2.")
    assert grade.follow_ups == ("What about 1?", "What about 2?")
    strong = settle(RUBRIC, points(*ALL), [], [False], words=100)
    assert (strong.level, strong.lifts) == ("senior", ("Names the limit.",))
    assert settle(RUBRIC, points(*ALL), [], [True], words=100).level == "staff"


def test_the_calibration_is_of_the_features_that_are_gathered() -> None:
    data = json.loads(CALIBRATION.read_text(encoding="utf-8"))
    known = calibrated()
    assert known.status.weight.shape == (len(STATUSES), len(data["features"]))
    assert data["features"] == list(FEATURES)
    assert known.flag.weight.shape == (2, len(FLAG_FEATURES))
    assert known.verdict.weight.shape == (4, len(verdict_features(points(*ALL), 0.0, 10)))
    assert 0 < known.flag_from < 1
    assert np.isclose(known.status(np.zeros(len(data["features"]), dtype=np.float32)).sum(), 1)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_corpus(ROOT / "corpus")


def test_eloquence_has_no_substance_and_plain_claims_have(corpus: Corpus) -> None:
    substance = Substance(corpus)
    eloquent = (
        "Every organization is on its own journey, and what matters most is that everybody feels heard. I would sit "
        "down with all the people involved, weigh up what is important to them, and then find the balance that serves "
        "us best in the long run."
    )
    plain = "Two people press the same button at once; the second one must see that the seat has gone and pick another."
    assert substance(eloquent) < 0 < substance(plain)
    assert substance("") == 0


def test_a_disputed_red_flag_is_as_if_it_had_not_been_raised() -> None:
    statuses: list[Status] = ["covered", "covered", "covered", "missed"]
    given = settle(RUBRIC, points(*statuses), [FLAG], [False], words=60, flag_chance=0.9, by=calibrated().verdict)
    without = settle(RUBRIC, points(*statuses), [], [False], words=60, flag_chance=0.0, by=calibrated().verdict)
    assert given.score == CAP < without.score
    assert as_viewed(RUBRIC, given, {"!1": "not-said"}) == without
    assert as_viewed(RUBRIC, given, {"!1": "said", "!2": "not-said"}) == given
