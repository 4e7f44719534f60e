"""Runs and versions in MLflow and W&B, by their own libraries, read back."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.event_files import LENGTH, REWARD, scalar, version
from tests.vertex_world import register
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.store.rows import AliasRow, AuditRow, RunRow

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")  # MLflow on SQLAlchemy 2.1
BLOCK, WHOLE, LAST = 1 << 15, 1, 4
STEPS = range(1000, 61_000, 20)
HEAVY = ("mlflow", "wandb", "google.cloud.aiplatform_v1", "google.cloud.storage", "google.auth")


@pytest.fixture
def application(home: Path) -> Iterator[App]:
    app = App(config.settings())
    app.store.runs.add(RunRow("reach-1", "ReachTarget", "reach_target", 61_000, {"max_steps": 61_000}, utc_now()))
    folder = home / "runs" / "reach-1"
    (folder / "ReachTarget").mkdir(parents=True)
    points = b"".join(scalar(REWARD, step / 1000, step) + scalar(LENGTH, 5.0, step) for step in STEPS)
    (folder / "ReachTarget" / "events.out.tfevents.1").write_bytes(version() + points)
    (folder / "ReachTarget.onnx").write_bytes(b"a policy")
    record = {"configuration": {"behaviors": {"ReachTarget": {"seed (x)": 7}}}, "request": {"seed": 7}}
    (folder / "run.json").write_text(json.dumps(record))
    yield app
    app.close()


def test_a_run_goes_to_mlflow_with_every_value_and_step_once(application: App, home: Path) -> None:
    told = application.export_run("reach-1", to="mlflow")
    assert told.points == 2 * len(STEPS)
    again = application.export_run("reach-1", to="mlflow")
    assert (again.id, again.already_there) == (told.id, True)
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{home}/exports/mlflow/mlflow.db")
    history = client.get_metric_history(told.id, REWARD)
    assert {metric.step: metric.value for metric in history} == pytest.approx({step: step / 1000 for step in STEPS})
    assert len(history) == len(STEPS)
    run = client.get_run(told.id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"behaviors.ReachTarget.seed _x_": "7"}
    assert run.data.tags["seed"] == "7"
    assert {file.path for file in client.list_artifacts(told.id, "files")} == {
        "files/ReachTarget.onnx",
        "files/run.json",
    }


def test_a_version_goes_to_mlflow_with_its_aliases_once(application: App, home: Path) -> None:
    row = register(application.store)
    note = AuditRow(row.name, "promote", utc_now(), alias="production", version_id=row.version_id)
    application.store.models.move_alias(
        AliasRow(row.name, "production", row.version_id, 0, utc_now()), expected=None, note=note
    )
    place = f"sqlite:///{home.parent / 'elsewhere.db'}"
    told = application.export_model(row.version_id, to="mlflow", location=place)
    assert application.export_model(row.version_id, to="mlflow", location=place).id == told.id == f"{row.name}/1"
    from mlflow.tracking import MlflowClient

    client = MlflowClient(place)
    found = client.get_model_version_by_alias(row.name, "production")
    assert (found.version, found.description) in {("1", "Goes to the target."), (1, "Goes to the target.")}
    assert found.tags["unity_mlops.id"] == row.version_id
    assert (
        Path(str(found.source).removeprefix("file://").replace("%20", " "), "policy.onnx").read_bytes() == b"a policy"
    )


def test_a_run_goes_to_an_offline_folder_of_wandb_with_every_value_and_step(application: App) -> None:
    told = application.export_run("reach-1", to="wandb")
    (file,) = Path(told.location).glob("*.wandb")
    rows = written(file)
    assert [row["step"] for row in rows] == list(STEPS)
    assert [row[REWARD] for row in rows] == pytest.approx([step / 1000 for step in STEPS])
    assert told.next.endswith(told.location)


def written(file: Path) -> list[dict[str, float]]:
    """The rows of history in W&B's own file: records of protobuf in LevelDB's log format."""
    record_of: Any = import_module("wandb.proto.wandb_internal_pb2").Record

    data, at, whole, rows = file.read_bytes(), 7, b"", []
    assert data.startswith(b":W&B")
    while at + 7 <= len(data):
        if BLOCK - at % BLOCK < 7:  # too short for a header: padding
            at += BLOCK - at % BLOCK
            continue
        length, kind = struct.unpack_from("<HB", data, at + 4)
        whole += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in {WHOLE, LAST}:
            record, whole = record_of.FromString(whole), b""
            if record.WhichOneof("record_type") == "history":
                items = record.history.item
                rows.append({item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items})
    return rows


def test_a_place_that_is_none_is_refused(application: App) -> None:
    with pytest.raises(InvalidInputError, match="location"):
        application.export_run("reach-1", to="mlflow", location="mysql://root:secret@host/db")
    with pytest.raises(InvalidInputError, match="outside the allowed"):
        application.export_run("reach-1", to="wandb", location="/usr/share/elsewhere")


def test_the_command_line_exports_a_run(application: App) -> None:
    application.close()
    command = [sys.executable, "-m", "unity_mlops_mcp", "export-run", "reach-1", "--to", "mlflow", "--json"]
    done = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True, timeout=120)
    assert json.loads(done.stdout)["points"] == 2 * len(STEPS)


def test_none_of_these_libraries_is_imported_before_it_is_needed() -> None:
    modules = (
        "app, unity_mlops_mcp.interfaces.mcp.server, unity_mlops_mcp.interfaces.cli.main, unity_mlops_mcp.kinds, "
        "unity_mlops_mcp.registry.vertex.client, unity_mlops_mcp.registry.vertex.job, "
        "unity_mlops_mcp.registry.vertex.aliases, unity_mlops_mcp.registry.exporting.to_mlflow, "
        "unity_mlops_mcp.registry.exporting.to_wandb"
    )
    program = f"import sys, unity_mlops_mcp.{modules}; print(*sorted(set({HEAVY}) & set(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, check=True, capture_output=True, text=True, timeout=60
    )
    assert not found.stdout.split()
