"""The day's list, printed: what ``tutor today`` does once its options are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.cli.desk import opened
from tutor.cli.lines import counted, echo, emit, line, minutes, note

if TYPE_CHECKING:
    from tutor.plain import Studying
    from tutor.study.today import Today

_SHOWN = 5  # of what was left out


def print_today(settings: Studying, time: int | None, *, as_json: bool) -> None:
    """Print what to do today.

    Args:
        settings: what studying goes by.
        time: minutes there are; None for those of a day.
        as_json: one JSON object in place of lines.

    Raises:
        UsageError: minutes out of range.
        StudyFault: the store cannot be read.
    """
    with opened(settings) as study:
        found = study.today(time)
        if as_json:
            from tutor.study.wire import today_json

            emit(today_json(found))
            return
        _show(found)


def _show(found: Today) -> None:
    if not found.lines:
        echo("Nothing is due, and every card is begun. Drill what you like: tutor drill")
        return
    echo(f"Today, {minutes(found.total)} of {minutes(found.minutes)}:")
    for number, one in enumerate(found.lines, 1):
        line(f"{number}. {one.kind.capitalize()}: {one.title}", minutes(one.minutes))
        note(one.why)
        note(one.command)
        if one.tick:
            note(f"Done: {one.tick}")
        if one.aside:
            note(f"tutor review --suspend {one.aside}")
    if not found.left_out:
        return
    what = f"{counted(len(found.left_out), 'thing')}, {minutes(found.left_out_min)}"
    echo(f"\nLeft out, since the time is used ({what}):")
    for one in found.left_out[:_SHOWN]:
        line(f"- {one.kind.capitalize()}: {one.title} ({one.why})", minutes(one.minutes))
    if (more := len(found.left_out) - _SHOWN) > 0:
        echo(f"- and {more:,} more")
