"""A scripted drill: one reply a line, from standard input."""

from __future__ import annotations

import json

from tutor.errors import UsageError


def reply_of(line: str, pending: str) -> tuple[str, str]:
    """The question's id and the answer of a line: plain text for what is pending, or a JSON object that may name it.

    Raises:
        UsageError: a line that begins as an object and is none, or has no ``answer``.
    """
    text = line.rstrip("\n")
    if not text.lstrip().startswith("{"):
        return pending, text
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        return pending, text  # an answer may begin with a brace
    if not isinstance(row, dict) or not isinstance(row.get("answer"), str):
        raise UsageError("the line has no 'answer'", fix='As in: {"answer": "…", "question": "the id it answers"}')
    return str(row.get("question") or pending), row["answer"]
