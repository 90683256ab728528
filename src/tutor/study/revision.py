"""Which schema of the study store this version reads and writes."""

#: Alembic's revision; held against the scripts by a test, so that opening a store loads no Alembic.
HEAD = "0005"
