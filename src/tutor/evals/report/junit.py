"""The report as JUnit XML, for what shows test results in CI: a suite each, a test for each finding and each error."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from tutor.evals.record import Report
from tutor.evals.report.rows import headline, named
from tutor.evals.report.text import clean, line
from tutor.evals.verdict import Finding, Verdict

_FIRST = 300  # characters of a failure's message; the whole of it is its text


def xml(report: Report, verdict: Verdict) -> str:
    """A JUnit document: ``testsuites`` with a ``testsuite`` for each suite of the report and of the findings.

    A finding is a test, which fails when the gate does; a case that could not be run is a test with an error; a sample,
    which is not judged, is a test that was skipped. Times
    are seconds; a suite has one, its tests have none of their own (0).
    """
    root = ET.Element("testsuites", name="tutor eval")
    names = dict.fromkeys([s.name for s in report.suites] + [_suite(f) for f in verdict.findings])
    totals = [0, 0, 0]
    for name in names:
        suite = report.suite(name)
        element = ET.SubElement(root, "testsuite", name=clean(name))
        for key, value in _properties(report) if suite else ():
            holder = element.find("properties")
            holder = ET.SubElement(element, "properties") if holder is None else holder
            ET.SubElement(holder, "property", name=clean(key), value=line(value))
        found = [f for f in verdict.findings if _suite(f) == name]
        broken = [c for c in suite.cases if c.error] if suite else []
        for finding in found:
            _finding(element, name, finding)
        if verdict.sampled:
            ET.SubElement(_test(element, name, "verdict"), "skipped", message=headline(verdict))
        for case in broken:
            test = _test(element, name, f"{case.id}: {line(case.question, _FIRST)}")
            _outcome(test, "error", case.error, "could not be run")
        if suite and suite.notes:
            ET.SubElement(element, "system-out").text = clean("\n".join(suite.notes))
        counts = [len(found) + len(broken) + verdict.sampled, sum(f.level == "fail" for f in found), len(broken)]
        totals = [a + b for a, b in zip(totals, counts, strict=True)]
        _count(element, counts, suite.seconds if suite else 0.0)
        element.set("skipped", str(int(verdict.sampled)))
        element.set("timestamp", clean(report.started)[:19])  # the schema's pattern has no zone
    _count(root, totals, report.seconds)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _finding(element: ET.Element, suite: str, finding: Finding) -> None:
    test = _test(element, suite, named(finding))
    if finding.level == "fail":
        _outcome(test, "failure", finding.why, "below the gate")
    elif finding.why:
        ET.SubElement(test, "system-out").text = clean(finding.why)


def _test(element: ET.Element, suite: str, name: str) -> ET.Element:
    return ET.SubElement(element, "testcase", classname=clean(f"tutor.eval.{suite}"), name=line(name), time="0.000")


def _outcome(test: ET.Element, tag: str, why: str, kind: str) -> None:
    ET.SubElement(test, tag, message=line(why, _FIRST), type=kind).text = clean(why)


def _count(element: ET.Element, counts: list[int], seconds: float) -> None:
    for key, value in zip(("tests", "failures", "errors"), counts, strict=True):
        element.set(key, str(value))
    element.set("time", f"{seconds:.3f}")


def _suite(finding: Finding) -> str:
    return finding.metric.partition(".")[0] or "gate"


def _properties(report: Report) -> list[tuple[str, str]]:
    mark = report.fingerprint
    return [("code", mark.code), ("corpus", mark.corpus), ("encoder", mark.encoder), ("grader", mark.grader)]
