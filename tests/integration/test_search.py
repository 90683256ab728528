"""The hybrid search over the curriculum's own cards, with the packaged encoder."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tutor.answering.units import Units
from tutor.bootstrap import App
from tutor.errors import IndexMismatch, UsageError
from tutor.retrieval.encoder import worded
from tutor.retrieval.index import BM25, DENSE, FILTER_KEYS, TASK, TOKENS, HybridQuery
from tutor.retrieval.lexical import document_vector, query_vector, term_id, terms
from tutor.retrieval.search import ASIDE, FUSED, RERANKED, Ranking, Searcher, weighted_terms
from tutor.settings import load_settings
from tutor.tables import rows
from tutor.text import blank_markup

CARDS = Path(__file__).parents[2] / "corpus" / "cards"
ONLY_BM25 = Ranking((BM25,), {BM25: 1.0})
ONLY_DENSE = Ranking((DENSE,), {DENSE: 1.0})

KNOWN = [
    ("When should I not use Kafka?", "kafka"),
    ("How does Redis persist data with AOF and RDB?", "redis"),
    ("Cassandra compaction strategies and tombstones", "cassandra"),
    ("DynamoDB global secondary index", "dynamodb"),
    ("cache stampede", "caching"),
    ("choose a shard key and avoid hot partitions", "sharding"),
    ("replication lag and read-your-writes", "replication"),
    ("How does Raft elect a leader?", "consensus"),
    ("What does PACELC add to CAP?", "cap-and-pacelc"),
    ("compensating transactions instead of two-phase commit", "sagas"),
    ("B-tree or LSM-tree for a write-heavy workload?", "storage-engines"),
    ("layer 4 or layer 7 load balancer", "load-balancers"),
    ("How do I evaluate retrieval-augmented generation?", "rag"),
    ("HNSW recall and product quantization", "vector-databases"),
    ("continuous batching and KV cache in vLLM", "llm-serving"),
    ("tool calling loop of an AI agent", "agents"),
    ("R+W>N", "replication"),
    ("R + W > N", "replication"),
    ("exactly-once semantics in Kafka", "kafka"),
    ("p99 latency of a hot key in DynamoDB", "dynamodb"),
]
KNOWN = [(question, card) for question, card in KNOWN if (CARDS / f"{card}.md").is_file()]


@pytest.fixture(scope="module")
def home(curriculum_home: Path) -> Path:
    return curriculum_home


@pytest.fixture(scope="module")
def core(home: Path) -> Iterator[App]:
    core = App(load_settings(home=home))
    yield core
    core.close()


@pytest.fixture(scope="module")
def searcher(core: App) -> Searcher:
    return core.searcher


def found(searcher: Searcher, question: str, **options: object) -> list[str]:
    return [hit.passage.doc_id for hit in searcher.search(question, **options).hits]  # type: ignore[arg-type]


@pytest.mark.parametrize(("question", "card"), KNOWN)
def test_known_items_are_found(searcher: Searcher, question: str, card: str) -> None:
    assert card in found(searcher, question, limit=5)
    assert card in found(searcher, question, limit=5, ranking=RERANKED)


def test_the_fusion_puts_known_items_first(searcher: Searcher) -> None:
    # Articles, days and exercises on a card's subject may come before it.
    sisters = {
        "consensus": {"article-leader-election"},
        "replication": {"hld-key-value-store", "day-09"},  # day 9 is on quorums
        "rag": {"day-06", "article-rag-retrieval-augmented-generation"},
    }
    first = sum(found(searcher, question, limit=1)[0] in {card} | sisters.get(card, set()) for question, card in KNOWN)
    assert first >= 0.9 * len(KNOWN)


@pytest.mark.parametrize(
    ("typed", "meant", "card"),
    [
        ("When not to use kafak?", "kafka", "kafka"),
        ("Casandra tombstones", "cassandra", "cassandra"),
        ("idempotancy of consumers", "idempotency", ""),
        ("replicaton lag", "replication", "replication"),
        ("(Kafak)/redis", "kafka", "kafka"),
    ],
)
def test_typos_are_mended(searcher: Searcher, typed: str, meant: str, card: str) -> None:
    result = searcher.search(typed, limit=5)
    assert [right for _, right in result.expansion.corrected] == [meant]
    assert meant in result.spoken.lower()
    assert result.expansion.corrected[0][0] not in result.spoken.lower()
    assert card in ["", *[hit.passage.doc_id for hit in result.hits]]


def test_questions_without_typos_are_read_as_they_are(searcher: Searcher) -> None:
    for question, _ in KNOWN:
        assert searcher.search(question).expansion.corrected == ()


@pytest.mark.parametrize(
    ("short", "long", "card"), [("AOF", "append-only file", "redis"), ("2PC", "two-phase commit", "sagas")]
)
def test_acronyms_are_spelt_out_both_ways(searcher: Searcher, short: str, long: str, card: str) -> None:
    result = searcher.search(f"What is {short}?")
    assert long in result.expansion.added
    assert long in result.spoken
    assert short in searcher.search(f"What is {long}?").expansion.added
    assert card in [hit.passage.doc_id for hit in result.hits[:5]]


def test_hits_are_ranked_and_different(searcher: Searcher) -> None:
    for ranking in (FUSED, RERANKED, ONLY_DENSE, ONLY_BM25, Ranking((DENSE, TOKENS), {})):
        hits = searcher.search("quorum reads", limit=20, ranking=ranking).hits
        scores = [hit.score for hit in hits]
        assert scores == sorted(scores, reverse=True)
        assert len({hit.passage.chunk_id for hit in hits}) == len(hits) > 0


def test_a_hit_is_a_span_of_its_document(searcher: Searcher) -> None:
    for hit in searcher.search("leader election", limit=20, with_vectors=True).hits:
        document = searcher.reader.payload("document", hit.passage.doc_id)
        assert document is not None
        assert document["text"][hit.passage.start : hit.passage.end] == hit.passage.text
        assert hit.passage.covers
        assert hit.dense is not None
        assert hit.tokens is not None
        assert hit.dense.shape == (searcher.encoder.dense_dims,)
        assert hit.tokens.shape[1] == searcher.encoder.token_dims


def test_stored_token_vectors_are_those_of_the_words(searcher: Searcher) -> None:
    """In one byte an entry, without punctuation; and a sentence gets those of its own words."""
    encoder, left_out, looked_at = searcher.encoder, 0, 0
    for rank, hit in enumerate(searcher.search("quorum reads", limit=20, with_vectors=True).hits):
        text = f"{hit.passage.prefix}\n{blank_markup(hit.passage.text)}"
        encoded = encoder.encode([text])[0]
        kept = worded(text, encoded.offsets)
        left_out += len(encoded.offsets) - len(kept)
        assert hit.tokens is not None
        assert hit.tokens == pytest.approx(encoded.tokens[kept], abs=0.02)
        starts = np.array([encoded.offsets[n][0] for n in kept]) - len(hit.passage.prefix) - 1
        for unit in Units(encoder).of(hit, rank):
            spans = [(unit.start, unit.end)]
            if unit.row:  # and those of its heads
                spans += [row.above for row in rows(hit.passage.text) if row.start == unit.start]
            mine = [n for n, at in zip(kept, starts, strict=True) if any(a <= at < b for a, b in spans)]
            assert len(mine) >= unit.words / 2
            assert unit.tokens == pytest.approx(encoded.tokens[mine], abs=0.02)
            looked_at += 1
    assert left_out
    assert looked_at > 20


def test_late_is_the_max_sim_with_the_question(searcher: Searcher) -> None:
    found = searcher.search("How does Raft elect a leader?", limit=20, with_vectors=True)
    for hit in found.hits:
        assert hit.tokens is not None
        best = float((found.encoded.tokens @ hit.tokens.T).max(axis=1).sum())
        assert hit.late == pytest.approx(best, abs=0.01 * len(found.encoded.tokens))


@pytest.mark.parametrize(
    "question", ["quorum reads and writes", "Kafka consumer group rebalance", "cache invalidation"]
)
def test_the_lexical_leg_is_bm25(searcher: Searcher, question: str) -> None:
    """The index's order is that of BM25 worked out here from the passages' text."""
    vectors: dict[str, dict[int, float]] = {}
    for payload in searcher.reader.passages(["chunk_id", "heading", "text"]):
        ids, weights = document_vector(terms(f"{' > '.join(payload['heading'])}\n{payload['text']}"))
        vectors[payload["chunk_id"]] = dict(zip(ids, weights, strict=True))
    holding = Counter(key for vector in vectors.values() for key in vector)
    expansion = searcher.search(question).expansion
    wanted = {term_id(term): weight for term, weight in weighted_terms(question, expansion).items()}
    assert {term_id(term) for term in terms(question)} <= {key for key, weight in wanted.items() if weight == 1.0}
    idf = {key: math.log(1 + (len(vectors) - holding[key] + 0.5) / (holding[key] + 0.5)) for key in wanted}
    scores = {
        name: sum(w * idf[key] * vector.get(key, 0.0) for key, w in wanted.items()) for name, vector in vectors.items()
    }
    found = searcher.search(question)
    sparse = query_vector(weighted_terms(question, expansion))
    # From the index itself: the search then trades places within a document.
    hits = searcher.reader.search(HybridQuery(found.encoded.dense, found.encoded.tokens, sparse, 10, (BM25,)))
    best = sorted(scores.values(), reverse=True)[:10]
    assert [scores[hit.passage.chunk_id] for hit in hits] == pytest.approx(best, rel=1e-4)


def test_the_dense_leg_is_the_cosine(searcher: Searcher) -> None:
    dense = searcher.search("leader election").encoded.dense
    # From the index itself: the search then trades places within a document.
    query = HybridQuery(dense, np.zeros((0, 96), np.float32), ([], []), 10, (DENSE,), with_vectors=True)
    hits = searcher.reader.search(query)
    cosines = [float(hit.dense @ dense) for hit in hits if hit.dense is not None]
    assert len(cosines) == 10
    assert cosines == sorted(cosines, reverse=True)


def test_filters_keep_what_matches(searcher: Searcher) -> None:
    cards = {str(p["doc_id"]): p for p in searcher.reader.documents()}
    assert set(found(searcher, "data", filters={"doc_id": ["kafka"]}, limit=200)) == {"kafka"}
    assert set(found(searcher, "data", filters={"doc_id": ["kafka", "redis"]}, limit=200)) == {"kafka", "redis"}
    covered = cards["kafka"]["covers"][0]
    assert set(found(searcher, "data", filters={"covers": [covered]}, limit=200)) == {"kafka"}
    phase = cards["kafka"]["meta"]["phase"]
    same_phase = {name for name, card in cards.items() if card["meta"].get("phase") == phase}
    assert set(found(searcher, "data", filters={"phase": [phase]}, limit=200)) == same_phase
    roles = {hit.passage.role for hit in searcher.search("data", filters={"role": ["when-not"]}, limit=200).hits}
    assert roles == {"when-not"}
    both = {"role": ["when-not"], "doc_id": ["redis"]}
    assert set(found(searcher, "data", filters=both, limit=200)) == {"redis"}
    assert found(searcher, "data", filters={"doc_id": ["no-such"]}) == []
    assert found(searcher, "data", filters={"phase": [phase], "doc_id": ["no-such"]}) == []


@pytest.mark.parametrize("key", sorted(FILTER_KEYS))
def test_every_filter_key_is_understood(searcher: Searcher, key: str) -> None:
    assert found(searcher, "data", filters={key: [12345] if key in ("phase", "tier") else ["none"]}) == []


@pytest.mark.parametrize("filters", [{"colour": ["red"]}, {"phase": [2**63]}, {"phase": [-(2**80)]}])
def test_a_filter_that_cannot_be_is_refused(searcher: Searcher, filters: dict[str, list[str | int]]) -> None:
    with pytest.raises(UsageError, match=next(iter(filters))):
        searcher.search("data", filters=filters)


@pytest.mark.parametrize("limit", [1, 3, 50, 200])
def test_limits(searcher: Searcher, limit: int) -> None:
    total = searcher.reader.manifest.passages
    hits = searcher.search("data", limit=limit).hits
    assert len(hits) == min(limit, total)
    documents = found(searcher, "data", limit=limit, by_document=True)
    assert len(documents) == len(set(documents)) <= limit


@pytest.mark.parametrize("limit", [0, -1, 201, 10**9])
def test_a_limit_out_of_range_is_refused(searcher: Searcher, limit: int) -> None:
    with pytest.raises(UsageError, match="1 to 200"):
        searcher.search("data", limit=limit)


def test_by_document_keeps_each_ones_best_passage(searcher: Searcher) -> None:
    passages = searcher.search("leader election", limit=50).hits
    documents = searcher.search("leader election", limit=5, by_document=True).hits
    best: dict[str, str] = {}
    for hit in passages:
        best.setdefault(hit.passage.doc_id, hit.passage.chunk_id)
    assert [hit.passage.chunk_id for hit in documents] == list(best.values())[:5]


@pytest.mark.parametrize("question", ["", " \t\n", "\x00\x01\x1f\x7f", "\u200b\u200d\ufeff", "\u202e\u2066", "\ud800"])
def test_an_empty_question_is_refused(searcher: Searcher, question: str) -> None:
    with pytest.raises(UsageError, match="empty"):
        searcher.search(question)


def test_a_question_of_20_000_characters_is_refused(searcher: Searcher) -> None:
    with pytest.raises(UsageError, match="20,000 characters, the limit is 4,000"):
        searcher.search("kafka " * 3333 + "ka")
    assert searcher.search("kafka " * 600).hits


@pytest.mark.parametrize(
    "question",
    [
        "什么是Kafka的分区？",
        "ما هو كافكا ومتى لا أستخدمه؟",
        "काफ़्का क्या है?",
        "Что такое кворум?",
        "🦆🦆🦆",
        "👩‍👩‍👧",
        "\u0301",
        "?",
        "-",
        "the of and",
        "' OR 1=1; DROP TABLE --",
        "%s {x} $(id) `id` <b>bold</b>",
        "O(",
        "((((((((",
        "+" * 3000,
        "-".join("a" * 1900),
        "日" * 4000,
    ],
)
def test_odd_questions_are_searched(searcher: Searcher, question: str) -> None:
    result = searcher.search(question)
    assert len(result.hits) <= 10
    assert result.ms < 2000


@pytest.mark.parametrize(
    "noise", ["ka\u200bfka quo\x07rum", "\ufeffkafka quorum", "kafka\n\nquorum", "kafka \udce9quorum"]
)
def test_invisible_characters_change_nothing(searcher: Searcher, noise: str) -> None:
    plain = searcher.search("kafka quorum")
    result = searcher.search(noise)
    assert result.question == "kafka quorum"
    assert [h.passage.chunk_id for h in result.hits] == [h.passage.chunk_id for h in plain.hits]


def test_the_same_question_has_the_same_answer(searcher: Searcher) -> None:
    for question, _ in KNOWN:
        runs = [[(h.passage.chunk_id, h.score) for h in searcher.search(question, limit=20).hits] for _ in range(5)]
        assert all(run == runs[0] for run in runs)


def test_another_process_ranks_the_same(searcher: Searcher, home: Path) -> None:
    questions = "".join(json.dumps({"id": i, "question": q}) + "\n" for i, (q, _) in enumerate(KNOWN))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TUTOR_")} | {"TUTOR_HOME": str(home)}
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-m", "tutor", "search", "--batch", "-"],
            input=questions,
            capture_output=True,
            text=True,
            env=environment | {"PYTHONHASHSEED": seed},
            timeout=120,
            check=True,
        )
        for line, (question, _) in zip(done.stdout.splitlines(), KNOWN, strict=True):
            here = searcher.search(question).hits
            assert [h["chunk_id"] for h in json.loads(line)["hits"]] == [h.passage.chunk_id for h in here]


def test_a_warm_search_is_fast(searcher: Searcher) -> None:
    # The best of five for each question: other work on the machine only ever adds.
    times = sorted(min(searcher.search(question).ms for _ in range(5)) for question, _ in KNOWN)
    assert times[len(times) // 2] < 15


def test_an_index_of_another_encoder_is_refused(searcher: Searcher) -> None:
    class Other:
        name = "other/1x1"

    with pytest.raises(IndexMismatch, match="other/1x1") as caught:
        Searcher(searcher.reader, Other())  # type: ignore[arg-type]
    assert "tutor ingest --rebuild" in caught.value.fix


def test_links_and_checklists_stand_after_what_they_speak_of(searcher: Searcher) -> None:
    for question in ("Kafka", "Redis", "consensus", "R+W>N"):
        seen: set[str] = set()
        for hit in searcher.search(question, limit=12).hits:
            passage = hit.passage
            assert passage.role in ASIDE or passage.doc_id not in seen, (question, passage.chunk_id)
            if passage.role in ASIDE:
                seen.add(passage.doc_id)
    asked = [h.passage for h in searcher.search("papers and books about consensus", limit=3).hits]
    assert {"consensus", "day-09"} & {p.doc_id for p in asked if p.role == "resources"}  # day 9 is on consensus
    mine = [h.passage.role in ASIDE for h in searcher.search("papers and books about consensus", limit=30).hits]
    assert any(mine)


def test_within_a_document_the_nearest_passage_by_late_interaction_comes_first(searcher: Searcher) -> None:
    for question in ("consumer lag keeps growing", "what fails when a cache key is hot", "cost of two-phase commit"):
        hits = searcher.search(question, limit=20).hits
        by_document: dict[str, list[float]] = {}
        for hit in hits:
            assert hit.late is not None
            if hit.passage.role not in ASIDE and hit.passage.role != TASK:
                by_document.setdefault(hit.passage.doc_id, []).append(hit.late)
        assert any(len(scores) > 1 for scores in by_document.values())
        assert all(scores == sorted(scores, reverse=True) for scores in by_document.values())
    assert all(hit.late is None for hit in searcher.search("hot keys", ranking=FUSED).hits)


def test_an_acronym_that_cards_spell_out_is_searched_by_its_long_form(searcher: Searcher) -> None:
    expansion = searcher.search("EOS").expansion
    assert dict(expansion.instead) == {"eos": "exactly-once semantics"}
    assert weighted_terms("EOS", expansion)["exactly-once"] == 1.0


@pytest.mark.parametrize(
    ("question", "doc_id"),
    [
        ("WCU", "dynamodb"),
        ("define LWT", "cassandra"),
        ("What is Brewer's theorem?", "cap-and-pacelc"),
        ("what are lightweight transactions", "cassandra"),
        ("Grounded generation", "rag"),
    ],
)
def test_a_name_from_front_matter_finds_its_card_first(searcher: Searcher, question: str, doc_id: str) -> None:
    result = searcher.search(question, limit=3)
    assert result.hits[0].passage.doc_id == doc_id
    assert doc_id in result.named


@pytest.mark.parametrize(
    "question", ["What is EOS on Mars?", "pizza", "How does Kafka rebalance?", "is", "what is the best"]
)
def test_a_question_that_asks_of_more_than_names_names_nothing(searcher: Searcher, question: str) -> None:
    assert searcher.search(question, limit=3).named == frozenset()


def test_a_word_is_read_as_the_passages_spell_it(searcher: Searcher) -> None:
    frequency = searcher.expander.frequency
    assert frequency("multimodal") > 0
    result = searcher.search("What are multi-modal models?", limit=5)
    assert result.expansion.corrected == (("multi-modal", "multimodal"),)
    assert "day-23" in {hit.passage.doc_id for hit in result.hits}
    assert searcher.search("exactly-once semantics").expansion.corrected == ()


def test_words_of_the_frame_weigh_less_beside_a_subject(searcher: Searcher) -> None:
    weights = weighted_terms("alignment trade-offs", searcher.search("alignment trade-offs").expansion)
    assert weights["align"] == 1.0
    assert {weights[term] for term in terms("trade-offs")} == {0.3}
    alone = weighted_terms("trade-offs", searcher.search("trade-offs").expansion)
    assert {alone[term] for term in terms("trade-offs")} == {1.0}


def test_exercises_stand_after_what_a_day_explains_unless_asked_for(searcher: Searcher) -> None:
    def places(question: str) -> list[str]:
        hits = searcher.search(question, limit=30, filters={"doc_id": ["day-26"]}).hits
        return [hit.passage.role for hit in hits]

    found = places("cache-aside and cache invalidation")
    assert sorted(found, key=lambda role: role in ("task", "resources")) == found
    assert found.count("task") == 3
    assert places("exercise on caching")[0] == "task"
