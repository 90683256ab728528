"""Where the text of a page stands, for sites whose page is not the text."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_ARXIV = re.compile(r"/(?:abs|pdf|html)/([\w-]+(?:\.[\w-]+)*?(?:/\w+)?)(?:\.pdf)?/?\Z")
_RAW = "https://raw.githubusercontent.com"
_READMES = ("README.md", "readme.md", "README.rst", "README.txt")
_TEXTS = (".md", ".markdown", ".rst", ".txt", ".mdx")


def candidates(url: str) -> list[str]:
    """Addresses to try for the text, best first: arXiv's HTML version before its PDF file, a repository's README."""
    parts = urlsplit(url)
    host, path = (parts.hostname or "").lower(), parts.path
    if host in ("arxiv.org", "www.arxiv.org") and (found := _ARXIV.match(path)):
        return [f"https://arxiv.org/html/{found.group(1)}", f"https://arxiv.org/pdf/{found.group(1)}"]
    if host in ("github.com", "www.github.com"):
        return _github(path) or [url]
    return [url]


def _github(path: str) -> list[str]:
    parts = [part for part in path.split("/") if part]
    if len(parts) == 2:
        owner, repository = parts[0], parts[1].removesuffix(".git")
        return [f"{_RAW}/{owner}/{repository}/HEAD/{name}" for name in _READMES]
    if len(parts) > 4 and parts[2] == "blob" and parts[-1].lower().endswith(_TEXTS):
        return ["/".join([_RAW, *parts[:2], *parts[3:]])]
    if len(parts) > 3 and parts[2] == "tree":
        return ["/".join([_RAW, *parts[:2], *parts[3:], name]) for name in _READMES]
    return []
