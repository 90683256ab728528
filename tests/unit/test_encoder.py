"""The packaged encoder: shapes, norms, what does not depend on the batch, and damaged files."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutor.errors import ModelError
from tutor.retrieval.encoder import MODEL_DIR, Encoded, OnnxEncoder, worded

TEXTS = [
    "quorum",
    "What is a saga and when would you avoid it?",
    "Kafka keeps an append-only log; consumers track their own offsets. " * 6,
    "R+W>N",
    "日本語 text 🙂 naïve café",
    "two phase commit " * 120,
    "Cassandra uses consistent hashing with virtual nodes.",
]


@pytest.fixture(scope="module")
def encoder() -> OnnxEncoder:
    return OnnxEncoder()


@pytest.fixture(scope="module")
def alone(encoder: OnnxEncoder) -> list[Encoded]:
    return [encoder.encode([text])[0] for text in TEXTS]


def check(encoded: Encoded, text: str, encoder: OnnxEncoder) -> None:
    assert encoded.dense.shape == (encoder.dense_dims,)
    assert encoded.tokens.shape == (len(encoded.offsets), encoder.token_dims)
    assert encoded.dense.dtype == encoded.tokens.dtype == np.float32
    assert np.linalg.norm(encoded.dense) == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(np.linalg.norm(encoded.tokens, axis=1), 1.0, atol=1e-5)
    assert all(0 <= a < b <= len(text) for a, b in encoded.offsets)
    assert encoded.offsets == encoder.offsets(text)


def same(one: Encoded, other: Encoded) -> None:
    assert one.offsets == other.offsets
    np.testing.assert_array_equal(one.dense, other.dense)
    np.testing.assert_array_equal(one.tokens, other.tokens)


def test_sizes(encoder: OnnxEncoder) -> None:
    assert encoder.dense_dims == 384
    assert 0 < encoder.token_dims <= 96
    card = json.loads((MODEL_DIR / "encoder.json").read_text())
    assert card["licence"] == "Apache-2.0"
    assert card["weights_sha256"] == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    assert encoder.name.startswith(card["name"])
    encoder.verify()


def test_each_text_has_normalised_vectors_and_offsets(encoder: OnnxEncoder, alone: list[Encoded]) -> None:
    for text, encoded in zip(TEXTS, alone, strict=True):
        check(encoded, text, encoder)


def test_a_vector_depends_on_nothing_but_its_text(encoder: OnnxEncoder, alone: list[Encoded]) -> None:
    for other in (encoder, OnnxEncoder(threads=1), OnnxEncoder(threads=3)):
        for before, again in zip(alone, other.encode(TEXTS), strict=True):
            same(before, again)
        for before, again in zip(alone[::-1], other.encode(TEXTS[::-1]), strict=True):
            same(before, again)


def test_an_interrupt_ends_the_encoding(encoder: OnnxEncoder) -> None:
    texts = [f"topic {i}" for i in range(2_000)]
    finished: list[int] = []

    def stop(n: int) -> None:
        finished.append(n)
        if len(finished) == 20:
            raise KeyboardInterrupt

    encoder.encode(texts[:64])  # the first pass makes its threads and its memory
    began = time.process_time()
    with pytest.raises(KeyboardInterrupt):
        encoder.encode(texts, on_progress=stop)
    stopped = time.process_time() - began
    began = time.process_time()
    encoder.encode(texts)
    assert stopped < (time.process_time() - began) / 2  # it stood at a sixth, and what was begun was finished


def test_many_texts_come_back_in_their_order(encoder: OnnxEncoder) -> None:
    texts = [f"topic {i} " * (1 + (i * 7) % 40) for i in range(60)]
    finished: list[int] = []
    found = encoder.encode(texts, on_progress=finished.append)
    assert sum(finished) == len(texts)
    assert len(finished) > 1
    for text, encoded in zip(texts, found, strict=True):
        check(encoded, text, encoder)


def test_offsets_are_the_words_of_the_text(encoder: OnnxEncoder) -> None:
    text = "Raft elects  one leader,\nper term."
    spans = encoder.encode([text])[0].offsets
    assert "".join(text[a:b] for a, b in spans) == "".join(text.split())
    assert list(spans) == sorted(spans)


def test_meaning_is_kept(encoder: OnnxEncoder) -> None:
    question, near, far = encoder.encode(
        ["How does leader election work?", "Raft elects one leader per term.", "Knead the dough for ten minutes."]
    )
    assert float(question.dense @ near.dense) > float(question.dense @ far.dense) + 0.2


def test_nothing_to_encode(encoder: OnnxEncoder) -> None:
    called: list[int] = []
    assert encoder.encode([], on_progress=called.append) == []
    assert called == []


@pytest.mark.parametrize("text", ["", " \n\t", "\x00", "\u0301", "\u200d"])
def test_a_text_without_tokens_has_a_dense_vector_only(encoder: OnnxEncoder, text: str) -> None:
    encoded = encoder.encode([text])[0]
    check(encoded, text, encoder)
    assert encoded.tokens.shape == (0, encoder.token_dims)
    assert encoder.count_tokens(text) == 0


def test_a_long_text_is_cut_at_the_limit(encoder: OnnxEncoder) -> None:
    text = " ".join(f"w{i}" for i in range(10_000))
    encoded = encoder.encode([text])[0]
    check(encoded, text, encoder)
    assert len(encoded.tokens) == encoder.max_tokens - 2
    assert encoder.count_tokens(text) >= 10_000
    start = text[: encoded.offsets[-1][1]]
    np.testing.assert_array_equal(encoder.encode([start])[0].dense, encoded.dense)


@pytest.mark.parametrize(
    "text", ["👩‍👩‍👧 🦆", "Ａ full‑width ﷺ", "क्षि हिन्दी", "ما هو كافكا", "什么是分布式系统", "Ωμέγα e\u0301"]
)
def test_any_script(encoder: OnnxEncoder, text: str) -> None:
    encoded = encoder.encode([text])[0]
    check(encoded, text, encoder)
    assert len(encoded.tokens) > 0


@settings(max_examples=40)
@given(text=st.text(max_size=60))
def test_any_text(encoder: OnnxEncoder, text: str) -> None:
    check(encoder.encode([text])[0], text, encoder)


def test_is_word_knows_english_and_not_typos(encoder: OnnxEncoder) -> None:
    assert all(map(encoder.is_word, ["leader", "cache", "theory"]))
    assert not any(map(encoder.is_word, ["kafak", "casandra", "replicaton", "Leader"]))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    shutil.copytree(MODEL_DIR, folder)
    return folder


def test_a_copy_of_the_files_works_anywhere(copy: Path, alone: list[Encoded]) -> None:
    encoder = OnnxEncoder(copy)
    encoder.verify()
    np.testing.assert_array_equal(encoder.encode([TEXTS[0]])[0].dense, alone[0].dense)


@pytest.mark.parametrize("name", ["encoder.onnx", "tokenizer.json"])
@pytest.mark.parametrize("how", ["missing", "empty", "cut", "noise"])
def test_a_damaged_file_is_named(copy: Path, name: str, how: str) -> None:
    path = copy / name
    if how == "missing":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    else:
        path.write_bytes(np.random.default_rng(1).bytes(4096))
    encoder = OnnxEncoder(copy)
    with pytest.raises(ModelError) as caught:
        encoder.encode(["quorum"])
    assert caught.value.about == str(path)
    assert caught.value.fix
    with pytest.raises(ModelError) as caught:
        encoder.verify()
    assert caught.value.about == str(path)


def test_one_changed_byte_is_found_by_verify(copy: Path) -> None:
    path = copy / "tokenizer.json"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ModelError, match="sha256") as caught:
        OnnxEncoder(copy).verify()
    assert caught.value.about == str(path)


def test_a_wrong_sha256_is_found_by_verify(copy: Path) -> None:
    card = json.loads((copy / "encoder.json").read_text())
    card["files"]["encoder.onnx"] = "0" * 64
    (copy / "encoder.json").write_text(json.dumps(card))
    encoder = OnnxEncoder(copy)
    assert encoder.name.endswith("@" + "0" * 12)
    with pytest.raises(ModelError, match="sha256"):
        encoder.verify()


def test_a_folder_in_place_of_a_file_is_named(copy: Path) -> None:
    (copy / "tokenizer.json").unlink()
    (copy / "tokenizer.json").mkdir()
    with pytest.raises(ModelError, match=r"tokenizer\.json"):
        OnnxEncoder(copy).verify()


@pytest.mark.parametrize(
    "text", [None, "", "[]", "{}", "{bad", '{"name": "x"}', '{"name": "x", "files": "none"}', "\xff"]
)
def test_a_description_that_is_wrong_is_refused(copy: Path, text: str | None) -> None:
    path = copy / "encoder.json"
    if text is None:
        path.unlink()
    else:
        path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ModelError, match=r"encoder\.json"):
        OnnxEncoder(copy)


def test_tokens_with_a_letter_or_a_digit(encoder: OnnxEncoder) -> None:
    text = "R+W>N, e.g. 2 of 3 (naïve) — café!"
    kept = [text[slice(*encoder.offsets(text)[n])] for n in worded(text, encoder.offsets(text))]
    assert kept == ["R", "W", "N", "e", "g", "2", "of", "3", "naïve", "café"]
    assert worded("", ()) == []
    assert worded("?!", encoder.offsets("?!")) == []
