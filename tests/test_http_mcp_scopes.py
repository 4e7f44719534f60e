"""Scopes and read-only mode over MCP: a client sees and calls what its token is enough for."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from tests.http_worlds import ServeProcess
from tests.mcp_clients import ERAS, REPOSITORY, SERVER, Era, server_environment, structured, text
from tests.test_cli import cli
from tests.test_mcp_contract import TOOLS
from unity_mlops_mcp.interfaces.access import TOOL_SETS, scope_of

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
READING = {name for name in TOOLS if scope_of(name) == "read"}


@pytest.mark.parametrize("era", ERAS)
async def test_a_reader_sees_the_tools_that_read_and_is_told_of_the_others(era: Era, home: Path) -> None:
    with ServeProcess(home) as service:
        token = reader_of(service)
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http,
            Client(streamable_http_client(f"{service.url}/mcp", http_client=http), mode=era) as client,
        ):
            assert {tool.name for tool in (await client.list_tools()).tools} == READING
            assert structured(await client.call_tool("list_runs", {}))["runs"] == []
            for tool, arguments in (("stop_training", {"id": "nope"}), ("check_setup", {"fix": True})):
                refused = await client.call_tool(tool, arguments)
                assert refused.is_error
                assert "needs the scope run; here the scope is read" in text(refused)
                assert "--scope run" in text(refused)
        assert service.end() == 0


def reader_of(service: ServeProcess) -> str:
    """A token of the scope read, made at the command line of the service's machine."""
    done = cli(service.home, "token", "add", "reader", "--scope", "read", "--json")
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["token"])


@pytest.mark.parametrize("era", ERAS)
async def test_a_server_over_stdio_can_be_started_to_read_only(era: Era, home: Path) -> None:
    async with stdio("--read-only", home=home, era=era) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == READING
        assert structured(await client.call_tool("check_setup", {}))["checks"]
        refused = await client.call_tool("check_setup", {"fix": True})
        assert refused.is_error
        assert "without --read-only" in text(refused)
        assert (await client.call_tool("stop_training", {"id": "nope"})).is_error


async def test_a_server_over_stdio_can_offer_some_tools(home: Path) -> None:
    async with stdio("--tools", "models,list_runs", home=home, era="auto") as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == {*TOOL_SETS["models"], "list_runs"}


def stdio(*options: str, home: Path, era: Era) -> Client:
    """A client of a server process that was started with these options."""
    parameters = StdioServerParameters(
        command=SERVER[0], args=[*SERVER[1:], *options], env=server_environment(home), cwd=REPOSITORY
    )
    return Client(stdio_client(parameters), mode=era)
