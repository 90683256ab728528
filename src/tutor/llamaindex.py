"""Our retriever and answerer as LlamaIndex components, and LlamaIndex documents as ours (extra ``llm``).

``TutorRetriever`` fits wherever LlamaIndex takes a retriever; ``TutorQueryEngine`` gives its answers (a language
model's too) with the cited passages as source nodes; ``from_llama_index`` takes what any LlamaIndex reader loaded.
"""

from __future__ import annotations

import asyncio
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from tutor.errors import MissingExtra

try:
    from llama_index.core.base.base_query_engine import BaseQueryEngine
    from llama_index.core.base.response.schema import Response
    from llama_index.core.callbacks import CallbackManager
    from llama_index.core.prompts.mixin import PromptMixinType
    from llama_index.core.retrievers import BaseRetriever
    from llama_index.core.schema import Document as LlamaDocument
    from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
except ImportError as error:
    raise MissingExtra("tutor.llamaindex", extra="llm", module="llama-index-core") from error

from tutor.answering.answer import Answer, Answerer
from tutor.answering.generate import GroundedAnswerer
from tutor.answering.written import Finished
from tutor.ingest.chunk import slug
from tutor.ingest.documents import Document, Section
from tutor.retrieval.index import Passage
from tutor.retrieval.search import Filters, Searcher
from tutor.wire import generation_json


def to_node(passage: Passage, score: float | None = None) -> NodeWithScore:
    """A passage as a LlamaIndex node; ``start_char_idx`` and ``end_char_idx`` are offsets into the document."""
    node = TextNode(
        id_=passage.chunk_id,
        text=passage.text,
        start_char_idx=passage.start,
        end_char_idx=passage.end,
        metadata={
            "doc_id": passage.doc_id,
            "title": passage.title,
            "heading": " > ".join(passage.heading),
            "covers": list(passage.covers),
            "source": passage.source,
            "page": passage.page,
        },
    )
    return NodeWithScore(node=node, score=score)


class TutorRetriever(BaseRetriever):
    """The hybrid query as a LlamaIndex retriever: at most ``limit`` passages, best first.

    Args:
        searcher: what searches.
        limit: how many passages at most, 1 to 200.
        filters: payload values to match, as ``{"phase": [3, 4], "kind": ["card"]}``.
        by_document: only each document's best passage.
    """

    def __init__(
        self, searcher: Searcher, *, limit: int = 10, filters: Filters | None = None, by_document: bool = False
    ) -> None:
        self._searcher = searcher
        self._limit = limit
        self._filters = filters
        self._by_document = by_document
        super().__init__()

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        with _turn(self._searcher):
            found = self._searcher.search(
                query_bundle.query_str, limit=self._limit, filters=self._filters, by_document=self._by_document
            )
        return [to_node(hit.passage, hit.score) for hit in found.hits]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


class TutorQueryEngine(BaseQueryEngine):
    """An answerer as a query engine; an abstained answer has no source nodes.

    A source node is a cited quote; its id is "CHUNK:START-END", so that equal quotes of two answers are one node, and
    its metadata names the passage's node (``chunk_id``) and the number in the answer (``n``).

    Args:
        answerer: what answers, in quotes: ``App.answerer``.
        grounded: lets a language model write where it can be held to the passages: ``App.grounded``. None: in quotes.
        filters: payload values that the quoted passages must match.
    """

    def __init__(
        self, answerer: Answerer, *, grounded: GroundedAnswerer | None = None, filters: Filters | None = None
    ) -> None:
        self._answerer = answerer
        self._grounded = grounded
        self._filters = filters
        super().__init__(callback_manager=CallbackManager())

    def _query(self, query_bundle: QueryBundle) -> Response:
        answer = self._answer(query_bundle.query_str)
        nodes = []
        for c in answer.citations:
            metadata = {
                "doc_id": c.doc_id,
                "chunk_id": c.chunk_id,
                "n": c.n,
                "title": c.title,
                "heading": " > ".join(c.heading),
                "covers": list(c.covers),
                "page": c.page,
            }
            node = TextNode(
                id_=f"{c.chunk_id}:{c.start}-{c.end}",
                text=c.quote,
                start_char_idx=c.start,
                end_char_idx=c.end,
                metadata=metadata,
            )
            nodes.append(NodeWithScore(node=node))
        about = {
            "abstained": answer.abstained,
            "confidence": answer.confidence,
            "intent": answer.intent,
            "uncovered": list(answer.uncovered),
            "nearest": [near.doc_id for near in answer.nearest],
            "generation": generation_json(answer.generation) if answer.generation else None,
        }
        return Response(response=answer.whole, source_nodes=nodes, metadata=about)

    def _answer(self, question: str) -> Answer:
        """The index is read by one thread at a time; while a model writes, others may."""
        with _turn(self._answerer.searcher):
            if self._grounded is None:
                return self._answerer.ask(question, filters=self._filters)
            grounds = self._grounded.answerer.grounds(question, filters=self._filters)
        answer = grounds.answer
        for event in self._grounded.write(grounds):
            if isinstance(event, Finished):
                answer = event.answer
        return answer

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        return await asyncio.to_thread(self._query, query_bundle)

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}


_turns: WeakKeyDictionary[Searcher, Lock] = WeakKeyDictionary()
_turns_lock = Lock()


def _turn(searcher: Searcher) -> Lock:
    """The lock of a searcher: worker threads take turns, as the index is not made for several at once."""
    with _turns_lock:
        return _turns.setdefault(searcher, Lock())


def from_llama_index(loaded: LlamaDocument) -> Document:
    """What a LlamaIndex reader loaded, as a document of one section."""
    metadata: dict[str, Any] = dict(loaded.metadata)
    name = str(metadata.get("file_name") or metadata.get("title") or loaded.doc_id)
    text = loaded.text
    return Document(
        doc_id=slug(name),
        title=str(metadata.get("title") or name),
        text=text,
        source=str(metadata.get("file_path") or name),
        kind="page",
        sections=(Section((), 0, len(text)),),
    )
