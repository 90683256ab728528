"""Training end to end on a handful of passages: the loss, the batches, a checkpoint gone on from, what is exported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = [
    pytest.mark.heavy,
    # torch, transformers and the exporter warn about themselves; what they warn of is not ours to mend.
    pytest.mark.filterwarnings("ignore"),
]
for module in ("sentence_transformers", "datasets", "accelerate"):
    pytest.importorskip(module, reason="needs the 'train' extra: make test-all")

import torch  # noqa: E402

from fakes import copy_cards  # noqa: E402
from tutor.retrieval.encoder import OnnxEncoder  # noqa: E402
from tutor.training import loss as L  # noqa: E402
from tutor.training.measure import max_sim  # noqa: E402
from tutor.training.train import Config, TopicBatches, train  # noqa: E402
from tutor.training.upstream import Upstream  # noqa: E402


def column(lengths: list[int], dims: int = 8, seed: int = 0) -> dict[str, Any]:
    """Model output for rows of so many real tokens, [CLS] and [SEP] among them."""
    generator = torch.Generator().manual_seed(seed)
    longest = max(lengths)
    mask = torch.tensor([[int(i < n) for i in range(longest)] for n in lengths])
    unit = torch.nn.functional.normalize
    return {
        "token_embeddings": unit(torch.randn(len(lengths), longest, dims, generator=generator), dim=-1),
        "sentence_embedding": unit(torch.randn(len(lengths), dims, generator=generator), dim=-1),
        "attention_mask": mask,
    }


def test_mean_max_sim_is_max_sim_of_the_inner_tokens_over_the_question_length() -> None:
    questions, passages = [column([5, 3, 9], seed=1), column([4, 4, 6], seed=2)], column([7, 12, 5], seed=3)
    real = torch.tensor([[True, False, True], [True, True, True]])
    got = L.mean_max_sim(questions, real, passages)
    wanted = []
    for number, asked in enumerate(questions):
        for row in range(3):
            if real[number, row]:
                inner = asked["token_embeddings"][row, 1 : int(asked["attention_mask"][row].sum()) - 1].numpy()
                told = [
                    passages["token_embeddings"][p, 1 : int(passages["attention_mask"][p].sum()) - 1].numpy()
                    for p in range(3)
                ]
                wanted.append([max_sim(inner, t) / len(inner) for t in told])
    assert np.allclose(got.numpy(), np.array(wanted), atol=1e-5)


def table(
    rows: int,
    *,
    section: list[int],
    group: list[int],
    like: dict[tuple[int, int], float],
    kin: dict[tuple[int, int], float] | None = None,
) -> L.Table:
    """Upstream vectors in which question and passage of a row agree, and ``like`` says what else is near.

    ``kin``: which two passages are near; their questions look past what they share.
    """
    pairs = kin or {}
    questions, passages = torch.zeros(rows, 1, rows + 1 + len(pairs)), torch.zeros(rows, rows + 1 + len(pairs))
    for n in range(rows):
        questions[n, 0, n], passages[n, n] = 1.0, 1.0
    for (question, passage), nearness in like.items():
        questions[question, 0, passage] = nearness
    for shared, ((one, other), nearness) in enumerate(pairs.items(), rows + 1):
        passages[one, shared] = passages[other, shared] = nearness**0.5
    return L.Table(
        questions, passages, torch.ones(rows, 1, dtype=torch.bool), torch.tensor(section), torch.tensor(group)
    )


def test_negatives_leave_out_the_section_and_likely_answers_elsewhere_but_keep_siblings() -> None:
    known = table(
        6,
        section=[0, 0, 1, 2, 3, 4],
        group=[0, 0, 0, 1, 2, 2],
        like={(0, 2): 1.5, (0, 3): 1.5, (2, 3): 0.5},
        kin={(3, 4): 0.9, (4, 5): 0.9},
    )

    def negatives(weights: L.Weights) -> Any:
        return L.JointLoss(None, known, weights)._negatives(known, torch.arange(6))[0]  # type: ignore[arg-type]

    stands = negatives(L.Weights())
    assert stands.diagonal().all()
    assert not stands[0, 1], "a passage of the same section is no negative"
    assert stands[0, 2], "a sibling section is one, however near the guide finds it"
    assert not stands[0, 3], "a passage of another document that the guide prefers is none"
    assert stands[2, 3], "one that the guide ranks below the right passage is"
    assert not negatives(L.Weights(margin=0.6))[2, 3], "unless it is below by less than the margin"
    assert not stands[3, 4] and not stands[4, 3], "one that is nearly the same as the right passage is none"
    assert negatives(L.Weights(kin_similarity=0.95))[3, 4]
    assert stands[4, 5] and stands[5, 4], "but a sibling is, however near"


def test_the_loss_falls_when_the_scores_are_right_and_passes_over_empty_columns() -> None:
    known = table(3, section=[0, 1, 2], group=[0, 1, 2], like={})
    passages = column([8, 8, 8], dims=4, seed=5)
    passages["sentence_embedding"] = torch.eye(4)[:3]
    right, wrong = column([4, 4, 4], dims=4, seed=6), column([4, 4, 4], dims=4, seed=6)
    right["sentence_embedding"], wrong["sentence_embedding"] = torch.eye(4)[:3], torch.eye(4)[[1, 2, 0]]
    joint = L.JointLoss(None, known, L.Weights(teach=0.5))  # type: ignore[arg-type]
    rows = torch.arange(3)
    good, bad = (joint._loss([asked], passages, rows) for asked in (right, wrong))
    assert good["dense"] < 0.01 < 5 < bad["dense"]
    assert set(good) == {"dense", "late", "anchor", "teach"}
    wide = L.Table(
        known.old_questions.repeat(1, 2, 1),
        known.old_passages,
        torch.tensor([[True, False]] * 3),
        known.section,
        known.group,
    )
    padded = L.JointLoss(None, wide, L.Weights(teach=0.5))._loss([right, wrong], passages, rows)  # type: ignore[arg-type]
    assert {name: float(value) for name, value in padded.items()} == pytest.approx(
        {name: float(value) for name, value in good.items()}
    )


def test_the_loss_makes_its_tensors_where_its_inputs_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no GPU here: what is made without saying where goes to "meta", and mixes with nothing on the CPU."""
    known = table(3, section=[0, 1, 2], group=[0, 1, 2], like={})
    asked, passages, rows = column([4, 6, 4], dims=4, seed=6), column([8, 5, 8], dims=4, seed=5), torch.arange(3)
    joint = L.JointLoss(None, known, L.Weights(teach=0.5))  # type: ignore[arg-type]
    wanted = joint._loss([asked], passages, rows)
    with torch.device("meta"):
        got = joint._loss([asked], passages, rows)
    assert {name: float(value) for name, value in got.items()} == {name: float(value) for name, value in wanted.items()}
    there = known.to(torch.device("meta"))
    assert {getattr(there, field).device.type for field in L.Table.__slots__} == {"meta"}
    assert known.to(rows.device) is known, "moved once"
    moves: list[torch.device] = []
    monkeypatch.setattr(L.Table, "to", lambda self, device: moves.append(device) or self)
    joint._loss([asked], passages, rows)
    assert moves == [rows.device]


