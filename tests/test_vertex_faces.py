"""register_model, promote_model and rollback_model with Vertex AI behind them, over the real client and a stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.onnx_models import linear
from tests.stand_ins.vertex import Registry
from tests.training_home import finish
from tests.vertex_world import by_rest
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.errors import SetupError

pytestmark = pytest.mark.slow  # runs under one Python, by `make test`


@pytest.fixture
def service(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    home.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    with by_rest(monkeypatch, tmp_path) as registry:
        yield registry


def policy(folder: Path, weight: float) -> str:
    return str(linear(folder / str(weight) / "Nav.onnx", [[weight, 0.0]] * 3))


def test_a_version_is_registered_here_and_there_and_its_alias_moves_there_too(
    service: Registry, tmp_path: Path
) -> None:
    app = App(config.settings())
    made = [app.register_model(name="Nav", onnx_path=policy(tmp_path, w), registry="vertex") for w in (1.0, 2.0)]
    for one in made:
        assert finish(app, str(one.job_id)).state == "succeeded"
        assert one.vertex_resource_name is not None
        assert one.vertex_resource_name.endswith("/models/nav")
        assert (Path(one.folder) / "vertex_registration.json").is_file()
        done = app.promote_model(version=one.version, override_reason="for the test", confirm=True)
        assert done.promoted
        assert not [note for note in done.notes if "Vertex" in note]
    (versions,) = service.models.values()
    assert [("production" in version.version_aliases) for version in versions] == [False, True]

    assert app.rollback_model(name="nav", reason="worse", confirm=True).notes == []
    (versions,) = service.models.values()
    assert [("production" in version.version_aliases) for version in versions] == [True, False]
    app.close()


def test_without_a_project_nothing_is_registered_at_all(home: Path, tmp_path: Path) -> None:
    home.mkdir()
    app = App(config.settings())
    with pytest.raises(SetupError):
        app.register_model(name="Nav", onnx_path=policy(tmp_path, 1.0), registry="vertex")
    assert app.list_models().models == []
    app.close()
