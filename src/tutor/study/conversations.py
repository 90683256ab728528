"""Conversations that were had on the pages: kept, listed, searched, named, voted on, deleted.

A deleted conversation is gone, with all its turns: unlike an entry of the log it is no work of the learner's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from tutor.errors import NotFound, UsageError
from tutor.study.entries import folded
from tutor.study.places import Parts, held, piece
from tutor.study.store import StudyStore, new_id
from tutor.study.tables import Conversation, Turn

LONGEST_TITLE = 200
LONGEST_REASON = 2_000
VOTES = ("up", "down")
_SHOWN_TITLE = 100  # characters of a first question that become the title
_ID = re.compile(r"[\w-]{1,40}", re.ASCII)
#: Of an answer's Markdown what is no words: stress, code, bullets, headings, and the numbers of its sources.
_MARKS = re.compile(r"\*\*|`|^[ \t]*(?:[-*>]|#+)[ \t]+| ?\[\d+\]", re.M)
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation without its turns; ``changed`` is when one was added or the title changed."""

    id: str
    title: str
    created: datetime
    changed: datetime
    turns: int


@dataclass(frozen=True, slots=True)
class KeptTurn:
    """A question as it was asked at ``at``, how it was read (empty where as asked), and its answer as JSON."""

    id: str
    conversation: str
    at: datetime
    question: str
    standalone: str
    answer: Mapping[str, Any]
    vote: str
    reason: str


@dataclass(frozen=True, slots=True)
class Thread:
    """A whole conversation, its first question first."""

    about: Summary
    turns: Sequence[KeptTurn]


@dataclass(frozen=True, slots=True)
class Place:
    """Where words were found in a conversation: its turn, and a piece of the question or answer, the words apart."""

    turn: str
    parts: Parts


