"""What a language model adds to drills: other words for a question, and a second reader of a graded answer.

Whatever is slow is apart from what is stored, so that nothing is locked while a model writes: ``phrase``, then ``put``;
``opinions`` of what ``to_reread`` gives, then ``keep``. Neither changes a state or a score.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tutor.drill import session as machine
from tutor.drill.engine import Drills
from tutor.drill.grade import Grade
from tutor.drill.phrasing import Voice
from tutor.drill.records import Opinion, Session
from tutor.drill.rubric import Rubric
from tutor.drill.second import SecondReader, agrees
from tutor.drill.transcript import last_graded
from tutor.errors import UsageError
from tutor.models.port import LanguageModel


class Companion:
    """A model beside the drills."""

    def __init__(self, drills: Drills, model: LanguageModel) -> None:
        self.drills = drills
        self._voice = Voice(model, drills.alike)
        self._reader = SecondReader(model)

    @property
    def name(self) -> str:
        """The model's."""
        return self._reader.name

    def phrase(self, session: Session) -> str:
        """Other words for the pending question, or nothing; takes as long as the model, at most four seconds."""
        return self._voice.phrase(session)

    def opinions(self, rubric: Rubric, answer: str, grade: Grade) -> Iterator[Opinion]:
        """An opinion on each point, as the model gives them."""
        return self._reader.opinions(rubric, answer, grade)

    def step(self, session: Session) -> Session:
        """A drill after a step: its question in other words, and opinions of the task that has just got its grade."""
        session = self.put(session, self.phrase(session))
        just = last_graded(session)
        if just is None or just[1].second is not None or just[0].rubric.graded == "arithmetic":
            return session
        rubric, answer, grade = self.to_reread(session.id, session.at)
        return self.keep(session.id, session.at, list(self.opinions(rubric, answer, grade)))

    def put(self, session: Session, phrased: str) -> Session:
        """The drill with its pending question in other words, stored."""
        if not phrased or session.pending is None:
            return session
        asked = session.pending.id
        return self.drills.store.amend(session.id, lambda now: machine.with_phrasing(now, asked, phrased))

    def to_reread(self, session_id: str, task: int) -> tuple[Rubric, str, Grade]:
        """What a second reader reads: the rubric, all that was said to it, and its grade.

        Args:
            session_id: a drill.
            task: which of its tasks, from 1.

        Raises:
            NotFound: no such drill or task.
            UsageError: the task has no grade yet, or its points are no claims that can be read.
        """
        session = self.drills.store.load(session_id)
        chosen, done, grade = self.drills.graded(session, task)
        if chosen.rubric.graded == "arithmetic":
            raise UsageError("figures are recomputed, not read", about=session_id)
        known = {p.id for p in chosen.rubric.points}
        points = tuple(p for p in grade.points if p.point in known)
        return chosen.rubric, machine.said(done.turns), grade.model_copy(update={"points": points})

    def keep(self, session_id: str, task: int, found: Sequence[Opinion]) -> Session:
        """The drill with a second reader's opinions of a task (from 1), stored and logged; its grade stays as it is."""
        at = self.drills.now().isoformat()
        rows = [
            {"session": session_id, "task": task, **o.model_dump(mode="json"), "agrees": agrees(o), "at": at}
            for o in found
        ]
        self.drills.store.opinions(rows)
        return self.drills.store.amend(session_id, lambda now: machine.with_opinions(now, task - 1, found))
