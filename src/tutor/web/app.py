"""The web application: routes, errors, security and static files put together."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.staticfiles import StaticFiles

from tutor.bootstrap import App
from tutor.web import errors, security
from tutor.web.core import Core
from tutor.web.routes import api, health, pages
from tutor.web.views import HERE


def create_app(app: App) -> FastAPI:
    """The application over a core whose index is ready."""
    try:
        installed = version("tutor-study")
    except PackageNotFoundError:
        installed = "0"
    # FastAPI's own documentation pages load scripts from a CDN; ours (/docs) is rendered here.
    web = FastAPI(title="tutor", version=installed, docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    web.state.core = Core(app)
    errors.install(web)
    security.install(web, listening_on=app.settings.server.host)
    web.add_middleware(GZipMiddleware, minimum_size=1024)
    web.include_router(health.router)
    web.include_router(api.router)
    web.include_router(pages.router)
    web.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    return web
