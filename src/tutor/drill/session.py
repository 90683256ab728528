"""A drill as a state machine: pure, so that a step can be stored, repeated and tested without a clock or a file.

::

    clarify → answer → follow-up (at most two for each point that is missed) → twist → rate → done
       │         ↑                                                                        │
       └─────────┴────────────────────────── next task ←──────────────────────────────────┘

Who answers where something could be asked first has answered: what is stated there counts, as the answer where it is
long or makes a point, else together with the answer that follows (``clarifying``).

The learner's next words answer the question whose id is stored as pending; words to any other question are refused, so
that two windows, or a repeated request, cannot mix up a drill. A task's grade is made when its last question is
answered; the self-rating comes before the grade is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from tutor.drill import clarifying, decision, star
from tutor.drill.grade import Grade, PointGrade, checked_answer, together
from tutor.drill.records import Opinion, Question, Reading, Round, Sent, Session, State, Task, Turn
from tutor.drill.rubric import TWIST, Point, Rubric
from tutor.errors import StaleAnswer, UsageError

FOLLOW_UPS_PER_POINT = 2
#: Probability of a denial from which the interviewer asks "Are you sure?", which shakes people who are right. On the
#: fit half 3 of 106 such denials are right answers, of all denials 18 of 171.
ACCUSE_FROM = 0.9
#: Expected worth from which a missed point may have been made; between what is not there (0) and half of it (.5).
PERHAPS_FROM = 0.3


class Grades(Protocol):
    """Grades an answer against a rubric (``grade.Grader``)."""

    def grade(self, rubric: Rubric, answer: str, *, seen: Sequence[str] = ()) -> Grade: ...


def start(session_id: str, kind: str, tasks: Sequence[Task], now: datetime) -> Session:
    """A drill at its first question.

    Raises:
        UsageError: no task.
    """
    if not tasks:
        raise UsageError("there is nothing to drill", fix="Choose another card, phase or tier.")
    session = Session(
        id=session_id, kind=kind, tasks=tuple(tasks), rounds=tuple(Round() for _ in tasks), pending=None, started=now
    )
    return _ask(session, _opening(session.tasks[0]), now)


def send(session: Session, question_id: str, text: str, now: datetime) -> Session:
    """The drill with the learner's words to its question, to be graded by ``hear``; unchanged where it has some.

    Raises:
        StaleAnswer: the drill is over, or another question is pending.
        UsageError: the words do not fit, as of ``reply``.
    """
    _fitting(session, question_id, text)
    if session.sent is not None:
        return session
    return session.model_copy(update={"sent": Sent(question=question_id, text=text, at=now)})


def hear(session: Session, grader: Grades, now: datetime) -> Session:
    """The drill after the words that were sent, whenever that was; unchanged where there are none.

    The next question is asked now: a process that was killed while it graded never showed it.
    """
    if (sent := session.sent) is None:
        return session
    return reply(session.model_copy(update={"sent": None}), sent.question, sent.text, grader, now, said_at=sent.at)


def withdrawn(session: Session, sent: Session) -> Session:
    """The drill without the words of ``sent``, which cannot be graded; unchanged where it has others, or none."""
    return session.model_copy(update={"sent": None}) if session.sent == sent.sent else session


def reply(
    session: Session, question_id: str, text: str, grader: Grades, now: datetime, *, said_at: datetime | None = None
) -> Session:
    """The drill after the learner's words to a question, which were said now or at ``said_at``.

    Raises:
        StaleAnswer: the drill is over, or another question is pending.
        UsageError: the words do not fit: an empty answer, an over-long one, a rating that is none of 1 to 5.
    """
    question, words, rating = _fitting(session, question_id, text)
    state: State = question.state
    if state == "clarify" and clarifying.statements(_said(words)):
        state = "answer"  # what is stated counts, wherever it is said
    turn = Turn(who="learner", state=state, text=words, at=said_at or now, point=question.point)
    session = _update(session, turns=(*session.round.turns, turn))
    if question.state == "clarify" and not (state == "answer" and _answers(session, words, grader)):
        return _ask(session, ("answer", _now_answer(words), ""), now)
    if state == "answer":
        first = grader.grade(session.task.rubric, said(session.round.turns), seen=_heard(session))
        session = _update(session, first=first, so_far=first)
    if question.state == "follow-up":
        session = _update(session, so_far=_with_reply(session, words, question.point, grader))
    if question.state == "twist":
        session = _with_twist(session, words, grader)
    if rating is not None:
        session = _update(session, rating=rating)
    return _next(session, state, now)


def _fitting(session: Session, question_id: str, text: str) -> tuple[Question, str, int | None]:
    """The pending question, the words to it, and what they rate where it asks for that; raises as ``reply``."""
    question = expected(session, question_id)
    words = checked_answer(text).strip()
    if not words and question.state == "answer":
        raise UsageError("the answer is empty", fix="Say what you would say in the interview, or 'skip'.")
    return question, words, _rating(words) if question.state == "rate" else None


def expected(session: Session, question_id: str) -> Question:
    """The pending question, where it is the one that is answered.

    Raises:
        StaleAnswer: the drill is over, or another question is pending.
    """
    if session.pending is None:
        raise StaleAnswer("this drill is over", about=session.id, fix="Start another: tutor drill")
    if question_id != session.pending.id:
        raise StaleAnswer(
            "this answers a question that is no longer asked",
            about=question_id,
            fix=f"Now asked: {session.pending.text}",
        )
    return session.pending


def answered(session: Session, question_id: str) -> str | None:
    """What the learner said to a question of a drill that was asked before; None where it has no answer."""
    asked, number = 0, question_id.removeprefix(f"{session.id}.")
    for turn in (turn for done in session.rounds for turn in done.turns):
        if turn.who == "interviewer":
            asked += 1
        elif str(asked) == number:
            return turn.text
    return None


def left_s(session: Session, now: datetime) -> float | None:
    """Seconds left of the pending answer's time box, below 0 when it is over; None where there is none.

    It runs from when the step was asked, also while nobody had the drill open: an interviewer's clock does not stop.
    """
    if session.state != "answer" or not session.task.minutes:
        return None
    asked = next(t.at for t in reversed(session.round.turns) if t.who == "interviewer")
    return session.task.minutes * 60 - (now - asked).total_seconds()


def with_reading(session: Session, task: int, found: Sequence[Reading]) -> Session:
    """The session with what to read for a graded task (from 0)."""
    rounds = list(session.rounds)
    rounds[task] = rounds[task].model_copy(update={"read": tuple(found)})
    return session.model_copy(update={"rounds": tuple(rounds)})


def with_opinions(session: Session, task: int, found: Sequence[Opinion]) -> Session:
    """The session with a second reader's opinions of a graded task (from 0); nothing else changes."""
    rounds = list(session.rounds)
    rounds[task] = rounds[task].model_copy(update={"second": tuple(found)})
    return session.model_copy(update={"rounds": tuple(rounds)})


