"""What one can learn from runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio.to_thread

from unity_mlops_mcp.interfaces.mcp import arguments as a
from unity_mlops_mcp.results.comparisons import ComparisonResult
from unity_mlops_mcp.results.reports import RenderedReport
from unity_mlops_mcp.results.runs import MetricsResult

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App


class InsightTools:
    """The operations as tools; each docstring is what the model reads.

    Args:
        app: gives the application; called at the first tool call.
    """

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def get_metrics(
        self,
        run_id: a.RunId,
        tags: a.Tags = None,
        max_points: a.MaxPoints = 100,
        cursor: a.Cursor = None,
    ) -> MetricsResult:
        """Say how well a run learns: call it during a training or after it.

        Returns a summary first (last and best reward, success, trend, plateau or divergence with the reason, speed,
        time left), then thinned series for the tags asked for. available_tags names the others; next_cursor gives
        the next ones. Judge by the summary, quote the series only when asked.
        """
        return self._app().get_metrics(run_id, tags=tags, max_points=max_points, cursor=cursor)

    async def render_report(self, run_ids: a.RunIds, format: a.ReportFormat = "html") -> RenderedReport:  # noqa: A002
        """Make a report of one or more runs that can be sent to others: curves, evaluation, settings, models, commands.

        Runs that differ by the seed alone become one curve with a band; different settings are compared. Evaluate the
        policy first (evaluate_model): its figures and pictures of its episodes are then in the report. Returns the file
        (path), what is in it and the headline; tell the user both. When it takes long, state is running: wait_for it.
        """
        app = await anyio.to_thread.run_sync(self._app)
        return await app.render_report(run_ids=run_ids, format=format)

    def compare_runs(
        self,
        *,
        run_ids: a.ComparedRuns = None,
        filter: a.RunFilter = None,  # noqa: A002
        metric: a.Metric = "reward",
        baseline: a.Baseline = None,
        group_by: a.GroupBy = None,
        threshold: a.Threshold = None,
        cursor: a.Cursor = None,
    ) -> ComparisonResult:
        """Say which runs are better, why, and how sure that is: aligned by step, grouped by all but the seed.

        Returns a verdict with its reason and its doubt, the ranking (final, best, area, steps and time to a threshold,
        stability, with intervals), and only those settings that differ. Fewer than three seeds of a group are not
        enough to tell: say so to the user.
        """
        return self._app().compare_runs(
            run_ids=run_ids,
            filter=filter,
            metric=metric,
            baseline=baseline,
            group_by=group_by,
            threshold=threshold,
            cursor=cursor,
        )
