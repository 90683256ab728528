"""Where a judge model may be asked, and what to say of the way there."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from tutor.errors import SettingsError
from tutor.settings import JudgeSettings


def check(settings: JudgeSettings) -> tuple[str, ...]:
    """What is to be said of the settings before anything is sent; empty where all is well.

    Raises:
        SettingsError: the url is no http(s) address or carries a password, or no model is named.
    """
    try:
        parts = urlsplit(settings.url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise _wrong(f"the address cannot be read ({error})") from error
    if parts.scheme not in ("http", "https") or not host:
        raise _wrong("the address of the judge model is no http:// or https:// address")
    if parts.username is not None or parts.password is not None:
        raise _wrong("the address carries a user or a password", fix="Set TUTOR_JUDGE_API_KEY instead.")
    if not settings.model:
        raise SettingsError("no judge model is named", about="judge.model", fix="Set TUTOR_JUDGE_MODEL.")
    if parts.scheme == "http" and settings.api_key.get_secret_value() and not _loopback(host):
        return (f"the key of the judge model goes to {host} unencrypted (http); use https",)
    return ()


def _wrong(what: str, fix: str = "Set TUTOR_JUDGE_URL, such as http://127.0.0.1:11434/v1.") -> SettingsError:
    return SettingsError(what, about="judge.url", fix=fix)


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
