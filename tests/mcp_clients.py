"""Clients for the tests of the MCP face: in memory, and over a real process's standard input and output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import CallToolResult, TextContent
from typing_extensions import Self

from unity_mlops_mcp.interfaces.mcp.server import build_server
from unity_mlops_mcp.interfaces.upkeep import LateApp

Era = Literal["legacy", "auto"]
ERAS: tuple[Era, Era] = ("legacy", "auto")
SERVER = (sys.executable, "-m", "unity_mlops_mcp", "mcp")
REPOSITORY = Path(__file__).resolve().parents[1]


def in_memory(era: Era) -> Client:
    """A client of a server in this process; ``auto`` is the protocol without a handshake."""
    return Client(build_server(LateApp()), mode=era)


def over_stdio(era: Era, home: Path, **environment: str) -> Client:
    """A client of a server process with this home."""
    parameters = StdioServerParameters(
        command=SERVER[0], args=[*SERVER[1:]], env=server_environment(home, **environment), cwd=REPOSITORY
    )
    return Client(stdio_client(parameters), mode=era)


def server_environment(home: Path, **more: str) -> dict[str, str]:
    """What a chat client would give its servers, with a home of their own."""
    return {**os.environ, "UNITY_MLOPS_HOME": str(home), "UNITY_MLOPS_ROOTS": str(home.parent), **more}


def structured(result: CallToolResult) -> dict[str, Any]:
    """The record of a call that went well; the text says the same."""
    assert not result.is_error, text(result)
    assert result.structured_content is not None
    assert json.loads(text(result)) == result.structured_content
    return dict(result.structured_content)


def text(result: CallToolResult) -> str:
    """The text that the model reads."""
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


class RawServer:
    """A server process spoken to in plain JSON lines; shows what is really on the wire."""

    def __init__(self, environment: Mapping[str, str], arguments: tuple[str, ...] = SERVER) -> None:
        self.process = subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
            cwd=REPOSITORY,
            text=True,
            encoding="utf-8",
        )
        self._last = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=30)

    def send(self, message: dict[str, Any]) -> None:
        """Write one message."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.process.stdin.flush()

    def request(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer to a request; notifications before it are passed over."""
        self._last += 1
        self.send({"id": self._last, "method": method, "params": params})
        assert self.process.stdout is not None
        while True:
            answer = json.loads(self.process.stdout.readline())
            if answer.get("id") == self._last:
                return dict(answer)

    def open(self) -> dict[str, Any]:
        """The handshake of the 2025 era; what the server says about itself."""
        about = self.request(
            "initialize",
            protocolVersion="2025-11-25",
            capabilities={},
            clientInfo={"name": "test", "version": "1"},
        )
        self.send({"method": "notifications/initialized"})
        return dict(about["result"])

    def close(self) -> tuple[int, str]:
        """Close its standard input, as a client does that goes away: exit code and all of standard error."""
        _, errors = self.process.communicate(timeout=30)
        return self.process.returncode, errors
