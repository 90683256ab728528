"""The LlamaIndex components over a real index; needs the llm extra."""

import asyncio
import threading
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.heavy, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

CORPUS = Path(__file__).resolve().parents[2] / "corpus"


@pytest.fixture(scope="module")
def core(curriculum_home: Path):
    from tutor.bootstrap import App
    from tutor.settings import Settings

    app = App(Settings(home=curriculum_home))
    yield app
    app.close()


def test_retriever_gives_the_same_passages_as_the_searcher(core) -> None:
    from tutor.llamaindex import TutorRetriever

    question = "When is semantic caching risky?"
    nodes = TutorRetriever(core.searcher, limit=5).retrieve(question)
    hits = core.searcher.search(question, limit=5).hits
    assert [n.node.node_id for n in nodes] == [h.passage.chunk_id for h in hits]
    assert nodes[0].node.text == hits[0].passage.text
    assert nodes[0].node.start_char_idx == hits[0].passage.start


def test_query_engine_cites_verbatim_and_abstains(core) -> None:
    from tutor.llamaindex import TutorQueryEngine

    engine = TutorQueryEngine(core.answerer)
    response = engine.query("What is retrieval-augmented generation?")
    assert response.source_nodes
    for found in response.source_nodes:
        text = core.reader.payload("document", found.node.metadata["doc_id"])["text"]
        assert text[found.node.start_char_idx : found.node.end_char_idx] == found.node.text
    assert engine.query("Who won the football world cup in 1986?").source_nodes == []


def test_a_retriever_with_filters_and_by_document(core) -> None:
    from tutor.llamaindex import TutorRetriever

    nodes = TutorRetriever(core.searcher, limit=8, filters={"doc_id": ["kafka", "caching"]}).retrieve("consumer group")
    assert {n.node.metadata["doc_id"] for n in nodes} <= {"kafka", "caching"}
    found = [n.node.metadata["doc_id"] for n in TutorRetriever(core.searcher, by_document=True).retrieve("quorum")]
    assert len(found) == len(set(found)) > 1


def test_what_cannot_be_asked_raises_our_error(core) -> None:
    from tutor.errors import UsageError
    from tutor.llamaindex import TutorQueryEngine, TutorRetriever

    with pytest.raises(UsageError):
        TutorRetriever(core.searcher, filters={"colour": ["red"]}).retrieve("quorum")
    with pytest.raises(UsageError):
        TutorQueryEngine(core.answerer).query("x" * 5_000)
    with pytest.raises(UsageError):
        asyncio.run(TutorQueryEngine(core.answerer).aquery("   "))


def test_node_ids_are_stable_and_lead_back_to_the_passage(core) -> None:
    from tutor.llamaindex import TutorQueryEngine, TutorRetriever

    question = "Why not Kafka for a task queue?"
    engine = TutorQueryEngine(core.answerer, filters={"doc_id": ["kafka"]})
    first, second = engine.query(question), engine.query(question)
    assert first.source_nodes
    assert [n.node.node_id for n in first.source_nodes] == [n.node.node_id for n in second.source_nodes]
    for found in first.source_nodes:
        assert found.node.metadata["doc_id"] == "kafka"
        passage = core.reader.payload("passage", found.node.metadata["chunk_id"])
        assert passage["start"] <= found.node.start_char_idx < found.node.end_char_idx <= passage["end"]
    held = [n.node.node_id for n in TutorRetriever(core.searcher).retrieve(question)]
    assert len(held) == len(set(held)) == 10


def test_async_gives_the_same_and_leaves_the_loop_free(core) -> None:
    from tutor.llamaindex import TutorQueryEngine, TutorRetriever

    retriever, engine = TutorRetriever(core.searcher, limit=5), TutorQueryEngine(core.answerer)
    questions = ["What is a quorum?", "When is semantic caching risky?", "Why not Kafka for a task queue?"] * 4
    entered = threading.Event()
    original = core.answerer.ask

    def slow(question: str, **given):
        entered.set()
        time.sleep(0.05)
        return original(question, **given)

    async def run() -> tuple[list, list, int]:
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                await asyncio.sleep(0.005)
                beats += 1

        beating = asyncio.create_task(beat())
        nodes = await asyncio.gather(*map(retriever.aretrieve, questions))
        answers = await asyncio.gather(*map(engine.aquery, questions))
        beating.cancel()
        return nodes, answers, beats

    core.answerer.ask = slow
    try:
        nodes, answers, beats = asyncio.run(run())
    finally:
        del core.answerer.ask
    assert entered.is_set()
    assert beats > 20  # 12 answers of at least 50 ms: a loop that they hold up would beat at most between them
    for question, found, answer in zip(questions, nodes, answers, strict=True):
        assert [n.node.node_id for n in found] == [n.node.node_id for n in retriever.retrieve(question)]
        assert str(answer) == core.answerer.ask(question).text


def test_a_query_engine_lets_a_model_write_what_the_passages_bear(curriculum_home: Path, core) -> None:
    from fakes import ScriptedModel
    from tutor.bootstrap import App
    from tutor.llamaindex import TutorQueryEngine
    from tutor.settings import LlmSettings, Settings

    said = (
        "A follower without heartbeats within a random timeout raises its term and asks for votes.",
        (
            "The Raft leader appends client commands, sends them to followers and advances the commit index "
            "when a majority has stored an entry of the current term."
        ),
    )
    model = ScriptedModel(
        lambda messages: [f"{said[0]} [1]\n\n- {said[1]} [1]\n- A node votes 17 times per term. [1]\n"]
    )
    writing = App(Settings(home=curriculum_home, llm=LlmSettings(cache=False)), model=model)
    question = "How does Raft elect a leader?"
    engine = TutorQueryEngine(writing.answerer, grounded=writing.grounded)
    for response in (engine.query(question), asyncio.run(engine.aquery(question))):
        assert str(response).startswith(said[0]) and "17" not in str(response)
        assert response.metadata["generation"]["supported"] == 2
        assert response.metadata["generation"]["model"] == "scripted/1"
        for found in response.source_nodes:
            text = core.reader.payload("document", found.node.metadata["doc_id"])["text"]
            assert text[found.node.start_char_idx : found.node.end_char_idx] == found.node.text
    quoted = TutorQueryEngine(writing.answerer).query(question)
    assert str(quoted) == core.answerer.ask(question).text and quoted.metadata["generation"] is None
    asked = len(model.asked)
    assert engine.query("How do I bake sourdough bread?").metadata["abstained"] and len(model.asked) == asked
    writing.close()


def test_reader_output_becomes_a_document() -> None:
    from llama_index.core.schema import Document as LlamaDocument

    from tutor.llamaindex import from_llama_index

    document = from_llama_index(LlamaDocument(text="Quorums overlap.", metadata={"file_name": "Quorum notes.md"}))
    assert document.doc_id == "quorum-notes-md"
    assert document.text[document.sections[0].start : document.sections[0].end] == "Quorums overlap."
