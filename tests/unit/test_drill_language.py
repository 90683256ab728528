"""English is read and every other language is told from it, also where technical English has little grammar."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tutor.drill.gaming import screen
from tutor.drill.language import is_english
from tutor.drill.reading import read

ANSWERS = Path(__file__).resolve().parents[2] / "evals" / "drill" / "answers.jsonl"


@pytest.mark.parametrize(
    "answer",
    [
        "Ich würde SQS nehmen, weil jede Nachricht einzeln bestätigt wird.",
        "SQS, weil Kafka nur einen Offset hat",
        "Yo usaria SQS porque cada mensaje se confirma por separado y Kafka guarda un solo offset por particion.",
        "Je prendrais SQS parce que chaque message est acquitté séparément.",
        "Prenderei SQS perché ogni messaggio viene confermato da solo",
        "Usaria SQS, cada mensagem é confirmada sozinha",
        "Ik zou SQS nemen omdat elk bericht apart wordt bevestigd",
        "Wziąłbym SQS, każda wiadomość jest potwierdzana osobno",
        "SQS kullanırım çünkü her mesaj tek tek onaylanır",
        "Jag skulle ta SQS för att varje meddelande bekräftas",
        "Tôi sẽ dùng SQS vì mỗi tin nhắn được xác nhận riêng",
        "Я бы взял SQS, там каждое сообщение подтверждается отдельно.",
        "我会选择SQS，因为每条消息单独确认。",
    ],
)
def test_other_languages_are_told_and_get_the_reason(answer: str) -> None:
    assert not is_english(answer)
    assert screen(read(answer), ask="Why not Kafka?", card=frozenset()).reason == "language"


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "acks=all, min.insync.replicas=2, RF 3",
        "offset, partition, ack, SQS, DLQ",
        "fsync WAL; redo on restart",
        "leader election via Raft; quorum 3/5",
        "hash tenant, sort by time",
        "R: miss → R: SELECT (v1) → W: COMMIT v2 → W: DEL → R: SET v1 EX 3600",
        "a naïve façade, as Müller et al. say, is no defence",
    ],
)
def test_technical_english_is_english(answer: str) -> None:
    assert is_english(answer)


def test_every_labelled_answer_is_english() -> None:
    rows = [json.loads(line) for line in ANSWERS.read_text(encoding="utf-8").splitlines()]
    assert not [row["id"] for row in rows if not is_english(row["answer"])]
