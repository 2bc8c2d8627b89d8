"""Run by alembic: applies the migrations over the connection, inside the transaction, that it is handed."""

from __future__ import annotations

from alembic import context

from rag.events.migrate import VERSION_TABLE
from rag.events.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
