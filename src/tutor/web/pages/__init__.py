"""The pages: a module for each place in the navigation, with its templates and its style beside it by name."""

from __future__ import annotations

from tutor.web.pages import (
    ask,
    cards,
    conversations,
    docs,
    drill,
    log,
    log_reports,
    map,
    palette,
    plan,
    progress,
    review,
    settings,
    shell,
    today,
)

ROUTERS = (
    ask.router,
    cards.router,
    conversations.router,
    docs.router,
    drill.router,
    log.router,
    log_reports.router,
    map.router,
    palette.router,
    plan.router,
    progress.router,
    review.router,
    settings.router,
    shell.router,
    today.router,
)
