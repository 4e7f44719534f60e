"""Answers that many share: kept while nothing of theirs changed, and never longer."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.http_worlds import served
from tests.report_homes import add_run
from unity_mlops_mcp.store.pruning import Rows
from unity_mlops_mcp.store.store import Store

NOW = datetime(2026, 8, 1, 12, tzinfo=timezone.utc)


def files_of(client: TestClient, run_id: str) -> Any:
    return client.get(f"/api/v1/runs/{run_id}").json()["files"]


@pytest.mark.parametrize("how", ["ends", "is removed"])
def test_what_is_known_of_a_finished_run_outlasts_the_progress_of_another_but_not_its_end(how: str, home: Path) -> None:
    with Store(home) as store, served() as world:
        folder = add_run(store, "finished")
        add_run(store, "going", state="running")
        client = world.client("read")
        before = files_of(client, "finished")
        (folder.path / "Nav.onnx").write_bytes(b"a policy")  # nothing of ours does that: it shows what is looked at
        assert not store.jobs.beat("job-going", 1, now=NOW, progress={"step": 1})
        assert files_of(client, "finished") == before
        if how == "ends":
            assert store.jobs.change("job-going", "succeeded", where=("running",), attempt=1, now=NOW)
        else:
            store.pruning.remove(lambda _: Rows(runs=["going"]))
        assert set(files_of(client, "finished")) == {*before, "Nav.onnx"}


def test_the_progress_of_a_run_is_told_at_once(home: Path) -> None:
    with Store(home) as store, served() as world:
        add_run(store, "going", state="running")
        client = world.client("read")
        for step in (1000, 2000):
            store.jobs.beat("job-going", 1, now=NOW, progress={"step": step})
            assert client.get("/api/v1/runs/going").json()["step"] == step
