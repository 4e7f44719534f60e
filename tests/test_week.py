"""A week of a studio in a minute or two: schedules, killed servers, a dead receiver, an asset that fails.

The clock is the script's; jobs, players and servers are real processes, the trainer is a stand-in.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.receivers import Receiver, receiver
from tests.stand_ins.stock_trainer import make_stock_trainer
from tests.training_home import nothing_is_left
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.pipeline.records import Wanted
from unity_mlops_mcp.scheduling.moments import upcoming
from unity_mlops_mcp.scheduling.notifying.catalogue import notice_of
from unity_mlops_mcp.scheduling.notifying.records import Wishes
from unity_mlops_mcp.scheduling.records import Rule
from unity_mlops_mcp.spec.requests import RLTrainingConfig
from unity_mlops_mcp.store.rows import FiringRow, JobRow

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.slow,
    pytest.mark.skipif(sys.version_info >= (3, 12), reason="runs only on a Python below 3.12, as stock trainers do"),
]

SERVER = REPOSITORY / "tests" / "stand_ins" / "week_server.py"
DAILY, SECOND_DAYS, SUNDAYS = "0 2 * * *", "30 3 * * 2,4,6", "0 5 * * 0"
PATIENCE_S = 120.0


class Server:
    """One server; it does what it is told until it is killed."""

    def __init__(self) -> None:
        command = [sys.executable, str(SERVER)]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process = subprocess.Popen(command, cwd=REPOSITORY, **pipes)

    def ask(self, moment: datetime) -> None:
        """Give it a moment, and do not wait for what it does then."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{moment.isoformat()}\n")
        self._process.stdin.flush()

    def answered(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "done\n"

    def kill(self) -> None:
        self._process.kill()
        self.close()

    def close(self) -> None:
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()


class Week:
    """The script's hands: two servers, of which it kills one now and then in the midst of its work."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - repeatable, no secret
        self.servers = [Server(), Server()]
        self.kills = 0

    def look(self, moment: datetime) -> None:
        for server in self.servers:
            server.ask(moment)
        victim = self._rng.randrange(2) if self._rng.random() < 0.12 else None
        for place, server in enumerate(self.servers):
            if place == victim:
                server.kill()
                self.servers[place] = Server()
                self.kills += 1
            else:
                server.answered()

    def close(self) -> None:
        for server in self.servers:
            server.close()


@pytest.fixture
def app(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    monkeypatch.setenv("UNITY_MLOPS_TRAINER", str(make_stock_trainer(tmp_path / "my trainer")))
    monkeypatch.setenv("UNITY_MLOPS_MAX_JOBS", "3")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    config.settings.cache_clear()
    application = App(config.settings())
    yield application
    application.close()
    assert nothing_is_left(home)


def add_schedules(app: App, home: Path) -> dict[str, str]:
    """Three schedules, of which one has an asset whose spec is lost; their rules."""
    training = RLTrainingConfig(max_steps=2000, summary_freq=1000, checkpoint_interval=2000)

    def add(name: str, cron: str, assets: str | None = None, **given: str) -> None:
        rule = Rule(cron=cron, catch_up="all", overlap="queue")
        app.add_schedule(
            name=name, rule=rule, work=Wanted(training=training, after=("register",), **given), assets=assets
        )

    add("daily", DAILY, request="patrol three waypoints")
    sized = "{name: Lost, asset_id: lost-1, description: reach the target, observation_space: {raycast: 4}}"
    add("two", SECOND_DAYS, assets=f'["reach the target", {sized}]')
    add("sundays", SUNDAYS, build_id=app.build_environment(description="collect three items").build_id)
    (lost,) = (home / "specs").glob("lost-*.json")
    lost.unlink()
    return {"daily": DAILY, "two": SECOND_DAYS, "sundays": SUNDAYS}


def settle(app: App, week: Week, moment: datetime) -> datetime:
    """Let what was fired come to its end; seconds of the script's clock pass meanwhile."""
    end = time.monotonic() + PATIENCE_S
    while app.store.schedules.open_firings() or app.jobs.open():
        assert time.monotonic() < end, [job.id for job in app.jobs.open()]
        moment += timedelta(seconds=2)
        week.look(moment)
    return moment


def firings(app: App, name: str) -> list[FiringRow]:
    row = app.store.schedules.get(name)
    assert row is not None
    return sorted(app.store.schedules.firings_of(row.schedule_id, limit=None), key=lambda one: one.due_at)


def all_jobs(app: App, kind: str) -> list[JobRow]:
    return list(app.store.jobs.page(limit=200, cursor=None, kind=kind).rows)


def owed(app: App) -> dict[int, str]:
    """Every notice that the events of the store owe an endpoint: sequence → type."""
    notices = [notice_of(app.store, event) for event in app.store.events.after(0, limit=100_000)]
    return {notice.sequence: notice.type for notice in notices if notice is not None and Wishes().include(notice)}


def arrived(made: Receiver) -> dict[int, str]:
    bodies = [json.loads(body) for _, body in made.taken]
    return {body["sequence"]: body["type"] for body in bodies}


def test_a_week_ends_with_store_webhooks_and_registry_in_agreement(app: App, home: Path) -> None:
    begin = datetime.now(timezone.utc)
    with ExitStack() as stack:
        made = stack.enter_context(receiver())
        dead = stack.enter_context(receiver(503))  # answers at last, two days before the week is over
        for one in (made, dead):
            app.add_endpoint(one.url, private=True)
        rules = add_schedules(app, home)
        week = Week(seed=11)
        stack.callback(week.close)
        moment, end = begin, begin + timedelta(days=7)
        while moment < end:
            moment += timedelta(hours=2)
            week.look(moment)
            moment = settle(app, week, moment)
            if moment > begin + timedelta(days=5):
                dead.answers = [204]
        assert week.kills >= 3

        for name, cron in rules.items():
            row = app.store.schedules.get(name)
            assert row is not None
            moments = [one for one in upcoming(Rule(cron=cron), row.created_at, count=30) if one <= moment]
            assert [row.due_at for row in firings(app, name)] == moments, name
        others = [*firings(app, "daily"), *firings(app, "sundays")]
        assert {(row.state, row.reason) for row in others} == {("succeeded", None)}
        assert {row.state for row in firings(app, "two")} == {"failed"}
        assert all("1 of 2 did not succeed" in str(row.reason) for row in firings(app, "two"))

        pipelines = {row.id: row for row in all_jobs(app, "pipeline")}
        fired = [job for name in rules for row in firings(app, name) for job in row.jobs]
        assert sorted(fired) == sorted(pipelines)
        good = {row.result["version_id"] for row in pipelines.values() if row.result and row.state == "succeeded"}
        versions = [
            line for model in app.list_models(limit=50).models for line in app.store.models.versions(model.name)
        ]
        assert {line.version_id for line in versions} == good
        assert (
            len(good) == sum(row.state == "succeeded" for row in pipelines.values()) == len(all_jobs(app, "training"))
        )

        for name in rules:
            app.update_schedule(name, "pause")
        for _ in range(2):
            app.replay_deliveries()
            moment += timedelta(days=1)
            week.look(moment)
            week.look(moment + timedelta(minutes=5))
        expected = owed(app)
        assert arrived(made) == expected
        assert arrived(dead) == expected
        assert app.list_deliveries(state="pending").deliveries == []
        told = [json.loads(body)["data"] for _, body in made.taken]
        assert {data["model_version"] for data in told if data["kind"] == "pipeline" and data["model_version"]} == good
        started = {data["firing_id"] for data in told if data["firing_id"] and data["kind"] is None}
        assert started == {row.firing_id for name in rules for row in firings(app, name)}
        assert {data["firing_id"] for data in told if data["kind"] == "training"} <= started
