"""Whether a policy fits a build, before any player starts."""

from __future__ import annotations

import difflib
from pathlib import Path

from unity_mlops_mcp.builds.records import Behavior, PlayerBuild
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.evaluation.policy import Policy
from unity_mlops_mcp.evaluation.records import PolicyUsed
from unity_mlops_mcp.protocol.simulation import ActionSpec, BehaviorSpec, ObservationSpec


def behavior_for(name: str, build: PlayerBuild | None, *, alone: bool) -> str:
    """The behaviour of the build that a policy of this name plays; the only one there is where the name says nothing.

    Raises:
        InvalidInputError: the build has several, none of this name.
    """
    known = [behavior.name for behavior in build.behaviors] if build else []
    if not known or name in known:
        return name
    if alone and len(known) == 1:
        return known[0]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    raise InvalidInputError(
        f"The player has no behaviour {name}.",
        fix=f"{hint}Its behaviours: {', '.join(known)}; a file is for the behaviour that it is named after.",
        cause="no_such_behavior",
    )


def fitting(path: Path, behavior: str, build: PlayerBuild | None) -> PolicyUsed:
    """Open a policy, and compare it with the build's behaviour where that is known.

    Raises:
        NotFoundError, ExternalError: there is no such file, or it does not run.
        InvalidInputError: it is no policy, or its shapes are others; both are told.
    """
    policy = Policy(path)
    found = next((one for one in build.behaviors if one.name == behavior), None) if build else None
    if found is not None:
        policy.require_fit(_spec(found))
    return PolicyUsed(behavior=behavior, path=str(path), sha256=policy.model.sha256)


def _spec(behavior: Behavior) -> BehaviorSpec:
    sensors = tuple(ObservationSpec(f"obs_{index}", shape) for index, shape in enumerate(behavior.observation_shapes))
    action = ActionSpec(behavior.action_spec.continuous, behavior.action_spec.branches)
    return BehaviorSpec(behavior.name, sensors, action)
