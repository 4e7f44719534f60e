"""A foreign client, the MCP Inspector, lists our tools without an objection and calls each."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.mcp_clients import REPOSITORY, SERVER, server_environment

INSPECTOR = os.environ.get("UNITY_MLOPS_TEST_INSPECTOR", "")
NODE = os.environ.get("UNITY_MLOPS_TEST_NODE", "node")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path(INSPECTOR).is_file(),
        reason="no MCP Inspector: set UNITY_MLOPS_TEST_INSPECTOR to its launcher (index.js) and UNITY_MLOPS_TEST_NODE",
    ),
]

TOOL_ERROR = 5
# Each tool once, on an empty home: the arguments, and what the answer says; True where it is an error for the model.
CALLS: tuple[tuple[str, dict[str, Any], bool, str], ...] = (
    ("check_setup", {}, False, "checks"),
    ("run_pipeline", {"request": "patrol four waypoints", "dry_run": True}, False, "pipeline-"),
    ("generate_behavior_script", {"description": "push the crate into the goal"}, False, "PushBlockAgent.cs"),
    ("check_behavior_script", {"source": "class A {"}, False, "MLA000"),
    ("build_environment", {"description": "reach the target"}, False, "reach_target"),
    ("list_runs", {}, False, '"runs":[]'),
    ("start_training", {}, True, "build_id"),
    ("get_run", {"id": "nope"}, True, "nope"),
    ("wait_for", {"id": "nope", "timeout_s": 1}, True, "nope"),
    ("stop_training", {"id": "nope"}, True, "nope"),
    ("resume_training", {"run_id": "nope"}, True, "nope"),
    ("get_metrics", {"run_id": "nope"}, True, "nope"),
    ("install_model", {"run_id": "nope", "project_path": "nowhere"}, True, "nowhere"),
)


def inspect(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One Inspector call over standard input and output; its own state lies beside the home."""
    return subprocess.run(
        [NODE, INSPECTOR, "--cli", *SERVER, *arguments, "--format", "json", "-q"],
        cwd=REPOSITORY,
        env=server_environment(home, HOME=str(home.parent)),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_the_inspector_lists_the_tools_without_a_strict_error(era: str, home: Path) -> None:
    done = inspect(home, "--protocol-era", era, "--method", "tools/list", "--strict")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["result"]["tools"]) == len(CALLS)
    assert "0 errors" in done.stderr


@pytest.mark.parametrize("era", ["legacy", "modern"])
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call[0])
def test_the_inspector_calls_each_tool(call: tuple[str, dict[str, Any], bool, str], era: str, home: Path) -> None:
    tool, arguments, is_error, said = call
    method = ("--method", "tools/call", "--tool-name", tool, "--tool-args-json", json.dumps(arguments))
    done = inspect(home, "--protocol-era", era, *method)
    assert done.returncode == (TOOL_ERROR if is_error else 0), done.stderr
    result = json.loads(done.stdout)["result"]
    assert bool(result.get("isError")) is is_error
    assert said in result["content"][0]["text"]


def test_the_inspector_lists_prompts_and_resources(home: Path) -> None:
    prompts = json.loads(inspect(home, "--method", "prompts/list").stdout)["result"]["prompts"]
    assert {prompt["name"] for prompt in prompts} == {"train_behavior", "diagnose_run"}
    templates = json.loads(inspect(home, "--method", "resources/templates/list").stdout)["result"]["resourceTemplates"]
    assert {template["uriTemplate"] for template in templates} == {
        "runs://{run_id}",
        "runs://{run_id}/log",
        "spec://archetypes/{name}",
    }
