"""A prune frees what nobody needs, never what a model version refers to, is open or is in use."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import REPOSITORY
from tests.onnx_models import linear
from tests.report_homes import add_evaluation, add_run
from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import InvalidInputError, NotFoundError
from unity_mlops_mcp.process.files import FileLock
from unity_mlops_mcp.store.pruning import JobUse, RunUse, Uses
from unity_mlops_mcp.store.rows import AliasRow, BuildRow, EvaluationRow, JobRow, ScheduleRow
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.upkeep.prune import prune
from unity_mlops_mcp.upkeep.pruning import Plan, age_of, plan_prune
from unity_mlops_mcp.upkeep.records import Pruned

NOW = datetime(2027, 3, 1, tzinfo=timezone.utc)
BEFORE = NOW - timedelta(days=30)
OLD, NEW = NOW - timedelta(days=60), NOW - timedelta(days=1)
KILLED = """
import os, signal, sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.upkeep.prune import prune
home, left = Path(sys.argv[1]), int(sys.argv[2])
def audit(event, arguments):
    global left
    if event in {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "sqlite3.connect"}:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
store = Store(home)
sys.addaudithook(audit)
now = datetime(2027, 3, 1, tzinfo=timezone.utc)
prune(store, older_than=timedelta(days=30), now=now, keep_registered=True, dry_run=False)
"""


def pruned(store: Store, *, keep_registered: bool = True, dry_run: bool = False) -> Pruned:
    return prune(store, older_than=timedelta(days=30), now=NOW, keep_registered=keep_registered, dry_run=dry_run)


def names(done: Pruned) -> set[str]:
    return {f"{one.place}/{one.name}" for one in done.freed}


def add_build(store: Store, build_id: str) -> None:
    (store.home / "builds" / build_id).mkdir(parents=True)
    (store.home / "builds" / build_id / "player").write_bytes(b"p" * 1000)
    assert store.builds.add(BuildRow(build_id, "sandbox", build_id, {"behaviors": []}, OLD)) is not None


def a_job(job_id: str, **values: object) -> JobRow:
    row = JobRow(job_id, "evaluation", "x", "succeeded", {}, True, "t", OLD, OLD, finished_at=OLD)
    return replace(row, **values)  # type: ignore[arg-type]


def register(home: Path, run_id: str, number: float = 0.5) -> str:
    """Register a policy of a run; its version's id."""
    app = App(Settings(home=home, roots=(home.parent,)))
    linear(home / "runs" / run_id / "Nav.onnx", [[number, 0.0]] * 6)
    made = app.register_model(name="Nav", run_id=run_id)
    app.close()
    return made.version


def checkpoint(home: Path, run_id: str) -> Path:
    path = home / "runs" / run_id / "Nav" / "Nav-1000.pt"
    path.write_bytes(b"weights" * 100)
    return path


def test_what_is_old_and_alone_goes_and_what_a_version_came_from_stays(home: Path) -> None:
    with Store(home) as store:
        for run_id in ("alone", "registered"):
            add_run(store, run_id, policy=b"")
            add_build(store, f"build-of-{run_id}")
            store.runs.attach_job(run_id, f"job-{run_id}", build_id=f"build-of-{run_id}")
            add_evaluation(store, run_id, run_id)
        kept = checkpoint(home, "registered")
        register(home, "registered")
        dry = pruned(store, dry_run=True)
        assert (home / "runs" / "alone").is_dir()
        done = pruned(store)

        assert names(done) == names(dry) == {"runs/alone", "builds/build-of-alone", "artifacts/evaluation-of-alone"}
        assert sum(one.size for one in done.freed) == sum(one.size for one in dry.freed) > 2000
        assert [row.run_id for row in store.runs.page().rows] == ["registered"]
        assert store.evaluations.get("evaluation-of-alone") is None
        assert store.builds.get("build-of-alone") is None
        assert not list(home.glob("*/*alone*")), "its files are gone"
        assert kept.is_file()
        assert (home / "builds" / "build-of-registered" / "player").is_file()
        assert (home / "artifacts" / "evaluation-of-registered" / "evaluation.json").is_file()
        assert not pruned(store).freed
        assert not list(home.rglob(".pruned"))


def test_what_ended_lately_stays(home: Path) -> None:
    with Store(home) as store:
        add_run(store, "lately")
        near = prune(store, older_than=timedelta(days=9000), now=NOW, keep_registered=True, dry_run=False)
        assert not near.freed
        assert (home / "runs" / "lately").is_dir()


