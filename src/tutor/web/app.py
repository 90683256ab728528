"""The web application: routes, errors, security and static files put together."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from tutor.bootstrap import App
from tutor.web import errors, security
from tutor.web.core import Core
from tutor.web.routes import api, drills, feedback, health, pages, study
from tutor.web.views import HERE

_ABOUT = "A study assistant with citations. Every sentence of an answer is quoted from a document of the library."


def create_app(core: App) -> FastAPI:
    """The application over a core. An index that is missing or damaged is answered with 503, and picked up when mended.

    Nothing it serves loads anything from another machine.
    """
    try:
        installed = version("tutor-study")
    except PackageNotFoundError:
        installed = "0"
    # FastAPI's own documentation pages load scripts from a CDN; ours (/docs) is rendered here.
    web = FastAPI(title="tutor", version=installed, description=_ABOUT, docs_url=None, redoc_url=None)
    web.state.core = Core(core)
    errors.install(web)
    hosts, any_host = security.allowed_hosts(core.settings.server.host)
    web.add_middleware(security.Guard, hosts=hosts, any_host=any_host)
    web.include_router(health.router)
    web.include_router(api.router)
    web.include_router(drills.router, prefix="/api/v1")
    web.include_router(drills.router, prefix="/api", include_in_schema=False)  # as the first interface was named
    web.include_router(feedback.router)
    web.include_router(study.router)
    web.include_router(pages.router)
    web.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    return web
