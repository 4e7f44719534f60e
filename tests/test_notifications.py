"""Notifications arrive once the receiver does: signed, retried over hours, and lost to no kill."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from pydantic import SecretStr
from rich.console import Console
from standardwebhooks import Webhook

from tests.conftest import REPOSITORY
from tests.job_worlds import eventually
from tests.receivers import DRIPS, Receiver, dripping_mail_server, receiver
from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import ConflictError, ExternalError, InvalidInputError, NotFoundError
from unity_mlops_mcp.interfaces.cli.render import render
from unity_mlops_mcp.scheduling.notifying import signing
from unity_mlops_mcp.scheduling.notifying.deliver import WAITS_S, Deliverer, delivery_of
from unity_mlops_mcp.scheduling.notifying.records import Notice, NoticeData, Wishes, notice_schema
from unity_mlops_mcp.store.rows import (
    AliasRow,
    AuditRow,
    EndpointRow,
    FiringRow,
    JobRow,
    ModelRow,
    ScheduleRow,
    VersionRow,
)

NOW = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
FAILURE = {"cause": "nan", "message": "The loss is NaN.", "evidence": ["step 10: nan"], "fix": "Lower learning_rate."}


@pytest.fixture
def told(home: Path) -> Iterator[App]:
    app = App(Settings(home=home))
    yield app
    app.close()


def a_job(app: App, name: str, *states: str, kind: str = "training", **values: Any) -> None:
    """A job that went through these states."""
    row = JobRow(name, kind, f"run-of-{name}", "queued", {"asset": "asset-7"}, True, "t", NOW, NOW)
    app.store.jobs.add(row)
    before, attempt = "queued", 1
    for state in states:
        if before == "interrupted":
            attempt += 1
        changed = {"attempt": attempt, **(values if state == states[-1] else {})}
        app.store.jobs.change(name, state, where=(before,), attempt=None, now=NOW, values=changed)
        before = state


def an_endpoint(name: str, target: str, *, private: bool = True, **values: Any) -> EndpointRow:
    """An endpoint as another process, or an older version, wrote it down."""
    data = Wishes(private=private).model_dump(mode="json")
    return EndpointRow(name, "webhook", target, data, after_seq=0, created_at=NOW, **values)


@contextmanager
def meanwhile(act: Callable[[], object]) -> Iterator[None]:
    """Lets another process act just after this one has looked at the endpoints for the first time."""

    left = [act]

    def looked(connection: object, cursor: object, statement: str, *_: object) -> None:
        del connection, cursor
        if left and statement.startswith("SELECT") and "FROM endpoints" in statement:
            left.pop()()

    sa.event.listen(sa.Engine, "after_cursor_execute", looked)
    yield
    sa.event.remove(sa.Engine, "after_cursor_execute", looked)
    assert not left


def bodies(made: Receiver) -> list[dict[str, Any]]:
    return [json.loads(body) for _, body in made.taken]


def types(made: Receiver) -> list[str]:
    return [body["type"] for body in sorted(bodies(made), key=lambda body: body["sequence"])]


def test_a_failed_job_is_told_with_its_context_and_a_signature_that_a_library_verifies(told: App) -> None:
    with receiver() as made:
        added = told.add_endpoint(made.url, private=True)
        a_job(told, "job-1", "starting", "running", "failed", failure=FAILURE)
        assert told.notify() == 2
        assert types(made) == ["job.started", "job.failed"]
        for headers, body in made.taken:
            assert added.secret is not None
            Webhook(added.secret).verify(body, headers)
        failed = max(bodies(made), key=lambda body: int(body["sequence"]))
        assert failed["data"]["failure"] == FAILURE
        shown = {key: failed["data"][key] for key in ("job_id", "run_id", "asset_id", "kind", "state")}
        assert shown == {
            "job_id": "job-1",
            "run_id": "run-of-job-1",
            "asset_id": "asset-7",
            "kind": "training",
            "state": "failed",
        }
        assert told.notify() == 0
        assert len(made.taken) == 2


def test_every_named_event_is_told(told: App) -> None:
    with receiver() as made:
        told.add_endpoint(made.url, private=True)
        a_job(told, "j1", "starting", "running", "succeeded", result={"version_id": "unity-x-1"})
        a_job(told, "j2", "starting", "running", "interrupted", "starting", "running", "cancelled")
        schedule = {"name": "nightly", "rule": {"cron": "0 2 * * *"}, "work": [{"request": "patrol"}]}
        told.store.schedules.add(ScheduleRow("s1", "nightly", schedule, NOW, NOW, NOW))
        told.store.schedules.add_firing(FiringRow("s1.1", "s1", NOW, "due", NOW))
        told.store.schedules.change_firing("s1.1", "running", where=("due",), now=NOW)
        told.store.schedules.change_firing("s1.1", "failed", where=("running",), now=NOW, values={"reason": "1 of 2"})
        version = VersionRow("unity-x-1", "x", 1, "0" * 64, {}, NOW)
        told.store.models.add_version(ModelRow("x", "X", NOW), "0" * 64, lambda _: version)
        for action in ("promote", "rollback"):
            seen = told.store.models.alias("x", "production")
            note = AuditRow("x", action, NOW, alias="production", version_id="unity-x-1", reason="because")
            told.store.models.move_alias(AliasRow("x", "production", "unity-x-1", 0, NOW), expected=seen, note=note)
        told.notify()
        assert types(made) == [
            "job.started",
            "job.completed",
            "job.started",
            "run.interrupted",
            "run.resumed",
            "job.cancelled",
            "schedule.started",
            "schedule.finished",
            "model.registered",
            "model.promoted",
            "model.rolled_back",
        ]
        found = {body["type"]: body["data"] for body in bodies(made)}
        assert found["job.completed"]["model_version"] == "unity-x-1"
        assert found["schedule.finished"]["reason"] == "1 of 2"
        assert (found["model.promoted"]["alias"], found["model.promoted"]["model"]) == ("production", "x")
        assert len({body["sequence"] for body in bodies(made)}) == len(made.taken)


def test_what_came_out_is_told_in_figures_and_words(told: App) -> None:
    with receiver() as made, receiver() as chat:
        told.add_endpoint(made.url, private=True, events="job.completed,schedule.finished")
        told.add_endpoint(chat.url, private=True, events="job.completed,schedule.finished", shape="slack")
        good = {"success": 1.0, "mean_reward": 0.934, "step": 50_000}
        a_job(told, "j1", "starting", "running", "succeeded", result={**good, "run_id": "r1"}, kind="pipeline")
        poor = {"mean_reward": -0.5, "step": 900}
        a_job(told, "j2", "starting", "running", "succeeded", result=poor, progress={"success": 0.02, "step": 800})
        a_job(told, "j3", "starting", "running", "failed", failure=FAILURE, kind="pipeline")
        told.store.schedules.add(ScheduleRow("s1", "nightly", {}, NOW, NOW, NOW))
        told.store.schedules.add_firing(FiringRow("s1.1", "s1", NOW, "running", NOW, jobs=["j1", "j3", "pruned"]))
        told.store.schedules.change_firing("s1.1", "failed", where=("running",), now=NOW, values={"reason": "1 of 2"})
        told.notify()
        first, second, firing = (body["data"] for body in sorted(bodies(made), key=lambda body: body["sequence"]))
        assert {name: first["outcome"][name] for name in ("success", "mean_reward", "steps")} == {
            "success": 1.0,
            "mean_reward": 0.934,
            "steps": 50_000,
        }
        assert "is done: success 100%, reward 0.93, 50,000 steps" in first["summary"]
        assert "is done: success 2%, reward -0.50, 900 steps" in second["summary"]
        assert [(job["job_id"], job["run_id"], job["state"]) for job in firing["jobs"]] == [
            ("j1", "r1", "succeeded"),
            ("j3", None, "failed"),
        ]
        assert any("1 of 2 succeeded: asset-7 succeeded: success 100%" in body["text"] for body in bodies(chat))


def test_an_endpoint_gets_the_events_and_kinds_it_asked_for(told: App) -> None:
    with receiver() as one, receiver() as other:
        told.add_endpoint(one.url, private=True, events="job.failed,model")
        told.add_endpoint(other.url, private=True, kinds="evaluation")
        a_job(told, "j1", "starting", "running", "failed", failure=FAILURE)
        a_job(told, "j2", "starting", "running", "succeeded", kind="evaluation")
        told.notify()
        assert types(one) == ["job.failed"]
        assert types(other) == ["job.started", "job.completed"]


@pytest.mark.parametrize("shape", ["slack", "discord"])
def test_slack_and_discord_get_bodies_of_their_form(told: App, shape: Any) -> None:
    with receiver() as made:
        told.add_endpoint(made.url, private=True, shape=shape)
        a_job(told, "j1", "starting", "failed", failure=FAILURE)
        told.notify()
        (body,) = bodies(made)
        text = body["text" if shape == "slack" else "content"]
        assert "Training run-of-j1 failed: The loss is NaN." in text
        assert "Lower learning_rate." in text


def test_a_receiver_that_fails_stalls_and_redirects_is_tried_again_until_it_takes_it(told: App) -> None:
    with receiver(500, 0, 302, 204) as made:
        told.add_endpoint(made.url, private=True)
        a_job(told, "j1", "starting", "failed", failure=FAILURE)
        moment = NOW + timedelta(seconds=1)
        deliverer = Deliverer(told.store, told.settings, timeout_s=0.5)
        problems = []
        for wait in WAITS_S[1:5]:
            deliverer.tend(moment)
            assert deliverer.tend(moment) == 0  # not before its time
            problems.append(told.list_deliveries().deliveries[0].problem)
            moment += timedelta(seconds=wait * 1.3)
        assert [str(problem).partition("/…")[2][:30] for problem in problems[:3]] == [
            " answered with status 500.",
            " could not be told: timed out.",
            " answered with status 302.",
        ]
        assert (told.list_deliveries().deliveries[0].state, len(made.taken)) == ("delivered", 4)
        assert len({headers["webhook-id"] for headers, _ in made.taken}) == 1  # receivers know repeats by it
        assert "a-secret-path" not in json.dumps(told.list_deliveries().model_dump(mode="json"))


def test_after_the_last_try_it_is_dead_and_a_replay_brings_it(told: App) -> None:
    with receiver(503) as made:
        added = told.add_endpoint(made.url, private=True)
        a_job(told, "j1", "starting", "failed", failure=FAILURE)
        moment = NOW + timedelta(seconds=1)
        deliverer = Deliverer(told.store, told.settings)
        for wait in WAITS_S:
            moment += timedelta(seconds=wait * 1.3)
            deliverer.tend(moment)
        (dead,) = told.list_deliveries(state="dead").deliveries
        assert (dead.attempts, len(made.taken)) == (len(WAITS_S), len(WAITS_S))
        made.answers = [204]
        assert told.replay_deliveries(endpoint_id=added.endpoint_id).count == 1
        told.notify()
        assert told.list_deliveries(state="delivered").deliveries[0].delivery_id == dead.delivery_id


def test_a_receiver_that_is_gone_for_good_is_told_nothing_more(told: App) -> None:
    with receiver(410) as made:
        told.add_endpoint(made.url, private=True)
        a_job(told, "j1", "starting", "failed", failure=FAILURE)
        told.notify()
        a_job(told, "j2", "starting", "failed", failure=FAILURE)
        told.notify()
        assert len(made.taken) == 1
        (endpoint,) = told.list_endpoints().endpoints
        assert "410" in str(endpoint.disabled)


def test_a_receiver_that_is_told_again_hears_of_what_happens_from_then_on(told: App) -> None:
    with receiver(410) as made:
        added = told.add_endpoint(made.url, private=True)
        for name in ("j1", "j2"):
            a_job(told, name, "starting", "failed", failure=FAILURE)
        told.notify()
        assert [row.state for row in told.list_deliveries().deliveries] == ["dead", "dead"]
        a_job(told, "while it is disabled", "starting", "failed", failure=FAILURE)
        assert told.replay_deliveries().count == 0
        assert "notify replay ENDPOINT_ID" in told.replay_deliveries().next
        made.answers = [204]
        assert told.replay_deliveries(endpoint_id=added.endpoint_id).count == 2
        a_job(told, "j3", "starting", "failed", failure=FAILURE)
        told.notify()
        assert [body["data"]["job_id"] for body in bodies(made)] == ["j1", "j1", "j2", "j3"]


def test_one_receiver_that_stalls_holds_up_no_other(told: App) -> None:
    with receiver(0) as slow, receiver() as quick, ThreadPoolExecutor(1) as thread:
        told.add_endpoint(slow.url, private=True)
        told.add_endpoint(quick.url, private=True)
        for number in range(20):
            a_job(told, f"j{number}", "starting", "failed", failure=FAILURE)
        tending = thread.submit(Deliverer(told.store, told.settings, timeout_s=60).tend, NOW)
        eventually(lambda: len(quick.taken) == 20)
        assert len(slow.taken) == 1
        slow.release.set()
        assert tending.result(timeout=60) == 40


def test_a_receiver_that_answers_line_by_line_is_hung_up_on_in_time(told: App) -> None:
    with receiver(DRIPS) as made:
        told.add_endpoint(made.url, private=True)
        a_job(told, "j1", "starting", "failed", failure=FAILURE)
        Deliverer(told.store, told.settings, timeout_s=0.5).tend(NOW)
        (delivery,) = told.list_deliveries().deliveries
        assert (delivery.state, "timed out" in str(delivery.problem)) == ("pending", True)


def test_what_cannot_be_sent_at_all_is_put_off_like_all_else_and_stops_nobody(told: App) -> None:
    with receiver() as made:
        told.store.notices.add(an_endpoint("older", "https://example.com/päth"))
        told.add_endpoint(made.url, private=True)
        a_job(told, "j1", "starting", "failed", failure=FAILURE)
        moment = datetime.now(timezone.utc)
        for wait in WAITS_S:
            moment += timedelta(seconds=wait * 1.3)
            told.notify(moment)
        (dead,) = told.list_deliveries("older").deliveries
        assert (dead.state, dead.attempts) == ("dead", len(WAITS_S))
        assert dead.problem == "It could not be sent: TypeError."
        assert len(made.taken) == 1


def test_an_endpoint_that_another_process_adds_and_tells_meanwhile_is_told(told: App) -> None:
    with receiver() as one, receiver() as other:
        told.add_endpoint(one.url, private=True)
        a_job(told, "j1", "starting", "failed", failure=FAILURE)

        def add_and_spread() -> None:
            row = an_endpoint("new", other.url)
            told.store.notices.add(row)
            (added,) = (found for found in told.store.notices.endpoints() if found.endpoint_id == "new")
            notice = Notice(type="job.failed", sequence=7, timestamp=NOW, data=NoticeData(summary="It failed."))
            assert told.store.notices.spread(added, 7, [delivery_of(row, notice, NOW)])

        with meanwhile(add_and_spread):
            Deliverer(told.store, told.settings).tend(NOW)
        assert (len(one.taken), len(other.taken)) == (1, 1)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/x",
        "http://localhost:{port}/x",
        "http://[::1]:{port}/x",
        "http://[::ffff:127.0.0.1]:{port}/x",
        "http://0.0.0.0:{port}/x",
        "http://2130706433:{port}/x",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/x",
        "http://[64:ff9b::7f00:1]:{port}/x",
        "http://[64:ff9b:1::7f00:1]:{port}/x",
        "http://[2002:7f00:1::]:{port}/x",
        "http://[2001:0:7f00:1::]:{port}/x",
        "http://[::127.0.0.1]:{port}/x",
    ],
)
def test_private_addresses_are_refused_unless_they_are_allowed(told: App, url: str) -> None:
    """At once where the URL spells one out, and at every attempt, as a name may come to mean one."""
    with receiver() as made:
        target = url.format(port=made.url.split(":")[2].partition("/")[0])
        with pytest.raises(InvalidInputError, match=r"not public.*--allow-private"):
            told.add_endpoint(target)
        told.store.notices.add(an_endpoint("older", target, private=False))
        with pytest.raises(ExternalError, match="not public"):
            told.test_endpoint("older")
        assert made.taken == []


def test_public_addresses_are_taken_in_every_form(told: App) -> None:
    for host in ("9.9.9.9", "[2620:fe::fe]", "[64:ff9b::909:909]", "[::ffff:9.9.9.9]"):
        assert told.add_endpoint(f"https://{host}/x").endpoint_id


def test_every_test_is_a_message_of_its_own(told: App) -> None:
    with receiver() as made:
        added = told.add_endpoint(made.url, private=True)
        for _ in range(2):
            told.test_endpoint(added.endpoint_id)
        assert len({headers["webhook-id"] for headers, _ in made.taken}) == 2


@pytest.mark.parametrize(
    ("answer", "advice"), [(500, "receiver's log"), (302, "not followed"), (401, "secret"), (404, "path")]
)
def test_a_test_that_is_not_taken_says_what_to_check(told: App, answer: int, advice: str) -> None:
    with receiver(answer) as made:
        added = told.add_endpoint(made.url, private=True)
        with pytest.raises(ExternalError, match=advice) as caught:
            told.test_endpoint(added.endpoint_id)
        assert "tried again" not in str(caught.value)


def test_an_endpoint_is_changed_by_adding_it_anew(told: App) -> None:
    added = told.add_endpoint("https://example.com/hook")
    with pytest.raises(ConflictError, match=f"notify remove {added.endpoint_id}"):
        told.add_endpoint("https://example.com/hook", events="model")
    changed = told.add_endpoint("https://example.com/hook", events="model", shape="slack", replace=True)
    assert (changed.endpoint_id, changed.events, changed.shape, changed.secret) == (
        added.endpoint_id,
        ["model"],
        "slack",
        None,
    )
    assert told.store.notices.endpoints()[0].secret == added.secret


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("ftp://example.com/x", "cannot be used"),
        ("https://user:pass@example.com/", "cannot be used"),
        ("https://", "cannot be used"),
        ("https://example.com/a b", "cannot be used"),
        ("https://example.com/päth", "in ASCII"),
        ("https://bücher.example/", "in ASCII"),
        ("http://a..b/", "cannot be used"),
        (f"http://{'a' * 64}.example/", "cannot be used"),
        ("nobody", "cannot be used"),
        ("team@example.com", "No mail server"),
        ("a b@example.com", "no e-mail address"),
    ],
)
def test_targets_that_are_none_are_refused_and_not_repeated(told: App, target: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said) as caught:
        told.add_endpoint(target)
    assert "pass" not in str(caught.value).replace("password", "")


def test_wrong_events_kinds_secrets_and_endpoints_are_refused(told: App) -> None:
    url = "https://example.com/hook"
    cases: tuple[dict[str, Any], ...] = (
        {"events": "job.exploded"},
        {"kinds": "cooking"},
        {"secret": "whsec_dG9vIHNob3J0"},
    )
    for wrong in cases:
        with pytest.raises(InvalidInputError):
            told.add_endpoint(url, **wrong)
    told.add_endpoint(url)
    with pytest.raises(ConflictError, match=r"https://example.com/…"):
        told.add_endpoint(url)
    for call in (told.test_endpoint, told.remove_endpoint, told.list_deliveries):
        with pytest.raises(NotFoundError, match="nobody"):
            call("nobody")


def test_the_endpoint_of_the_settings_is_told_and_never_shown(
    home: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with receiver(500) as made:
        app = App(Settings(home=home, webhook_url=SecretStr(made.url), webhook_private=True))
        app.notify()
        a_job(app, "j1", "starting", "failed", failure=FAILURE)
        app.notify()
        shown = app.list_endpoints().model_dump_json() + app.list_deliveries().model_dump_json()
        app.close()
        assert len(made.taken) == 1
    said = capsys.readouterr()
    for text in (shown, said.out, said.err, caplog.text, repr(app.settings)):
        assert "a-secret-path" not in text


def test_the_endpoint_of_the_settings_follows_them(home: Path) -> None:
    first, second = signing.new_secret(), signing.new_secret()
    moment = datetime.now(timezone.utc)
    with receiver() as made:
        before = App(Settings(home=home, webhook_url=SecretStr(made.url), webhook_secret=SecretStr(first)))
        with pytest.raises(InvalidInputError, match="UNITY_MLOPS_WEBHOOK_PRIVATE"):
            before.notify(moment)
        before.store.notices.add(an_endpoint("older", made.url, private=False, secret=first))
        a_job(before, "j1", "starting", "failed", failure=FAILURE)
        before.notify(moment)
        assert "not public" in str(before.list_deliveries().deliveries[0].problem)
        before.close()
        url, secret = SecretStr(made.url), SecretStr(second)
        after = App(Settings(home=home, webhook_url=url, webhook_secret=secret, webhook_private=True))
        after.notify(moment + timedelta(minutes=1))
        ((headers, body),) = made.taken
        Webhook(second).verify(body, headers)
        silent = App(Settings(home=home, webhook_url=SecretStr(made.url)))
        silent.notify(moment)
        silent.close()
        (endpoint,) = after.list_endpoints().endpoints
        assert endpoint.private
        assert after.store.notices.endpoints()[0].secret == second
        after.close()


def test_a_webhook_that_nobody_was_shown_the_secret_of_gets_one_that_is_shown(told: App) -> None:
    with receiver() as made:
        told.ensure_endpoint(made.url, private=True)
        (endpoint,) = told.list_endpoints().endpoints
        secret = told.renew_secret(endpoint.endpoint_id).secret
        told.test_endpoint(endpoint.endpoint_id)
        ((headers, body),) = made.taken
        assert secret is not None
        Webhook(secret).verify(body, headers)
        assert secret not in told.list_endpoints().model_dump_json()


def test_what_a_program_names_is_signed_by_the_secret_of_the_settings(home: Path) -> None:
    secret, url = signing.new_secret(), "https://example.com/hook"
    app = App(Settings(home=home, webhook_url=SecretStr(url), webhook_secret=SecretStr(secret)))
    app.ensure_endpoint("https://example.com/other")
    app.notify()
    assert {row.secret for row in app.store.notices.endpoints()} == {secret}
    with pytest.raises(ConflictError, match="UNITY_MLOPS_WEBHOOK_SECRET"):
        app.renew_secret(url)
    app.close()


def test_tables_tell_rows_of_two_endpoints_apart(told: App) -> None:
    ids = [told.add_endpoint(f"http://127.0.0.1:9/{name}", private=True).endpoint_id for name in ("a", "b")]
    a_job(told, "j1", "starting", "failed", failure=FAILURE)
    told.notify()
    endpoints, deliveries = Console(record=True, width=400), Console(record=True, width=400)
    render(told.list_endpoints(), endpoints)
    render(told.list_deliveries(), deliveries)
    for shown, next_ in ((endpoints.export_text(), "notify test"), (deliveries.export_text(), "notify replay")):
        assert all(one in shown for one in ids)
        assert "['" not in shown
        assert shown.count(next_) == 1


def test_two_processes_that_find_the_endpoint_of_the_settings_at_once_add_it_once(home: Path) -> None:
    with receiver() as made:
        app = App(Settings(home=home, webhook_url=SecretStr(made.url), webhook_private=True))
        with meanwhile(lambda: app.store.notices.add(an_endpoint("other", made.url))):
            app.notify()
        assert [one.endpoint_id for one in app.list_endpoints().endpoints] == ["other"]
        app.close()


def test_a_url_of_the_settings_that_cannot_be_used_keeps_nobody_else_from_being_told(home: Path) -> None:
    with receiver() as made:
        app = App(Settings(home=home, webhook_url=SecretStr("https://example.com/päth")))
        app.add_endpoint(made.url, private=True)
        a_job(app, "j1", "starting", "failed", failure=FAILURE)
        with pytest.raises(InvalidInputError, match="cannot be used"):
            app.notify()
        assert len(made.taken) == 1
        app.close()


SENDER = """
import sys
from datetime import datetime
from pathlib import Path
from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import Settings
app = App(Settings(home=Path(sys.argv[1])))
print("ready", flush=True)
app.notify(datetime.fromisoformat(sys.argv[2]))
print("sent", flush=True)
"""


def start_sender(home: Path, moment: datetime) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SENDER, str(home), moment.isoformat()],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_a_kill_in_the_midst_of_sending_loses_nothing(told: App, home: Path) -> None:
    """Whoever was being told when the process died is told again once its claim has run out."""
    with receiver(0, 204) as made:
        told.add_endpoint(made.url, private=True)
        for number in range(5):
            a_job(told, f"j{number}", "starting", "failed", failure=FAILURE)
        moment = datetime.now(timezone.utc)
        with start_sender(home, moment) as sender:
            assert sender.stdout is not None
            assert sender.stdout.readline() == "ready\n"
            while not made.taken:  # bounded by the test's own timeout
                sender.poll()
            sender.kill()
        made.release.set()
        for minutes in (3, 10):
            told.notify(moment + timedelta(minutes=minutes))
        arrived = {headers["webhook-id"] for headers, _ in made.taken}
        assert len(arrived) == 5
        assert {row.state for row in told.list_deliveries().deliveries} == {"delivered"}


class MailHandler:
    """A mail server's say about each message: codes of the next answers, the last one for ever."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.taken: list[str] = []

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802 - the library's name
        del server, session
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer.startswith("250"):
            self.taken.append(envelope.content.decode())
        return answer


