"""Conversations of the pages: a question's place among them, its answer kept, and what is shown of it again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from tutor.answering.abstain import threshold
from tutor.answering.answer import Answer
from tutor.answering.suggest import Suggestion, suggestions
from tutor.answering.talk import Said
from tutor.errors import StudyFault, TutorError
from tutor.feedback import MAX_ANSWER, MAX_CITATIONS
from tutor.keeping import kept_answer, kept_json
from tutor.retrieval.lexical import terms
from tutor.study.conversations import KeptTurn, Summary, Thread
from tutor.telemetry import failed
from tutor.web.core import Core
from tutor.web.forms import Form
from tutor.web.pieces import pieces
from tutor.web.schemas import FeedbackIn

NEW = "new"  # as the id of a conversation: one that is begun
REMEMBERED = 8  # turns that a follow-up is read with
LISTED = 12  # conversations beside a page
REASONS = ("wrong", "not supported by its source", "incomplete", "off topic", "other")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TurnView:
    """A question and its answer as a page shows them.

    ``text`` stands in the place of an answer that cannot be laid out again. ``id`` and ``conversation`` are empty where
    it is not kept, ``questions`` what to ask next, ``drill`` the card to be drilled on.
    """

    question: str
    answer: Answer | None = None
    pieces: Sequence[Markup] = ()
    text: str = ""
    read: str = ""
    error: TutorError | None = None
    id: str = ""
    conversation: str = ""
    vote: str = ""
    reason: str = ""
    questions: Sequence[Suggestion] = ()
    drill: str = ""
    reasons: Sequence[str] = field(default=REASONS)

    @property
    def far(self) -> bool:
        """Whether it is far from everything in the library, and names nothing that is nearest: that leads nowhere."""
        if self.answer is None or self.answer.confidence >= threshold() / 2:
            return False
        asked = set(terms(self.question))
        return not any(asked & set(terms(near.title)) for near in self.answer.nearest)

    @property
    def chunks(self) -> list[str]:
        """Ids of the passages that are quoted."""
        return _chunks(self.answer)


class Keeping:
    """What becomes of one question in the learner's conversations. A store that fails costs no answer.

    Args:
        core: whose conversations.
        conversation: an id, ``NEW``, or empty where nothing is to be kept.
        question: as it was asked.
    """

    def __init__(self, core: Core, conversation: str, question: str) -> None:
        self._core = core
        self._question = question
        self._id = "" if conversation == NEW else conversation
        self.wanted = bool(conversation)
        self._turn = ""
        self._read = ""
        self._before: list[str] = []

    def history(self, given: Sequence[Said]) -> list[Said]:
        """What was said before: the conversation's own turns; ``given`` for a new one, or where it cannot be read.

        Raises:
            NotFound: there is no such conversation.
        """
        said = list(given)
        if self._id:
            try:
                said = [Said(*turn) for turn in self._core.conversations().last(self._id, REMEMBERED)]
            except StudyFault as fault:
                _told(fault)
        self._before = [one.question for one in said]
        return said

    def keep(self, read: str, answer: Answer) -> dict[str, Any] | None:
        """Keep the answer; where it is, or ``line``: why it is not kept. None where nothing is to be.

        Called again for a question it puts the new answer in the place of the first.
        """
        if not self.wanted or not self._core.conversations().kept:
            return None
        kept, self._read = kept_json(answer), read if read != self._question else ""
        try:
            if self._turn:
                self._core.conversations().answer(self._turn, kept)
                return None
            about, turn = self._core.conversations().add(self._id, self._question, kept, standalone=self._read)
        except TutorError as fault:  # NotFound too: deleted in another window while it was answered
            _told(fault)
            return {"line": f"this answer was not kept: {fault.what}"}
        self._id, self._turn = about.id, turn.id
        return {"conversation": about.id, "turn": turn.id, "title": about.title}

    def view(self, answer: Answer) -> TurnView:
        """The turn with what stands below its answer."""
        shown = TurnView(self._question, answer, read=self._read, id=self._turn)
        shown = replace(shown, conversation=self._id if self._turn else "")
        return with_next(self._core, shown, [*self._before, self._question])


def with_next(core: Core, turn: TurnView, asked: Sequence[str]) -> TurnView:
    """The turn with what to ask next and what to drill."""
    if turn.answer is None:
        return turn
    answer = turn.answer
    near = [near.doc_id for near in answer.nearest] if answer.abstained and not turn.far else []
    cited = [citation.doc_id for citation in answer.citations] or near
    try:
        outline = core.outline()
    except TutorError as fault:  # no curriculum is there
        _told(fault)
        return turn
    drill = "" if answer.abstained else next((name for name in cited if name in outline.cards), "")
    return replace(turn, questions=suggestions(cited, outline, asked), drill=drill)


def fresh(core: Core, question: str, answer: Answer) -> TurnView:
    """A turn that is not kept."""
    return with_next(core, TurnView(question, answer, drawn(answer)), [question])


def shown(core: Core, thread: Thread) -> list[TurnView]:
    """A conversation's turns; what to ask next stands below the last one."""
    turns = [turn_view(turn) for turn in thread.turns]
    asked = [turn.question for turn in turns]
    found = [with_next(core, turn, asked) for turn in turns]
    return [*(replace(turn, questions=()) for turn in found[:-1]), *found[-1:]]


