"""Ids that say what they name, sort by time and fit into a path."""

from __future__ import annotations

import random
from datetime import datetime, timezone


def utc_now() -> datetime:
    """The present moment, aware of its time zone (UTC)."""
    return datetime.now(timezone.utc)


def new_id(prefix: str, *, now: datetime, rng: random.Random) -> str:
    """An id such as ``train-20261121-113000-a1b2``: lower case, sorts by time to the second.

    Args:
        prefix: what it names; letters, digits and dashes (underscores become dashes).
        now: the moment it is made.
        rng: gives the last four digits; the caller tries again when the id is taken.
    """
    stamp = now.astimezone(timezone.utc).strftime("%Y%m%d-%H%M%S")
    return f"{prefix.lower().replace('_', '-')}-{stamp}-{rng.randrange(16**4):04x}"
