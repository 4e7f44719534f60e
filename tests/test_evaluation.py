"""evaluate_model from outside: real jobs, real players, policies whose deeds are known."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.mcp_clients import ERAS, Era, in_memory, structured
from tests.onnx_models import linear
from tests.test_cli import cli
from tests.training_home import finish, kill, the_supervisor, until
from tests.worlds import spec_of
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.errors import InvalidInputError, NotFoundError
from unity_mlops_mcp.evaluation.library import load_evaluation, load_trajectories, newest_evaluation
from unity_mlops_mcp.evaluation.records import Evaluation
from unity_mlops_mcp.spec.environment import EnvironmentSpec

pytestmark = pytest.mark.slow  # runs under one Python, by `make test`

SEEN = {"vector": [{"kind": "relative", "of": "target"}]}
THERE = [[10.0, 0.0], [0.0, 10.0]]
Evaluate = Callable[..., Evaluation]


def seeking(**changes: Any) -> EnvironmentSpec:
    """A target somewhere, which the agent sees, as far away as ``far`` says."""
    near = {"region": {"x": [-0.4, 0.4], "z": [-0.4, 0.4]}, "min_distance": 0.4}
    target = {"name": "target", "shape": {"kind": "circle", "radius": "size"}, "spawn": near}
    size = {"size": {"default": 0.5, "minimum": 0.2, "maximum": 1.0}}
    return spec_of(entities=[target], observations=SEEN, parameters=size, **changes)


@pytest.fixture
def application(home: Path) -> Iterator[App]:
    """An application without a trainer; what it started is ended with the test."""
    home.mkdir(parents=True)
    app = App(config.settings())
    yield app
    for job in app.jobs.open():
        app.stop_training(job.id)
        finish(app, job.id)
    app.close()


@pytest.fixture
def build(application: App) -> str:
    return application.build_environment(spec=seeking().to_json()).build_id


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """A policy that goes to the target, a little unsteadily."""
    return linear(tmp_path / "Test.onnx", THERE, noise=0.5)


def evaluated(app: App, **arguments: Any) -> Evaluation:
    started = app.evaluate_model(**arguments)
    status = finish(app, started.job_id)
    assert status.state == "succeeded", status.failure
    return load_evaluation(app.settings.home, started.evaluation_id)


def test_figures_come_with_intervals_and_the_same_seed_gives_them_twice(
    application: App, build: str, there: Path
) -> None:
    first = evaluated(application, onnx_path=str(there), build_id=build, episodes=40)
    again = evaluated(application, onnx_path=str(there), build_id=build, episodes=40)
    other = evaluated(application, onnx_path=str(there), build_id=build, episodes=40, seed=2)

    assert first.columns == again.columns
    assert first.columns != other.columns
    assert first.success is not None
    assert first.success.mean == 1
    assert first.success.low is not None
    assert 0.9 < first.success.low < 1
    assert set(first.endings) == {"reached"}
    assert first.returns.n == len(first.columns.returns["Test?team=0"]) == 40
    (behavior,) = first.behaviors
    assert behavior.inference_us is not None
    assert [action.name for action in behavior.actions] == ["continuous 0", "continuous 1"]
    assert behavior.decisions >= sum(first.columns.decisions)
    found = newest_evaluation(application.store, policy_sha256=first.policies[0].sha256, build_id=build)
    assert found == other


def test_the_ways_of_the_first_episodes_are_kept(application: App, build: str, there: Path) -> None:
    found = evaluated(application, onnx_path=str(there), build_id=build, episodes=20, num_areas=4)
    ways = load_trajectories(application.settings.home, found)

    assert ways is not None
    assert len(ways.episodes) == 4
    for way, decisions in zip(ways.episodes, found.columns.decisions, strict=False):
        assert way.ending == "reached"
        assert way.half_extent == 5
        assert len(way.agents[0].points) == decisions
        assert way.agents[0].points[0] == (0.0, 0.0)
        assert [entity.name for entity in way.entities] == ["target"]
        assert way.entities[0].radius == 0.5


def test_a_sweep_tells_success_against_a_parameter(application: App, build: str, tmp_path: Path) -> None:
    past = linear(tmp_path / "Test.onnx", [[0.0, 0.0], [0.0, 0.0]], bias=[1.0, 0.3])
    found = evaluated(application, onnx_path=str(past), build_id=build, episodes=60, sweep="size")

    assert [point.value for point in found.sweeps] == [0.2, 0.4, 0.6, 0.8, 1.0]
    shares = [point.success.mean for point in found.sweeps if point.success]
    assert shares[0] < shares[-1]
    held = evaluated(application, onnx_path=str(past), build_id=build, episodes=60, parameters="{size: 1.0}")
    assert held.success is not None
    assert held.success.mean == shares[-1]


def test_what_does_not_fit_is_refused_before_anything_starts(application: App, build: str, tmp_path: Path) -> None:
    wrong = linear(tmp_path / "Test.onnx", [[1.0, 0.0]] * 5)
    with pytest.raises(InvalidInputError, match=r"observes \(2\), the policy \(5\)"):
        application.evaluate_model(onnx_path=str(wrong), build_id=build)
    fits = str(linear(tmp_path / "good" / "Test.onnx", THERE))
    with pytest.raises(InvalidInputError, match="not known which player"):
        application.evaluate_model(onnx_path=fits)
    with pytest.raises(InvalidInputError, match="no parameter speed") as refused:
        application.evaluate_model(onnx_path=fits, build_id=build, sweep="speed")
    assert "size (0.2 to 1)" in refused.value.fix
    with pytest.raises(InvalidInputError, match="episodes"):
        application.evaluate_model(onnx_path=fits, build_id=build, episodes=0)
    with pytest.raises(NotFoundError, match="no build"):
        application.evaluate_model(onnx_path=fits, build_id="nope")
    (tmp_path / "Bad.onnx").write_bytes(b"no policy")
    with pytest.raises(Exception, match="does not open"):
        application.evaluate_model(onnx_path=str(tmp_path / "Bad.onnx"), build_id=build)
    assert application.jobs.page().rows[0].kind != "evaluation"


def test_a_policy_that_changes_meanwhile_is_told(application: App, build: str, there: Path, tmp_path: Path) -> None:
    first = application.evaluate_model(onnx_path=str(there), build_id=build, episodes=5)
    finish(application, first.job_id)
    with sqlite3.connect(application.settings.home / "state.db") as database:
        (text,) = database.execute("SELECT request FROM jobs WHERE id = ?", (first.job_id,)).fetchone()
    request = json.loads(text)
    linear(tmp_path / "Test.onnx", [[1.0, 0.0], [0.0, 1.0]])
    job = application.jobs.submit("evaluation", request, subject="again")

    status = finish(application, job.id)
    assert status.failure is not None
    assert status.failure.cause == "policy_changed"


def test_it_is_stopped_and_a_killed_one_begins_again(application: App, build: str, there: Path) -> None:
    stopped = application.evaluate_model(onnx_path=str(there), build_id=build, episodes=100_000)
    until(application, stopped.job_id, lambda status: "episodes" in status.message)
    application.stop_training(stopped.job_id)
    assert finish(application, stopped.job_id).state == "cancelled"

    killed = application.evaluate_model(onnx_path=str(there), build_id=build, episodes=3000)
    until(application, killed.job_id, lambda status: "episodes" in status.message)
    kill(the_supervisor(application.settings.home))
    status = finish(application, killed.job_id)
    assert (status.state, status.attempts) == ("succeeded", 2)
    assert load_evaluation(application.settings.home, killed.job_id).episodes == 3000


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_the_tool_and_the_status_tell_the_figures(era: Era, build: str, there: Path) -> None:
    async with in_memory(era) as client:
        given = {"onnx_path": str(there), "build_id": build, "episodes": 10}
        started = structured(await client.call_tool("evaluate_model", given))
        status = structured(await client.call_tool("wait_for", {"id": started["job_id"], "timeout_s": 40}))

    assert status["done"]
    found = status["evaluation"]
    assert found["success"]["mean"] == 1
    assert found["success"]["low"] < 1
    assert set(found["endings"]) == {"reached"}
    assert found["file"].endswith("evaluation.json")


def test_the_command_shows_intervals(build: str, there: Path, home: Path) -> None:
    started = cli(home, "evaluate-model", "--onnx-path", str(there), "--build-id", build, "--episodes", "10", "--json")
    job_id = json.loads(started.stdout)["job_id"]
    shown = cli(home, "wait-for", job_id, "--timeout-s", "60")
    assert "success           100 % (72 % to 100 %)" in shown.stdout
    assert "microseconds a decision" in shown.stdout
