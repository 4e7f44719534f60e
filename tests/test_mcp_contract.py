"""What a chat client sees before it calls anything: tools, schemas, prompts, resources, instructions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from mcp.types import TextContent, TextResourceContents, Tool

from tests.mcp_clients import ERAS, Era, in_memory, text
from unity_mlops_mcp.spec.archetypes import archetype_names
from unity_mlops_mcp.spec.environment import EnvironmentSpec

pytestmark = pytest.mark.anyio

RUN_FILTERS = {"state", "behavior", "asset", "limit", "cursor"}
BUILD = {
    "description",
    "observation_space",
    "action_space",
    "spec_id",
    "spec",
    "name",
    "target",
    "project_path",
    "scenes",
    "editor_path",
    "build_target",
    "areas",
    "confirm",
    "use_llm",
    "idempotency_key",
}
SCRIPT = {
    "description",
    "name",
    "observation_space",
    "action_space",
    "spec",
    "source",
    "unity_version",
    "ml_agents_version",
    "use_llm",
    "schema_only",
    "output_path",
    "force",
    "spec_id",
}
CHECK = {"path", "source", "spec_id", "unity_version", "ml_agents_version"}
PIPELINE = {
    "request",
    "spec",
    "project_path",
    "scenes",
    "target",
    "training",
    "max_steps",
    "confirm",
    "dry_run",
    "idempotency_key",
}
SCHEDULE = {
    "name",
    "cron",
    "request",
    "assets",
    "build_id",
    "project_path",
    "scenes",
    "target",
    "training",
    "max_steps",
    "after",
    "alias",
    "warm_start",
    "timezone",
    "overlap",
    "catch_up",
    "pause_s",
    "max_concurrent_jobs",
    "enabled",
    "confirm",
}
TRAINING = {
    "build_id",
    "env_path",
    "editor",
    "algorithm",
    "max_steps",
    "num_envs",
    "num_areas",
    "time_scale",
    "learning_rate",
    "seed",
    "trainer_mode",
    "trainer_config",
    "initialize_from",
    "run_id",
    "force",
    "no_graphics",
    "width",
    "height",
    "env_args",
    "training_mode",
    "offline_dataset_path",
    "demonstration_signals",
    "idempotency_key",
}
EVALUATION = {
    "run_id",
    "model",
    "onnx_path",
    "build_id",
    "env_path",
    "episodes",
    "seed",
    "deterministic",
    "num_areas",
    "parameters",
    "sweep",
    "no_graphics",
    "env_args",
    "idempotency_key",
}
RECORDING = {"build_id", "env_path", "episodes", "policy", "seed", "noise", "idempotency_key"}
REGISTRATION = {"name", "run_id", "onnx_path", "description", "registry", "vertex_project", "vertex_region"}
PROMOTION = {"version", "name", "alias", "gates", "action", "override_reason", "confirm"}
ROLLBACK = {"name", "alias", "to", "reason", "corrective_action", "confirm"}
COMPARISON = {"run_ids", "filter", "metric", "baseline", "group_by", "threshold", "cursor"}
# tool: (arguments, required arguments, (read only, destructive, idempotent, open world))
TOOLS: dict[str, tuple[set[str], set[str], tuple[bool, bool, bool, bool]]] = {
    "check_setup": ({"fix"}, set(), (False, False, True, True)),
    "run_pipeline": (PIPELINE, set(), (False, False, False, True)),
    "generate_behavior_script": (SCRIPT, set(), (False, False, False, True)),
    "check_behavior_script": (CHECK, set(), (True, False, True, False)),
    "build_environment": (BUILD, set(), (False, False, True, True)),
    "start_training": (TRAINING, set(), (False, False, False, False)),
    "wait_for": ({"id", "timeout_s", "until"}, {"id"}, (True, False, True, False)),
    "get_run": ({"id"}, {"id"}, (True, False, True, False)),
    "get_metrics": ({"run_id", "tags", "max_points", "cursor"}, {"run_id"}, (True, False, True, False)),
    "compare_runs": (COMPARISON, set(), (True, False, True, False)),
    "list_runs": (RUN_FILTERS, set(), (True, False, True, False)),
    "stop_training": ({"id"}, {"id"}, (False, True, True, False)),
    "resume_training": ({"run_id", "extra_steps"}, {"run_id"}, (False, False, False, False)),
    "render_report": ({"run_ids", "format"}, {"run_ids"}, (False, False, False, False)),
    "record_demonstrations": (RECORDING, set(), (False, False, False, False)),
    "inspect_dataset": ({"path", "build_id"}, {"path"}, (True, False, True, False)),
    "evaluate_model": (EVALUATION, set(), (False, False, False, False)),
    "register_model": (REGISTRATION, set(), (False, False, True, True)),
    "promote_model": (PROMOTION, set(), (False, True, False, False)),
    "rollback_model": (ROLLBACK, {"name", "reason"}, (False, True, False, False)),
    "list_models": ({"name", "alias", "limit", "cursor"}, set(), (True, False, True, False)),
    "install_model": (
        {"project_path", "run_id", "model", "onnx_path", "confirm"},
        {"project_path"},
        (False, True, True, False),
    ),
    "add_schedule": (SCHEDULE, {"name", "cron"}, (False, False, False, False)),
    "list_schedules": ({"name"}, set(), (True, False, True, False)),
    "update_schedule": ({"schedule_id", "action", "changes"}, {"schedule_id", "action"}, (False, True, False, False)),
}


async def listed(era: Era) -> dict[str, Tool]:
    async with in_memory(era) as client:
        return {tool.name: tool for tool in (await client.list_tools()).tools}


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Every object inside a schema."""
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from nodes(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from nodes(value)


@pytest.mark.parametrize("era", ERAS)
async def test_the_tools_and_their_arguments_are_those_of_the_contract(era: Era) -> None:
    tools = await listed(era)
    assert set(tools) == set(TOOLS)
    for name, (arguments, required, hints) in TOOLS.items():
        schema = tools[name].input_schema
        assert set(schema["properties"]) == arguments, name
        assert set(schema.get("required", [])) == required, name
        annotations = tools[name].annotations
        assert annotations is not None
        found = (
            annotations.read_only_hint,
            annotations.destructive_hint,
            annotations.idempotent_hint,
            annotations.open_world_hint,
        )
        assert found == hints, name


async def test_every_schema_is_flat_and_every_argument_is_described() -> None:
    for tool in (await listed("auto")).values():
        assert tool.input_schema["additionalProperties"] is False
        for schema in (tool.input_schema, tool.output_schema):
            for node in nodes(schema):
                assert not {"$ref", "$defs", "anyOf", "oneOf", "allOf", "const"} & set(node), (tool.name, node)
        for name, argument in tool.input_schema["properties"].items():
            assert isinstance(argument["type"], str), (tool.name, name)
            assert argument["description"], (tool.name, name)


async def test_enums_and_bounds_are_published() -> None:
    tools = await listed("auto")
    training = tools["start_training"].input_schema["properties"]
    assert training["algorithm"]["enum"] == ["ppo", "sac", "poca", "iql"]
    assert training["trainer_mode"]["enum"] == ["fast", "compat"]
    assert tools["build_environment"].input_schema["properties"]["target"]["enum"] == ["sandbox", "unity"]
    assert tools["wait_for"].input_schema["properties"]["timeout_s"]["maximum"] == 50
    assert tools["get_metrics"].input_schema["properties"]["max_points"]["maximum"] == 200
    assert "interrupted" in tools["list_runs"].input_schema["properties"]["state"]["enum"]


async def test_every_tool_says_when_to_use_it_and_what_it_gives() -> None:
    for tool in (await listed("auto")).values():
        assert re.fullmatch(r"[a-z][a-z0-9_]{2,39}", tool.name)
        assert tool.title
        assert tool.description is not None
        assert len(tool.description) > 150, tool.name
        assert "    " not in tool.description, "the docstring's indentation is not the model's business"
        assert tool.output_schema is not None
        assert tool.output_schema["type"] == "object"


@pytest.mark.parametrize("era", ERAS)
async def test_the_instructions_teach_the_order_of_the_calls(era: Era) -> None:
    async with in_memory(era) as client:
        instructions = client.instructions or ""
    order = ["check_setup", "build_environment", "start_training", "wait_for", "get_metrics"]
    places = [instructions.index(name) for name in order]
    assert places == sorted(places)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("list_runs", {"limt": 3}, "limt: unknown; did you mean limit?"),
        ("start_training", {"max_step": 1000}, "max_step: unknown; did you mean max_steps?"),
        ("start_training", {"algorithm": "dqn"}, "algorithm: Input should be 'ppo', 'sac', 'poca' or 'iql'"),
        ("start_training", {"max_steps": "many"}, "max_steps: Input should be a valid integer"),
        ("wait_for", {"id": "x", "timeout_s": 51}, "timeout_s: Input should be less than or equal to 50"),
        ("get_run", {}, "id: Field required"),
        ("list_runs", {"state": "sleeping"}, "state: Input should be 'queued'"),
    ],
)
async def test_arguments_that_cannot_be_used_are_refused_with_the_right_ones(
    era: Era, tool: str, arguments: dict[str, Any], said: str
) -> None:
    async with in_memory(era) as client:
        result = await client.call_tool(tool, arguments)
    assert result.is_error
    assert said in text(result)
    assert f"Its arguments are: {next(iter((await listed(era))[tool].input_schema['properties']))}" in text(result)
    assert "http" not in text(result)


