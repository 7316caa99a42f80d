"""Alembic calls this module; the connection comes from `outdial.storage.schema`, inside a transaction."""

from alembic import context

from outdial.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
