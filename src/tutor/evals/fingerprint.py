"""What a run's figures depend on, as hashes, so that unlike runs are not compared unawares."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import tutor
from tutor.bootstrap import App
from tutor.drill.calibration import CALIBRATION
from tutor.drill.judge import GRADER_DIR
from tutor.evals.record import Fingerprint
from tutor.evals.sets import Sets

#: The packages whose code changes what is measured; pages, commands and training do not.
_MEASURED = ("answering", "curriculum", "drill", "evals", "ingest", "retrieval")


def fingerprint(app: App, sets: Sets) -> Fingerprint:
    """The fingerprint of a product with its index made, and of the sets that it is measured on."""
    from tutor.evals import ragas_metrics

    documents = sorted(app.reader.documents(), key=lambda row: str(row["doc_id"]))
    texts = (
        f"{row['doc_id']}\x00{(app.reader.payload('document', row['doc_id']) or {}).get('text', '')}"
        for row in documents
    )
    root = Path(tutor.__file__).parent
    files = (p for name in _MEASURED for p in (root / name).rglob("*") if p.suffix in (".py", ".json", ".txt"))
    modules = sorted([root / "bootstrap.py", *files])
    try:
        release = version("tutor-study")
    except PackageNotFoundError:
        release = "not installed"
    settings = app.settings
    return Fingerprint(
        corpus=_sha(text.encode() for text in texts),
        encoder=app.encoder.name,
        grader=_sha(p.read_bytes() for p in (GRADER_DIR / "grader.onnx", CALIBRATION)),
        settings={
            "search": settings.search.model_dump(mode="json"),
            "encoder": {"model": settings.encoder.model},
            "server": bool(settings.qdrant.url),
        },
        code=f"{release}+{_sha(p.read_bytes() for p in modules)[:12]}",
        sets=sets.fingerprints,
        ragas=ragas_metrics.available(),
    )


def _sha(parts: Iterable[bytes]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "big"))
        found.update(part)
    return found.hexdigest()
