"""A drill as data and as text: the JSON of the interfaces, and the transcript a learner keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tutor.drill.formats import command_for
from tutor.drill.grade import Grade
from tutor.drill.records import Reading, Round, Session, Task

if TYPE_CHECKING:
    from tutor.drill.engine import Drills

SIGNS = {"covered": "✓", "partly": "~", "missed": "·", "contradicted": "✗"}


def grade_json(grade: Grade) -> dict[str, Any]:
    """A grade as ``tutor grade --batch`` and the API write it."""
    return {
        "score": grade.score,
        "verdict": grade.verdict,
        "points": [
            {
                "point": p.point,
                "status": p.status,
                "evidence": p.evidence,
                "span": [p.start, p.end] if p.evidence else None,
                "confidence": p.confidence,
                "unsure": p.unsure,
                "prompted": p.prompted,
                "note": p.note,
            }
            for p in grade.points
        ],
        "red_flags": [
            {"id": f.id, "wrong": f.wrong, "why": f.why, "evidence": f.evidence, "span": [f.start, f.end]}
            for f in grade.red_flags
        ],
        "level": grade.level,
        "lifts": list(grade.lifts),
        "follow_ups": list(grade.follow_ups),
        "reason": grade.reason,
        "ms": round(grade.ms, 1),
    }


def step_json(drills: Drills, session: Session) -> dict[str, Any]:
    """Where a drill stands: what is asked now, and the grade of the task that has just ended."""
    out: dict[str, Any] = {
        "session": session.id,
        "kind": session.kind,
        "state": session.state,
        "task": min(session.at + 1, len(session.tasks)),
        "of": len(session.tasks),
        "question": session.pending.model_dump() if session.pending else None,
        "why": session.task.why if session.pending else "",
        "minutes": session.task.minutes if session.pending else 0,
        "left_s": None if (left := drills.left_s(session)) is None else round(left, 1),
        "minutes_in_all": sum(task.minutes for task in session.tasks),
    }
    just = last_graded(session)
    if just is not None:
        task, done = just
        assert done.grade is not None
        out["graded"] = {
            "card": task.card,
            "probe": task.probe,
            "rating": done.rating,
            **grade_json(done.grade),
            "twist": grade_json(done.twist) if done.twist else None,
            "second": None if done.second is None else [o.model_dump(mode="json") for o in done.second],
            **_afterwards(drills, session, session.at - 1),
        }
    return out


def row_json(session: Session) -> dict[str, Any]:
    """A drill in a list."""
    return {
        "session": session.id,
        "kind": session.kind,
        "state": session.state,
        "title": session.task.rubric.title,
        "task": min(session.at + 1, len(session.tasks)),
        "of": len(session.tasks),
        "started": session.started.isoformat(),
    }


def today_json(drills: Drills) -> dict[str, Any]:
    """What is due today or earlier, longest due first, and the open drills, newest first. No drill is written."""
    return {
        "date": drills.today.isoformat(),
        "due": [found for row in drills.due() if (found := _due_json(drills, row))],
        "open": [row_json(session) for session in drills.store.open()],
    }


def _due_json(drills: Drills, row: Mapping[str, Any]) -> dict[str, Any] | None:
    """A result that is due, with what starts it again; None where the curriculum has it no more."""
    again = again_of(drills, row["card"], row["probe"])
    if again is None:
        return None
    card = drills.corpus.cards.get(row["card"]) if "card" in again else None
    title = card.title if card else f"{row['card']} {row['probe']}".strip()
    ask = again["request"] if card else ""
    kept = {key: row[key] for key in ("card", "probe", "verdict", "score", "due")}
    return {**kept, "title": title, "ask": ask, "again": again}


def again_of(drills: Drills, card: str, probe: str) -> dict[str, Any] | None:
    """What starts the drill of a result again, as ``POST /drills`` takes it; None where the curriculum has it no more.

    Args:
        drills: what has the curriculum.
        card: of the result: a card, an exercise, "estimation" or the stories.
        probe: of the result.
    """
    found = drills.corpus.cards.get(card)
    asked = next((p for p in found.probes if p.id == probe), None) if found else None
    if found and asked:
        return {"card": found.id, "request": asked.ask}
    if command := command_for(drills.corpus, card, probe):
        _, _, _, kind, *rest = command.split()
        return {"format": kind, "seed": int(rest[1])} if rest[0] == "--seed" else {"format": kind, "request": rest[0]}
    return None


def _afterwards(drills: Drills, session: Session, at: int) -> dict[str, Any]:
    """What follows from the grade of a task: what to read, when it is due, and the learner's own view of points."""
    task, done = session.tasks[at], session.rounds[at]
    due = drills.again(task, done)
    return {
        "read": [
            {"doc": r.doc_id, "title": r.title, "heading": list(r.heading), "quote": r.quote, "point": r.point}
            for r in drills.reading(task, done)
        ],
        "due": due.isoformat() if due else None,
        "overrides": {point: view for (n, point), view in drills.store.overrides(session).items() if n == at + 1},
    }


