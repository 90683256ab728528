"""Drills made ready ahead: the curriculum's rubrics are read once, and not while an answer waits.

Reading them takes as long as fifty answers. Whoever needs the drills first reads them, under a lock of their own, so
that answers are given meanwhile and two who come at once do not both read. ``tutor serve`` has a thread do so after
its start, which steps aside between two files for whoever is being answered, until somebody waits for the drills.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from tutor.errors import TutorError

if TYPE_CHECKING:
    from tutor.bootstrap import App
    from tutor.drill.engine import Drills

_log = logging.getLogger(__name__)
_ASIDE_S = 0.01  # between two looks whether the answer that goes first is given
_SETTLED_S = 1.0  # after the start: the first page and its scripts go first


class DrillsAhead:
    """The drills of an application, built once.

    Args:
        app: what has them.
        busy: whether somebody is being answered.
    """

    def __init__(self, app: App, busy: Callable[[], bool]) -> None:
        self._app = app
        self._busy = busy
        self._lock = Lock()
        self._wanted = Event()
        self._ended = Event()

    def wait(self) -> None:
        """Return once the drills are there: built here, unless somebody else is at it.

        Raises:
            CardError: the curriculum has no cards.
        """
        self._wanted.set()  # from now on nobody is let go first
        with self._lock:
            self._drills()

    def make(self) -> None:
        """Build them with what they read first, stepping aside for answers; a fault is left to who asks for a drill."""
        try:
            with self._lock:
                self._app.read_corpus(self._step_aside)
                if not self._ended.is_set():
                    self._drills().due()  # opens what says when cards are due; nobody drills meanwhile
        except TutorError as fault:
            _log.warning("drills are not made ready ahead. %s", fault.message)

    def begin(self, started: Callable[[], bool]) -> Thread:
        """Make them in a thread of their own, some time after ``started`` says so; it does not keep a process alive."""

        def later() -> None:
            while not started():
                if self._ended.wait(0.05):
                    return
            if not self._ended.wait(_SETTLED_S):
                self.make()

        thread = Thread(target=later, name="drills-ahead", daemon=True)
        thread.start()
        return thread

    def end(self) -> None:
        """Make nothing more: the server ends. What has begun is finished by the thread, without stepping aside."""
        self._ended.set()

    def _drills(self) -> Drills:
        return self._app.drills

    def _step_aside(self) -> None:
        while self._busy() and not self._wanted.is_set() and not self._ended.is_set():
            self._wanted.wait(_ASIDE_S)
