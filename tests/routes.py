"""Every route there is, for tests of what must hold for all of them: a new one is tested without being named."""

from __future__ import annotations

import re
from collections.abc import Callable

from fastapi import FastAPI
from fastapi.routing import APIRoute

from tutor.web.pages import ROUTERS

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
Route = tuple[str, str]  # method, path with its parameters in braces


def page_routes() -> list[Route]:
    """The pages' methods and paths."""
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    return sorted((method, route.path) for route in routes for method in route.methods)


def api_routes(app: FastAPI) -> list[Route]:
    """The described interface's methods and paths."""
    described = app.openapi()["paths"]
    return sorted((method.upper(), path) for path, methods in described.items() for method in methods)


def unsafe_routes(app: FastAPI) -> list[Route]:
    """Those that change something."""
    return [route for route in [*page_routes(), *api_routes(app)] if route[0] not in SAFE]


def filled(path: str, value: Callable[[str], str] | str) -> str:
    """A path with ``value`` in place of its parameters, or with what ``value`` makes of each one's name."""
    return _PARAMETER.sub(lambda found: value if isinstance(value, str) else value(found[1]), path)
