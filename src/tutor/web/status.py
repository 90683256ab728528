"""What the settings page tells of the installation: what answers, where things lie, and what a check of it finds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from threading import Lock

from tutor.diagnosis import Finding, diagnose
from tutor.errors import TutorError
from tutor.inforce import masked
from tutor.models import standing
from tutor.settings import Settings
from tutor.version import tutor_version
from tutor.web.core import Core


@dataclass(frozen=True, slots=True)
class Part:
    """A line of what is in force: what it is, what holds, more about it, and the command that changes it."""

    name: str
    value: str
    about: str = ""
    change: str = ""
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """What a check found, and when."""

    at: datetime
    findings: Sequence[Finding]

    @property
    def wrong(self) -> int:
        """How many findings need mending."""
        return sum(finding.level == "fail" for finding in self.findings)


class Checks:
    """The last check of the installation; one runs at a time."""

    def __init__(self) -> None:
        self.last: Check | None = None
        self._lock = Lock()

    def run(self, settings: Settings) -> Check:
        """Look at everything, as ``tutor doctor`` does: some seconds."""
        with self._lock:
            self.last = Check(datetime.now(UTC), list(diagnose(lambda: settings)))
            return self.last


def in_force(core: Core, address: str) -> Iterator[Part]:
    """What is in force, the most asked for first. A part that is broken says so and hides no other.

    Args:
        core: what is looked at.
        address: where the server was reached.
    """
    settings = core.settings
    yield from _model(core)
    yield from _index(core)
    yield Part("Data folder", str(settings.home.expanduser()), change="tutor --home DIR serve")
    yield _store(core)
    yield _server(settings, address)
    sent = settings.telemetry.otlp
    yield Part(
        "Telemetry",
        f"sent to {masked(sent)}" if sent else "off: nothing leaves this machine",
        about="With the words of questions and answers." if sent and settings.telemetry.include_text else "",
    )
    yield Part("Version", tutor_version())


def _model(core: Core) -> Iterator[Part]:
    told = standing.standing(core.settings)
    change = "tutor models use PROVIDER MODEL"
    if told["model"] == "none":
        about = "No language model is set up: every sentence of an answer is quoted."
        yield Part("Answers", "cut from the passages", about, "tutor models")
    elif told["fault"]:
        yield Part("Answers", f"{told['model']} cannot be asked", told["fault"], change, wrong=True)
    elif not core.writes:
        yield Part(
            "Answers",
            "cut from the passages",
            f"{told['model']} is set up, but the server has no key, so it is not asked.",
        )
    else:
        where = f" at {masked(told['address'])}" if told.get("address") else ""
        yield Part("Answers", f"{told['model']}{where}", f"{standing.kept(told)} {standing.taken(told)}", change)


def _index(core: Core) -> Iterator[Part]:
    settings = core.settings
    where = masked(settings.qdrant.url) or str(settings.index_dir)
    try:
        health = core.health()
    except TutorError as fault:
        yield Part(
            "Index", f"{fault.what[:1].upper()}{fault.what[1:]}", fault.fix, "tutor ingest --rebuild", wrong=True
        )
        return
    counts = f"{health['documents']:,} documents, {health['passages']:,} passages"
    yield Part("Index", counts, f"Generation {health['generation']} in {where}", "tutor ingest PATH")
    yield Part("Encoder", str(health["encoder"]))


def _store(core: Core) -> Part:
    settings = core.settings
    url = settings.study.url
    where = masked(url) or str(settings.home.expanduser() / "study.db")
    who = f"Learner {settings.study.learner}."
    try:
        rows = core.study(lambda study: study.store.check())
    except TutorError as fault:
        return Part("Study store", where, f"{who} {fault.message}", "tutor doctor", wrong=True)
    copies = "Its backups are its operator's." if url else "A copy a day lies in backups/ beside it."
    return Part("Study store", where, f"{who} {rows:,} rows. {copies}")


def _server(settings: Settings, address: str) -> Part:
    key = "Asks for a key." if settings.server.api_key.get_secret_value() else "Asks for no key."
    return Part("Server", address, key, "tutor serve --host HOST --port PORT")


def anki_there() -> bool:
    """Whether an Anki deck can be made here (extra ``anki``)."""
    return find_spec("genanki") is not None
