"""The core as the routes see it: one lock around what is not made for threads, and the newest generation."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect

from tutor.answering.answer import Answer, Grounds
from tutor.answering.generate import Writing
from tutor.answering.talk import Said
from tutor.answering.written import Finished, never_asked
from tutor.bootstrap import App
from tutor.drill.engine import Drills
from tutor.drill.records import Session
from tutor.drill.transcript import step_json, today_json
from tutor.errors import IndexDamaged, NotFound, TutorError, UsageError
from tutor.feedback import Vote
from tutor.models.asking import Asking
from tutor.retrieval.search import Filters, SearchResult, checked_question
from tutor.settings import ServerSettings, Settings
from tutor.study.desk import Study
from tutor.study.plans import Plans
from tutor.studying import plans_of
from tutor.telemetry.measures import Figure
from tutor.web.ahead import DrillsAhead
from tutor.web.beginning import ahead_of, beginning
from tutor.web.leaving import stopped_when
from tutor.web.schemas import DrillIn, FeedbackIn

if TYPE_CHECKING:
    from tutor.curriculum.outline import Outline
    from tutor.study.conversations import Conversations
    from tutor.study.log import LogBook

T = TypeVar("T")
_KEY = "Set TUTOR_SERVER_API_KEY where the server is started."
_log = logging.getLogger(__name__)


class Core:
    """Blocking calls; routes run them in worker threads.

    Args:
        app: what answers.
        no_model: why no language model is asked though one may be set up; "" where one may.
    """

    def __init__(self, app: App, *, no_model: str = "") -> None:
        self._app = app
        self._no_model = no_model
        # An answer takes 30 ms of both cores: side by side they would only slow each other down.
        self._lock = Lock()
        self._studying = Lock()  # by itself: studying needs no index, and waits for no answer
        self._log_lock = Lock()
        self._opening = Lock()
        self._told: TutorError | None = None
        self.drills_ahead = DrillsAhead(app, self._lock.locked)

    def ask(self, question: str, filters: Filters | None = None, *, gone: Event | None = None) -> Answer:
        """Answer from the newest generation.

        Args:
            question: 1 to 4,000 characters.
            filters: payload values to match.
            gone: set when nobody waits for the answer any more; looked at when it is this question's turn.

        Raises:
            UsageError: an empty or over-long question, an unknown filter.
            IndexFault: the index cannot answer.
            ClientDisconnect: ``gone`` was set.
        """

        return self.grounds(question, filters, gone=gone).answer

    def grounds(self, question: str, filters: Filters | None = None, *, gone: Event | None = None) -> Grounds:
        """As ``ask``, with what a model may write another answer from."""

        def answer(app: App) -> Grounds:
            if gone and gone.is_set():
                raise ClientDisconnect
            return app.answerer.grounds(question, filters=filters)

        return self._read(answer)

    def asking(self) -> Asking | None:
        """The language model for one question, for ``read`` and ``written``; None where none may be asked."""
        return Asking(self._app.model) if self._app.model and not self._no_model else None

    def unwritten(self, grounds: Grounds) -> Answer:
        """The quoted answer; it says why the language model that is set up may not be asked."""
        if grounds.answer.abstained or not self._no_model or self._app.model is None:
            return grounds.answer
        return replace(grounds.answer, generation=never_asked(self._app.model.name, self._no_model))

    def read(
        self, question: str, history: Sequence[Said], *, asking: Asking | None = None, gone: Event | None = None
    ) -> str:
        """A question as it is meant after ``history``, oldest turn first; itself where it stands alone.

        Raises:
            UsageError: an empty or over-long question, a history that is too long.
            IndexFault: the index cannot answer.
            ClientDisconnect: ``gone`` was set.
        """
        if not history:
            return checked_question(question)
        before = self._read(lambda app: app.talk.remembered(history))
        talk, asking = self._app.talk, asking or self.asking()
        if asking is None:
            return talk.ruled(question, before).text
        with stopped_when(gone, asking.close):
            read = talk.read(question, before, model=asking).text  # not under the lock: it takes as long as the model
        if gone and gone.is_set():
            raise ClientDisconnect
        return read

    def writing(
        self, grounds: Grounds, asking: Asking | None = None, *, max_tokens: int | None = None
    ) -> Writing | None:
        """A model's answer on these grounds, while it is written; None without a model, or where nothing was found.

        The lock is not held while it writes: what it needs of the index is in the grounds.
        """
        if not grounds.answer.citations or (asking := asking or self.asking()) is None:
            return None  # before the lock, for which a finished answer would wait as long as for another's turn
        with self._lock:
            grounded = self._app.grounded
            return None if grounded is None else grounded.write(grounds, model=asking, max_tokens=max_tokens)

    @property
    def model(self) -> str:
        """The name of the language model, "" where there is none."""
        return self._app.model.name if self._app.model else ""

    def written(
        self,
        question: str,
        filters: Filters | None = None,
        *,
        gone: Event | None = None,
        asking: Asking | None = None,
    ) -> Answer:
        """The answer that the model writes, or the extractive one where there is no model or it fails.

        Args:
            asking: the model, where it was asked for this question before.
            gone: stops the model when it is set.

        Raises:
            As ``ask``.
        """
        grounds = self.grounds(question, filters, gone=gone)
        writing = self.writing(grounds, asking)
        if writing is None:
            return self.unwritten(grounds)
        try:
            with stopped_when(gone, writing.close):
                for event in writing:
                    if gone and gone.is_set():
                        raise ClientDisconnect
                    if isinstance(event, Finished):
                        return event.answer
        finally:
            writing.close()
        return grounds.answer

    def search(
        self, question: str, *, limit: int, by_document: bool, filters: Mapping[str, Sequence[str | int]]
    ) -> SearchResult:
        """Search the newest generation."""
        return self._read(
            lambda app: app.searcher.search(question, limit=limit, by_document=by_document, filters=filters)
        )

    @property
    def writes(self) -> bool:
        """Whether a language model is set up to write answers."""
        return self._app.model is not None and not self._no_model

    def count_tokens(self, texts: Sequence[str]) -> int:
        """How many tokens the texts have together, by the encoder's tokenizer; without the lock."""
        return sum(map(self._app.encoder.count_tokens, texts))

    def documents(self) -> list[dict[str, Any]]:
        """Every document without its text: cards first, then by kind, phase and title."""
        found = self._read(lambda app: app.reader.documents())
        return sorted(found, key=lambda d: (d["kind"] != "card", d["kind"], d["meta"].get("phase", 99), d["title"]))

    def document(self, doc_id: str) -> dict[str, Any]:
        """One document with its text.

        Raises:
            NotFound: no document has that id.
        """
        found = self._read(lambda app: app.reader.payload("document", doc_id))
        if found is None:
            raise NotFound("no document has this id", about=doc_id, fix="The library lists all documents: /documents")
        return found

    def drill(self, use: Callable[[Drills], T]) -> T:
        """Something done with the drills, one at a time."""
        self.drills_ahead.wait()
        return self._read(lambda app: use(app.drills))

    def start_drill(self, asked: DrillIn) -> dict[str, Any]:
        """A new drill's first step; raises as ``begun``."""
        return self.step(self.begun(asked))

    def begun(self, asked: DrillIn) -> Session:
        """A new drill.

        Raises:
            NotFound: no such card, probe or exercise, or nothing is due.
            UsageError: the parts do not fit together.
        """
        return self.drill(beginning(asked, ahead_of(self) if asked.choose else ()))

    def reply(self, session_id: str, question_id: str, text: str) -> dict[str, Any]:
        """A drill's next step after the learner's words; raises as ``replied``."""
        return self.step(self.replied(session_id, question_id, text))

    def replied(self, session_id: str, question_id: str, text: str) -> Session:
        """A drill after the learner's words.

        Raises:
            NotFound: no such drill.
            StaleAnswer: another question is pending, or none.
            UsageError: the words do not fit the question.
        """
        session = self.drill(lambda drills: drills.reply(session_id, question_id, text))
        if any(done.grade for done in session.rounds):
            try:
                self.study(lambda study: study.sync())
            except TutorError as fault:  # the drill keeps its results: the next call takes them in
                _log.warning("progress is not up to date. %s", fault.message)
        return session

    def study(self, use: Callable[[Study], T]) -> T:
        """Something done at the learner's desk, one at a time."""
        with self._studying:
            study = self._app.study
            while study.store.news:
                _log.warning("%s", study.store.news.pop(0))
            return use(study)

    def conversations(self) -> Conversations:
        """The learner's conversations, which may be used without a lock."""
        with self._opening:
            return self._app.conversations

    def outline(self) -> Outline:
        """The curriculum in outline; no other studying is waited for."""
        with self._opening:
            return self._app.study.outline

    def plans(self, use: Callable[[Plans], T]) -> T:
        """Something done with the learner's plans, one at a time with all other studying."""
        return self.study(lambda study: use(plans_of(study)))

    def step(self, session: Session) -> dict[str, Any]:
        """A drill as it stands; with a language model its question in that one's words. The model locks nothing."""
        self.drills_ahead.wait()
        companion = None if self._no_model else self._read(lambda app: app.companion)
        if companion and (phrased := companion.phrase(session)):
            session = self.drill(lambda _: companion.put(session, phrased))
        return self.drill(lambda drills: step_json(drills, session))

    def reread(self, session_id: str, task: int) -> list[dict[str, Any]]:
        """What the language model says of a graded task's points, kept beside its grade.

        Raises:
            NotFound: no such drill or task.
            UsageError: no model is set, the task has no grade yet, or its points are recomputed.
        """
        if self._no_model:
            raise UsageError("no language model is asked here", about=self._no_model, fix=_KEY)
        self.drills_ahead.wait()
        companion = self._read(lambda app: app.companion)
        if companion is None:
            raise UsageError("no language model is set", fix="Choose one: tutor models")
        rubric, answer, grade = self.drill(lambda _: companion.to_reread(session_id, task))
        found = list(companion.opinions(rubric, answer, grade))
        self.drill(lambda _: companion.keep(session_id, task, found))
        return [opinion.model_dump(mode="json") for opinion in found]

    def log(self, use: Callable[[LogBook], T]) -> T:
        """Something done with the decision log, one at a time; the index takes no part in it.

        Raises:
            StudyFault: the store does not answer.
        """
        with self._log_lock:
            return use(self._app.log)

    def today(self) -> dict[str, Any]:
        """What is due again, and the open drills."""
        return self.drill(today_json)

    def vote(self, given: FeedbackIn) -> Vote:
        """Keep a vote on an answer; the index takes no part in it.

        Raises:
            UsageError: something is missing or too long.
            SourceError: it cannot be stored.
        """
        return self._app.feedback.add(
            given.question, given.answer, given.vote, citations=given.citations, note=given.note
        )

    def export(self, kind: str) -> str:
        """Everything the learner has made, as JSON or Markdown.

        Raises:
            StudyFault: the store cannot be read.
        """
        return self.own(lambda app: app.transfer.text(kind))

    def bring_in(self, data: bytes, dry_run: bool) -> dict[str, Any]:
        """Merge an export into what is here; what became of it.

        Raises:
            SourceError: it is none, or damaged.
            StudyFault: a newer version made it, or the store cannot be written.
        """
        from tutor.study.transfer import read

        return self.own(lambda app: app.transfer.bring_in(read(data, "the export"), dry_run=dry_run).as_json())

    def own(self, use: Callable[[App], T]) -> T:
        """Something done with all that the learner has made, one at a time with studying; no answer waits for it."""
        with self._studying:
            try:
                return use(self._app)
            finally:
                news = self._app.transfer.news
                while news:
                    _log.warning("%s", news.pop(0))

    def health(self) -> dict[str, Any]:
        """What answers."""
        manifest = self._read(lambda app: app.reader.manifest)
        return {
            "status": "ok",
            "generation": manifest.generation,
            "documents": manifest.documents,
            "passages": manifest.passages,
            "encoder": manifest.encoder,
        }

    @property
    def settings(self) -> Settings:
        """Everything that is set."""
        return self._app.settings

    @property
    def server(self) -> ServerSettings:
        """How the server is set up."""
        return self._app.settings.server

    def figures(self) -> list[Figure]:
        """What stands now, of the newest generation unless somebody is being answered: nobody is waited for."""
        if self._lock.acquire(blocking=False):
            try:
                with suppress(TutorError):  # what was last opened is told
                    self._app.searcher.refresh()
            finally:
                self._lock.release()
        return self._app.figures()

    def _read(self, read: Callable[[App], T]) -> T:
        """One at a time: read the newest generation, or an older one where it cannot be read; the log says which."""
        with self._lock:
            app = self._app
            app.searcher.refresh()
            try:
                return read(app)
            except IndexDamaged as fault:
                app.searcher.fall_back(fault)
                return read(app)
            finally:
                if (known := app.reader.fallback) is not None and known is not self._told:
                    _log.warning("an older generation answers, the newest is damaged. %s", known.message)
                self._told = known


async def core_of(request: Request) -> Core:  # async: else every request waits for a worker thread first
    """The application's core, for routes to depend on."""
    core: Core = request.app.state.core
    return core
