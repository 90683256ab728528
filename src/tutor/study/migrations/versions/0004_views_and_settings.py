"""A learner's own view of a grade is kept beside it; what the settings say is no longer kept twice.

Zone, minutes and retention in ``learners`` were written and never read: the settings of the section ``study`` decide.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("drilled") as drilled:
        drilled.add_column(sa.Column("views", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("drilled") as drilled:
        drilled.alter_column("views", server_default=None)  # for the rows that were there
    with op.batch_alter_table("learners") as learners:
        for name in ("zone", "minutes", "retention"):
            learners.drop_column(name)
