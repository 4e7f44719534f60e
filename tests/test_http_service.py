"""The service as a process: its token, its clients of MCP and REST, its end."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from tests.http_worlds import ServeProcess
from tests.mcp_clients import ERAS, REPOSITORY, Era, server_environment, structured
from tests.test_mcp_contract import TOOLS


def test_it_says_what_is_where_and_to_who_starts_another_that_one_serves_already(home: Path) -> None:
    with ServeProcess(home) as service:
        port = service.url.rpartition(":")[2]
        line = [sys.executable, "-m", "unity_mlops_mcp", "serve", "--port", port, "--open"]
        second = subprocess.run(
            line, env=server_environment(home), cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
        )
        said = " ".join("".join(service.log).split())
    assert all(name in said for name in ("dashboard at / (--open", "/mcp", "/api/v1/openapi.json", "/metrics"))
    told = " ".join(second.stderr.split())
    assert second.returncode == 1
    assert service.url in told
    assert "unity-mlops token add" in told


def test_it_shows_a_token_once_and_keeps_only_its_hash(home: Path) -> None:
    with ServeProcess(home) as service:
        token = service.token
        assert httpx.get(f"{service.url}/api/v1/runs").status_code == 401
        runs = httpx.get(f"{service.url}/api/v1/runs", headers=service.headers).json()
        assert runs == {"runs": [], "next_cursor": None}
        assert service.end() == 0
    with ServeProcess(home) as again:
        assert not again.output
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.get(f"{again.url}/api/v1/runs", headers=headers).status_code == 200
        assert again.end(signal.SIGINT) == 0
        assert token not in "".join([*service.log, *again.log])
    assert not [path for path in home.rglob("*") if path.is_file() and token.encode() in path.read_bytes()]


def test_an_unknown_argument_is_told_with_the_nearest_there_is(home: Path) -> None:
    with ServeProcess(home) as service:
        asked = httpx.get(f"{service.url}/api/v1/runs", params={"limti": "1"}, headers=service.headers)
        sent = httpx.post(f"{service.url}/api/v1/builds", json={"sepc_id": "x"}, headers=service.headers)
        assert service.end() == 0
    assert (asked.status_code, sent.status_code) == (422, 422)
    assert asked.json()["evidence"] == ["limti: unknown; did you mean limit?"]
    assert sent.json()["evidence"] == ["sepc_id: unknown; did you mean spec_id?"]


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_clients_of_streamable_http_call_tools(era: Era, home: Path) -> None:
    with ServeProcess(home) as service:
        async with (
            httpx2.AsyncClient(headers=service.headers) as http,
            Client(streamable_http_client(f"{service.url}/mcp", http_client=http), mode=era) as client,
        ):
            assert {tool.name for tool in (await client.list_tools()).tools} == set(TOOLS)
            assert structured(await client.call_tool("list_runs", {}))["runs"] == []
        assert service.end() == 0


@pytest.mark.anyio
async def test_clients_of_sse_call_tools(home: Path) -> None:
    with ServeProcess(home) as service:
        async with Client(sse_client(f"{service.url}/sse", headers=service.headers), mode="legacy") as client:
            assert {tool.name for tool in (await client.list_tools()).tools} == set(TOOLS)
            assert structured(await client.call_tool("list_runs", {}))["runs"] == []
        assert service.end() == 0
