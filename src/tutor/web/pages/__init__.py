"""The pages: a module for each place in the navigation, with its templates and its style beside it by name."""

from __future__ import annotations

from tutor.web.pages import ask, cards, docs, log, log_reports, progress

ROUTERS = (
    ask.router,
    cards.router,
    docs.router,
    progress.router,
    log_reports.router,
    log.router,
)  # /log/{entry} after its names
