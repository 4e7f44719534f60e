"""Trains a behaviour as a chat client does: over MCP, with a connection that closes and one that comes back.

python examples/train_through_mcp.py "a robot finds the red ball" --max-steps 60000
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import TextContent


class RefusedError(Exception):
    """A tool answered with an error: what was found, and what mends it."""


@asynccontextmanager
async def connection() -> AsyncIterator[Client]:
    """A client of a server process of its own, as chat clients start one; a tool's error ends the program."""
    server = StdioServerParameters(command=sys.executable, args=["-m", "unity_mlops_mcp", "mcp"], env={**os.environ})
    failed = None
    async with Client(stdio_client(server)) as client:
        try:
            yield client
        except RefusedError as error:
            failed = error
    if failed:
        sys.exit(str(failed))


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """A tool's result."""
    answer = await client.call_tool(tool, arguments, read_timeout_seconds=120)
    if answer.is_error or answer.structured_content is None:
        raise RefusedError("\n".join(block.text for block in answer.content if isinstance(block, TextContent)))
    return dict(answer.structured_content)


async def begin(sentence: str, max_steps: int) -> str:
    """Check the machine, make the environment, start the training; gives the run's id."""
    async with connection() as client:
        for check in (await call(client, "check_setup"))["checks"]:
            if check["status"] != "ok":
                print(f"{check['status']}: {check['name']}: {check['found']}. To mend it: {check['fix']}")
        build = await call(client, "build_environment", description=sentence)
        print(f"Environment {build['build_id']} ({build['archetype']})")
        for assumption in build["assumptions"]:
            print(f"  assumed: {assumption}")
        run = await call(client, "start_training", build_id=build["build_id"], max_steps=max_steps)
        print(f"Training {run['run_id']}")
        return str(run["run_id"])


async def come_back(run_id: str) -> dict[str, Any]:
    """Look on from a new connection until the run has ended; gives its figures."""
    async with connection() as client:
        while True:
            status = await call(client, "wait_for", id=run_id, timeout_s=10)
            print(
                f"  {status['state']}: step {status['step']} of {status['max_steps']}, reward {status['mean_reward']}"
            )
            if status["done"]:
                break
        if status["failure"]:
            raise RefusedError(f"{status['failure']['message']} To mend it: {status['failure']['fix']}")
        print(f"Policy {status['onnx']}")
        return await call(client, "get_metrics", run_id=run_id, tags="Environment/Cumulative Reward", max_points=10)


async def main() -> None:
    """Train, and lose the connection on the way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentence", nargs="?", default="a robot reaches the target")
    parser.add_argument("--max-steps", type=int, default=120_000)
    options = parser.parse_args()
    run_id = await begin(options.sentence, options.max_steps)
    print("The client has closed; the training goes on.")
    metrics = await come_back(run_id)
    summary, (reward,) = metrics["summary"], metrics["series"]
    print(f"Verdict {summary['verdict']}: {summary['reason']}")
    print(f"Success {summary['success'] or 0:.0%} of the last {summary['success_episodes']} episodes")
    print(f"Reward by step {json.dumps(dict(zip(reward['steps'], reward['values'], strict=True)))}")


if __name__ == "__main__":
    anyio.run(main)
