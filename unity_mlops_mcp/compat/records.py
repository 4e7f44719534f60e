"""What callers in Python give and get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from unity_mlops_mcp.spec.requests import RLTrainingConfig, UnityAssetSpec


@dataclass(frozen=True)
class TrainingJob:
    """One asset, trained once.

    Attributes:
        job_id: the caller's name for it; the same job again goes on with what there is, and trains nothing twice.
        asset_spec: what shall be learned.
        rl_config: how to train.
        unity_project_path: a Unity project that the scene is built in, on a copy; left out: a fresh one.
        output_dir: a folder that gets the C# and the policy too.
    """

    job_id: str
    asset_spec: UnityAssetSpec
    rl_config: RLTrainingConfig = field(default_factory=RLTrainingConfig)
    unity_project_path: str | None = None
    output_dir: str | None = None


@dataclass(frozen=True)
class TrainingResult:
    """What became of a job.

    Attributes:
        job_id: the job's.
        status: ``completed``, or ``dry_run``: planned, written and checked, but nothing was built or trained.
        trained_model_path: the ONNX policy; None after a dry run.
        message: all of it in a sentence or two, the player it was trained on included.
        code_paths: the C# files.
        build_id: the player it was trained on.
        target: ``sandbox`` (simulated) or ``unity``.
        run_id: the training; the other faces know it by this.
        model_version: the version that keeps the policy.
        metrics: the training's summary.
        assumptions: what the description left open and was assumed.
        notes: what was decided for the caller, and why.
    """

    job_id: str
    status: Literal["completed", "dry_run"]
    trained_model_path: str | None
    message: str
    code_paths: tuple[str, ...] = ()
    build_id: str | None = None
    target: Literal["sandbox", "unity"] | None = None
    run_id: str | None = None
    model_version: str | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainingSchedule:
    """Assets that are trained again and again.

    Attributes:
        schedule_id: its name; unique in the home.
        cron_expression: five fields such as ``0 2 * * *``, or ``hourly``, ``nightly``, ``continuous``.
        asset_specs: what each firing trains.
        rl_config: how.
        timezone: the zone in which the fields are meant.
        enabled: whether it fires.
    """

    schedule_id: str
    cron_expression: str
    asset_specs: Sequence[UnityAssetSpec]
    rl_config: RLTrainingConfig = field(default_factory=RLTrainingConfig)
    timezone: str = "UTC"
    enabled: bool = True
