"""Scripted experts: bodies that reach, patrol, follow and balance by a formula over what a policy would see.

They act by observations alone, so that they play in the sandbox and in Unity builds of the same spec.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.evaluation.policy import Memories
from unity_mlops_mcp.protocol.simulation import Actions, ActionSpec, BehaviorSpec, Decisions, Floats
from unity_mlops_mcp.spec.base import Quantity
from unity_mlops_mcp.spec.body import DT, Holonomic, Tilt
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.spec.observations import Relative, Velocity
from unity_mlops_mcp.spec.rules import Keep

_STIFFNESS, _DAMPING = 2.0, 2.5
"""How strongly a balancing expert pulls the ball to the middle (1/s²) and slows it (1/s)."""
_TINY = 1e-6

Formula = Callable[[Floats], Floats]
"""The vector observations of n agents, (n, size), to their continuous actions, (n, 2), not clipped yet."""


@dataclass(frozen=True)
class Expert:
    """Acts by a formula; takes the place of a policy wherever one plays.

    Attributes:
        task: what it does, such as ``reach``.
        spec: the environment that it knows.
        formula: what it does.
    """

    task: str
    spec: EnvironmentSpec
    formula: Formula

    def require_fit(self, behavior: BehaviorSpec) -> None:
        """Do nothing where the behaviour is that of its spec.

        Raises:
            InvalidInputError: observations or actions are of other shapes.
        """
        seen = tuple(sensor.shape for sensor in behavior.observations)
        known = tuple(shape for _, shape in self.spec.sensors())
        if seen != known or behavior.action != ActionSpec(2):
            raise InvalidInputError(
                f"The expert knows {self.spec.name} with observations {known}; {behavior.name} has {seen}.",
                fix="Build the environment again, and record on that build.",
                cause="shape_mismatch",
            )

    def begin(self, seed: int) -> None:
        """Nothing: a formula has no noise."""

    def act(self, decisions: Decisions, memories: Memories) -> Actions:  # noqa: ARG002
        """What the agents do."""
        seen = decisions.observations[self._vector]
        chosen = np.clip(self.formula(seen), -1, 1).astype(np.float32)
        return Actions(chosen, np.zeros((len(decisions.ids), 0), np.int32))

    @property
    def _vector(self) -> int:
        """The place of the vector observation among the sensors."""
        return [name.startswith("VectorSensor") for name, _ in self.spec.sensors()].index(True)


def expert_for(spec: EnvironmentSpec) -> Expert:
    """The expert that masters an environment, by what its spec asks for.

    Raises:
        InvalidInputError: no formula of ours masters it.
    """
    for task, formula in (("balance", _balance), ("follow", _follow), ("patrol", _patrol), ("reach", _reach)):
        made = formula(spec) if spec.actions.kind == "continuous" and not spec.teams else None
        if made is not None:
            return Expert(task, spec, made)
    raise InvalidInputError(
        f"There is no scripted expert for {spec.name}.",
        fix="Name a policy instead: a run_id, a registered model, or an .onnx file. Experts reach, patrol and follow "
        "with a body that moves in any direction, and balance; each must observe where its goal is.",
        cause="no_expert",
    )


def _places(spec: EnvironmentSpec) -> dict[tuple[str, str | None, str | None], slice]:
    """Where each part of the vector observation lies: (kind, of whom, which instance) → columns."""
    places: dict[tuple[str, str | None, str | None], slice] = {}
    start = 0
    for part in spec.observations.vector:
        size = spec.part_size(part)
        world = getattr(part, "frame", "world") == "world" and getattr(part, "subject", None) is None
        pick = part.pick if isinstance(part, Relative | Velocity) else None
        if world:
            places[part.kind, getattr(part, "of", None), pick] = slice(start, start + size)
        start += size
    return places


def _value(spec: EnvironmentSpec, quantity: Quantity) -> float:
    return float(spec.parameters[quantity].default if isinstance(quantity, str) else quantity)


def _scale(spec: EnvironmentSpec) -> float | None:
    """What a relative position is multiplied by to be the way at full speed in one decision; None for other bodies."""
    motion = spec.agent.motion
    if not isinstance(motion, Holonomic):
        return None
    way = _value(spec, motion.speed) * DT * spec.episode.decision_period
    return 2 * _value(spec, spec.arena.half_extent) / way


def _towards(spec: EnvironmentSpec, of: str, pick: str) -> Formula | None:
    scale, place = _scale(spec), _places(spec).get(("relative", of, pick))
    if scale is None or place is None:
        return None
    columns, factor = place, scale

    def formula(seen: Floats) -> Floats:
        scaled: Floats = seen[:, columns] * np.float32(factor)
        return scaled

    return formula


def _reach(spec: EnvironmentSpec) -> Formula | None:
    """Straight to what ends the episode with success when it is entered."""
    won = {ending.event for ending in spec.endings if ending.result == "success"}
    goals = [event.of for event in spec.events if event.kind == "enter" and event.name in won]
    return _towards(spec, goals[0], "nearest") if goals else None


def _patrol(spec: EnvironmentSpec) -> Formula | None:
    """Straight to the waypoint whose turn it is."""
    ordered = [entity.name for entity in spec.entities if entity.ordered]
    return _towards(spec, ordered[0], "current") if ordered else None


def _follow(spec: EnvironmentSpec) -> Formula | None:
    """To the distance that is paid, and along with what is followed."""
    keep = next((reward for reward in spec.rewards if isinstance(reward, Keep)), None)
    towards = _towards(spec, keep.of, "nearest") if keep else None
    if keep is None or towards is None:
        return None
    extent, wanted = 2 * _value(spec, spec.arena.half_extent), _value(spec, keep.distance)
    place, moving = _places(spec)["relative", keep.of, "nearest"], _places(spec).get(("velocity", keep.of, "nearest"))

    def formula(seen: Floats) -> Floats:
        away = np.maximum(np.hypot(*seen[:, place].T)[:, None] * extent, _TINY)
        chosen: Floats = towards(seen) * (1 - wanted / away).astype(np.float32)
        return chosen + (seen[:, moving] if moving else np.float32(0))

    return formula


def _balance(spec: EnvironmentSpec) -> Formula | None:
    """Tilt against the ball's way and speed, by the tilt that gives the wanted acceleration."""
    motion, places = spec.agent.motion, _places(spec)
    keys = (("tilt", None, None), ("position", None, None), ("velocity", None, "nearest"))
    if not isinstance(motion, Tilt) or not all(key in places for key in keys):
        return None
    tilt, position, velocity = (places[key] for key in keys)
    extent, most = _value(spec, spec.arena.half_extent), np.radians(_value(spec, motion.most))
    gravity, top = _value(spec, motion.gravity), _value(spec, motion.top_speed)
    turn = np.radians(_value(spec, motion.rate)) * DT * spec.episode.decision_period

    def formula(seen: Floats) -> Floats:
        pull = -_STIFFNESS * seen[:, position] * extent - _DAMPING * seen[:, velocity] * top
        wanted = np.clip(np.arcsin(np.clip(pull / gravity, -1, 1)), -most, most)
        chosen: Floats = (wanted - seen[:, tilt] * most) / turn
        return chosen

    return formula
