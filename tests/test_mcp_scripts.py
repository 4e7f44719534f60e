"""C# over MCP: written from sentences and specs, read as resources, put into folders, and checked whoever wrote it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from mcp import Client
from mcp.types import TextResourceContents

from tests.mcp_clients import ERAS, Era, in_memory, structured, text
from tests.unity_worlds import own_project
from unity_mlops_mcp.interfaces.mcp.bounds import MAX_BYTES
from unity_mlops_mcp.spec.archetypes import archetype_names
from unity_mlops_mcp.spec.schema import full_schema, short_schema

pytestmark = pytest.mark.anyio

SENTENCE = "patrol four waypoints"
READS_A_FILE = """\
using Unity.MLAgents;
using Unity.MLAgents.Actuators;
using Unity.MLAgents.Sensors;

public class PatrolWaypointsAgent : Agent
{
    public override void CollectObservations(VectorSensor sensor)
    {
        sensor.AddObservation(1f);
        System.IO.File.ReadAllText("/etc/passwd");
    }

    public override void OnActionReceived(ActionBuffers actions)
    {
    }
}
"""


async def generate(client: Client, **arguments: Any) -> dict[str, Any]:
    return structured(await client.call_tool("generate_behavior_script", arguments))


async def check(client: Client, **arguments: Any) -> dict[str, Any]:
    return structured(await client.call_tool("check_behavior_script", arguments))


async def read(client: Client, uri: str) -> str:
    (content,) = (await client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    return content.text


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.usefixtures("home")
async def test_a_sentence_becomes_csharp_that_can_be_read_and_has_no_findings(era: Era) -> None:
    async with in_memory(era) as client:
        made = await generate(client, description=SENTENCE, name="gate guard")
        assert (made["behavior_name"], made["archetype"], made["planner"]) == ("GateGuard", "patrol_waypoints", "rules")
        assert made["findings"] == []
        assert made["action_size"] == {"continuous": 2, "branches": []}
        for file in made["files"]:
            code = await read(client, file["uri"])
            assert hashlib.sha256(code.encode()).hexdigest() == file["sha256"]
        assert [file["kind"] for file in made["files"]] == ["agent", "area", "scene"]
        assert "class GateGuardAgent : Agent" in await read(client, made["files"][0]["uri"])
        build = structured(await client.call_tool("build_environment", {"spec_id": made["spec_id"]}))
    assert build["behaviors"][0]["observation_shapes"] == [[made["observation_size"]]]


@pytest.mark.parametrize("name", archetype_names())
@pytest.mark.usefixtures("home")
async def test_every_archetype_is_written_for_every_package_and_found_clean(name: str) -> None:
    async with in_memory("auto") as client:
        example = await read(client, f"spec://archetypes/{name}")
        for version in ("2.0", "2.3", "3.0", "4.0"):
            made = await generate(client, spec=spec_in(example), ml_agents_version=version)
            assert made["ml_agents_version"].startswith(version)
            errors = [finding for finding in made["findings"] if finding["severity"] != "info"]
            assert not errors


def spec_in(archetype: str) -> str:
    """The spec within an archetype's YAML, as a caller would pass it."""
    return json.dumps(yaml.safe_load(archetype)["spec"])


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.usefixtures("home")
async def test_the_schema_and_an_example_come_in_one_answer(era: Era) -> None:
    async with in_memory(era) as client:
        made = await generate(client, schema_only=True)
        again = await generate(client, spec=made["example"])
    assert len(json.dumps(made, separators=(",", ":")).encode()) <= MAX_BYTES
    assert again["findings"] == []
    assert made["spec_schema"] == short_schema()


def test_the_short_schema_has_every_field_of_the_whole_one() -> None:
    whole, short = full_schema(), short_schema()
    assert set(short["properties"]) == set(whole["properties"])
    for name, part in whole["$defs"].items():
        assert set(short["$defs"][name].get("properties", {})) == set(part.get("properties", {})), name
        assert short["$defs"][name].get("required") == part.get("required"), name
        assert short["$defs"][name]["description"], name
    named = {node["$ref"].removeprefix("#/$defs/") for node in nodes(short) if "$ref" in node}
    assert named <= set(short["$defs"])


def nodes(schema: Any) -> list[dict[str, Any]]:
    """Every object inside a schema."""
    inside = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else []
    own = [schema] if isinstance(schema, dict) else []
    return [*own, *(node for value in inside for node in nodes(value))]


