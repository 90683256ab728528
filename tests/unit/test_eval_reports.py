"""Reports of an evaluation: what they tell is what was measured, and no text in them breaks them."""

from __future__ import annotations

import io
import math
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt
from rich.cells import cell_len
from rich.console import Console

from report_data import NASTY, fingerprint, history, report, verdict
from tutor.errors import TutorError
from tutor.evals.record import Case, Suite
from tutor.evals.report import charts, junit, markdown, page, terminal, trend
from tutor.evals.report.rows import BOOKKEEPING, headline, rows, worst
from tutor.evals.report.seen import look
from tutor.evals.report.text import clean, difference, number, signed
from tutor.evals.verdict import Finding, Verdict

RUN = report()
VERDICT = verdict(RUN)
EMPTY = RUN.model_copy(update={"suites": ()})
NOTHING = Verdict(findings=())
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff\ufffe\uffff]")


def printed(run=RUN, gate=VERDICT, *, width: int = 80, encoding: str = "utf-8", colour: bool = False) -> str:  # type: ignore[no-untyped-def]
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    terminal.print_report(run, gate, Console(file=out, width=width, force_terminal=colour))
    out.flush()
    return raw.getvalue().decode(encoding)


# Figures and text


@pytest.mark.parametrize(
    ("value", "unlike", "shown"),
    [
        (None, None, "–"),
        (0.9296, None, "0.930"),
        (0.9296, 0.93, "0.9296"),
        (-0.0001, None, "0.000"),
        (84.26, None, "84.3"),
        (12345.6, None, "12,346"),
        (math.nan, 0.5, "NaN"),
        (math.inf, None, "∞"),
    ],
)
def test_a_figure_does_not_look_like_a_floor_that_it_missed(
    value: float | None, unlike: float | None, shown: str
) -> None:
    assert number(value, unlike) == shown


def test_a_difference_shows_its_sign_and_is_never_rounded_to_nothing() -> None:
    assert [signed(v) for v in (0.02, -0.02, 0.0, None, -0.00004)] == ["+0.020", "-0.020", "0", "–", "-0.00004"]


def test_a_diff_of_words_gives_both_texts_back() -> None:
    parts = list(difference("a b c d", "a x c d e"))
    assert " ".join(t for k, t in parts if k != "new") == "a b c d"
    assert " ".join(t for k, t in parts if k != "gone") == "a x c d e"
    assert ("gone", "b") in parts and ("new", "x") in parts


@pytest.mark.parametrize("seen", [{}, {"hits": None, "answer": 7}, {"hits": "text", "missing": "one"}, {"hits": [3]}])
def test_what_was_seen_may_have_any_shape(seen: dict[str, object]) -> None:
    case = Case(id="x", question="why?", kind="how", seen=seen)
    assert all(hit.name for hit in look(case).hits)
    failed = case.model_copy(update={"error": "ValueError: no"})
    run = RUN.model_copy(update={"suites": (Suite(name="answers", cases=(failed,)),)})
    assert "ValueError: no" in page.html(run, NOTHING, [])


# What all of them tell


def test_rows_carry_baseline_limit_and_verdict() -> None:
    found = {r.metric: r for some in rows(RUN, VERDICT).values() for r in some}
    recall = found["retrieval.recall@5"]
    assert recall.word == "FAIL" and recall.floor == 0.93 and not recall.ceiling
    assert recall.failed_slices == ("phase:4",)
    assert recall.change == pytest.approx(recall.value - 0.95)
    assert recall.low is not None and recall.high is not None and recall.low < recall.value < recall.high
    assert found["refusals.false_refusals"].ceiling and found["refusals.false_refusals"].low is None
    assert found["drill.kappa"].word == "ok" and found["answers.words"].word == ""


