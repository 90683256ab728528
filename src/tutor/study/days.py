"""A learner's days: by time zone, also where clocks change."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tutor.errors import SettingsError


def zone_of(name: str) -> ZoneInfo:
    """The zone of a name as "Europe/Berlin"; the machine's for an empty one, UTC where that cannot be told.

    Raises:
        SettingsError: no zone has this name.
    """
    if not name:
        return _machines()
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError(
            f"no time zone is called '{name}'", about="study.zone", fix="As in: Europe/Berlin, America/New_York, UTC."
        ) from error


def _machines() -> ZoneInfo:
    link = Path("/etc/localtime")
    names = [os.environ.get("TZ", "").lstrip(":")]
    if link.is_symlink():
        names.append(str(link.resolve()).rpartition("zoneinfo/")[2])
    names.append(_offset(datetime.now().astimezone()))
    for name in filter(None, names):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")


def _offset(now: datetime) -> str:
    """The name of a zone of whole hours, as a machine may tell no other; its sign is the other way round."""
    hours, rest = divmod(now.utcoffset() or timedelta(), timedelta(hours=1))
    return f"Etc/GMT{-hours:+d}" if hours and not rest else ""


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """The learner's day that a moment is in."""
    return moment.astimezone(zone).date()


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a day, in UTC: also of one that has no midnight, where clocks go forward then."""
    return datetime.combine(day, time(0), zone).astimezone(UTC)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of the next day, in UTC: 23, 24 or 25 hours after the first of this one."""
    return start_of(day + timedelta(days=1), zone)
