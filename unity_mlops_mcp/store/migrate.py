"""Bring the tables to the newest version; imported only when they are not."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(connection: sa.Connection, target: str = "head") -> None:
    """Run the missing migrations inside the connection's transaction and note the version reached.

    Args:
        connection: inside a write transaction.
        target: the revision to stop at.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, target)
    reached = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
    connection.exec_driver_sql(f"PRAGMA user_version = {int(reached)}")