def test_a_slice_that_fails_shows_on_a_metric_that_passes() -> None:
    gate = Verdict(findings=(
        Finding(level="pass", metric="answers.key_facts", why="", value=0.7, floor=0.6),
        Finding(level="fail", metric="answers.key_facts", why="low", slice="kind:how", value=0.2, floor=0.4),
    ))  # fmt: skip
    row = next(r for r in rows(RUN, gate)["answers"] if r.name == "key_facts")
    assert row.word == "SLICE" and row.failed
    assert "SLICE" in printed(gate=gate) and "a slice fails" in page.html(RUN, gate, [])


def test_the_worst_are_those_that_did_not_run_then_the_lowest() -> None:
    found = worst(RUN)
    assert len(found) == 20 and found[0].score is None and found[0].cases[0][1].id == "g-060"
    scores = [b.score for b in found[1:] if b.score is not None]
    assert len(scores) == 19 and scores == sorted(scores)
    assert all(0 <= s < 1 for s in scores)  # milliseconds and words are no part of the mean
    assert {name for name, _ in found[1].cases} == {"retrieval", "answers"}
    assert not any(case.id.startswith("r-") for bad in found for _, case in bad.cases)


def test_a_run_without_a_gate_is_not_called_a_pass() -> None:
    assert headline(NOTHING).startswith("measured, not judged")
    assert headline(VERDICT) == "fail (4 of 7 checks)"


def test_a_sample_has_no_verdict_in_any_report() -> None:
    run = RUN.model_copy(update={"sample": 5})
    gate = Verdict(findings=(), sampled=True)
    said = "sampled: not judged"
    assert headline(gate).startswith(said)
    shown = printed(run, gate)
    assert shown.startswith(f"tutor eval: {said}") and shown.count(said) == 2
    comment = markdown.pull_request(run, gate).splitlines()[0].replace("\\", "")
    assert said in comment and "❌" not in comment and "✅" not in comment
    root = ET.fromstring(junit.xml(run, gate))
    assert (root.get("failures"), root.find("testsuite").get("skipped")) == ("0", "1")  # type: ignore[union-attr]
    assert said in root.find("testsuite/testcase/skipped").get("message")  # type: ignore[union-attr,operator]
    html = page.html(run, gate)
    assert '<h1 class="none">' in html and f"S{said[1:]}" in html


def test_nan_is_shown_and_breaks_nothing() -> None:
    bad = Case(id="n", question="what is it?", kind="how", values={"recall@5": math.nan})
    run = RUN.model_copy(update={"suites": (Suite(name="retrieval", cases=(bad,), totals={"kappa": math.nan}),)})
    gate = Verdict(findings=(Finding(level="fail", metric="retrieval.recall@5", why="NaN", value=math.nan, floor=0.9),))
    assert "NaN" in printed(run, gate)
    assert "NaN" in markdown.pull_request(run, gate)
    assert "NaN" in page.html(run, gate, [])
    ET.fromstring(junit.xml(run, gate))


# Terminal


def test_the_terminal_keeps_to_80_columns_and_starts_and_ends_with_the_verdict() -> None:
    told = printed()
    lines = [line for line in told.splitlines() if line]
    assert max(map(cell_len, lines)) <= 80
    assert lines[0] == "tutor eval: fail (4 of 7 checks)" and lines[-1].startswith("fail (4 of 7 checks) in 101 s")
    assert "\x1b" not in told and not CONTROL.search(told)
    assert "[red]markup[/red]" in told and ":smile:" in told  # rich's own marks are text here
    failed = told[told.index("\nFailed\n") :]
    assert failed.index("retrieval.recall@5") < failed.index("To be known") < failed.index("16 worse")
    changed = failed[: failed.index("1 could not be run")]
    assert len(re.findall(r"^- (?:retrieval|answers) g-", changed, re.MULTILINE)) == 20
    assert "and 6 more" in told and "and 5 more" in told


def test_the_terminal_has_a_row_for_every_metric() -> None:
    told = printed(width=100)
    for metric in RUN.metrics:
        suite, _, name = metric.partition(".")
        there = re.search(rf"^{re.escape(name)} ", told, re.MULTILINE) is not None
        assert there is not (suite == "refusals" and name in BOOKKEEPING), metric


