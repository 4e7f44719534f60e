"""The live view: a moving picture on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
import re

from rich.console import Console

from unity_mlops_mcp.interfaces.cli.live import live_view, picture
from unity_mlops_mcp.interfaces.wording import duration, sentence, sparkline
from unity_mlops_mcp.results.runs import Status

ESCAPE = re.compile(r"\x1b")
ESCAPE_CODES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def status(**fields: object) -> Status:
    """A training half way."""
    return Status.model_validate(
        {
            "id": "run-1",
            "kind": "training",
            "state": "running",
            "run_id": "run-1",
            "job_id": "job-1",
            "attempts": 1,
            "behavior_name": "ReachTarget",
            "step": 25_000,
            "max_steps": 50_000,
            "progress": 0.5,
            "mean_reward": 0.41,
            "rewards": [-1.0, -0.5, 0.0, 0.41],
            "success": 0.62,
            "steps_per_second": 1640.0,
            "eta_s": 75,
            "created_at": "2026-11-21T11:30:00Z",
            "next": "wait_for",
            **fields,
        }
    )


def shown(*statuses: Status, terminal: bool, **environment: str) -> str:
    """What a console of that kind receives."""
    console = Console(file=io.StringIO(), force_terminal=terminal, width=100, _environ=environment)
    with live_view(console) as view:
        for one in statuses:
            view.show(one)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_without_a_terminal_there_is_one_plain_line_for_each_state() -> None:
    lines = shown(
        status(state="starting", step=None), status(), status(step=25_100), status(state="succeeded"), terminal=False
    ).splitlines()
    assert [line.split("  ")[1].split(":")[0] for line in lines] == ["starting", "running", "succeeded"]
    assert "step 25,000 of 50,000, reward 0.41, success 62%, 1 min 15 s left" in lines[1]
    assert not ESCAPE.search("".join(lines))


def test_on_a_terminal_the_picture_has_bar_curve_and_figures() -> None:
    drawn = shown(status(), terminal=True, TERM="xterm-256color")
    for part in ("ReachTarget", "running", "50%", "25,000 of 50,000", "reward 0.41", "▁", "█", "1,640 steps/s", "62%"):
        assert part in drawn
    assert ESCAPE.search(drawn)


STAGES = [
    {"name": "describe", "state": "done", "said": "PatrolGuard from patrol_waypoints"},
    {"name": "build", "state": "skipped"},
    {"name": "train", "state": "running", "progress": 0.5},
    {"name": "measure", "state": "waiting"},
]


def test_a_pipeline_has_a_line_and_a_bar_for_each_stage() -> None:
    pipeline = status(kind="pipeline", stages=STAGES, message="train: training")
    drawn = shown(pipeline, terminal=True, TERM="xterm-256color")
    lines = [ESCAPE_CODES.sub("", line) for line in drawn.splitlines()]
    stages = {name: next(line for line in lines if name in line) for name in ("describe", "build", "train", "measure")}
    assert "✓" in stages["describe"]
    assert "PatrolGuard" in stages["describe"]
    assert "left out" in stages["build"]
    assert "50%  25,000 of 50,000 steps" in next(line for line in lines if "▸" in line)


def test_without_a_terminal_each_stage_is_told_once_when_it_ends() -> None:
    ended = [*STAGES[:2], {"name": "train", "state": "failed", "said": "the trainer died"}, STAGES[3]]
    first, second = status(stages=STAGES), status(stages=ended, state="failed")
    lines = shown(first, first, second, terminal=False).splitlines()
    assert [line for line in lines if line.startswith("describe")] == [
        "describe   done: PatrolGuard from patrol_waypoints"
    ]
    assert "train      failed: the trainer died" in lines


def test_no_color_takes_the_colours_and_leaves_the_picture() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, _environ={"NO_COLOR": "1", "TERM": "xterm"})
    console.print(picture(status()))
    file = console.file
    assert isinstance(file, io.StringIO)
    assert "ReachTarget" in file.getvalue()
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", file.getvalue())


def test_a_run_that_waits_says_for_what() -> None:
    waiting = status(state="queued", step=None, progress=None, eta_s=None, waiting_for="2 other runs")
    assert "2 other runs" in shown(waiting, terminal=True, TERM="xterm")
    assert "waiting for 2 other runs" in sentence(waiting)


def test_curves_and_durations_are_said_shortly() -> None:
    assert sparkline([0, 1, 2, 7]) == "▁▂▃█"
    assert sparkline([3, 3]) == "▁▁"
    assert sparkline([]) == ""
    assert [duration(seconds) for seconds in (0.4, 59.6, 125, 7_800)] == ["0 s", "1 min 0 s", "2 min 5 s", "2 h 10 min"]
