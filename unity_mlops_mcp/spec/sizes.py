"""Fit a draft to the observation and action spaces that the caller asks for; what does not fit is an error."""

from __future__ import annotations

import math
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.spec.drafting import Data, Draft, contradiction
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.spec.language import Reading, vocabulary
from unity_mlops_mcp.spec.observations import PART_SIZES
from unity_mlops_mcp.spec.requests import UnityAssetSpec

MOST_RAYS = 101
"""ML-Agents' RaysPerDirection goes up to 50."""


def fit_actions(draft: Draft, space: Mapping[str, Any], reading: Reading) -> None:
    """Choose continuous or discrete actions, and check sizes against the motion's two axes.

    Args:
        draft: the plan in the making.
        space: such as ``{"type": "continuous", "size": 2}`` or ``{"type": "discrete", "branches": [5]}``; may be empty.
        reading: the sentence, which may say ``discrete`` or ``continuous`` too.
    """
    kind = action_kind(space)
    for said in ("continuous", "discrete"):
        if mentions := reading.affirmed(said):
            if kind not in {"", said}:
                raise contradiction(f"The description says {said}, action_space says {kind}.", "Make them agree.")
            draft.say(mentions[0].text, f"{said} actions")
            kind = said
    if kind == "continuous" and draft.motion == "grid":
        raise contradiction("Grid motion has no continuous actions.", "Use discrete actions or another motion.")
    draft.data["actions"]["kind"] = kind = kind or draft.data["actions"]["kind"]
    _check_action_sizes(kind, space, draft.motion)


def action_kind(space: Mapping[str, Any]) -> str:
    """``continuous``, ``discrete``, or empty where the action space does not say.

    Raises:
        InvalidInputError: it says something else, or has unknown keys.
    """
    unknown = set(space) - {"type", "size", "branches"}
    if unknown:
        raise InvalidInputError(f"action_space has unknown keys {sorted(unknown)}.", fix="Use type, size and branches.")
    kind = str(space.get("type", "")).lower()
    if kind not in {"", "continuous", "discrete"}:
        raise InvalidInputError(f"action_space.type is {kind!r}.", fix="Use 'continuous' or 'discrete'.")
    return kind


def _check_action_sizes(kind: str, space: Mapping[str, Any], motion: str) -> None:
    size, branches = space.get("size"), space.get("branches")
    if kind == "continuous" and (size not in {None, 2} or branches):
        raise contradiction(
            f"action_space asks for {branches or size} continuous actions; {motion} motion has 2.",
            "Use {'type': 'continuous', 'size': 2}.",
        )
    if kind == "discrete" and (size not in {None, 5} or branches not in (None, [5], (5,), 5)):
        raise contradiction(
            f"action_space asks for discrete {branches or size}; {motion} motion has one branch of 5 "
            "(nothing, and each way along two axes).",
            "Use {'type': 'discrete', 'branches': [5]}.",
        )


def fit_observations(draft: Draft, space: Mapping[str, int]) -> None:
    """Add what the caller wants the policy to see, and drop what it sets to 0.

    Args:
        draft: the plan in the making.
        space: such as ``{"raycast": 8, "velocity": 2}``; may be empty.
    """
    asked = set()
    for key, size in space.items():
        name, entry = _observation(key)
        if size < 0:
            raise InvalidInputError(f"observation_space.{key} is {size}.", fix="Give 0 or the number of values.")
        if entry.get("rays"):
            _fit_rays(draft, key, size)
        else:
            asked.add(entry["part"]["kind"])
            _fit_part(draft, key, size, entry)
        draft.say(f"observation_space.{key}: {size}", f"{name} observed" if size else f"{name} left out")
    kept = [part for part in draft.data["observations"]["vector"] if part["kind"] not in asked]
    if space and kept:
        parts = ", ".join(f"{part['kind']}{' of ' + part['of'] if part.get('of') else ''}" for part in kept)
        draft.assume(f"Observed besides observation_space, as the preset needs it: {parts}.")
    _check_goal_is_seen(draft)