def test_a_terminal_that_writes_ascii_only_gets_ascii() -> None:
    assert "recall@5" in printed(encoding="ascii")


def test_colour_is_there_where_the_terminal_has_it() -> None:
    assert "\x1b[" in printed(colour=True)


# Markdown


def test_a_comment_tells_the_verdict_first() -> None:
    told = markdown.pull_request(RUN, VERDICT)
    assert told.splitlines()[0] == r"### ❌ tutor eval: fail \(4 of 7 checks\)"
    assert len(told) < markdown.LIMIT
    assert markdown.pull_request(RUN, NOTHING).startswith("### ℹ️")


def test_a_comment_is_not_broken_by_what_it_quotes() -> None:
    told = markdown.pull_request(RUN, VERDICT)
    assert not CONTROL.search(told)
    made = MarkdownIt("commonmark", {"html": True}).enable("table").render(told)
    tree = Outline()
    tree.feed(made)
    assert tree.problems == []
    assert not {"script", "a", "em"} & set(tree.tags)
    assert tree.tags.count("details") == 3  # worse, better, could not be run
    assert tree.tags.count("h3") == 1 and "h2" not in tree.tags
    assert not re.search(r"(?<!\w)@everyone|(?<!&)#12\b", tree.text)  # no user told, no issue linked
    assert "<span>$</span>x^2" in made and "$" not in made.replace("<span>$</span>", "")
    cells = [row.count("|") for row in re.findall(r"^\|.*\|$", told, re.MULTILINE)]
    assert set(cells) == {8}


@pytest.mark.parametrize("long", ["changes", "findings", "errors", "notes"])
def test_a_comment_is_cut_between_parts_and_says_so(long: str) -> None:
    run, gate = RUN, VERDICT
    if long == "changes":
        gate = verdict(RUN, 400)
    elif long == "findings":
        gate = Verdict(findings=tuple(Finding(level="fail", metric=f"a.m{i}", why=NASTY[i % 6]) for i in range(900)))
    elif long == "errors":
        cases = tuple(Case(id=f"e{i}", question="why?", kind="how", error=NASTY[i % 6] * 3) for i in range(900))
        run = RUN.model_copy(update={"suites": (Suite(name="retrieval", cases=cases),)})
    else:
        run = RUN.model_copy(update={"suites": (Suite(name="a", cases=(), notes=NASTY * 300),)})
    told = markdown.pull_request(run, gate)
    assert 50_000 < len(told) < markdown.LIMIT
    assert told.endswith(f"{markdown._CUT}\n")
    tree = Outline()
    tree.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(told))
    assert tree.problems == [] and tree.open == []


# JUnit


def test_junit_has_a_test_for_each_finding_and_each_error() -> None:
    told = junit.xml(RUN, VERDICT)
    assert not CONTROL.search(told)
    root = ET.fromstring(told.encode())
    assert root.tag == "testsuites"
    suites = {s.get("name"): s for s in root}
    assert list(suites) == ["retrieval", "answers", "refusals", "drill", "cost"]
    assert len(root.findall(".//testcase")) == len(VERDICT.findings) + 1 == int(root.get("tests", ""))
    assert len(root.findall(".//failure")) == 4 == int(root.get("failures", ""))
    error = root.find("./testsuite[@name='retrieval']/testcase/error")
    assert error is not None and error.text is not None and error.text.startswith("ValueError: control [31mred")
    assert int(root.get("errors", "")) == 1
    for suite in root:
        assert int(suite.get("tests", "")) == len(suite.findall("testcase"))
        assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure"))
    assert suites["retrieval"].get("time") == "41.200" and suites["retrieval"].get("timestamp") == "2026-11-22T03:00:00"
    message = [f.get("message") for f in root.iter("failure")]
    assert "below its floor 0.93" in message


# Trend


