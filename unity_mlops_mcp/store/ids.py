"""Ids that say what they name, sort by time and fit into a path."""

from __future__ import annotations

import random
import string
from datetime import datetime, timezone

_SIGNS = string.digits + string.ascii_lowercase
_LENGTH = 6


def utc_now() -> datetime:
    """The present moment, aware of its time zone (UTC)."""
    return datetime.now(timezone.utc)


def new_id(prefix: str, *, now: datetime, rng: random.Random) -> str:
    """An id such as ``train-20261121-113000-a1b2c3``: lower case, sorts by time to the second.

    Two of one second are alike once in two thousand million: many callers ask nobody whether it is taken.

    Args:
        prefix: what it names; letters, digits and dashes (underscores become dashes).
        now: the moment it is made.
        rng: gives the last six signs.
    """
    stamp = now.astimezone(timezone.utc).strftime("%Y%m%d-%H%M%S")
    return f"{prefix.lower().replace('_', '-')}-{stamp}-{''.join(rng.choices(_SIGNS, k=_LENGTH))}"