def last_graded(session: Session) -> tuple[Task, Round] | None:
    """The task that ended with the last step, if one did."""
    at = session.at - 1
    if at < 0 or session.rounds[at].grade is None:
        return None
    fresh = session.pending is None or not any(t.who == "learner" for t in session.round.turns)
    return (session.tasks[at], session.rounds[at]) if fresh else None


def session_json(drills: Drills, session: Session) -> dict[str, Any]:
    """The whole drill; each round with what to read, when it is due and the learner's own view of its points."""
    out = session.model_dump(mode="json", exclude={"sent"})
    for at, done in enumerate(out["rounds"]):
        done.update(_afterwards(drills, session, at))
    return out


def as_markdown(drills: Drills, session: Session) -> str:
    """The transcript, with the grade of each task that is over."""
    lines = [f"# Drill {session.id}: {session.tasks[0].rubric.title}", ""]
    lines += [f"{session.started:%d %B %Y, %H:%M} · {session.kind} · {len(session.tasks)} task(s)", ""]
    views = drills.store.overrides(session)
    for n, (task, done) in enumerate(zip(session.tasks, session.rounds, strict=True), 1):
        if not done.turns:
            continue
        lines += [f"## {n}. {task.rubric.title}" + (f" ({task.probe})" if task.probe else ""), ""]
        lines += [f"Chosen for you: {task.why}.", ""] if task.why else []
        for turn in done.turns:
            who = "Interviewer" if turn.who == "interviewer" else "You"
            lines += [f"**{who}:** {turn.shown or '(nothing)'}", ""]
        if done.grade:
            mine = {point: view for (number, point), view in views.items() if number == n}
            lines += _graded(task, done, drills.reading(task, done), mine)
            if due := drills.again(task, done):
                lines += [f"Due again: {due.isoformat()}", ""]
    return "\n".join(lines).rstrip() + "\n"


def _graded(task: Task, done: Round, reads: Sequence[Reading], views: Mapping[str, str]) -> list[str]:
    grade = done.grade
    assert grade is not None
    rating = f" · your own rating {done.rating} of 5" if done.rating else ""
    lines = [f"### Grade: {grade.verdict}, {grade.score:.0%}{_level(grade)}{rating}", ""]
    if grade.reason:
        lines += [grade.reason, ""]
    by_id = {p.id: p for p in task.rubric.points}
    for point in grade.points:
        extra = " (after a follow-up)" if point.prompted else ""
        sure = " (unsure)" if point.unsure else ""
        lines.append(f"- {SIGNS[point.status]} {point.status}{extra}{sure}: {by_id[point.point].text}")
        if point.evidence:
            lines.append(f"  - you: “{' '.join(point.evidence.split())}”")
        if point.note:
            lines.append(f"  - {point.note}")
        if point.point in views:
            lines.append(f"  - your view: {views[point.point]}")
    for flag in grade.red_flags:
        lines += [
            f"- red flag: “{' '.join(flag.evidence.split())}”",
            f"  - read as: {flag.wrong}",
            f"  - in truth: {flag.why}",
        ]
        lines += ["  - your view: not said"] if views.get(flag.key) == "not-said" else []
    for opinion in done.second or ():
        view = f"made: “{' '.join(opinion.quote.split())}”" if opinion.made else "not made"
        view = f"no opinion ({opinion.why})" if opinion.made is None else view
        lines.append(f"- second reader ({opinion.model}) of “{by_id[opinion.point].text}”: {view}")
    if done.twist:
        sign = done.twist.points[0]
        lines.append(f"- {SIGNS[sign.status]} twist {sign.status}: {task.rubric.expect}")
    if grade.lifts:
        lines += ["", "Next moves:", ""] + [f"{n}. {move}" for n, move in enumerate(grade.lifts, 1)]
    if reads:
        lines += ["", "Read:", ""]
        for n, reading in enumerate(reads, 1):
            lines += [f"{n}. {reading.where} ({reading.doc_id})"] + ([f"   > {reading.line}"] if reading.line else [])
    return [*lines, ""]


def _level(grade: Grade) -> str:
    return f", {grade.level} level" if grade.level else ""
