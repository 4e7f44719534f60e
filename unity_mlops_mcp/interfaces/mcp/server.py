"""The MCP server: tools, resources and prompts in one object that speaks both protocol eras."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

from mcp.server import MCPServer

from unity_mlops_mcp import __version__
from unity_mlops_mcp.interfaces.access import Offer
from unity_mlops_mcp.interfaces.mcp.apps import curves_app
from unity_mlops_mcp.interfaces.mcp.completions import accept_log_levels, add_completions
from unity_mlops_mcp.interfaces.mcp.prompts import add_prompts
from unity_mlops_mcp.interfaces.mcp.resources import add_resources
from unity_mlops_mcp.interfaces.mcp.scoping import scoped
from unity_mlops_mcp.interfaces.mcp.tools import make_tools
from unity_mlops_mcp.interfaces.upkeep import LateApp, Upkeep

INSTRUCTIONS = """\
Trains Unity ML-Agents behaviours with ML-Agents' own trainer, on this machine, with or without Unity.

Step by step: check_setup -> generate_behavior_script(description), for the C# -> build_environment(description or
spec_id; or project_path, the user's own Unity project) -> start_training(build_id) -> wait_for(run_id) until done ->
get_metrics(run_id) -> evaluate_model(run_id) -> render_report(run_ids) -> register_model(run_id) ->
promote_model(version) -> install_model(model), into the user's project.
All of it up to a registered version in one call: run_pipeline(request) -> wait_for(job_id) until done.
Every night, or without end: add_schedule(name, cron, request).
- For anything unusual write the spec yourself: generate_behavior_script(schema_only=true) says how.
- A training belongs to this machine, not to this chat: it goes on when the client closes. When the user comes back,
  list_runs shows what happened meanwhile.
- Nothing blocks: what takes long returns an id at once; wait_for waits at most 50 s and is called again.
- Every result has `next`: the call that usually follows. Every error names its fix: apply it or tell the user.
- Tell the user what was assumed and left_out, and judge a policy by success and reward, not by the exit of a run.
"""


def build_server(app: LateApp, offer: Offer | None = None, *, tended: bool = True) -> MCPServer[LateApp]:
    """A server over one application, which is opened at the first call that needs it.

    Args:
        app: gives the application.
        offer: which tools there are; default: all.
        tended: whether upkeep runs as long as the server does; False where another one sees to it.
    """
    offer = offer or Offer()

    @asynccontextmanager
    async def lifespan(_: MCPServer[Any]) -> AsyncIterator[LateApp]:
        with Upkeep(app) if tended else nullcontext():
            yield app

    server = MCPServer[LateApp](
        "unity_mlops_mcp",
        title="Unity MLOps",
        description="From one sentence to a trained Unity ML-Agents policy.",
        instructions=INSTRUCTIONS,
        version=__version__,
        tools=[tool for tool in make_tools(app) if offer.holds(tool.name)],
        extensions=[curves_app()],
        lifespan=lifespan,
        log_level="WARNING",
    )
    add_resources(server, app)
    add_prompts(server)
    add_completions(server, app)
    accept_log_levels(server)
    if offer.read_only:
        server.middleware.append(scoped(lambda _: "read"))
    return server


def run_stdio(offer: Offer | None = None) -> int:
    """Serve one client on standard input and output until it closes them; the exit code."""
    if sys.stdin is not None and sys.stdin.isatty():
        sys.stderr.write(
            "This is the server for chat clients; it speaks JSON-RPC on standard input. "
            "To connect a client: unity-mlops connect --help. Ctrl-C ends it.\n"
        )
    # Plain lines for the client's log file; set before the SDK would set its own, which draws boxes.
    logging.basicConfig(level="WARNING", format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("unity_mlops_mcp.scheduling").setLevel("INFO")  # trainings that nobody asked for are told
    try:
        build_server(LateApp(), offer).run()
    except KeyboardInterrupt:
        return 130
    return 0