@pytest.mark.parametrize("era", ERAS)
async def test_the_prompts_can_be_had_with_and_without_arguments(era: Era) -> None:
    async with in_memory(era) as client:
        prompts = {prompt.name: prompt for prompt in (await client.list_prompts()).prompts}
        assert set(prompts) == {"train_behavior", "diagnose_run"}
        assert not any(argument.required for prompt in prompts.values() for argument in prompt.arguments or [])
        said = await client.get_prompt("train_behavior", {"goal": "find the red ball", "minutes": "3"})
        asked = await client.get_prompt("train_behavior", {})
        diagnosis = await client.get_prompt("diagnose_run", {"run_id": "run-1"})
    contents = [result.messages[0].content for result in (said, asked, diagnosis)]
    assert all(isinstance(content, TextContent) for content in contents)
    texts = [content.text for content in contents if isinstance(content, TextContent)]
    assert "find the red ball" in texts[0]
    assert "about 3 minutes" in texts[0]
    assert "Ask me" in texts[1]
    assert "`run-1`" in texts[2]
    for words in texts:
        assert "{" not in words
        assert all(
            name in TOOLS
            for name in re.findall(r"`([a-z]+_[a-z]+)`", words)
            if name not in {"build_id", "run_id"} | NOT_TOOLS
        )