@pytest.fixture
def mail() -> Iterator[tuple[MailHandler, Controller]]:
    handler = MailHandler("451 later", "250 taken")
    controller = Controller(handler, hostname="127.0.0.1", port=0)
    with suppress(OSError):
        controller.start()
    yield handler, controller
    controller.stop()


def mail_settings(home: Path, controller: Controller) -> Settings:
    server: Any = controller.server
    port = server.sockets[0].getsockname()[1]
    sender = "robot@example.com"
    return Settings(home=home, smtp_host="127.0.0.1", smtp_port=port, smtp_security="none", smtp_from=sender)


def test_mail_is_tried_again_after_a_refusal_for_now_and_told_in_plain_words(
    home: Path, mail: tuple[MailHandler, Controller]
) -> None:
    handler, controller = mail
    app = App(mail_settings(home, controller))
    app.add_endpoint("team@example.com", events="job.failed")
    a_job(app, "j1", "starting", "failed", failure=FAILURE)
    moment = datetime.now(timezone.utc)
    app.notify(moment)
    assert app.list_deliveries().deliveries[0].state == "pending"
    app.notify(moment + timedelta(seconds=10))
    assert app.list_deliveries().deliveries[0].state == "delivered"
    (text,) = handler.taken
    for part in (
        "To: team@example.com",
        "The loss is NaN.",
        "Lower learning_rate.",
        "step 10: nan",
        "Message-ID: <msg_",
    ):
        assert part in text
    app.close()


