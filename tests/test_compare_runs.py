"""compare_runs from outside, over event files as the trainer writes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.event_files import REWARD, START, SUCCESS, scalar, version
from tests.mcp_clients import ERAS, Era, in_memory, structured, text
from tests.test_cli import cli
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.errors import InvalidInputError, NotFoundError
from unity_mlops_mcp.store.rows import JobRow, RunRow

NOON = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
AddRun = Callable[..., str]


@pytest.fixture
def application(home: Path) -> Iterator[App]:
    home.mkdir(parents=True)
    app = App(config.settings())
    yield app
    app.close()


@pytest.fixture
def run(application: App) -> AddRun:
    """Adds a run whose reward climbs to ``height``, with some noise of its seed."""
    count = 0

    def add(height: float, *, seed: int, points: int = 100, behavior: str = "Nav", **settings: Any) -> str:
        nonlocal count
        count += 1
        run_id, moment = f"nav-{count:03}", NOON + timedelta(seconds=count)
        folder = application.settings.home / "runs" / run_id / behavior
        folder.mkdir(parents=True)
        steps = 1000 * np.arange(1, points + 1)
        noise = np.random.default_rng(seed).normal(0, 0.02, points)
        values = height * (1 - np.exp(-steps / 20_000)) + noise
        parts = [version()]
        for step, value in zip(steps.tolist(), values.tolist(), strict=True):
            parts.append(scalar(REWARD, value, step, START + step / 1000))
        if settings.pop("success", False):
            parts.append(scalar(SUCCESS, 1.0, 100_000, START + 100))
        (folder / "events.out.tfevents.1.host").write_bytes(b"".join(parts))
        request = {"run_id": run_id, "seed": seed, "num_envs": 1, "num_areas": 16}
        state = str(settings.pop("state", "succeeded"))
        application.store.jobs.add(
            JobRow(f"job-{run_id}", "training", run_id, state, request, True, "t", moment, moment)
        )
        if "spec" in settings:
            record = {"spec": settings.pop("spec")}
            (folder.parent / "run.json").write_text(json.dumps(record))
        hyper = {"learning_rate": 3e-4, **settings}
        trainer = {"behaviors": {behavior: {"hyperparameters": hyper}}, "checkpoint_settings": {"run_id": run_id}}
        configuration = {**request, "revision": run_id, "configuration": trainer}  # as a started training leaves it
        row = RunRow(run_id, behavior, None, 100_000, configuration, moment, job_id=f"job-{run_id}")
        application.store.runs.add(row)
        return run_id

    return add


def test_seeds_make_a_group_and_the_better_one_is_named_with_what_differs(application: App, run: AddRun) -> None:
    slow = [run(1.0, seed=seed, learning_rate=1e-4) for seed in range(4)]
    fast = [run(1.5, seed=seed, learning_rate=1e-3) for seed in range(4)]

    found = application.compare_runs(run_ids=",".join(slow + fast), baseline=slow[0])

    first, second = found.ranking
    assert (first.label, second.label) == ("learning_rate 0.001", "learning_rate 0.0001")
    assert first.run_ids == fast
    assert first.seeds == [0, 1, 2, 3]
    assert first.final.mean == pytest.approx(1.5, abs=0.03)
    assert first.final.low is not None
    assert first.final.high is not None
    assert first.final.low <= first.final.mean <= first.final.high
    assert first.better_than_baseline == 1.0
    assert [one.setting for one in found.differences] == ["hyperparameters.learning_rate"]
    assert "learning_rate 0.001 is better" in found.verdict
    assert found.doubt == ""
    assert first.steps_to_threshold is not None
    assert first.reached == 4
    assert second.reached == 0
    assert first.seconds_to_threshold == pytest.approx(first.steps_to_threshold / 1000 - 1, abs=0.1)
    assert found.statistics.common_steps == 100_000
    assert found.curves[0].steps[-1] > 90_000
    assert first.area.mean < first.final.mean < first.best.mean + 0.05


def test_what_differs_in_the_spec_is_told_by_the_names_of_its_parts(application: App, run: AddRun) -> None:
    def spec(count: int) -> dict[str, Any]:
        return {"name": "Nav", "entities": [{"name": "wall", "count": count}, {"name": "goal", "count": 1}]}

    runs = [run(1.0, seed=1, spec=spec(3)), run(1.2, seed=1, spec=spec(6))]
    found = application.compare_runs(run_ids=",".join(runs))
    assert [one.setting for one in found.differences] == ["spec.entities.wall.count"]
    assert found.differences[0].values == {"count 6": 6, "count 3": 3}


def test_two_seeds_are_not_enough_to_tell(application: App, run: AddRun) -> None:
    runs = [run(height, seed=seed, gamma=gamma) for height, gamma in ((1.0, 0.9), (1.5, 0.99)) for seed in range(2)]
    found = application.compare_runs(run_ids=",".join(runs))
    assert "is ahead" in found.verdict
    assert "Two seeds" in found.doubt
    assert "not enough to tell" in found.doubt
    alike = application.compare_runs(run_ids=",".join(runs[:2]))
    assert "same settings" in alike.verdict
    assert alike.differences == []


def test_runs_of_other_lengths_are_aligned_by_step(application: App, run: AddRun) -> None:
    short, long = run(1.0, seed=1, points=40, gamma=0.9), run(1.0, seed=1, points=100, gamma=0.95)
    found = application.compare_runs(run_ids=f"{short},{long}")
    assert found.statistics.common_steps == 40_000
    areas = [group.area.mean for group in found.ranking]
    assert areas[0] == pytest.approx(areas[1], abs=0.02)
    assert "100,000 steps against 40,000" in found.doubt
    assert "of pairs" not in found.reason, "one run against one is no share"
    assert all(group.best.mean >= group.final.mean for group in found.ranking)
    assert [one.setting for one in found.differences] == ["hyperparameters.gamma"]


def test_groups_as_asked_and_metrics_by_name_or_tag(application: App, run: AddRun) -> None:
    runs = [run(1 + beta, seed=seed, beta=beta, gamma=0.9, success=True) for beta in (0.1, 0.2) for seed in range(3)]
    together = application.compare_runs(run_ids=",".join(runs), group_by="hyperparameters.gamma")
    assert len(together.ranking) == 1
    assert together.ranking[0].final.n == 6
    assert application.compare_runs(run_ids=",".join(runs), metric="success").ranking[0].final.mean == 1
    by_tag = application.compare_runs(run_ids=",".join(runs), metric=REWARD)
    assert by_tag.statistics.tag == REWARD


def test_names_that_are_none_are_answered_with_the_nearest(application: App, run: AddRun) -> None:
    name = run(1.0, seed=1)
    with pytest.raises(NotFoundError, match="nav-01'") as wrong_run:
        application.compare_runs(run_ids="nav-01")
    assert name in wrong_run.value.fix
    with pytest.raises(NotFoundError, match="rewrad") as wrong_metric:
        application.compare_runs(run_ids=name, metric="rewrad")
    assert "Did you mean reward" in wrong_metric.value.fix
    with pytest.raises(NotFoundError, match="learning_rat") as wrong_setting:
        application.compare_runs(run_ids=name, group_by="hyperparameters.learning_rat")
    assert "hyperparameters.learning_rate" in wrong_setting.value.fix
    with pytest.raises(NotFoundError, match="baseline"):
        application.compare_runs(run_ids=name, baseline="nav-002")
    with pytest.raises(InvalidInputError, match="run_ids or filter"):
        application.compare_runs()
    for nothing in ("", " ", ","):
        with pytest.raises(InvalidInputError, match="run_ids or filter"):
            application.compare_runs(run_ids=nothing)
    with pytest.raises(InvalidInputError, match="no filter"):
        application.compare_runs(filter="colour=red")
    with pytest.raises(NotFoundError, match="No run fits"):
        application.compare_runs(filter="behavior=Walker")


def test_what_cannot_be_compared_is_left_out_and_told(application: App, run: AddRun) -> None:
    good, empty, torn = run(1.0, seed=1), run(1.0, seed=2), run(1.0, seed=3)
    runs = application.settings.home / "runs"
    for file in (runs / empty / "Nav").iterdir():
        file.unlink()
    (file,) = (runs / torn / "Nav").iterdir()
    file.write_bytes(file.read_bytes()[:2000] + b"\xff" * 64)
    found = application.compare_runs(filter="behavior=Nav")
    assert any(empty in line for line in found.left_out)
    assert any(good in group.run_ids for group in found.ranking)


def test_two_hundred_groups_come_in_pages_that_a_client_can_show(application: App, run: AddRun) -> None:
    for number in range(200):
        run(1 + number / 200, seed=1, points=12, gamma=0.5 + number / 1000)
    first = application.compare_runs(filter="behavior=Nav, state=succeeded")
    assert len(first.model_dump_json().encode()) < 20_000
    assert first.statistics.groups == 200
    seen = [group.rank for group in first.ranking]
    page = first
    while page.next_cursor:
        page = application.compare_runs(filter="behavior=Nav", cursor=page.next_cursor)
        seen += [group.rank for group in page.ranking]
        if len(seen) > 30:
            break
    assert seen == list(range(1, len(seen) + 1))


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_the_tool_ranks_and_explains(era: Era, run: AddRun) -> None:
    runs = ",".join(run(height, seed=1, gamma=gamma) for height, gamma in ((1.0, 0.9), (1.5, 0.99)))
    async with in_memory(era) as client:
        found = structured(await client.call_tool("compare_runs", {"run_ids": runs}))
        wrong = await client.call_tool("compare_runs", {"run_ids": "nav-0"})
    assert found["ranking"][0]["label"] == "gamma 0.99"
    assert "One seed" in found["doubt"]
    assert wrong.is_error
    assert "Did you mean" in text(wrong)


def test_the_command_shows_verdict_and_doubt(run: AddRun, home: Path) -> None:
    runs = ",".join(run(height, seed=1, gamma=gamma) for height, gamma in ((1.0, 0.9), (1.5, 0.99)))
    shown = cli(home, "compare-runs", runs)
    assert "gamma 0.99 is ahead" in shown.stdout
    assert "Doubt: One seed" in shown.stdout
    assert json.loads(cli(home, "compare-runs", runs, "--json").stdout)["statistics"]["runs"] == 2
