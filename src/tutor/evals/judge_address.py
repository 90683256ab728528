"""Where a judge model may be asked, and what to say of the way there."""

from __future__ import annotations

from urllib.parse import urlsplit

from tutor.errors import SettingsError
from tutor.models.address import check_address, in_the_clear
from tutor.settings import JudgeSettings

_FIX = "Set TUTOR_JUDGE_URL, such as http://127.0.0.1:11434/v1."


def check(settings: JudgeSettings) -> tuple[str, ...]:
    """What is to be said of the settings before anything is sent; empty where all is well.

    Raises:
        SettingsError: the url is no http(s) address or carries a password or a query, or no model is named.
    """
    url = check_address(settings.url, about="judge.url", fix=_FIX)
    if not settings.model:
        raise SettingsError("no judge model is named", about="judge.model", fix="Set TUTOR_JUDGE_MODEL.")
    if settings.api_key.get_secret_value() and in_the_clear(url):
        return (f"the key of the judge model goes to {urlsplit(url).hostname} unencrypted (http); use https",)
    return ()
