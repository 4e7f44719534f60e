"""The job that goes the whole way, stage by stage; after a crash it goes on at the first stage without a result."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from unity_mlops_mcp.errors import MlopsError
from unity_mlops_mcp.jobs.kinds import JobContext, Kind, StoppedError
from unity_mlops_mcp.jobs.manager import Jobs
from unity_mlops_mcp.pipeline.records import StageStanding, StageState, Summary, Wanted
from unity_mlops_mcp.pipeline.stages import STAGES, Stage, is_asked_for, stages_of
from unity_mlops_mcp.pipeline.workshop import Workshop

KIND = "pipeline"


async def run_pipeline(context: JobContext, jobs: Jobs, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """Go through the stages that have no result yet.

    Args:
        context: the pipeline's own job.
        jobs: where it starts other jobs.
        kinds: the kinds of those jobs.

    Returns:
        The summary, as JSON values; of a stopped pipeline, what is kept.

    Raises:
        MlopsError: a stage failed; the message names it, cause and fix are the stage's.
    """
    with closing(Workshop(context, jobs, kinds)) as shop:
        return await _go(shop)


async def _go(shop: Workshop) -> dict[str, Any]:
    context, stages = shop.context, stages_of(shop.wanted)
    board = Board(context, shop.wanted)
    for stage in stages:
        if context.stop_requested.is_set():
            return _kept(board)
        found = shop.results.find(stage.gives)
        if found is None:
            board.set(stage, "running")
            try:
                found = await stage.run(shop)
            except StoppedError:
                board.set(stage, "cancelled")
                return _kept(board)
            except MlopsError as error:
                board.set(stage, "failed", error.message)
                raise _of_stage(error, stage) from error
            except Exception as error:
                board.set(stage, "failed", f"{type(error).__name__}: {error}")
                raise
            shop.results.keep(found)
        board.set(stage, "done", found.said)
    return shop.results.of(Summary).model_dump(mode="json")


class Board:
    """How every stage stands, in the job's progress.

    Args:
        context: the job.
        wanted: what the pipeline was asked for; stages that it does not go through are shown as skipped.
    """

    def __init__(self, context: JobContext, wanted: Wanted) -> None:
        self._context = context
        names = {stage.name for stage in stages_of(wanted)}
        self._all = {
            stage.name: StageStanding(
                name=stage.name, what=stage.what, state="waiting" if stage.name in names else "skipped"
            )
            for stage in STAGES
            if is_asked_for(stage, wanted)
        }

    def set(self, stage: Stage, state: StageState, said: str = "") -> None:
        """Write down how a stage stands."""
        self._all[stage.name] = self._all[stage.name].model_copy(update={"state": state, "said": said})
        shown = [one.model_dump(mode="json") for one in self._all.values()]
        self._context.progress(stages=shown, message=f"{stage.name}: {said or stage.what}")

    @property
    def progress(self) -> dict[str, Any]:
        """All that the job shows."""
        return self._context.latest_progress

    @property
    def done(self) -> tuple[str, ...]:
        """The names of the stages that have ended well."""
        return tuple(name for name, one in self._all.items() if one.state == "done")


def _of_stage(error: MlopsError, stage: Stage) -> MlopsError:
    message = f"The stage {stage.name!r} failed: {error.message}"
    return MlopsError(message, fix=error.fix, cause=error.cause, evidence=error.evidence)


def _kept(board: Board) -> dict[str, Any]:
    """What a stopped pipeline leaves behind."""
    shown = board.progress
    return {"stages": list(board.done), "build_id": shown.get("build_id"), "run_id": shown.get("run_id")}
