"""Checks that a trainer YAML's values fit together, its files exist, and it fits the player it is for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unity_mlops_mcp.builds.records import Behavior
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.training.configuration.schema import as_number, did_you_mean, version_key
from unity_mlops_mcp.training.records import Finding, Severity

SAFE_LOADING = (2, 6)
"""The first torch that loads checkpoints weights-only unless told otherwise (release notes of PyTorch 2.6)."""

DEFAULTS = {
    "batch_size": {"ppo": 1024.0, "poca": 1024.0, "sac": 128.0},
    "buffer_size": {"ppo": 10240.0, "poca": 10240.0, "sac": 50000.0},
}
TYPICAL_BATCH = {"continuous": (512, 5120), "discrete": (32, 512), "sac": (32, 1024)}
"""The ranges that ML-Agents' Training-Configuration-File.md calls typical."""


@dataclass(frozen=True)
class Around:
    """What a trainer YAML is checked against.

    Attributes:
        settings: which folders its files may lie in.
        behaviors: the behaviours of the player; None when they are not known before it starts.
        teams: the team ids of each behaviour; empty when they are not known.
        torch_version: the trainer's torch; it decides whether a checkpoint from outside the home is safe to load.
    """

    settings: Settings
    behaviors: Sequence[Behavior] | None = None
    teams: Mapping[str, Sequence[int]] | None = None
    torch_version: str | None = None


def finding(severity: Severity, path: str, found: object, needed: str, fix: str) -> Finding:
    """One finding; the value found is shown as it is."""
    return Finding(severity=severity, path=path, found=str(found)[:200], needed=needed, fix=fix)


def check_together(data: Mapping[str, Any], around: Around) -> Iterator[Finding]:
    """What is wrong or doubtful about values that are right one by one."""
    behaviors = _mapping(data.get("behaviors"))
    for name, body in behaviors.items():
        if isinstance(body, Mapping):
            yield from _behavior(str(name), body, data, around)
    yield from _names(behaviors, data, around)
    for name, parameter in _mapping(data.get("environment_parameters")).items():
        yield from _parameter(f"environment_parameters.{name}", parameter, behaviors)


def _behavior(name: str, body: Mapping[str, Any], data: Mapping[str, Any], around: Around) -> Iterator[Finding]:
    path = f"behaviors.{name}"
    kind = str(body.get("trainer_type", "ppo"))
    if "hyperparameters" in body and "trainer_type" not in body and not _mapping(data.get("default_settings")):
        fix = "Add trainer_type: ppo (or sac, poca); mlagents refuses hyperparameters without it."
        yield finding("error", f"{path}.trainer_type", "nothing", "ppo, sac or poca", fix)
    yield from _sizes(path, body, kind)
    yield from _typical(name, path, body, kind, around)
    yield from _memory(path, body, kind)
    yield from _intervals(path, body)
    yield from _self_play(name, path, body, around)
    yield from _files(path, body, around)


def _sizes(path: str, body: Mapping[str, Any], kind: str) -> Iterator[Finding]:
    batch, buffer = _size(body, "batch_size", kind), _size(body, "buffer_size", kind)
    where = f"{path}.hyperparameters.buffer_size"
    if buffer < batch:
        fix = f"Write {4 * batch:g}; with less than one batch mlagents never updates the policy."
        yield finding("error", where, f"{buffer:g}", f"at least batch_size ({batch:g})", fix)
    elif kind != "sac" and buffer % batch:
        fix = f"Write {math.ceil(buffer / batch) * batch:g}; the rest of each buffer is thrown away."
        yield finding("warning", where, f"{buffer:g}", f"a multiple of batch_size ({batch:g})", fix)
    elif kind != "sac" and buffer < 4 * batch:
        fix = f"Write {4 * batch:g} or more; few batches per update make learning unsteady."
        yield finding("hint", where, f"{buffer:g}", f"at least 4 times batch_size ({batch:g})", fix)


def _typical(name: str, path: str, body: Mapping[str, Any], kind: str, around: Around) -> Iterator[Finding]:
    player = next((item for item in around.behaviors or () if item.name == name), None)
    if player is None:
        return
    actions = "sac" if kind == "sac" else "continuous" if player.action_spec.continuous else "discrete"
    low, high = TYPICAL_BATCH[actions]
    batch = _size(body, "batch_size", kind)
    if not low <= batch <= high:
        needed = (
            f"{low} to {high}, typical for {actions} actions"
            if actions != "sac"
            else f"{low} to {high}, typical for SAC"
        )
        fix = "Keep it if it learns; ML-Agents' documentation gives this range."
        yield finding("hint", f"{path}.hyperparameters.batch_size", f"{batch:g}", needed, fix)


