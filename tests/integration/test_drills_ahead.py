"""The first drill of a server: its rubrics are read once, ahead of time, and no answer waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from tutor.bootstrap import App
from tutor.cli.main import main
from tutor.drill.engine import Drills
from tutor.errors import CardError
from tutor.settings import Settings
from tutor.web.ahead import DrillsAhead
from tutor.web.core import Core


class Reading:
    """An application whose curriculum has so many files; it counts what is read and built."""

    def __init__(self, files: int = 3, slow_s: float = 0.0) -> None:
        self.files, self.slow_s = files, slow_s
        self.read, self.built, self.asked = 0, 0, 0

    def read_corpus(self, between: Callable[[], None]) -> None:
        for _ in range(self.files):
            self.read += 1
            between()

    @cached_property
    def drills(self) -> Reading:
        time.sleep(self.slow_s)
        self.built += 1
        return self

    def due(self) -> list[Any]:
        self.asked += 1
        return []


def ahead(app: Any, busy: Callable[[], bool] = lambda: False) -> DrillsAhead:
    return DrillsAhead(app, busy)


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_of_several_who_come_at_once_one_builds() -> None:
    app = Reading(slow_s=0.2)
    found = ahead(app)
    threads = [threading.Thread(target=found.wait) for _ in range(4)] + [threading.Thread(target=found.make)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert app.built == 1 and app.asked == 1


def test_it_steps_aside_for_answers_and_goes_on_after_them() -> None:
    app, busy = Reading(), threading.Event()
    busy.set()
    thread = threading.Thread(target=ahead(app, busy.is_set).make)
    thread.start()
    until(lambda: app.read == 1)
    time.sleep(0.1)
    assert (app.read, app.built) == (1, 0)
    busy.clear()
    thread.join(20)
    assert (app.read, app.built) == (3, 1)


def test_it_steps_aside_no_more_once_somebody_waits_for_the_drills() -> None:
    app = Reading()
    found = ahead(app, lambda: True)
    thread = threading.Thread(target=found.make)
    thread.start()
    until(lambda: app.read == 1)
    found.wait()
    assert app.read == 3 and app.built == 1
    thread.join(20)


def test_a_server_that_ends_makes_nothing_more() -> None:
    app, started = Reading(), threading.Event()
    found = ahead(app)
    thread = found.begin(started.is_set)
    found.end()
    thread.join(20)
    assert not thread.is_alive() and app.read == 0


def test_a_fault_is_left_to_who_asks_for_a_drill(caplog: pytest.LogCaptureFixture) -> None:
    class Damaged(Reading):
        def read_corpus(self, between: Callable[[], None]) -> None:
            raise CardError("there are no cards here", about="cards")

        @cached_property
        def drills(self) -> Reading:
            raise CardError("there are no cards here", about="cards")

    found = ahead(Damaged())
    found.make()
    assert "not made ready ahead" in caplog.text and "no cards" in caplog.text
    with pytest.raises(CardError, match="no cards"):
        found.wait()


class Held(App):
    """Its drills are not built before ``go`` is set; ``building`` says that somebody is at it."""

    building: threading.Event
    go: threading.Event

    @cached_property
    def drills(self) -> Drills:
        self.building.set()
        assert self.go.wait(60)
        return super().drills


def test_answers_are_given_while_the_first_drill_reads_its_rubrics(curriculum_home: Path) -> None:
    app = Held(Settings(home=curriculum_home))
    app.building, app.go = threading.Event(), threading.Event()
    core = Core(app)
    found: list[Any] = []
    drilling = threading.Thread(target=lambda: found.append(core.drill(lambda drills: len(drills.corpus.cards))))
    drilling.start()
    try:
        assert app.building.wait(60)
        assert core.ask("What is Raft?").citations and not found
    finally:
        app.go.set()
        drilling.join(60)
    assert found == [130]
    app.close()


def test_tutor_serve_makes_the_drills_ready_after_its_start(
    curriculum_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    class Server:
        """Listens to nobody: it has started, and ends once the drills are there."""

        def __init__(self, config: Any) -> None:
            self.app = config.app
            self.started = False

        def run(self, sockets: Any) -> None:
            parts = self.app.state.core._app.__dict__
            seen.append("drills" in parts or "corpus" in parts)
            self.started = True
            until(lambda: "drills" in parts, 120)
            seen.append(True)
            for one in sockets:
                one.close()

    monkeypatch.setattr("uvicorn.Server", Server)
    monkeypatch.setenv("TUTOR_HOME", str(curriculum_home))
    assert main(["serve", "--port", "0"]) == 0
    assert seen == [False, True]
    assert not [t for t in threading.enumerate() if t.name == "drills-ahead"]
