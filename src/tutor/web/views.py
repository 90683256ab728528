"""Templates, and what every page is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.templating import Jinja2Templates

HERE = Path(__file__).resolve().parent
_templates = Jinja2Templates(directory=HERE / "templates")

EXAMPLES = (
    "Why not Kafka for a simple task queue?",
    "B-tree or LSM-tree for a write-heavy store?",
    "When is semantic caching risky?",
    "What does the E in PACELC stand for?",
    "How do I pick a shard key?",
    "Why does the KV cache limit how many users one GPU serves?",
)


def page(request: Request, name: str, *, status: int = 200, **context: Any) -> Response:
    """Render a template; autoescape is on, so only values marked safe are HTML."""
    return _templates.TemplateResponse(request, name, context, status_code=status)
