"""What one training job was asked to do: the request that lies in its row."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from unity_mlops_mcp.training.datasets.recorded import Recorded

PlayerKind = Literal["sandbox", "executable", "editor", "none"]
TrainerMode = Literal["fast", "compat"]
TrainingMode = Literal["online", "offline", "hybrid"]


class TrainingRequest(BaseModel):
    """Everything that decides one training; saved in the job's row and in the run's ``run.json``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_id: str
    player: PlayerKind
    build_id: str | None = None
    env_path: str | None = Field(
        default=None,
        description="The executable; None for a sandbox build, and for a Unity build that is not made yet.",
    )
    after: str | None = Field(default=None, description="The job that has to make the player first.")
    configuration: dict[str, Any] = Field(description="The trainer YAML as data.")
    behavior_name: str | None = Field(
        default=None, description="The behaviour whose figures are shown; None: the first."
    )
    max_steps: int = Field(ge=1)
    num_envs: int = Field(default=1, ge=1)
    num_areas: int = Field(default=1, ge=1)
    time_scale: float = Field(default=20.0, gt=0)
    seed: int = Field(ge=0)
    trainer_mode: TrainerMode = "fast"
    resume: bool = False
    from_step: int = 0
    initialize_from: str | None = None
    no_graphics: bool = True
    width: int | None = None
    height: int | None = None
    env_args: tuple[str, ...] = ()
    timeout_wait: int = Field(default=60, ge=1, description="Seconds that the trainer waits for a player's answer.")
    revision: str | None = Field(default=None, description="Git revision of the folder the input was read from.")
    firing_id: str | None = Field(default=None, description="The firing of a schedule that it belongs to.")
    training_mode: TrainingMode = "online"
    recorded: Recorded | None = Field(default=None, description="The dataset that is learned from.")
    rewards_algorithm: Literal["iql"] | None = Field(
        default=None, description="What an offline training learns from rewards with; None: it clones."
    )
    cloning_updates: int = Field(
        default=10_000, ge=1, description="Gradient steps at most of the cloning before a hybrid training."
    )
    signals: tuple[str, ...] = Field(
        default=(), description="What a hybrid training takes from the dataset as it goes."
    )
    notes: tuple[str, ...] = ()