NOT_TOOLS = {"eta_s", "extra_steps"}
"""Names in the prompts' texts that are fields and arguments."""


@pytest.mark.parametrize("era", ERAS)
async def test_runs_and_specs_are_resources(era: Era) -> None:
    async with in_memory(era) as client:
        templates = (await client.list_resource_templates()).resource_templates
        fixed = (await client.list_resources()).resources
    assert {template.uri_template: template.mime_type for template in templates} == TEMPLATES
    assert {str(resource.uri): resource.mime_type for resource in fixed} == {
        "spec://schema": "application/schema+json",
        "ui://unity_mlops_mcp/curves.html": "text/html;profile=mcp-app",
    }


TEMPLATES = {
    "runs://{run_id}": "application/json",
    "runs://{run_id}/log": "text/plain",
    "scripts://{spec_id}/{file}": "text/plain",
    "spec://archetypes/{name}": "application/yaml",
    "models://{version}": "text/markdown",
    "evaluations://{evaluation_id}": "application/json",
    "reports://{report_id}": "text/markdown",
}


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("name", archetype_names())
async def test_a_model_can_read_what_it_needs_to_write_a_spec(era: Era, name: str) -> None:
    async with in_memory(era) as client:
        (schema,) = (await client.read_resource("spec://schema")).contents
        (example,) = (await client.read_resource(f"spec://archetypes/{name}")).contents
    assert isinstance(schema, TextResourceContents)
    assert isinstance(example, TextResourceContents)
    assert json.loads(schema.text) == EnvironmentSpec.model_json_schema()
    EnvironmentSpec.from_data({"name": "Mine", **yaml.safe_load(example.text)["spec"]})
