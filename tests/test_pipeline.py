"""Pipelines without a trainer: what is refused, dry runs, and several servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.mcp_clients import ERAS, Era, in_memory, over_stdio, structured, text
from tests.training_home import finish
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.errors import SetupError
from unity_mlops_mcp.pipeline.records import RegisteredVersion, Trained, Wanted
from unity_mlops_mcp.pipeline.results import Results
from unity_mlops_mcp.pipeline.stages import STAGES
from unity_mlops_mcp.pipeline.telling import paragraph_of

FREE = [stage.name for stage in STAGES if not stage.costs]
NO_REQUEST = "Give exactly one of request, spec"


def test_a_dry_run_builds_and_trains_nothing_and_says_so(home: Path) -> None:
    app = App(config.settings())
    started = app.run_pipeline(request="patrol three waypoints", dry_run=True)
    assert [stage.stage for stage in started.plan] == FREE
    status = finish(app, started.job_id)
    assert status.state == "succeeded"
    assert {stage.name for stage in status.stages if stage.state == "done"} == {*FREE}
    assert {stage.state for stage in status.stages if stage.name not in FREE} == {"skipped"}
    assert "nothing was built or trained" in status.message
    assert "without dry_run" in status.next
    assert not list((home / "builds").glob("*"))
    assert app.list_runs().runs == []
    app.close()


def test_without_a_trainer_it_says_so_before_anything_is_started(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNITY_MLOPS_TRAINER", str(home / "nothing"))
    config.settings.cache_clear()
    app = App(config.settings())
    with pytest.raises(SetupError):
        app.run_pipeline(request="reach the target")
    assert app.jobs.page().rows == ()
    app.close()


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, NO_REQUEST),
        ({"request": "patrol", "spec": "name: X"}, NO_REQUEST),
        ({"request": "make me a sandwich", "dry_run": True}, "Describe one of these behaviours"),
        ({"request": "patrol", "training": "[1, 2]"}, "not a mapping"),
        ({"request": "patrol", "training": "{gama: 0.9}"}, "gama"),
        ({"spec": "name: lower"}, "name: "),
        ({"request": "patrol", "max_steps": 5}, "max_steps"),
        ({"request": "patrol", "target": "moon"}, "sandbox"),
    ],
)
async def test_what_cannot_be_used_is_told_at_once_and_starts_nothing(
    era: Era, arguments: dict[str, Any], said: str, home: Path
) -> None:
    async with in_memory(era) as client:
        result = await client.call_tool("run_pipeline", arguments)
    assert result.is_error
    assert said in text(result)
    assert not list((home / "artifacts").glob("*"))


@pytest.mark.anyio
@pytest.mark.slow
async def test_two_servers_see_one_pipeline_under_one_key(home: Path) -> None:
    call = {"request": "patrol three waypoints", "dry_run": True, "idempotency_key": "nightly"}
    async with over_stdio("legacy", home) as one, over_stdio("auto", home) as other:
        first = structured(await one.call_tool("run_pipeline", call))
        second = structured(await other.call_tool("run_pipeline", call))
        assert first["job_id"] == second["job_id"]
        status = structured(await other.call_tool("wait_for", {"id": first["job_id"], "timeout_s": 50}))
        assert (status["state"], status["done"]) == ("succeeded", True)
        mine = structured(await one.call_tool("get_run", {"id": first["job_id"]}))
    assert mine["stages"] == status["stages"]
    assert [folder.name for folder in (home / "artifacts").iterdir()] == [first["job_id"]]


def test_the_paragraph_names_the_alias_that_a_version_may_be_promoted_to(tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.keep(Trained(run_id="patrol-1", job_id="training-1", step=1000, onnx="Patrol.onnx", files=()))
    results.keep(RegisteredVersion(version_id="unity-patrol-1", number=1, new=True))
    said = paragraph_of(Wanted(request="patrol", alias="staging"), "Patrol", results)
    assert "registered as unity-patrol-1; promotion to staging is up to you" in said