def test_a_process_that_can_send_no_mail_says_so_once_and_so_does_the_doctor(
    home: Path, mail: tuple[MailHandler, Controller], caplog: pytest.LogCaptureFixture
) -> None:
    shell = App(mail_settings(home, mail[1]))
    shell.add_endpoint("team@example.com")
    shell.notify()
    assert not caplog.records
    server = App(Settings(home=home))
    for _ in range(2):
        server.notify()
    assert [record.message.count("UNITY_MLOPS_SMTP_HOST") for record in caplog.records] == [1]
    checks = {check.name: check.status for check in server.check_setup().checks}
    assert checks["e-mail"] == "warn"
    assert "e-mail" not in {check.name for check in shell.check_setup().checks}
    for app in (shell, server):
        app.close()


def test_a_mail_server_without_starttls_is_told_with_the_setting_that_mends_it(
    home: Path, mail: tuple[MailHandler, Controller]
) -> None:
    app = App(mail_settings(home, mail[1]).model_copy(update={"smtp_security": "starttls"}))
    added = app.add_endpoint("team@example.com")
    with pytest.raises(ExternalError, match=r"UNITY_MLOPS_SMTP_SECURITY to tls .* none") as caught:
        app.test_endpoint(added.endpoint_id)
    assert ".." not in str(caught.value)
    app.close()


