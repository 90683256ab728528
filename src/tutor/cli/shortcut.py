"""The short way of ``tutor today``: its plain command lines read without typer, its settings without pydantic.

Both together take longer to load than the list takes to make. Whatever is not as plain as can be goes the usual way,
which knows every option and has the words for what is wrong; a test holds the two ways side by side.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBER = re.compile(r"[1-9][0-9]{0,3}")


def taken(argv: Sequence[str]) -> bool:
    """Whether a command line went the short way; then it is done.

    Args:
        argv: the arguments, the options that all commands share first.

    Raises:
        TutorError: as the command raises it.
    """
    read = _read(argv)
    if read is None:
        return False
    from tutor.plain import plain

    home, minutes, as_json = read
    settings = plain(home)
    if settings is None:
        return False
    from tutor.cli.day import print_today

    print_today(settings, minutes, as_json=as_json)
    return True


def _read(argv: Sequence[str]) -> tuple[str | None, int | None, bool] | None:
    """The home, minutes and whether as JSON, of ``[--home DIR] today [--minutes N] [--json]``; None of all else."""
    words, home = list(argv), None
    while words and words[0] in ("--home", "--debug"):
        if words.pop(0) == "--home":
            home = words.pop(0)
    if not words or words.pop(0) != "today":
        return None
    minutes, as_json = None, False
    while words:
        word = words.pop(0)
        if word == "--json":
            as_json = True
        elif word in ("--minutes", "-m") and words and _NUMBER.fullmatch(words[0]):
            minutes = int(words.pop(0))
        else:
            return None
    return home, minutes, as_json
