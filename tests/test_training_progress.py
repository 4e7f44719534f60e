"""The trainer's lines are understood in all their forms."""

from __future__ import annotations

import math

import pytest

from unity_mlops_mcp.training.progress import (
    Connected,
    Event,
    Exported,
    Lesson,
    NewBehavior,
    Progress,
    Restarting,
    Resuming,
    parse_line,
)


def summary(**changes: object) -> Progress:
    """A summary line's figures, some of them changed."""
    fields: dict[str, object] = {
        "behavior": "Nav",
        "step": 2000,
        "elapsed_s": 4.212,
        "mean_reward": 0.004,
        "std_reward": 0.651,
        "group_reward": None,
        "elo": None,
        "training": True,
    }
    return Progress(**{**fields, **changes})  # type: ignore[arg-type]


SUMMARIES = {
    "[INFO] Nav. Step: 2000. Time Elapsed: 4.212 s. Mean Reward: 0.004. Std of Reward: 0.651. Training.": (summary()),
    "[INFO] Nav. Step: 2000. Time Elapsed: 4.212 s. Mean Reward: -1.250. Std of Reward: 0.651. Not Training.": summary(
        mean_reward=-1.25, training=False
    ),
    "[INFO] Nav. Step: 2000. Time Elapsed: 4.212 s. No episode was completed since last summary. Training.": summary(
        mean_reward=None, std_reward=None
    ),
    "[INFO] Team. Step: 9. Time Elapsed: 0.100 s. Mean Reward: 0.004. Mean Group Reward: -0.500. Training.": summary(
        behavior="Team", step=9, elapsed_s=0.1, std_reward=None, group_reward=-0.5
    ),
    "[INFO] Goalie?x. Step: 2000. Time Elapsed: 4.212 s. Mean Reward: 0.004. Std of Reward: 0.651. Training."
    " ELO: 1201.437.": summary(behavior="Goalie?x", elo=1201.437),
    "[INFO] Nav. Step: 2000. Time Elapsed: 4.212 s. Rank: 1. Mean Reward: 0.004. Std of Reward: 0.651. Training.": (
        summary()
    ),
    "[INFO] My. Agent. Step: 2000. Time Elapsed: 4.212 s. Mean Reward: inf. Std of Reward: nan. Training.": None,
    "2026-11-21 11:30:00 INFO [stats.py:193] Nav. Step: 2000. Time Elapsed: 4.212 s. Mean Reward: 0.004. Std of Reward:"
    " 0.651. Training.": summary(),
    "\x1b[32m[INFO] Nav. Step: 2000. Time Elapsed: 4.212 s. Mean Reward: 0.004. Std of Reward: 0.651. "
    "Training.\x1b[0m": (summary()),
}

EVENTS: dict[str, Event] = {
    "[INFO] Connected to Unity environment with package version 3.0.0 and communication version 1.5.0": Connected(
        "3.0.0", "1.5.0"
    ),
    "[INFO] Connected new brain: Nav?team=1": NewBehavior("Nav", 1),
    "[INFO] Exported results/a b/Nav/Nav-7949.onnx": Exported("results/a b/Nav/Nav", 7949),
    "[INFO] Copied results/a/Nav/Nav-7949.onnx to results/a/Nav.onnx.": Exported("results/a/Nav.onnx", None),
    "[INFO] Resuming from results/a/Nav.": Resuming("results/a/Nav", None),
    "[INFO] Initializing from results/bc/Nav/checkpoint.pt.": Resuming("results/bc/Nav/checkpoint.pt", None),
    "[INFO] Resuming training from step 7949.": Resuming(None, 7949),
    "[WARNING] Restarting worker[0] after 'Environment shut down with return code 3.'": Restarting(
        0, "Environment shut down with return code 3."
    ),
    "[INFO] Parameter 'size' is in lesson 'Big' and has value 'Float: value=4.0'.": Lesson(
        "size", "Big", "Float: value=4.0"
    ),
}

OTHER_LINES = (
    "",
    "Traceback (most recent call last):",
    "[INFO] Hyperparameters for behavior name Nav: ",
    "[INFO] Learning was interrupted. Please wait while the graph is generated.",
    "[WARNING] Training status file not found. Not all functions will resume properly.",
    "Step: 2000. Mean Reward: 1.000.",
)


@pytest.mark.parametrize(("line", "expected"), [item for item in SUMMARIES.items() if item[1]])
def test_a_summary_line_gives_its_figures(line: str, expected: Progress) -> None:
    assert parse_line(line) == expected


def test_infinite_and_undefined_rewards_are_told_as_what_they_are() -> None:
    line = next(line for line, expected in SUMMARIES.items() if expected is None)
    found = parse_line(line)
    assert isinstance(found, Progress)
    assert found.behavior == "My. Agent"
    assert found.mean_reward == math.inf
    assert found.std_reward is not None
    assert math.isnan(found.std_reward)


@pytest.mark.parametrize(("line", "expected"), EVENTS.items())
def test_each_event_of_the_course_is_told(line: str, expected: Event) -> None:
    assert parse_line(line) == expected
    assert parse_line(line + "\r\n") == expected


@pytest.mark.parametrize("line", OTHER_LINES)
def test_other_lines_are_not_taken_for_progress(line: str) -> None:
    assert parse_line(line) is None
