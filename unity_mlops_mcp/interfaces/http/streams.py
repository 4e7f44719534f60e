"""What REST has besides the tools: live figures as server-sent events, logs and cards as text."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import anyio
import anyio.to_thread
from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from unity_mlops_mcp.interfaces.http.auth import BEARER, require
from unity_mlops_mcp.interfaces.http.problems import PROBLEMS, Problem
from unity_mlops_mcp.interfaces.http.reading import Reads
from unity_mlops_mcp.jobs.records import FINAL_STATES
from unity_mlops_mcp.results.runs import MetricsResult
from unity_mlops_mcp.store.rows import Json

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App
    from unity_mlops_mcp.interfaces.access import Offer

_EVERY_S = 1.0
_BEAT_S = 15.0
_READER = [BEARER, Depends(require("read"))]
RunId = Annotated[str, Path(min_length=1, description="A run, as list_runs and start_training give it.")]
Id = Annotated[str, Path(min_length=1, description="A run, job or build.")]
Version = Annotated[str, Path(min_length=1, description="A version, or name@alias.")]
Tail = Annotated[int, Query(ge=1, le=5000, description="Lines at most.")]
Tags = Annotated[str | None, Query(description="Series, comma-separated. Default: the main ones.")]
Points = Annotated[int, Query(ge=2, le=200, description="Points of one series; the shape is kept.")]
_LIVE = {
    200: {
        "description": "`event: metrics` with what get_metrics gives, whenever more than `eta_s` has changed; "
        "at the run's end `event: end`. A line that begins with a colon is a sign of life.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    **PROBLEMS,
}
_TEXT = {200: {"description": "The text.", "content": {"text/plain": {"schema": {"type": "string"}}}}, **PROBLEMS}
_CARD = {200: {"description": "The card.", "content": {"text/markdown": {"schema": {"type": "string"}}}}, **PROBLEMS}


class Live:
    """The live streams of one service.

    Args:
        limit: streams at once.
    """

    def __init__(self, limit: int) -> None:
        self.limit, self.open, self.ending = limit, 0, False


class _Stream(StreamingResponse):
    """Server-sent events, as long as there is room for one more."""

    def __init__(self, live: Live, events: AsyncIterator[str]) -> None:
        super().__init__(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
        self._live = live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._live.open >= self._live.limit:
            full = Problem(503, "too_many_streams", f"{self._live.limit} streams are open.", "Ask get_metrics instead.")
            await full.response()(scope, receive, send)
            return
        self._live.open += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._live.open -= 1


def stream_router(app: App, offer: Offer, reads: Reads, live: Live) -> APIRouter:
    """The routes of which a tool that tells the same is offered.

    Args:
        app: the application.
        offer: what the service offers.
        reads: what all streams of a run share.
        live: the streams that are open.
    """
    router = APIRouter(dependencies=_READER)

    async def stream_metrics(run_id: RunId, tags: Tags = None, max_points: Points = 100) -> StreamingResponse:
        """The figures of a run while it learns, as server-sent events; a browser's EventSource reads them."""

        async def figures() -> MetricsResult:
            return await anyio.to_thread.run_sync(lambda: app.get_metrics(run_id, tags=tags, max_points=max_points))

        async def ask() -> bytes:
            return await reads.get(f"stream_metrics {[run_id, tags, max_points]}", figures)

        await ask()  # what is wrong with it is told by the status of the answer
        return _Stream(live, _events(ask, live))

    def read_log(id: Id, tail: Tail = 200) -> PlainTextResponse:  # noqa: A002
        """The last lines of a run's trainer log, or of a job's own log."""
        return PlainTextResponse(app.read_log(id, tail=tail))

    def model_card(version: Version) -> PlainTextResponse:
        """The card of a registered version, in Markdown: policy, evaluation, training, lineage."""
        return PlainTextResponse(app.model_card(version), media_type="text/markdown")

    for path, tool, tag, answer, responses in (
        ("/runs/{run_id}/metrics/stream", "get_metrics", "Runs", stream_metrics, _LIVE),
        ("/runs/{id}/log", "get_run", "Runs", read_log, _TEXT),
        ("/models/{version}/card", "list_models", "Models", model_card, _CARD),
    ):
        if offer.holds(tool):
            router.get(path, tags=[tag], operation_id=answer.__name__, responses=responses)(answer)
    return router


async def _events(ask: Callable[[], Awaitable[bytes]], live: Live) -> AsyncIterator[str]:
    """What has changed, once a second at most, and a sign of life now and then, until the run or the service ends."""
    told: Json = {}
    told_at = anyio.current_time()
    while not live.ending:
        body = await ask()
        figures = json.loads(body)
        if (steady := _without_countdown(figures)) != told:
            told, told_at = steady, anyio.current_time()
            yield f"event: metrics\ndata: {body.decode()}\n\n"
        elif anyio.current_time() - told_at >= _BEAT_S:
            told_at = anyio.current_time()
            yield ": alive\n\n"
        if figures["state"] in FINAL_STATES:
            yield f"event: end\ndata: {json.dumps({'state': figures['state']})}\n\n"
            return
        await anyio.sleep(_EVERY_S)


def _without_countdown(figures: Json) -> Json:
    """What tells something new; the time that is left goes on by itself."""
    return {**figures, "summary": {**figures["summary"], "eta_s": None}}
