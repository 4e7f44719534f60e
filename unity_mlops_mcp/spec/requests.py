"""The two requests at the front: what behaviour is wanted, and how to train it."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import Self

from unity_mlops_mcp.spec.base import Part

Algorithm = Annotated[
    Literal["PPO", "SAC", "POCA"], BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value)
]


class UnityAssetSpec(Part):
    """What the user asks for, in words and with the sizes that are already known."""

    asset_id: str = Field(default="", max_length=200, description="The caller's own identifier; kept, never read.")
    name: str = Field(default="", max_length=200, description="Becomes the behaviour's name in CamelCase.")
    asset_type: str = Field(default="behavior", max_length=100, description="The caller's own kind; kept, never read.")
    description: str = Field(default="", max_length=4000, description="One sentence: what the agent shall do.")
    observation_space: dict[str, int] = Field(
        default_factory=dict,
        description="What the policy must see, with sizes: such as {'raycast': 8, 'velocity': 2}; 0 leaves it out.",
    )
    action_space: dict[str, Any] = Field(
        default_factory=dict,
        description="{'type': 'continuous', 'size': 2} or {'type': 'discrete', 'branches': [5]}; empty: the preset's.",
    )


class RLTrainingConfig(Part):
    """How to train; whatever is left out keeps the preset's value, or ML-Agents' own default."""

    algorithm: Algorithm = "PPO"
    """``PPO``, ``SAC`` or ``POCA``."""
    max_steps: int | None = Field(default=None, ge=1, description="Agent steps (decisions) of the whole training.")
    num_envs: int = Field(default=1, ge=1, le=256, description="Environments side by side.")
    time_scale: float = Field(default=20.0, gt=0, le=100, description="How much faster than real time Unity runs.")
    seed: int | None = Field(default=None, ge=0, le=2**31 - 1, description="Makes a run repeatable.")
    learning_rate: float | None = Field(default=None, gt=0, le=1, description="Step size of the optimiser.")
    learning_rate_schedule: Literal["linear", "constant"] | None = Field(default=None, description="Decay, or none.")
    batch_size: int | None = Field(default=None, ge=1, description="Experiences per gradient step.")
    buffer_size: int | None = Field(default=None, ge=1, description="Experiences per update (PPO) or kept (SAC).")
    beta: float | None = Field(default=None, ge=0, description="Entropy bonus (PPO, POCA).")
    epsilon: float | None = Field(default=None, gt=0, lt=1, description="Clip range of the policy (PPO, POCA).")
    lambd: float | None = Field(default=None, ge=0, le=1, description="GAE lambda (PPO, POCA).")
    num_epoch: int | None = Field(default=None, ge=1, le=100, description="Passes over a buffer (PPO, POCA).")
    buffer_init_steps: int | None = Field(default=None, ge=0, description="Steps before the first update (SAC).")
    tau: float | None = Field(default=None, gt=0, le=1, description="Rate of the target network (SAC).")
    steps_per_update: float | None = Field(default=None, gt=0, description="Agent steps per update (SAC).")
    init_entcoef: float | None = Field(default=None, gt=0, description="First entropy coefficient (SAC).")
    hidden_units: int | None = Field(default=None, ge=1, le=4096, description="Width of each hidden layer.")
    num_layers: int | None = Field(default=None, ge=1, le=16, description="Hidden layers.")
    normalize: bool | None = Field(default=None, description="Normalise observations by running statistics.")
    gamma: float | None = Field(default=None, gt=0, le=1, description="Discount of the extrinsic reward.")
    curiosity: float | None = Field(default=None, gt=0, description="Strength of a curiosity reward; left out: none.")
    time_horizon: int | None = Field(default=None, ge=1, description="Steps per agent before they join the buffer.")
    summary_freq: int | None = Field(default=None, ge=1, description="Agent steps between two summaries.")
    checkpoint_interval: int | None = Field(default=None, ge=1, description="Agent steps between two checkpoints.")
    keep_checkpoints: int | None = Field(default=None, ge=1, le=1000, description="Checkpoints kept at most.")
    threaded: bool | None = Field(default=None, description="Update in a thread of its own.")
    training_mode: Literal["online", "offline", "hybrid"] = Field(
        default="online",
        description="offline: learn from a dataset, without a player; hybrid: from it first, then with the player.",
    )
    offline_dataset_path: str | None = Field(
        default=None, description="The dataset: .demo or .jsonl files, separated by commas, or a folder of them."
    )

    @model_validator(mode="before")
    @classmethod
    def _older_spelling(cls, data: Any) -> Any:
        """``use_offline_demonstrations`` and ``demonstration_path`` mean a hybrid training on that dataset."""
        if not isinstance(data, dict):
            return data
        given = dict(data)
        used, path = given.pop("use_offline_demonstrations", False), given.pop("demonstration_path", None)
        if used or path is not None:
            given.setdefault("training_mode", "hybrid")
            given.setdefault("offline_dataset_path", path)
        return given

    @model_validator(mode="after")
    def _has_its_dataset(self) -> Self:
        if self.training_mode != "online" and not self.offline_dataset_path:
            told = "training_mode {mode} needs offline_dataset_path, the dataset to learn from"
            raise PydanticCustomError("no_dataset", told, {"mode": self.training_mode})
        return self

    def behavior_settings(self) -> dict[str, Any]:
        """What was given, laid out as a body of ``behaviors.<name>`` in the trainer YAML, to lay over a preset."""
        signals: dict[str, Any] = {}
        if self.gamma is not None:
            signals["extrinsic"] = {"gamma": self.gamma}
        if self.curiosity is not None:
            signals["curiosity"] = {"strength": self.curiosity}
        parts = {
            "hyperparameters": self._given(_HYPERPARAMETERS),
            "network_settings": self._given(_NETWORK),
            "reward_signals": signals,
        }
        given = {name: part for name, part in parts.items() if part}
        kind = {"trainer_type": self.algorithm.lower()} if "algorithm" in self.model_fields_set else {}
        return {**kind, **self._given(_TOP), **given}

    def run_settings(self) -> dict[str, Any]:
        """What was given about the whole run: ``num_envs``, ``time_scale``, ``seed``, and what it learns from."""
        return self.model_dump(include=self.model_fields_set & _OF_THE_RUN)

    def start_arguments(self) -> dict[str, Any]:
        """What was given, as arguments that start a training: ``trainer_config`` as JSON, and the run's settings."""
        body = self.behavior_settings()
        return {"trainer_config": json.dumps(body) if body else None, **self.run_settings()}

    def _given(self, names: tuple[str, ...]) -> dict[str, Any]:
        return {name: value for name in names if (value := getattr(self, name)) is not None}


_OF_THE_RUN = {"num_envs", "time_scale", "seed", "training_mode", "offline_dataset_path"}
_TOP = ("max_steps", "time_horizon", "summary_freq", "checkpoint_interval", "keep_checkpoints", "threaded")
_NETWORK = ("hidden_units", "num_layers", "normalize")
_HYPERPARAMETERS = (
    "learning_rate",
    "learning_rate_schedule",
    "batch_size",
    "buffer_size",
    "beta",
    "epsilon",
    "lambd",
    "num_epoch",
    "buffer_init_steps",
    "tau",
    "steps_per_update",
    "init_entcoef",
)
