"""What recorded experience is worth: cloning against its expert, and hybrid against online training, three seeds each.

    python bench/offline.py [--task reach_target …] [--seeds 1 2 3] [--episodes 100] [--out offline.json]

For each task and seed the scripted expert is recorded, cloned without a player, and the clone plays 200 episodes; the
expert plays as many. Then the task is trained online and hybrid until the trainer's own success first reaches the
preset's goal, counted in steps on the player, and not before each area's first episode must have ended: those that end
first are the successful ones. Exit code 1 when a clone has less than 90 % of its expert's success, or
hybrid needs more than half the steps (medians over the seeds). The trainer must be installed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import anyio
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import settings
from unity_mlops_mcp.errors import NotFoundError
from unity_mlops_mcp.results.runs import Status
from unity_mlops_mcp.spec.archetypes import Archetype, load_archetype
from unity_mlops_mcp.training.trainer.environment import find_trainer

TASKS = ("reach_target", "patrol_waypoints", "follow_leader", "balance")
EXPERT_SHARE, STEPS_SHARE = 0.9, 0.5
PLAYED = 200
NOISE = 0.3
"""What disturbs the recorded expert; it is judged without."""
SUCCESS = "Environment/Success"
LONGEST_S = 900
SUMMARY = 1000


def follow(app: App, job: str, enough: Callable[[Status], bool] = lambda _: False) -> Status:
    """The status at the end of a job, or as soon as it is enough.

    Raises:
        RuntimeError: it failed, or takes too long.
    """
    end = time.monotonic() + LONGEST_S
    while time.monotonic() < end:
        app.tend()
        status = anyio.run(lambda: app.wait_for(job, timeout_s=1))
        if status.failure:
            raise RuntimeError(f"{status.failure.message} {status.failure.fix}")
        if status.done or enough(status):
            return status
    raise RuntimeError(f"{job} did not end in {LONGEST_S} s.")


def record(app: App, build: str, episodes: int, seed: int, noise: float = NOISE) -> tuple[str, float]:
    """An expert's recording, and its success."""
    key = f"{build} {episodes} {seed} {noise}"
    path = app.record_demonstrations(build_id=build, episodes=episodes, seed=seed, noise=noise, idempotency_key=key)
    follow(app, path.job_id)
    done = app.record_demonstrations(build_id=build, episodes=episodes, seed=seed, noise=noise, idempotency_key=key)
    return done.path, float(done.success or 0.0)


def clone(app: App, build: str, dataset: str, seed: int) -> dict[str, Any]:
    """A cloning without a player, and how often its policy succeeds."""
    began = time.monotonic()
    run = app.start_training(build_id=build, training_mode="offline", offline_dataset_path=dataset, seed=seed).run_id
    status = follow(app, run)
    took = time.monotonic() - began
    played = follow(app, app.evaluate_model(run_id=run, episodes=PLAYED, seed=1000 + seed).job_id).evaluation
    success = played.success if played else None
    return {"updates": status.step, "seconds": round(took, 1), "success": success.mean if success else None}


def steps_to(
    app: App, build: str, preset: Archetype, *, mode: Literal["online", "hybrid"], seed: int, dataset: str | None = None
) -> int | None:
    """Steps on the player at the first summary whose success is the goal's; None where it never is."""
    run = app.start_training(
        build_id=build,
        training_mode=mode,
        offline_dataset_path=dataset,
        seed=seed,
        trainer_config=yaml.safe_dump({"summary_freq": SUMMARY}),
    ).run_id
    episode = preset.spec.episode
    goal, least = float(preset.goal.success or 0.9), preset.areas * (episode.max_step // episode.decision_period)
    follow(app, run, lambda _: reached(app, run, goal, least) is not None)
    app.stop_training(run)
    follow(app, run)
    return reached(app, run, goal, least)


def reached(app: App, run: str, goal: float, least: int) -> int | None:
    """The step of the first summary with that success, once every area's first episode has ended."""
    try:
        series = app.get_metrics(run, tags=SUCCESS, max_points=200).series[0]
    except NotFoundError:  # no episode has ended yet
        return None
    points = zip(series.steps, series.values, strict=True)
    return next((step for step, value in points if step >= least and value >= goal), None)


def measure(app: App, task: str, seeds: Sequence[int], episodes: int, *, hybrid: bool) -> dict[str, Any]:
    """All figures of one task."""
    preset = load_archetype(task)
    build = app.build_environment(spec=preset.spec.to_json()).build_id
    _, expert = record(app, build, PLAYED, 500, 0.0)
    clones, online, mixed = [], [], []
    for seed in seeds:
        dataset, _ = record(app, build, episodes, seed)
        clones.append(clone(app, build, dataset, seed))
        print(task, seed, "clone", clones[-1], flush=True)
        if hybrid:
            mixed.append(steps_to(app, build, preset, mode="hybrid", seed=seed, dataset=dataset))
            online.append(steps_to(app, build, preset, mode="online", seed=seed))
            print(task, seed, "steps", {"hybrid": mixed[-1], "online": online[-1]}, flush=True)
    median = statistics.median(one["success"] or 0.0 for one in clones)
    return {
        "expert": expert,
        "clones": clones,
        "clone": median,
        "share": median / expert,
        "online_steps": online,
        "hybrid_steps": mixed,
        "steps_share": _share(online, mixed),
    }


def _share(online: Sequence[int | None], mixed: Sequence[int | None]) -> float | None:
    """Hybrid's median steps by online's; a run that never came there counts as endless."""
    if not online:
        return None
    most = float("inf")
    return statistics.median(step or most for step in mixed) / statistics.median(step or most for step in online)


def main() -> int:
    """Measure, print and judge; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", nargs="*", default=list(TASKS), choices=TASKS)
    parser.add_argument("--seeds", nargs="*", type=int, default=[1, 2, 3])
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--no-hybrid", action="store_true", help="cloning only")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    own = settings()
    trainer = find_trainer(own).python
    with tempfile.TemporaryDirectory(prefix="bench offline ") as folder:
        app = App(own.model_copy(update={"home": Path(folder) / "home", "trainer": trainer}))
        found = {
            task: measure(app, task, given.seeds, given.episodes, hybrid=not given.no_hybrid) for task in given.task
        }
        app.close()
    if given.out:
        given.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    good = True
    for task, told in found.items():
        steps = told["steps_share"]
        fine = told["share"] >= EXPERT_SHARE and (steps is None or steps <= STEPS_SHARE)
        good = good and fine
        print(
            f"{task}: expert {told['expert']:.1%}, clone {told['clone']:.1%} ({told['share']:.1%} of it), "
            f"steps online {told['online_steps']}, hybrid {told['hybrid_steps']}: {'good' if fine else 'MISSED'}"
        )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
