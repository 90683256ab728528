"""Writes the choice of a model into ``config.toml`` and leaves the rest of the file as it is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tutor.errors import SettingsError


def write_choice(path: Path, chosen: Mapping[str, str]) -> None:
    """Set keys of the section ``[llm]``; an empty value removes its key. Comments and order of the file stay.

    Args:
        path: of ``config.toml``; made when it is not there.
        chosen: key → value.

    Raises:
        SettingsError: the file is not TOML, or cannot be read or written; it is then as it was.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError
    from tomlkit.items import Table

    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8") if path.is_file() else "")
        section = document.get("llm")
        if section is None:
            section = document["llm"] = tomlkit.table()
            section = document["llm"]
        if not isinstance(section, Table):
            raise SettingsError("'llm' is no section there", about=str(path), fix="Write it as [llm].")
        for key, value in chosen.items():
            if value:
                section[key] = value
            elif key in section:
                del section[key]
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".toml.new")
        fresh.write_text(tomlkit.dumps(document), encoding="utf-8")
        if path.exists():
            fresh.chmod(path.stat().st_mode & 0o777)
        os.replace(fresh, path.resolve() if path.is_symlink() else path)
    except TOMLKitError as error:
        raise SettingsError(f"config.toml is not TOML ({error})", about=str(path), fix="Mend it by hand.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"config.toml cannot be written ({error})", about=str(path)) from error
