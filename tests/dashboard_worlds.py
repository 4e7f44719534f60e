"""A home with something of everything to look at, and the dashboard served over it on this machine."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from tests.event_files import REWARD, SUCCESS
from tests.onnx_models import linear
from tests.report_homes import BEGUN, add_run, configuration
from unity_mlops_mcp.app import App
from unity_mlops_mcp.interfaces.http.dashboard.asking import Visitor
from unity_mlops_mcp.interfaces.http.dashboard.routes import routes
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.store.rows import FiringRow, ScheduleRow
from unity_mlops_mcp.store.store import Store

CSRF = "of-this-session"
VISITOR = Visitor(name="studio", scope="run", csrf=CSRF)
EVIL = "<img src=x onerror=alert(1)>\"'"
"""A text that must be shown as it is, wherever it comes from."""
FALLING = tuple(1 - place / 40 for place in range(1, 21))


def furnish(store: Store) -> None:
    """Five runs: two that succeeded with other settings, one that failed, one that goes on, one that waits."""
    add_run(store, "nav-slow", settings=configuration(learning_rate=1e-4))
    add_run(store, "nav-fast", curves={REWARD: FALLING, SUCCESS: FALLING}, settings=configuration(learning_rate=1e-2))
    failure = {
        "cause": "player_died",
        "message": f"The player ended: {EVIL}",
        "evidence": ["SIGSEGV"],
        "fix": "Resume.",
    }
    broken = add_run(store, "nav-broken", state="failed", failure=failure)
    broken.log.write_text(f"first line\n{EVIL}\n", encoding="utf-8")
    add_run(store, "nav-waiting", state="queued")
    going = add_run(store, "nav-going", state="running", max_steps=20_000, behavior_name="Nav")
    going.log.write_text("first line\n", encoding="utf-8")
    progress(store, "nav-going", 5000, reward=0.25)


def progress(store: Store, run_id: str, step: int, *, reward: float) -> None:
    """What the supervisor of a run that goes on reports."""
    shown = {"step": step, "max_steps": 20_000, "mean_reward": reward, "rewards": [0.1, reward], "eta_s": 30.0}
    store.jobs.beat(f"job-{run_id}", 1, now=utc_now(), progress=shown)


def register(app: App, folder: Path) -> tuple[str, str]:
    """Two versions of one model; the first serves as ``staging``, as nobody asked the gates of the second."""
    versions = [
        app.register_model(
            name="Nav Agent", onnx_path=str(linear(folder / f"{n}" / "Nav.onnx", [[n, 0.0]] * 6)), description=EVIL
        ).version
        for n in (1.0, 2.0)
    ]
    app.promote_model(version=versions[0], alias="staging", override_reason="the first of all", confirm=True)
    return versions[0], versions[1]


def schedule(app: App) -> str:
    """A nightly schedule of two assets in Berlin; one firing was skipped, one goes on."""
    work = [{"request": "reach the target"}, {"request": "patrol three points", "after": ["evaluate", "promote"]}]
    data = {"name": "night shift", "rule": {"cron": "30 2 * * *", "timezone": "Europe/Berlin"}, "work": work}
    made = ScheduleRow("schedule-1", "night shift", data, seen_until=BEGUN, created_at=BEGUN, changed_at=BEGUN)
    store, later = app.store.schedules, BEGUN + timedelta(days=1)
    store.add(made)
    store.add_firing(FiringRow("firing-1", made.schedule_id, BEGUN, "skipped", BEGUN, reason=f"too early {EVIL}"))
    store.add_firing(FiringRow("firing-2", made.schedule_id, later, "running", later, jobs=["job-nav-going"]))
    return made.schedule_id


@contextmanager
def served(app: App, visitor: Visitor = VISITOR) -> Iterator[str]:
    """The pages over a real socket, for whoever asks, as this visitor; gives the address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        pages = Starlette(routes=routes(app, lambda _request: visitor))
        server = uvicorn.Server(uvicorn.Config(pages, log_level="warning", lifespan="off", timeout_graceful_shutdown=3))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            end = time.monotonic() + 20
            while not server.started and time.monotonic() < end:
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=20)