def test_what_an_open_job_or_a_schedule_names_stays(home: Path) -> None:
    with Store(home) as store:
        for run_id in ("evaluated", "parent", "nightly", "alone", "training"):
            add_run(store, run_id)
        for build_id in ("played", "scheduled", "unused"):
            add_build(store, build_id)
        request = {"policies": [{"path": str(home / "runs" / "evaluated" / "Nav.onnx")}], "build_id": "played"}
        store.jobs.add(a_job("job-1", state="queued", request=request, finished_at=None))
        request = {"initialize_from": "parent"}
        store.jobs.add(a_job("job-2", state="interrupted", request=request, subject="other", finished_at=None))
        store.jobs.add(a_job("job-3", state="running", subject="training", finished_at=None))
        store.runs.attach_job("training", "job-3")
        work = {"cron": "0 2 * * *", "warm_start": "nightly", "builds": ["scheduled"]}
        store.schedules.add(ScheduleRow("schedule-1", "night", work, OLD, OLD, OLD))
        done = pruned(store)

    assert names(done) == {"runs/alone", "builds/unused"}


def test_what_the_audit_names_stays(home: Path) -> None:
    with Store(home) as store:
        add_run(store, "registered", policy=b"")
        register(home, "registered")
        store.jobs.add(a_job("promotion-1", kind="promotion"))
        store.jobs.add(a_job("report-1", kind="report"))
        for name in ("promotion-1", "report-1"):
            (home / "artifacts" / name).mkdir(parents=True)
        note = store.models.audit("nav")[0]
        store.models.write_down(replace(note, seq=None, data={"gates": [{"evidence": "promotion-1"}]}))
        assert names(pruned(store)) == {"artifacts/report-1"}


def test_the_checkpoints_of_a_registered_run_go_when_that_is_asked_for_and_no_alias_serves_it(home: Path) -> None:
    with Store(home) as store:
        for place, run_id in enumerate(("served", "shelved")):
            add_run(store, run_id, policy=b"")
            checkpoint(home, run_id)
            version = register(home, run_id, 0.1 + place)
            if run_id == "served":
                serve(store, version)
        done = pruned(store, keep_registered=False)

        assert names(done) == {"checkpoints/shelved"}
        assert checkpoint_of(home, "served").is_file()
        assert not checkpoint_of(home, "shelved").exists()
        assert (home / "runs" / "shelved" / "Nav.onnx").is_file()
        assert list((home / "runs" / "shelved" / "Nav").glob("events.*"))


def checkpoint_of(home: Path, run_id: str) -> Path:
    return home / "runs" / run_id / "Nav" / "Nav-1000.pt"


def serve(store: Store, version: str) -> None:
    """Let an alias point to a version."""
    note = store.models.audit("nav")[0]
    assert store.models.move_alias(AliasRow("nav", "staging", version, 0, OLD), expected=None, note=note)


def test_a_run_id_that_was_pruned_can_be_used_again(home: Path) -> None:
    """The job's key would otherwise give the new run the job of the old one, which is over."""
    with Store(home) as store:
        add_run(store, "again")
        store.jobs.add(a_job("job-2", kind="training", subject="again", idempotency_key="run:again"))
        pruned(store)
        fresh = a_job("job-3", kind="training", subject="again", idempotency_key="run:again", state="queued")
        added = store.jobs.add(fresh)
        assert added is not None
        assert added.id == "job-3"


def test_a_build_that_was_pruned_is_made_again_under_the_same_key(home: Path) -> None:
    app = App(Settings(home=home))
    made = app.build_environment(description="reach the target", idempotency_key="k")
    with Store(home) as store:
        done = prune(store, older_than=timedelta(0), now=NOW, keep_registered=True, dry_run=False)
    assert f"builds/{made.build_id}" in names(done)
    again = app.build_environment(description="reach the target", idempotency_key="k")
    assert (again.build_id, again.state) == (made.build_id, "succeeded")
    assert (home / "builds" / made.build_id / "spec.json").is_file()
    app.close()


def test_what_was_replaced_long_ago_goes(home: Path) -> None:
    with Store(home) as store:
        for name in ("run-1-20270101-120000-00ff", "run-1-20270228-120000-00ff"):
            (home / ".replaced" / name).mkdir(parents=True)
        assert names(pruned(store)) == {".replaced/run-1-20270101-120000-00ff"}


def test_runs_on_another_disk_are_freed_there(home: Path) -> None:
    disk = Path("/dev/shm")  # noqa: S108 - a file system of its own
    if not disk.is_dir() or disk.stat().st_dev == home.parent.stat().st_dev:
        pytest.skip("there is no second file system here")
    with tempfile.TemporaryDirectory(dir=disk) as other, Store(home) as store:
        (home / "runs").symlink_to(other)
        add_run(store, "alone")
        assert names(pruned(store)) == {"runs/alone"}
        assert not list(Path(other).iterdir())