def _memory(path: str, body: Mapping[str, Any], kind: str) -> Iterator[Finding]:
    memory = _mapping(body.get("network_settings")).get("memory")
    if not isinstance(memory, Mapping):
        return
    where = f"{path}.network_settings.memory"
    sequence = as_number(memory.get("sequence_length", 64)) or 64
    size = as_number(memory.get("memory_size", 128)) or 128
    batch = _size(body, "batch_size", kind)
    horizon = as_number(body.get("time_horizon", 64)) or 64
    if size % 2:
        yield finding("error", f"{where}.memory_size", f"{size:g}", "an even number", f"Write {size + 1:g}.")
    if sequence > batch:
        fix = f"Write {batch:g} or less, or raise batch_size."
        yield finding("error", f"{where}.sequence_length", f"{sequence:g}", f"at most batch_size ({batch:g})", fix)
    if horizon < sequence:
        fix = f"Write {sequence:g}; shorter trajectories never fill the memory's sequence."
        yield finding(
            "warning", f"{path}.time_horizon", f"{horizon:g}", f"at least sequence_length ({sequence:g})", fix
        )


def _intervals(path: str, body: Mapping[str, Any]) -> Iterator[Finding]:
    steps = as_number(body.get("max_steps", 500_000)) or 500_000
    summary = as_number(body.get("summary_freq", 50_000)) or 50_000
    checkpoint = as_number(body.get("checkpoint_interval", 500_000)) or 500_000
    if summary > steps:
        fix = f"Write {max(1, steps // 20):g}; the run would end without one summary."
        yield finding("warning", f"{path}.summary_freq", f"{summary:g}", f"at most max_steps ({steps:g})", fix)
    if checkpoint > steps and not body.get("even_checkpoints"):
        fix = f"Write {max(1, steps // 10):g}; a killed run would have nothing to resume from."
        yield finding("hint", f"{path}.checkpoint_interval", f"{checkpoint:g}", f"at most max_steps ({steps:g})", fix)


def _self_play(name: str, path: str, body: Mapping[str, Any], around: Around) -> Iterator[Finding]:
    play = body.get("self_play")
    if not isinstance(play, Mapping):
        return
    teams = set((around.teams or {}).get(name, ()))
    if teams == {0}:
        fix = "Give the opponents' Behavior Parameters another Team Id, or remove self_play."
        yield finding("warning", f"{path}.self_play", "all agents in team 0", "at least two team ids", fix)
    save = as_number(play.get("save_steps", 20_000)) or 20_000
    change = as_number(play.get("team_change", 5 * save)) or 5 * save
    if change < save:
        fix = f"Write {5 * save:g}; a team must learn past one snapshot before the teams change."
        yield finding("warning", f"{path}.self_play.team_change", f"{change:g}", f"at least save_steps ({save:g})", fix)


def _files(path: str, body: Mapping[str, Any], around: Around) -> Iterator[Finding]:
    places = [(f"{path}.behavioral_cloning.demo_path", _mapping(body.get("behavioral_cloning")).get("demo_path"))]
    gail = _mapping(_mapping(body.get("reward_signals")).get("gail"))
    places.append((f"{path}.reward_signals.gail.demo_path", gail.get("demo_path")))
    for where, value in places:
        if isinstance(value, str):
            yield from _demonstration(where, value, around.settings)
    if isinstance(body.get("init_path"), str):
        yield from _checkpoint(f"{path}.init_path", body["init_path"], around)


def _demonstration(where: str, value: str, settings: Settings) -> Iterator[Finding]:
    try:
        file = settings.allowed_path(value, what="demonstration")
    except InvalidInputError as error:
        yield finding("error", where, value, "a path under an allowed folder", error.fix)
        return
    if not file.exists():
        yield finding(
            "error", where, f"{file} (nothing there)", "a .demo file or a folder of them", "Correct the path."
        )
    elif not (any(file.glob("*.demo")) if file.is_dir() else file.suffix == ".demo"):
        yield finding("error", where, str(file), "a .demo file or a folder of them", "Name a recorded .demo file.")


