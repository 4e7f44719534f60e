"""promote_model and rollback_model from outside: evaluations that the product made, real processes that race."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.mcp_clients import ERAS, Era, in_memory, structured
from tests.onnx_models import linear
from tests.test_cli import cli
from tests.test_evaluation import THERE, seeking
from tests.training_home import finish, kill, processes_of, small, until
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.errors import ConflictError, InvalidInputError, NotFoundError
from unity_mlops_mcp.evaluation.library import load_evaluation, save_evaluation
from unity_mlops_mcp.results.promotions import Promotion

pytestmark = pytest.mark.slow  # runs under one Python, by `make test`

QUICK = (
    "[{name: evaluation, kind: evaluated, episodes: 40}, {name: changelog, kind: described},"
    " {name: success, kind: not_worse, figure: success, margin: 0.1},"
    " {name: reward, kind: not_worse, figure: return, margin: 0.1},"
    " {name: safety, kind: no_regression, margin: 0.1}]"
)
RACE = """
import sys
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.errors import ConflictError
app = App(config.settings())
try:
    print(app.promote_model(version=sys.argv[1], override_reason="race", confirm=True).promoted)
except ConflictError as error:
    print(error.cause)
app.close()
"""


@pytest.fixture
def application(home: Path) -> Iterator[App]:
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


class Shelf:
    """Registers policies of known skill, evaluated on one build."""

    def __init__(self, app: App, build: str, folder: Path) -> None:
        self.app, self.build, self.folder, self.made = app, build, folder, 0

    def version(self, noise: float, *, episodes: int | None = 60, description: str | None = "better") -> str:
        """A version that goes to the target, the more astray the greater the noise."""
        self.made += 1
        path = linear(self.folder / f"{self.made}" / "Test.onnx", THERE, noise=noise)
        if episodes:
            started = self.app.evaluate_model(onnx_path=str(path), build_id=self.build, episodes=episodes)
            assert finish(self.app, started.job_id).state == "succeeded"
        return self.app.register_model(name="Seeker", onnx_path=str(path), description=description).version

    def promote(self, version: str, gates: str | None = QUICK, **arguments: Any) -> Promotion:
        """Promote for real."""
        return self.app.promote_model(version=version, gates=gates, **{"confirm": True, **arguments})


@pytest.fixture
def shelf(application: App, build: str, tmp_path: Path) -> Shelf:
    return Shelf(application, build, tmp_path)


@pytest.fixture
def pair(shelf: Shelf) -> tuple[str, str]:
    """A good and a bad version."""
    return shelf.version(0.5), shelf.version(60.0)


def gate(result: Promotion, name: str) -> str:
    return next(one.outcome for one in result.gates if one.name == name)


def test_a_good_version_is_promoted_a_worse_one_refused_and_the_reason_told(application: App, shelf: Shelf) -> None:
    good, bad = shelf.version(0.5), shelf.version(60.0)

    preview = shelf.promote(good, confirm=False)
    assert (preview.preview, preview.promoted) == (True, False)
    assert application.list_models(name="seeker").models[0].aliases == {}
    first = shelf.promote(good)
    assert first.promoted
    assert {one.outcome for one in first.gates} == {"passed"}
    refused = shelf.promote(bad)
    assert not refused.promoted
    assert gate(refused, "success") == "failed"
    success = next(one for one in refused.gates if one.name == "success")
    assert "against the holder's 1 (n = 60)" in success.value
    assert "at least 0.9" in success.needed
    assert "Train on" in success.fix
    assert "Refused by" in refused.next
    model = application.list_models(name="seeker").models[0]
    assert model.aliases == {"production": good}
    assert [line.action for line in model.audit[:2]] == ["refused", "promote"]
    again = shelf.promote(good)
    assert again.promoted
    assert "already" in again.next


def test_a_goal_stands_in_for_a_holder_and_few_episodes_are_no_proof(shelf: Shelf) -> None:
    gates = "[{name: goal, kind: not_worse, figure: success, goal: 0.99, margin: 0.0}]"
    sure = shelf.version(0.5)
    assert shelf.promote(sure, gates).promoted
    shaky = shelf.version(12.0)
    refused = shelf.promote(shaky, gates)
    assert gate(refused, "goal") == "failed"
    assert "the goal 0.99" in refused.gates[0].value


def test_an_override_needs_a_reason_and_is_written_down(application: App, shelf: Shelf) -> None:
    shelf.promote(shelf.version(0.5))
    bad = shelf.version(60.0)
    with pytest.raises(InvalidInputError, match="reason"):
        shelf.promote(bad, override_reason="  ")
    done = shelf.promote(bad, override_reason="the demo is at noon")
    assert done.promoted
    assert "success" in done.overridden
    line = application.list_models(name="seeker").models[0].audit[0]
    assert (line.action, line.reason, line.version) == ("override", "the demo is at noon", bad)


def test_harm_that_became_more_frequent_is_refused(application: App, shelf: Shelf) -> None:
    """Two evaluations of our own, with a counter of collisions written into their episodes."""
    versions = [shelf.version(0.5), shelf.version(0.6)]
    for version, collisions in zip(versions, (0.0, 0.4), strict=True):
        row = application.list_models(name="seeker").models[0]
        sha = next(line for line in row.versions if line.version == version)
        assert sha.success is not None
        for kept in application.store.evaluations.newest(limit=10):
            found = load_evaluation(application.settings.home, kept.evaluation_id)
            if found.policies[0].sha256 == application.store.models.version(version).policy_sha256:  # type: ignore[union-attr]
                measured = {"Collisions": tuple(collisions for _ in found.columns.decisions)}
                columns = found.columns.model_copy(update={"measures": measured})
                save_evaluation(application.store, found.model_copy(update={"columns": columns}))
    assert shelf.promote(versions[0]).promoted
    refused = shelf.promote(versions[1])
    assert gate(refused, "safety") == "failed"
    safety = next(one for one in refused.gates if one.name == "safety")
    assert safety.value == "Collisions 0.4 (n = 60) (holder 0 (n = 60))"


def test_a_version_without_changelog_or_evaluation_is_told_what_is_missing(shelf: Shelf) -> None:
    silent = shelf.promote(shelf.version(0.5, description=None))
    assert gate(silent, "changelog") == "failed"
    new = shelf.version(0.7, episodes=None)
    preview = shelf.promote(new, confirm=False)
    assert gate(preview, "evaluation") == "missing"
    assert "evaluate_model" in next(one for one in preview.gates if one.name == "evaluation").fix


def test_the_default_gates_make_the_second_evaluation_themselves_and_then_decide(
    application: App, shelf: Shelf
) -> None:
    version = shelf.version(0.5, episodes=200)
    started = shelf.promote(version, gates=None)
    assert (started.promoted, started.job_id is not None) == (False, True)
    assert gate(started, "reproducibility") == "missing"
    status = finish(application, str(started.job_id))
    assert status.state == "succeeded", status.failure
    assert "all 6 gates passed" in status.message
    assert application.list_models(name="seeker").models[0].aliases == {"production": version}
    rows = application.store.evaluations.newest(limit=10)
    assert sorted(row.seed for row in rows) == [1, 2]


def test_a_promotion_whose_process_is_killed_goes_on(application: App, shelf: Shelf) -> None:
    version = shelf.version(0.5, episodes=3000)
    started = shelf.promote(version, gates=None)
    until(application, str(started.job_id), lambda status: "evaluate (second)" in status.message)
    (promotion,) = processes_of(application.settings.home, "supervise", str(started.job_id))
    kill(promotion)
    status = finish(application, str(started.job_id))
    assert (status.state, status.attempts) == ("succeeded", 2)
    assert application.list_models(name="seeker").models[0].aliases == {"production": version}
    assert len(application.jobs.page(kind="evaluation").rows) == 2


def test_a_shutdown_leaves_the_evaluation_alone_and_the_promotion_takes_it_up(application: App, shelf: Shelf) -> None:
    version = shelf.version(0.5, episodes=3000)
    started = shelf.promote(version, gates=None)
    until(application, str(started.job_id), lambda status: "evaluate (second): " in status.message)
    (promotion,) = processes_of(application.settings.home, "supervise", str(started.job_id))
    promotion.terminate()
    status = finish(application, str(started.job_id))
    assert (status.state, status.attempts) == ("succeeded", 2), status.failure
    assert {job.state for job in application.jobs.page(kind="evaluation").rows} == {"succeeded"}
    assert application.list_models(name="seeker").models[0].aliases == {"production": version}


def test_a_rollback_restores_the_last_good_version_freezes_and_opens_an_incident(
    application: App, shelf: Shelf
) -> None:
    good, worse, worst = shelf.version(0.5), shelf.version(0.6), shelf.version(0.7)
    for version in (good, worse, worst):
        shelf.promote(version, override_reason="for the test")

    shown = application.rollback_model(name="Seeker", reason="it falls")
    assert (shown.preview, shown.version, shown.previous_version) == (True, worse, worst)
    back = application.rollback_model(name="Seeker", reason="it falls", corrective_action="train longer", confirm=True)
    assert (back.version, back.frozen) == (worse, True)
    model = application.list_models(name="seeker").models[0]
    assert model.aliases == {"production": worse}
    assert model.frozen is not None
    assert "it falls" in model.frozen
    (incident,) = model.incidents
    assert (incident.failed_version, incident.restored_version) == (worst, worse)
    assert incident.corrective_action == "train longer"
    with pytest.raises(ConflictError, match="frozen"):
        shelf.promote(worst)
    second = application.rollback_model(name="Seeker", reason="this one too", confirm=True)
    assert second.version == good
    with pytest.raises(NotFoundError, match="No good version"):
        application.rollback_model(name="Seeker", reason="again", confirm=True)

    assert application.promote_model(name="Seeker", action="unfreeze").preview
    application.promote_model(name="Seeker", action="unfreeze", confirm=True)
    thawed = application.list_models(name="seeker").models[0]
    assert thawed.frozen is None
    assert all(one.closed_at for one in thawed.incidents)
    assert shelf.promote(shelf.version(0.55)).promoted


def test_promoters_that_race_move_the_alias_one_after_the_other(application: App, shelf: Shelf) -> None:
    versions = [shelf.version(0.1 * number, episodes=None) for number in range(1, 5)]
    command = [sys.executable, "-c", RACE]
    together = [
        subprocess.Popen([*command, version], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) for version in versions
    ]
    told = [process.communicate(timeout=120)[0].strip() for process in together]

    assert [process.returncode for process in together] == [0] * 4
    assert set(told) <= {"True", "moved_meanwhile"}
    moves = [row for row in application.store.models.audit("seeker") if row.action == "override"]
    assert len(moves) == told.count("True") >= 1
    held = application.store.models.alias("seeker", "production")
    assert held is not None
    assert held.moves == len(moves)
    chain = [(row.previous_version, row.version_id) for row in reversed(moves)]
    assert all(before == earlier for (before, _), (_, earlier) in zip(chain[1:], chain, strict=False))


def test_bad_input_is_refused_and_nothing_moves(application: App, shelf: Shelf) -> None:
    version = shelf.version(0.5)
    with pytest.raises(InvalidInputError, match=r"0\.not_worse\.figure"):
        shelf.promote(version, "[{name: a, kind: not_worse, figure: luck}]")
    with pytest.raises(InvalidInputError, match="no YAML"):
        shelf.promote(version, "[{")
    with pytest.raises(InvalidInputError, match="empty"):
        shelf.promote(version, "[]")
    with pytest.raises(InvalidInputError, match="no alias"):
        shelf.promote(version, alias="v1")
    with pytest.raises(NotFoundError, match="seekr"):
        application.promote_model(version="seekr")
    with pytest.raises(InvalidInputError, match="Nothing is named"):
        application.promote_model()
    with pytest.raises(NotFoundError, match="no alias 'production'"):
        application.rollback_model(name="seeker", reason="x")
    assert application.store.models.aliases("seeker") == ()


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_the_tools_preview_refuse_and_roll_back(era: Era, pair: tuple[str, str]) -> None:
    good, bad = pair
    async with in_memory(era) as client:
        given = {"version": good, "gates": QUICK}
        preview = structured(await client.call_tool("promote_model", given))
        done = structured(await client.call_tool("promote_model", {**given, "confirm": True}))
        refused = structured(await client.call_tool("promote_model", {**given, "version": bad, "confirm": True}))
        forced = {**given, "version": bad, "confirm": True, "override_reason": "try"}
        await client.call_tool("promote_model", forced)
        back = structured(
            await client.call_tool("rollback_model", {"name": "seeker", "reason": "worse", "confirm": True})
        )
    assert (preview["preview"], done["promoted"], refused["promoted"]) == (True, True, False)
    assert back["version"] == good
    assert back["incident_id"].startswith("incident-")


def test_the_commands_tell_gates_and_exit_with_one_when_refused(shelf: Shelf, home: Path) -> None:
    good, bad = shelf.version(0.5), shelf.version(60.0)
    assert cli(home, "promote-model", "--version", good, "--gates", QUICK, "--confirm").returncode == 0
    refused = cli(home, "promote-model", "--version", bad, "--gates", QUICK, "--confirm")
    assert refused.returncode == 1
    assert "failed  success" in refused.stdout
    assert "needed: at least" in refused.stdout
    assert "would go back" not in refused.stdout
    shown = cli(home, "list-models", "--name", "seeker")
    assert "refused production" in shown.stdout
    done = cli(home, "promote-model", "--name", "seeker", "--action", "freeze", "--confirm", "--json")
    assert json.loads(done.stdout)["frozen"] == "frozen by hand"


@pytest.mark.trainer
@pytest.mark.slow
def test_a_second_training_is_made_where_the_gate_asks_for_it(app: App) -> None:
    build = app.build_environment(description="reach the target")
    run = app.start_training(build_id=build.build_id, trainer_config=small(8000), seed=7)
    assert finish(app, run.run_id).state == "succeeded"
    evaluation = app.evaluate_model(run_id=run.run_id, episodes=20)
    finish(app, evaluation.job_id)
    version = app.register_model(run_id=run.run_id).version
    gates = "[{name: again, kind: reproducible, method: training, tolerance: 10}]"

    started = app.promote_model(version=version, gates=gates, confirm=True)
    status = finish(app, str(started.job_id))
    assert status.state == "succeeded", status.failure
    assert app.list_models(name="reachtarget").models[0].aliases == {"production": version}
    runs = app.list_runs().runs
    assert len(runs) == 2
    second = app.register_model(run_id=next(row.run_id for row in runs if row.run_id != run.run_id), description="new")
    described = "[{name: why, kind: described}]"
    changed = app.promote_model(version=second.version, gates=described, confirm=True)
    assert changed.gates[0].value == "new (differs from the holder in seed 7 → 8)"
    (moved, *_) = app.store.models.audit("reachtarget")
    assert moved.data["differences"] == {"seed": [7, 8]}
    folders = [app.settings.home / "runs" / row.run_id for row in runs]
    assert {json.loads((folder / "run.json").read_text())["request"]["seed"] for folder in folders} == {7, 8}