def with_phrasing(session: Session, question_id: str, phrased: str) -> Session:
    """The session with its pending question in other words; unchanged where another one is pending by now."""
    if session.pending is None or session.pending.id != question_id:
        return session
    turns = (*session.round.turns[:-1], session.round.turns[-1].model_copy(update={"phrased": phrased}))
    pending = session.pending.model_copy(update={"phrased": phrased})
    return _update(session, turns=turns).model_copy(update={"pending": pending})


def said(turns: Sequence[Turn]) -> str:
    """All that the learner said to a task's question and its follow-ups, a line each: spans of its grade are of it."""
    words = (t.text for t in turns if t.who == "learner" and t.state in ("answer", "follow-up"))
    return "\n".join(filter(None, map(_said, words)))


def _next(session: Session, after: State, now: datetime) -> Session:
    """The next question, in the order of the states; the grade when there is none."""
    task = session.task
    if after in ("answer", "follow-up"):
        grade = session.round.so_far
        if grade and (point := _to_follow_up(session, grade)):
            session = _update(session, asked=(*session.round.asked, point.id))
            return _ask(session, ("follow-up", _follow_up_text(session, point, grade), point.id), now)
        if task.rubric.twist and not _skipped(session):
            return _ask(session, ("twist", f"Now suppose: {task.rubric.twist} What changes in your answer?", ""), now)
    if after != "rate" and task.rate:
        return _ask(
            session, ("rate", "Before you see the grade: how good was that, from 1 (poor) to 5 (staff)?", ""), now
        )
    session = _update(session, grade=session.round.so_far)
    if session.at + 1 == len(session.tasks):
        return session.model_copy(update={"pending": None, "at": session.at + 1})
    session = session.model_copy(update={"at": session.at + 1})
    return _ask(session, _opening(session.task), now)