def turn_view(turn: KeptTurn) -> TurnView:
    """A kept turn by itself."""
    answer = kept_answer(turn.answer)
    return TurnView(
        turn.question,
        answer,
        drawn(answer) if answer else (),
        text="" if answer else str(turn.answer.get("answer", "")),
        read=turn.standalone,
        id=turn.id,
        conversation=turn.conversation,
        vote=turn.vote,
        reason=turn.reason,
    )


def drawn(answer: Answer) -> list[Markup]:
    """The answer's parts as safe HTML."""
    return [Markup(piece.html) for piece in pieces(answer)]


def recent(core: Core) -> list[Summary]:
    """The conversations that changed last; none where they cannot be read."""
    try:
        return core.conversations().find(limit=LISTED)[1]
    except StudyFault as fault:
        _told(fault)
        return []


def vote(core: Core, conversation: str, turn: str, given: str, reason: str) -> KeptTurn:
    """Keep a vote with its turn, and among the votes that test questions are made of.

    Raises:
        UsageError: it is no vote, or too much is said.
        NotFound: there is no such turn.
        StudyFault, SourceError: it cannot be stored.
    """
    kept = core.conversations().vote(conversation, turn, given, reason)
    if given:
        answer = kept_answer(kept.answer)
        asked, text = kept.standalone or kept.question, str(kept.answer.get("answer", ""))[:MAX_ANSWER]
        core.vote(FeedbackIn(question=asked, answer=text, citations=_chunks(answer), vote=given, note=reason))
    return kept


def reason_of(form: Form) -> str:
    """Why an answer was voted down: one of ``REASONS``, the learner's words, or both."""
    return ": ".join(filter(None, (form.text("reason").strip(), " ".join(form.text("note").split()))))


def unkept_path(question: str, *, told: bool = False) -> str:
    """The address of an answer that is not kept; ``told``: that says so."""
    return f"/?{urlencode({'q': question} | ({'unkept': '1'} if told else {}))}"


def _chunks(answer: Answer | None) -> list[str]:
    quoted = [one.chunk_id for one in answer.citations if one.chunk_id] if answer else []
    return list(dict.fromkeys(quoted))[:MAX_CITATIONS]


def _told(fault: TutorError) -> None:
    """What went wrong with keeping is counted and logged, no reason to fail a request."""
    failed(fault)
    _log.warning("a conversation could not be kept or read. %s", fault.message)
