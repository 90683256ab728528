"""What every test gets: fakes that can be imported, and an environment without the user's settings."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

# With --import-mode=importlib nothing puts the tests' folder on the path: `from fakes import FakeEncoder` needs it.
sys.path.insert(0, str(Path(__file__).parent))
# As the command line does, before numpy is imported (cli/main.py says why).
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from fakes import FakeEncoder, write_notes
from tutor.bootstrap import App
from tutor.retrieval.edge import EdgeStore
from tutor.settings import Settings

settings.register_profile("tutor", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tutor")


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No TUTOR_* variable of the developer's shell, and a home that is no one's."""
    for name in [n for n in os.environ if n.startswith("TUTOR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TUTOR_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session")
def curriculum(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the index of the whole curriculum, made once a run. To be copied, not written to.

    Of several processes of a run (``pytest -n``) the first makes it, and the others wait for it. ``TEST_CURRICULUM``
    names one that was made before (``tutor --home DIR ingest``), for short runs while developing.
    """
    if made := os.environ.get("TEST_CURRICULUM"):
        return Path(made)
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # the run's, in which each process has its own
    folder, done = shared / "curriculum", shared / "curriculum.made"
    with FileLock(shared / "curriculum.lock"):
        if not done.exists():
            app = App(Settings(home=folder))
            assert app.ingest().problems == []
            app.close()
            done.touch()
    return folder


@pytest.fixture(scope="module")
def curriculum_home(curriculum: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A module's own copy of ``curriculum``, as if ``tutor ingest`` had run there."""
    folder = tmp_path_factory.mktemp("copy")
    yield Path(shutil.copytree(curriculum, folder / "home"))
    shutil.rmtree(folder, ignore_errors=True)  # some hundred megabytes, which pytest would keep for three runs


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture
def store(tmp_path: Path) -> EdgeStore:
    return EdgeStore(tmp_path / "index")


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A folder with six Markdown files of two sections each."""
    return write_notes(tmp_path / "notes")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[], str]]:
    """Makes empty PostgreSQL databases and gives their URLs.

    Where there is no PostgreSQL its tests are skipped, unless ``NEED_POSTGRES`` is set, as in CI.
    """
    from postgres import programs, running

    try:
        import psycopg  # noqa: F401
    except ImportError:
        missing = "psycopg is not installed (extra 'postgres')"
    else:
        missing = "" if programs() else "PostgreSQL's programs are not installed (Debian: postgresql)"
    if missing:
        if os.environ.get("NEED_POSTGRES"):
            pytest.fail(missing)
        pytest.skip(missing)
    with running() as server:
        yield server.fresh


@pytest.fixture(params=["sqlite", "postgresql"])
def study_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty study database, of each kind in turn; empty for SQLite, whose file a test chooses."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgres")())
