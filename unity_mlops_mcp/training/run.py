"""The job that trains: start mlagents-learn on a player, watch it, and judge what was reached."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import yaml

from unity_mlops_mcp.errors import ConflictError
from unity_mlops_mcp.jobs.kinds import Child, JobContext
from unity_mlops_mcp.jobs.ports import lease_port, lease_ports
from unity_mlops_mcp.process.files import FileLock, write_atomically
from unity_mlops_mcp.process.log import LogTail
from unity_mlops_mcp.training.checkpoints import mend
from unity_mlops_mcp.training.cloning import (
    cloned_into,
    cloning_command,
    initial_weights,
    is_cloned,
    rewards_command,
    updates_of,
    write_data,
)
from unity_mlops_mcp.training.command import ENVIRONMENT, learn_command
from unity_mlops_mcp.training.folder import RunFolder
from unity_mlops_mcp.training.outcome import Ended, conclude, require_reached
from unity_mlops_mcp.training.player import player_path
from unity_mlops_mcp.training.policy import prepare_check
from unity_mlops_mcp.training.preflight import check_disk, check_home, preflight, require
from unity_mlops_mcp.training.record import write_record
from unity_mlops_mcp.training.records import Check
from unity_mlops_mcp.training.request import TrainingRequest
from unity_mlops_mcp.training.resources import ResourceWatch
from unity_mlops_mcp.training.success import SuccessReader
from unity_mlops_mcp.training.trainer.environment import find_trainer, opened_cache
from unity_mlops_mcp.training.trainer.offline_rl import find_offline_rl
from unity_mlops_mcp.training.watch import Watch

POLL_S = 0.2
DISK_POLL_S = 5.0
GRACE_S = 90.0
"""Seconds that an interrupted trainer has to write its checkpoint and export its policy."""
KILLED = frozenset({-9, -15, 137, 143})
"""Exit codes of a trainer that somebody killed: the system for want of memory, or a person."""
PORT_TAKEN = "UnityWorkerInUseException"
"""What mlagents raises when a program without a lease took the port while the trainer was starting."""
EDITOR_PORT = 5004


@dataclass(frozen=True)
class Attempt:
    """One process of a run, ready to be started; ``warnings`` are what preflight found doubtful."""

    request: TrainingRequest
    folder: RunFolder
    command: list[str]
    from_step: int
    warnings: tuple[str, ...]
    max_steps: int


async def train(context: JobContext) -> dict[str, Any]:
    """Run a training to its end, going on from the checkpoint where the trainer was killed from outside.

    Returns:
        ``step``, ``files``, ``onnx`` (a path, or None) and the last figures, as JSON values.

    Raises:
        MlopsError: it failed; cause, evidence and fix say why.
    """
    request = TrainingRequest.model_validate(context.job.request)
    folder = RunFolder(context.settings.home / "runs" / request.run_id)
    folder.path.mkdir(parents=True, exist_ok=True)
    with _only_one(folder):
        ended = await _clone(context, request, folder) if request.recorded else None
        started = 0
        while ended is None:
            started += 1
            with _ports(context, request) as base_port:
                attempt = await anyio.to_thread.run_sync(_prepare, context, request, folder, base_port)
                ended = await _run(context, attempt)
            if _goes_on(context, attempt, ended, started):
                ended = None
    return await anyio.to_thread.run_sync(conclude, context, folder, ended)


async def _clone(context: JobContext, request: TrainingRequest, folder: RunFolder) -> Ended | None:
    """Learn from the run's dataset; None where a training with the player is to follow.

    Raises:
        MlopsError: the dataset was changed since, or the cloning before a training failed.
    """
    offline = request.training_mode == "offline"
    if not offline and (folder.checkpoint_step() is not None or is_cloned(request, folder)):
        return None
    started = 0
    while True:
        started += 1
        attempt = await anyio.to_thread.run_sync(_prepare_cloning, context, request, folder)
        ended = await _run(context, attempt)
        if not _goes_on(context, attempt, ended, started):
            break
    if offline or ended.full_disk or context.stop_requested.is_set():
        return ended
    require_reached(folder, ended)
    return None


def _prepare_cloning(context: JobContext, request: TrainingRequest, folder: RunFolder) -> Attempt:
    """Look at what can be looked at, and write the dataset, the configuration and the record."""
    settings, target = context.settings, cloned_into(request, folder)
    target.path.mkdir(exist_ok=True)
    write_data(settings, request, folder)
    if request.rewards_algorithm:
        trainer = find_offline_rl(settings)
        checks: tuple[Check, ...] = (check_home(settings), check_disk(settings))
    else:
        with opened_cache(settings) as cache:
            trainer = find_trainer(settings, cache)
            checks = preflight(settings, trainer=trainer, player=None, base_port=0, ports=0, cache=cache)
    require(checks)
    warnings = (*_doubts(checks), *mend(target.path))
    step = target.checkpoint_step()
    write_atomically(folder.configuration, yaml.safe_dump(request.configuration, sort_keys=False).encode())
    command = (rewards_command if request.rewards_algorithm else cloning_command)(request, folder, trainer)
    write_record(folder, request, trainer, command, job_id=context.job.id, from_step=step or 0)
    return Attempt(request, target, command, step or 0, warnings, updates_of(request))


def _doubts(checks: Sequence[Check]) -> tuple[str, ...]:
    return tuple(f"{check.name}: {check.found}. {check.fix}" for check in checks if check.status == "warn")


async def _run(context: JobContext, attempt: Attempt) -> Ended:
    """One process of the trainer, from its start to its end."""
    request = attempt.request
    watch = Watch(request.behavior_name, attempt.max_steps, attempt.from_step, notes=list(attempt.warnings))
    run = RunFolder(context.settings.home / "runs" / request.run_id)
    if request.player == "editor":
        watch.message = f"waiting for Play in the Unity Editor (port {EDITOR_PORT})"
    log = LogTail(run.log, run.log.stat().st_size if run.log.exists() else 0)
    child = await context.start(attempt.command, cwd=run.path, stdout=run.log, env=ENVIRONMENT)
    exit_code, full_disk = await _follow(context, attempt, child, watch, log)
    return Ended(watch, exit_code, full_disk=full_disk)


def _goes_on(context: JobContext, attempt: Attempt, ended: Ended, started: int) -> bool:
    """Whether another attempt is due: the trainer was killed from outside after a checkpoint, or lost its port.

    Of how many trainers this supervisor ``started`` there is a limit; those before a shutdown or kill do not count.
    """
    killed = ended.exit_code in KILLED and attempt.folder.checkpoint_step() is not None
    lost_port = attempt.request.player != "editor" and any(PORT_TAKEN in line for line in ended.watch.lines)
    return (
        (killed or lost_port)
        and not ended.full_disk
        and not context.stop_requested.is_set()
        and started < context.settings.max_attempts
    )


def can_resume(job_request: dict[str, Any], home: Path) -> bool:
    """Whether an interrupted attempt left a checkpoint to go on from; a cloning can always begin again."""
    return (
        bool(job_request.get("recorded"))
        or RunFolder(home / "runs" / str(job_request["run_id"])).checkpoint_step() is not None
    )


@contextmanager
def _only_one(folder: RunFolder) -> Iterator[None]:
    """Two trainings on one folder would destroy each other, whatever else went wrong."""
    lock = FileLock(folder.path / ".lock")
    if not lock.acquire(timeout_s=10):
        raise ConflictError(
            f"Another process is training in {folder.path}.", fix="Wait for it, or stop it with stop_training."
        )
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _ports(context: JobContext, request: TrainingRequest) -> Iterator[int]:
    """The first of the ports that this training has for itself on this machine."""
    if request.player == "editor":
        lease = lease_port(EDITOR_PORT, fix="One training at a time can wait for the Editor: stop the other one first.")
    else:
        lease = lease_ports(request.num_envs, context.settings.base_port)
    with lease:
        yield lease.first


def _prepare(context: JobContext, request: TrainingRequest, folder: RunFolder, base_port: int) -> Attempt:
    """Look at everything that can be looked at before step 0, and write the run's records."""
    settings = context.settings
    with opened_cache(settings) as cache:
        trainer = find_trainer(settings, cache)
        player = player_path(settings, context.store, request, folder)
        checks = preflight(
            settings,
            trainer=trainer,
            player=player,
            base_port=base_port,
            ports=request.num_envs,
            configuration=request.configuration,
            no_graphics=request.no_graphics,
            cache=cache,
        )
    require(checks)
    warnings = (*_doubts(checks), *mend(folder.path))
    step = folder.checkpoint_step()
    write_atomically(folder.configuration, yaml.safe_dump(request.configuration, sort_keys=False).encode())
    command = learn_command(
        trainer,
        config_path=folder.configuration,
        run_id=folder.run_id,
        results_dir=folder.path.parent,
        env_path=player,
        base_port=base_port,
        mode=request.trainer_mode,
        num_envs=request.num_envs,
        num_areas=request.num_areas,
        seed=request.seed,
        time_scale=request.time_scale,
        resume=step is not None,  # a new run begins with an empty folder: what lies in it is this run's own
        force=True,  # the folder is ours and holds our records already, which mlagents takes for a previous run
        initialize_from=initial_weights(folder) if request.recorded else request.initialize_from,
        no_graphics=request.no_graphics,
        width=request.width,
        height=request.height,
        timeout_wait=request.timeout_wait,
        env_args=request.env_args,
    )
    attempt = Attempt(request, folder, command, step or 0, warnings, request.max_steps)
    write_record(folder, request, trainer, command, job_id=context.job.id, from_step=attempt.from_step)
    return attempt


