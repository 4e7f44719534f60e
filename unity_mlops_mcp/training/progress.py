r"""What mlagents-learn's lines say about a training, as ``stats.py`` of mlagents 0.28.0 to 1.1.0 writes them.

A stock trainer prints ``[INFO] `` before every line; a line in which that prefix is missing, or follows a time stamp,
is understood too. Colour codes are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """A summary line: the figures of the episodes that ended since the one before.

    Attributes:
        step: the summary boundary, not the exact step.
        elapsed_s: seconds since this attempt of the trainer began.
        mean_reward: None when no episode ended; may be ``nan`` or infinite when a reward was.
        group_reward: the mean group reward of POCA, where a group ended.
        elo: the rating in self-play, once there is one.
        training: False while a ghost or an inference run collects without learning.
    """

    behavior: str
    step: int
    elapsed_s: float
    mean_reward: float | None
    std_reward: float | None
    group_reward: float | None
    elo: float | None
    training: bool


@dataclass(frozen=True)
class Connected:
    """A player answered the handshake."""

    package_version: str
    communication_version: str


@dataclass(frozen=True)
class NewBehavior:
    """The player has a behaviour of this name, in this team."""

    behavior: str
    team: int


@dataclass(frozen=True)
class Exported:
    """A checkpoint's ONNX was written, without its ``-<step>.onnx``; or the final one was copied (step None)."""

    path: str
    step: int | None


@dataclass(frozen=True)
class Resuming:
    """Weights were loaded: from a path (resume or initialise), and from which step when it is a resume."""

    path: str | None
    step: int | None


@dataclass(frozen=True)
class Restarting:
    """A player was lost, and its worker starts another."""

    worker: int
    reason: str


@dataclass(frozen=True)
class Lesson:
    """An environment parameter is at a lesson of its curriculum, or has its only value."""

    parameter: str
    lesson: str
    value: str


@dataclass(frozen=True)
class Cloning:
    """A look at the validation episodes while a dataset is learned from; see ``trainer_env/cloning.py``."""

    behavior: str
    step: int
    elapsed_s: float
    loss: float
    validation: float
    clones: bool = True


@dataclass(frozen=True)
class Settled:
    """A cloning ended before its last step: its validation loss no longer fell."""

    behavior: str
    step: int


Event = Progress | Cloning | Settled | Connected | NewBehavior | Exported | Resuming | Restarting | Lesson

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_PREFIX = re.compile(
    r"^(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:[.,]\d+)? )?(?:\[?(?:INFO|WARNING)\]?:?(?: \[[\w.]+:\d+\])? )?"
)
_NUMBER = r"-?(?:\d+(?:\.\d+)?|inf)|nan"
_SUMMARY = re.compile(
    r"^(?P<behavior>.+?)\. Step: (?P<step>\d+)\. Time Elapsed: (?P<elapsed>\d+(?:\.\d+)?) s\. "
    rf"(?:(?:Rank: \d+\. )?Mean Reward: (?P<mean>{_NUMBER})\. "
    rf"(?:Std of Reward: (?P<std>{_NUMBER})|Mean Group Reward: (?P<group>{_NUMBER}))\. "
    r"|No episode was completed since last summary\. )"
    rf"(?P<state>Training|Not Training)\.(?: ELO: (?P<elo>{_NUMBER})\.)?$"
)


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def _summary(match: re.Match[str]) -> Progress:
    return Progress(
        behavior=match["behavior"],
        step=int(match["step"]),
        elapsed_s=float(match["elapsed"]),
        mean_reward=_number(match["mean"]),
        std_reward=_number(match["std"]),
        group_reward=_number(match["group"]),
        elo=_number(match["elo"]),
        training=match["state"] == "Training",
    )


_CLONING = re.compile(
    r"^(?P<behavior>.+?)\. (?P<what>Cloning|Learning) step: (?P<step>\d+)\. "
    r"Time Elapsed: (?P<elapsed>\d+(?:\.\d+)?) s\. "
    rf"Loss: (?P<loss>{_NUMBER})\. Validation: (?P<validation>{_NUMBER})\.$"
)


def _cloning(match: re.Match[str]) -> Cloning:
    return Cloning(
        behavior=match["behavior"],
        step=int(match["step"]),
        elapsed_s=float(match["elapsed"]),
        loss=float(match["loss"]),
        validation=float(match["validation"]),
        clones=match["what"] == "Cloning",
    )


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Event]], ...] = (
    (_SUMMARY, _summary),
    (_CLONING, _cloning),
    (re.compile(r"^(.+?)\. Stopped at step (\d+): the validation loss "), lambda m: Settled(m[1], int(m[2]))),
    (
        re.compile(r"^Connected to Unity environment with package version (\S+) and communication version (\S+)$"),
        lambda m: Connected(m[1], m[2]),
    ),
    (re.compile(r"^Connected new brain: (.+)\?team=(\d+)$"), lambda m: NewBehavior(m[1], int(m[2]))),
    (re.compile(r"^Exported (.+)-(\d+)\.onnx$"), lambda m: Exported(m[1], int(m[2]))),
    (re.compile(r"^Copied .+\.onnx to (.+\.onnx)\.$"), lambda m: Exported(m[1], None)),
    (re.compile(r"^Resuming training from step (\d+)\.$"), lambda m: Resuming(None, int(m[1]))),
    (re.compile(r"^(?:Resuming|Initializing) from (.+)\.$"), lambda m: Resuming(m[1], None)),
    (re.compile(r"^Restarting worker\[(\d+)\] after '(.*)'$"), lambda m: Restarting(int(m[1]), m[2])),
    (
        re.compile(r"^Parameter '(.+)' is in lesson '(.+)' and has value '(.+)'\.$"),
        lambda m: Lesson(m[1], m[2], m[3]),
    ),
)


def parse_line(line: str) -> Event | None:
    """What one line of the trainer's output says; None for all that is not about the course of the training."""
    text = _PREFIX.sub("", _COLOUR.sub("", line).rstrip(), count=1)
    for pattern, make in _FORMS:
        match = pattern.match(text)
        if match:
            return make(match)
    return None
