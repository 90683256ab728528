"""How Alembic runs the migrations: on the connection that the store hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from tutor.study.tables import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",  # SQLite alters a table by copying it
)
context.run_migrations()
