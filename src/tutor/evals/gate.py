"""The gate: floors, slices, and no worse than the baseline by more than chance.

It is worth what it catches and what it does not cry about. A fall counts when a paired permutation test over the same
questions gives p below ``ALPHA`` and it is at least ``LEAST``, or when it is ``MOST`` over a hundred cases and more:
one question that flips is noise, two points are not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from tutor.evals.baseline import Baseline, Thresholds
from tutor.evals.record import Case, Report, Suite
from tutor.evals.stats import worse_p
from tutor.evals.verdict import Change, Finding, Verdict

#: One-sided. Six questions that got worse and none better (1.6 points of 368) have p = .016.
ALPHA = 0.02
LEAST = 0.005
MOST = 0.02
_MANY = 100
#: What each suite's cases come from; names come from the corpus.
_FILES = {
    "retrieval": ("golden/questions.jsonl",),
    "answers": ("golden/questions.jsonl",),
    "ragas": ("golden/questions.jsonl",),
    "refusals": ("golden/questions.jsonl", "golden/refuse.jsonl"),
    "held-out": ("calibration/held_out.jsonl", "calibration/twins.json"),
    "drill": ("drill/answers.jsonl",),
}


def judge(report: Report, thresholds: Thresholds, baseline: Baseline | None, *, where: str = "") -> Verdict:
    """The verdict on a run; suites that were not run are not judged.

    Args:
        report: the run.
        thresholds: floors, ceilings, slices.
        baseline: what it is compared with; None for floors alone.
        where: the baseline's file, or why there is none.
    """
    findings = [*_broken(report, thresholds), *_bounds(report, thresholds), *_slices(report, thresholds)]
    changes: tuple[Change, ...] = ()
    unlike: tuple[str, ...] = ()
    if baseline:
        before = baseline.report
        unlike = tuple(report.fingerprint.unlike(before.fingerprint))
        findings += _against(report, before, thresholds.watched)
        changes = tuple(_changes(report, before, frozenset(thresholds.watched)))
        if report.fingerprint.sets != before.fingerprint.sets:
            findings.append(
                Finding(
                    level="note",
                    metric="sets",
                    why="the sets differ from the baseline's: only cases in both were compared",
                )
            )
    order = {"fail": 0, "note": 1, "pass": 2}
    return Verdict(
        findings=tuple(sorted(findings, key=lambda f: order[f.level])), changes=changes, unlike=unlike, baseline=where
    )


def unjudged(report: Report, thresholds: Thresholds, baseline: Baseline | None, *, where: str = "") -> Verdict:
    """What changed in a sample, without a verdict: floors are for whole sets, of which a few questions miss some.

    The arguments are those of ``judge``.
    """
    before = baseline.report if baseline else None
    return Verdict(
        findings=(),
        changes=tuple(_changes(report, before, frozenset(thresholds.watched))) if before else (),
        unlike=tuple(report.fingerprint.unlike(before.fingerprint)) if before else (),
        baseline=where,
        sampled=True,
    )


def _broken(report: Report, thresholds: Thresholds) -> Iterator[Finding]:
    """Cases with an error, values that are no numbers, cases that are not there."""
    for suite in report.suites:
        for case in suite.cases:
            if case.error:
                yield Finding(level="fail", metric=f"{suite.name}.{case.id}", why=f"could not be run: {case.error}")
            for name, value in case.values.items():
                if not math.isfinite(value):
                    yield Finding(level="fail", metric=f"{suite.name}.{name}", why=f"no number for {case.id}")
        for name, value in suite.totals.items():
            if not math.isfinite(value):
                yield Finding(level="fail", metric=f"{suite.name}.{name}", why="no number")
        ids = [case.id for case in suite.cases]
        if len(ids) != len(set(ids)):
            yield Finding(level="fail", metric=suite.name, why="a case stands in the results twice")
        least = thresholds.cases.get(suite.name, 1)
        if not report.sample and len(ids) < least:
            yield Finding(level="fail", metric=suite.name, why=f"{len(ids)} cases, at least {least} are wanted")


def _bounds(report: Report, thresholds: Thresholds) -> Iterator[Finding]:
    found = report.metrics
    ran = {suite.name for suite in report.suites}
    for metric, bound, is_floor in (
        *((m, b, True) for m, b in thresholds.floors.items()),
        *((m, b, False) for m, b in thresholds.ceilings.items()),
    ):
        if metric.split(".", 1)[0] not in ran:
            continue
        value = found.get(metric)
        if value is None:
            yield Finding(level="fail", metric=metric, why="was not measured", floor=bound, ceiling=not is_floor)
            continue
        holds = value >= bound if is_floor else value <= bound
        told = "" if holds else f"{'below its floor' if is_floor else 'above its ceiling'} of {bound:g}"
        yield Finding(
            level="pass" if holds else "fail", metric=metric, why=told, value=value, floor=bound, ceiling=not is_floor
        )


def _slices(report: Report, thresholds: Thresholds) -> Iterator[Finding]:
    for metric, wanted in thresholds.slices.items():
        suite = report.suite(metric.split(".", 1)[0])
        if suite is None:
            continue
        groups = dict(suite.slices())
        for name, floor in wanted.items():
            cases = [c for c in groups.get(name, ()) if _short(metric) in c.values]
            if not cases:
                if not report.sample:
                    yield Finding(level="fail", metric=metric, slice=name, why="no case was measured", floor=floor)
                continue
            value = math.fsum(c.values[_short(metric)] for c in cases) / len(cases)
            holds = value >= floor
            why = "" if holds else f"below its floor of {floor:g}"
            level = "pass" if holds else "fail"
            yield Finding(level=level, metric=metric, slice=name, why=why, value=value, floor=floor, cases=len(cases))


def _against(report: Report, before: Report, watched: Iterable[str]) -> Iterator[Finding]:
    for metric in watched:
        suite, old = report.suite(metric.split(".", 1)[0]), before.suite(metric.split(".", 1)[0])
        if suite is None:
            continue
        if old is None:
            yield Finding(level="note", metric=metric, why="the baseline has not measured it")
            continue
        name = _short(metric)
        pairs = _paired(suite, old, name)
        gone = _gone(report, before, suite, old, name)
        if gone:
            level = "fail" if _same_cases(report, before, suite.name) else "note"
            told = f"not measured for {len(gone)} cases that were: {', '.join(gone[:8])}{' …' if len(gone) > 8 else ''}"
            yield Finding(level=level, metric=metric, why=told)
        if not pairs:
            if not gone:
                yield Finding(level="fail", metric=metric, why="no case in common with the baseline")
            continue
        was, now = [a for a, _ in pairs], [b for _, b in pairs]
        value, earlier = math.fsum(now) / len(now), math.fsum(was) / len(was)
        p = worse_p(was, now)
        fall = earlier - value
        fell = (p < ALPHA and fall >= LEAST) or (fall >= MOST and len(pairs) >= _MANY)
        why = f"fell by {fall * 100:.1f} points" + (", more than chance" if p < ALPHA else "") if fell else ""
        level = "fail" if fell else "pass"
        yield Finding(level=level, metric=metric, why=why, value=value, before=earlier, p=round(p, 4), cases=len(pairs))


def _paired(suite: Suite, old: Suite, name: str) -> list[tuple[float, float]]:
    earlier = {c.id: c.values[name] for c in old.cases if name in c.values}
    return [(earlier[c.id], c.values[name]) for c in suite.cases if name in c.values and c.id in earlier]


def _gone(report: Report, before: Report, suite: Suite, old: Suite, name: str) -> list[str]:
    """Cases that the baseline measured and this run did not.

    A measure that only an answer can have (in the baseline none of the refused has it) may be absent where the question
    was refused in this run: whether it was answered is a measure of its own.
    """
    if report.sample or before.sample:
        return []
    measured = {c.id for c in suite.cases if name in c.values}
    gone = [c.id for c in old.cases if name in c.values and c.id not in measured]
    if suite.name == "ragas":  # it has cases for the answered questions only
        return [case_id for case_id in gone if case_id not in _refused(report)]
    always = all(name in c.values for c in old.cases)
    if always or any(name in c.values for c in old.cases if c.values.get("answered") == 0):
        return gone
    return [case_id for case_id in gone if case_id not in _refused(report, suite.name)]


def _refused(report: Report, *names: str) -> frozenset[str]:
    """The questions that were refused in a suite, or in any that measures it."""
    suites = [s for s in report.suites if not names or s.name in names]
    return frozenset(c.id for s in suites for c in s.cases if c.values.get("answered") == 0)


def _same_cases(report: Report, before: Report, suite: str) -> bool:
    """Whether the cases come from the same: a set that was changed on purpose may have lost some."""
    now, then = report.fingerprint, before.fingerprint
    if suite == "ragas" and not any("answered" in c.values for s in report.suites for c in s.cases):
        return False  # nothing in this run tells what was refused
    if suite not in _FILES:
        return now.corpus == then.corpus
    return all(now.sets.get(name) == then.sets.get(name) for name in _FILES[suite])


def _changes(report: Report, before: Report, watched: frozenset[str]) -> Iterator[Change]:
    for suite in report.suites:
        old = before.suite(suite.name)
        if old is None:
            continue
        earlier: Mapping[str, Case] = {c.id: c for c in old.cases}
        for case in suite.cases:
            was = earlier.get(case.id)
            if was is None:
                continue
            names = [n for n in case.values if f"{suite.name}.{n}" in watched and n in was.values]
            moved = {n: (was.values[n], case.values[n]) for n in names if abs(was.values[n] - case.values[n]) > 1e-6}
            if moved:
                gain = math.fsum(b - a for a, b in moved.values())
                yield Change(suite=suite.name, before=was, after=case, moved=moved, better=gain > 0)


def _short(metric: str) -> str:
    return metric.split(".", 1)[1]