class Conversations:
    """One learner's conversations; may be used by several threads at once.

    Args:
        store: makes the store when it is first needed.
        zone: the learner's, for the days of a list.
        clock: the time now, with a time zone.
        kept: whether new turns are kept at all.
    """

    def __init__(
        self, store: Callable[[], StudyStore], *, zone: ZoneInfo, clock: Callable[[], datetime], kept: bool = True
    ) -> None:
        self._make_store = store
        self.zone = zone
        self.clock = clock
        self.kept = kept
        self._opening = Lock()

    @property
    def store(self) -> StudyStore:
        """The store, with the learner's row in it."""
        with self._opening:
            return self._store

    @cached_property
    def _store(self) -> StudyStore:
        store = self._make_store()
        store.owner()
        return store

    def add(
        self, conversation: str, question: str, answer: Mapping[str, Any], *, standalone: str = ""
    ) -> tuple[Summary, KeptTurn]:
        """Keep a question with its answer; the conversation as it is then, and the turn.

        Args:
            conversation: its id; empty begins a new one, which goes by the beginning of the question.
            question: as it was asked.
            answer: as JSON; its member "answer" is what is searched.
            standalone: how the question was read, empty where as asked.

        Raises:
            NotFound: there is no such conversation.
            StudyFault: nothing was stored.
        """
        now, rest = self.clock(), dict(answer)
        text, question = _stored(str(rest.pop("answer", ""))), _stored(question)
        turn = Turn(
            id=new_id(),
            learner=self.store.learner,
            at=now,
            conversation=conversation or new_id(),
            question=question,
            standalone=_stored(standalone),
            text=text,
            answer=rest,
            vote="",
            reason="",
            changed=now,
        )
        with self.store.write() as session:
            if conversation:
                self._row(session, conversation).changed = now
            else:
                session.add(
                    Conversation(
                        id=new_id(),
                        learner=turn.learner,
                        at=now,
                        conversation=turn.conversation,
                        title=_title(question),
                        changed=now,
                    )
                )
            session.add(turn)
            session.flush()
            return self._summary(session, self._row(session, turn.conversation)), _turn(turn)

    def answer(self, turn: str, answer: Mapping[str, Any]) -> None:
        """Put another answer in the place of a turn's; nothing where the turn is not there any more.

        Raises:
            StudyFault: nothing was stored.
        """
        rest = dict(answer)
        text = _stored(str(rest.pop("answer", "")))
        mine = update(Turn).where(Turn.learner == self.store.learner, Turn.id == turn)
        with self.store.write() as session:
            session.execute(mine.values(text=text, answer=rest, changed=self.clock()))

    def find(self, words: str = "", *, limit: int = 50, offset: int = 0) -> tuple[int, list[Summary]]:
        """How many conversations hold all the words in title, questions and answers, and those asked for.

        The one that changed last is first.

        Args:
            words: in any case; empty for all conversations.
            limit: at most so many.
            offset: so many are passed over.
        """
        learner, needles = self.store.learner, folded(words).split()
        mine = select(Conversation).where(Conversation.learner == learner)
        ordered = mine.order_by(Conversation.changed.desc(), Conversation.id)
        with self.store.read() as session:
            if not needles:
                count = select(func.count()).select_from(Conversation).where(Conversation.learner == learner)
                shown = list(session.scalars(ordered.limit(limit).offset(offset)))
                return session.scalar(count) or 0, _summaries(session, learner, shown)
            rows = list(session.scalars(ordered))
            held = _holding(session, learner, {row.conversation: row.title for row in rows}, needles)
            rows = [row for row in rows if row.conversation in held]
            return len(rows), _summaries(session, learner, rows[offset : offset + limit])

    def places(self, found: Sequence[Summary], words: str) -> dict[str, Place]:
        """Where the words stand, by conversation: of those whose title does not hold all of them already.

        Args:
            found: conversations as ``find`` gave them for the same words.
            words: in any case.
        """
        learner, needles = self.store.learner, folded(words).split()
        within = [one.id for one in found if held(one.title, needles) < len(needles)]
        texts = select(Turn.id, Turn.conversation, Turn.question, Turn.text)
        mine = texts.where(Turn.learner == learner, Turn.conversation.in_(within)).order_by(Turn.at, Turn.id)
        best: dict[str, tuple[int, str, str]] = {}
        with self.store.read() as session:
            for turn, name, question, answer in session.execute(mine):
                for text in (question, _MARKS.sub("", answer)):
                    count = held(text, needles)
                    if count > best.get(name, (0, "", ""))[0]:
                        best[name] = (count, turn, text)
        places = {name: Place(turn, piece(text, needles)) for name, (_, turn, text) in best.items()}
        return {name: place for name, place in places.items() if place.parts}

    def get(self, conversation: str) -> Thread:
        """All of a conversation.

        Raises:
            NotFound: there is no such conversation.
        """
        with self.store.read() as session:
            about = self._summary(session, self._row(session, conversation))
            mine = select(Turn).where(Turn.learner == self.store.learner, Turn.conversation == conversation)
            return Thread(about, [_turn(row) for row in session.scalars(mine.order_by(Turn.at, Turn.id))])

    def last(self, conversation: str, most: int) -> list[tuple[str, str]]:
        """The last questions with what was answered, oldest first.

        Raises:
            NotFound: there is no such conversation.
        """
        with self.store.read() as session:
            self._row(session, conversation)
            mine = select(Turn.question, Turn.text).where(
                Turn.learner == self.store.learner, Turn.conversation == conversation
            )
            rows = session.execute(mine.order_by(Turn.at.desc(), Turn.id.desc()).limit(most)).all()
            return [(row.question, row.text) for row in reversed(rows)]

    def rename(self, conversation: str, title: str) -> Summary:
        """Give a conversation another title.

        Raises:
            UsageError: it is empty or has more than 200 characters.
            NotFound: there is no such conversation.
            StudyFault: nothing was stored.
        """
        title = " ".join(_INVISIBLE.sub(" ", _stored(title)).split())
        if not title:
            raise UsageError("the title is empty", about="title", fix=f"1 to {LONGEST_TITLE} characters.")
        if len(title) > LONGEST_TITLE:
            raise UsageError(f"has {len(title):,} characters", about="title", fix=f"At most {LONGEST_TITLE}.")
        with self.store.write() as session:
            row = self._row(session, conversation)
            row.title, row.changed = title, self.clock()
            session.flush()
            return self._summary(session, row)

    def delete(self, conversation: str) -> None:
        """Delete a conversation with all its turns.

        Raises:
            NotFound: there is no such conversation.
            StudyFault: nothing was deleted.
        """
        with self.store.write() as session:
            row = self._row(session, conversation)
            mine = delete(Turn).where(Turn.learner == self.store.learner, Turn.conversation == row.conversation)
            session.execute(mine)
            session.delete(row)

    def vote(self, conversation: str, turn: str, vote: str, reason: str = "") -> KeptTurn:
        """Keep what the learner thinks of an answer: up, down, or empty to take it back.

        Raises:
            UsageError: it is no vote, or the reason has more than 2,000 characters.
            NotFound: there is no such turn.
            StudyFault: nothing was stored.
        """
        if vote not in (*VOTES, ""):
            raise UsageError(f"'{vote[:40]}' is no vote", about="vote", fix="up or down.")
        if len(reason) > LONGEST_REASON:
            raise UsageError(f"has {len(reason):,} characters", about="reason", fix=f"At most {LONGEST_REASON:,}.")
        with self.store.write() as session:
            row = self._its_turn(session, conversation, turn)
            row.vote, row.reason, row.changed = vote, _stored(reason), self.clock()
            session.flush()
            return _turn(row)

    def turn(self, conversation: str, turn: str) -> KeptTurn:
        """One turn.

        Raises:
            NotFound: there is no such turn.
        """
        with self.store.read() as session:
            return _turn(self._its_turn(session, conversation, turn))

    def close(self) -> None:
        """Let go of the store."""
        with self._opening:
            if "_store" in self.__dict__:
                self.__dict__.pop("_store").close()

    def _row(self, session: Session, conversation: str) -> Conversation:
        mine = select(Conversation).where(
            Conversation.learner == self.store.learner, Conversation.conversation == conversation
        )
        found = session.scalars(mine).one_or_none() if _ID.fullmatch(conversation) else None
        if found is None:
            fix = "It may have been deleted. /conversations lists those there are."
            raise NotFound("there is no such conversation", about=conversation[:80], fix=fix)
        return found

    def _its_turn(self, session: Session, conversation: str, turn: str) -> Turn:
        found = session.get(Turn, turn) if _ID.fullmatch(turn) else None
        if found is None or (found.learner, found.conversation) != (self.store.learner, conversation):
            raise NotFound("the conversation has no such answer", about=turn[:80], fix="It may have been deleted.")
        return found

    def _summary(self, session: Session, row: Conversation) -> Summary:
        return _summaries(session, row.learner, [row])[0]


