"""Every error a user can meet, as one tree.

::

    TutorError                     exit 1, HTTP 500
    ├── UsageError                 exit 2, HTTP 422   what was asked cannot be understood
    │   └── SettingsError          exit 2             a setting is missing, unknown or out of range
    ├── NotFound                   exit 1, HTTP 404   the thing named does not exist
    ├── StaleAnswer                exit 1, HTTP 409   an answer to a question that is no longer asked
    ├── Outdated                   exit 1, HTTP 409   a change to a text that another window has changed since
    ├── SourceError                exit 1, HTTP 422   a document cannot be read or is not valid
    │   ├── CardError              exit 1, HTTP 422   front matter or sections break the card format
    │   └── Unreadable             exit 1, HTTP 422   a file or folder exists and cannot be looked into
    ├── ModelError                 exit 1, HTTP 503   model files are missing, damaged or do not fit
    ├── GenerationError            exit 1, HTTP 502   a language model gave no usable reply
    │   ├── ModelUnreachable       it does not answer, or breaks off (transient)
    │   ├── ModelTimeout           it took longer than was allowed (transient)
    │   ├── ModelRefused           the key, the model's name or the request was not accepted
    │   ├── ContextOverflow        the prompt does not fit into the model
    │   ├── BudgetSpent            what may be spent on a question or a day is spent
    │   └── Cancelled              nobody waits for the reply any more
    ├── ReadingError               exit 1, HTTP 502   a linked reading could not be fetched
    │   ├── ReadingRefused         the address, the site or what it sent does not allow it
    │   │   ├── ReadingDisallowed  the site's robots.txt leaves it out
    │   │   └── ReadingGone        there is nothing at the address any more
    │   └── ReadingFailed          the site did not answer as it should (transient)
    │       └── Offline            there is no way to the network (transient)
    ├── MissingExtra               exit 1, HTTP 501   an optional dependency is not installed
    ├── StudyFault                 exit 1, HTTP 503   what a learner has made cannot be read or written
    │   ├── StudyDamaged           the database is broken; what could be saved is named
    │   ├── StudyNewer             a newer version of tutor wrote it
    │   ├── StudyFull              there is no room to write (transient)
    │   └── StudyBusy              another process writes, or the server does not answer (transient)
    └── IndexFault                 exit 1, HTTP 503   the index cannot answer
        ├── IndexMissing           no generation has been published yet
        ├── IndexMismatch          built by another encoder or with another layout
        ├── IndexDamaged           a generation's files do not match what was published
        ├── IndexBusy              another process is ingesting (transient)
        ├── DiskFull               there is no room to open or write a generation (transient)
        └── IndexUnreachable       the Qdrant server does not answer (transient)

Each error says what happened, what it was about and what to do. ``transient`` tells a caller whether the same call
may succeed later. HTTP codes are mapped once, in ``tutor.web.errors``; exit codes once, in ``tutor.cli``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


class TutorError(Exception):
    """The root: ``what`` happened, what it was ``about`` (may be empty), and what to do (``fix``, may be empty)."""

    transient = False
    exit_code = 1

    def __init__(self, what: str, *, about: str = "", fix: str = "") -> None:
        self.what = what
        self.about = about
        self.fix = fix
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The three parts as one line: ``about: what. fix``; with ``fix`` on its own line below a list."""
        head = f"{self.about}: {self.what}" if self.about else self.what
        if self.fix and "\n" in self.what:
            return f"{head}\n  {self.fix}"
        end = "" if head.endswith("?") else "."
        return f"{head.rstrip('.')}{end} {self.fix}" if self.fix else head


class UsageError(TutorError):
    """What was asked cannot be understood or is out of range."""

    exit_code = 2


class SettingsError(UsageError):
    """A setting is missing, unknown or out of range."""


class NotFound(TutorError):
    """The thing named does not exist; ``near`` are the ids of cards that may have been meant, the likeliest first."""

    def __init__(self, what: str, *, about: str = "", fix: str = "", near: Sequence[str] = ()) -> None:
        self.near = tuple(near)
        super().__init__(what, about=about, fix=fix)


