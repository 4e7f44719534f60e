"""Runs that differ by the seed alone belong together; what tells the groups apart names them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from unity_mlops_mcp.reports.records import Setting
from unity_mlops_mcp.reports.wording import NONE

RUN_FIELDS = ("num_areas", "num_envs", "time_scale", "trainer_mode", "initialize_from", "env_path", "build_id")
"""Of a run's request, what may change what is learned."""
_NAMES_IN_LABEL = 2
_LABEL = 60
Settings = dict[str, str]


def settings_of(record: Mapping[str, Any], behavior: str) -> Settings:
    """All that decides a run but its seed, as dotted names and texts, the trainer's settings of its behaviour first.

    The spec's names begin with ``spec.``. Where there is a spec it says what is played, not the id of its build.
    """
    configuration = dict(record.get("configuration") or {})
    own = (configuration.pop("behaviors", None) or {}).get(behavior) or {}
    request, spec = record.get("request") or {}, record.get("spec")
    run = {name: request.get(name) for name in RUN_FIELDS if request.get(name) is not None}
    if spec:
        run.pop("build_id", None)
    found = {**_flat(own), **_flat(configuration), **_flat(run), **_flat({"spec": spec} if spec else {})}
    return {name: value for name, value in found.items() if not name.endswith(("seed", "spec.description"))}


def _flat(data: Any, above: str = "") -> Settings:
    """Nested mappings and lists as dotted names; a list's parts go by their names where they have some."""
    if isinstance(data, Mapping):
        items = [(str(name), value) for name, value in data.items()]
    elif isinstance(data, list) and data and all(isinstance(item, Mapping) for item in data):
        items = [(str(item.get("name") or place), item) for place, item in enumerate(data)]
    else:
        return {above: text_of(data)}
    found: Settings = {}
    for name, value in items:
        found |= _flat(value, f"{above}.{name}" if above else name)
    return found


def text_of(value: Any) -> str:
    """A value as it stands in YAML, on one line; a float without the digits that only its binary form has."""
    if isinstance(value, float):
        return f"{value:.12g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def differing(groups: Sequence[Settings]) -> tuple[Setting, ...]:
    """The settings in which groups differ, with each group's value; a dash where a group has none."""
    names = dict.fromkeys(name for group in groups for name in group)
    rows = {name: tuple(group.get(name, NONE) for group in groups) for name in names}
    return tuple(Setting(name=name, values=values) for name, values in rows.items() if len(set(values)) > 1)


def common(groups: Sequence[Settings]) -> tuple[Setting, ...]:
    """The trainer's and the run's settings that all groups share; the spec has a section of its own."""
    first = groups[0]
    same = {name: value for name, value in first.items() if all(group.get(name) == value for group in groups)}
    return tuple(Setting(name=name, values=(value,)) for name, value in same.items() if not name.startswith("spec."))


def labels(groups: Sequence[Settings], behaviors: Sequence[str], differences: Sequence[Setting]) -> list[str]:
    """A short name for each group, no two alike: what tells it apart, or the behaviour where there is one group."""
    if len(groups) == 1:
        return [behaviors[0]]
    several = len(set(behaviors)) > 1
    found = [_label(place, behaviors[place] if several else "", differences) for place in range(len(groups))]
    return [
        label if found.count(label) == 1 else f"{label} [{found[: place + 1].count(label)}]"
        for place, label in enumerate(found)
    ]


def _label(place: int, behavior: str, differences: Sequence[Setting]) -> str:
    told = [one for one in differences if not one.name.startswith("spec.") or not behavior][:_NAMES_IN_LABEL]
    parts = [f"{one.name.rsplit('.', 1)[-1]} {one.values[place]}" for one in told]
    label = ", ".join([behavior] * bool(behavior) + parts) or "runs"
    return label if len(label) <= _LABEL else label[: _LABEL - 1] + "…"
