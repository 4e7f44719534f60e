"""Checks a trainer YAML before step 0, and composes one from a preset and what was asked for."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from unity_mlops_mcp.builds.records import Behavior
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.spec.yaml_text import read_mapping
from unity_mlops_mcp.training.configuration.crosschecks import Around, check_together
from unity_mlops_mcp.training.configuration.schema import NEWEST, as_number, check_shape, did_you_mean, objects
from unity_mlops_mcp.training.records import Findings

LEAST_HORIZON = 8
SUMMARIES, CHECKPOINTS = 20, 10
"""So many summaries and checkpoints in a run, as far as the bounds below allow."""
SUMMARY_BOUNDS, CHECKPOINT_BOUNDS = (500, 50_000), (2_000, 100_000)
LEAST_STEPS_PER_UPDATE = 10

_SWITCHED = ("learning_rate",)
"""What a preset's hyperparameters keep under another algorithm; the rest means something else there."""


def check_configuration(
    configuration: str | Mapping[str, Any],
    *,
    settings: Settings,
    behaviors: Sequence[Behavior] | None = None,
    teams: Mapping[str, Sequence[int]] | None = None,
    mlagents_version: str = NEWEST,
    torch_version: str | None = None,
) -> Findings:
    """Everything about a trainer YAML that mlagents would refuse, misread, or learn nothing from.

    Args:
        configuration: the YAML as text, or what it holds.
        settings: which folders its files may lie in.
        behaviors: the behaviours of the player, where they are known before it starts.
        teams: the team ids of each behaviour, where they are known.
        mlagents_version: the mlagents that will read it, 0.28.0 to 1.1.0.
        torch_version: the trainer's torch.

    Raises:
        InvalidInputError: the text is not YAML, or is too large.
    """
    data = read_mapping(configuration, what="trainer YAML") if isinstance(configuration, str) else configuration
    around = Around(settings=settings, behaviors=behaviors, teams=teams, torch_version=torch_version)
    return Findings(items=(*check_shape(data, mlagents_version), *check_together(data, around)))


def refuse_errors(findings: Findings) -> None:
    """Raise when there are errors.

    Raises:
        InvalidInputError: the first error in words, all of them as evidence; cause ``trainer_config``.
    """
    if findings.errors:
        first, more = findings.errors[0], len(findings.errors) - 1
        also = f" ({more} more beside it)" if more else ""
        raise InvalidInputError(
            f"The trainer YAML cannot be used: {first.path} is {first.found}, needed is {first.needed}{also}.",
            fix=first.fix,
            cause="trainer_config",
            evidence=[str(item) for item in findings.errors[:10]],
        )


