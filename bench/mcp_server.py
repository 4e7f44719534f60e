"""Our MCP server beside the least that its SDK can do: a bare server with one empty tool, in turn, medians.

    python bench/mcp_server.py [--rounds 7] [--calls 200]

Both speak JSON-RPC over their standard input and output with a client of a few lines, so that only the servers differ.
Measured are the time from the process's start to its list of tools, and a warm call: `list_runs` of an empty home
against the empty tool. Exit code 1 when ours is slower than the goals allow.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

START_GOAL, CALL_GOAL = 1.25, 3.0
PROTOCOL = "2025-11-25"
FLOOR = """
from mcp.server import MCPServer
server = MCPServer("floor", log_level="WARNING")
@server.tool()
async def nothing() -> str:
    return ""
server.run()
"""


@dataclass(frozen=True)
class Candidate:
    """A server: its command, the tool that is called, and what was measured so far in milliseconds."""

    name: str
    command: tuple[str, ...]
    tool: str
    starts: list[float] = field(default_factory=list)
    calls: list[float] = field(default_factory=list)

    def measure(self, environment: dict[str, str], calls: int) -> None:
        """One process: its start, then the median of its warm calls."""
        begun = time.perf_counter()
        with Session(self.command, environment) as session:
            session.hello()
            session.request("tools/list", {})
            self.starts.append(1000 * (time.perf_counter() - begun))
            took = [self._call(session) for _ in range(calls + calls // 4)]
            self.calls.append(statistics.median(took[calls // 4 :]))

    def _call(self, session: Session) -> float:
        begun = time.perf_counter()
        answer = session.request("tools/call", {"name": self.tool, "arguments": {}})
        if answer.get("isError"):
            raise SystemExit(f"{self.name}: {answer}")
        return 1000 * (time.perf_counter() - begun)


class Session:
    """A server process and the few messages that the bench sends it, one at a time."""

    def __init__(self, command: tuple[str, ...], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        self._sent = 0

    def __enter__(self) -> Session:  # noqa: PYI034 - Self is not in Python 3.10's typing
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.communicate(timeout=30)

    def hello(self) -> None:
        """The handshake."""
        client = {"name": "bench", "version": "1"}
        self.request("initialize", {"protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": client})
        self._send({"method": "notifications/initialized"})

    def request(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Ask and wait for the answer; notifications in between are passed over."""
        self._sent += 1
        self._send({"id": self._sent, "method": method, "params": parameters})
        assert self._process.stdout is not None  # noqa: S101
        for line in self._process.stdout:
            message = json.loads(line)
            if message.get("id") == self._sent:
                result: dict[str, Any] = message["result"]
                return result
        raise SystemExit(f"The server ended before it answered {method}.")

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None  # noqa: S101
        self._process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self._process.stdin.flush()


def main() -> int:
    """Measure in turn and print both ratios; 1 when one is above its goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=200)
    chosen = parser.parse_args()
    ours = Candidate("ours", (sys.executable, "-m", "unity_mlops_mcp", "mcp"), "list_runs")
    floor = Candidate("floor", (sys.executable, "-c", FLOOR), "nothing")
    with tempfile.TemporaryDirectory(prefix="unity mlops bench ") as folder:
        environment = {**os.environ, "UNITY_MLOPS_HOME": str(Path(folder, "home"))}
        for turn in range(chosen.rounds + 1):
            for server in (ours, floor):
                server.measure(environment, chosen.calls)
                if turn == 0:  # the first round warms the file cache
                    server.starts.clear()
                    server.calls.clear()
    return int(
        _above("start to the list of tools", ours.starts, floor.starts, START_GOAL)
        | _above("warm call", ours.calls, floor.calls, CALL_GOAL)
    )


def _above(what: str, ours: list[float], floor: list[float], goal: float) -> bool:
    """Print the medians and their ratio; whether it is above the goal."""
    mine, least = statistics.median(ours), statistics.median(floor)
    ratio = mine / least
    print(f"{what}: ours {mine:.2f} ms, floor {least:.2f} ms, ratio {ratio:.2f}; wanted: {goal} at most", flush=True)
    return ratio > goal


if __name__ == "__main__":
    sys.exit(main())