def _checkpoint(where: str, value: str, around: Around) -> Iterator[Finding]:
    try:
        file = around.settings.allowed_path(value, what="checkpoint")
    except InvalidInputError as error:
        yield finding("error", where, value, "a path under an allowed folder", error.fix)
        return
    if not file.is_file():
        yield finding("error", where, f"{file} (nothing there)", "a checkpoint.pt", "Correct the path.")
    elif not _inside(file, around.settings.home) and version_key(around.torch_version or "0") < SAFE_LOADING:
        needed = "a checkpoint under the home, or torch 2.6 or newer, which loads weights only"
        fix = "Loading runs code from the file with this torch: use the managed trainer, or give initialize_from."
        yield finding("error", where, f"{file} with torch {around.torch_version or 'unknown'}", needed, fix)


def _names(behaviors: Mapping[Any, Any], data: Mapping[str, Any], around: Around) -> Iterator[Finding]:
    defaults = isinstance(data.get("default_settings"), Mapping)
    if not behaviors and not defaults:
        fix = "Write the behaviour's settings under behaviors.<Behavior Name>."
        yield finding("error", "behaviors", "nothing", "at least one behaviour, or default_settings", fix)
    if around.behaviors is None:
        return
    known = [item.name for item in around.behaviors]
    for name in known:
        if name not in behaviors and not defaults:
            fix = f"Add behaviors.{name}, or rename one: {', '.join(map(str, behaviors)) or 'none is there'}."
            yield finding("error", f"behaviors.{name}", "nothing", "settings for each behaviour of the player", fix)
    for name in behaviors:
        if name not in known:
            fix = did_you_mean(str(name), known, what="behaviour") + " Names are case-sensitive."
            yield finding("warning", f"behaviors.{name}", name, "a behaviour that the player has", fix)


def _parameter(path: str, parameter: Any, behaviors: Mapping[Any, Any]) -> Iterator[Finding]:
    if not isinstance(parameter, Mapping):
        return
    lessons = parameter.get("curriculum")
    if not isinstance(lessons, list):
        yield from _sampler(path, parameter)
        return
    for index, lesson in enumerate(lessons):
        if isinstance(lesson, Mapping):
            yield from _lesson(f"{path}.curriculum[{index}]", lesson, behaviors, last=index == len(lessons) - 1)


def _lesson(path: str, lesson: Mapping[str, Any], behaviors: Mapping[Any, Any], *, last: bool) -> Iterator[Finding]:
    if isinstance(lesson.get("value"), Mapping):
        yield from _sampler(f"{path}.value", lesson["value"])
    where, criteria = f"{path}.completion_criteria", lesson.get("completion_criteria")
    if not isinstance(criteria, Mapping):
        if not last:
            fix = "Add completion_criteria with behavior, measure and threshold."
            yield finding("error", where, "nothing", "criteria in every lesson but the last", fix)
        return
    if last:
        yield finding("warning", where, "criteria", "none in the last lesson", "Remove it; mlagents ignores it.")
    name = criteria.get("behavior")
    if isinstance(name, str) and behaviors and name not in behaviors:
        fix = did_you_mean(name, map(str, behaviors), what="behaviour")
        yield finding("error", f"{where}.behavior", name, "a behaviour of this file", fix)
    threshold = as_number(criteria.get("threshold", 0.0))
    if criteria.get("measure") == "progress" and threshold is not None and not 0 <= threshold <= 1:
        fix = "Write the share of max_steps at which the lesson ends, such as 0.3."
        yield finding("error", f"{where}.threshold", f"{threshold:g}", "0 to 1 for measure progress", fix)


def _sampler(path: str, sampler: Mapping[str, Any]) -> Iterator[Finding]:
    values = _mapping(sampler.get("sampler_parameters"))
    kind = sampler.get("sampler_type")
    where = f"{path}.sampler_parameters"
    intervals: Sequence[Any] = ()
    if kind == "uniform":
        intervals = [[values.get("min_value", 0.0), values.get("max_value", 1.0)]]
    elif kind == "multirangeuniform" and isinstance(values.get("intervals", ()), list):
        intervals = values.get("intervals", ())
    for pair in intervals:
        numbers = [as_number(item) for item in pair] if isinstance(pair, list) and len(pair) == 2 else [None]  # noqa: PLR2004
        if None in numbers:
            yield finding("error", where, pair, "pairs of numbers", "Write each interval as [low, high].")
        elif numbers[0] > numbers[1]:  # type: ignore[operator]  # None was answered above
            yield finding("error", where, pair, "the smaller number first", "Swap the two.")


def _size(body: Mapping[str, Any], key: str, kind: str) -> float:
    default = DEFAULTS[key].get(kind, DEFAULTS[key]["ppo"])
    return as_number(_mapping(body.get("hyperparameters")).get(key, default)) or default


def _inside(file: Path, folder: Path) -> bool:
    return folder.resolve() in file.parents


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}
