"""A home of any earlier version, with data in it, is brought up to date by opening it; nothing of it is lost."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.conftest import REPOSITORY
from tests.onnx_models import linear
from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.store.migrate import MIGRATIONS, upgrade
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.store.tables import SCHEMA_VERSION
from unity_mlops_mcp.upkeep.backup import make_backup
from unity_mlops_mcp.upkeep.restore import restore_backup

REVISIONS = [path.name[1:5] for path in sorted((MIGRATIONS / "versions").glob("v*.py"))]
ROWS: dict[str, list[dict[str, Any]]] = {
    "jobs": [
        {"id": "job-1", "kind": "training", "subject": "run-1", "state": "succeeded", "request": {"run_id": "run-1"}}
        | {"limited": 1, "token": "t", "idempotency_key": "run:run-1", "attempt": 2, "starts": 0, "created_at": 1000.5}
        | {"changed_at": 1010.5, "started_at": 1001.0, "finished_at": 1010.5, "supervisor": {"pid": 1}, "children": []}
        | {"progress": {"step": 500, "log": ["\u00e9"]}, "result": {"onnx": "Nav.onnx"}, "stop_requested": 0},
        {"id": "job-2", "kind": "training", "subject": "run-2", "state": "queued", "request": {}, "limited": 1}
        | {"token": "t", "attempt": 1, "starts": 0, "created_at": 2000.0, "changed_at": 2000.0, "children": []}
        | {"progress": {}, "stop_requested": 0},
    ],
    "events": [
        {"job_id": "job-1", "attempt": 1, "name": "queued", "state": "queued", "data": {}, "at": 1000.5},
        {"job_id": "job-1", "attempt": 2, "name": "succeeded", "state": "succeeded", "data": {"x": 1}, "at": 1010.5},
    ],
    "runs": [
        {"run_id": "run-1", "behavior_name": "Nav", "build_id": "build-1", "max_steps": 500, "job_id": "job-1"}
        | {"configuration": {"behaviors": {}}, "created_at": 1000.0, "idempotency_key": "mine"}
    ],
    "builds": [
        {"build_id": "build-1", "target": "sandbox", "digest": "d" * 64, "data": {"behaviors": []}, "created_at": 990.0}
    ],
    "evaluations": [
        {"evaluation_id": "evaluation-1", "policy_sha256": "s" * 64, "run_id": "run-1", "build_id": "build-1"}
        | {"episodes": 200, "seed": 1, "created_at": 1020.0}
    ],
    "models": [{"name": "nav", "title": "Nav", "frozen": "for a reason", "created_at": 1030.0}],
    "model_versions": [
        {"version_id": "unity-nav-1", "name": "nav", "number": 1, "policy_sha256": "s" * 64, "run_id": "run-1"}
        | {"data": {"version_id": "unity-nav-1"}, "created_at": 1030.0}
    ],
    "aliases": [{"name": "nav", "alias": "staging", "version_id": "unity-nav-1", "moves": 3, "changed_at": 1040.0}],
    "audit": [{"name": "nav", "action": "register", "version_id": "unity-nav-1", "data": {"gates": []}, "at": 1030.0}],
    "incidents": [
        {"incident_id": "incident-1", "name": "nav", "alias": "staging", "failed_version": "unity-nav-2"}
        | {"restored_version": "unity-nav-1", "reason": "harm", "data": {}, "opened_at": 1050.0}
    ],
    "schedules": [
        {"schedule_id": "schedule-1", "name": "nightly", "data": {"cron": "0 2 * * *"}, "enabled": 1}
        | {"seen_until": 1060.0, "created_at": 1060.0, "changed_at": 1060.0}
    ],
    "firings": [
        {"firing_id": "firing-1", "schedule_id": "schedule-1", "due_at": 1070.0, "state": "succeeded"}
        | {"jobs": ["job-1"], "changed_at": 1080.0, "finished_at": 1080.0}
    ],
    "leases": [{"name": "scheduler", "holder": "h", "until": 1080.0}],
    "endpoints": [
        {"endpoint_id": "endpoint-1", "kind": "webhook", "target": "http://127.0.0.1/", "data": {}, "after_seq": 2}
        | {"created_at": 1060.0}
    ],
    "deliveries": [
        {"delivery_id": "delivery-1", "endpoint_id": "endpoint-1", "seq": 1, "event": "job.completed", "body": {}}
        | {"state": "dead", "attempts": 8, "next_at": 1090.0, "created_at": 1080.0}
    ],
    "tokens": [{"token_id": "token-1", "name": "ci", "sha256": "a" * 64, "scope": "run", "created_at": 1060.0}],
}
"""At least one row of each table that there ever was, as the versions that had it wrote it."""
KILLED = """
import os, signal, sys
from pathlib import Path
from unity_mlops_mcp.store.store import Store
import sqlalchemy as sa
left = int(sys.argv[2])
@sa.event.listens_for(sa.engine.Engine, "before_cursor_execute")
def count(connection, cursor, statement, parameters, context, many):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
Store(Path(sys.argv[1])).close()
"""


def rows_of(path: Path) -> dict[str, list[dict[str, Any]]]:
    """All that is in a database, but what the migrations keep for themselves."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        ours = [name for name in names if not name.startswith(("sqlite_", "alembic_"))]
        return {name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")] for name in ours}  # noqa: S608


def make_home(home: Path, revision: str) -> dict[str, list[dict[str, Any]]]:
    """A home as the version of that revision left it, with rows in each of its tables; gives them."""
    home.mkdir(mode=0o700, parents=True)
    engine = sa.create_engine(f"sqlite:///{home / 'state.db'}")
    with engine.begin() as connection:
        upgrade(connection, revision)
    engine.dispose()
    with closing(sqlite3.connect(home / "state.db")) as file, file:
        file.execute("PRAGMA journal_mode=WAL")
        for table in rows_of(home / "state.db"):
            for row in ROWS[table]:
                kept = {name: json.dumps(one) if isinstance(one, (dict, list)) else one for name, one in row.items()}
                marks = ", ".join("?" * len(kept))
                statement = f"INSERT INTO {table} ({', '.join(kept)}) VALUES ({marks})"  # noqa: S608
                file.execute(statement, tuple(kept.values()))
    return rows_of(home / "state.db")


@pytest.fixture(params=REVISIONS)
def old(request: pytest.FixtureRequest, home: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of a home of an earlier version, which lies at ``home``."""
    return make_home(home, request.param)


def test_every_version_is_tried() -> None:
    assert REVISIONS[0] == "0001"
    assert [int(revision) for revision in REVISIONS] == list(range(1, SCHEMA_VERSION + 1))


def test_every_row_is_as_it_was(old: dict[str, list[dict[str, Any]]], home: Path) -> None:
    Store(home).close()
    new = rows_of(home / "state.db")
    for table, rows in old.items():
        for before, after in zip(rows, new[table], strict=True):
            assert before.items() <= after.items(), table
    with closing(sqlite3.connect(home / "state.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_the_operations_work_on_it(old: dict[str, list[dict[str, Any]]], home: Path) -> None:
    app = App(Settings(home=home, roots=(home.parent,)))
    assert [run.run_id for run in app.list_runs().runs] == (["run-1"] if "runs" in old else [])
    job = app.jobs.get("job-1")
    assert (job.state, job.attempt, job.progress["log"]) == ("succeeded", 2, ["\u00e9"])
    assert [event.name for event in app.store.events.of("job-1")] == ["queued", "succeeded"]
    made = app.register_model(name="Fresh", onnx_path=str(linear(home.parent / "p" / "Nav.onnx", [[0.5, 0.0]] * 6)))
    assert made.new
    assert app.build_environment(description="reach the target").state == "succeeded"
    if "aliases" in old:
        alias = app.store.models.alias("nav", "staging")
        assert alias is not None
        assert (alias.version_id, alias.moves) == ("unity-nav-1", 3)
    app.close()


def test_its_backup_is_one_of_today(old: dict[str, list[dict[str, Any]]], home: Path, tmp_path: Path) -> None:
    with Store(home) as store:
        make_backup(store, tmp_path / "a.tar", now=utc_now())
    restore_backup(tmp_path / "other", tmp_path / "a.tar", now=utc_now(), cancel_jobs=True)
    restored = rows_of(tmp_path / "other" / "state.db")
    for table, rows in old.items():
        same = [row for row in rows if row.get("state") != "queued" or table != "jobs"]
        for row in same:
            assert any(row.items() <= one.items() for one in restored[table]), table
    with closing(sqlite3.connect(tmp_path / "other" / "state.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


@pytest.mark.slow
def test_an_upgrade_that_is_killed_anywhere_leaves_the_old_version_or_the_new_one(tmp_path: Path) -> None:
    for moment in range(1, 400, 5):
        home = tmp_path / str(moment)
        before = make_home(home, "0001")
        command = [sys.executable, "-c", KILLED, str(home), str(moment)]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
        with closing(sqlite3.connect(home / "state.db")) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            tables = len(rows_of(home / "state.db"))
        assert (version, tables) in {(1, len(before)), (SCHEMA_VERSION, len(ROWS))}
        Store(home).close()
        after = rows_of(home / "state.db")
        assert [row["id"] for row in after["jobs"]] == ["job-1", "job-2"]
        if done.returncode == 0:
            assert moment > 20
            return
        assert done.returncode == -signal.SIGKILL, done.stderr
    raise AssertionError("it was always killed")


def test_many_processes_may_open_an_old_home_at_once(home: Path) -> None:
    make_home(home, "0001")
    program = (
        "import sys; from pathlib import Path; from unity_mlops_mcp.store.store import Store; Store(Path(sys.argv[1]))"
    )
    variables = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    started = [subprocess.Popen([sys.executable, "-c", program, str(home)], env=variables) for _ in range(4)]
    assert [process.wait(60) for process in started] == [0] * 4
    assert len(rows_of(home / "state.db")) == len(ROWS)
