"""Runs the revisions over the connection that `routing.store.sql.migrate` hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from routing.store.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    transaction_per_migration=False,
    render_as_batch=True,
)
context.run_migrations()
