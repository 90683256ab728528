"""Arrows point one way, the query path stays light, and modules stay small."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import tutor

SOURCE = Path(tutor.__file__).parent
MODULES = sorted(SOURCE.rglob("*.py"))
FRONT_ENDS = ("tutor.cli", "tutor.web", "tutor.mcp", "tutor.evals", "tutor.bootstrap", "tutor.diagnosis")
#: Package → what it must not import.
FORBIDDEN = {
    "tutor.models": (*FRONT_ENDS, "tutor.retrieval", "tutor.answering", "tutor.ingest", "tutor.drill", "tutor.study"),
    "tutor.retrieval": (
        *FRONT_ENDS,
        "tutor.models",
        "tutor.answering",
        "tutor.ingest",
        "tutor.drill",
        "tutor.study",
    ),
    "tutor.answering": (*FRONT_ENDS, "tutor.ingest", "tutor.drill", "tutor.study"),
    "tutor.drill": (*FRONT_ENDS, "tutor.answering", "tutor.ingest", "tutor.study"),
    "tutor.ingest": (*FRONT_ENDS, "tutor.answering", "tutor.drill", "tutor.study"),
    "tutor.study": (
        *FRONT_ENDS,
        "tutor.settings",
        "tutor.retrieval",
        "tutor.answering",
        "tutor.ingest",
        "tutor.drill",
        "tutor.models",
    ),
    "tutor.web": ("tutor.cli", "tutor.mcp"),
    "tutor.mcp": ("tutor.cli", "tutor.evals"),
    "tutor.cli": (),
}
HEAVY = ("torch", "sentence_transformers", "transformers", "llama_index", "fastapi", "uvicorn", "pypdf", "docx", "lxml")
HEAVY += ("httpcore", "trafilatura", "qdrant_client", "rich", "mcp", "openai", "opentelemetry", "prometheus_client")
HEAVY += ("alembic", "genanki")


def name_of(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Every module that a file imports, anywhere in it."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(found)


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_arrows_point_one_way(path: Path) -> None:
    name = name_of(path)
    for package, forbidden in FORBIDDEN.items():
        if within(name, package):
            wrong = [m for m in imports(path) if any(within(m, f) for f in forbidden)]
            assert not wrong, f"{name} imports {wrong}"


@pytest.mark.parametrize("path", sorted((SOURCE / "curriculum").rglob("*.py")), ids=name_of)
def test_the_domain_imports_itself_and_errors_only(path: Path) -> None:
    ours = [m for m in imports(path) if within(m, "tutor")]
    assert not [m for m in ours if not within(m, "tutor.curriculum") and not within(m, "tutor.errors")]
    others = {m.split(".")[0] for m in imports(path)} - {"tutor"}
    assert others <= {*sys.stdlib_module_names, "pydantic", "yaml"}


def test_quantities_stand_below_everything() -> None:
    ours = [m for p in (SOURCE / "quantities").rglob("*.py") for m in imports(p) if within(m, "tutor")]
    assert not [m for m in ours if not within(m, "tutor.quantities")]


def test_errors_and_settings_stand_below_everything() -> None:
    assert not [m for m in imports(SOURCE / "errors.py") if within(m, "tutor")]
    assert {m.rsplit(".", 1)[0] for m in imports(SOURCE / "settings.py") if within(m, "tutor")} == {"tutor.errors"}


def test_telemetry_knows_nothing_of_the_product() -> None:
    ours = {m for p in (SOURCE / "telemetry").rglob("*.py") for m in imports(p) if within(m, "tutor")}
    assert [m for m in ours if not within(m, "tutor.telemetry") and not within(m, "tutor.errors")] == []


@pytest.mark.parametrize(
    ("vendor", "home"),
    [
        ("qdrant_edge", "retrieval/edge"),
        ("qdrant_client", "retrieval/server"),
        ("onnxruntime", "retrieval/onnx.py"),
        ("tokenizers", "retrieval/onnx.py"),
        ("sentence_transformers", "retrieval/huggingface.py"),
        ("llama_index", ("llamaindex.py", "models/")),
        ("typer", "cli/"),
        ("httpcore", "ingest/readings/transport.py"),
        ("protego", "ingest/readings/robots.py"),
        ("trafilatura", "ingest/readings/extract.py"),
        ("prometheus_client", "telemetry/prometheus.py"),
        ("opentelemetry", "telemetry/otel.py"),
        ("fastapi", "web/"),
        ("sqlalchemy", "study/"),
        ("alembic", "study/"),
        ("fsrs", "study/schedule.py"),
        ("icalendar", "study/calendar_file.py"),
        ("genanki", "study/anki.py"),
        ("mcp", "mcp/"),
        ("mcp_types", "mcp/"),
    ],
)
def test_one_vendor_has_one_place(vendor: str, home: str | tuple[str, ...]) -> None:
    users = [p.relative_to(SOURCE).as_posix() for p in MODULES if any(within(m, vendor) for m in imports(p))]
    users = [u for u in users if not u.startswith("training/")]
    assert users
    assert [u for u in users if not u.startswith(home)] == []


def test_only_bootstrap_builds_adapters() -> None:
    adapters = ("tutor.retrieval.edge", "tutor.retrieval.server", "tutor.retrieval.huggingface", "tutor.telemetry.otel")
    users = {name_of(p) for p in MODULES if any(within(m, a) for m in imports(p) for a in adapters)}
    assert {u for u in users if u not in adapters} <= {"tutor.bootstrap"}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_holds_one_idea(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text))


def test_no_file_names_of_a_developers_machine() -> None:
    pattern = re.compile(r"/work/|/home/\w+/|/root/|/Users/\w+/|/tmp/")
    kept = [
        p for p in SOURCE.rglob("*") if p.is_file() and p.suffix in {".py", ".json", ".html", ".css", ".js", ".toml"}
    ]
    found = [str(p) for p in kept if p.name != "tokenizer.json" and pattern.search(p.read_text(encoding="utf-8"))]
    assert found == []


def test_the_query_path_is_light(curriculum_home: Path) -> None:
    program = (
        "import json, sys; from tutor.cli.main import main\n"
        "code = main(['ask', 'What is Raft?']) or main(['search', 'quorum'])\n"
        f"print(json.dumps([code, sorted(set({HEAVY!r}) & set(sys.modules))]), file=sys.stderr)"
    )
    environment = os.environ | {"TUTOR_HOME": str(curriculum_home)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=120, check=True
    )
    assert json.loads(done.stderr.splitlines()[-1]) == [0, []]
