"""The curves of runs as charts, by the same rules as those of a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from unity_mlops_mcp.errors import MlopsError

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App
    from unity_mlops_mcp.metrics.records import MetricsSummary
    from unity_mlops_mcp.reports.charts import Curves
    from unity_mlops_mcp.reports.records import Chart

SECTIONS = {
    "learning": "Learning",
    "selfplay": "Self-play",
    "curriculum": "Curriculum",
    "optimisation": "Optimisation",
    "resources": "Resources",
}
"""The sections of ``reports/charts.yaml`` in their order, with their headings."""


class Drawn(NamedTuple):
    """A run's figures and its charts."""

    summary: MetricsSummary
    charts: tuple[Chart, ...]


def draw_run(app: App, run_id: str) -> Drawn:
    """All that there is to draw of one run by now.

    Raises:
        NotFoundError: there is no such run.
    """
    from unity_mlops_mcp.reports.charts import charts
    from unity_mlops_mcp.reports.records import Group

    summary, curves = _curves(app, run_id, alone=True)
    group = Group(label=summary.behavior or run_id, color=0, run_ids=(run_id,))
    return Drawn(summary, charts([group], {run_id: curves}))


def draw_reward(app: App, run_id: str) -> Chart | None:
    """The one chart that says most of a run that goes on; None while there is nothing to draw."""
    try:
        drawn = draw_run(app, run_id)
    except MlopsError:  # a run of which nothing but the row is there
        return None
    by_id = {chart.id: chart for chart in drawn.charts}
    return by_id.get("group_reward") or by_id.get("reward") or next(iter(drawn.charts), None)


def draw_groups(app: App, groups: Sequence[tuple[str, Sequence[str]]]) -> tuple[Chart, ...]:
    """Charts in which every group of runs has a line, and a band where it has several runs.

    Args:
        app: the application.
        groups: label and run ids of each, the best first; the first eight are drawn.
    """
    from unity_mlops_mcp.reports.charts import MOST_LINES, charts
    from unity_mlops_mcp.reports.records import Group

    alone = all(len(run_ids) == 1 for _, run_ids in groups)
    curves = {run_id: _curves(app, run_id, alone=alone)[1] for _, run_ids in groups for run_id in run_ids}
    told = [
        Group(label=label, color=place if place < MOST_LINES else None, run_ids=tuple(run_ids))
        for place, (label, run_ids) in enumerate(groups)
    ]
    return charts(told, curves)


def in_sections(charts: Sequence[Chart]) -> list[tuple[str, str, list[Chart]]]:
    """Id, heading and charts of each section that has some."""
    found = [(name, title, [chart for chart in charts if chart.section == name]) for name, title in SECTIONS.items()]
    return [section for section in found if section[2]]


def _curves(app: App, run_id: str, *, alone: bool) -> tuple[MetricsSummary, Curves]:
    from unity_mlops_mcp.reports.charts import curves_of
    from unity_mlops_mcp.training.resources import read_resources

    _, reader, behavior, summary = app.runs.figures(run_id)
    resources = read_resources(app.runs.folder(run_id).resources)
    return summary, curves_of(reader, behavior or reader.behavior, resources, alone=alone)