def test_mail_that_is_refused_for_good_is_dead_at_once(home: Path, mail: tuple[MailHandler, Controller]) -> None:
    handler, controller = mail
    handler.answers = ["550 no such user"]
    app = App(mail_settings(home, controller))
    app.add_endpoint("team@example.com")
    a_job(app, "j1", "starting", "failed", failure=FAILURE)
    app.notify()
    (delivery, *_) = app.list_deliveries().deliveries
    assert (delivery.state, "550" in str(delivery.problem)) == ("dead", True)
    app.close()


def test_a_mail_server_that_answers_line_by_line_is_hung_up_on_in_time(home: Path) -> None:
    with dripping_mail_server() as port:
        sender = "robot@example.com"
        app = App(Settings(home=home, smtp_host="127.0.0.1", smtp_port=port, smtp_security="none", smtp_from=sender))
        app.add_endpoint("team@example.com")
        a_job(app, "j1", "starting", "failed", failure=FAILURE)
        Deliverer(app.store, app.settings, timeout_s=0.5).tend(NOW)
        (delivery,) = app.list_deliveries().deliveries
        assert (delivery.state, "timed out" in str(delivery.problem)) == ("pending", True)
        app.close()


def test_a_password_that_cannot_be_sent_is_said_without_it(home: Path) -> None:
    controller = Controller(MailHandler("250 taken"), hostname="127.0.0.1", port=0, auth_require_tls=False)
    with suppress(OSError):
        controller.start()
    values = {"smtp_user": "robot", "smtp_password": SecretStr("geheim-ß")}
    app = App(mail_settings(home, controller).model_copy(update=values))
    app.add_endpoint("team@example.com")
    a_job(app, "j1", "starting", "failed", failure=FAILURE)
    app.notify()
    (delivery,) = app.list_deliveries().deliveries
    assert (delivery.state, delivery.attempts, "must be ASCII" in str(delivery.problem)) == ("pending", 1, True)
    assert "geheim" not in str(delivery.problem)
    app.close()
    controller.stop()


def test_the_documented_schema_is_what_is_sent() -> None:
    documented = json.loads((REPOSITORY / "docs" / "webhook.schema.json").read_text())
    assert documented == notice_schema()
    assert set(documented["required"]) == {name for name, field in Notice.model_fields.items() if field.is_required()}
