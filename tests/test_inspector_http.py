"""The MCP Inspector, a foreign client, against the service: over streamable HTTP in both eras, and over SSE."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.http_worlds import ServeProcess
from tests.mcp_clients import REPOSITORY
from tests.test_inspector import CALLS, INSPECTOR, NODE, TOOL_ERROR, pytestmark

__all__ = ["pytestmark"]
WAYS = [("http", "legacy", "/mcp"), ("http", "modern", "/mcp"), ("sse", "legacy", "/sse")]
CHOSEN = [call for call in CALLS if call[0] in {"check_behavior_script", "list_runs", "wait_for", "build_environment"}]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeProcess]:
    """One service on an empty home."""
    with ServeProcess(tmp_path_factory.mktemp("inspected") / "home") as service:
        yield service
        assert service.end() == 0


def inspect(
    service: ServeProcess, way: tuple[str, str, str], *arguments: str, token: str | None = None
) -> subprocess.CompletedProcess[str]:
    """One Inspector call; its own state lies beside the home."""
    transport, era, path = way
    header = f"Authorization: Bearer {token or service.token}"
    address = (f"{service.url}{path}", "--transport", transport, "--protocol-era", era, "--header", header)
    return subprocess.run(
        [NODE, INSPECTOR, "--cli", *address, *arguments, "--format", "json", "-q"],
        cwd=REPOSITORY,
        env={**os.environ, "HOME": str(service.home.parent)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_it_lists_the_tools_without_a_strict_error(way: tuple[str, str, str], service: ServeProcess) -> None:
    done = inspect(service, way, "--method", "tools/list", "--strict")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["result"]["tools"]) == len(CALLS)
    assert "0 errors" in done.stderr


@pytest.mark.parametrize("way", WAYS, ids="-".join)
@pytest.mark.parametrize("call", CHOSEN, ids=lambda call: call[0])
def test_it_calls_tools(
    call: tuple[str, dict[str, Any], bool, str], way: tuple[str, str, str], service: ServeProcess
) -> None:
    tool, arguments, is_error, said = call
    method = ("--method", "tools/call", "--tool-name", tool, "--tool-args-json", json.dumps(arguments))
    done = inspect(service, way, *method)
    assert done.returncode == (TOOL_ERROR if is_error else 0), done.stderr
    result = json.loads(done.stdout)["result"]
    assert bool(result.get("isError")) is is_error
    assert said in result["content"][0]["text"]


@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_a_wrong_token_lets_it_see_nothing(way: tuple[str, str, str], service: ServeProcess) -> None:
    done = inspect(service, way, "--method", "tools/list", token="umlops_wrong")  # noqa: S106 - it opens nothing
    assert done.returncode != 0
    assert "list_runs" not in done.stdout
