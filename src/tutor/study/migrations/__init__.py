"""Migrations of the study store, by Alembic."""