async def test_files_go_into_a_folder_and_nothing_there_is_lost(home: Path) -> None:
    project = own_project(home.parent)
    agent = project / "Assets" / "PatrolWaypoints" / "PatrolWaypointsAgent.cs"
    async with in_memory("auto") as client:
        made = await generate(client, description=SENTENCE, output_path=str(project))
        assert made["folder"] == str(project)
        ours = agent.read_text()
        await generate(client, description=SENTENCE, output_path=str(project))
        agent.write_text("// mine\n")
        refused = await client.call_tool(
            "generate_behavior_script", {"description": SENTENCE, "output_path": str(project)}
        )
        assert refused.is_error
        assert "force=true" in text(refused)
        assert agent.read_text() == "// mine\n"
        await generate(client, description=SENTENCE, output_path=str(project), force=True)
    assert agent.read_text() == ours
    (kept,) = (home / ".replaced").rglob("*.cs.*")
    assert kept.read_text() == "// mine\n"


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.usefixtures("home")
async def test_code_from_elsewhere_goes_through_the_same_checks_and_the_guard(era: Era) -> None:
    async with in_memory(era) as client:
        made = await generate(client, description=SENTENCE)
        wrong = await generate(client, spec_id=made["spec_id"], source=READS_A_FILE)
        rules = {finding["id"] for finding in wrong["findings"]}
        assert any(rule.startswith("SEC") for rule in rules)
        assert "MLA001" in rules
        assert await read(client, wrong["files"][0]["uri"]) == READS_A_FILE
        report = await check(client, source=READS_A_FILE, spec_id=made["spec_id"])
        assert not report["ok"]
        assert {finding["id"] for finding in report["findings"]} == rules
        assert all(finding["line"] > 0 and finding["fix"] for finding in report["findings"])


async def test_the_users_own_files_are_checked_for_the_version_of_their_project(home: Path) -> None:
    project = own_project(home.parent)
    file = project / "Assets" / "Reader.cs"
    file.write_text(READS_A_FILE.replace("PatrolWaypointsAgent", "Reader"))
    async with in_memory("auto") as client:
        one = await check(client, path=str(file))
        whole = await check(client, path=str(project / "Assets"))
    assert one["agents"] == ["Reader"]
    assert one["unity_version"].startswith("2022.3")
    assert one["observation_size"] == 1
    assert not [finding for finding in one["findings"] if finding["id"].startswith("SEC")], "it is the user's own"
    assert whole["files"] > 1
    assert "Reader" in whole["agents"]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("generate_behavior_script", {}, "Give exactly one of description, spec, spec_id"),
        ("generate_behavior_script", {"description": SENTENCE, "spec_id": "x"}, "Give exactly one of"),
        ("generate_behavior_script", {"spec_id": "nope"}, "nope"),
        ("generate_behavior_script", {"spec": "name: lower"}, "name: "),
        ("generate_behavior_script", {"description": SENTENCE, "unity_version": "5.6"}, "no Unity version"),
        ("generate_behavior_script", {"description": SENTENCE, "ml_agents_version": "9"}, "Use one of"),
        (
            "generate_behavior_script",
            {"description": SENTENCE, "unity_version": "2021.3", "ml_agents_version": "4.0"},
            "needs Unity",
        ),
        ("generate_behavior_script", {"description": SENTENCE, "output_path": "/elsewhere"}, "UNITY_MLOPS_ROOTS"),
        ("generate_behavior_script", {"description": "make me a sandwich"}, "Describe one of these behaviours"),
        ("generate_behavior_script", {"spec": "name: X", "action_space": "{}"}, "Leave them out"),
        ("check_behavior_script", {}, "Give exactly one of path, source"),
        ("check_behavior_script", {"path": "/etc/passwd"}, "UNITY_MLOPS_ROOTS"),
        ("check_behavior_script", {"source": "class X {}", "spec_id": "nope"}, "nope"),
        ("check_behavior_script", {"source": "\u0000"}, "binary"),
    ],
)
@pytest.mark.usefixtures("home")
async def test_what_cannot_be_used_is_told_with_the_way_on(
    era: Era, tool: str, arguments: dict[str, Any], said: str
) -> None:
    async with in_memory(era) as client:
        result = await client.call_tool(tool, arguments)
    assert result.is_error
    assert said in text(result)
    assert "\nFix: " in text(result)


@pytest.mark.usefixtures("home")
async def test_many_findings_fit_into_an_answer_with_the_gravest_first() -> None:
    bad = "sensor.AddObservation(gameObject);\n" * 600
    source = READS_A_FILE.replace("sensor.AddObservation(1f);", bad)
    async with in_memory("auto") as client:
        report = await check(client, source=source)
    assert len(json.dumps(report, separators=(",", ":")).encode()) <= MAX_BYTES
    assert report["findings_left_out"] > 500
    assert report["findings"][0]["severity"] == "error"


@pytest.mark.parametrize("uri", ["scripts://nope/X.cs", "scripts://..%2Fspecs%2Fx/X.cs", "scripts://../X.cs"])
@pytest.mark.usefixtures("home")
async def test_a_script_that_is_not_there_is_not_found(uri: str) -> None:
    async with in_memory("auto") as client:
        with pytest.raises(Exception, match=r"has no script|Unknown resource"):
            await client.read_resource(uri)
