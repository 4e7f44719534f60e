"""Waiting inside a tool call: bounded, and with a sign of life for the client every second or two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
from mcp.server.mcpserver import Context

from unity_mlops_mcp.interfaces.wording import sentence
from unity_mlops_mcp.results.runs import WaitResult

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App

_SLICE_S = 1.5


async def wait_with_progress(
    app: App, context: Context[Any, Any], subject: str, *, timeout_s: float, until: str | None
) -> WaitResult:
    """Wait for a run, job or build in slices; after each the client hears how it stands.

    The progress is the waiting's own (seconds of ``timeout_s``), since the protocol asks that it always grows and a
    trainer's step may stand still; the message carries the run's.
    """
    begun = anyio.current_time()
    while True:
        left = timeout_s - (anyio.current_time() - begun)
        result = await app.wait_for(subject, timeout_s=max(0.0, min(_SLICE_S, left)), until=until)
        if result.done or left <= _SLICE_S:
            return result
        await context.report_progress(round(anyio.current_time() - begun, 2), timeout_s, sentence(result))
