"""What one evaluation was asked for: the request that lies in its job's row."""

from __future__ import annotations

import hashlib

from pydantic import BaseModel, ConfigDict, Field

from unity_mlops_mcp.evaluation.records import PolicyUsed
from unity_mlops_mcp.training.folder import RunFolder

KIND = "evaluation"
EPISODES, MOST_EPISODES = 200, 100_000
AREAS = 16
"""Sandbox areas that play side by side where nobody says how many."""
SWEEP_VALUES = 5
"""Values of a parameter between its least and its greatest where nobody names them."""


def policies_of_run(folder: RunFolder) -> tuple[PolicyUsed, ...]:
    """The final policies of a run, as they are now."""
    return tuple(
        PolicyUsed(behavior=path.stem, path=str(path), sha256=hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.policies()
    )


class EvaluationRequest(BaseModel):
    """Everything that decides the figures of one evaluation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policies: tuple[PolicyUsed, ...] = Field(min_length=1)
    run_id: str | None = None
    version_id: str | None = None
    build_id: str | None = None
    env_path: str | None = None
    episodes: int = Field(default=EPISODES, ge=1, le=MOST_EPISODES)
    seed: int = Field(default=1, ge=0, lt=2**31)
    areas: int = Field(default=AREAS, ge=1, le=4096)
    deterministic: bool = False
    parameters: dict[str, float] = Field(default_factory=dict)
    sweeps: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    graphics: bool = False
    env_args: tuple[str, ...] = ()
    timeout_s: float = Field(default=60.0, gt=0)

    @property
    def plays(self) -> int:
        """Episodes of the evaluation and of all points of its sweeps."""
        return self.episodes * (1 + sum(map(len, self.sweeps.values())))

    @property
    def subject(self) -> str:
        """What the job is about."""
        return self.version_id or self.run_id or self.policies[0].path
