"""What makes the pages an application that can be installed: its manifest."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from tutor.web.views import NAVIGATION

router = APIRouter(include_in_schema=False)
_SIZES = (192, 512)
_SHORTCUTS = ("/today", "/drill", "/log")
#: As tokens.css has --paper in light: what stands behind the icon while the first page loads.
PAPER = "#f7f4ec"


@router.get("/manifest.webmanifest")
def manifest() -> Response:
    """The application's name, icons and places, by which browsers offer to install it."""
    names = {path: name for path, name, _ in NAVIGATION}
    icons = [
        {"src": f"/static/icons/{size}{suffix}.png", "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for size in _SIZES
        for suffix, purpose in (("", "any"), ("-maskable", "maskable"))
    ]
    icons.append({"src": "/static/icon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any"})
    content = {
        "id": "/",
        "name": "tutor",
        "short_name": "tutor",
        "description": "A study assistant with citations.",
        "lang": "en",
        "dir": "ltr",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": PAPER,
        "theme_color": PAPER,
        "categories": ["education", "productivity"],
        "icons": icons,
        "shortcuts": [{"name": names[path], "url": path} for path in _SHORTCUTS],
    }
    return JSONResponse(content, media_type="application/manifest+json")
