"""A copy of the database made while others write, and what it needs before it may live in another home."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from unity_mlops_mcp.errors import ExternalError

_BUSY_TIMEOUT_S = 30.0
_KEYS = {"runs": "run_id", "builds": "build_id", "jobs": "id", "evaluations": "evaluation_id"}
_PATHS = {"jobs": ("request", "progress", "result"), "runs": ("configuration",)}
"""The columns that may hold paths of files in the home, as JSON."""


@dataclass(frozen=True)
class Contents:
    """The ids of what a database knows; of versions, the model's name and the version's id."""

    schema: int
    runs: frozenset[str]
    builds: frozenset[str]
    jobs: frozenset[str]
    evaluations: frozenset[str]
    versions: frozenset[tuple[str, str]]


def copy_database(source: Path, target: Path) -> None:
    """Copy a database in one state, while other processes may write to it.

    Args:
        source: ``state.db`` of a home.
        target: a file that is not there yet.

    Raises:
        ExternalError: one of both cannot be read or written, or is damaged.
    """
    with _told(source), closing(_open(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
        found = str(copy.execute("PRAGMA quick_check").fetchone()[0])
    if found != "ok":
        raise _unusable(source, found)


def contents(database: Path) -> Contents:
    """What a database knows.

    Raises:
        ExternalError: it cannot be read.
    """
    with _told(database), closing(_open(database)) as live:
        live.execute("BEGIN")
        known = {
            table: frozenset(str(row[0]) for row in live.execute(f"SELECT {key} FROM {table}"))  # noqa: S608 - ours
            for table, key in _KEYS.items()
        }
        versions = frozenset(live.execute("SELECT name, version_id FROM model_versions"))
        schema = int(live.execute("PRAGMA user_version").fetchone()[0])
    return Contents(schema, versions=versions, **known)


def move_paths(database: Path, *, old: Path, new: Path) -> None:
    """Let paths that lay in one home lie in another one; nothing else of the rows changes.

    Raises:
        ExternalError: it cannot be written.
    """
    before, after = (json.dumps(f"{home}{os.sep}")[:-1] for home in (old, new))
    with _told(database), closing(_open(database)) as live, live:
        for table, columns in _PATHS.items():
            for column in columns:
                live.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (before, after))  # noqa: S608


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_TIMEOUT_S)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _unusable(path, str(error)) from error


def _unusable(path: Path, why: str) -> ExternalError:
    return ExternalError(
        f"The state file {path} cannot be copied or read: {why}.",
        fix="Check the free space and the permissions; if it is damaged, take the newest whole backup.",
        cause="store_unavailable",
    )