class StaleAnswer(TutorError):
    """An answer to a question that is no longer asked; nothing was changed."""


class Outdated(TutorError):
    """A change to something that was changed elsewhere since it was read; nothing was stored over it."""


class SourceError(TutorError):
    """A document cannot be read or is not valid; the others are still processed."""


class CardError(SourceError):
    """Front matter or sections break the card format; ``about`` is ``file:line: field``.

    Where several fields are wrong, it is the file, and ``what`` has a line for each.
    """


class Unreadable(SourceError):
    """A file or folder that exists and cannot be looked into: what was indexed from below ``path`` stays."""

    def __init__(self, kind: str, path: str | Path, error: OSError) -> None:
        self.path = Path(os.path.realpath(path))
        super().__init__(
            f"the {kind} cannot be read ({error.strerror})",
            about=str(path),
            fix="Give yourself read permission; everything else was still looked at.",
        )


class ModelError(TutorError):
    """Model files are missing, damaged, or do not fit together."""


class GenerationError(TutorError):
    """A language model gave no usable reply; an extractive answer stands all the same.

    ``retry_after_s`` is how long the server asked to be left alone, where it did.
    """

    retry_after_s: float | None = None


class ModelUnreachable(GenerationError):
    """The model does not answer, or breaks off."""

    transient = True


class ModelTimeout(GenerationError):
    """The model took longer than was allowed."""

    transient = True


class ModelRefused(GenerationError):
    """The key, the model's name or the request was not accepted; asking again gives the same."""


class ContextOverflow(GenerationError):
    """The prompt does not fit into the model."""


class BudgetSpent(GenerationError):
    """What may be spent on a question or a day is spent; ``fix`` names the setting."""


class Cancelled(GenerationError):
    """Nobody waits for the reply any more."""


class MissingExtra(TutorError):
    """An optional dependency is not installed; ``fix`` is the install command."""

    def __init__(self, feature: str, *, extra: str, module: str) -> None:
        super().__init__(
            f"needs the '{extra}' extra ({module} is not installed)",
            about=feature,
            fix=f"Run: pip install 'tutor-study[{extra}]'",
        )


class StudyFault(TutorError):
    """What a learner has made cannot be read or written; nothing that was stored is lost by it."""


class StudyDamaged(StudyFault):
    """The database is broken, and there is no backup to go back to; ``about`` is where it was put aside."""


class StudyNewer(StudyFault):
    """A newer version of tutor wrote the database or the export."""


class StudyFull(StudyFault):
    """There is no room to write; what was stored before stands."""

    transient = True


class StudyBusy(StudyFault):
    """Another process has been writing for too long, or the database server does not answer."""

    transient = True


class IndexFault(TutorError):
    """The index cannot answer."""


class IndexMissing(IndexFault):
    """No generation has been published yet."""


class IndexMismatch(IndexFault):
    """The index was built by another encoder or with another layout."""


class IndexDamaged(IndexFault):
    """A generation's files do not match what was published."""


class IndexBusy(IndexFault):
    """Another process is ingesting."""

    transient = True


class DiskFull(IndexFault):
    """There is no room to open or write a generation; nothing is damaged."""

    transient = True


class IndexUnreachable(IndexFault):
    """The Qdrant server does not answer."""

    transient = True


class ReadingError(TutorError):
    """A linked reading could not be fetched; the others are still tried, and what was fetched before stays."""


class ReadingRefused(ReadingError):
    """What the address, the site or what it sent does not allow; asking again gives the same."""


class ReadingDisallowed(ReadingRefused):
    """The site's robots.txt leaves this address out."""


class ReadingGone(ReadingRefused):
    """There is nothing at the address any more."""


class ReadingFailed(ReadingError):
    """The site did not answer as it should; ``retry_s`` is the wait in seconds that it asked for, if any."""

    transient = True

    def __init__(self, what: str, *, about: str = "", fix: str = "", retry_s: float | None = None) -> None:
        self.retry_s = retry_s
        super().__init__(what, about=about, fix=fix)


class Offline(ReadingFailed):
    """There is no way to the network, or none to this host's name."""
