"""The pages: a module for each place in the navigation, with its templates and its style beside it by name."""

from __future__ import annotations

from tutor.web.pages import ask, cards, docs, drill

ROUTERS = (ask.router, cards.router, docs.router, drill.router)
