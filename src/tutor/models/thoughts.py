"""What a model thinks aloud before it replies (``<think>…</think>``) is no part of its reply."""

from __future__ import annotations

import re

_TAG = re.compile(r"<\s*(/?)\s*(?:think|thinking|thought|reasoning)\b[^<>]{0,40}>", re.I)
#: The beginning of what may become such a tag.
_BEGUN = re.compile(r"<\s*/?\s*(?:[a-z]{0,9}|(?:think|thinking|thought|reasoning)\b[^<>]{0,40})$", re.I)


class Thoughts:
    """Leaves thoughts out of a reply that comes piece by piece, wherever its pieces are cut.

    A block that never ends hides all that follows. A closing tag alone is left out; nested blocks are one.
    """

    def __init__(self) -> None:
        self._held = ""
        self._depth = 0

    def feed(self, piece: str) -> str:
        """What of the reply may be read now. The beginning of a tag is held back until it is known to be none."""
        text, self._held = self._held + piece, ""
        if begun := _BEGUN.search(text):
            text, self._held = text[: begun.start()], text[begun.start() :]
        return self._without(text)

    def end(self) -> str:
        """What was held back and is no tag."""
        text, self._held = self._held, ""
        return self._without(text)

    def _without(self, text: str) -> str:
        said = []
        at = 0
        for tag in _TAG.finditer(text):
            if not self._depth:
                said.append(text[at : tag.start()])
            self._depth = max(0, self._depth + (-1 if tag.group(1) else 1))
            at = tag.end()
        if not self._depth:
            said.append(text[at:])
        return "".join(said)


def without_thoughts(reply: str) -> str:
    """A whole reply without its thoughts."""
    thoughts = Thoughts()
    return (thoughts.feed(reply) + thoughts.end()).strip()
