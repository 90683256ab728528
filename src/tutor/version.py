"""Which version of tutor this is."""

from __future__ import annotations


def tutor_version() -> str:
    """The installed version, "0" where there is none."""
    from importlib.metadata import PackageNotFoundError, version  # 15 ms that a question need not wait for

    try:
        return version("tutor-study")
    except PackageNotFoundError:
        return "0"
