"""The web application: routes, errors, security and static files put together."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from tutor.bootstrap import App, tutor_version
from tutor.telemetry.measures import add_meter
from tutor.telemetry.prometheus import process_meter
from tutor.web import errors, security
from tutor.web.core import Core
from tutor.web.described import describe
from tutor.web.forms import Once
from tutor.web.key import KeyCheck
from tutor.web.openai import PREFIX
from tutor.web.pages import ROUTERS, settings
from tutor.web.routes import (
    api,
    conversations,
    drills,
    feedback,
    health,
    log,
    metrics,
    notes,
    openai,
    plans,
    study,
    transfer,
)
from tutor.web.views import HERE
from tutor.web.watch import Watch

_ABOUT = "A study assistant with citations. Every sentence of an answer is quoted from a document of the library."

#: A model costs money or the machine's time: not for whoever finds the address.
_OPEN = "others can reach this server and it has no key"


def create_app(core: App) -> FastAPI:
    """The application over a core. An index that is missing or damaged is answered with 503, and picked up when mended.

    Nothing it serves loads anything from another machine.
    """
    # FastAPI's own documentation pages load scripts from a CDN; ours (/docs) is rendered here.
    web = FastAPI(title="tutor", version=tutor_version(), description=_ABOUT, docs_url=None, redoc_url=None)
    server = core.settings.server
    bare = not security.is_loopback(server.host) and not server.api_key.get_secret_value()
    web.state.core = Core(core, no_model=_OPEN if bare else "")
    web.state.once = Once()
    web.state.settings_page = settings.Kept()
    errors.install(web)
    closed = () if security.is_loopback(server.host) else (PREFIX,)
    web.add_middleware(KeyCheck, key=server.api_key, closed=closed)
    hosts, any_host = security.allowed_hosts(server.host)
    web.add_middleware(security.Guard, hosts=hosts, any_host=any_host)
    add_meter(process_meter())
    web.add_middleware(Watch)  # the last is the outermost
    web.include_router(health.router)
    web.include_router(metrics.router)
    web.include_router(api.router)
    web.include_router(drills.router, prefix="/api/v1")
    web.include_router(drills.router, prefix="/api", include_in_schema=False)  # as the first interface was named
    web.include_router(log.router)
    web.include_router(feedback.router)
    web.include_router(conversations.router)
    web.include_router(study.router)
    web.include_router(notes.router)
    web.include_router(plans.router)
    web.include_router(transfer.router)
    web.include_router(openai.router)
    for router in ROUTERS:
        web.include_router(router)
    describe(web)
    web.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    return web
