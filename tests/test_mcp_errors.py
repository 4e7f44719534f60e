"""What a model reads when something is wrong, and how much it has to read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import MCPError
from mcp.types import INVALID_PARAMS

from tests.mcp_clients import ERAS, Era, in_memory, structured, text
from unity_mlops_mcp.interfaces.mcp.bounds import MAX_BYTES, bounded

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("era", ERAS)
async def test_an_empty_home_answers_with_structured_results(era: Era, home: Path) -> None:
    async with in_memory(era) as client:
        assert structured(await client.call_tool("list_runs", {})) == {"runs": [], "next_cursor": None}
        checks = structured(await client.call_tool("check_setup", {}))["checks"]
    assert await anyio.Path(home).is_dir()
    assert {"ok", "warn", "fail"} >= {check["status"] for check in checks}
    assert all(check["fix"] for check in checks if check["status"] != "ok")


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("get_run", {"id": "nope"}),
        ("wait_for", {"id": "nope", "timeout_s": 0}),
        ("stop_training", {"id": "nope"}),
        ("resume_training", {"run_id": "nope"}),
        ("get_metrics", {"run_id": "nope"}),
    ],
)
@pytest.mark.usefixtures("home")
async def test_an_unknown_id_is_named_with_a_way_on(era: Era, tool: str, arguments: dict[str, Any]) -> None:
    async with in_memory(era) as client:
        result = await client.call_tool(tool, arguments)
    assert result.is_error
    assert "nope" in text(result)
    assert "\nFix: " in text(result)
    assert "\nCause: not_found" in text(result)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("uri", ["runs://nope", "runs://nope/log"])
@pytest.mark.usefixtures("home")
async def test_an_unknown_resource_is_not_found(era: Era, uri: str) -> None:
    async with in_memory(era) as client:
        with pytest.raises(MCPError) as raised:
            await client.read_resource(uri)
    assert raised.value.error.code == INVALID_PARAMS
    assert "nope" in raised.value.error.message


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("start_training", {"env_path": "a\0b"}),
        ("start_training", {"env_path": "~nobody-of-this-name/player"}),
        ("start_training", {"env_path": "{home}/loop"}),
        ("wait_for", {"id": "x", "until": "nan"}),
        ("get_run", {"id": "x" * 100_000}),
        ("build_environment", {"spec_id": "x" * 100_000}),
    ],
)
async def test_what_no_tool_can_use_is_refused_in_a_few_words(tool: str, arguments: dict[str, Any], home: Path) -> None:
    await anyio.Path(home).mkdir(exist_ok=True)
    await anyio.Path(home / "loop").symlink_to("loop")
    given = {name: value.format(home=home) for name, value in arguments.items()}
    async with in_memory("auto") as client:
        result = await client.call_tool(tool, given)
    assert result.is_error
    assert "\nFix: " in text(result)
    assert len(text(result)) < MAX_BYTES / 2


@pytest.mark.usefixtures("home")
async def test_a_sentence_that_cannot_be_placed_lists_what_can_be() -> None:
    async with in_memory("auto") as client:
        result = await client.call_tool("build_environment", {"description": "make me a sandwich"})
    assert result.is_error
    assert all(name in text(result) for name in ("reach_target", "navigate_obstacles", "patrol_waypoints"))


@pytest.mark.usefixtures("home")
async def test_structured_arguments_may_come_as_text_or_as_objects() -> None:
    """Some clients send the object, some its text, and the library turns text that is JSON into objects."""
    spaces: tuple[Any, ...] = (
        {"raycast": 8, "velocity": 2},
        '{"raycast": 8, "velocity": 2}',
        "raycast: 8\nvelocity: 2",
    )
    async with in_memory("auto") as client:
        builds = [
            structured(
                await client.call_tool(
                    "build_environment", {"description": "reach the target", "observation_space": space}
                )
            )
            for space in spaces
        ]
    assert len({build["build_id"] for build in builds}) == 1


@pytest.mark.usefixtures("home")
async def test_nothing_to_train_in_is_told_with_the_choices() -> None:
    async with in_memory("auto") as client:
        result = await client.call_tool("start_training", {})
    assert result.is_error
    assert all(name in text(result) for name in ("build_id", "env_path", "editor"))


def test_an_answer_that_is_too_long_loses_its_longest_parts_and_says_so() -> None:
    record = {
        "id": "run-1",
        "state": "failed",
        "configuration": "x" * 9000,
        "log_tail": [f"line {n} {'é' * 60}" for n in range(400)],
        "files": [f"file-{n}" for n in range(900)],
        "notes": ["kept"],
    }
    short = bounded(record)
    assert len(json.dumps(short, ensure_ascii=False).encode()) <= MAX_BYTES + 1000
    assert len(json.dumps(short, ensure_ascii=False, separators=(",", ":")).encode()) <= MAX_BYTES
    assert short["log_tail"][-1].startswith("line 399 ")
    assert short["files"][0] == "file-0"
    assert short["notes"][0] == "kept"
    assert "log_tail" in short["notes"][1]
    assert len(short["notes"]) == 2
    assert bounded({"id": "x"}) == {"id": "x"}
