"""Drills as a front end uses them: start, reply, resume, grade, override, what to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any, Protocol

from tutor.curriculum.corpus import Corpus
from tutor.drill import session as machine
from tutor.drill.decision import under
from tutor.drill.due import Schedule, due_rows, last_rows
from tutor.drill.find import choose, find_card, find_probe
from tutor.drill.formats import (
    FORMATS,
    MOCKS,
    Selection,
    command_for,
    decisions,
    of_decision,
    of_estimate,
    of_exercise,
    of_kind,
    of_one,
    of_set,
    of_story,
    of_whole_card,
)
from tutor.drill.grade import Grade
from tutor.drill.graders import Graders
from tutor.drill.grading import Grader
from tutor.drill.library import nearest_line
from tutor.drill.records import Reading, Round, Session, Task
from tutor.drill.request import parse_request
from tutor.drill.results import due_of
from tutor.drill.rubric import Point, Rubric, of_card, of_probe
from tutor.drill.store import DrillStore
from tutor.drill.views import checked, viewed
from tutor.errors import NotFound, StaleAnswer, UsageError
from tutor.retrieval.encoder import Encoder
from tutor.text import mended

_ENOUGH = 6  # points of a card that a question of the learner's own is graded against


class Library(Protocol):
    """Finds what to read."""

    def read_for(self, claim: str, doc_id: str) -> Reading | None:
        """The passage nearest to a claim, of that document where it has one."""
        ...


class Drills:
    """Everything that a front end needs.

    Args:
        corpus: the curriculum.
        encoder: matches free text to probes.
        grader: grades answers.
        store: keeps sessions.
        library: finds what to read.
        clock: the time now, with a time zone.
        schedule: says when probes are due again; the drills' own days where there is none.
    """

    def __init__(
        self,
        corpus: Corpus,
        encoder: Encoder,
        grader: Grader,
        store: DrillStore,
        library: Library,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        schedule: Schedule | None = None,
    ) -> None:
        self.corpus = corpus
        self.store = store
        self._encoder = encoder
        self._grader = Graders(grader)
        self._library = library
        self._clock = clock
        self._schedule = schedule

    @property
    def today(self) -> date:
        """The day it is, by the clock."""
        return self._clock().date()

    def start(self, request: str = "", *, kind: str = "", card: str = "", chosen: Selection | None = None) -> Session:
        """A new drill, stored at its first question.

        Args:
            request: free text, as "why not kafka for jobs", or the name of an exercise.
            kind: one of ``formats.FORMATS``; by default what the request asks for.
            card: a card by id, title or alias.
            chosen: which probes a set is drawn from.

        Raises:
            NotFound: no such card, probe or exercise.
            UsageError: the parts do not fit together.
        """
        if kind and kind not in FORMATS:
            raise UsageError(f"unknown format '{kind}'", about="format", fix=f"Known: {', '.join(FORMATS)}.")
        now = self._clock()
        kind, tasks = self._tasks(mended(request).strip(), kind, mended(card).strip(), chosen or Selection())
        session = machine.start(self.store.new_id(now), kind, tasks, now)
        self.store.save(session)
        return session

    def _tasks(self, request: str, kind: str, card: str, chosen: Selection) -> tuple[str, Sequence[Task]]:
        alone = kind in (*MOCKS, "estimate", "behavioural")
        if chosen.narrows and (request or card or alone):
            other = f"the format {kind}" if alone else "a name"
            raise UsageError(
                f"a phase, tier, thread, count, due or weak does not go with {other}",
                fix="They draw probes, decisions or a card: leave the name out.",
            )
        if kind == "estimate":
            return kind, [of_estimate(chosen.seed, request or card)]
        if kind == "behavioural":
            return kind, [of_story(self.corpus, request, chosen.seed)]
        if kind in MOCKS:
            return kind, of_exercise(self.corpus, request or card, kind, seed=chosen.seed)
        if kind == "set" and (request or card):
            raise UsageError("a set has no name", about=request or card, fix="Leave the name or the format out.")
        if kind in ("", "set") and not (request or card):
            return "set", of_set(self.corpus, chosen)
        if not (request or card):
            return kind, of_kind(self.corpus, kind, chosen)
        if kind == "card" or (card and not request and kind != "decision"):
            return "card", of_whole_card(find_card(self.corpus, card or request))
        found = find_card(self.corpus, card) if card else None
        if found is None:
            found, probe = choose(self.corpus, request, self._encoder)
        else:
            match = find_probe(found, request, self._encoder) if request else None
            if match is None and request:
                raise NotFound(
                    "the card asks nothing like this",
                    about=found.id,
                    fix=f"It asks: {found.probes[0].ask if found.probes else '-'}",
                )
            probe = match or found.probes[0]
        if kind == "decision":
            if probe.alternative is None:
                options = decisions([found])
                if not options:
                    raise UsageError("the card has nothing to decide between", about=found.id)
                probe = options[0][1]
            constraint = parse_request(request).context
            return kind, [of_decision(found, probe, constraint, under(found, probe, constraint, self.alike))]
        return "probe", [of_one(found, probe)]

    def now(self) -> datetime:
        """The time, by the drills' clock."""
        return self._clock()

    def alike(self, one: str, other: str) -> float:
        """How near two texts are in meaning, in [-1, 1]."""
        a, b = self._encoder.encode([one, other])
        return float(a.dense @ b.dense)

    def thread(self, name: str) -> list[str]:
        """The cards of a thread, by its id.

        Raises:
            NotFound: there is none of that name.
        """
        threads = self.corpus.tables.threads if self.corpus.tables else []
        for thread in threads:
            if thread.id == name.strip().lower():
                return list(thread.cards)
        raise NotFound("no thread has this id", about=name, fix=f"Known: {', '.join(t.id for t in threads)}.")

    def due_or_weak(self, *, due: bool, weak: bool) -> set[tuple[str, str]]:
        """The probes that are due today or earlier, or whose last result was weak, wrong or ungraded.

        Raises:
            NotFound: there is none; names the exercises that are.
        """
        found = self._results(due=due, weak=weak)
        probes = {(c.id, p.id) for c in self.corpus.cards.values() for p in c.probes}
        if found & probes:
            return found & probes
        what, others = "due" if due else "weak", self._commands(found)
        fix = f"But exercises are: {', '.join(others)}" if others else "Drill something new: tutor drill --phase 4"
        raise NotFound(f"no probe is {what}", fix=fix)

    def due(self) -> list[dict[str, Any]]:
        """The last result of everything that is due, as ``due.due_rows`` gives it; no drill is written."""
        return due_rows(self.store.viewed(), self.corpus, self._schedule, self._clock())

    def again(self, task: Task, done: Round) -> date | None:
        """The day a graded task is due again; None without a grade, or where its card is set aside."""
        own = due_of(done)
        probe = task.card in self.corpus.cards and own is not None
        return self._schedule.again(task.card, own) if probe and self._schedule else own

    def exercises_due(self, *, due: bool, weak: bool) -> list[str]:
        """Commands that drill what is due or weak and no card's probe: estimates, designs, reviews, stories."""
        return self._commands(self._results(due=due, weak=weak))

    def _results(self, *, due: bool, weak: bool) -> set[tuple[str, str]]:
        self.store.repair()
        rows = list(self.store.viewed())
        found = due_rows(rows, self.corpus, self._schedule, self._clock()) if due else []
        if weak:
            found += [dict(r) for r in last_rows(rows).values() if r["verdict"] in ("weak", "wrong", "ungraded")]
        return {(row["card"], row["probe"]) for row in found}

    def _commands(self, found: set[tuple[str, str]], most: int = 3) -> list[str]:
        commands = (command_for(self.corpus, *key) for key in sorted(found))
        return list(dict.fromkeys(filter(None, commands)))[:most]

    def reply(self, session_id: str, question_id: str, text: str) -> Session:
        """The drill after the learner's words, stored: first the words, then what grading them gives.

        Raises:
            NotFound: no such drill.
            StaleAnswer: another question is pending, or none; or another process was quicker.
            UsageError: the words do not fit the question.
        """
        now, words = self._clock(), mended(text)
        sent = self.store.amend(session_id, lambda stored: machine.send(stored, question_id, words, now))
        session = self._heard(sent, now)
        if sent.sent is None or (sent.sent.text, sent.sent.at) != (words, now):
            machine.expected(session, question_id)  # another process was quicker, or was killed: its words count
        return session

    def _heard(self, sent: Session, now: datetime) -> Session:
        """The drill after the words that were sent are graded, stored; as it is where none were.

        Two processes may grade the same words at once; the first one's step is kept. Words that cannot be graded are
        put aside into a file, and their question stands.
        """
        if sent.sent is None:
            return sent
        try:
            session = machine.hear(sent, self._grader, now)
            done = session.rounds[sent.at]
            if done.grade is not None:
                session = machine.with_reading(session, sent.at, self.to_read(sent.task, done.grade))
        except Exception:
            self.store.keep_words(sent.id, sent.sent.text)
            self.store.amend(sent.id, lambda stored: machine.withdrawn(stored, sent))
            raise
        try:
            self.store.save(session, answering=sent.sent.question)
        except StaleAnswer:
            return self.store.load(sent.id)
        return session

    def expect(self, session_id: str, question_id: str) -> None:
        """Check that this question is the one to answer.

        Raises:
            NotFound: no such drill.
            StaleAnswer: another question is pending, or none.
        """
        machine.expected(self.store.load(session_id), question_id)

    def left_s(self, session: Session) -> float | None:
        """Seconds left of the pending answer's time box, below 0 when it is over; None where there is none."""
        return machine.left_s(session, self._clock())

    def graded(self, session: Session, task: int) -> tuple[Task, Round, Grade]:
        """A task of a drill (from 1) that has its grade.

        Raises:
            NotFound: no such task.
            UsageError: it has no grade yet.
        """
        if not 1 <= task <= len(session.tasks):
            raise NotFound(f"the drill has {len(session.tasks)} tasks, not {task}", about=session.id)
        done = session.rounds[task - 1]
        if done.grade is None:
            raise UsageError("this task has no grade yet", about=session.id)
        return session.tasks[task - 1], done, done.grade

    def resume(self, session_id: str) -> Session:
        """A drill as it stands; words are graded that a killed process left, and results noted that are missing.

        Raises:
            NotFound: no such drill.
        """
        session = self._heard(self.store.load(session_id), self._clock())
        self.store.note([session])
        return session

    def grade(self, card: str, probe: str, answer: str) -> Grade:
        """Grade one answer.

        Args:
            card: id, title, alias or covered item of a card.
            probe: a probe's id, or a question: the card's nearest probe, or the card's own points where none is near.
            answer: what the learner said.

        Raises:
            NotFound: no such card; names the nearest.
            UsageError: the answer is too long.
        """
        rubric = self.rubric(mended(card), mended(probe))
        grade = self._grader.grade(rubric, mended(answer))
        if grade.follow_ups:
            return grade
        half = {p.point for p in grade.points if p.status == "partly"}  # a session asks about those too
        asked = dict.fromkeys(p.follow_up for p in rubric.points if p.id in half and p.follow_up)
        return grade.model_copy(update={"follow_ups": tuple(asked)})

    def rubric(self, card: str, probe: str) -> Rubric:
        """What an answer to a card's probe, or to a question of one's own, is graded against."""
        found = find_card(self.corpus, card)
        if not found.probes:
            raise NotFound("the card has no probes", about=found.id)
        match = find_probe(found, probe, self._encoder) if probe.strip() else None
        if match is not None:
            return of_probe(found, match)
        return self._narrowed(of_card(found, probe.strip() or found.title), probe.strip() or found.title)

    def _narrowed(self, rubric: Rubric, question: str) -> Rubric:
        """The points that bear on a question of the learner's own: the nearest in meaning."""
        vectors = self._encoder.encode([question, *(p.text for p in rubric.points), *(f.wrong for f in rubric.flags)])
        asked = vectors[0].dense

        def near(items: Sequence[Any], offset: int, most: int) -> list[Any]:
            order = sorted(range(len(items)), key=lambda n: -float(vectors[offset + n].dense @ asked))[:most]
            return [items[n] for n in sorted(order)]

        points: list[Point] = near(rubric.points, 1, _ENOUGH)
        flags = near(rubric.flags, 1 + len(rubric.points), 2)
        return rubric.model_copy(update={"points": tuple(points), "flags": tuple(flags), "lifts": rubric.lifts[:1]})

    def to_read(self, task: Task, grade: Grade, most: int = 3) -> list[Reading]:
        """Where the curriculum says what the answer lacked, what was contradicted first, no passage twice."""
        by_id = {p.id: p for p in task.rubric.points}
        lacking = [p for p in grade.points if p.status != "covered"]
        lacking.sort(key=lambda p: p.status != "contradicted")
        found: list[Reading] = []
        for point in lacking[:most]:  # each costs a search of 8 ms, and a step has 50
            reading = self.passage_for(by_id[point.point].text, task.rubric.doc_id)
            if reading and all(reading.quote != other.quote for other in found):
                found.append(reading.model_copy(update={"point": point.point}))
        return found

    def passage_for(self, claim: str, doc_id: str) -> Reading | None:
        """Where the curriculum says this, with the line nearest to it; in that document where it says it."""
        reading = self._library.read_for(claim, doc_id)
        return reading and reading.model_copy(update={"line": nearest_line(reading.quote, claim)})

    def reading(self, task: Task, done: Round) -> Sequence[Reading]:
        """What to read for a graded task: as it was found then; looked for where an earlier version kept none."""
        if done.read is not None or done.grade is None:
            return done.read or ()
        return self.to_read(task, done.grade)

    def override(self, session_id: str, task: int, point: str, status: str, reason: str = "") -> dict[str, Any]:
        """Keep the learner's own judgement of a point or red flag, and the verdict and score that follow from all.

        Args:
            session_id: a drill.
            task: which of its tasks, from 1.
            point: the point's id, or a red flag's key, as "!2".
            status: one of ``judge.STATUSES``; of a red flag "said" or "not-said".
            reason: why, in the learner's words; at most 1,000 characters.

        Raises:
            NotFound: no such drill, task, point or red flag.
            UsageError: no such status, too long a reason, or the task has no grade yet.
        """
        session = self.store.load(session_id)
        reason = checked(point, status, reason)
        chosen, done, grade = self.graded(session, task)
        before = {p: s for (n, p), s in self.store.overrides(session).items() if n == task}
        row = {"session": session.id, "task": task, "card": chosen.card, "probe": chosen.probe}
        row |= viewed(chosen.rubric, grade, before, point, status)
        row |= {"answer": machine.said(done.turns), "at": self._clock().isoformat()}
        row |= {"reason": reason} if reason else {}
        self.store.override(row)
        return row
