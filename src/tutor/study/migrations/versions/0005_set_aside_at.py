"""When a card or point was last set aside or taken back, so that of two machines the later word counts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("memory") as memory:
        memory.add_column(sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True))
