"""The words of schedules; light, so that every face may name them before anything else is loaded."""

from __future__ import annotations

from typing import Literal

Overlap = Literal["skip", "queue", "allow"]
"""What happens to a firing while an earlier one runs."""
CatchUp = Literal["none", "latest", "all"]
"""Which of the moments that nobody was there for are made up for."""
FiringState = Literal["due", "waiting", "running", "succeeded", "failed", "skipped", "missed", "cancelled"]
ScheduleAction = Literal["pause", "resume", "change", "remove", "run_now"]
AFTER_DEFAULT = "evaluate,register"
"""What a schedule does with a trained policy when nobody said what."""
