"""A drill as its pages show it: the room where it goes on, the grade of a task, and the debrief of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from markupsafe import Markup

from tutor.drill.engine import Drills
from tutor.drill.formats import MOCKS, ROUNDS
from tutor.drill.grade import Grade, PointGrade, as_viewed, coverage, points_made
from tutor.drill.marked import Reply, Span, Stretch, replies, stretches
from tutor.drill.pace import clock, steps
from tutor.drill.reading import MAX_ANSWER_CHARS
from tutor.drill.records import Opinion, Pad, Reading, Session, Task, Turn
from tutor.drill.second import agrees
from tutor.drill.transcript import SIGNS, again_of
from tutor.quantities.sheet import compute
from tutor.web.drilling import BADGES, NAMES
from tutor.web.render import PARSER, safe

RATINGS = {1: "poor", 2: "weak", 3: "fair", 4: "strong", 5: "staff"}
#: Formats that come with a calculator sheet.
SHEETS = ("estimate", "hld", "ml", "genai", "capstone")
_WORST = ("contradicted", "partly", "covered", "missed")


def document_link(reading: Reading) -> str:
    """Where a passage opens in its document, with its line marked."""
    path = f"/documents/{quote(reading.doc_id)}"
    if reading.end <= reading.start:
        return path
    return f"{path}?{urlencode({'start': reading.start, 'end': reading.end})}#cited"


def room_context(drills: Drills, session: Session, pad: Pad) -> dict[str, Any]:
    """What the room shows of a drill that goes on."""
    question = session.pending
    assert question is not None
    task, turns = session.task, session.round.turns
    brief = session.tasks[0].brief
    now = drills.now()
    running = clock(session)
    opening = len(turns) == 1
    ask = task.rubric.ask
    prompt = "" if opening and not question.phrased else question.shown
    if brief and opening and question.phrased:
        prompt = question.phrased
    return {
        "session": session,
        "question": question,
        "task": task,
        "format_name": NAMES.get(session.kind, session.kind),
        "brief": Markup(safe(PARSER.render(brief))) if brief else "",
        "ask": ask,
        "prompt": prompt,
        "turns": _worth_reading(turns[1:-1]),
        "clock": running,
        # The first question of a later task was asked while its learner still read a grade.
        "soft": bool(running and not running.boxed and opening and session.at),
        "now": now,
        "minutes_in_all": sum(t.minutes for t in session.tasks) if len(session.tasks) > 1 else 0,
        "steps": steps(session, now) if len(session.tasks) > 1 else [],
        "hidden_names": session.kind not in MOCKS,
        "pad": pad,
        "draft": pad.draft if pad.question == question.id else "",
        "sheet": compute(pad.sheet) if session.kind in SHEETS else None,
        "ratings": RATINGS,
        "most": MAX_ANSWER_CHARS,
        "long": session.kind in MOCKS,
        "graded": sum(done.grade is not None for done in session.rounds),
    }


def _worth_reading(turns: Sequence[Turn]) -> list[Turn]:
    """What has been said, without going straight to the answer and being let do so."""
    silent = [t.who == "learner" and t.state == "clarify" and not t.text for t in turns]
    return [turn for n, turn in enumerate(turns) if not silent[n] and not (n and silent[n - 1])]


class ShownPoint(NamedTuple):
    """A rubric point with its grade; ``view`` is the learner's own, a row of the overrides."""

    label: str
    text: str
    grade: PointGrade
    view: Mapping[str, Any] | None
    opinion: Opinion | None
    differs: bool


class ShownFlag(NamedTuple):
    """A red flag with the passage that says why it is wrong; ``view`` as of a point."""

    key: str
    label: str
    wrong: str
    why: str
    evidence: str
    reading: Reading | None
    view: Mapping[str, Any] | None


class ShownReply(NamedTuple):
    """A reply cut into stretches."""

    reply: Reply
    stretches: list[Stretch]


