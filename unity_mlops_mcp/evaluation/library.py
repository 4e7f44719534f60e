"""Evaluations that were made: found by id, by policy, by run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from unity_mlops_mcp.errors import NotFoundError
from unity_mlops_mcp.evaluation.records import Evaluation, Trajectories
from unity_mlops_mcp.process.files import write_atomically
from unity_mlops_mcp.store.rows import EvaluationRow
from unity_mlops_mcp.store.store import Store

FILE, TRAJECTORIES = "evaluation.json", "trajectories.json"


def folder_of(home: Path, evaluation_id: str) -> Path:
    """Where an evaluation's files lie."""
    return home / "artifacts" / evaluation_id


def save_evaluation(store: Store, evaluation: Evaluation) -> Path:
    """Write an evaluation and its row; the same one again replaces itself.

    Returns:
        The file.
    """
    path = folder_of(store.home, evaluation.evaluation_id) / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, evaluation.model_dump_json(indent=1).encode())
    store.evaluations.put(
        EvaluationRow(
            evaluation.evaluation_id,
            policy_sha256=evaluation.policies[0].sha256,
            episodes=evaluation.episodes,
            seed=evaluation.seed,
            created_at=evaluation.created_at,
            run_id=evaluation.run_id,
            build_id=evaluation.build_id,
        )
    )
    return path


def load_evaluation(home: Path, evaluation_id: str) -> Evaluation:
    """An evaluation by its id.

    Raises:
        NotFoundError: there is none, or its file is gone or damaged.
    """
    path = folder_of(home, evaluation_id) / FILE
    try:
        return Evaluation.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise NotFoundError(
            f"There is no evaluation {evaluation_id!r} that can be read ({path}).",
            fix="Call evaluate_model to make one.",
            cause="no_such_evaluation",
        ) from error


def readable(home: Path, rows: Iterable[EvaluationRow]) -> Iterator[Evaluation]:
    """The evaluations of rows, those left out whose files are gone or damaged."""
    for row in rows:
        with suppress(NotFoundError):
            yield load_evaluation(home, row.evaluation_id)


def newest_evaluation(store: Store, *, policy_sha256: str, build_id: str | None = None) -> Evaluation | None:
    """The newest evaluation of a policy that can be read, on one build where named; None when there is none."""
    rows = store.evaluations.of_policy(policy_sha256)
    return next(readable(store.home, (row for row in rows if build_id in (None, row.build_id))), None)


def load_trajectories(home: Path, evaluation: Evaluation) -> Trajectories | None:
    """The ways of its first episodes; None where there are none."""
    if evaluation.trajectories is None:
        return None
    try:
        path = folder_of(home, evaluation.evaluation_id) / evaluation.trajectories
        return Trajectories.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