def _summaries(session: Session, learner: str, rows: Sequence[Conversation]) -> list[Summary]:
    names = [row.conversation for row in rows]
    mine = select(Turn.conversation, func.count()).where(Turn.learner == learner, Turn.conversation.in_(names))
    counts = {row[0]: row[1] for row in session.execute(mine.group_by(Turn.conversation))}
    return [Summary(r.conversation, r.title, r.at, r.changed, counts.get(r.conversation, 0)) for r in rows]


def _holding(session: Session, learner: str, titles: Mapping[str, str], needles: Sequence[str]) -> set[str]:
    """The conversations in which every needle is found, whichever of their texts it is in."""
    lacking = {name: {n for n in needles if n not in folded(title)} for name, title in titles.items()}
    texts = select(Turn.conversation, Turn.question, Turn.text).where(Turn.learner == learner)
    for name, question, answer in session.execute(texts):
        if left := lacking.get(name):
            text = folded(f"{question}\n{answer}")
            left -= {needle for needle in left if needle in text}
    return {name for name, left in lacking.items() if not left}


def _turn(row: Turn) -> KeptTurn:
    answer = {**row.answer, "answer": row.text}
    return KeptTurn(row.id, row.conversation, row.at, row.question, row.standalone, answer, row.vote, row.reason)


def _title(question: str) -> str:
    line = " ".join(question.split())
    if len(line) <= _SHOWN_TITLE:
        return line or "Untitled"
    return line[: _SHOWN_TITLE - 1].rsplit(" ", 1)[0].rstrip(",.;:") + "…"


def _stored(text: str) -> str:
    """Without what no database takes."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