def _observation(key: str) -> tuple[str, Data]:
    table = vocabulary()["observations"]
    spelled = key.lower().replace("-", "_").replace(" ", "_")
    for name, entry in table.items():
        if spelled == name or spelled in entry["also"]:
            return name, entry
    known = [*table, *(other for entry in table.values() for other in entry["also"])]
    near = get_close_matches(spelled, known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise InvalidInputError(f"observation_space has an unknown key {key!r}.{hint}", fix=f"Use: {', '.join(table)}.")


def _fit_rays(draft: Draft, key: str, rays: int) -> None:
    if rays == 0:
        if draft.entity("obstacle"):
            raise contradiction(
                f"observation_space.{key} is 0, but obstacles that are to be avoided must be seen.",
                "Give at least 3 rays, or say `without obstacles`.",
            )
        draft.data["observations"]["rays"] = []
        return
    if rays > MOST_RAYS:
        raise InvalidInputError(f"observation_space.{key} is {rays}.", fix=f"Give at most {MOST_RAYS} rays.")
    per_direction = max(math.ceil((rays - 1) / 2), 1)
    draft.set_rays(per_direction)
    if 2 * per_direction + 1 != rays:
        draft.assume(
            f"{2 * per_direction + 1} rays instead of {rays}: ML-Agents has one ahead and as many to each side."
        )


def _fit_part(draft: Draft, key: str, size: int, entry: Data) -> None:
    if size not in {0, entry["size"]}:
        raise contradiction(
            f"observation_space.{key} is {size}, but on the ground plane it has {entry['size']} value(s).",
            f"Use {entry['size']}, or 0 to leave it out.",
        )
    vector, part = draft.data["observations"]["vector"], dict(entry["part"])
    present = any(other["kind"] == part["kind"] for other in vector)
    if size == 0:
        draft.data["observations"]["vector"] = [other for other in vector if other["kind"] != part["kind"]]
    elif not present:
        draft.data["observations"]["vector"].append(_completed(draft, part, entry))


def _completed(draft: Draft, part: Data, entry: Data) -> Data:
    """The part with the entity it is about."""
    if entry.get("goal"):
        if draft.rules.goal is None:
            raise contradiction(f"There is no goal whose {part['kind']} could be seen.", "Leave it out.")
        part["of"] = draft.rules.goal
    if part["kind"] in {"relative", "bearing"}:
        part["pick"] = draft.rules.pick
    if part["kind"] in {"relative", "velocity"} and draft.motion == "car":
        part["frame"] = "agent"
    return part


def _check_goal_is_seen(draft: Draft) -> None:
    goal = draft.rules.goal
    if goal is None:
        return
    seen = any(
        part["kind"] in {"relative", "bearing"} and part["of"] == goal for part in draft.data["observations"]["vector"]
    )
    entity = draft.entity(goal)
    tags = {tag for ray in draft.data["observations"]["rays"] for tag in ray["tags"]}
    shown = {team["name"] for team in draft.data["teams"]} if entity is None else {entity["tag"] or goal}
    if not seen and (draft.rules.pick != "nearest" or not shown & tags):
        sizes = f"target: {PART_SIZES['relative']} or bearing: {PART_SIZES['bearing']}"
        raise contradiction(f"The policy could not see the {goal}.", f"Keep {sizes} in observation_space.")


def unmet_sizes(spec: EnvironmentSpec, asset: UnityAssetSpec) -> list[str]:
    """What the caller's sizes ask for and a spec does not have, one sentence each.

    Raises:
        InvalidInputError: the sizes themselves cannot be met on the ground plane, or have unknown keys.
    """
    kind = action_kind(asset.action_space)
    if kind:
        _check_action_sizes(kind, asset.action_space, spec.agent.motion.kind)
    unmet = [f"actions.kind: the caller asks for {kind} actions"] if kind not in {"", spec.actions.kind} else []
    seen = {part.kind for part in spec.observations.vector}
    for key, size in asset.observation_space.items():
        name, entry = _observation(key)
        has = bool(spec.observations.rays) if entry.get("rays") else entry["part"]["kind"] in seen
        if has != bool(size):
            unmet.append(f"observations: the caller asks for {name}: {size}" + (", so leave it out" if has else ""))
    return unmet
