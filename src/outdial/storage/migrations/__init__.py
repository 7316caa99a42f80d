"""Alembic's environment and versions, run by `outdial.storage.schema`."""
