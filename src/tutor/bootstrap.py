"""The one place where adapters are built and put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from tutor.answering.answer import Answerer
from tutor.curriculum import SHELVES
from tutor.curriculum import builtin_corpus as builtin_corpus
from tutor.errors import IndexBusy, IndexFault, IndexMismatch, IndexMissing
from tutor.retrieval.encoder import Encoder, OnnxEncoder
from tutor.retrieval.index import IndexReader, IndexStore
from tutor.retrieval.search import FUSED, RERANKED, Filters, Ranking, Searcher, weighted
from tutor.settings import Settings
from tutor.study.whose import own_folder
from tutor.studyparts import LearnersOwn
from tutor.version import tutor_version as tutor_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tutor.answering.answer import Answer
    from tutor.answering.cache import AnswerCache, Scope
    from tutor.answering.cite import Further
    from tutor.answering.depth import Readings
    from tutor.answering.generate import GroundedAnswerer
    from tutor.answering.talk import Talk
    from tutor.curriculum.corpus import Corpus
    from tutor.drill.companion import Companion
    from tutor.drill.engine import Drills
    from tutor.drill.judge import Judge
    from tutor.feedback import FeedbackStore
    from tutor.ingest.pipeline import Progress, Report
    from tutor.ingest.readings.sync import Sync
    from tutor.models.port import LanguageModel
    from tutor.telemetry.measures import Figure


def builtin_roots() -> list[Path]:
    """The folders of the curriculum that are indexed."""
    return [folder for name in SHELVES if (folder := builtin_corpus() / name).is_dir()]


class App(LearnersOwn):
    """Everything a front end needs, each part built when it is first used."""

    def __init__(
        self,
        settings: Settings,
        *,
        encoder: Encoder | None = None,
        store: IndexStore | None = None,
        judge: Judge | None = None,
        model: LanguageModel | None = None,
    ) -> None:
        self.settings = settings
        self._encoder = encoder
        self._store = store
        self._judge = judge
        self._model = model

    @cached_property
    def encoder(self) -> Encoder:
        if self._encoder:
            return self._encoder
        chosen = self.settings.encoder
        if chosen.model:
            from tutor.retrieval.huggingface import HuggingFaceEncoder

            return HuggingFaceEncoder(chosen.model, threads=chosen.threads)
        return OnnxEncoder(threads=chosen.threads)

    @cached_property
    def store(self) -> IndexStore:
        if self._store:
            return self._store
        if self.settings.qdrant.url:
            from tutor.retrieval.server import connect

            return connect(self.settings.qdrant)
        from tutor.retrieval.edge import EdgeStore

        return EdgeStore(self.settings.index_dir)

    @cached_property
    def reader(self) -> IndexReader:
        return self.store.open()

    @cached_property
    def searcher(self) -> Searcher:
        return Searcher(self.reader, self.encoder, ranking=self._ranking())

    def _ranking(self) -> Ranking:
        chosen = self.settings.search
        return weighted(RERANKED if chosen.rerank else FUSED, {str(leg): w for leg, w in chosen.weights.items()})

    @cached_property
    def answerer(self) -> Answerer:
        """Answers from the index, with what the learner's log says beside it."""
        from tutor.answering.own import Recalling

        beside = self._beside if self.settings.readings.shown else None
        return Recalling(self.searcher, self.own_entries, beside)

    def _beside(self, answer: Answer) -> tuple[Further, ...]:
        """Further reading; none where nothing was fetched."""
        if "readings" not in self.__dict__ and not (self.settings.readings_dir / "index").is_dir():
            return ()  # looked at anew each time, so that a server notices the first ones
        return self.readings.beside(answer)

    @cached_property
    def readings(self) -> Readings:
        """The learner's linked readings, always in an embedded index of their own."""
        from tutor.answering.depth import Readings

        return Readings(self._search_readings, most=self.settings.readings.shown)

    def _search_readings(self) -> Searcher:
        reader = self.readings_store.open()
        try:
            return Searcher(reader, self.encoder, ranking=self._ranking())
        except IndexMismatch:
            reader.close()
            raise

    @cached_property
    def readings_store(self) -> IndexStore:
        from tutor.retrieval.edge import EdgeStore

        return EdgeStore(self.settings.readings_dir / "index")

    @cached_property
    def model(self) -> LanguageModel | None:
        """The language model in force, with its deadlines, retries and budget; None where none is set."""
        from tutor.models.choose import in_force
        from tutor.models.watched import WatchedModel

        chosen = self._model or in_force(self.settings.llm, self.settings.home)
        return chosen and WatchedModel(chosen)

    @cached_property
    def talk(self) -> Talk:
        """Answers follow-ups; ``ask`` of the answerer reads each question for itself."""
        from tutor.answering.talk import Talk

        return Talk(self.answerer, self.model)

    @cached_property
    def cache(self) -> AnswerCache:
        """Answers that a language model wrote, in memory and under ``<home>/cache``."""
        from tutor.answering.cache import AnswerCache
        from tutor.answering.sense import Senses
        from tutor.answering.shelf import SqliteShelf

        senses = Senses(self.searcher)
        shelf = SqliteShelf(self.settings.home.expanduser() / "cache" / "answers.sqlite")
        return AnswerCache(shelf=shelf, senses=senses, similarity=senses.similarity)

    def cache_scope(self, model: str, prompt: str, *, filters: Filters | None = None, learner: str = "") -> Scope:
        """What a generated answer depends on but its question, in the generation that is open now."""
        from tutor.answering.cache import scope_of

        chosen = self.settings
        matters = {
            "search": chosen.search.model_dump(mode="json"),
            "encoder": self.encoder.name,
            "llm": chosen.llm.model_dump(mode="json", include={"provider", "model", "url", "max_tokens"}),
        }
        at, learner = self.reader.manifest.generation, learner or chosen.study.learner
        return scope_of(at, model, prompt, settings=matters, filters=filters, learner=learner)

    @cached_property
    def grounded(self) -> GroundedAnswerer | None:
        """Answers that the model writes and the passages bear; None without a model."""
        if self.model is None:
            return None
        from tutor.answering.generate import GroundedAnswerer
        from tutor.answering.prompt import VERSION
        from tutor.answering.replies import KeptReplies

        chosen, name = self.settings.llm, self.model.name
        kept = KeptReplies(lambda: self.cache, lambda filters: self.cache_scope(name, str(VERSION), filters=filters))
        return GroundedAnswerer(
            self.answerer,
            self.model,
            self.judge,
            max_tokens=chosen.max_tokens,
            mark=chosen.unsupported == "mark",
            replies=kept if chosen.cache else None,
        )

    @cached_property
    def corpus(self) -> Corpus:
        """The built-in curriculum, parsed: what is drilled."""
        from tutor.curriculum.corpus import load_corpus

        return load_corpus(builtin_corpus())

    def read_corpus(self, between: Callable[[], None]) -> None:
        """Parse the curriculum ahead of its first use; ``between`` is called after each file."""
        if "corpus" not in self.__dict__:
            from tutor.curriculum.corpus import load_corpus

            self.__dict__["corpus"] = load_corpus(builtin_corpus(), between)

    @cached_property
    def judge(self) -> Judge:
        from tutor.drill.judge import OnnxJudge

        return self._judge or OnnxJudge(threads=self.settings.encoder.threads)

    @cached_property
    def drills(self) -> Drills:
        from tutor.drill.engine import Drills
        from tutor.drill.evidence import NEAR, Gatherer
        from tutor.drill.grading import Grader
        from tutor.drill.library import OwnText, SearchLibrary
        from tutor.drill.store import DrillStore
        from tutor.drill.substance import Substance

        grader = Grader(Gatherer(self.encoder, self.judge, NEAR), OwnText(self.corpus), Substance(self.corpus))
        store = DrillStore(own_folder(self.settings) / "drills")
        return Drills(
            self.corpus, self.encoder, grader, store, SearchLibrary(lambda: self.searcher), schedule=self.drill_schedule
        )

    @cached_property
    def companion(self) -> Companion | None:
        """What the model adds to drills; None without one."""
        if self.model is None:
            return None
        from tutor.drill.companion import Companion

        return Companion(self.drills, self.model)

    @cached_property
    def feedback(self) -> FeedbackStore:
        from tutor.feedback import FeedbackStore

        return FeedbackStore(own_folder(self.settings) / "feedback")

    def ingest(
        self,
        paths: Sequence[Path] = (),
        *,
        forget: Sequence[Path] = (),
        rebuild: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Report:
        """Bring the index up to date with the built-in curriculum, earlier roots and ``paths``."""
        from tutor.ingest.pipeline import ingest

        return ingest(
            self.store,
            self.encoder,
            paths,
            builtin=builtin_roots() if self.settings.corpus.builtin else [],
            forget=forget,
            rebuild=rebuild,
            on_progress=on_progress,
        )

    def reading_sync(self) -> Sync:
        """What fetches the linked readings into the learner's home."""
        from tutor.ingest.readings.desk import open_sync

        return open_sync(self.settings.readings_dir, self.settings.readings, self._library_texts)

    def _library_texts(self) -> Iterator[tuple[str, str]]:
        """Id and text of every document that is in the index anyway, as far as there is one; a passage at a time."""
        try:
            for passage in self.reader.passages(["doc_id", "text"]):
                yield passage["doc_id"], passage["text"]
        except IndexFault:
            return

    def index_readings(self, *, on_progress: Callable[[Progress], None] | None = None) -> Report:
        """Bring the readings' own index up to date with the texts in the learner's home."""
        from tutor.ingest.readings.desk import index_texts

        return index_texts(self.readings_store, self.encoder, self.settings.readings_dir / "text", on_progress)

    def ensure_index(self, *, on_progress: Callable[[Progress], None] | None = None) -> Report | None:
        """Index the built-in curriculum where it is missing, has changed or is that of another installation.

        Returns:
            None when there was nothing to do.
        """
        from tutor.ingest.builtin import real, replaced

        ours = real(builtin_roots())
        try:
            reader = self.reader
            self._same_encoder(reader)
        except IndexMissing:
            return self.ingest(on_progress=on_progress)
        except IndexMismatch:
            # After an upgrade. What the learner added is theirs to rebuild, and may take long; the curriculum is ours.
            before = self.store.remembered()
            added = set(before.get("roots", ())) - set(ours) - replaced(before, ours)
            if self.settings.qdrant.url or added:
                raise
            self.close()
            return self.ingest(rebuild=True, on_progress=on_progress)
        if not self.settings.corpus.builtin or self.settings.qdrant.url:
            return None  # a shared server is brought up to date by whoever operates it
        from tutor.ingest.collect import outdated

        sources = reader.manifest.sources
        if set(ours) <= set(sources["roots"]) and not replaced(sources, ours):
            stale, gone, _ = outdated(sources, [Path(root) for root in ours])
            if not stale and not gone:
                return None
        try:
            report = self.ingest(on_progress=on_progress)
        except IndexBusy:
            return None  # somebody else is at it; the generation in hand still answers
        self.searcher.refresh()
        return report

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Send traces and metrics to the collector meanwhile, where ``telemetry.otlp`` names one.

        Raises:
            SettingsError: its address or headers cannot be read.
            MissingExtra: the extra ``telemetry`` is not installed.
        """
        chosen = self.settings.telemetry
        if not chosen.otlp:
            yield
            return
        from tutor.telemetry import measures, stages
        from tutor.telemetry.otel import to_collector

        about = {
            "service.name": chosen.service_name,
            "service.version": tutor_version(),
            "tutor.encoder": self.encoder.name,
            "tutor.index.generation": next(
                (labels[0] for one, labels, _ in self.figures() if one is measures.INDEX), ""
            ),
        }
        watcher = to_collector(
            chosen.otlp,
            chosen.headers.get_secret_value(),
            about,
            sample=chosen.sample,
            include_text=chosen.include_text,
            gauges=self.figures,
        )
        stages.trace_with(watcher)
        measures.add_meter(watcher)
        try:
            yield
        finally:
            stages.trace_with(None)
            measures.remove_meter(watcher)
            watcher.close()

    def figures(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> list[Figure]:
        """What stands now: the version, and the index as it was last opened. Reads nothing and waits for nobody."""
        from tutor.telemetry import measures

        found: list[Figure] = [(measures.BUILD, (tutor_version(),), 1.0)]
        reader = self.__dict__.get("reader")
        if reader is None:
            return [*found, (measures.INDEX, ("", ""), 0.0)]
        manifest = reader.manifest
        try:
            age_s = (now() - datetime.fromisoformat(manifest.created_at)).total_seconds()
        except (ValueError, TypeError):  # no time, or one without its zone
            age_s = float("nan")
        return [
            *found,
            (measures.INDEX, (manifest.generation, manifest.encoder), 1.0),
            (measures.INDEX_AGE, (), age_s),
            (measures.PASSAGES, (), manifest.passages),
            (measures.DOCUMENTS, (), manifest.documents),
        ]

    def _same_encoder(self, reader: IndexReader) -> None:
        if (built_with := reader.manifest.encoder) != self.encoder.name:
            raise IndexMismatch(
                f"the index was built with the encoder {built_with}, in force is {self.encoder.name}",
                about=self.store.location,
                fix="Run: tutor ingest --rebuild",
            )

    def close(self) -> None:
        """Release the index and what else is open."""
        for part in ("cache", "readings", "reader", "study", "drill_schedule", "own_entries", "log", "conversations"):
            if part in self.__dict__:
                self.__dict__.pop(part).close()