def test_a_run_is_kept_and_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "evals" / "history"
    later = RUN.model_copy(update={"started": "2026-11-22T05:30:00+02:00"})
    first, second = trend.append(folder, later, commit="abc1234"), trend.append(folder, RUN)
    assert re.fullmatch(r"20261122T033000Z-[0-9a-f]{8}\.json", first.name)
    assert trend.append(folder, RUN) == second
    found = trend.read(folder)
    assert found.notes == [] and [p.started for p in found.points] == [RUN.started, later.started]
    assert found.points[1].commit == "abc1234" and found.points[0].fingerprint == fingerprint()
    assert found.points[0].metrics == pytest.approx(RUN.metrics, abs=1e-6)
    assert first.stat().st_size < 5_000
    assert sorted(p.suffix for p in folder.iterdir()) == [".json", ".json"]


def test_a_broken_file_is_passed_over_with_a_note(tmp_path: Path) -> None:
    trend.append(tmp_path, RUN)
    for name, text in (("a.json", b"{"), ("b.json", b'{"started": 3}'), ("c.json", b"\xff\xfe"), ("d.txt", b"")):
        (tmp_path / name).write_bytes(text)
    (tmp_path / "e.json").mkdir()
    found = trend.read(tmp_path)
    assert len(found.points) == 1 and [n.split()[0] for n in found.notes] == ["a.json", "b.json", "c.json", "e.json"]
    assert trend.read(tmp_path / "absent") == ([], [])


def test_a_history_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TutorError, match="history cannot be written"):
        trend.append(tmp_path / "file", RUN)


def test_nan_is_no_part_of_a_trend(tmp_path: Path) -> None:
    run = RUN.model_copy(update={"suites": (Suite(name="a", cases=(), totals={"x": math.nan, "y": 1.0}),)})
    trend.append(tmp_path, run)
    assert trend.read(tmp_path).points[0].metrics == {"a.y": 1.0}


# Charts and page


def refusal(confidence: float, answerable: float, answered: float, **more: float) -> Case:
    values = {"confidence": confidence, "answerable": answerable, "answered": answered} | more
    return Case(id="r", question="why?", kind="far", values=values)


def test_the_risk_curve_is_that_of_a_hand_count() -> None:
    cases = [refusal(0.9, 1, 1, right=1), refusal(0.8, 1, 1, right=0), refusal(0.5, 1, 1), refusal(0.5, 0, 1)]
    found = charts.risk_coverage([*cases, refusal(0.1, 0, 0, right=1)])
    assert found is not None
    # coverage 0.2, 0.4, 0.8 (a tie), 1.0; wrong 0/1, 1/2, 2/4, 3/5
    assert (found.coverage, found.risk, found.all_risk) == pytest.approx((0.8, 0.5, 0.6))
    assert found.area == pytest.approx(0.2 * 0 + 0.2 * 0.5 + 0.4 * 0.5 + 0.2 * 0.6)
    assert found.path.count("L") == 4
    assert charts.risk_coverage([]) is None


class Outline(HTMLParser):
    """Tags, text and headings of a page, and every tag that is closed wrongly."""

    VOID = frozenset("meta link br hr img input col".split())

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.problems: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def shown() -> tuple[str, Outline]:
    told = page.html(RUN, VERDICT, history(RUN))
    tree = Outline()
    tree.feed(told)
    return told, tree


def test_the_page_is_whole_and_fetches_nothing(shown: tuple[str, Outline]) -> None:
    told, tree = shown
    assert tree.problems == [] and tree.open == []
    assert told.startswith("<!doctype html>") and not CONTROL.search(told)
    assert not {"script", "img", "iframe", "object", "a-"} & set(tree.tags)
    links = [v for _, a in tree.attributes for k, v in a.items() if k in ("src", "href", "xlink:href", "action")]
    assert all(v and v.startswith(("#", "data:,")) for v in links)
    assert not re.search(r"url\((?!#)|@import|https?://", told)
    assert not [a for _, a in tree.attributes if any(k.startswith("on") for k in a)]


def test_text_of_questions_is_shown_as_it_is(shown: tuple[str, Outline]) -> None:
    told, tree = shown
    for nasty in NASTY[:5]:
        assert " ".join(clean(nasty).split()) in " ".join(tree.text.split())
    assert "{{ 7*7 }}" in tree.text and "49" not in re.findall(r"see #12[^<]*", told)


