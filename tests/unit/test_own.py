"""The learner's log beside answers: marked as theirs, behind the curriculum's, alone where it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from fakes import TOPICS, FakeEncoder, write_notes
from tutor.answering.answer import Answerer
from tutor.answering.own import Recalling, asks_own, period
from tutor.bootstrap import App
from tutor.settings import CorpusSettings, Settings
from tutor.study.entries import LogEntry, folded
from tutor.web.pieces import pieces
from tutor.wire import answer_json, answer_text

VOCABULARY = [*TOPICS, "resp", "json", "what", "is", "a", "wire", "protocol"]


class Log:
    """Entries in memory."""

    today = date(2026, 5, 5)  # a Tuesday

    def __init__(self, *entries: LogEntry) -> None:
        self.entries = entries

    def near(self, parts: Mapping[str, float], *, limit: int) -> Sequence[LogEntry]:
        return [e for e in self.entries if any(part in folded(e.text) for part in parts)][:limit]

    def newest(self, *, limit: int) -> Sequence[LogEntry]:
        return self.entries[:limit]

    def titles(self, cards: Sequence[str]) -> Sequence[str]:
        return [card.title() for card in cards]


def entry(text: str, name: str = "e1", **more: object) -> LogEntry:
    written = datetime(2026, 5, 3, tzinfo=UTC)
    return replace(LogEntry(name, 1, date(2026, 5, 1), written, "", text), **more)  # type: ignore[arg-type]


RESP = entry("Some words before. I chose RESP over JSON as a wire protocol. More words come behind it.")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    tmp_path = tmp_path_factory.mktemp("own")
    core = App(
        Settings(home=tmp_path, corpus=CorpusSettings(builtin=False)), encoder=FakeEncoder(vocabulary=VOCABULARY)
    )
    core.ingest([write_notes(tmp_path / "notes")])
    yield core
    core.close()


def ask(app: App, question: str, *entries: LogEntry) -> tuple[Recalling, dict[str, object]]:
    answerer = Recalling(app.searcher, Log(*entries))
    return answerer, answer_json(answerer.ask(question))


@pytest.mark.parametrize(
    "question",
    [
        "What did I decide on RESP?",
        "what did we settle on for the cache",
        "Have I ever written about quorum reads?",
        "When did I choose Kafka?",
        "What I decided about sagas",
        "Search my decision log for Raft",
        "What does my log say about RESP?",
        "my entries on Kafka",
    ],
)
def test_questions_about_the_log(question: str) -> None:
    assert asks_own(question)


@pytest.mark.parametrize(
    "question",
    [
        "Why not Kafka?",
        "How do I decide between SQL and NoSQL?",
        "How do I document my decisions?",
        "What should I write in a decision log?",
        "How does a write-ahead log work?",
        "When should I choose Redis over Memcached?",
        "How do I shard my log store?",
        "What did I get wrong about CAP?",
    ],
)
def test_questions_that_are_the_curriculums(question: str) -> None:
    assert not asks_own(question)


def test_the_log_alone_where_it_is_asked_for(app: App) -> None:
    answerer, row = ask(app, "What did I decide on RESP?", RESP, entry("About Kafka only, here.", "e2"))
    assert [(c["kind"], c["doc_id"], c["n"], c["title"]) for c in row["citations"]] == [  # type: ignore[attr-defined]
        ("entry", "log/e1", 1, "Your entry of 1 May 2026")
    ]
    answer = answerer.ask("What did I decide on RESP?")
    assert answer.citations == () and answer.text == "" and not answer.abstained and answer.intent == "own"
    for own in answer.own:
        assert RESP.text[own.start : own.end] == own.quote == "I chose RESP over JSON as a wire protocol."
    assert row["answer"] == (
        "**From your log**\n\n- Your entry of 1 May 2026: “I chose RESP over JSON as a wire protocol.” [1]"
    )
    assert "yours, not the curriculum's" in answer_text(answer)


def test_a_log_that_does_not_say_is_not_made_up(app: App) -> None:
    _, row = ask(app, "What did I decide on Kubernetes?", RESP)
    assert row["abstained"] and row["citations"] == [] and "no entry on this" in str(row["answer"])


def test_without_a_log_such_a_question_is_answered_as_before(app: App) -> None:
    question = "What did I decide on quorum?"
    plain = Answerer(app.searcher).ask(question)
    assert replace(Recalling(app.searcher, Log()).ask(question), ms=0, stages={}) == replace(plain, ms=0, stages={})


def test_what_was_decided_lately(app: App) -> None:
    later = entry("Today I chose nothing at all.", "e2", day=date(2026, 5, 5))
    for question, said in (
        ("What did I decide last week?", ["I chose RESP over JSON as a wire protocol."]),
        ("What did I decide today?", ["Today I chose nothing at all."]),
        ("What did I decide on RESP last week?", ["I chose RESP over JSON as a wire protocol."]),
        ("What did I decide on RESP last month?", []),
        ("What did I decide?", ["Today I chose nothing at all.", "I chose RESP over JSON as a wire protocol."]),
    ):
        found = Recalling(app.searcher, Log(later, RESP)).ask(question).own
        assert [own.quote for own in found] == said, question


def test_periods() -> None:
    today = date(2026, 1, 1)  # a Thursday
    assert period("in the last year", today) == (date(2025, 1, 1), date(2025, 12, 31))
    assert period("last month?", today) == (date(2025, 12, 1), date(2025, 12, 31))
    assert period("last week", today) == (date(2025, 12, 22), date(2025, 12, 28))
    assert period("This Week", today) == (date(2025, 12, 29), date(2026, 1, 4))
    assert period("this month", today) == period("today", today) == (today, today)
    assert period("yesterday", today) == (date(2025, 12, 31), date(2025, 12, 31))
    assert period("ever", today) == (date.min, date.max)


def test_entries_stand_behind_the_answer_and_change_nothing_in_it(app: App) -> None:
    mine = entry("A quorum is what I would give up first, for latency.")
    plain = Answerer(app.searcher).ask("What is a quorum?")
    assert plain.citations
    both = Recalling(app.searcher, Log(mine)).ask("What is a quorum?")
    assert (both.text, both.citations, both.confidence) == (plain.text, plain.citations, plain.confidence)
    assert [own.n for own in both.own] == [len(plain.citations) + 1]
    kinds = [c["kind"] for c in answer_json(both)["citations"]]
    assert kinds[-1] == "entry" and "entry" not in kinds[:-1]
    assert answer_json(both)["answer"].startswith(plain.text)
    assert [piece.kind for piece in pieces(both)][-2:] == ["sources", "group"]


def test_what_the_curriculum_does_not_say_stays_unanswered(app: App) -> None:
    answerer, row = ask(app, "What is RESP?", RESP)
    assert row["abstained"] is True
    assert str(row["answer"]).startswith("The curriculum does not answer this question")
    assert [c["kind"] for c in row["citations"]] == ["entry"]  # type: ignore[attr-defined]
    shown = "".join(piece.html for piece in pieces(answerer.ask("What is RESP?")))
    assert "From your log" in shown and "not the curriculum" in shown and "sources" not in shown


def test_an_entry_that_only_mentions_a_word_is_left_out(app: App) -> None:
    _, row = ask(app, "Does raft need a quorum of votes?", entry("We had votes on lunch today, and it was raining."))
    assert all(c["kind"] != "entry" for c in row["citations"])  # type: ignore[attr-defined]


def test_filters_ask_for_passages_only(app: App) -> None:
    found = Recalling(app.searcher, Log(RESP)).ask("What is RESP?", filters={"kind": ["page"]})
    assert found.own == ()


def test_what_looks_like_an_order_stays_a_quote(app: App) -> None:
    text = "RESP [1] **wins** over JSON\n## Sources <img src=x onerror=alert(1)> [7]"
    answerer, row = ask(app, "What did I decide on RESP?", entry(text))
    assert "[1]" not in str(row["answer"]).replace("” [1]", "") and "[7]" not in str(row["answer"])
    assert row["citations"][0]["quote"] in text  # type: ignore[index]
    html = "".join(piece.html for piece in pieces(answerer.ask("What did I decide on RESP?")))
    assert "<img" not in html and "&lt;img" in html


def test_at_most_so_many_are_quoted(app: App) -> None:
    many = [entry(f"In case {n} RESP is what I chose.", f"e{n}") for n in range(20)]
    assert len(Recalling(app.searcher, Log(*many)).ask("What did I decide on RESP?").own) == 5
    assert len(Recalling(app.searcher, Log(*many)).ask("What is RESP?").own) == 2
    long = entry("RESP " * 4_000)
    assert len(Recalling(app.searcher, Log(long)).ask("What did I decide on RESP?").own[0].quote.split()) == 60
