"""Cron rules and time zones as callers write them, checked."""

from __future__ import annotations

from datetime import datetime, timezone
from functools import lru_cache
from zoneinfo import available_timezones

from croniter import CroniterBadDateError, croniter

from unity_mlops_mcp.errors import InvalidInputError

CONTINUOUS = "continuous"
"""The rule that fires again once the last firing is over."""
PRESETS = {
    "hourly": "0 * * * *",
    "daily": "0 2 * * *",
    "nightly": "0 2 * * *",
    "weekly": "0 2 * * 0",
    "monthly": "0 2 1 * *",
    CONTINUOUS: CONTINUOUS,
}
"""Words that may stand in the place of the five fields, as they are or as in ``@daily``."""

_LOCAL_ZONES = {"localtime", "posixrules", "Factory"}
"""Files beside the zones, which systems set up as they like."""


@lru_cache(maxsize=256)  # every look of every process reads each schedule
def read_cron(cron: str) -> str:
    """The five fields, or ``continuous``.

    Raises:
        InvalidInputError: the fields are wrong or never come true.
    """
    text = " ".join(cron.split())
    fields = PRESETS.get(text.lower().removeprefix("@"), text)
    if fields != CONTINUOUS:
        _require_fields(fields)
    return fields


def read_zone(name: str) -> str:
    """The name of a time zone, one that means the same on every machine.

    Raises:
        InvalidInputError: this machine knows none of this name, or it would be another zone elsewhere.
    """
    if name in _LOCAL_ZONES or name.startswith(("right/", "posix/")):
        raise InvalidInputError(
            f"The time zone {name!r} is this machine's own: elsewhere it is another one, or none.",
            fix="Give the zone's name, such as UTC, Europe/Berlin or America/New_York.",
        )
    if name not in _zones():
        raise InvalidInputError(
            f"There is no time zone {name!r} on this machine.",
            fix="Give a name such as UTC, Europe/Berlin or America/New_York; `pip install tzdata` brings them all.",
        )
    return name


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _require_fields(fields: str) -> None:
    known = f"Give five fields (minute hour day month weekday) such as '0 2 * * *', or one of {', '.join(PRESETS)}."
    if len(fields.split(" ")) != 5:  # noqa: PLR2004 - a sixth would mean seconds to croniter
        raise InvalidInputError(f"The cron rule {fields!r} has not five fields.", fix=known)
    try:
        croniter(fields, datetime(2026, 1, 1, tzinfo=timezone.utc)).get_next(datetime)
    except CroniterBadDateError as error:
        raise InvalidInputError(
            f"The cron rule {fields!r} never comes true.", fix="Correct its day or month."
        ) from error
    except (ValueError, KeyError) as error:
        raise InvalidInputError(f"The cron rule {fields!r} cannot be read: {error}.", fix=known) from error
