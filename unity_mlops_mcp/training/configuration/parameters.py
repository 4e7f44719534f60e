"""What the trainer YAML says of a spec's parameters: samplers and curricula (mlagents 1.1.0, settings.py)."""

from __future__ import annotations

from typing import Any

from unity_mlops_mcp.spec.base import Lesson, Parameter
from unity_mlops_mcp.spec.environment import EnvironmentSpec


def environment_parameters(spec: EnvironmentSpec) -> dict[str, Any]:
    """``environment_parameters`` of the trainer YAML: a parameter that is drawn, or led through lessons.

    A parameter that is neither is left out: the player has its default, and mlagents would only send it back.
    """
    varied = {
        name: parameter for name, parameter in spec.parameters.items() if parameter.sample or parameter.curriculum
    }
    return {name: _parameter(parameter, spec.behavior_name) for name, parameter in varied.items()}


def _parameter(parameter: Parameter, behavior: str) -> dict[str, Any]:
    if not parameter.curriculum:
        return _uniform(parameter.minimum, parameter.maximum)
    return {"curriculum": [_lesson(i, lesson, behavior) for i, lesson in enumerate(parameter.curriculum)]}


def _lesson(number: int, lesson: Lesson, behavior: str) -> dict[str, Any]:
    value = _uniform(*lesson.value) if isinstance(lesson.value, tuple) else lesson.value
    named = {"name": f"Lesson{number}", "value": value}
    if lesson.threshold is None:
        return named
    criteria = {
        "behavior": behavior,
        "measure": lesson.measure,
        "threshold": lesson.threshold,
        "min_lesson_length": lesson.min_lesson_length,
        "signal_smoothing": lesson.signal_smoothing,
    }
    return {**named, "completion_criteria": criteria}


def _uniform(least: float, greatest: float) -> dict[str, Any]:
    return {"sampler_type": "uniform", "sampler_parameters": {"min_value": least, "max_value": greatest}}