async def _follow(context: JobContext, attempt: Attempt, child: Child, watch: Watch, log: LogTail) -> tuple[int, bool]:
    """Watch the trainer to its end; its exit code, and whether it was stopped for want of disk space."""
    ended = anyio.Event()
    exit_codes: list[int] = []
    full_disk = False

    async def wait() -> None:
        exit_codes.append(await child.wait())
        ended.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        success = await anyio.to_thread.run_sync(SuccessReader, attempt.folder)
        tasks.start_soon(anyio.to_thread.run_sync, prepare_check)
        resources = ResourceWatch(attempt.folder.resources, child.identity, now=time.time())
        next_disk_look = anyio.current_time() + DISK_POLL_S
        stopping = False
        context.progress(**watch.fields(), command=attempt.command)
        while not ended.is_set():
            with anyio.move_on_after(POLL_S):
                await ended.wait()
            if watch.feed(log.new_lines()):
                context.progress(**watch.fields(), **success.fields())
            if resources.due(time.time()):
                await anyio.to_thread.run_sync(_look_at, resources, watch)
            if anyio.current_time() > next_disk_look:
                next_disk_look = anyio.current_time() + DISK_POLL_S
                full_disk = full_disk or _disk_is_full(context)
            if not stopping and (context.stop_requested.is_set() or full_disk):
                stopping = True
                watch.message = "stopping: the trainer writes its checkpoint"
                context.progress(message=watch.message)
                tasks.start_soon(child.stop, GRACE_S)
    watch.feed(log.new_lines())
    context.progress(**watch.fields(), **success.fields())
    return exit_codes[0], full_disk


def _look_at(resources: ResourceWatch, watch: Watch) -> None:
    resources.look(now=time.time(), step=max(watch.step, watch.from_step))


def _disk_is_full(context: JobContext) -> bool:
    free_gb = shutil.disk_usage(context.settings.home).free / 1e9
    return free_gb < context.settings.min_free_gb
