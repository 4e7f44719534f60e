"""The SQLite file: made and migrated once, safe under many processes, one writer at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError

from unity_mlops_mcp.errors import ConflictError, ExternalError, SetupError
from unity_mlops_mcp.process.files import FileLock
from unity_mlops_mcp.store.tables import SCHEMA_VERSION

_BUSY_TIMEOUT_S = 30


class Database:
    """Connections to ``state.db``; a transaction is `read` or `write`, and nothing else.

    Args:
        path: the database file; made when missing.
        lock: held by the one process that makes or migrates it.

    Raises:
        SetupError: a newer version of this program made the file.
    """

    def __init__(self, path: Path, *, lock: FileLock) -> None:
        self._path = path
        self._engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(path)),
            connect_args={"timeout": _BUSY_TIMEOUT_S, "check_same_thread": False},
            pool_size=8,
            max_overflow=-1,
        )
        sa.event.listen(self._engine, "connect", _prepare)
        sa.event.listen(self._engine, "begin", _begin)
        self._writer = self._engine.execution_options(write=True)
        self._watching = threading.Lock()
        self._watcher: sa.PoolProxiedConnection | None = None
        self._bring_up_to_date(lock)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that sees one state of the database throughout and writes nothing."""
        with self._told(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that holds the write lock from its start, so that what it reads cannot change meanwhile."""
        with self._told(), self._writer.begin() as connection:
            yield connection

    def changes(self) -> int:
        """A number that is another one after every commit, of whatever process; a few microseconds."""
        with self._told(), self._watching:
            if self._watcher is None:  # it never writes: SQLite tells a connection of the others' commits only
                self._watcher = self._engine.raw_connection()
            cursor = self._watcher.cursor()
            try:
                return int(cursor.execute("PRAGMA data_version").fetchone()[0])
            finally:
                cursor.close()

    def close(self) -> None:
        """Close all connections."""
        with self._watching:
            if self._watcher is not None:
                self._watcher.close()
            self._watcher = None
        self._engine.dispose()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError as error:
            raise ConflictError(
                "Somebody wrote the same to the state file at this moment; nothing was written here.",
                fix="Call it again.",
            ) from error
        except OperationalError as error:
            raise ExternalError(
                f"The state file {self._path} cannot be used now: {error.orig}.",
                fix="Check the free space and the permissions of its folder, then call again.",
                cause="store_unavailable",
            ) from error
        except DatabaseError as error:
            if type(error) is not DatabaseError:  # its children tell of our own mistakes, not of the file
                raise
            raise SetupError(
                f"The state file {self._path} is damaged: {error.orig}.",
                fix="Move it away with its -wal and -shm files; the runs and builds beside it stay as they are.",
                cause="store_damaged",
            ) from error

    def _bring_up_to_date(self, lock: FileLock) -> None:
        if self._version() == SCHEMA_VERSION:
            return
        with lock:
            found = self._version()
            if found < SCHEMA_VERSION:
                self._migrate()
        if found > SCHEMA_VERSION:
            raise SetupError(
                f"The state file {self._path} was written by a newer version of unity-mlops-mcp "
                f"(its format is {found}, this version knows {SCHEMA_VERSION}).",
                fix="Upgrade this installation: pip install --upgrade unity-mlops-mcp.",
                cause="newer_state",
            )

    def _version(self) -> int:
        with self.read() as connection:
            return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())

    def _migrate(self) -> None:
        from unity_mlops_mcp.store.migrate import upgrade

        with self._told(), self._engine.connect() as connection:
            connection.connection.cursor().execute("PRAGMA journal_mode=WAL")
        with self.write() as connection:
            upgrade(connection)


def _prepare(connection: Any, record: object) -> None:
    del record
    connection.isolation_level = None  # the driver starts no transactions of its own; _begin does
    connection.execute("PRAGMA synchronous=NORMAL")  # with WAL a killed process loses nothing


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