def _opening(task: Task) -> tuple[State, str, str]:
    ask = f"{task.brief}\n\n{task.rubric.ask}" if task.brief else task.rubric.ask
    return ("clarify" if task.clarify else "answer", ask, "")


def _answers(session: Session, words: str, grader: Grades) -> bool:
    """Whether words where something could be asked first are the answer: long, or such that they make a point."""
    claimed = clarifying.claims(words)
    if not claimed or clarifying.is_long(claimed):
        return bool(claimed)
    grade = grader.grade(session.task.rubric, claimed, seen=_heard(session))
    return bool(grade.red_flags) or any(p.status != "missed" for p in grade.points)


def _now_answer(words: str) -> str:
    if not _said(words):
        return "Go ahead."
    if clarifying.asks(words):
        return "That is yours to decide: choose the likelier case, say so as an assumption, and answer."
    if not clarifying.statements(words):
        return "Go ahead."
    return "Noted, I take that as given; it counts with your answer. Go ahead."


def _to_follow_up(session: Session, grade: Grade) -> Point | None:
    """The point to ask about: the last once more where the reply was a try, else contradicted, missed, half made.

    What is missed for sure goes first. A point that may have been made is asked about last, and never a second time:
    who has just said it is asked what was not heard. Nor is one again for which there is no hint: that is the same
    question.
    """
    done = session.round.asked
    if len(done) >= session.task.follow_ups or _skipped(session):
        return None
    by_id = {p.id: p for p in session.task.rubric.points}
    order = {"contradicted": 0, "missed": 1, "partly": 2}
    still = [p for p in grade.points if p.status in order and by_id[p.point].follow_up]
    if done and done.count(done[-1]) < FOLLOW_UPS_PER_POINT and _said_something(session):
        # Not after "I don't know": asking a second time what a learner does not know teaches nothing.
        again = next((p for p in still if p.point == done[-1] and not _perhaps_made(p)), None)
        if again and by_id[again.point].aliases:
            return by_id[again.point]
    fresh = sorted((p for p in still if p.point not in done), key=lambda p: (_perhaps_made(p), order[p.status]))
    return by_id[fresh[0].point] if fresh else None


def _follow_up_text(session: Session, point: Point, grade: Grade) -> str:
    status = next(p for p in grade.points if p.point == point.id)
    if session.round.asked.count(point.id) > 1:  # the one just noted is among them
        hint = f" A hint: {point.aliases[0]}." if point.aliases else ""
        return f"Stay with that.{hint} {point.follow_up}"
    if status.status == "contradicted" and status.evidence and status.denied >= ACCUSE_FROM:
        return f"You said: “{_short(status.evidence)}” Are you sure? {point.follow_up}"
    if status.status != "contradicted" and _perhaps_made(status):
        return f"You may have said this; then put it in one sentence. {point.follow_up}"
    return point.follow_up


def _perhaps_made(point: PointGrade) -> bool:
    """Whether a point that is not covered may have been made all the same: half, or in words that were not read."""
    return point.status != "contradicted" and (point.unsure or (point.worth or 0.0) >= PERHAPS_FROM)


