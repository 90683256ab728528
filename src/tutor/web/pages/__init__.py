"""The pages: a module for each place in the navigation, with its templates and its style beside it by name."""

from __future__ import annotations

from tutor.web.pages import ask, cards, design, docs, map, palette, settings, shell

ROUTERS = (
    ask.router,
    cards.router,
    design.router,
    docs.router,
    map.router,
    palette.router,
    settings.router,
    shell.router,
)
