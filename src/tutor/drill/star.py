"""Behavioural drills: stories in STAR shape, graded by their form; whether they are true nobody can check."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tutor.drill import star_cues as cues
from tutor.drill.gaming import REASONS, Screened, content, runs, screen
from tutor.drill.grade import WORTH, FlagGrade, Grade, Level, PointGrade, checked_answer, settle
from tutor.drill.judge import Status
from tutor.drill.reading import Reading, Window, read
from tutor.drill.rubric import Flag, Point, Rubric
from tutor.drill.star_cues import Line, no_event
from tutor.errors import CardError

#: The parts of a story: what an interviewer wants of each, a hint, and what is asked where it is missing.
_WANTED = {
    "situation": (
        "Situation: when and where it was, who was there, and what the problem was.",
        "the setting, and what was wrong or at stake, in two sentences",
        "When and where was that, and what exactly was the problem?",
    ),
    "task": (
        "Task: what you yourself were responsible for, or set out to reach.",
        "my job was …, I was asked to …, I decided to …",
        "What was your own responsibility there, and what did you set out to reach?",
    ),
    "action": (
        "Action: at least two concrete things that you did yourself, told with “I”.",
        "first I …, then I …",
        "What did you do yourself, as opposed to the team?",
    ),
    "result": (
        "Result: what came of it, with a figure or with before and after.",
        "it went from … to …",
        "What came of it, in numbers: what was it before, and what after?",
    ),
    "lesson": (
        "Lesson: what you learned, or do differently since.",
        "since then I …, next time I would …",
        "What did you learn, and what do you do differently since then?",
    ),
}
PARTS = tuple(_WANTED)
_FLAGS = (
    Flag(id=1, wrong="“We” did everything.", why="Your own part is not visible, and it is you who is hired."),
    Flag(id=2, wrong="Others are to blame.", why="Blame hides your own part and what you would change."),
)
SCOPE = "Scope beyond one team: say which other teams the work reached, and how they came along."
ATTRIBUTED = (
    "A number with its baseline and attribution: what it was before, how it was measured, what else contributed."
)

_THIN = 3  # sentences up to which a story without a deed of one's own or a figure tells nothing that came of it
_STORY = re.compile(r"^ {0,3}(\d+)[.)]\s+\*\*(.+?)\*\*\s*(.*?)(?=\n\s*\n|\n {0,3}\d+[.)]\s|\n#|\Z)", re.M | re.S)
_THEME = re.compile(r"^#{2,3}\s+(.+?)\s*$", re.M)
_Found = dict[str, tuple[Status, list[Window]]]


@dataclass(frozen=True, slots=True)
class Story:
    """A prompt: its number, the section it stands in, the question, and what a strong answer has."""

    number: int
    theme: str
    ask: str
    wants: str


def prompts(body: str) -> list[Story]:
    """The prompts of a Markdown body, in its order: ``1. **Question.** What a strong answer has.``

    Raises:
        CardError: there is none.
    """
    themes = [(m.start(), m[1]) for m in _THEME.finditer(body)]
    stories = []
    for match in _STORY.finditer(body):
        theme = next((text for at, text in reversed(themes) if at < match.start()), "")
        stories.append(Story(int(match[1]), theme, " ".join(match[2].split()), " ".join(match[3].split())))
    if not stories:
        raise CardError("no prompt was found", fix="Write each as: 1. **Question.** What a strong answer has.")
    return stories


def rubric(story: Story, title: str, doc_id: str) -> Rubric:
    """The five parts, the two flags, and as lifts: scope, an attributed number, and what the prompt itself wants."""
    return Rubric(
        doc_id=doc_id,
        title=title,
        ask=story.ask,
        points=tuple(Point(id=k, text=t, aliases=(hint,), follow_up=q) for k, (t, hint, q) in _WANTED.items()),
        flags=_FLAGS,
        lifts=(SCOPE, ATTRIBUTED, *([story.wants] if story.wants else [])),
    )


class StarGrader:
    """Grades stories against the rubrics of ``rubric``, by form alone: no model, and the same answer gets the same."""

    def grade(self, rubric: Rubric, answer: str, *, seen: Sequence[str] = ()) -> Grade:
        """The grade of a story or, where ``seen`` has a follow-up of the rubric, of the reply to the last one.

        The lift that is the prompt's own wants is never marked as made: form cannot tell.

        Raises:
            UsageError: the answer is too long.
        """
        began = time.perf_counter()
        reading = read(checked_answer(answer))
        own = runs(" ".join([*rubric.lifts, *(p.text for p in rubric.points)]))
        screened = screen(reading, ask=rubric.ask, card=own, own=seen)
        kept = _kept(reading, screened)
        asked = next((p.id for s in reversed(seen) for p in rubric.points if p.follow_up and p.follow_up in s), "")
        grade = _graded(rubric, kept, asked, answer)
        reasons = [screened.reason or reason for reason in screened.dropped.values()] or [screened.reason]
        dropped = len(kept.sentences) < len(reading.sentences) and not grade.reason
        if not kept.sentences or (dropped and not any(WORTH[p.status] for p in grade.points)):
            missed = tuple(PointGrade(point=p.id, status="missed") for p in rubric.points)
            reason = REASONS[Counter(reasons).most_common(1)[0][0] or "empty"]
            asks = tuple(p.follow_up for p in rubric.points)[:2]
            grade = Grade(score=0.0, verdict="ungraded", points=missed, follow_ups=asks, reason=reason)
        return grade.model_copy(update={"ms": (time.perf_counter() - began) * 1000})


def settled(grade: Grade) -> Grade:
    """A story's grade, also after ``grade.together``: staff only with both scope and an attributed number.

    Never wrong, for nobody can check it; never strong without a deed of one's own.
    """
    verdict, level = grade.verdict, grade.level
    if verdict == "wrong":
        verdict = "weak"
    elif verdict == "strong" and any(p.point == "action" and p.status == "missed" for p in grade.points):
        verdict = "mixed"
    staff: Level = "staff" if level == "staff" and grade.lifted[:2] == (True, True) else "senior"
    return grade.model_copy(update={"verdict": verdict, "level": staff if verdict == "strong" else ""})


def _kept(reading: Reading, screened: Screened) -> Reading:
    """What is graded: to ``screen`` a setting without a verb is a list of terms, "the error rate is 100 %" an order."""
    dropped = set(screened.dropped if screened.dropped or not screened.reason else range(len(reading.sentences)))
    for number, reason in screened.dropped.items():
        text = reading.sentences[number].text
        order = not cues.happened(text) or cues.TO_GRADER.search(text)
        if (reason == "terms" and cues.SETTING.search(text)) or (reason == "order" and not order):
            dropped.discard(number)
    return reading.without(dropped)


def _graded(rubric: Rubric, reading: Reading, asked: str, answer: str) -> Grade:
    lines = cues.lines_of(reading.sentences)
    reason = "" if asked else no_event(lines)
    told = [] if reason else [x for x in lines if not x.supposed or x.lesson or asked == "lesson"]
    found = _parts(told, asked) if told else {}
    points = []
    for point in rubric.points:
        status, spots = found.get(point.id, ("missed", []))
        start, end = (spots[0].start, spots[-1].end) if spots else (0, 0)
        points.append(PointGrade(point=point.id, status=status, evidence=answer[start:end], start=start, end=end))
    flags = [
        FlagGrade(**flag.model_dump(), evidence=answer[w.start : w.end], start=w.start, end=w.end)
        for flag, w in zip(rubric.flags, _flagged(told, asked), strict=False)
        if w
    ]
    near = [other for n, line in enumerate(told) if cues.is_based(line.text) for other in told[max(0, n - 1) : n + 3]]
    attributed = any(cues.ATTRIBUTION.search(line.text) for line in near)
    measured = attributed and any(p.point == "result" and p.status == "covered" for p in points)
    lifted = [any(cues.SCOPE.search(line.text) for line in told), measured, False]
    grade = settled(settle(rubric, points, flags, lifted[: len(rubric.lifts)], words=reading.words))
    return grade.model_copy(update={"reason": grade.reason or reason})


def _parts(told: Sequence[Line], asked: str) -> _Found:
    """Status and evidence of each part that is there."""
    found: _Found = {}
    acts = [n for n, line in enumerate(told) if line.did()]
    first = min([n for n, line in enumerate(told) if line.did("we")] + acts, default=1)
    results = [
        _outcome(line, early=n < first, left=sum(a > n for a in acts), asked=asked == "result")
        for n, line in enumerate(told)
    ]
    if hits := [n for n, result in enumerate(results) if result != "missed"]:
        best = min(hits, key=lambda n: (-WORTH[results[n]], len(told[n].did())))
        found["result"] = (results[best], [told[best].window])
    # Situation: a setting, and a problem that is told neither as a deed nor as the result.
    setting = [line.window for line in told if cues.SETTING.search(line.text) and not line.lesson]
    around = [line.window for line in told if cues.AROUND.search(line.before)]
    scene = {n: x for n, x in enumerate(told) if not x.lesson and (results[n] != "covered" or n < first)}
    state = [(n, line) for n, line in scene.items() if line.label in ("", "situation")]
    setting += [line.window for _, line in state if line.label]
    problem = [x.window for n, x in state if cues.PROBLEM.search(x.text if x.label or n == 0 else x.before)]
    opening = [line for n, line in state if n < first and not cues.DUTY.search(line.text)]
    if len(opening) > 1 and any(cues.happened(line.text) for line in opening):
        problem = problem or [opening[-1].window]  # what went wrong, in no word that is listed
    if problem and (setting or around):
        found["situation"] = ("covered", _span(problem[0], (setting or around)[0]))
    elif problem or setting:
        found["situation"] = ("partly", (problem or setting)[:1])
    duties = [line.window for line in told if cues.DUTY.search(line.window.text)]
    if duties or (aims := [line.window for line in told if cues.AIM.search(line.text) or line.label == "task"]):
        found["task"] = ("covered", duties[:1]) if duties else ("partly", aims[:1])
    deeds = [line.window for line in told for _ in line.did()]
    ours = [line.window for line in told if line.did("we")]
    if deeds or ours:
        found["action"] = ("covered", _span(*deeds[:2])) if len(deeds) > 1 else ("partly", (deeds or ours)[:1])
    if not deeds and not any(cues.figures(line.text) for line in told) and len(told) <= _THIN:
        # "We had some disagreements but it all went well. We shipped the project." could be said of anything.
        found.pop("result", None)
        if "situation" in found and not setting:
            found["situation"] = ("partly", found["situation"][1])
    lessons = [line for line in told if line.lesson or "lesson" in (line.label, asked)]
    full = [line for line in lessons if len(content(cues.LESSON.sub(" ", line.text))) >= 3]
    if lessons:
        found["lesson"] = ("covered" if full else "partly", [(full or lessons)[-1].window])
    return found


def _span(one: Window, two: Window) -> list[Window]:
    """Both where they are neighbours, else the first named."""
    return sorted((one, two), key=lambda w: w.start) if abs(one.first - two.first) <= 1 else [one]


def _outcome(line: Line, *, early: bool, left: int, asked: bool) -> Status:
    """What a sentence is worth as the result; early, or with own deeds left, it must not tell what was wrong."""
    text = cues.WORK_DONE.sub(" ", line.text)
    figures, change, ends = bool(cues.figures(text)), bool(cues.CHANGE.search(text)), bool(cues.ENDS.search(text))
    told = bool(cues.OUTCOME.search(text) and (change or ends or not line.did() or cues.GAIN.search(text)))
    told = told or (not early and not line.did() and figures and (change or (not left and cues.happened(text))))
    bad, less = cues.BAD.search(text), cues.LESS.search(text)
    worse = cues.PROBLEM.search(text) and not (bad and less)
    wrong = not ends and ((early and (worse or not change)) or (left > 1 and worse and not line.did()))
    if line.label in ("situation", "task") or (line.lesson and not figures):
        return "missed"
    if bad and cues.MORE.search(text) and not less:
        return "missed"
    if not (line.label == "result" or asked) and (not told or wrong or (cues.DUTY.search(text) and not change)):
        return "missed"
    return "covered" if figures or change else "partly"


def _flagged(lines: Sequence[Line], asked: str) -> tuple[Window | None, Window | None]:
    """Where the flags show: "we" did everything, and blame."""
    ours = [line.window for line in lines for _ in line.did("we")] if asked in ("", "action") else []
    hidden = len(ours) > 1 and not any(line.did() for line in lines)
    owned = any(cues.OWN_PART.search(line.text) for line in lines)
    blame = (
        line.window
        for line in lines
        if (cues.BLAME.search(line.text) or (not owned and cues.SOFT_BLAME.search(line.text)))
        and not cues.NOT_BLAME.search(line.text)
    )
    return ours[0] if hidden else None, next(blame, None)
