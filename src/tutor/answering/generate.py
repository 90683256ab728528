"""An answer written by a language model and held to the passages: nothing stays that no cited span says.

The extractive answer comes first and stands until there is something better. Where it abstains, the model is not asked.
What the model writes is read sentence by sentence; each is checked, cited anew by the span that says it, or dropped.
Where too little is left, or the model fails in any way, the extractive answer stands and the reason is told.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextvars import copy_context
from dataclasses import dataclass, replace
from threading import Event as Flag

from tutor.answering.answer import Answer, Answerer, Grounds, renumbered
from tutor.answering.cite import Citation
from tutor.answering.claims import weigher
from tutor.answering.compose import Composed, Group, Sentence
from tutor.answering.orders import gives_orders
from tutor.answering.prompt import Prompt, build
from tutor.answering.replies import KeptReplies
from tutor.answering.stream import Reply, Written, unsafe
from tutor.answering.verify import Judge, Source, Verifier, Window, source
from tutor.answering.written import Draft, Dropped, Event, Finished, Generation, Settled
from tutor.errors import Cancelled, GenerationError, ModelUnreachable
from tutor.models.port import NOTHING, Completion, LanguageModel
from tutor.retrieval.search import Filters
from tutor.telemetry import operation, stage

LEAST_SENTENCES = 2
#: A reply of which less than this share is supported is not trusted with the rest: each check errs now and then.
LEAST_SHARE = 0.5
MAX_DROPPED = 12  # sentences that fail before the reply is given up
_VERDICT = 2  # sentences of the opening that stand as the verdict
_UNSUPPORTED = "Not supported by the library: "
_log = logging.getLogger(__name__)


class GroundedAnswerer:
    """Answers with a language model where it can be held to the passages.

    Args:
        answerer: the extractive one.
        model: writes.
        judge: helps to check (optional).
        max_tokens: of a reply.
        mark: keep unsupported sentences and mark them, instead of dropping them.
        replies: those that stood up before.
        clock: seconds; for the times that are told.
    """

    def __init__(
        self,
        answerer: Answerer,
        model: LanguageModel,
        judge: Judge | None = None,
        *,
        max_tokens: int = 500,
        mark: bool = False,
        replies: KeptReplies | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.replies = replies
        self.answerer = answerer
        self.model = model
        self.judge = judge
        self.max_tokens = max_tokens
        self.mark = mark
        self.clock = clock

    def ask(self, question: str, *, filters: Filters | None = None) -> Answer:
        """The whole answer at once.

        Raises:
            UsageError: an empty or over-long question, an unknown filter.
            IndexFault: the index cannot answer.
        """
        grounds = self.answerer.grounds(question, filters=filters)
        for event in self.write(grounds):
            if isinstance(event, Finished):
                return event.answer
        return grounds.answer

    def write(self, grounds: Grounds, *, model: LanguageModel | None = None, max_tokens: int | None = None) -> Writing:
        """Let the model write on an extractive answer's passages. Needs neither index nor lock.

        Args:
            grounds: the extractive answer.
            model: this one for one question (``models.asking``), where more than the answer is asked of it.
            max_tokens: of the reply, where fewer than usual are wanted.
        """
        return Writing(self, grounds, model or self.model, min(self.max_tokens, max_tokens or self.max_tokens))


@dataclass(slots=True)
class _Kept:
    """What stood up so far."""

    written: Written
    sentence: Sentence


class Writing:
    """One answer while it is written: iterate once for its events; the last is ``Finished``.

    ``close`` ends it from any thread: the model's request ends, and the extractive answer stands.
    """

    def __init__(self, by: GroundedAnswerer, grounds: Grounds, model: LanguageModel, max_tokens: int) -> None:
        self._by = by
        self._model = model
        self._max_tokens = max_tokens
        self._given = False
        self._grounds = grounds
        self._closed = Flag()
        self._completion: Completion | None = None
        self._sources: list[Source] = []
        self._prompt: Prompt | None = None
        self._citations: dict[tuple[str, int, int], Citation] = {}
        self._kept: list[_Kept] = []
        self._dropped: list[Dropped] = []
        self._no_answer = False
        self._kept_before = False
        self._checked = 0
        searcher = by.answerer.searcher
        weight = weigher(searcher.expander.frequency, max(2, searcher.reader.manifest.passages))
        self._verifier = Verifier(searcher.encoder, by.judge, weight)

    def close(self) -> None:
        """End it; may be called again."""
        self._closed.set()
        if self._completion is not None:
            self._completion.close()

    def standing(self) -> str:
        """The answer as far as it stands, as Markdown; "" until its opening and enough of the rest are supported.

        What this has given once stays: the final text begins with it, whatever becomes of the rest of the reply.
        """
        composed = self._composed(marked=False)
        self._given = self._given or not self._too_little(composed)
        return composed.markdown() if self._given else ""

    def __iter__(self) -> Iterator[Event]:
        answer, clock = self._grounds.answer, self._by.clock
        if not answer.citations:  # refused, or the learner's own words alone
            yield Finished(answer)
            return
        began = clock()
        first_ms: float | None = None
        reply, text = Reply(), ""
        failure = ""
        # Each step may be taken in another thread, with another context: the operation is entered in one of its own.
        running, inside, pieces = operation("write"), copy_context(), self._pieces()
        inside.run(running.__enter__)
        try:
            while (piece := inside.run(next, pieces, None)) is not None:
                if first_ms is None:
                    first_ms = (clock() - began) * 1000
                text += piece
                shown = reply.shown(piece)
                if shown:
                    yield Draft(shown)
                for written in reply.read(shown):
                    yield from inside.run(self._settle, written)
                if reply.trouble or self._no_answer or len(self._dropped) >= MAX_DROPPED:
                    break
            else:
                for written in reply.end():
                    yield from inside.run(self._settle, written)
            failure = reply.trouble
        except GenerationError as error:
            failure = _told(error)
        finally:
            inside.run(pieces.close)
            self.close()
            inside.run(running.__exit__, None, None, None)
        usage = self._completion.usage if self._completion is not None else NOTHING
        composed = self._composed()
        failure = failure or self._too_little(composed)
        done = Generation(
            model=self._by.model.name,
            usage=usage,
            first_ms=first_ms,
            ms=(clock() - began) * 1000,
            sentences=self._checked,
            supported=len(self._kept),
            dropped=tuple(self._dropped),
            fallback="" if self._given else failure,
            trouble=failure if self._given else "",
            kept=self._kept_before,
        )
        whole = not failure and self._max_tokens == self._by.max_tokens
        if whole and not self._kept_before and self._by.replies is not None:
            self._by.replies.put(answer.question, self._grounds.filters, text)
        yield Finished(self._answer(done, composed, {**answer.stages, **running.stages}))

    def _pieces(self) -> Generator[str]:
        """The model's reply.

        Raises:
            GenerationError: also where a client fails in a way of its own, or what comes is no text.
        """
        by, answer = self._by, self._grounds.answer
        self._prompt = build(
            answer.question, answer.intent, self._grounds.hits, self._model, max_tokens=self._max_tokens
        )
        if by.replies is not None and (before := by.replies.get(answer.question, self._grounds.filters)):
            self._kept_before = True
            yield before
            return
        try:
            self._completion = self._model.stream(self._prompt.messages, max_tokens=self._max_tokens)
            if self._closed.is_set():  # closed before there was anything to close
                self._completion.close()
            for piece in self._completion:
                if self._closed.is_set():
                    raise Cancelled("nobody waits for the answer any more")
                if not isinstance(piece, str):
                    raise ModelUnreachable("the model's reply is not text")
                if piece:
                    yield piece
        except GenerationError:
            raise
        except Exception as error:  # a client's own fault costs the written answer, never the answer
            _log.warning("the model's client failed: %s", type(error).__name__)
            raise ModelUnreachable(f"the model's client failed ({type(error).__name__})") from error
        if self._closed.is_set():
            raise Cancelled("nobody waits for the answer any more")

    def _settle(self, written: Written) -> tuple[Event, ...]:
        """Check one sentence and keep or drop it."""
        if written.kind == "heading":
            return ()
        if written.kind == "none":
            self._no_answer = True
            return ()
        self._checked += 1
        with stage("verify"):
            why, windows = self._read(written)
        if not why:
            cited = tuple(self._cite(w) for w in windows)
            wrong = windows[0].source.passage.role == "mistakes"
            sentence = Sentence(written.text, cited[0].n, "Mistake: " if wrong else "", tuple(c.n for c in cited[1:]))
            self._kept.append(_Kept(written, sentence))
            return (Settled(sentence, cited),)
        self._dropped.append(Dropped(written.text, why))
        return (self._dropped[-1],)

    def _read(self, written: Written) -> tuple[str, tuple[Window, ...]]:
        """Why a sentence cannot stay, or ("", the windows that say it)."""
        if written.cut:
            return "the reply broke off in it", ()
        if written.kind in ("table", "code"):
            return f"{'a table' if written.kind == 'table' else 'code'} cannot be checked sentence by sentence", ()
        if unsafe(written.text):
            return "it holds a link, an image or a tag", ()
        if gives_orders(written.text):
            return "it repeats an order to an assistant", ()
        if not self._sources:  # made now, so that the first piece does not wait for it
            self._sources = self._readable()
        cited = [self._sources[n - 1] for n in written.marks if 0 < n <= len(self._sources)]
        others = [s for s in self._sources if s not in cited]
        finding = self._verifier.check(written.text, cited, others)
        if finding.supported and finding.window:
            return "", (finding.window,)
        if written.marks and not cited:
            return "it cites a passage that there is not, and no passage says it", ()
        return finding.why, ()

    def _readable(self) -> list[Source]:
        assert self._prompt is not None
        hits = {hit.passage.chunk_id: hit for hit in self._grounds.hits}
        encoder = self._by.answerer.searcher.encoder
        return [source(hits[p.chunk_id], encoder) for p in self._prompt.passages]

    def _cite(self, window: Window) -> Citation:
        """The citation of a span; one that was cited before keeps its number."""
        passage = window.source.passage
        key = (passage.chunk_id, window.start, window.end)
        if key not in self._citations:
            self._citations[key] = Citation(
                len(self._citations) + 1,
                passage.doc_id,
                passage.chunk_id,
                passage.title,
                passage.heading,
                passage.start + window.start,
                passage.start + window.end,
                window.text,
                passage.covers,
                passage.source,
                passage.page,
            )
        return self._citations[key]

    def _composed(self, *, marked: bool = True) -> Composed:
        """The sentences that stood up, laid out: the opening as the verdict, the others as bullets."""
        if not self._kept:
            return Composed((), (), ())
        opening = min(k.written.paragraph for k in self._kept)
        verdict = [k.sentence for k in self._kept if k.written.paragraph == opening][:_VERDICT]
        rest = tuple(k.sentence for k in self._kept if k.sentence not in verdict)
        if self._by.mark and marked:
            rest += tuple(Sentence(d.text, 0, _UNSUPPORTED) for d in self._dropped if not unsafe(d.text))
        groups = (Group("", rest),) if rest else ()
        return Composed(tuple(verdict), groups, tuple(self._citations.values()))

    def _too_little(self, composed: Composed) -> str:
        """Why what is left cannot stand as the answer, or ""."""
        if self._no_answer:  # whatever it wrote before: that is not what was asked
            return "it found no answer in the passages"
        if not self._checked:
            return "it wrote nothing"
        if not self._kept:
            return "no sentence that it wrote is supported by the passages"
        if self._checked < LEAST_SENTENCES:
            return "it wrote only one sentence"
        if len(self._kept) < LEAST_SENTENCES:
            return f"only one of its {self._checked} sentences is supported by the passages"
        if len(self._kept) < LEAST_SHARE * self._checked:
            return f"only {len(self._kept)} of its {self._checked} sentences are supported by the passages"
        if min(k.written.paragraph for k in self._kept) > 0:
            return "its opening is not supported by the passages"
        return ""

    def _answer(self, done: Generation, composed: Composed, stages: Mapping[str, float]) -> Answer:
        answer = replace(self._grounds.answer, generation=done, ms=self._grounds.answer.ms + done.ms, stages=stages)
        if done.fallback:
            return answer
        return renumbered(replace(answer, text=composed.markdown(), composed=composed, citations=composed.citations))


def _told(error: GenerationError) -> str:
    """What went wrong and what to do about it, in brackets, as part of a sentence."""
    fix = error.fix.rstrip(".")
    return f"{error.what} ({fix[:1].lower()}{fix[1:]})" if fix else error.what
