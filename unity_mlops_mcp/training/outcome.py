"""What a finished attempt is worth: judged by the steps reached and a policy that opens, never by the exit code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unity_mlops_mcp.errors import ExternalError, MlopsError, SetupError
from unity_mlops_mcp.jobs.kinds import JobContext
from unity_mlops_mcp.process.log import last_lines
from unity_mlops_mcp.training.diagnosis import diagnose, reason_lines
from unity_mlops_mcp.training.folder import RunFolder
from unity_mlops_mcp.training.policy import check_policy
from unity_mlops_mcp.training.watch import Watch

EVIDENCE_LINES = 60


@dataclass(frozen=True)
class Ended:
    """How one process of the trainer ended: what it had said, its exit code, and whether the disk was full."""

    watch: Watch
    exit_code: int
    full_disk: bool = False


def conclude(context: JobContext, folder: RunFolder, ended: Ended) -> dict[str, Any]:
    """The result of a training that came to its end or was stopped.

    Raises:
        SetupError: it was stopped because the disk was nearly full; its checkpoint is kept.
        ExternalError: it ended before its last step, or without a policy that opens.
    """
    watch, exit_code = ended.watch, ended.exit_code
    if ended.full_disk:
        raise _disk_full(context, folder)
    stopped = context.stop_requested.is_set()
    if not stopped:
        require_reached(folder, ended)
    policies = folder.policies()
    if not stopped and not policies:
        raise _failed(folder, watch, exit_code)
    opened = {path.name: check_policy(path) for path in policies}
    main = next((path for path in policies if path.stem == watch.behavior_name), policies[0] if policies else None)
    return {
        "step": max(watch.reached, watch.step),
        "files": folder.files(),
        "onnx": str(main) if main else None,
        "policies": opened,
        "mean_reward": watch.mean_reward,
        "exit_code": exit_code,
    }


def require_reached(folder: RunFolder, ended: Ended) -> None:
    """Do nothing where the last step was reached.

    Raises:
        ExternalError: it was not; cause, evidence and fix say why.
    """
    if ended.watch.reached < ended.watch.max_steps:
        raise _failed(folder, ended.watch, ended.exit_code)


def _failed(folder: RunFolder, watch: Watch, exit_code: int) -> MlopsError:
    lines = list(watch.lines)
    if watch.reached >= watch.max_steps and not reason_lines(lines):
        return ExternalError(
            f"The trainer reached its last step, {watch.reached}, and left no policy in {folder.path}.",
            fix=f"Call resume_training({folder.run_id!r}), which exports it from the last checkpoint.",
            cause="onnx_missing",
            evidence=lines[-3:],
        )
    if exit_code == 0 and not reason_lines(lines):
        return ExternalError(
            f"The trainer ended at step {watch.reached} of {watch.max_steps} without an error: its player went away, "
            "or somebody outside interrupted it.",
            fix=f"Call resume_training({folder.run_id!r}) to go on from the checkpoint.",
            cause="stopped_early",
            evidence=lines[-3:],
        )
    player_logs = folder.player_logs()
    failure = diagnose(
        lines,
        exit_code=exit_code,
        player_log_lines=[line for path in player_logs for line in last_lines(path, EVIDENCE_LINES)],
        run_id=folder.run_id,
        step=watch.reached,
        max_steps=watch.max_steps,
        home=folder.path.parents[1],
        log_path=folder.log,
        player_log_path=player_logs[0] if player_logs else None,
    )
    fix = failure.fix
    if folder.checkpoint_step() is None:
        again = f'start_training(…, run_id="{folder.run_id}", force=true)'
        fix = fix.replace(f'resume_training(run_id="{folder.run_id}")', again)
    return ExternalError(failure.message, fix=fix, cause=failure.cause, evidence=failure.evidence)


def _disk_full(context: JobContext, folder: RunFolder) -> SetupError:
    return SetupError(
        f"The disk of {context.settings.home} had less than {context.settings.min_free_gb:g} GB free, so the run was "
        f"stopped with its checkpoint at step {folder.checkpoint_step() or 0}.",
        fix=f"Free some space, then call resume_training with run_id {folder.run_id!r}.",
        cause="disk_full",
    )