def test_what_cannot_be_moved_is_found_again_by_the_next_prune(home: Path) -> None:
    with Store(home) as store:
        add_run(store, "alone")
        age(home)
        (home / "runs" / ".pruned").write_text("in the way")
        assert not pruned(store).freed
        assert not store.runs.page().rows
        (home / "runs" / ".pruned").unlink()
        assert names(pruned(store)) == {"runs/alone"}
        assert not list((home / "runs").iterdir())


def add_recording(home: Path, name: str, when: datetime = OLD) -> str:
    path = home / "demonstrations" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"d" * 500)
    os.utime(path, (when.timestamp(), when.timestamp()))
    return str(path)


def test_old_recordings_go_that_no_run_learned_from(home: Path) -> None:
    made = {name: f"Nav-20261201-12000{n}-00ff.demo" for n, name in enumerate(("alone", "cloned", "opened", "lately"))}
    with Store(home) as store:
        paths = {name: add_recording(home, file) for name, file in made.items()}
        add_recording(home, made["lately"], NEW)
        add_recording(home, "my own.demo")
        add_run(store, "going", state="running", recorded={"path": f"{paths['cloned']},/elsewhere.demo"})
        store.jobs.add(a_job("job-1", state="queued", request={"dataset": paths["opened"]}, finished_at=None))
        done = pruned(store)

        assert names(done) == {f"demonstrations/{made['alone']}"}
        assert done.freed[0].size == 500
        left = {path.name for path in (home / "demonstrations").iterdir()}
        assert left == {made["cloned"], made["opened"], made["lately"], "my own.demo"}


@pytest.mark.parametrize("ending", ["", "/", " "])
def test_all_recordings_stay_while_a_run_learns_from_their_folder(ending: str, home: Path) -> None:
    with Store(home) as store:
        path = Path(add_recording(home, "Nav-20261201-120000-00ff.demo"))
        add_run(store, "going", state="running", recorded={"path": f"{path.parent}{ending}", "steps": 5})
        assert not pruned(store).freed


def test_a_prune_waits_for_a_backup(home: Path) -> None:
    with Store(home) as store, FileLock(store.locks / "upkeep.lock"):
        with pytest.raises(Exception, match="Another backup"):
            pruned(store)
        assert not pruned(store, dry_run=True).freed


@pytest.mark.parametrize("age", ["", "30", "d", "-1d", "3 months", "1.5d"])
def test_an_age_that_is_none_is_refused(age: str) -> None:
    with pytest.raises(InvalidInputError):
        age_of(age)


def test_ages() -> None:
    assert [age_of(text) for text in ("12h", "30d", " 8 W ")] == [
        timedelta(hours=12),
        timedelta(days=30),
        timedelta(weeks=8),
    ]


@pytest.mark.slow
def test_a_prune_that_is_killed_anywhere_is_finished_by_the_next(tmp_path: Path) -> None:
    for moment in range(1, 200):
        home = tmp_path / str(moment)
        with Store(home) as store:
            add_run(store, "alone")
            add_run(store, "registered", policy=b"")
            register(home, "registered")
            add_build(store, "unused")
            age(home)
        command = [sys.executable, "-c", KILLED, str(home), str(moment)]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
        with Store(home) as store:
            pruned(store)
            assert [row.run_id for row in store.runs.page().rows] == ["registered"]
            assert not store.builds.page().rows
        assert [path.name for path in (home / "runs").iterdir()] == ["registered"]
        assert not list((home / "builds").iterdir())
        if done.returncode == 0:
            assert moment > 5
            return
        assert done.returncode == -signal.SIGKILL, done.stderr
    raise AssertionError("it was always killed")


def age(home: Path) -> None:
    """Let the folders look as old as their rows."""
    for folder in [*home.glob("runs/*"), *home.glob("builds/*")]:
        os.utime(folder, (OLD.timestamp(), OLD.timestamp()))


def test_prune_is_a_command(home: Path) -> None:
    with Store(home) as store:
        add_run(store, "alone")
    variables = {**os.environ, "UNITY_MLOPS_HOME": str(home), "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-m", "unity_mlops_mcp", "prune", "--older-than", "0h", "--json"]
    for dry, left in (["--dry-run"], True), ([], False):
        done = subprocess.run([*command, *dry], env=variables, capture_output=True, text=True, timeout=60, check=True)
        told = json.loads(done.stdout)
        assert told["dry_run"] is bool(dry)
        assert next((one["place"], one["count"]) for one in told["places"]) == ("runs", 1)
        assert (home / "runs" / "alone").exists() is left
    app = App(Settings(home=home))
    with pytest.raises(NotFoundError):
        app.get_run("alone")
    app.close()


