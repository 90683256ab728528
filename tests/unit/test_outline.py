"""The curriculum in outline: all of it, kept, and made anew when a file changes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tutor.bootstrap import builtin_corpus
from tutor.curriculum.corpus import load_corpus
from tutor.curriculum.outline import of_corpus, outline


def test_what_is_kept_is_what_was_made(tmp_path: Path) -> None:
    kept = tmp_path / "cache" / "outline.json"
    made = outline(builtin_corpus(), kept)
    assert kept.is_file()
    assert outline(builtin_corpus(), kept) == made == of_corpus(load_corpus(builtin_corpus()))


def test_the_whole_curriculum_is_in_it() -> None:
    made, corpus = outline(builtin_corpus(), None), load_corpus(builtin_corpus())
    assert set(made.cards) == set(corpus.cards) and set(made.plans) == set(corpus.plans)
    assert all(card.check for card in made.cards.values())
    kafka = made.cards["kafka"]
    assert kafka.prerequisites == ("replication", "sharding") and kafka.probes[0].points[0].id == "per-message-ack"
    assert 3 <= kafka.read_min <= 40
    assert made.plans["28-days"].steps[0].cards == ("transformers", "tokenization-and-embeddings")
    assert made.threads and made.titles["day-01"]


def test_an_edit_makes_it_anew(tmp_path: Path) -> None:
    root, kept = tmp_path / "corpus", tmp_path / "outline.json"
    shutil.copytree(builtin_corpus(), root)
    assert outline(root, kept).cards["kafka"].title == "Apache Kafka"
    card = next(root.rglob("kafka.md"))
    before = card.stat()
    card.write_text(card.read_text(encoding="utf-8").replace("title: Apache Kafka", "title: Kafka itself"), "utf-8")
    os.utime(card, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert outline(root, kept).cards["kafka"].title == "Kafka itself"


@pytest.mark.parametrize("broken", [b"", b"{}", b"\xff", b'{"layout": 1, "of": "x", "cards": 3}'])
def test_a_broken_copy_is_made_anew(tmp_path: Path, broken: bytes) -> None:
    kept = tmp_path / "outline.json"
    kept.write_bytes(broken)
    assert "kafka" in outline(builtin_corpus(), kept).cards
    assert kept.stat().st_size > 10_000


def test_a_place_that_cannot_be_written_costs_nothing_else(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert "kafka" in outline(builtin_corpus(), blocked / "outline.json").cards