def grade_context(drills: Drills, session: Session, number: int) -> dict[str, Any]:
    """What the page of a task's grade shows; ``number`` counts from 1.

    Raises:
        NotFound: no such task.
        UsageError: it has no grade yet.
    """
    task, done, grade = drills.graded(session, number)
    views = {point: row for (n, point), row in drills.store.views(session).items() if n == number}
    opinions = {opinion.point: opinion for opinion in done.second or ()}
    texts = {point.id: point.text for point in task.rubric.points}
    points = []
    for n, graded in enumerate(grade.points, 1):
        opinion = opinions.get(graded.point)
        differs = opinion is not None and agrees(opinion) is False
        text = texts.get(graded.point, graded.point)
        points.append(ShownPoint(str(n), text, graded, views.get(graded.point), opinion, differs))
    flags = [
        ShownFlag(
            f.key,
            f"!{n}",
            f.wrong,
            f.why,
            f.evidence,
            drills.passage_for(f.why, task.rubric.doc_id),
            views.get(f.key),
        )
        for n, f in enumerate(grade.red_flags, 1)
    ]
    said = replies(done)
    spans = [
        *(Span(p.label, p.grade.start, p.grade.end, p.grade.evidence) for p in points if p.grade.evidence),
        *(Span(f"!{n}", f.start, f.end, f.evidence) for n, f in enumerate(grade.red_flags, 1)),
    ]
    last = said[-1] if said and said[-1].state == "twist" else None
    if done.twist and last and (twist := done.twist.points[0]).evidence:
        known = any(p.grade.evidence == twist.evidence for p in points)  # in a decision it is a point of its own
        if not known:
            spans.append(Span("T", twist.start + last.start, twist.end + last.start, twist.evidence))
    stands = {p.label: p.grade.status for p in points} | {f.label: "contradicted" for f in flags}
    if done.twist:
        stands["T"] = done.twist.points[0].status
    given: dict[str, str] = {p.point: p.status for p in grade.points} | {f.key: "said" for f in grade.red_flags}
    mine: dict[str, str] = {
        point: row["learner"] for point, row in views.items() if row["learner"] not in (None, given.get(point))
    }
    return {
        "session": session,
        "number": number,
        "task": task,
        "done": done,
        "grade": grade,
        "format_name": NAMES.get(session.kind, session.kind),
        "points": points,
        "flags": flags,
        "replies": [ShownReply(reply, stretches(reply, spans)) for reply in said],
        "stands": stands,
        "marked": lambda labels: _marked([stands[label] for label in labels]),
        "spoken": lambda label: (
            "Twist" if label == "T" else f"Flag {label[1:]}" if label[0] == "!" else f"Point {label}"
        ),
        "ladder": ladder(task, grade),
        "reading": drills.reading(task, done),
        "link": document_link,
        "due": drills.again(task, done),
        "again": again_of(drills, task.card, task.probe) if not task.minutes or len(session.tasks) == 1 else None,
        "made": points_made(grade),
        "coverage": coverage(grade),
        "seen": as_viewed(task.rubric, grade, mine) if mine else None,
        "made_for_me": points_made(grade, mine),
        "coverage_for_me": coverage(grade, mine),
        "opinions": done.second,
        "rereadable": task.rubric.graded != "arithmetic" and done.second is None and bool(grade.points),
        "signs": SIGNS,
        "badges": BADGES,
        "ratings": RATINGS,
        "following": number < len(session.tasks) and session.rounds[number].grade is not None,
    }


def _marked(statuses: Sequence[str]) -> str:
    """How a stretch is marked on which points of these statuses rest: as the worst, but not where another is made."""
    worst = min(statuses, key=_WORST.index)
    return "both" if worst == "contradicted" and {"covered", "partly"} & set(statuses) else worst


class Move(NamedTuple):
    """A move of a staff answer, and whether this one makes it."""

    text: str
    made: bool


def ladder(task: Task, grade: Grade) -> list[Move]:
    """The moves that lift an answer from the senior to the staff bar; empty where the rubric has none."""
    made = grade.lifted or (False,) * len(task.rubric.lifts)
    return [Move(text, done) for text, done in zip(task.rubric.lifts, made, strict=True)]


class Debriefed(NamedTuple):
    """A task in the debrief: its time, its grade, the points on either side, and why it was chosen."""

    number: int
    name: str
    minutes: float
    spent_s: float
    over_s: float
    grade: Grade | None
    made: float
    well: list[str]
    lacking: Sequence[tuple[str, str]]
    why: str


def debrief_context(drills: Drills, session: Session) -> dict[str, Any]:
    """What the debrief of a drill with several tasks shows."""
    rows = []
    for step in steps(session, drills.now()):
        task, grade = session.tasks[step.number - 1], session.rounds[step.number - 1].grade
        texts = {point.id: point.text for point in task.rubric.points}
        points = grade.points if grade else ()
        well = [texts[p.point] for p in points if p.status == "covered"]
        lacking = [(p.status, texts[p.point]) for p in points if p.status != "covered"]
        made = points_made(grade) if grade else 0.0
        spent = step.spent_s or 0.0
        took = (step.minutes, spent, step.over_s)
        rows.append(Debriefed(step.number, step.name, *took, grade, made, well, lacking, task.why))
    graded = [row.grade for row in rows if row.grade]
    asked = sum(len(g.points) for g in graded)
    made = sum(row.made for row in rows)
    last = next((done.rating for done in reversed(session.rounds) if done.rating), None)
    return {
        "session": session,
        "format_name": NAMES.get(session.kind, session.kind),
        "mock": session.kind in ROUNDS,
        "rows": rows,
        "spent_s": sum(row.spent_s for row in rows),
        "minutes": sum(row.minutes for row in rows),
        "made": made,
        "asked": asked,
        "coverage": made / asked if asked else 0.0,
        "rating": last,
        "pad": drills.store.pad(session.id),
        "again": again_of(drills, session.tasks[0].card, session.tasks[0].probe) if session.kind in MOCKS else None,
        "signs": SIGNS,
        "badges": BADGES,
        "ratings": RATINGS,
    }
