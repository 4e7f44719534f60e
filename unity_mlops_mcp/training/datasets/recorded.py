"""What a training knows of the dataset that it learns from: enough to check it again, and to read it when it begins."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from unity_mlops_mcp.protocol.simulation import ActionSpec, BehaviorSpec, ObservationSpec
from unity_mlops_mcp.training.datasets.records import Dataset


class Recorded(BaseModel):
    """A dataset that was checked; kept in the training's request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(description="As it was named.")
    sha256: str
    behavior: str
    sensors: tuple[tuple[str, tuple[int, ...]], ...] = Field(description="Name and shape of each.")
    continuous: int
    branches: tuple[int, ...]
    episodes: int
    steps: int

    @classmethod
    def of(cls, path: str, dataset: Dataset) -> Recorded:
        """What is known of a dataset that was read."""
        behavior = dataset.behavior
        return cls(
            path=path,
            sha256=dataset.sha256,
            behavior=behavior.name,
            sensors=tuple((sensor.name, sensor.shape) for sensor in behavior.observations),
            continuous=behavior.action.continuous,
            branches=behavior.action.branches,
            episodes=len(dataset.trajectories),
            steps=dataset.steps,
        )

    @property
    def spec(self) -> BehaviorSpec:
        """The behaviour as the protocol describes it."""
        sensors = tuple(ObservationSpec(name, shape) for name, shape in self.sensors)
        return BehaviorSpec(self.behavior, sensors, ActionSpec(self.continuous, self.branches))
