"""The core, made ready while the protocol is already spoken: clients wait seconds for a server, not for an index."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, Thread

from tutor.bootstrap import App
from tutor.web.core import Core


class Opening:
    """Opens a core once; calls wait for it, and where it failed the next call tries again.

    Args:
        app: what to open.
        make_ready: builds or refreshes its index; raises TutorError where that fails.
    """

    def __init__(self, app: App, make_ready: Callable[[App], object]) -> None:
        self._app = app
        self._make_ready = make_ready
        self._lock = Lock()
        self._core: Core | None = None

    def begin(self) -> None:
        """Start in the background; what goes wrong is told by the first call."""
        Thread(target=self._quietly, name="tutor-opening", daemon=True).start()

    def core(self) -> Core:
        """The core with an index to ask; blocks until it is there.

        Raises:
            TutorError: it cannot be made ready.
        """
        with self._lock:
            if self._core is None:
                self._make_ready(self._app)
                self._core = Core(self._app)
            return self._core

    def _quietly(self) -> None:
        try:
            self.core()
        except Exception:  # noqa: BLE001  the first call meets it again, and tells it
            return