def test_the_page_can_be_read_without_seeing_it(shown: tuple[str, Outline]) -> None:
    told, tree = shown
    ids = [a["id"] for _, a in tree.attributes if "id" in a]
    assert len(ids) == len(set(ids))
    named = [v for _, a in tree.attributes for v in (a.get("aria-labelledby") or "").split()]
    targets = [v[1:] for t, a in tree.attributes if t == "a" and (v := a["href"])]
    assert {*named, *targets} <= set(ids)
    assert tree.tags.count("table") == tree.tags.count("caption") == 5
    assert all(a.get("scope") in ("col", "row") for t, a in tree.attributes if t == "th")
    svgs = [a for t, a in tree.attributes if t == "svg"]
    assert len(svgs) > 8 and all(a.get("role") == "img" for a in svgs)
    assert tree.tags.count("desc") == len(svgs)
    levels = [int(t[1]) for t in tree.tags if re.fullmatch("h[1-6]", t)]
    assert levels.count(1) == 1 and all(b - a <= 1 for a, b in pairwise(levels))
    assert told.count("<summary>") == 16 + 15 + 20


def test_the_page_shows_trend_slices_and_fingerprints(shown: tuple[str, Outline]) -> None:
    _, tree = shown
    assert "13 runs" in tree.text and "retrieval.recall@5" in tree.text
    assert "phase 10" in tree.text and tree.text.index("phase 9") < tree.text.index("phase 10")
    assert "settings: search.k" in tree.text and "differs in settings" in tree.text
    assert any(a.get("class") == "broke" for t, a in tree.attributes if t == "circle")
    assert "✕ 0." in tree.text  # a failing slice is marked by more than colour


def test_a_page_of_nothing_is_a_page() -> None:
    tree = Outline()
    tree.feed(page.html(EMPTY, NOTHING, []))
    assert tree.problems == [] and "measured, not judged" in tree.text.lower()


def test_a_trend_takes_runs_of_the_same_size_and_this_one_once() -> None:
    now = trend.point(RUN)
    others = [now.model_copy(update={"started": "2026-11-01T00:00:00Z", "sample": 20}), now]
    assert "This is the first run" in page.html(RUN, VERDICT, others)


def test_the_trend_leaves_no_suite_out_and_hashes_are_short() -> None:
    found = [
        Finding(level="pass", metric=f"{suite}.m{n}", why="", value=0.5, floor=0.1, before=0.5 if n == 9 else None)
        for suite in ("retrieval", "answers", "drill")
        for n in range(10)
    ]
    cases = (Case(id="g-1", question="?", kind="how", values={f"m{n}": 0.5 for n in range(10)}),)
    suites = tuple(Suite(name=name, cases=cases) for name in ("retrieval", "answers", "drill"))
    told = page.html(RUN.model_copy(update={"suites": suites}), Verdict(findings=tuple(found)))
    shown = re.findall(r"<title id=\"trend\d+-t\">(\S+) over", told)
    assert [sum(name.startswith(suite.name) for name in shown) for suite in suites] == [4, 4, 4]
    assert {"retrieval.m9", "drill.m9"} <= set(shown), "what is compared with the baseline comes first"
    assert "9f9f9f9f9f9f…" in told
    assert "9f" * 32 not in told


def test_a_label_ends_before_its_bar() -> None:
    found = charts.bar("a-kind-with-a-long-name", [0.5], 1.0, None, False)
    assert found.label == "a-kind-with-a-long-name"
    assert len(found.shown) <= 15 and found.shown.endswith("…")
    cases = tuple(
        Case(id=f"g-{n}", question="?", kind=f"answerable:{kind}", values={"decision": float(n)})
        for n, kind in enumerate(("how", "compare"))
    )
    run = RUN.model_copy(update={"suites": (Suite(name="refusals", cases=cases),)})
    told = page.html(run, NOTHING)
    assert ">compare <" in told
    assert "answerable:" not in told.partition('id="slices"')[2]
