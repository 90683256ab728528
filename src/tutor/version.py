"""Which version of tutor this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def tutor_version() -> str:
    """The installed version, "0" where there is none."""

    try:
        return version("tutor-study")
    except PackageNotFoundError:
        return "0"
