"""The pages: a module for each place in the navigation, with its templates and its style beside it by name."""

from __future__ import annotations

from tutor.web.pages import (
    aside,
    ask,
    cards,
    conversations,
    design,
    docs,
    drill,
    log,
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
    aside.router,
    ask.router,
    cards.router,
    conversations.router,
    design.router,
    docs.router,
    drill.router,
    log.router,
    map.router,
    palette.router,
    plan.router,
    progress.router,
    review.router,
    settings.router,
    shell.router,
    today.router,
)
