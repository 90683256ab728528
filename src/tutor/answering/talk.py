"""A question in a conversation: read for what it means, answered, remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tutor.answering.answer import Answer, Answerer
from tutor.answering.conversation import MAX_HISTORY, Conversation, first_sentence
from tutor.answering.naming import CorpusNames
from tutor.answering.rephrase import rephrased
from tutor.answering.rewrite import Rewritten, standalone, turn
from tutor.answering.screen import says_nothing, tells
from tutor.errors import UsageError
from tutor.models.port import LanguageModel
from tutor.retrieval.search import Filters, checked_question
from tutor.telemetry import operation

#: What answers a question that stands alone.
Ask = Callable[[str, Filters | None], Answer]


@dataclass(frozen=True, slots=True)
class Said:
    """What a client says was asked and answered before; the answer may be empty."""

    question: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to what was ``asked``, how the question was read, and the conversation with both."""

    asked: str
    answer: Answer
    read: Rewritten
    conversation: Conversation

    @property
    def standalone(self) -> str | None:
        """The question as it was read, where that is not as it was asked."""
        return self.read.text if self.read.changed(self.asked) else None


class Talk:
    """Answers questions in a conversation; it holds none itself, so one serves every learner.

    Args:
        answerer: answers a question that stands alone.
        model: proposes readings of follow-ups; None leaves them to the rules.
    """

    def __init__(self, answerer: Answerer, model: LanguageModel | None = None) -> None:
        self._answerer = answerer
        self._model = model
        self._names = CorpusNames(answerer.searcher)

    def ruled(self, question: str, conversation: Conversation) -> Rewritten:
        """What a question means after a conversation, by the rules alone.

        Raises:
            UsageError: an empty or over-long question.
        """
        return standalone(checked_question(question), conversation, self._names)

    def read(self, question: str, conversation: Conversation, *, model: LanguageModel | None = None) -> Rewritten:
        """What a question means after a conversation.

        Args:
            question: 1 to 4,000 characters.
            conversation: what was said before.
            model: proposes a reading instead of the one that all questions have.

        Raises:
            UsageError: an empty or over-long question.
        """
        ruled = self.ruled(question, conversation)
        if (asked := model or self._model) is None:
            return ruled
        with operation("read"):
            return rephrased(checked_question(question), ruled, conversation, self._names, asked)

    def ask(
        self, question: str, conversation: Conversation, *, filters: Filters | None = None, ask: Ask | None = None
    ) -> Reply:
        """Answer a question in a conversation.

        Args:
            question: 1 to 4,000 characters.
            conversation: what was said before.
            filters: payload values to match.
            ask: answers instead of the answerer, for instance through a cache.

        Raises:
            UsageError: an empty or over-long question, an unknown filter.
            IndexFault: the index cannot answer.
        """
        read = self.read(question, conversation)
        answer = ask(read.text, filters) if ask else self._answerer.ask(read.text, filters=filters)
        said = "" if answer.abstained else first_sentence(answer.text)
        cited = tuple(dict.fromkeys(c.doc_id for c in answer.citations))
        asked = checked_question(question)
        if self._asks_nothing(asked):
            return Reply(asked, answer, read, conversation)
        new = turn(asked, read, self._names, said=said, doc_ids=cited)
        return Reply(asked, answer, read, conversation.with_turn(new))

    def remembered(self, history: Iterable[Said]) -> Conversation:
        """The conversation that a client tells of, oldest turn first, each question read after those before it.

        The rules alone read it: a model is asked for the question at hand only.

        Raises:
            UsageError: more than ``MAX_HISTORY`` turns, or an empty or over-long question among them.
        """
        turns = list(history)
        if len(turns) > MAX_HISTORY:
            raise UsageError(
                f"the history has {len(turns)} turns, the limit is {MAX_HISTORY}", fix="Send the last turns."
            )
        found = Conversation()
        for one in turns:
            text = checked_question(one.question)
            if self._asks_nothing(text):
                continue
            read = standalone(text, found, self._names)
            found = found.with_turn(turn(text, read, self._names, said=first_sentence(one.answer)))
        return found

    def _asks_nothing(self, text: str) -> bool:
        """Whether no question can lean on a turn."""
        return says_nothing(text) or (tells(text) and not self._names(text))