def compose(
    behavior_name: str,
    preset: Mapping[str, Any],
    *,
    agents: int = 1,
    request: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A whole trainer YAML as data.

    Args:
        behavior_name: the key under ``behaviors``.
        preset: the behaviour's settings to begin with, such as an archetype's.
        agents: how many agents act at once, over all areas and players; the time horizon follows it.
        request: what was asked for by name: ``algorithm`` and any key of the trainer YAML, such as ``learning_rate``,
            ``gamma``, ``max_steps``, ``time_scale`` or ``seed``. None means not asked for.
        overrides: a trainer YAML, or the settings of one behaviour, laid over the preset; what was asked for by name
            wins over it, as mlagents-learn's own flags do.

    Raises:
        InvalidInputError: the request names something that no key of the trainer YAML is.
    """
    asked = {key: value for key, value in (request or {}).items() if value is not None}
    laid = as_run(behavior_name, overrides or {})
    kind = _algorithm(behavior_name, preset, asked.pop("algorithm", None), laid)
    data: dict[str, Any] = {"behaviors": {behavior_name: _switched(preset, kind)}}
    given = copy.deepcopy(laid)
    for key, value in asked.items():
        merge(given, _placed(behavior_name, key, value, kind))
    merge(data, given)
    data["behaviors"][behavior_name]["trainer_type"] = kind
    _complete(data["behaviors"][behavior_name], given.get("behaviors", {}).get(behavior_name) or {}, agents)
    return data


def as_run(behavior_name: str, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """A copy as a whole trainer YAML; what has no key of one is taken for the settings of the behaviour."""
    if overrides and not any(key in objects()["run"] for key in overrides):
        return {"behaviors": {behavior_name: copy.deepcopy(dict(overrides))}}
    return copy.deepcopy(dict(overrides))


def _algorithm(name: str, preset: Mapping[str, Any], asked: str | None, laid: Mapping[str, Any]) -> str:
    body = (laid.get("behaviors") or {}).get(name)
    written = body.get("trainer_type") if isinstance(body, Mapping) else None
    kind = str(asked or written or preset.get("trainer_type", "ppo")).lower()
    known = objects()["trainer"]["trainer_type"].choices
    if kind not in known:
        fix = did_you_mean(kind, known, what="algorithm")
        raise InvalidInputError(f"There is no algorithm {kind!r} in ML-Agents.", fix=fix, cause="trainer_config")
    return kind


@lru_cache(maxsize=1)
def _starting_points() -> dict[str, dict[str, Any]]:
    text = Path(__file__).with_name("algorithms.yaml").read_text(encoding="utf-8")
    data: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return data


def _switched(preset: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The preset, its hyperparameters exchanged where they belong to another algorithm.

    Without a preset nothing is added, so that a user's own YAML means what mlagents reads in it.
    """
    body = copy.deepcopy(dict(preset))
    if not body:
        return {"trainer_type": kind, "hyperparameters": {}}
    before = body.get("trainer_type", "ppo")
    own = dict(body.get("hyperparameters") or {})
    known = objects()[f"hyperparameters.{kind}"]
    if before == kind:
        chosen = own
    elif "sac" in (before, kind):
        chosen = {**_starting_points()[kind], **{key: own[key] for key in _SWITCHED if key in own}}
    else:
        chosen = {
            key: value for key, value in own.items() if key in known and not (kind == "poca" and key == "shared_critic")
        }
    body.pop("trainer_type", None)
    return {"trainer_type": kind, **body, "hyperparameters": {**_starting_points()[kind], **chosen}}


def _placed(behavior_name: str, key: str, value: Any, kind: str) -> dict[str, Any]:
    """A key that was asked for by name, at its place in the trainer YAML."""
    body = ("behaviors", behavior_name)
    places: dict[str, tuple[str, ...]] = {
        f"hyperparameters.{kind}": (*body, "hyperparameters"),
        "trainer": body,
        "network_settings": (*body, "network_settings"),
        "reward.extrinsic": (*body, "reward_signals", "extrinsic"),
        "env_settings": ("env_settings",),
        "engine_settings": ("engine_settings",),
        "torch_settings": ("torch_settings",),
        "run": (),
    }
    for name, place in places.items():
        if key in objects()[name]:
            nested: dict[str, Any] = {key: copy.deepcopy(value)}
            for part in reversed(place):
                nested = {part: nested}
            return nested
    known = {known for name in places for known in objects()[name]}
    fix = did_you_mean(key, known, what="setting")
    raise InvalidInputError(f"The trainer YAML of {kind} has no setting {key!r}.", fix=fix, cause="trainer_config")


def merge(base: dict[str, Any], added: Mapping[str, Any]) -> None:
    """Lay a mapping over another, in place; mappings are merged, everything else is replaced."""
    for key, value in added.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = copy.deepcopy(value)


def _complete(body: dict[str, Any], given: Mapping[str, Any], agents: int) -> None:
    """Fill in what follows from the rest; nothing that was given is changed."""
    hyper = body["hyperparameters"]
    given_hyper = given.get("hyperparameters") or {}
    body.setdefault("max_steps", 500_000)
    steps = as_number(body["max_steps"]) or 500_000
    if body["trainer_type"] == "sac":
        hyper.setdefault("steps_per_update", max(LEAST_STEPS_PER_UPDATE, agents))
    else:
        if "buffer_size" in hyper and "buffer_size" not in given_hyper:
            hyper["buffer_size"] = _whole_batches(hyper)
        if "time_horizon" not in given:
            body["time_horizon"] = time_horizon(body, agents)
    if "summary_freq" not in given:
        body["summary_freq"] = _share(steps, SUMMARIES, SUMMARY_BOUNDS, body.get("summary_freq"))
    if "checkpoint_interval" not in given and not body.get("even_checkpoints"):
        body["checkpoint_interval"] = _share(steps, CHECKPOINTS, CHECKPOINT_BOUNDS, body.get("checkpoint_interval"))


def time_horizon(body: Mapping[str, Any], agents: int) -> int:
    """The longest trajectory for so many agents: together about one buffer, at least 8, no longer than the preset's.

    Trajectories of all agents end together and an update uses everything queued: with 256 agents and a horizon of 64 it
    would be 16,384 steps where the buffer asks for 2,048, and the policy learns from stale steps.
    """
    buffer = as_number(body["hyperparameters"].get("buffer_size")) or 10_240
    preset = int(as_number(body.get("time_horizon", 64)) or 64)
    memory = (body.get("network_settings") or {}).get("memory") or {}
    least = max(LEAST_HORIZON, int(as_number(memory.get("sequence_length", 64)) or 64) if memory else 0)
    return max(least, min(preset, int(buffer) // max(1, agents)))


def _whole_batches(hyper: Mapping[str, Any]) -> Any:
    batch, buffer = as_number(hyper.get("batch_size")), as_number(hyper["buffer_size"])
    if not batch or not buffer or (buffer % batch == 0 and buffer >= 4 * batch):
        return hyper["buffer_size"]
    return int(max(4, math.ceil(buffer / batch)) * batch)


def _share(steps: float, parts: int, bounds: tuple[int, int], preset: Any) -> int:
    """A part of the run as a round number of steps within bounds; a preset's own interval where that is shorter."""
    low, high = bounds
    part = min(high, max(low, int(steps) // parts))
    digits = 10 ** max(0, len(str(part)) - 2)
    rounded = max(low, part // digits * digits)
    own = as_number(preset)
    return int(min(rounded, own)) if own else rounded
