"""Keys of language models: from the environment or the system's keyring, never from a file of ours."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field

from tutor.errors import MissingExtra, SettingsError, UsageError
from tutor.models.address import place
from tutor.settings import LlmSettings

SERVICE = "tutor-study"
#: The providers' usual variables; read for the provider's own address only, so that no other server gets that key.
VARIABLES = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
_MAX_KEY = 4096


@dataclass(frozen=True, slots=True)
class Key:
    """A key and where it is from; ``value`` is "" where there is none, and never in the representation."""

    value: str = field(repr=False)
    source: str


def find_key(llm: LlmSettings) -> Key:
    """The key to send, by the first of: ``TUTOR_LLM_API_KEY``, the provider's usual variable, the keyring.

    Raises:
        SettingsError: it cannot be a key.
    """
    if given := llm.api_key.get_secret_value():
        return Key(_checked(given, "TUTOR_LLM_API_KEY"), "TUTOR_LLM_API_KEY")
    variable = VARIABLES.get(llm.provider, "") if not llm.url else ""
    if variable and (given := os.environ.get(variable, "")):
        return Key(_checked(given, variable), variable)
    if stored := _stored(entry(llm)):
        return Key(_checked(stored, "the keyring"), "keyring")
    return Key("", "none")


def entry(llm: LlmSettings) -> str:
    """What the key is called in the keyring: the provider, and the server where it is not the provider's own."""
    return f"{llm.provider} {place(llm.url)}" if llm.url else llm.provider


def store(llm: LlmSettings, value: str) -> str:
    """Put the key into the keyring; an empty one removes it.

    Returns:
        What the keyring is called.

    Raises:
        MissingExtra: the package keyring is not installed.
        SettingsError: it cannot be a key.
        UsageError: there is no keyring here, or it did not take it.
    """
    try:
        import keyring
        from keyring.errors import KeyringError, PasswordDeleteError
    except ImportError as error:
        raise MissingExtra("a keyring", extra="llm", module="keyring") from error
    backend = keyring.get_keyring()
    if getattr(backend, "priority", 0) <= 0:  # the one that only fails
        raise UsageError("there is no keyring on this system", about="keyring", fix="Set TUTOR_LLM_API_KEY instead.")
    try:
        if value:
            keyring.set_password(SERVICE, entry(llm), _checked(value, "the key"))
        else:
            with suppress(PasswordDeleteError):  # there was none
                keyring.delete_password(SERVICE, entry(llm))
    except KeyringError as error:
        raise UsageError(
            f"the keyring did not take it ({type(error).__name__})",
            about="keyring",
            fix="Unlock it, or set TUTOR_LLM_API_KEY instead.",
        ) from error
    return str(getattr(backend, "name", "keyring"))


def _stored(name: str) -> str:
    """The key of the keyring, or "" where there is none or no keyring that works."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return ""
    try:
        if getattr(keyring.get_keyring(), "priority", 0) <= 0:
            return ""
        return keyring.get_password(SERVICE, name) or ""
    except (KeyringError, OSError, RuntimeError):  # locked, or no session to ask
        return ""


def _checked(value: str, source: str) -> str:
    """
    Raises:
        SettingsError: it cannot stand in a header. The key itself is not shown.
    """
    value = value.strip()
    if not value.isascii() or not value.isprintable() or " " in value or len(value) > _MAX_KEY:
        raise SettingsError("what is set is no key (blanks, or characters that no key has)", about=source)
    return value
