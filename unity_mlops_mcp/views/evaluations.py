"""An evaluation as a result."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from unity_mlops_mcp.metrics.records import Interval
from unity_mlops_mcp.results.evaluations import (
    ActionUse,
    EvaluationFigures,
    Figure,
    RobustnessPoint,
    SensorReach,
)

if TYPE_CHECKING:
    from unity_mlops_mcp.evaluation.records import Evaluation

_DIGITS = 5


def figure(interval: Interval) -> Figure:
    """An interval as every face shows it."""
    told = {"mean": interval.mean, "sd": interval.sd, "low": interval.low, "high": interval.high}
    rounded = {name: None if value is None else float(f"{value:.{_DIGITS}g}") for name, value in told.items()}
    return Figure(**rounded, n=interval.n)


def _figures(intervals: Mapping[str, Interval]) -> dict[str, Figure]:
    return {name: figure(interval) for name, interval in intervals.items()}


def evaluation_figures(evaluation: Evaluation, file: Path) -> EvaluationFigures:
    """What an evaluation found, as every face shows it.

    Args:
        evaluation: what is kept of it.
        file: where that lies.
    """
    times = next((one.inference_us for one in evaluation.behaviors if one.inference_us), None)
    return EvaluationFigures(
        evaluation_id=evaluation.evaluation_id,
        episodes=evaluation.episodes,
        seed=evaluation.seed,
        deterministic=evaluation.deterministic,
        success=figure(evaluation.success) if evaluation.success else None,
        returns={one.behavior: figure(one.returns) for one in evaluation.behaviors},
        endings=_figures(evaluation.endings),
        measures=_figures(evaluation.measures),
        episode_length=figure(evaluation.decisions),
        actions=_actions(evaluation),
        sensors=_sensors(evaluation),
        inference_us=figure(times) if times else None,
        robustness=[
            RobustnessPoint(
                parameter=point.parameter,
                value=point.value,
                success=figure(point.success) if point.success else None,
                returns=figure(point.returns),
            )
            for point in evaluation.sweeps
        ],
        file=str(file),
    )


def _actions(evaluation: Evaluation) -> list[ActionUse]:
    return [
        ActionUse(
            behavior=one.behavior,
            action=action.name,
            mean=action.mean,
            sd=action.sd,
            at_limit=action.at_limit,
            shares=list(action.shares),
        )
        for one in evaluation.behaviors
        for action in one.actions
    ]


def _sensors(evaluation: Evaluation) -> list[SensorReach]:
    return [
        SensorReach(
            behavior=one.behavior,
            sensor=sensor.sensor,
            low=sensor.low,
            high=sensor.high,
            trained_low=sensor.trained_low,
            trained_high=sensor.trained_high,
            outside=sensor.outside,
            not_finite=sensor.not_finite,
        )
        for one in evaluation.behaviors
        for sensor in one.sensors
    ]
