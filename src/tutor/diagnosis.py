"""What is wrong with an installation, in the order in which it would stop the user."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from tutor.bootstrap import App, builtin_corpus, builtin_roots
from tutor.errors import IndexDamaged, IndexFault, IndexMissing, TutorError
from tutor.retrieval.encoder import OnnxEncoder
from tutor.retrieval.index import IndexReader
from tutor.retrieval.search import Searcher
from tutor.settings import LlmSettings, Settings

_PACKAGES = ("qdrant-edge-py", "qdrant-client", "onnxruntime", "tokenizers", "numpy", "fastapi", "pydantic")
_EXTRAS = {
    "postgres": "psycopg",
    "anki": "genanki",
    "hf": "sentence-transformers",
    "train": "datasets",
    "llm": "llama-index-core",
    "gguf": "xllamacpp",
    "eval": "ragas",
    "readings": "trafilatura",
}
_LOW_DISK_MB = 500
_MOUNTS = Path("/proc/mounts")
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})


@dataclass(frozen=True, slots=True)
class Finding:
    """``level`` is ok, warn or fail."""

    level: str
    about: str
    what: str
    fix: str = ""


def diagnose(load: Callable[[], Settings]) -> Iterator[Finding]:
    """Findings in order; a broken part does not keep the others from being looked at."""
    try:
        settings = load()
    except TutorError as error:
        yield _failed("settings", error)
        return
    config = settings.home / "config.toml"
    yield Finding("ok", "settings", f"home {settings.home}, {'with' if config.is_file() else 'no'} config.toml")
    yield from _versions()
    app = App(settings)
    yield from _encoder(app)
    yield from _grader(app)
    yield from _index(app)
    yield from _study(app)
    yield from _model(settings)
    yield from _readings(app)
    yield from _disk(settings)
    app.close()


def _failed(about: str, error: TutorError) -> Finding:
    return Finding("fail", about, f"{error.about}: {error.what}" if error.about else error.what, error.fix)


def _versions() -> Iterator[Finding]:
    found, missing = [], []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    yield Finding("ok", "versions", f"Python {sys.version.split()[0]}, {', '.join(found)}")
    if missing:
        yield Finding("fail", "versions", f"not installed: {', '.join(missing)}", "Reinstall tutor-study.")
    for extra, name in _EXTRAS.items():
        try:
            yield Finding("ok", f"extra '{extra}'", f"{name} {version(name)}")
        except PackageNotFoundError:
            yield Finding("ok", f"extra '{extra}'", f"not installed (pip install 'tutor-study[{extra}]')")


def _encoder(app: App) -> Iterator[Finding]:
    try:
        encoder = app.encoder
        if isinstance(encoder, OnnxEncoder):
            encoder.verify()
        encoder.encode(["ready"])
        yield Finding("ok", "encoder", f"{encoder.name}, files intact")
    except TutorError as error:
        yield _failed("encoder", error)


def _grader(app: App) -> Iterator[Finding]:
    from tutor.drill.judge import OnnxJudge

    try:
        judge = app.judge
        judge.judge([("ready", "ready")])
        if isinstance(judge, OnnxJudge):
            judge.verify()
            yield Finding("ok", "grader", f"{judge.name}, files intact")
    except TutorError as error:
        yield _failed("grader", error)


def _index(app: App) -> Iterator[Finding]:
    location = app.settings.qdrant.url or str(app.settings.index_dir)
    try:
        reader = app.reader
        damage, counts = _sound(reader, "index", "Run: tutor ingest --rebuild", embedded=not app.settings.qdrant.url)
        yield from damage
        yield Finding("ok", "index", f"{location}: {counts}")
        _ = app.searcher
    except IndexMissing as error:
        yield Finding(
            "warn", "index", f"{location}: {error.what}", "It is made at the first question, or by: tutor ingest"
        )
        return
    except (IndexFault, TutorError) as error:
        yield _failed("index", error)
        return
    yield from _sources(app)


def _sound(reader: IndexReader, about: str, fix: str, *, embedded: bool = True) -> tuple[list[Finding], str]:
    """What is wrong with an open index though it answers, and what is in it.

    Raises:
        IndexFault: it is damaged, and there is no older generation that is whole.
    """
    try:
        intact = reader.verify()
    except IndexDamaged as fault:
        reader.fall_back(fault)
        intact = reader.verify()
    manifest = reader.manifest
    damage = []
    if (fallback := reader.fallback) is not None:
        what = f"generation {manifest.generation} answers because a newer one is damaged ({fallback.message})"
        damage.append(Finding("fail", about, what, fix))
    counts = f"{manifest.documents} documents, {manifest.passages} passages, made {manifest.created_at}"
    if intact:
        counts += f", {intact} files intact"
    elif embedded:  # of a server none are kept here
        counts += ", from before checksums were kept (the next change adds them)"
    return damage, counts


def _sources(app: App) -> Iterator[Finding]:
    from tutor.ingest.builtin import real, replaced
    from tutor.ingest.collect import outdated

    sources = app.reader.manifest.sources
    others = replaced(sources, real(builtin_roots()) if app.settings.corpus.builtin else [])
    if others:
        what = f"the curriculum of another installation is indexed ({', '.join(sorted(others))})"
        yield Finding("warn", "sources", what, "This one's takes its place at the next question, or by: tutor ingest")
    stale, gone, problems = outdated(sources, [Path(root) for root in sources["roots"] if root not in others])
    failed: list[str] = sources.get("failed", [])
    for problem in problems:
        yield Finding("warn", "sources", problem.message, "Run: tutor forget PATH, if it is gone for good")
    for message in sorted(set(failed) - {problem.message for problem in problems}):
        yield Finding("warn", "sources", message, "It was so at the last ingest. Mend or remove the file.")
    stale = [path for path in stale if not any(message.startswith(path) for message in failed)]
    if stale or gone:
        yield Finding(
            "warn",
            "sources",
            f"{len(stale)} files new, changed or not readable, {len(gone)} gone since the last ingest",
            "Run: tutor ingest",
        )
    elif not problems and not failed:
        yield Finding("ok", "sources", f"{len(sources['files'])} files, all up to date")
    if app.settings.corpus.builtin and not builtin_corpus().is_dir():
        yield Finding(
            "fail", "sources", f"the built-in curriculum is missing ({builtin_corpus()})", "Reinstall tutor-study."
        )


def _study(app: App) -> Iterator[Finding]:
    """The study store: opening it mends what is damaged, where there is a backup, and says so."""
    from tutor.study import backups

    path = app.settings.home.expanduser() / "study.db"
    server = bool(app.settings.study.url)
    if not server and not path.exists() and not backups.copies(path):
        yield Finding("ok", "study", f"{path}: nothing has been stored yet")
        return
    store = None
    try:
        store = app.study_store()
        rows = store.check()
        what = f"{store.location}: {rows:,} rows of learner {store.learner}"
        if server:
            what += "; its backups are its operator's"
        else:
            last = backups.copies(path)
            kept = sorted(file.name for file in path.parent.glob(f"{path.stem}.damaged-*{path.suffix}"))
            what += f", sound; last backup {last[0].name}" if last else ", sound; no backup yet"
            what += f"; kept aside: {', '.join(kept)}" if kept else ""
        yield Finding("ok", "study", what)
    except TutorError as error:
        yield _failed("study", error)
    finally:
        if store is not None:
            for line in store.news:
                yield Finding("warn", "study", line)
            store.close()


def _model(settings: Settings) -> Iterator[Finding]:
    """Whether the language model in force can be asked, as far as that shows on this machine; it is not asked."""
    from tutor.models.address import on_this_machine
    from tutor.models.choose import address, backend
    from tutor.models.keys import find_key

    llm = settings.llm
    if llm.provider == "none":
        yield Finding("ok", "model", "none is set: answers are cut from the passages (tutor models)")
        return
    try:
        model, url = backend(llm), address(llm)
        if llm.provider == "gguf":
            what = f"{model.name}: the file is in order, {model.context_tokens:,} tokens of context (not loaded here)"
            yield Finding("ok", "model", what)
        elif on_this_machine(url):
            yield _answering(model.name, llm, url, find_key(llm).value)
        else:
            what = f"{model.name} at {url}, key: {find_key(llm).source}; not asked, as it is not on this machine"
            yield Finding("ok", "model", f"{what} (tutor models --check)")
    except TutorError as error:
        yield _failed("model", error)
        return
    yield from _budget(settings)


def _answering(name: str, llm: LlmSettings, url: str, key: str) -> Finding:
    """Whether the server on this machine has the model."""
    from tutor.models.reach import reach

    found = reach(llm.provider, url, key)
    if not found.status:
        return Finding(
            "fail",
            "model",
            f"{name}: nothing answers at {url}, so answers are cut from the passages",
            "Start it, or: tutor models use none",
        )
    if found.status in (401, 403):
        return Finding("fail", "model", f"{name}: {url} refuses the key (status {found.status})", "tutor models key")
    # Ollama takes a name without a tag as the latest.
    if {llm.model, f"{llm.model}:latest"} & set(found.models):
        return Finding("ok", "model", f"{name}: {url} answers and has it")
    if llm.provider == "ollama":
        return Finding("fail", "model", f"{name}: {url} answers and has no such model", f"Run: ollama pull {llm.model}")
    # Some servers have one model and take any name for it, and some do not list theirs.
    has = f"lists {', '.join(found.models[:5])}" if found.models else "does not say what it has"
    return Finding("warn", "model", f"{name}: {url} answers and {has}", "See whether it takes it: tutor models --check")


def _budget(settings: Settings) -> Iterator[Finding]:
    from tutor.models.budget import Ledger
    from tutor.models.choose import LEDGER

    llm, folder = settings.llm, settings.home.expanduser() / LEDGER
    if not llm.day_tokens and not llm.day_usd:
        return
    try:
        spent = Ledger(folder).today()
    except (OSError, ValueError) as error:
        what = f"what today has taken cannot be read ({error}), so the model is not asked"
        yield Finding("fail", "model", what, f"Remove today's file in {folder}, and today's spending counts from zero.")
        return
    if (llm.day_tokens and spent.tokens >= llm.day_tokens) or (llm.day_usd and spent.usd >= llm.day_usd):
        what = f"today's budget is spent ({spent.tokens:,} tokens, ${spent.usd:.2f})"
        yield Finding(
            "warn", "model", what, "It is asked again tomorrow (UTC), or with more llm.day_tokens, llm.day_usd."
        )


def _readings(app: App) -> Iterator[Finding]:
    """Whether what was fetched of the linked readings can be searched."""
    from tutor.ingest.collect import READING_SUFFIX, outdated

    texts = app.settings.readings_dir / "text"
    fetched = len(list(texts.glob(f"*{READING_SUFFIX}")))
    needs = "" if find_spec("trafilatura") else "pip install 'tutor-study[readings]', then: "
    fix = f"Run: {needs}tutor ingest --readings"
    try:
        if not fetched and not (app.settings.readings_dir / "index").is_dir():
            raise IndexMissing("nothing was fetched")
        reader = app.readings_store.open()
        try:
            damage, counts = _sound(reader, "readings", fix)
            yield from damage
            Searcher(reader, app.encoder)  # refuses vectors of another encoder
        finally:
            reader.close()
    except IndexMissing:
        if fetched:
            yield Finding("warn", "readings", f"{fetched} are fetched and none is indexed", fix)
        else:
            yield Finding("ok", "readings", f"none were fetched ({needs}tutor ingest --readings)")
        return
    except IndexFault as fault:  # its own advice is for the library's index
        yield Finding("fail", "readings", _failed("", fault).what, fix)
        return
    except TutorError as error:
        yield _failed("readings", error)
        return
    yield Finding("ok", "readings", counts)
    sources = reader.manifest.sources
    stale, gone, problems = outdated(sources, [texts])
    unread = {problem.message for problem in problems} | set(sources.get("failed", []))
    if stale or gone or unread:
        what = f"{len(stale)} new or changed and {len(gone)} gone since they were indexed, {len(unread)} cannot be read"
        yield Finding("warn", "readings", what, fix)


def _disk(settings: Settings) -> Iterator[Finding]:
    place = settings.index_dir
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free // 2**20
    if free < _LOW_DISK_MB:
        yield Finding(
            "warn", "disk", f"{free} MB free at {place}", "An ingest needs room for a second copy of the index."
        )
    else:
        yield Finding("ok", "disk", f"{free:,} MB free at {place}")
    if (kind := _file_system(place)) in _IN_MEMORY:
        yield Finding(
            "warn",
            "disk",
            f"{place} lies in memory ({kind}): gone with the next start, and when it is full an ingest is killed",
            "Choose a place on a disk with --index DIR or TUTOR_HOME.",
        )


def _file_system(place: Path) -> str:
    """The type of the file system that holds the path, or "" where the system does not say."""
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # not Linux
        return ""
    path, found = place.resolve(), (0, "")
    for line in mounts:
        _, point, kind, *_ = line.split(" ")
        mounted = Path(re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), point))  # a blank is \040
        if path.is_relative_to(mounted):
            # Of two at one place the later is seen.
            found = max((len(mounted.parts), kind), found, key=lambda pair: pair[0])
    return found[1]
