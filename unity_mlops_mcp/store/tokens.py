"""The table of access tokens: hashes only."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa

from unity_mlops_mcp.store.database import Database
from unity_mlops_mcp.store.rows import TokenRow
from unity_mlops_mcp.store.tables import tokens


class TokenTable:
    """Few verbs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, row: TokenRow) -> None:
        """Write a token down."""
        with self._database.write() as connection:
            connection.execute(tokens.insert().values(asdict(row)))

    def add_first(self, row: TokenRow) -> bool:
        """Write a token down if there is no valid one; whether it was written."""
        valid = sa.select(sa.func.count()).select_from(tokens).where(tokens.c.revoked_at.is_(None))
        with self._database.write() as connection:
            if connection.execute(valid).scalar_one():
                return False
            connection.execute(tokens.insert().values(asdict(row)))
        return True

    def keep(self, row: TokenRow) -> TokenRow:
        """Write a token down unless one of its hash is there already; the one that is there then."""
        same = tokens.select().where(tokens.c.sha256 == row.sha256)
        with self._database.write() as connection:
            known = connection.execute(same).first()
            if known is not None:
                return TokenRow(**known._mapping)  # noqa: SLF001 - SQLAlchemy's public name
            connection.execute(tokens.insert().values(asdict(row)))
        return row

    def all(self) -> tuple[TokenRow, ...]:
        """All tokens, revoked ones too, oldest first."""
        with self._database.read() as connection:
            found = connection.execute(tokens.select().order_by(tokens.c.created_at, tokens.c.token_id))
            return tuple(TokenRow(**row._mapping) for row in found)  # noqa: SLF001 - SQLAlchemy's public name

    def revoke(self, token_id: str, *, now: datetime) -> bool:
        """Let a token open nothing any more; whether it was valid."""
        valid = tokens.c.token_id == token_id, tokens.c.revoked_at.is_(None)
        with self._database.write() as connection:
            return connection.execute(tokens.update().where(*valid).values(revoked_at=now)).rowcount == 1
