"""Any Hugging Face model by folder: a tiny random BERT, made here, so that nothing is downloaded."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fakes import FakeEncoder, write_notes
from tutor.errors import IndexMismatch, ModelError
from tutor.ingest.pipeline import ingest
from tutor.retrieval.edge import EdgeStore
from tutor.retrieval.huggingface import TOKEN_DIMS, HuggingFaceEncoder
from tutor.retrieval.search import RERANKED, Searcher

pytestmark = [
    pytest.mark.heavy,
    # torch and transformers warn about themselves; what they warn of is not ours to mend.
    pytest.mark.filterwarnings("ignore"),
]
pytest.importorskip("sentence_transformers", reason="needs the 'hf' extra: make test-all")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch
        from tokenizers import BertWordPieceTokenizer
        from transformers import BertConfig, BertModel, BertTokenizerFast

        place = tmp_path_factory.mktemp("hf") / "tiny-bert"
        place.mkdir()
        texts = ["raft elects one leader per term", "a quorum of replicas", "kafka log offsets", "é naïve ?!.,"] * 20
        wordpiece = BertWordPieceTokenizer(lowercase=True)
        wordpiece.train_from_iterator(texts, vocab_size=200, min_frequency=1, show_progress=False)
        wordpiece.save_model(str(place))
        tokenizer: Any = BertTokenizerFast(vocab=str(place / "vocab.txt"), model_max_length=32)
        torch.manual_seed(7)
        config = BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=128,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=32,
        )
        BertModel(config).save_pretrained(place)
        tokenizer.save_pretrained(place)
    return place


@pytest.fixture(scope="module")
def encoder(folder: Path) -> HuggingFaceEncoder:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return HuggingFaceEncoder(str(folder), threads=1)


def test_dimensions_and_name(encoder: HuggingFaceEncoder, folder: Path) -> None:
    assert (encoder.dense_dims, encoder.token_dims, encoder.max_tokens) == (128, TOKEN_DIMS, 32)
    assert encoder.name == f"hf:{folder}/128/96"


def test_vectors_are_unit_length_and_tokens_trace_to_characters(encoder: HuggingFaceEncoder) -> None:
    texts = ["Raft elects one leader", "a quorum", "é"]
    seen: list[int] = []
    for text, found in zip(texts, encoder.encode(texts, on_progress=seen.append), strict=True):
        assert found.dense.shape == (128,)
        assert np.linalg.norm(found.dense) == pytest.approx(1, abs=1e-4)
        assert found.tokens.shape == (len(found.offsets), 96)
        assert np.linalg.norm(found.tokens, axis=1) == pytest.approx(1, abs=1e-4)
        assert found.offsets == encoder.offsets(text)
        assert encoder.count_tokens(text) == len(found.offsets)
        assert all(0 <= a < b <= len(text) for a, b in found.offsets)
    assert sum(seen) == 3


def test_a_batch_is_what_its_texts_are_alone(encoder: HuggingFaceEncoder) -> None:
    texts = ["raft elects one leader per term", "a", "kafka log offsets of a quorum"]
    for alone, together in zip([encoder.encode([t])[0] for t in texts], encoder.encode(texts), strict=True):
        assert alone.dense == pytest.approx(together.dense, abs=1e-4)
        assert alone.tokens == pytest.approx(together.tokens, abs=1e-3)


def test_long_and_empty_texts(encoder: HuggingFaceEncoder) -> None:
    long, empty = encoder.encode(["raft " * 200, ""])
    assert len(long.tokens) == len(long.offsets) == 30
    assert encoder.count_tokens("raft " * 200) == 200
    assert empty.tokens.shape == (0, 96)


def test_the_same_folder_gives_the_same_vectors(encoder: HuggingFaceEncoder, folder: Path) -> None:
    again = HuggingFaceEncoder(str(folder))
    assert again.encode(["raft"])[0].tokens == pytest.approx(encoder.encode(["raft"])[0].tokens, abs=1e-5)
    assert encoder.is_word("raft")
    assert not encoder.is_word("xyzzyx")


def test_it_indexes_and_searches(encoder: HuggingFaceEncoder, tmp_path: Path) -> None:
    notes = write_notes(tmp_path / "notes")
    store = EdgeStore(tmp_path / "index")
    assert ingest(store, encoder, [notes]).encoded == 12
    reader = store.open()
    found = Searcher(reader, encoder, ranking=RERANKED).search("raft elects one leader per term", limit=3).hits
    assert found[0].passage.chunk_id == "notes/raft#what-it-is"
    reader.close()
    with pytest.raises(IndexMismatch, match="tutor ingest --rebuild"):
        ingest(store, FakeEncoder(), [])


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="the model cannot be loaded") as caught:
        HuggingFaceEncoder(str(tmp_path / "empty"))
    assert caught.value.fix
