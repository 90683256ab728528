"""Errors of studying as pages tell them, and days as people say them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from tutor.errors import StudyFault, TutorError, UsageError
from tutor.settings import Settings
from tutor.studying import open_study, plans_of
from tutor.web.page_words import day_words, field_of, in_days, on_page, span_words

DAY = date(2026, 11, 22)


def test_days_as_people_say_them() -> None:
    assert day_words(DAY, DAY) == "Sun 22 Nov" and day_words(date(2027, 1, 2), DAY) == "Sat 2 Jan 2027"
    assert day_words(None, DAY) == "" and span_words(DAY, DAY, DAY) == "Sun 22 Nov"
    assert span_words(DAY, date(2026, 12, 1), DAY) == "Sun 22 Nov to Tue 1 Dec"
    assert [in_days(n) for n in (0, 1, 2, 59, 91)] == ["today", "tomorrow", "in 2 days", "in 59 days", "in 3 months"]


def test_no_error_of_plans_sends_to_a_terminal(tmp_path: Path) -> None:
    study = open_study(Settings(home=tmp_path))
    plans = plans_of(study)
    plans.start("28-days")
    soon, later = plans.today + timedelta(days=9), plans.today + timedelta(days=60)
    made = plans.choose(interview=soon, track="backend", hours=2)
    calls = [
        lambda: plans.start("28-days"),
        lambda: plans.start("12-weeks", start=plans.today - timedelta(days=1)),
        lambda: plans.start("12-weeks", until=plans.today + timedelta(days=4)),
        lambda: plans.start("12-weeks", hours=0.1),
        lambda: plans.start("12-weeks", pace=1, hours=3),
        lambda: plans.start("technical-excellence", pace=2),
        lambda: plans.start("nothing"),
        lambda: plans.of("custom"),
        lambda: plans.of("12-weeks"),
        lambda: plans.ways("28-days"),
        lambda: plans.done("28-days", []),
        lambda: plans.done("28-days", ["zzz"]),
        lambda: plans.skip([]),
        lambda: plans.skip(["2020-01-01"]),
        lambda: plans.take_up(made),
        lambda: plans.choose(interview=plans.today, track="ml", hours=3),
        lambda: plans.choose(interview=plans.today + timedelta(days=900), track="ml", hours=3),
        lambda: plans.choose(interview=later, track="sales", hours=3),
        lambda: plans.choose(interview=later, track="ml", hours=3, known=["zzz"]),
        lambda: study.round(0),
        lambda: study.review("zzz", 3),
    ]
    for number, call in enumerate(calls):
        with pytest.raises(TutorError) as caught:
            call()
        shown = on_page(caught.value)
        said = f"{shown.about} {shown.fix}"
        assert "tutor " not in said and "--" not in said, (number, said)
        assert shown.what == caught.value.what
    study.close()


def test_an_error_names_its_field_and_stays_transient() -> None:
    assert field_of(UsageError("x", about="--until")) == "until" and field_of(UsageError("x", about="?")) == ""
    assert field_of(None) == ""
    fault = StudyFault("busy")
    fault.transient = True
    assert on_page(fault).transient
