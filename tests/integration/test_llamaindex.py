"""The LlamaIndex components over a real index; needs the llm extra."""

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


def test_reader_output_becomes_a_document() -> None:
    from llama_index.core.schema import Document as LlamaDocument

    from tutor.llamaindex import from_llama_index

    document = from_llama_index(LlamaDocument(text="Quorums overlap.", metadata={"file_name": "Quorum notes.md"}))
    assert document.doc_id == "quorum-notes-md"
    assert document.text[document.sections[0].start : document.sections[0].end] == "Quorums overlap."
