"""Alembic's entry: runs the migrations on the connection that `migrate.py` gives."""

from __future__ import annotations

from alembic import context

from unity_mlops_mcp.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
