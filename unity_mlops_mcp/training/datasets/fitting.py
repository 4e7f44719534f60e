"""Whether a dataset is of the behaviour that is to be trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from unity_mlops_mcp.builds.records import Behavior
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.protocol.simulation import ActionSpec, BehaviorSpec, ObservationSpec
from unity_mlops_mcp.training.datasets.records import Dataset


def as_spec(behavior: Behavior) -> BehaviorSpec:
    """A build's behaviour as the protocol describes it."""
    sensors = tuple(ObservationSpec(f"obs_{index}", shape) for index, shape in enumerate(behavior.observation_shapes))
    return BehaviorSpec(
        behavior.name, sensors, ActionSpec(behavior.action_spec.continuous, behavior.action_spec.branches)
    )


def misfits(found: BehaviorSpec, wanted: BehaviorSpec) -> list[str]:
    """Where the shapes of two behaviours differ, in words with both; empty where they are equal."""
    told = []
    seen, needed = (tuple(sensor.shape for sensor in spec.observations) for spec in (found, wanted))
    if seen != needed:
        told.append(f"its observations are {shapes_text(seen)}, the behaviour's {shapes_text(needed)}")
    if found.action != wanted.action:
        told.append(f"its actions are {action_text(found.action)}, the behaviour's {action_text(wanted.action)}")
    return told


def require_fit(dataset: Dataset, behaviors: Sequence[Behavior]) -> BehaviorSpec:
    """The behaviour that a dataset is of, among those of a player.

    Raises:
        InvalidInputError: it is of none of them, or of other shapes; both are told.
    """
    by_name = {behavior.name: as_spec(behavior) for behavior in behaviors}
    wanted = by_name.get(dataset.behavior.name) or (next(iter(by_name.values())) if len(by_name) == 1 else None)
    told = misfits(dataset.behavior, wanted) if wanted else []
    if wanted is None or told:
        first: Path = dataset.files[0]
        what = "; ".join(told) if wanted else f"it is of {dataset.behavior.name}"
        raise InvalidInputError(
            f"The dataset {first} is not of {', '.join(by_name)}: {what}.",
            fix="Name a dataset that was recorded in this environment (record_demonstrations makes one), or build the "
            "environment that it was recorded in.",
            cause="dataset_mismatch",
        )
    return wanted


def shapes_text(shapes: Sequence[tuple[int, ...]]) -> str:
    """Shapes as a person writes them: ``(6) and (3, 84, 84)``."""
    return " and ".join(f"({', '.join(map(str, shape))})" for shape in shapes) or "none"


def action_text(action: ActionSpec) -> str:
    """Actions in words."""
    branches = f"branches of {', '.join(map(str, action.branches))}" if action.branches else ""
    return (
        " and ".join(filter(None, (f"{action.continuous} continuous" if action.continuous else "", branches))) or "none"
    )