RUNS, BUILDS, EVALUATIONS = [f"run-{n}" for n in range(4)], [f"b-{n}" for n in range(4)], [f"ev-{n}" for n in range(4)]
MOMENTS = st.sampled_from([OLD, NEW])
MAYBE_OPEN = st.sampled_from([None, OLD, NEW])


@st.composite
def homes(draw: st.DrawFn) -> Uses:
    """Any state of a home, whether it could come about or not."""
    held = st.lists(st.sampled_from([*RUNS, *BUILDS, *EVALUATIONS]), max_size=3)
    text = held.map(lambda names: tuple(json.dumps({"path": f"/home/{name}/file", "x": 1}) for name in names))
    registered = draw(st.frozensets(st.sampled_from(RUNS)))
    return Uses(
        runs=tuple(RunUse(run, draw(st.sampled_from([None, *BUILDS])), draw(MAYBE_OPEN)) for run in RUNS),
        builds={build: draw(MOMENTS) for build in BUILDS},
        evaluations=tuple(
            EvaluationRow(
                one,
                draw(st.sampled_from(["sha-1", "sha-2"])),
                1,
                1,
                draw(MOMENTS),
                run_id=draw(st.sampled_from([None, *RUNS])),
                build_id=draw(st.sampled_from([None, *BUILDS])),
            )
            for one in EVALUATIONS
        ),
        jobs=tuple(
            JobUse(job, "any", draw(st.sampled_from([*RUNS, *BUILDS, "other"])), draw(MAYBE_OPEN))
            for job in ("job-1", "job-2", *EVALUATIONS)
        ),
        registered=registered,
        served=draw(st.frozensets(st.sampled_from(sorted(registered)))) if registered else frozenset(),
        policies=draw(st.frozensets(st.sampled_from(["sha-1"]))),
        at_work=draw(text),
        on_record=draw(text),
    )


@settings(max_examples=200, deadline=None)
@given(uses=homes(), keep_registered=st.booleans())
def test_nothing_that_is_needed_is_ever_planned_to_go(uses: Uses, *, keep_registered: bool) -> None:
    plan = plan_prune(uses, before=BEFORE, keep_registered=keep_registered)
    texts = " ".join([*uses.at_work, *uses.on_record])
    gone = plan.runs | plan.builds | plan.evaluations | plan.artifacts
    assert not [name for name in gone if f"/{name}/" in texts], "somebody names it"
    assert not plan.runs & uses.registered
    assert not plan.thinned & uses.served
    assert plan.thinned <= uses.registered
    assert not (plan.thinned and keep_registered)
    ended = {run.run_id: run.ended_at for run in uses.runs}
    for run_id in plan.runs | plan.thinned:
        assert ended[run_id] == OLD
    assert not [one for one in plan.builds if uses.builds[one] == NEW]
    open_or_new = {job.job_id for job in uses.jobs if job.ended_at != OLD}
    evaluations = {one.evaluation_id: one for one in uses.evaluations}
    assert not plan.artifacts & open_or_new - plan.evaluations
    for one in plan.evaluations:
        assert evaluations[one].created_at == OLD
        assert evaluations[one].policy_sha256 not in uses.policies
    check_what_stays_is_whole(uses, plan)


def check_what_stays_is_whole(uses: Uses, plan: Plan) -> None:
    """What stays has all that it refers to."""
    staying = {run.run_id: run for run in uses.runs if run.run_id not in plan.runs}
    for run in staying.values():
        assert run.build_id not in plan.builds
    for one in uses.evaluations:
        if one.evaluation_id not in plan.evaluations:
            assert one.build_id not in plan.builds
            assert one.evaluation_id not in plan.artifacts
        elif one.run_id in staying:
            raise AssertionError("the evaluation of a run that stays goes")


@settings(max_examples=200, deadline=None)
@given(uses=homes())
def test_all_that_is_old_and_not_needed_goes(uses: Uses) -> None:
    alone = replace(
        uses,
        runs=tuple(replace(run, ended_at=OLD) for run in uses.runs),
        builds=dict.fromkeys(uses.builds, OLD),
        evaluations=tuple(replace(one, created_at=OLD) for one in uses.evaluations),
        registered=frozenset(),
        served=frozenset(),
        policies=frozenset(),
        at_work=(),
        on_record=(),
    )
    plan = plan_prune(alone, before=BEFORE)
    assert [sorted(ids) for ids in (plan.runs, plan.builds, plan.evaluations)] == [RUNS, BUILDS, EVALUATIONS]