def test_upstream_vectors_are_kept_by_precision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, bool]] = []

    def encode(model: Any, texts: list[str], *, bf16: bool) -> Any:
        asked.append((len(texts), bf16))
        return np.full((len(texts), 2), 0.5 if bf16 else 1.0, dtype=np.float32)

    monkeypatch.setattr("tutor.training.upstream.encode", encode)
    for bf16, wanted in ((False, 1.0), (True, 0.5), (False, 1.0), (True, 0.5)):
        upstream = Upstream(None, tmp_path / "upstream.npz", bf16=bf16)  # type: ignore[arg-type]
        assert upstream(["a", "b"]).tolist() == [[wanted, wanted]] * 2
    assert asked == [(2, False), (2, True)], "each is encoded once"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["upstream-bf16.npz", "upstream-fp32.npz"]


def test_batches_hold_rivals_together_and_every_row_once_an_epoch() -> None:
    groups = [f"d{n // 4}" for n in range(64)]  # 16 documents of 4 rows
    rivals = {f"d{n}": [f"d{n ^ 1}"] for n in range(16)}
    sampler = TopicBatches(groups, rivals, batch_size=8, seed=3, share=2)
    batches = list(sampler)
    assert sorted(row for batch in batches for row in batch) == list(range(64))
    assert all({int(groups[row][1:]) // 2 for row in batch} == {int(groups[batch[0]][1:]) // 2} for batch in batches)
    assert batches == list(sampler)
    sampler.set_epoch(1)
    assert batches != list(sampler)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, Path]:
    """A curriculum of four cards, its questions, and the config of a run of four steps."""
    place = tmp_path_factory.mktemp("training")
    corpus, questions = copy_cards(place)
    config = Config(
        corpus=corpus,
        questions=questions,
        max_items=20,
        validation=0.3,
        dims=32,
        frozen_layers=5,
        epochs=1,
        batch=4,
        width=2,
        save_every=2,
    )
    return config, place


@pytest.fixture(scope="module")
def trained(small: tuple[Config, Path]) -> Path:
    """The folder of that run's results."""
    config, place = small
    out = place / "out" / "run"
    out.mkdir(parents=True)
    train(config, out)
    return out


def history(out: Path) -> list[dict[str, Any]]:
    """What the last checkpoint says of the steps up to it, the earliest first."""
    last = max((out / "checkpoints").iterdir(), key=lambda folder: int(folder.name.rpartition("-")[2]))
    log: list[dict[str, Any]] = json.loads((last / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
    return log


def test_a_run_leaves_a_model_figures_and_checkpoints(small: tuple[Config, Path], trained: Path) -> None:
    run = json.loads((trained / "run.json").read_text(encoding="utf-8"))
    assert run["steps"] >= 4
    assert run["questions"] > 20
    assert run["validation_questions"] > 5
    for when in ("before", "after"):
        assert set(run[when]) == {"dense", "late", "both"}
        assert all(0 <= value <= 1 for figures in run[when].values() for value in figures.values())
    shipped = OnnxEncoder(trained / "encoder")
    shipped.verify()
    assert (shipped.dense_dims, shipped.token_dims) == (384, 32)


def test_a_run_is_gone_on_from_its_last_checkpoint(small: tuple[Config, Path], trained: Path, tmp_path: Path) -> None:
    config, _ = small
    out = Path(shutil.copytree(trained, tmp_path / "run"))
    before, steps = history(out), json.loads((out / "run.json").read_text(encoding="utf-8"))["steps"]
    more = train(config.model_copy(update={"epochs": 2.0}), out, resume=True)
    after = history(out)
    assert more == json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert more["steps"] == 2 * steps
    assert [entry["step"] for entry in before] == list(range(2, steps + 1, 2))
    # From the beginning, two epochs have other rates and losses at the same steps.
    assert after[: len(before)] == before, "the steps up to the checkpoint were taken again"
    assert [entry["step"] for entry in after] == list(range(2, 2 * steps + 1, 2))


def test_the_exported_int8_encoder_ranks_as_the_trained_model_does(small: tuple[Config, Path], trained: Path) -> None:
    """Parity for 40 questions: cosines to the torch model's vectors, MaxSim scores, the first passage of each."""
    from sentence_transformers import MultiVectorEncoder

    from tutor.training import data
    from tutor.training.model import counter, encode

    config, _ = small
    model = MultiVectorEncoder(str(trained / "model"), device="cpu")
    shipped = OnnxEncoder(trained / "encoder")
    pieces = data.read_passages(config.corpus, counter(model))
    texts = [p.encoded_text for p in pieces]
    questions = [q.text for q in data.read_questions(config.questions)][:40]
    dense, asked = encode(model, texts), encode(model, questions)
    told, spoken = shipped.encode(texts), shipped.encode(questions)
    ours = np.stack([t.dense for t in told])
    assert float((dense * ours).sum(1).min()) > 0.95
    agree = np.mean([np.argmax(dense @ a) == np.argmax(ours @ s.dense) for a, s in zip(asked, spoken, strict=True)])
    assert agree >= 0.85
    tokens: Any = model.encode(texts)
    queries: Any = model.encode(questions)
    wanted = np.array([[max_sim(np.asarray(q)[1:-1], np.asarray(t)[1:-1]) for t in tokens] for q in queries])
    got = np.array([[max_sim(s.tokens, t.tokens) for t in told] for s in spoken])
    # A sum of cosines may be near zero, so scores are compared as a ranking sees them: by question, over all passages.
    alike = [np.corrcoef(w, g)[0, 1] for w, g in zip(wanted, got, strict=True)]
    assert min(alike) > 0.97
    assert np.mean(wanted.argmax(1) == got.argmax(1)) >= 0.85
