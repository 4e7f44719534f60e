"""The values to set in Unity's inspector, so that an agent plays a trained policy."""

from __future__ import annotations

from collections.abc import Iterator

from unity_mlops_mcp.evaluation.inference import Inference
from unity_mlops_mcp.evaluation.model import OnnxModel
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.spec.observations import RaySensor


def inspector_values(
    behavior: str, asset: str, model: OnnxModel, inference: Inference, spec: EnvironmentSpec | None
) -> Iterator[tuple[str, str]]:
    """Field and value, in the order of the inspector.

    Args:
        behavior: its name.
        asset: the model's path in the project.
        model: what the policy is.
        inference: what runs models in the project.
        spec: what it was trained on; None where only the policy tells.
    """
    yield "Behavior Parameters > Behavior Name", behavior
    for number, team in enumerate(spec.teams if spec else ()):
        yield f"Behavior Parameters > Team Id ({team.name})", str(number)
    yield from _observations(model, spec)
    yield "Behavior Parameters > Continuous Actions", str(model.action.continuous)
    yield "Behavior Parameters > Discrete Branches", str(len(model.action.branches))
    for index, size in enumerate(model.action.branches):
        yield f"Behavior Parameters > Branch {index} Size", str(size)
    yield "Behavior Parameters > Model", f"{asset} ({inference.model_type})"
    yield "Behavior Parameters > Inference Device", "Default"
    if inference.deterministic:
        yield "Behavior Parameters > Deterministic Inference", "off (as in training; on takes the likeliest action)"
    yield "Behavior Parameters > Behavior Type", "Default (plays the model whenever no trainer is connected)"
    if spec:
        yield "Decision Requester > Decision Period", str(spec.episode.decision_period)


def _observations(model: OnnxModel, spec: EnvironmentSpec | None) -> Iterator[tuple[str, str]]:
    size, stacked = (f"Behavior Parameters > Vector Observation > {name}" for name in ("Space Size", "Stacked Vectors"))
    if spec:
        yield size, str(spec.vector_size)
        yield stacked, "1"
        for ray in spec.observations.rays:
            yield from _rays(ray)
        return
    vectors = [shape[0] for shape in model.observations if len(shape) == 1]
    if len(model.observations) == len(vectors) == 1:
        yield size, str(vectors[0])
        yield stacked, f"1 (or as it was trained: Space Size times Stacked Vectors must be {vectors[0]})"
        return
    told = ", ".join(f"obs_{index} {list(shape)}" for index, shape in enumerate(model.observations))
    yield "Sensors, ordered by name", f"{told}; the vector observation is one of them: Space Size times Stacked Vectors"


def _rays(ray: RaySensor) -> Iterator[tuple[str, str]]:
    component = f"Ray Perception Sensor 3D ({ray.name}) > "
    yield component + "Detectable Tags", ", ".join(ray.tags)
    yield component + "Rays Per Direction", str(ray.rays_per_direction)
    yield component + "Max Ray Degrees", f"{ray.max_degrees:g}"
    yield component + "Sphere Cast Radius", "0"
    yield component + "Ray Length", f"{ray.length:g}"