def _short(text: str, most: int = 160) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rsplit(" ", 1)[0] + "…"


_NOTHING = frozenset(
    {"", "skip", "pass", "next", "no idea", "i don't know", "i dont know", "don't know", "dunno", "idk", "?"}
)


def _said_something(session: Session) -> bool:
    return session.round.turns[-1].text.lower().strip(" .!") not in _NOTHING


def _skipped(session: Session) -> bool:
    """Whether the learner passed on the question itself, whatever was assumed before."""
    answers = [t.text for t in session.round.turns if t.who == "learner" and t.state == "answer"]
    return not answers or not _said(answers[-1])


def _said(text: str) -> str:
    """What is graded of the learner's words: nothing of a pass."""
    return "" if text.lower().strip(" .!") in _NOTHING else text


def _heard(session: Session) -> list[str]:
    """What the interviewer has said to the task."""
    return [words for t in session.round.turns if t.who == "interviewer" for words in {t.text, t.shown}]


def _with_reply(session: Session, words: str, asked: str, grader: Grades) -> Grade | None:
    before = session.round.so_far
    if before is None or not _said(words):
        return before
    earlier = said(session.round.turns[:-1])
    reply = grader.grade(session.task.rubric, words, seen=_heard(session))
    if session.task.rubric.graded == "arithmetic":  # what was worked out before is needed to follow the reply
        return grader.grade(session.task.rubric, said(session.round.turns))
    both = together(session.task.rubric, before, reply, asked, len(earlier) + 1)
    return star.settled(both) if session.task.rubric.graded == "story" else both


def _with_twist(session: Session, words: str, grader: Grades) -> Session:
    """The round with the reply to the twist; in a decision the choice has to follow, which counts in the grade."""
    grade, rubric, so_far = _twisted(session, words, grader), session.task.rubric, session.round.so_far
    if rubric.move is None or so_far is None:
        return _update(session, twist=grade)
    before = said(session.round.turns[:-1])
    status, note = decision.moved(rubric.move, before, _said(words))
    if status is None:  # no choice is named: what is said of it may still be what should change
        status = grade.points[0].status if grade.points[0].status in ("covered", "partly") else "missed"
    point = grade.points[0].model_copy(update={"status": status, "note": note})
    so_far = decision.with_move(rubric, so_far, status, note, _said(words), len(before) + 1)
    return _update(session, twist=grade.model_copy(update={"points": (point,)}), so_far=so_far)


def _twisted(session: Session, words: str, grader: Grades) -> Grade:
    """The reply to the twist, graded against what should change."""
    rubric = session.task.rubric
    wanted = Rubric(
        doc_id=rubric.doc_id, title=rubric.title, ask=rubric.twist, points=(Point(id=TWIST, text=rubric.expect),)
    )
    return grader.grade(wanted, words, seen=[rubric.ask])


def _rating(words: str) -> int | None:
    """1 to 5, or None for a learner who would rather not say.

    Raises:
        UsageError: anything else.
    """
    if words.lower() in ("", "skip"):
        return None
    if words not in ("1", "2", "3", "4", "5"):
        raise UsageError(
            f"'{_short(words, 40)}' is no rating", fix="Type a number from 1 (poor) to 5 (staff), or skip."
        )
    return int(words)


def _update(session: Session, **changes: object) -> Session:
    """The session with the current round changed."""
    rounds = list(session.rounds)
    rounds[session.at] = session.round.model_copy(update=changes)
    return session.model_copy(update={"rounds": tuple(rounds)})


def _ask(session: Session, question: tuple[State, str, str], now: datetime) -> Session:
    state, text, point = question
    turn = Turn(who="interviewer", state=state, text=text, at=now, point=point)
    session = _update(session, turns=(*session.round.turns, turn))
    asked = sum(t.who == "interviewer" for r in session.rounds for t in r.turns)
    pending = Question(id=f"{session.id}.{asked}", state=state, text=text, point=point)
    return session.model_copy(update={"pending": pending})
