"""The evaluations that a report shows: of each run the newest of its present policy."""

from __future__ import annotations

from collections.abc import Sequence

from unity_mlops_mcp.evaluation.library import load_trajectories, newest_evaluation, readable
from unity_mlops_mcp.evaluation.records import Columns, Evaluation, Trajectory
from unity_mlops_mcp.reports.environment import good_endings, roles_of
from unity_mlops_mcp.reports.records import EvaluationPart
from unity_mlops_mcp.reports.runs import RunFacts
from unity_mlops_mcp.store.store import Store

MOST_SHOWN = 20
MOST_PICTURES = 12
_MOST_POINTS = 150
_NO_COLUMNS = Columns(returns={}, success=None, decisions=(), endings=())


def evaluation_part(store: Store, run: RunFacts, *, pictures: bool) -> EvaluationPart | None:
    """The evaluation of a run; None where its policy never was evaluated.

    Args:
        store: the home's.
        run: the run.
        pictures: whether the ways of its episodes are wanted.
    """
    found = _newest(store, run)
    if found is None:
        return None
    ways = load_trajectories(store.home, found) if pictures else None
    return EvaluationPart(
        run_id=run.part.run_id,
        evaluation=found.model_copy(update={"columns": _NO_COLUMNS}),
        ways=tuple(_thinned(one) for one in ways.episodes[:MOST_PICTURES]) if ways else (),
        roles=roles_of(run.spec) if run.spec else {},
        good=good_endings(run.spec) if run.spec else (),
    )


def _newest(store: Store, run: RunFacts) -> Evaluation | None:
    for model in run.part.models:
        found = newest_evaluation(store, policy_sha256=model.sha256)
        if found is not None:
            return found
    return next(readable(store.home, store.evaluations.of_run(run.part.run_id)), None)


def _thinned(way: Trajectory) -> Trajectory:
    """The same ways with fewer points; the first and the last stay."""
    return way.model_copy(
        update={
            "agents": tuple(one.model_copy(update={"points": _fewer(one.points)}) for one in way.agents),
            "entities": tuple(one.model_copy(update={"points": _fewer(one.points)}) for one in way.entities),
        }
    )


def _fewer(points: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    stride = max(1, -(-len(points) // _MOST_POINTS))
    kept = [*points[:-1:stride], *points[-1:]]
    return tuple((round(x, 3), round(z, 3)) for x, z in kept)
