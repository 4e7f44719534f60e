"""Homes with runs that never were trained: their event files, records and rows are as a training leaves them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from tests.event_files import REWARD, SUCCESS, summaries, write
from unity_mlops_mcp.evaluation.library import TRAJECTORIES, folder_of, save_evaluation
from unity_mlops_mcp.evaluation.records import (
    ActionFigures,
    AgentWay,
    BehaviorFigures,
    Columns,
    EntityWay,
    Evaluation,
    PolicyUsed,
    SensorRange,
    SweepPoint,
    Trajectories,
    Trajectory,
)
from unity_mlops_mcp.metrics.statistics import mean_interval, share_interval
from unity_mlops_mcp.spec.archetypes import load_archetype
from unity_mlops_mcp.store.rows import FINAL_STATES, JobRow, RunRow
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.training.folder import RunFolder

BEGUN = datetime(2026, 11, 25, 12, 0, tzinfo=timezone.utc)
STEPS = tuple(range(1000, 21_000, 1000))
RISING = tuple(place / 20 for place in range(1, 21))


def configuration(behavior: str = "Nav", **hyperparameters: object) -> dict[str, Any]:
    """A trainer YAML as data."""
    body = {
        "trainer_type": "ppo",
        "hyperparameters": {"batch_size": 64, "learning_rate": 3e-4, **hyperparameters},
        "max_steps": 20_000,
    }
    return {"behaviors": {behavior: body}}


def add_run(
    store: Store,
    run_id: str,
    *,
    curves: Mapping[str, Sequence[float]] | None = None,
    seed: int = 1,
    behavior: str = "Nav",
    settings: Mapping[str, Any] | None = None,
    spec: Mapping[str, Any] | None = None,
    policy: bytes | None = None,
    resources: bool = True,
    state: str = "succeeded",
    failure: Mapping[str, Any] | None = None,
    **request: Any,
) -> RunFolder:
    """A run of twenty summaries, its reward and success rising, with whatever is named instead."""
    folder = RunFolder(store.home / "runs" / run_id)
    folder.path.mkdir(parents=True)
    shown = {REWARD: RISING, SUCCESS: RISING, **(curves or {})}
    write(folder.path, summaries(STEPS, shown, episodes=[20] * len(STEPS)), behavior=behavior)
    asked = {"run_id": run_id, "build_id": "sandbox-nav-1", "seed": seed, "num_areas": 4, "time_scale": 20.0, **request}
    record = {
        "run_id": run_id,
        "request": asked,
        "configuration": settings or configuration(behavior),
        "spec": spec,
        "versions": {"mlagents": "1.1.0", "torch": "2.13.0", "nvidia": False},
        "platform": "Linux",
        "revision": "a1b2c3d" * 5,
        "attempts": [{"job_id": f"job-{run_id}", "command": ["python", "launcher.py", f"--run-id={run_id}"]}],
    }
    folder.record.write_text(json.dumps(record), encoding="utf-8")
    folder.configuration.write_text("behaviors: {}\n", encoding="utf-8")
    if policy is not None:
        (folder.path / f"{behavior}.onnx").write_bytes(policy)
    if resources:
        lines = [{"at": 10.0 * n, "step": 1000 * n, "cores": 1.5, "memory": 4 * 10**8, "processes": 3} for n in (1, 2)]
        folder.resources.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    started = {**asked, "configuration": record["configuration"]}
    row = RunRow(run_id, behavior, None, 20_000, started, BEGUN, job_id=f"job-{run_id}")
    store.jobs.add(_job(row, asked, state, failure))
    assert store.runs.add(row) is not None
    return folder


def _job(row: RunRow, asked: Mapping[str, Any], state: str, failure: Mapping[str, Any] | None) -> JobRow:
    return JobRow(
        id=f"job-{row.run_id}",
        kind="training",
        subject=row.run_id,
        state=state,
        request=dict(asked),
        limited=True,
        token="0" * 32,
        created_at=BEGUN,
        changed_at=BEGUN,
        started_at=BEGUN,
        finished_at=BEGUN + timedelta(seconds=100) if state in FINAL_STATES else None,
        progress={"step": 20_000, "max_steps": 20_000},
        failure=dict(failure) if failure else None,
    )


def spec_data(name: str = "navigate_obstacles", **changed: object) -> dict[str, Any]:
    """The spec of a preset, as a run's record holds it."""
    return {**load_archetype(name).spec.model_dump(mode="json"), **changed}


def add_evaluation(store: Store, run_id: str, sha256: str, **changed: Any) -> Evaluation:
    """An evaluation of forty episodes of a run's policy, two of them drawn."""
    number = mean_interval([0.5, 1.5] * 20)
    figures = BehaviorFigures(
        behavior="Nav",
        returns=number,
        decisions=400,
        actions=(ActionFigures(name="continuous 0", mean=0.4, sd=0.2, at_limit=0.1),),
        sensors=(SensorRange(sensor="VectorSensor_size5", shape=(5,), low=-1, high=1, mean=0, outside=0.02),),
        inference_us=number,
    )
    given: dict[str, Any] = {
        "evaluation_id": f"evaluation-of-{run_id}",
        "created_at": BEGUN,
        "policies": (PolicyUsed(behavior="Nav", path="Nav.onnx", sha256=sha256),),
        "run_id": run_id,
        "player": "sandbox",
        "player_name": "sandbox 0.1",
        "seed": 1,
        "areas": 4,
        "deterministic": False,
        "episodes": 40,
        "behaviors": (figures,),
        "success": share_interval(36, 40),
        "endings": {"reached": share_interval(36, 40), "crashed": share_interval(4, 40)},
        "measures": {"collisions": number},
        "decisions": number,
        "sweeps": (
            SweepPoint(
                parameter="obstacle_count", value=8, episodes=40, success=share_interval(30, 40), returns=number
            ),
        ),
        "columns": Columns(returns={"Nav": (1.0,) * 40}, success=None, decisions=(10,) * 40, endings=("reached",) * 40),
        "trajectories": TRAJECTORIES,
        "seconds": 1.0,
        **changed,
    }
    made = Evaluation(**given)
    way = tuple((x / 50 - 4, x / 100) for x in range(400))
    episodes = tuple(
        Trajectory(
            ending=ending,
            half_extent=8.0,
            agents=(AgentWay(team="agent", points=way),),
            entities=(
                EntityWay(name="target", points=((3.0, 2.0),), radius=0.5),
                EntityWay(name="obstacle", points=((-3.0, 2.0),), half=(0.5, 1.0), yaw=0.4),
                EntityWay(name="drifter", points=((0.0, 0.0), (1.0, 1.0)), radius=0.3),
            ),
        )
        for ending in ("reached", "crashed")
    )
    save_evaluation(store, made)
    Path(folder_of(store.home, made.evaluation_id) / TRAJECTORIES).write_text(
        Trajectories(episodes=episodes).model_dump_json(), encoding="utf-8"
    )
    return made
