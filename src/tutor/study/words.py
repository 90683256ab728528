"""What a learner has vouched for: cards that are mastered by their own word or an import, and since when."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from tutor.study.progress import Marked, Status, counting
from tutor.study.tables import Mark

_VOUCHED = ("override", "import")  # a mastery check is a review of the card, and is scheduled as one


def vouched(session: Session, learner: str) -> dict[str, datetime]:
    """By card the time of the mark that counts, where that says mastered and no check was made."""
    query = select(Mark.card, Mark.status, Mark.why, Mark.at).where(Mark.learner == learner)
    marks: dict[str, list[Marked]] = {}
    for row in session.execute(query.order_by(Mark.at, Mark.id)):
        marks.setdefault(row[0], []).append(Marked(row[0], cast(Status, row[1]), row[2], row[3]))
    last = {card: counting(of_card) for card, of_card in marks.items()}
    return {card: m.at for card, m in last.items() if m and m.status == "mastered" and m.why in _VOUCHED}
