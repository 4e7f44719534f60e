"""The server as a process: it starts light, keeps its wire clean, and goes when its client goes."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.mcp_clients import ERAS, REPOSITORY, Era, RawServer, over_stdio, server_environment
from tests.test_mcp_contract import TOOLS

LIGHT = """
import sys
there = set(sys.modules)  # a namespace package's .pth file may import it as Python starts
from unity_mlops_mcp.interfaces.mcp.server import build_server
from unity_mlops_mcp.interfaces.upkeep import LateApp
import anyio
server = build_server(LateApp())
anyio.run(server.list_tools)
anyio.run(server.list_prompts)
print(",".join(sorted({name.split(".")[0] for name in set(sys.modules) - there})))
print(",".join(sorted(name for name in sys.modules if name.startswith("unity_mlops_mcp"))))
"""
HEAVY = {
    "alembic",
    "diskcache",
    "fastapi",
    "google",
    "grpc",
    "jinja2",
    "numpy",
    "onnxruntime",
    "platformdirs",
    "prometheus_client",
    "psutil",
    "pydantic_settings",
    "sqlalchemy",
    "tensorboard",
    "typer",
    "yaml",
}


def test_nothing_heavy_is_imported_before_the_tools_are_listed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIGHT], cwd=REPOSITORY, check=True, capture_output=True, text=True, timeout=60
    )
    packages, own = (set(line.split(",")) for line in done.stdout.splitlines())
    assert not packages & HEAVY
    assert {"unity_mlops_mcp.app", "unity_mlops_mcp.config"}.isdisjoint(own)


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_a_process_lists_its_tools_in_both_eras(era: Era, home: Path) -> None:
    async with over_stdio(era, home) as client:
        assert len((await client.list_tools()).tools) == len(TOOLS)
        assert len((await client.list_prompts()).prompts) == 2


def test_the_server_ends_by_itself_when_its_input_ends(home: Path) -> None:
    with RawServer(server_environment(home)) as server:
        about = server.open()
        assert about["serverInfo"]["name"] == "unity_mlops_mcp"
        assert len(server.request("tools/list")["result"]["tools"]) == len(TOOLS)
        begun = time.monotonic()
        code, errors = server.close()
        assert time.monotonic() - begun < 10
    assert code == 0
    assert errors == ""


def test_the_server_ends_while_upkeep_is_at_work(home: Path) -> None:
    with RawServer(server_environment(home)) as server:
        server.open()
        answer = server.request("tools/call", name="list_runs", arguments={})
        assert answer["result"]["structuredContent"]["runs"] == []
        begun = time.monotonic()
        code, _ = server.close()
        assert time.monotonic() - begun < 10
    assert code == 0


def test_a_setting_that_cannot_be_used_is_told_by_the_call_not_by_a_crash(home: Path) -> None:
    with RawServer(server_environment(home, UNITY_MLOPS_MAX_JOBS="none")) as server:
        server.open()
        answer = server.request("tools/call", name="list_runs", arguments={})["result"]
    assert answer["isError"]
    assert "UNITY_MLOPS_MAX_JOBS" in answer["content"][0]["text"]
    assert "Fix:" in answer["content"][0]["text"]
