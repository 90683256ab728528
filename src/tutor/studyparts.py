"""What the learner makes, as parts of the application: progress and plans, the decision log, taking it all along."""

from __future__ import annotations

from functools import cached_property

from tutor.settings import Settings
from tutor.version import tutor_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tutor.asking_again import ByReviews
    from tutor.logkeeping import OwnEntries
    from tutor.study.conversations import Conversations
    from tutor.study.desk import Study
    from tutor.study.erasing import Erased
    from tutor.study.log import LogBook
    from tutor.study.store import StudyStore
    from tutor.study.transfer import Transfer


class LearnersOwn:
    """The parts of ``bootstrap.App`` that need no index; each is built when it is first used."""

    settings: Settings

    @cached_property
    def own_entries(self) -> OwnEntries:
        from tutor.logkeeping import OwnEntries

        return OwnEntries(self.settings)

    @cached_property
    def log(self) -> LogBook:
        """The decision log."""
        from tutor.logkeeping import open_log

        return open_log(self.settings)

    @cached_property
    def study(self) -> Study:
        """Progress, reviews and what to do today."""
        from tutor.studying import open_study

        return open_study(self.settings)

    @cached_property
    def conversations(self) -> Conversations:
        """What was asked on the pages."""
        from tutor.study.conversations import Conversations

        chosen = self.settings.study.keep_conversations
        return Conversations(self.study_store, zone=self.study.zone, clock=self.study.clock, kept=chosen)

    @cached_property
    def drill_schedule(self) -> ByReviews:
        """When drills ask again; with a desk of its own, since drills and studying do not wait for each other."""
        from tutor.asking_again import ByReviews
        from tutor.studying import open_study

        file = self.settings.home.expanduser() / "study.db"
        return ByReviews(lambda: open_study(self.settings), lambda: bool(self.settings.study.url) or file.exists())

    @cached_property
    def transfer(self) -> Transfer:
        """Takes out and brings in what the learner has made."""
        from tutor.studying import open_transfer

        return open_transfer(self.settings, self.study, self.study_store, tutor_version())

    def erase(self) -> Erased:
        """Delete all that the learner has made, once a copy of it is kept; answers that a model wrote go too.

        Raises:
            StudyFault: the copy cannot be written, and nothing was deleted; or not all could be.
        """
        from tutor.answering.shelf import SqliteShelf
        from tutor.study.erasing import erase

        home = self.settings.home.expanduser()
        done = erase(self.study_store, home, self.transfer.export, clock=self.study.clock)
        answers = home / "cache" / "answers.sqlite"
        if "cache" in self.__dict__:
            self.__dict__["cache"].clear()
        elif answers.is_file():
            shelf = SqliteShelf(answers)
            shelf.clear()
            shelf.close()
        return done

    def study_store(self) -> StudyStore:
        """The study store, opened anew; to be closed."""
        from tutor.studying import open_store

        return open_store(self.settings)
