"""The pages of runs and jobs, and what can be done on them."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, get_args
from urllib.parse import quote, urlencode

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.interfaces.http.dashboard.asking import CALM_S, QUICK_S, Asked, Page, Visitor
from unity_mlops_mcp.interfaces.http.dashboard.drawing import draw_reward, draw_run, in_sections
from unity_mlops_mcp.reports.wording import duration, number, percent, whole
from unity_mlops_mcp.results.base import State

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App
    from unity_mlops_mcp.reports.records import Chart
    from unity_mlops_mcp.results.runs import Status

STATES: tuple[State, ...] = get_args(State)
GOING: tuple[State, ...] = ("running", "starting", "stopping", "interrupted", "queued")
ENDED: tuple[State, ...] = ("succeeded", "failed", "cancelled")
RUNS_A_PAGE, CARDS, LOG_LINES = 50, 6, 200
SAID = {
    "stopping": "It was asked to stop; its checkpoint is kept.",
    "resumed": "It goes on from its checkpoint.",
}


def runs(app: App, asked: Asked) -> Page:
    """All runs, newest first; those that go on stand above them with their curves."""
    state, behavior = _state(asked.get("state")), asked.get("behavior")
    found = app.list_runs(state=state, behavior=behavior, limit=RUNS_A_PAGE, cursor=asked.get("cursor"))
    going = _going(app) if asked.get("cursor") is None else []
    cards = [_card(app, run_id) for run_id in going[:CARDS]]
    older = {"state": state, "behavior": behavior, "cursor": found.next_cursor}
    return Page(
        "runs",
        "Runs",
        {
            "rows": found.runs,
            "cards": cards,
            "states": STATES,
            "wanted": state,
            "behavior": behavior or "",
            "first": asked.get("cursor") is None,
            "older": _link("/", older) if found.next_cursor else None,
        },
        place="runs",
        refresh_s=QUICK_S if going else CALM_S,
    )


def _going(app: App) -> list[str]:
    """The runs that are not over, those that train before those that wait."""
    found = sorted(app.jobs.open(kind="training"), key=lambda job: GOING.index(job.state))
    return [job.subject for job in found]


def _card(app: App, run_id: str) -> tuple[Status, list[str], Chart | None]:
    """A run that goes on: how it stands, the same in short, and its reward."""
    status = app.get_run(run_id)
    return status, _facts(status), draw_reward(app, run_id)


def _facts(status: Status) -> list[str]:
    of = f" of {whole(status.max_steps)}" if status.max_steps else ""
    told = [
        status.message if status.step is None else "",
        f"step {whole(status.step)}{of}" if status.step is not None else "",
        f"reward {number(status.mean_reward)}" if status.mean_reward is not None else "",
        f"success {percent(status.success)}" if status.success is not None else "",
        f"{duration(status.eta_s)} left" if status.eta_s else "",
        f"waits for {status.waiting_for}" if status.waiting_for else "",
    ]
    return [fact for fact in told if fact] or ["no step yet"]


def run(app: App, asked: Asked) -> Page:
    """One run: how it stands, its curves, its log and what it runs with."""
    status = app.get_run(asked.path["run_id"])
    if status.kind != "training":
        return _job(app, status, asked)
    drawn = draw_run(app, status.id)
    shown = {**_shown(app, status, asked), "summary": drawn.summary, "sections": in_sections(drawn.charts)}
    return Page("run", f"{status.id} ({status.state})", shown, place="runs", refresh_s=_pace(status))


def job(app: App, asked: Asked) -> Page:
    """One job of any kind; a training is shown as its run."""
    status = app.get_run(asked.path["job_id"])
    return run(app, Asked({"run_id": status.id}, asked.query, asked.visitor))


def _job(app: App, status: Status, asked: Asked) -> Page:
    title = f"{status.kind.replace('_', ' ')} {status.id} ({status.state})"
    shown = {**_shown(app, status, asked), "links": _links(app, status, asked.visitor)}
    return Page("job", title, shown, place="machine", refresh_s=_pace(status))


def _links(app: App, status: Status, visitor: Visitor) -> dict[str, str]:
    """Where what a pipeline's stages made is shown, by the stage."""
    done = {stage.name for stage in status.stages if stage.state == "done"}
    result = (app.jobs.get(status.job_id).result or {}) if done else {}
    links = {"train": f"/runs/{quote(status.run_id)}"} if status.run_id and "train" in done else {}
    if "report" in done and result.get("report"):
        links["report"] = f"/reports/{quote(PurePath(result['report']).parent.name)}"
    version = app.store.models.version(result.get("version_id") or "") if "register" in done else None
    if version is not None and visitor.may("list_models"):
        links["register"] = f"/models/{quote(version.name)}/{quote(version.version_id)}"
    return links


def _shown(app: App, status: Status, asked: Asked) -> dict[str, object]:
    return {
        "status": status,
        "log": app.read_log(status.id, tail=LOG_LINES),
        "log_lines": LOG_LINES,
        "said": SAID.get(asked.get("said") or ""),
        "report": f"/reports/{quote(status.id)}" if status.kind == "report" and status.state == "succeeded" else None,
        "may_stop": status.state in GOING and status.state != "stopping",
        "may_resume": status.kind == "training" and status.state in ENDED,
    }


def _pace(status: Status) -> int:
    return CALM_S if status.state in ENDED else QUICK_S


def stop(app: App, asked: Asked) -> str:
    """Stop a run or job."""
    stopped = app.stop_training(asked.path["id"])
    return _link(_place(app.get_run(stopped.id)), {"said": "stopping"})


def resume(app: App, asked: Asked) -> str:
    """Let a run go on.

    Raises:
        InvalidInputError: the steps are no whole number.
    """
    steps = asked.get("extra_steps")
    if steps is not None and not (steps.isascii() and steps.isdecimal() and int(steps) > 0):
        raise InvalidInputError(f"{steps!r} is no number of steps.", fix="Give a whole number such as 50000.")
    started = app.resume_training(asked.path["id"], extra_steps=int(steps) if steps else None)
    return _link(f"/runs/{quote(started.run_id)}", {"said": "resumed"})


def _place(status: Status) -> str:
    return f"/runs/{quote(status.id)}" if status.kind == "training" else f"/jobs/{quote(status.job_id)}"


def _state(text: str | None) -> State | None:
    if text is not None and text not in STATES:
        raise InvalidInputError(f"There is no state {text!r}.", fix=f"States: {', '.join(STATES)}.")
    return text


def _link(path: str, fields: dict[str, str | None]) -> str:
    return f"{path}?{urlencode({name: value for name, value in fields.items() if value})}"
