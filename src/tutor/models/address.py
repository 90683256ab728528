"""Where a model's server may be, and what is said of the way there."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from tutor.errors import SettingsError


def check_address(url: str, about: str = "llm.url", fix: str = "As in: http://127.0.0.1:8080/v1") -> str:
    """The address without a slash at its end; ``about`` is the setting it comes from, ``fix`` what to do about it.

    Raises:
        SettingsError: it is no http(s) address, or carries a user, a password or a query.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise SettingsError(f"the address cannot be read ({error})", about=about, fix=fix) from error
    if parts.username is not None or parts.password is not None:
        raise SettingsError(
            "the address carries a user or a password",
            about=about,
            fix=f"Set TUTOR_{about.split('.')[0].upper()}_API_KEY instead.",
        )
    if parts.scheme not in ("http", "https") or not host or any(c.isspace() for c in url):
        raise SettingsError("the address is no http:// or https:// address", about=about, fix=fix)
    if parts.query or parts.fragment:
        raise SettingsError("the address has a query", about=about, fix=fix)
    return url.rstrip("/")


def on_this_machine(url: str) -> bool:
    """Whether the address is of the loopback."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def in_the_clear(url: str) -> bool:
    """Whether what is sent there can be read on the way."""
    return urlsplit(url).scheme == "http" and not on_this_machine(url)


def place(url: str) -> str:
    """Scheme, host and port: what a key belongs to."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"
