"""A foreign client, the MCP Inspector, lists our tools without an objection and calls each."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.mcp_clients import REPOSITORY, SERVER, server_environment
from tests.stand_ins.unity_editor import install_editor
from tests.unity_worlds import VERSION, needs_a_shell

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
    ("record_demonstrations", {"build_id": "nope"}, True, "nope"),
    ("inspect_dataset", {"path": "nowhere.demo"}, True, "nowhere.demo"),
    ("evaluate_model", {"run_id": "nope"}, True, "nope"),
    ("render_report", {"run_ids": "nope"}, True, "nope"),
    ("compare_runs", {"run_ids": "nope"}, True, "nope"),
    ("register_model", {"run_id": "nope"}, True, "nope"),
    ("list_models", {}, False, '"models":[]'),
    ("promote_model", {"version": "nope"}, True, "nope"),
    ("rollback_model", {"name": "nope", "reason": "it falls"}, True, "nope"),
    ("install_model", {"run_id": "nope", "project_path": "nowhere"}, True, "nowhere"),
    ("add_schedule", {"name": "x", "cron": "61 * * * *", "request": "patrol"}, True, "out of range"),
    ("list_schedules", {}, False, '"schedules":[]'),
    ("update_schedule", {"schedule_id": "nope", "action": "pause"}, True, "nope"),
)


def inspect(home: Path, *arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """One Inspector call over standard input and output; its own state lies beside the home.

    It hands on few variables, so the server's settings are among its arguments.
    """
    given = {"home": home, "roots": home.parent, **settings}
    variables = [word for name, value in given.items() for word in ("-e", f"UNITY_MLOPS_{name.upper()}={value}")]
    return subprocess.run(
        [NODE, INSPECTOR, "--cli", *SERVER, *variables, *arguments, "--format", "json", "-q"],
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


@pytest.mark.trainer
@needs_a_shell
@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_a_conversation_goes_from_a_sentence_over_unity_to_figures(era: str, home: Path, trainer_python: Path) -> None:
    """Every call has a server of its own, as when a chat is closed and opened again."""
    settings = {"trainer": trainer_python, "editor": install_editor(home.parent / "Editors", VERSION)}

    def call(tool: str, **arguments: Any) -> dict[str, Any]:
        method = ("--method", "tools/call", "--tool-name", tool, "--tool-args-json", json.dumps(arguments))
        done = inspect(home, "--protocol-era", era, *method, **settings)
        assert done.returncode == 0, done.stdout + done.stderr
        return dict(json.loads(done.stdout)["result"]["structuredContent"])

    def ended(subject: str) -> dict[str, Any]:
        for _ in range(6):
            status = call("wait_for", id=subject, timeout_s=50)
            if status["done"]:
                break
        assert status["state"] == "succeeded", status
        return status

    made = call("generate_behavior_script", description="create a patrol AI", unity_version=VERSION)
    assert made["findings"] == []
    agent = inspect(home, "--protocol-era", era, "--method", "resources/read", "--uri", made["files"][0]["uri"])
    source = json.loads(agent.stdout)["result"]["contents"][0]["text"]
    assert call("check_behavior_script", source=source, spec_id=made["spec_id"], unity_version=VERSION)["ok"]
    build = call("build_environment", spec_id=made["spec_id"], target="unity", idempotency_key="build")
    run = call("start_training", build_id=build["build_id"], max_steps=6000, trainer_config="{summary_freq: 500}")
    assert ended(build["build_id"])["probe"]["agents"] > 0
    assert ended(run["run_id"])["step"] >= 6000
    figures = call("get_metrics", run_id=run["run_id"])
    assert figures["summary"]["steps"] >= 6000
    assert figures["series"][0]["tag"] == "Environment/Cumulative Reward"
    assert [row["run_id"] for row in call("list_runs")["runs"]] == [run["run_id"]]
    whole = call("run_pipeline", request="create a patrol AI", max_steps=2000, training="{summary_freq: 500}")
    assert {stage["state"] for stage in ended(whole["job_id"])["stages"]} == {"done"}


def test_the_inspector_lists_prompts_and_resources(home: Path) -> None:
    prompts = json.loads(inspect(home, "--method", "prompts/list").stdout)["result"]["prompts"]
    assert {prompt["name"] for prompt in prompts} == {"train_behavior", "diagnose_run"}
    templates = json.loads(inspect(home, "--method", "resources/templates/list").stdout)["result"]["resourceTemplates"]
    assert {template["uriTemplate"] for template in templates} == {
        "runs://{run_id}",
        "runs://{run_id}/log",
        "spec://archetypes/{name}",
        "scripts://{spec_id}/{file}",
        "models://{version}",
        "evaluations://{evaluation_id}",
        "reports://{report_id}",
    }
