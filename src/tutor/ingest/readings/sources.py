"""The list of linked readings: ``ingest/sources.yaml``, one entry for each page that the curriculum links."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tutor.errors import SourceError, UsageError
from tutor.ingest.chunk import slug

Kind = Literal["article", "paper", "docs", "repo", "video", "book", "course"]
_PORTS = {"http": 80, "https": 443}
_TRACKING = ("utm_", "fbclid", "gclid", "mc_cid", "mc_eid")


class Source(BaseModel):
    """One linked reading.

    ``cards`` are the ids of the documents of the curriculum that link it: cards, notes and exercises. ``licence`` is an
    SPDX id or a name where it is known, else "unknown". ``why`` says why it is not fetched; empty where it is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(pattern=r"^https?://[^\s]+$")
    title: str = Field(min_length=2)
    kind: Kind
    cards: tuple[str, ...] = Field(min_length=1)
    licence: str = "unknown"
    fetch: bool
    why: str = ""

    @property
    def id(self) -> str:
        """A name for files and documents: words of the address and a digest of it."""
        key = canonical(self.url)
        return f"{slug(key)[:50].rstrip('-')}-{hashlib.blake2b(key.encode(), digest_size=4).hexdigest()}"

    @property
    def host(self) -> str:
        return (urlsplit(self.url).hostname or "").lower()


def canonical(url: str) -> str:
    """What two addresses of one page share: no scheme, fragment, default port, tracking or slash at the end.

    What is no address stays as it is.
    """
    try:
        parts = urlsplit(url)
        port = "" if parts.port in (None, _PORTS.get(parts.scheme)) else f":{parts.port}"
    except ValueError:
        return url
    host = (parts.hostname or "").lower().rstrip(".")
    query = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not k.lower().startswith(_TRACKING)]
    return urlunsplit(("", "", f"{host}{port}{parts.path.rstrip('/')}", urlencode(query), ""))


def sources_file() -> Path:
    """The list: in the package where it is installed, in ``ingest/`` in a checkout."""
    packaged = Path(str(files("tutor") / "ingest" / "sources.yaml"))
    return packaged if packaged.is_file() else Path(__file__).resolve().parents[4] / "ingest" / "sources.yaml"


def load_sources(path: Path) -> list[Source]:
    """The entries of a list, in its order.

    Raises:
        SourceError: it cannot be read, an entry breaks the format, or two entries are one page.
    """
    try:
        rows = yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        sources = TypeAdapter(list[Source]).validate_python(rows)
    except OSError as error:
        raise SourceError(f"cannot be read ({error.strerror})", about=str(path)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SourceError(f"is not YAML ({error})", about=str(path)) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise SourceError(
            f"{place}: {first['msg']}", about=str(path), fix="docs/readings.md has the format."
        ) from error
    seen: dict[str, str] = {}
    for source in sources:
        if (other := seen.setdefault(source.id, source.url)) != source.url:
            raise SourceError(f"{source.url} and {other} are one page", about=str(path), fix="Keep one of them.")
    return sources


def chosen(sources: Iterable[Source], only: Sequence[str]) -> list[Source]:
    """The sources that ``only`` names: by id of a card, by host, or by address; all where it is empty.

    Raises:
        UsageError: a name that fits none.
    """
    everything = list(sources)
    if not only:
        return everything
    taken: set[str] = set()
    for name in only:
        key = canonical(name) if "://" in name else ""
        lower = name.lower()
        fits = [s.id for s in everything if name in s.cards or s.host == lower or (key and canonical(s.url) == key)]
        if not fits:
            raise UsageError(
                "no linked reading has this card, host or address",
                about=f"--only {name}",
                fix="tutor ingest --readings --dry-run lists them all.",
            )
        taken.update(fits)
    return [source for source in everything if source.id in taken]


def named(only: Sequence[str]) -> frozenset[str]:
    """The pages that ``only`` names by address, in canonical form: they are asked for again however fresh they are."""
    return frozenset(canonical(name) for name in only if "://" in name)
