"""Schedules fire exactly what they owe, whatever number of servers, restarts and clock steps there are."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.job_worlds import eventually, lookouts, opened
from tests.mcp_clients import in_memory, text
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.errors import ConflictError, InvalidInputError
from unity_mlops_mcp.interfaces.cli.main import run
from unity_mlops_mcp.pipeline.records import Wanted
from unity_mlops_mcp.scheduling.moments import upcoming
from unity_mlops_mcp.scheduling.records import Rule, Schedule
from unity_mlops_mcp.scheduling.scheduler import MOST_WAITING, JobState, Scheduler
from unity_mlops_mcp.store.rows import FiringRow, ScheduleRow
from unity_mlops_mcp.store.store import Store

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


@dataclass
class World:
    """Jobs that take a while by the clock that is asked; shared by all servers, as the store is."""

    now: datetime = START
    takes: timedelta = timedelta(0)
    ends: dict[str, datetime] = field(default_factory=dict)
    failing: frozenset[str] = frozenset()
    most: int = 0

    def start(self, firing: FiringRow, schedule: Schedule, place: int) -> str:
        job_id = f"{firing.firing_id}/{place}/{schedule.work[place].request}"
        self.ends.setdefault(job_id, self.now + self.takes)
        self.most = max(self.most, sum(self.look(one).state == "running" for one in list(self.ends)))  # servers race
        return job_id

    def look(self, job_id: str) -> JobState:
        if self.now < self.ends[job_id]:
            return JobState("running")
        bad = job_id.rpartition("/")[2] in self.failing
        return JobState("failed", "it fell") if bad else JobState("succeeded")


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with Store(home) as found:
        yield found


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def app(home: Path) -> Iterator[App]:
    del home
    application = App(config.settings())
    yield application
    application.close()


WORK = Wanted(request="patrol three waypoints", dry_run=True, after=("evaluate",))


def put(app: App, name: str = "hourly", *, enabled: bool = True, **rule: Any) -> datetime:
    """A schedule of every hour that nobody has looked at for a week; the present moment."""
    schedule = Schedule(name=name, rule=Rule(cron="0 * * * *", catch_up="all"), work=(WORK,))
    data = schedule.model_dump(mode="json", exclude_unset=True)
    now = datetime.now(timezone.utc)
    long_ago = now - timedelta(days=7)
    assert app.store.schedules.add(
        ScheduleRow(
            f"id-of-{name}", name, {**data, "rule": {**data["rule"], **rule}}, long_ago, long_ago, long_ago, enabled
        )
    )
    return now


def owed(app: App, moment: datetime) -> int:
    """How many firings a look at a moment gives the schedule of every hour."""
    Scheduler(app.store, World(now=moment), holder="one").tend(moment)
    return len(app.store.schedules.firings_of("id-of-hourly", limit=None))


def add(store: Store, name: str, *, work: tuple[str, ...] = ("a",), most: int = 4, **rule: object) -> None:
    schedule = Schedule(
        name=name,
        rule=Rule.model_validate(rule),
        work=tuple(Wanted(request=one) for one in work),
        max_concurrent_jobs=most,
    )
    data = schedule.model_dump(mode="json", exclude_unset=True)
    assert store.schedules.add(ScheduleRow(name, name, data, START, START, START))


def fired(store: Store, name: str, *states: str) -> list[datetime]:
    rows = store.schedules.firings_of(name, limit=None)
    return sorted(row.due_at for row in rows if row.state in (states or ("running", "succeeded")))


def tend(store: Store, world: World, moment: datetime, holder: str = "one") -> None:
    world.now = moment
    Scheduler(store, world, holder=holder).tend(moment)


def settle(store: Store, world: World, moment: datetime, holder: str) -> None:
    """Look again and again, as a living server does, until nothing is left to start."""
    tend(store, world, moment, holder)
    while store.schedules.open_firings():
        tend(store, world, moment, holder)


def all_until(rule: Rule, end: datetime) -> list[datetime]:
    found = [*upcoming(rule, START, count=1)]
    while found[-1] <= end:
        found += upcoming(rule, found[-1], count=1)
    return found[:-1]


RULES = [
    ("0 2 * * *", "UTC"),
    ("0 2 * * *", "Europe/Berlin"),
    ("30 2 * * *", "Europe/Berlin"),
    ("30 1 * * *", "America/New_York"),
    ("0 */6 * * *", "UTC"),
    ("15 3 * * 1", "Asia/Tokyo"),
    ("0 4 1 * *", "UTC"),
    ("45 23 * * 1-5", "Australia/Sydney"),
    ("0 12 29 2 *", "UTC"),
    ("5 0 31 * *", "UTC"),
]


def test_a_year_of_ten_schedules_with_restarts_fires_the_exact_set(store: Store, world: World) -> None:
    """Servers come and go, sleep for days, and two look at once; nothing is fired twice, late ones are made up for."""
    rng, end = random.Random(7), START + timedelta(days=365)  # noqa: S311 - repeatable, no secret
    for number, (cron, zone) in enumerate(RULES):
        add(store, f"s{number}", cron=cron, timezone=zone, catch_up="all", overlap="queue")
    moment, holder = START, "first"
    while moment < end:
        moment += timedelta(hours=rng.choice([1, 2, 5, 24, 60]), minutes=rng.randrange(60))
        if rng.random() < 0.2:
            holder = f"server {rng.randrange(1000)}"
        settle(store, world, moment, holder)
        if rng.random() < 0.2:
            tend(store, world, moment, "another")
    for number, (cron, zone) in enumerate(RULES):
        owed = all_until(Rule(cron=cron, timezone=zone), moment)
        assert fired(store, f"s{number}", "succeeded") == owed, (cron, zone)
        assert len([job for job in world.ends if job.startswith(f"s{number}.")]) == len(owed)
    assert store.schedules.open_firings() == ()


def test_two_servers_that_look_at_the_same_moment_fire_once(store: Store, home: Path) -> None:
    """The lease is left out of the game: every server is made to believe that it holds it."""
    add(store, "hourly", cron="0 * * * *", catch_up="all", overlap="allow")
    world, until, stores = World(), START + timedelta(hours=50), [Store(home) for _ in range(4)]
    world.now = until
    barrier = threading.Barrier(len(stores))

    def race(own: Store) -> None:
        barrier.wait()
        Scheduler(own, world, holder="the same name").tend(until)

    threads = [threading.Thread(target=race, args=(own,)) for own in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tend(store, world, until, "the same name")
    assert len(fired(store, "hourly")) == len(world.ends) == 50
    for own in stores:
        own.close()


def test_one_server_holds_the_lease_until_it_is_gone(store: Store, world: World) -> None:
    add(store, "hourly", cron="0 * * * *")
    due = START + timedelta(hours=1)
    assert Scheduler(store, world, holder="one").tend(due - timedelta(seconds=5))
    assert not Scheduler(store, world, holder="two").tend(due)
    assert Scheduler(store, world, holder="two").tend(due + timedelta(seconds=40))
    assert fired(store, "hourly") == [due]


def test_a_clock_that_steps_back_fires_nothing_again(store: Store, world: World) -> None:
    add(store, "hourly", cron="0 * * * *")
    for minutes in (60, 59, 61, 30, 60, 120, 10, 119, 121):
        tend(store, world, START + timedelta(minutes=minutes))
    assert fired(store, "hourly") == [START + timedelta(hours=1), START + timedelta(hours=2)]


def test_a_clock_that_was_a_year_ahead_does_not_silence_a_schedule(store: Store, world: World) -> None:
    add(store, "hourly", cron="0 * * * *", catch_up="none")
    tend(store, world, START + timedelta(days=365, minutes=30))
    tend(store, world, START + timedelta(minutes=59))
    tend(store, world, START + timedelta(minutes=60))
    assert fired(store, "hourly") == [START + timedelta(hours=1)]


@pytest.mark.parametrize(("catch_up", "made_up"), [("none", []), ("latest", [3]), ("all", [1, 2, 3])])
def test_what_was_missed_is_made_up_for_as_chosen_and_written_down(
    store: Store, world: World, catch_up: str, made_up: list[int]
) -> None:
    add(store, "hourly", cron="0 * * * *", catch_up=catch_up)
    for _ in range(4):
        tend(store, world, START + timedelta(hours=3, minutes=30))
    assert fired(store, "hourly", "succeeded") == [START + timedelta(hours=hour) for hour in made_up]
    missed = sorted({1, 2, 3} - set(made_up))
    assert fired(store, "hourly", "missed") == [START + timedelta(hours=hour) for hour in missed]


@pytest.mark.parametrize(
    ("overlap", "states"),
    [
        ("skip", ["running", "skipped", "skipped"]),
        ("queue", ["running", "waiting", "waiting"]),
        ("allow", ["running", "running", "running"]),
    ],
)
def test_a_firing_that_overlaps_is_skipped_queued_or_allowed(
    store: Store, world: World, overlap: str, states: list[str]
) -> None:
    world.takes = timedelta(hours=10)
    add(store, "hourly", cron="0 * * * *", overlap=overlap)
    for hour in (1, 2, 3):
        tend(store, world, START + timedelta(hours=hour))
    rows = store.schedules.firings_of("hourly")
    assert [row.state for row in reversed(rows)] == states
    assert all(row.reason for row in rows if row.state == "skipped")


def test_queued_firings_run_one_after_the_other(store: Store, world: World) -> None:
    world.takes = timedelta(minutes=90)
    add(store, "hourly", cron="0 * * * *", overlap="queue")
    for minutes in range(60, 600, 10):
        tend(store, world, START + timedelta(minutes=minutes))
    assert world.most == 1
    assert len(fired(store, "hourly", "succeeded")) == 5


def test_a_continuous_schedule_goes_on_after_its_pause(store: Store, world: World) -> None:
    world.takes = timedelta(minutes=20)
    add(store, "always", cron="continuous", pause_s=600)
    for minutes in range(0, 121, 5):
        tend(store, world, START + timedelta(minutes=minutes))
    assert fired(store, "always", "succeeded", "running") == [
        START + timedelta(minutes=minutes) for minutes in (0, 30, 60, 90, 120)
    ]


def test_a_continuous_schedule_keeps_its_pause_when_the_clock_had_been_a_month_ahead(
    store: Store, world: World
) -> None:
    add(store, "always", cron="continuous", pause_s=600, overlap="allow")
    tend(store, world, START + timedelta(days=30))
    world.ends = dict.fromkeys(world.ends, START + timedelta(minutes=5))
    for seconds in range(0, 60 * 60, 30):
        tend(store, world, START + timedelta(seconds=seconds))
    rows = sorted(store.schedules.firings_of("always", limit=None), key=lambda row: row.changed_at)
    assert [row.state for row in rows] == ["succeeded"] * 6
    pauses = [later.due_at - earlier.finished_at for earlier, later in pairwise(rows) if earlier.finished_at]
    assert pauses == [timedelta(minutes=10)] * 5


def test_a_continuous_schedule_goes_on_when_all_that_ended_ended_a_month_ahead(store: Store, world: World) -> None:
    add(store, "always", cron="continuous", pause_s=600)
    settle(store, world, START + timedelta(days=30), "one")
    for minutes in (0, 9, 10):
        settle(store, world, START + timedelta(minutes=minutes), "one")
    assert fired(store, "always")[:-1] == [START, START + timedelta(minutes=10)]


def test_assets_train_side_by_side_and_one_that_fails_stops_nobody(store: Store, world: World) -> None:
    world.takes, world.failing = timedelta(minutes=10), frozenset({"b"})
    add(store, "several", cron="0 * * * *", work=("a", "b", "c", "d", "e"), most=2)
    for minutes in range(60, 181, 5):
        tend(store, world, START + timedelta(minutes=minutes))
    assert world.most == 2
    first, second = sorted(store.schedules.firings_of("several"), key=lambda row: row.due_at)[:2]
    assert (first.state, second.state) == ("failed", "failed")
    assert first.reason == "1 of 5 did not succeed: it fell"
    assert [job.rpartition("/")[2] for job in first.jobs] == ["a", "b", "c", "d", "e"]


def test_a_removed_schedule_starts_nothing_more_and_what_runs_is_looked_after(store: Store, world: World) -> None:
    world.takes = timedelta(hours=2)
    add(store, "hourly", cron="0 * * * *", overlap="queue")
    for hour in (1, 2):
        tend(store, world, START + timedelta(hours=hour))
    store.schedules.remove("hourly")
    for hour in (3, 4, 5):
        tend(store, world, START + timedelta(hours=hour))
    assert [row.state for row in reversed(store.schedules.firings_of("hourly"))] == ["succeeded", "cancelled"]


def test_a_continuous_schedule_that_fails_waits_longer_and_longer(store: Store, world: World) -> None:
    world.failing = frozenset({"a"})
    add(store, "always", cron="continuous", pause_s=0)
    for minutes in range(5 * 60):
        tend(store, world, START + timedelta(minutes=minutes))
    rows = store.schedules.firings_of("always", limit=None)
    waits = [later.due_at - earlier.finished_at for later, earlier in pairwise(rows) if earlier.finished_at]
    assert waits[::-1] == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 16, 32, 60, 60, 60)]


def test_a_queue_has_an_end_and_what_is_beyond_it_is_skipped(store: Store, world: World) -> None:
    world.takes = timedelta(days=30)
    add(store, "hourly", cron="0 * * * *", overlap="queue", catch_up="all")
    tend(store, world, START + timedelta(hours=MOST_WAITING + 4))
    assert len(fired(store, "hourly", "waiting")) == MOST_WAITING
    assert len(fired(store, "hourly", "running")) == 1
    skipped = [row for row in store.schedules.firings_of("hourly") if row.state == "skipped"]
    assert [row.reason for row in skipped] == [f"{MOST_WAITING} firings before it wait already"] * 3


@pytest.mark.parametrize(
    ("enabled", "rule", "firings"),
    [
        (False, Rule(cron="0 * * * *", catch_up="all"), 0),  # it was paused
        (True, Rule(cron="30 * * * *", catch_up="all"), 0),  # there was no such rule until now
        (True, Rule(cron="0 * * * *", timezone="Asia/Kolkata", catch_up="all"), 0),
        (True, Rule(cron="0 * * * *", catch_up="all", overlap="queue"), 168),
    ],
)
def test_a_schedule_in_the_place_of_another_makes_up_for_no_pause_and_no_other_rule(
    app: App, enabled: bool, rule: Rule, firings: int
) -> None:
    now = put(app, enabled=enabled)
    app.add_schedule(name="hourly", rule=rule, work=WORK, replace=True)
    assert owed(app, now) == firings


@pytest.mark.parametrize(("changes", "firings"), [("{max_steps: 1000}", 168), ("{timezone: Asia/Kolkata}", 0)])
def test_a_change_drops_what_is_owed_only_with_the_rule(app: App, changes: str, firings: int) -> None:
    now = put(app)
    app.update_schedule("hourly", "change", changes)
    assert owed(app, now) == firings


def test_a_schedule_that_cannot_be_read_silences_no_other_and_can_be_mended(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    put(app, "lost", timezone="Mars/Olympus")
    put(app, "newer", gravity=3)
    now = put(app)
    scheduler = Scheduler(app.store, World(now=now), holder="one")
    for _ in range(2):
        scheduler.tend(now)
    assert fired(app.store, "id-of-hourly")
    assert len(caplog.records) == 2
    problems = {one.name: one.problem for one in app.list_schedules().schedules}
    assert "no time zone 'Mars/Olympus'" in str(problems["lost"])
    assert "rule.gravity" in str(problems["newer"])
    assert problems["hourly"] is None
    with pytest.raises(InvalidInputError, match="Mars"):
        app.update_schedule("lost", "run_now")
    mended = app.update_schedule("lost", "change", "{timezone: Asia/Tokyo}")
    assert (mended.problem, mended.timezone) == (None, "Asia/Tokyo")
    assert app.update_schedule("newer", "remove").removed


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ("{name: null}", "name: "),
        ("{name: ' '}", "name is empty"),
        ("{max_steps: -5}", "max_steps: "),
        ("{after: null}", "after: "),
        ("{after: [dance]}", "nothing called dance"),
        ("{1: 2}", "1 cannot be changed"),
        ("{build_id: x}", "max_concurrent_jobs"),
        ("{training: {seed: 2020-01-01}}", "training.seed: "),
        ("{training: {training_mode: offline}}", "offline_dataset_path"),
        ("{training: {training_mode: hybrid, offline_dataset_path: ~/none.demo}}", "none.demo"),
        ("{after: 5}", "after: "),
        ("{alias: null}", "alias: "),
        ("{warm_start: perhaps}", "warm_start: "),
        ("{cron: null}", "cron: "),
        ("{cron: 61 * * * *}", "out of range"),
        ("{cron: */5 * * * *}", "begins with * or & in quotes"),
        ('{name: "\\ud800"}', "half of a character"),
        ('{name: "a\\e[31m"}', "no character that can be shown"),
        ("{timezone: Mars/Olympus}", "no time zone"),
        ("{timezone: localtime}", "this machine's own"),
    ],
)
def test_a_change_that_cannot_be_used_is_refused_and_changes_nothing(app: App, changes: str, said: str) -> None:
    put(app)
    before = app.store.schedules.get("hourly")
    with pytest.raises(InvalidInputError) as refused:
        app.update_schedule("hourly", "change", changes)
    assert said in str(refused.value)
    assert app.store.schedules.get("hourly") == before


def test_changes_are_read_with_the_types_they_have_in_a_schedule(app: App) -> None:
    put(app)
    changed = app.update_schedule(
        "hourly",
        "change",
        '{warm_start: "false", after: promote, cron: "@daily", training: "{seed: 1}", name: Nightly}',
    )
    assert (changed.warm_start, changed.after, changed.cron) == (
        False,
        ["evaluate", "register", "promote"],
        "0 2 * * *",
    )
    assert app.store.schedules.get("Nightly") is not None


def test_who_fires_is_told(app: App) -> None:
    put(app, enabled=False)
    assert app.list_schedules().fired_by is None
    assert "Nobody fires" in app.list_schedules().next
    app.tend()
    assert f"process {os.getpid()} on " in str(app.list_schedules().fired_by)
    app.stop_firing()
    assert app.list_schedules().fired_by is None


def test_a_command_that_has_ended_fires_no_more(app: App) -> None:
    put(app, enabled=False)
    assert run(["list-schedules"]) == 0
    assert app.list_schedules().fired_by is None


def test_what_becomes_of_a_firing_is_logged(store: Store, world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "unity_mlops_mcp.scheduling")
    world.takes = timedelta(minutes=90)
    add(store, "hourly", cron="0 * * * *")
    one, two = (Scheduler(store, world, holder=holder) for holder in ("one", "two"))
    for hour in (1, 2, 3):
        world.now = START + timedelta(hours=hour)
        one.tend(world.now)
    two.tend(world.now + timedelta(minutes=1))
    one.tend(world.now + timedelta(minutes=1))
    first, second = (f"Schedule hourly: firing hourly.20260101-0{hour}0000" for hour in (1, 2))
    lines = [record.getMessage() for record in caplog.records]
    assert lines[:5] == [
        "Schedules are fired by this process now.",
        f"{first} is due.",
        f"{first} started hourly.20260101-010000/0/a.",
        f"{second} is due.",
        f"{second} skipped: the firing before it still runs.",
    ]
    assert f"{first} succeeded." in lines
    assert lines[-1] == "Schedules are fired by another process now."


def test_numbers_may_be_written_with_an_exponent(app: App) -> None:
    put(app)
    app.update_schedule("hourly", "change", '{"cron": "*/5 * * * *", "max_steps": 1e6}')
    row = app.store.schedules.get("hourly")
    assert row is not None
    assert row.data["work"][0]["max_steps"] == 1_000_000


def test_what_is_removed_is_told_as_gone(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    put(app)
    assert run(["update-schedule", "hourly", "remove"]) == 0
    said = capsys.readouterr().out
    assert "hourly is removed" in said
    assert "0 * * * *" not in said


@pytest.mark.parametrize(
    ("assets", "said"),
    [
        ('["\\ud800 reach a target"]', "half of a character"),
        (f"[reach {'far ' * 1200}]", "description: "),
        ("[{description: reach, name: [1]}]", "name: "),
        ("[5]", "neither a sentence nor a mapping"),
    ],
)
def test_assets_that_cannot_be_used_are_refused(app: App, assets: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        app.add_schedule(name="several", rule=Rule(cron="nightly"), work=Wanted(dry_run=True), assets=assets)
    assert app.list_schedules().schedules == []


def test_assets_may_be_json_that_escapes_its_characters(app: App) -> None:
    assets = json.dumps(["reach a target \N{DIRECT HIT}"])
    added = app.add_schedule(name="one", rule=Rule(cron="nightly"), work=Wanted(dry_run=True), assets=assets)
    assert added.work == ["reach a target \N{DIRECT HIT}"]


def test_the_example_of_assets_can_be_scheduled(app: App) -> None:
    assets = (Path(__file__).parents[1] / "examples" / "assets.yaml").read_text("utf-8")
    added = app.add_schedule(name="Nav", rule=Rule(cron="30 1 * * 1-5"), work=Wanted(dry_run=True), assets=assets)
    assert added.work == ["patrol four waypoints", "npc-7"]


def test_a_name_of_no_characters_is_refused(app: App) -> None:
    for name in ("\ud800", "a\x00b"):
        with pytest.raises(InvalidInputError, match="no character that can be shown"):
            app.add_schedule(name=name, rule=Rule(cron="nightly"), work=WORK)


def test_no_schedule_takes_the_name_or_the_id_of_another(app: App) -> None:
    put(app)
    put(app, "other")
    rule = Rule(cron="nightly")
    for name in ("hourly", "id-of-hourly"):
        with pytest.raises(ConflictError, match="already"):
            app.update_schedule("other", "change", f"{{name: {name}}}")
        with pytest.raises(ConflictError, match="already"):
            app.add_schedule(name=name, rule=rule, work=WORK)
    with pytest.raises(ConflictError, match="already"):
        app.add_schedule(name="id-of-hourly", rule=rule, work=WORK, replace=True)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"project_path": "game", "target": "sandbox"}, "cannot run in the sandbox"),
        ({"request": "patrol", "scenes": "Main.unity"}, "scenes are those of a project"),
        ({"request": "patrol", "after": "dance"}, "nothing called dance"),
        ({"request": "patrol", "alias": "v1"}, "no alias"),
    ],
)
@pytest.mark.usefixtures("home")
async def test_a_schedule_is_refused_what_a_pipeline_is_refused(given: dict[str, Any], said: str) -> None:
    async with in_memory("auto") as client:
        result = await client.call_tool("add_schedule", {"name": "x", "cron": "nightly", **given})
    assert result.is_error
    assert said in text(result)


def test_the_scheduler_s_process_ends_when_running_jobs_have_ended_and_fires_nothing_meanwhile(home: Path) -> None:
    command = [sys.executable, "-m", "unity_mlops_mcp", "scheduler", "--drain-s", "100"]
    with opened(home) as there:
        add(there.store, "yearly", cron="0 0 1 1 *", catch_up="none")
        job = there.running(there.submit("hold"))
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                eventually(lambda: lookouts(home))
                process.send_signal(signal.SIGTERM)
                assert process.stderr is not None
                assert any("nothing new is fired" in line for line in process.stderr)
                eventually(lambda: not lookouts(home))  # another process may fire at once
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(timeout=3)
                there.jobs.request_stop(job.id)
                assert process.wait(timeout=60) == 0
            finally:
                process.kill()
