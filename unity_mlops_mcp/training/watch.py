"""What a running trainer has said so far, from its log."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from unity_mlops_mcp.training.progress import (
    Cloning,
    Connected,
    Exported,
    Lesson,
    NewBehavior,
    Progress,
    Restarting,
    Resuming,
    Settled,
    parse_line,
)

REWARDS_KEPT = 40
LINES_KEPT = 400


@dataclass
class Watch:
    """The state of one attempt as its log tells it; ``feed`` takes new lines, ``fields`` is what the job shows.

    Args:
        behavior_name: the behaviour whose figures are shown; None: the first that connects.
        from_step: the step that the attempt goes on from.
    """

    behavior_name: str | None
    max_steps: int
    from_step: int = 0
    message: str = "starting the trainer"
    connected: bool = False
    step: int = 0
    elapsed_s: float = 0.0
    mean_reward: float | None = None
    elo: float | None = None
    behaviors: dict[str, int] = field(default_factory=dict)
    exported: dict[str, int] = field(default_factory=dict)
    rewards: deque[float] = field(default_factory=lambda: deque(maxlen=REWARDS_KEPT))
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=LINES_KEPT))
    notes: list[str] = field(default_factory=list)

    def feed(self, lines: Sequence[str]) -> bool:
        """Take new lines; True when they brought new figures."""
        before = (self.step, self.message, self.connected)
        for line in lines:
            self.lines.append(line)
            self._take(parse_line(line))
        return before != (self.step, self.message, self.connected)

    def _take(self, event: object) -> None:
        if isinstance(event, Progress):
            self._summary(event)
        elif isinstance(event, Cloning):
            self._cloning(event)
        elif isinstance(event, Settled):
            self.max_steps = event.step
            self.notes.append(f"cloning ended at step {event.step}: the validation loss no longer fell")
        elif isinstance(event, Connected):
            self.connected = True
            self.message = f"connected to the player (package {event.package_version})"
        elif isinstance(event, NewBehavior):
            self.behaviors.setdefault(event.behavior, 0)
            self.behavior_name = self.behavior_name or event.behavior
        elif isinstance(event, Exported) and event.step is not None:
            behavior = event.path.replace("\\", "/").rsplit("/", 1)[-1]
            self.exported[behavior] = event.step
        elif isinstance(event, Resuming) and event.step is not None:
            self.from_step = event.step
        elif isinstance(event, Restarting):
            self.notes.append(f"the player of worker {event.worker} was restarted: {event.reason}")
        elif isinstance(event, Lesson):
            self.message = f"parameter {event.parameter} is in lesson {event.lesson} ({event.value})"

    def _summary(self, summary: Progress) -> None:
        self.behaviors[summary.behavior] = summary.step
        if self.behavior_name not in (None, summary.behavior):
            return
        self.behavior_name = summary.behavior
        self.step, self.elapsed_s = summary.step, summary.elapsed_s
        self.message = "training" if summary.training else "writing the last policy"
        if summary.elo is not None:
            self.elo = summary.elo
        reward = summary.group_reward if summary.group_reward is not None else summary.mean_reward
        if reward is not None and math.isfinite(reward):
            self.mean_reward = reward
            self.rewards.append(reward)

    def _cloning(self, look: Cloning) -> None:
        self.behaviors[look.behavior] = look.step
        self.step, self.elapsed_s = look.step, look.elapsed_s
        what = "cloning" if look.clones else "learning from"
        self.message = f"{what} the dataset: validation loss {look.validation:.4f}"

    @property
    def reached(self) -> int:
        """The step that is surely reached: of the behaviour that is furthest behind, by summaries and exports."""
        names = set(self.behaviors) | set(self.exported)
        return min((max(self.behaviors.get(name, 0), self.exported.get(name, 0)) for name in names), default=0)

    def fields(self) -> dict[str, Any]:
        """What the job shows of its progress, as JSON values."""
        done = max(self.step - self.from_step, 0)
        speed = done / self.elapsed_s if self.elapsed_s > 0 and done > 0 else None
        return {
            "message": self.message,
            "behavior_name": self.behavior_name,
            "step": max(self.step, self.from_step, self.exported.get(self.behavior_name or "", 0)),
            "max_steps": self.max_steps,
            "mean_reward": self.mean_reward,
            "elo": self.elo,
            "rewards": [round(value, 4) for value in self.rewards],
            "steps_per_second": speed,
            "eta_s": max(0.0, self.max_steps - self.step) / speed if speed else None,
            "connected": self.connected,
            "notes": list(self.notes),
        }
