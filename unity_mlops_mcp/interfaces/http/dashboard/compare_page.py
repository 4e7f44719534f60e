"""The page that puts runs beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unity_mlops_mcp.errors import MlopsError
from unity_mlops_mcp.interfaces.http.dashboard.asking import Asked, Page
from unity_mlops_mcp.interfaces.http.dashboard.drawing import draw_groups, in_sections

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App

METRICS = {
    "reward": "reward",
    "success": "success",
    "episode_length": "length of an episode",
    "elo": "ELO rating",
    "group_reward": "reward of the group",
}
LEAST_RUNS, MOST_RUNS, OFFERED = 2, 60, 50


def compare(app: App, asked: Asked) -> Page:
    """Runs that were chosen, ranked, with the settings that differ; or the choice, when fewer than two were."""
    chosen = list(dict.fromkeys(name.strip() for each in asked.all("run") for name in each.split(",") if name.strip()))
    metric, baseline = asked.get("metric") or "reward", asked.get("baseline")
    shown: dict[str, object] = {
        "chosen": chosen,
        "metric": metric,
        "metrics": METRICS | {metric: METRICS.get(metric, metric)},
        "baseline": baseline,
        "found": None,
        "sections": [],
        "problem": None,
    }
    if len(chosen) < LEAST_RUNS:
        shown["offered"] = app.list_runs(limit=OFFERED).runs
        return Page("compare", "Compare runs", shown, place="compare", refresh_s=0)
    try:
        found = app.compare_runs(run_ids=",".join(chosen[:MOST_RUNS]), metric=metric, baseline=baseline)
    except MlopsError as error:
        return Page("compare", "Compare runs", {**shown, "problem": error}, place="compare", refresh_s=0, status=400)
    charts = draw_groups(app, [(group.label, group.run_ids) for group in found.ranking])
    shown |= {"found": found, "sections": in_sections(charts)[:1], "left_out": max(0, len(chosen) - MOST_RUNS)}
    return Page("compare", f"Compare {len(chosen)} runs", shown, place="compare", refresh_s=0)
