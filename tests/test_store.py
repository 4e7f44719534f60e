from __future__ import annotations

import json
import pickle
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from tests.job_worlds import eventually
from unity_mlops_mcp.errors import ConflictError, InvalidInputError, SetupError
from unity_mlops_mcp.process.files import Mount
from unity_mlops_mcp.process.identity import this_process
from unity_mlops_mcp.store.cache import Cache
from unity_mlops_mcp.store.ids import new_id
from unity_mlops_mcp.store.migrate import upgrade
from unity_mlops_mcp.store.rows import BuildRow, JobRow, RunRow, TokenRow
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.store.tables import SCHEMA_VERSION, metadata

NOON = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
OPEN = (
    "import sys; from pathlib import Path; from unity_mlops_mcp.store.store import Store\n"
    "store = Store(Path(sys.argv[1]));"
)


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with Store(home) as found:
        yield found


def a_job(number: int = 0, **values: object) -> JobRow:
    moment = NOON + timedelta(seconds=number)
    row = JobRow(f"job-{number}", "k", f"run-{number}", "queued", {"n": number}, True, "t", moment, moment)
    return replace(row, **values)  # type: ignore[arg-type]


def a_run(number: int, **values: object) -> RunRow:
    row = RunRow(f"run-{number}", "Walker", None, 1000, {"seed": number}, NOON + timedelta(seconds=number // 2))
    return replace(row, **values)  # type: ignore[arg-type]


def test_ids_say_what_they_name_and_sort_by_time() -> None:
    rng = random.Random(1)  # noqa: S311 - ids are no secrets
    first = new_id("check_setup", now=NOON, rng=rng)
    later = new_id("check_setup", now=NOON + timedelta(seconds=1), rng=rng)

    assert first.startswith("check-setup-20261121-120000-")
    assert first < later


def test_ids_of_one_second_differ() -> None:
    rng = random.Random(1)  # noqa: S311 - ids are no secrets
    assert len({new_id("build", now=NOON, rng=rng) for _ in range(1000)}) == 1000


def test_the_home_is_for_this_user_alone(store: Store) -> None:
    assert store.home.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_use_stays_as_open_as_it_was(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    (shared / "notes.txt").write_text("mine")
    with Store(shared):
        assert shared.stat().st_mode & 0o777 == 0o755
        assert (shared / "locks").stat().st_mode & 0o777 == 0o700


def test_rows_come_back_as_they_went_in(store: Store) -> None:
    job = a_job(failure={"cause": "c"}, progress={"x": float("inf"), "y": [1.5, None]}, finished_at=NOON)
    run, build = a_run(1), BuildRow("build-1", "sandbox", "abc", {"a": 1}, NOON, spec_id="s")

    assert (store.jobs.add(job), store.runs.add(run), store.builds.add(build)) == (job, run, build)
    assert (store.jobs.get("job-0"), store.runs.get("run-1"), store.builds.get("build-1")) == (job, run, build)
    assert store.builds.by_digest("abc") == build
    assert (store.jobs.get("nothing"), store.runs.get("nothing"), store.builds.get("nothing")) == (None, None, None)


def test_known_keys_and_inputs_give_what_is_there_and_taken_ids_give_none(store: Store) -> None:
    job, run = a_job(idempotency_key="once"), a_run(1, idempotency_key="once")
    build = BuildRow("build-1", "sandbox", "abc", {}, NOON)
    assert (store.jobs.add(job), store.runs.add(run), store.builds.add(build)) == (job, run, build)

    assert store.jobs.add(a_job(5, idempotency_key="once")) == job
    assert store.runs.add(a_run(5, idempotency_key="once")) == run
    assert store.builds.add(replace(build, build_id="build-2")) == build
    assert (store.jobs.add(a_job()), store.runs.add(a_run(1))) == (None, None)
    assert store.builds.add(replace(build, digest="other")) is None


def test_a_run_has_the_state_of_its_latest_job(store: Store) -> None:
    for number in range(3):
        store.jobs.add(a_job(number, state="failed" if number else "succeeded"))
        store.runs.add(a_run(number, behavior_name=f"B{number}", asset="door" if number else None))
        store.runs.attach_job(f"run-{number}", f"job-{number}", max_steps=2000)
    store.runs.add(a_run(3))

    failed = store.runs.page(state="failed").rows
    assert [run.run_id for run in failed] == ["run-2", "run-1"]
    assert failed[0].job == store.jobs.get("job-2")
    assert failed[0].max_steps == 2000
    assert [run.run_id for run in store.runs.page(behavior="B0", state="succeeded").rows] == ["run-0"]
    assert [run.run_id for run in store.runs.page(asset="door", behavior="B1").rows] == ["run-1"]
    assert store.runs.page(behavior="Walker").rows[0].job is None


def test_pages_follow_each_other_while_rows_are_added(store: Store) -> None:
    for number in range(7):
        store.runs.add(a_run(number))
    first = store.runs.page(limit=3)
    store.runs.add(a_run(9))
    second = store.runs.page(limit=3, cursor=first.next_cursor)
    third = store.runs.page(limit=3, cursor=second.next_cursor)

    names = [run.run_id for page in (first, second, third) for run in page.rows]
    assert names == [f"run-{number}" for number in (6, 5, 4, 3, 2, 1, 0)]
    assert third.next_cursor is None
    assert store.jobs.page(limit=5, cursor=None).next_cursor is None


@pytest.mark.parametrize(("limit", "cursor"), [(0, None), (1001, None), (3, "yesterday"), (3, "nan~x")])
def test_limits_and_cursors_that_we_did_not_give_are_refused(store: Store, limit: int, cursor: str | None) -> None:
    with pytest.raises(InvalidInputError):
        store.runs.page(limit=limit, cursor=cursor)


def test_a_change_of_state_happens_only_as_expected_and_leaves_one_event(store: Store) -> None:
    store.jobs.add(a_job())
    refused = [
        store.jobs.change("job-0", "failed", where=("running",), attempt=1, now=NOON),
        store.jobs.change("job-0", "failed", where=("queued",), attempt=2, now=NOON),
        store.jobs.change("job-0", "starting", where=("queued",), attempt=1, now=NOON, room=0),
        store.jobs.change("job-1", "failed", where=("queued",), attempt=1, now=NOON),
    ]
    done = store.jobs.change(
        "job-0", "starting", where=("queued",), attempt=1, now=NOON, room=1, values={"starts": 1}, data={"why": "room"}
    )

    assert refused == [None] * 4
    assert done == store.jobs.get("job-0") == a_job(state="starting", starts=1)
    first, second = store.events.of("job-0")
    assert (second.name, second.data) == ("starting", {"from": "queued", "why": "room"})
    assert store.events.after(first.seq) == (second,)


def test_many_processes_may_make_the_same_home_at_once(home: Path) -> None:
    add = OPEN + (
        "from unity_mlops_mcp.store.rows import RunRow; from unity_mlops_mcp.store.ids import utc_now\n"
        "store.runs.add(RunRow(sys.argv[2], 'b', None, 1, {}, utc_now()))"
    )
    together = [subprocess.Popen([sys.executable, "-c", add, home, f"run-{number}"]) for number in range(6)]

    assert [process.wait(timeout=120) for process in together] == [0] * 6
    with Store(home) as store:
        assert len(store.runs.page().rows) == 6


def test_the_migrations_make_the_tables_that_the_code_believes_in(store: Store) -> None:
    engine = sa.create_engine(f"sqlite:///{store.home / 'state.db'}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []
        assert connection.exec_driver_sql("PRAGMA user_version").scalar_one() == SCHEMA_VERSION
        assert int(context.get_current_revision() or 0) == SCHEMA_VERSION
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
    engine.dispose()


def test_a_file_of_the_first_version_is_brought_up_to_date_with_its_jobs(home: Path) -> None:
    home.mkdir()
    engine = sa.create_engine(f"sqlite:///{home / 'state.db'}")
    with engine.begin() as connection:
        upgrade(connection, "0001")
        connection.exec_driver_sql(
            "INSERT INTO jobs (id, kind, subject, state, request, limited, token, attempt, starts, created_at,"
            " changed_at, children, progress, stop_requested) VALUES"
            " ('old', 'k', 's', 'queued', '{}', 1, 't', 1, 0, 1.5, 1.5, '[]', '{}', 0)"
        )
    engine.dispose()

    with Store(home) as store:
        job = store.jobs.get("old")
        assert job is not None
        assert (job.subject, job.created_at) == ("s", datetime.fromtimestamp(1.5, timezone.utc))
        assert store.runs.add(a_run(1)) is not None


def test_a_file_of_a_newer_version_is_refused_untouched(home: Path) -> None:
    Store(home).close()
    with sqlite3.connect(home / "state.db") as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()

    with pytest.raises(SetupError, match="newer version") as told:
        Store(home)
    assert told.value.cause == "newer_state"


def test_opening_a_known_home_imports_no_migrations(home: Path) -> None:
    Store(home).close()
    script = OPEN + "print('alembic' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", script, home], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"


def test_a_damaged_state_file_is_told(home: Path) -> None:
    home.mkdir()
    (home / "state.db").write_bytes(b"no database at all, and long enough to be looked at" * 100)

    with pytest.raises(SetupError, match="is damaged") as told:
        Store(home)
    assert told.value.cause == "store_damaged"


def test_what_somebody_wrote_meanwhile_is_a_conflict_and_no_damage(store: Store) -> None:
    row = TokenRow("token-1", "first", "0" * 64, "admin", NOON)
    store.tokens.add(row)
    with pytest.raises(ConflictError, match="wrote the same") as told:
        store.tokens.add(row)
    assert "Call it again" in told.value.fix
    assert store.tokens.all() == (row,)


def test_what_the_file_cannot_hold_is_no_damage(store: Store) -> None:
    with pytest.raises(Exception, match="Error binding parameter") as told:
        store.runs.add(a_run(1, behavior_name=["a list is no column"]))
    assert not isinstance(told.value, SetupError)


def test_a_network_file_system_is_refused(home: Path) -> None:
    with pytest.raises(SetupError, match="network file system") as told:
        Store(home, mounted=lambda: [Mount("/", "ext4"), Mount(str(home.parent), "nfs4")])

    assert told.value.cause == "network_home"
    assert "UNITY_MLOPS_HOME" in told.value.fix
    assert not home.exists()


def test_a_home_that_is_a_file_is_told(home: Path) -> None:
    home.write_text("")
    with pytest.raises(SetupError, match="cannot be used"):
        Store(home)


def test_another_pid_namespace_is_refused_while_somebody_lives_in_the_home_and_is_dead_afterwards(home: Path) -> None:
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rpf", "true"], check=False).returncode != 0:
        pytest.skip("runs only on machines that let this user make pid namespaces")
    who = "from unity_mlops_mcp.process.identity import this_process; print(this_process().namespace, flush=True);"
    inside = ["unshare", "-rpf", "--mount-proc", "--kill-child", sys.executable, "-c"]
    script = OPEN + who + "import time; time.sleep(600)"
    with subprocess.Popen([*inside, script, home], stdout=subprocess.PIPE, text=True) as container:
        assert container.stdout is not None
        namespace = container.stdout.readline().strip()
        assert namespace not in ("", this_process().namespace)
        with pytest.raises(ConflictError, match="another container") as told:
            Store(home)
        container.kill()
    assert told.value.cause == "home_in_use"

    store = eventually(lambda: _open(home))
    assert store is not None
    with store:
        assert store.presence.is_gone(replace(this_process(), namespace=namespace))
        assert not store.presence.is_gone(replace(this_process(), host="renamed"))
        refused = subprocess.run([*inside, OPEN, home], capture_output=True, text=True, check=False)
    assert "home_in_use" in refused.stderr or "is in use by processes of another container" in refused.stderr


def _open(home: Path) -> Store | None:
    try:
        return Store(home)
    except ConflictError:
        return None


def test_the_cache_keeps_json_values_over_restarts(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    cache.set("a", {"x": [1, None, "\u00e9"]})
    cache.set("large", "y" * 100_000)
    cache.set("short-lived", 1, expire_s=-1)
    cache.close()
    cache = Cache(tmp_path / "cache")

    assert cache.get("a") == {"x": [1, None, "\u00e9"]}
    assert cache.get("large") == "y" * 100_000
    assert cache.get("short-lived") is cache.get("nothing") is None
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
    cache.close()


def test_a_damaged_cache_is_made_anew_and_one_that_cannot_be_is_empty(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "cache.db").write_bytes(b"no database " * 1000)
    cache = Cache(tmp_path / "cache")
    cache.set("a", 1)
    assert cache.get("a") == 1
    cache.close()
    (tmp_path / "file").write_text("not a folder")
    without = Cache(tmp_path / "file")
    without.set("a", 1)
    assert without.get("a") is None
    without.close()


class _Exploit:
    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return (Path.write_text, (Path(self.target), "ran"))  # type: ignore[return-value]

    def __init__(self, target: Path) -> None:
        self.target = str(target)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE Cache SET mode = 4, value = :pickle",
        "UPDATE Cache SET value = :junk",
        "UPDATE Cache SET mode = 2, value = NULL, filename = '../secret'",
    ],
)
def test_a_tampered_row_of_the_cache_is_a_miss_and_runs_nothing(tmp_path: Path, tampering: str) -> None:
    cache = Cache(tmp_path / "cache")
    cache.set("a", 1)
    trace, secret = tmp_path / "trace", tmp_path / "secret"
    secret.write_text(json.dumps("secret"))
    with sqlite3.connect(tmp_path / "cache" / "cache.db") as connection:
        connection.execute(tampering, {"pickle": pickle.dumps(_Exploit(trace)), "junk": b"junk"})
    connection.close()

    assert cache.get("a") is None
    assert not trace.exists()
    assert secret.exists()
    cache.set("a", 2)
    assert cache.get("a") == 2
    cache.close()
