"""The whole way through MCP with the real trainer: start, lose the client, come back, look on, stop, resume."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.types import TextResourceContents

from tests.event_files import REWARD, SUCCESS, summaries, write
from tests.mcp_clients import ERAS, Era, RawServer, over_stdio, server_environment, structured
from tests.training_home import small

pytestmark = [pytest.mark.anyio, pytest.mark.trainer, pytest.mark.slow]

LIMIT_BYTES = 20_000


async def started(client: Client, *, max_steps: int) -> str:
    """A run that was just started from a sentence."""
    build = structured(await client.call_tool("build_environment", {"description": "reach the target"}))
    arguments = {"build_id": build["build_id"], "max_steps": max_steps, "seed": 1}
    return str(structured(await client.call_tool("start_training", arguments))["run_id"])


async def waited(client: Client, run_id: str, *, until: str | None = None, at_most_s: float = 180) -> dict[str, Any]:
    """The status when what is waited for has come; fails the test when it does not come in time."""
    arguments = {"id": run_id, "timeout_s": 20} | ({"until": until} if until else {})
    with anyio.fail_after(at_most_s):
        while True:
            status = structured(await client.call_tool("wait_for", arguments, read_timeout_seconds=60))
            if status["done"]:
                return status


async def test_a_run_goes_on_when_its_client_dies_and_the_next_client_finds_it(
    home: Path, trainer_python: Path
) -> None:
    environment = server_environment(home, UNITY_MLOPS_TRAINER=str(trainer_python))
    with RawServer(environment) as server:
        server.open()
        build = server.request("tools/call", name="build_environment", arguments={"description": "reach the target"})
        build_id = build["result"]["structuredContent"]["build_id"]
        arguments = {"build_id": build_id, "max_steps": 6000, "seed": 1}
        run = server.request("tools/call", name="start_training", arguments=arguments)
        run_id = run["result"]["structuredContent"]["run_id"]
        server.process.kill()
    async with over_stdio("auto", home, UNITY_MLOPS_TRAINER=str(trainer_python)) as client:
        runs = structured(await client.call_tool("list_runs", {}))["runs"]
        assert [row["run_id"] for row in runs] == [run_id]
        status = await waited(client, run_id)
        assert status["state"] == "succeeded", status
        assert status["step"] >= 6000
        assert await anyio.Path(status["onnx"]).is_file()
        metrics = structured(await client.call_tool("get_metrics", {"run_id": run_id}))
        assert metrics["summary"]["steps"] >= 6000
        assert any(series["tag"] == "Environment/Cumulative Reward" for series in metrics["series"])
        assert all(len(json.dumps(result)) <= LIMIT_BYTES for result in (status, metrics))


async def test_two_servers_on_one_home_start_stop_and_read_at_the_same_time(home: Path, trainer_python: Path) -> None:
    long: list[str] = []
    short: list[str] = []
    listed: list[list[str]] = []

    async def start(client: Client, build_id: str, config: str, into: list[str]) -> None:
        arguments = {"build_id": build_id, "trainer_config": config, "num_areas": 16}
        into.append(structured(await client.call_tool("start_training", arguments))["run_id"])

    async def stop(client: Client, run_id: str) -> None:
        structured(await client.call_tool("stop_training", {"id": run_id}, read_timeout_seconds=60))

    async def read(client: Client) -> None:
        rows = structured(await client.call_tool("list_runs", {}))["runs"]
        listed.append([row["run_id"] for row in rows])

    environment = {"UNITY_MLOPS_TRAINER": str(trainer_python)}
    async with over_stdio("auto", home, **environment) as one, over_stdio("legacy", home, **environment) as other:
        build = structured(await one.call_tool("build_environment", {"description": "reach the target"}))
        for into, steps in ((long, 1_000_000), (short, 3000)):
            async with anyio.create_task_group() as group:
                for client in (one, other):
                    group.start_soon(start, client, build["build_id"], small(steps), into)
                    group.start_soon(read, client)
        for run_id in long:
            await waited(one, run_id, until="running")
        async with anyio.create_task_group() as group:
            for client in (one, other):
                group.start_soon(read, client)
                for run_id in long:
                    group.start_soon(stop, client, run_id)
        assert [(await waited(one, run_id))["state"] for run_id in long] == ["cancelled"] * 2
        ended = [await waited(other, run_id) for run_id in short]
        assert [(status["state"], status["attempts"]) for status in ended] == [("succeeded", 1)] * 2
        await read(one)
        await read(other)
    assert len({*long, *short}) == 4
    assert all(len(rows) == len(set(rows)) for rows in listed)
    assert set(listed[-1]) == set(listed[-2]) == {*long, *short}


@pytest.mark.parametrize("era", ERAS)
async def test_a_waiting_client_hears_how_the_run_stands(era: Era, home: Path, trainer_python: Path) -> None:
    heard: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    async with over_stdio(era, home, UNITY_MLOPS_TRAINER=str(trainer_python)) as client:
        run_id = await started(client, max_steps=500_000)
        status = structured(await client.call_tool("wait_for", {"id": run_id, "timeout_s": 8}, progress_callback=hear))
        assert status["done"] is False
        stopped = structured(await client.call_tool("stop_training", {"id": run_id}))
        assert stopped["id"] == run_id
        assert (await waited(client, run_id))["state"] == "cancelled"
    assert len(heard) >= 3
    assert [progress for progress, _, _ in heard] == sorted({progress for progress, _, _ in heard})
    assert all(total == 8 for _, total, _ in heard)
    assert any("starting" in str(message) or "running" in str(message) for _, _, message in heard)


async def test_a_stopped_run_keeps_its_checkpoint_and_goes_on_from_it(home: Path, trainer_python: Path) -> None:
    async with over_stdio("auto", home, UNITY_MLOPS_TRAINER=str(trainer_python)) as client:
        run_id = await started(client, max_steps=60_000)
        await waited(client, run_id, until="running")
        with anyio.fail_after(120):
            while not structured(await client.call_tool("wait_for", {"id": run_id, "timeout_s": 0.5}))["step"]:
                pass
        structured(await client.call_tool("stop_training", {"id": run_id}))
        stopped = await waited(client, run_id)
        assert stopped["state"] == "cancelled"
        assert any(file.endswith(".pt") for file in stopped["files"]), stopped["files"]
        resumed = structured(await client.call_tool("resume_training", {"run_id": run_id}))
        assert resumed["from_step"] > 0
        finished = await waited(client, run_id)
        assert finished["state"] == "succeeded", finished
        assert finished["step"] >= 60_000


async def test_a_run_can_be_read_as_resources(home: Path, trainer_python: Path) -> None:
    async with over_stdio("legacy", home, UNITY_MLOPS_TRAINER=str(trainer_python)) as client:
        run_id = await started(client, max_steps=2000)
        await waited(client, run_id)
        (status,) = (await client.read_resource(f"runs://{run_id}")).contents
        (log,) = (await client.read_resource(f"runs://{run_id}/log")).contents
    assert isinstance(status, TextResourceContents)
    assert isinstance(log, TextResourceContents)
    assert json.loads(status.text)["run_id"] == run_id
    assert "Step: " in log.text
    assert len(log.text.encode()) <= LIMIT_BYTES


async def test_long_curves_come_in_pages_that_a_client_can_show(home: Path, trainer_python: Path) -> None:
    tags = [REWARD, SUCCESS, *(f"Losses/Loss {number}" for number in range(6))]
    steps = range(1_000_000, 400_000_000, 1_000_000)
    curves = {tag: [math.sin(step * (index + 1)) for step in steps] for index, tag in enumerate(tags)}
    async with over_stdio("auto", home, UNITY_MLOPS_TRAINER=str(trainer_python)) as client:
        run_id = await started(client, max_steps=2000)
        folder = Path((await waited(client, run_id))["folder"])
        write(folder, summaries(steps, curves), behavior="ReachTarget", start=time.time())
        for max_points in (50, 100, 200):
            seen: list[str] = []
            page: dict[str, Any] = {"next_cursor": "0"}
            while page["next_cursor"]:
                arguments = {"run_id": run_id, "max_points": max_points, "cursor": page["next_cursor"]}
                page = structured(await client.call_tool("get_metrics", arguments))
                assert len(json.dumps(page, separators=(",", ":"))) <= LIMIT_BYTES
                assert all(len(series["steps"]) <= max_points for series in page["series"])
                seen += [series["tag"] for series in page["series"]]
            assert sorted(seen) == sorted(page["available_tags"])
            assert set(tags) <= set(seen)


@pytest.mark.parametrize("era", ERAS)
async def test_the_same_key_starts_one_run(era: Era, home: Path, trainer_python: Path) -> None:
    async with over_stdio(era, home, UNITY_MLOPS_TRAINER=str(trainer_python)) as client:
        build = structured(await client.call_tool("build_environment", {"description": "reach the target"}))
        arguments = {"build_id": build["build_id"], "max_steps": 200_000, "idempotency_key": "once"}
        first = structured(await client.call_tool("start_training", arguments))
        second = structured(await client.call_tool("start_training", arguments))
        assert first["run_id"] == second["run_id"]
        structured(await client.call_tool("stop_training", {"id": first["run_id"]}))
        await waited(client, first["run_id"])
        assert len(structured(await client.call_tool("list_runs", {}))["runs"]) == 1
