"""The desk, opened for one command and closed: without typer, which loads longer than ``tutor today`` takes."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tutor.plain import Studying
    from tutor.study.desk import Study


@contextmanager
def opened(settings: Studying) -> Iterator[Study]:
    """The desk of a home; tells once what its store has to tell.

    Garbage is not collected meanwhile: while modules are loaded there is none, and looking for it takes 50 ms.
    """
    gc.disable()
    try:
        from tutor.studying import open_study

        study = open_study(settings, glance=True, told=_tell)
        try:
            yield study
        finally:
            study.close()
    finally:
        gc.enable()


def _tell(news: str) -> None:
    print(f"tutor: {news}", file=sys.stderr)
