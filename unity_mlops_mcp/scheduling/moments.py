"""When a rule is due. Both nights on which clocks change are right, as in cron since Vixie's.

A moment that the clocks leap over is due right after the leap. A moment that they go through twice is due once, unless
the rule names no particular hour: then every hour that passes counts. croniter knows the first; the second is ours.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timezone
from itertools import islice
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterBadDateError, croniter

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.scheduling.records import CONTINUOUS, Rule

PRESETS = {
    "hourly": "0 * * * *",
    "daily": "0 2 * * *",
    "nightly": "0 2 * * *",
    "weekly": "0 2 * * 0",
    "monthly": "0 2 1 * *",
    CONTINUOUS: CONTINUOUS,
}
"""Words that may stand in the place of the five fields."""
MOST_AT_ONCE = 1000
"""Moments that one look gives at most: the newest ones, after a long time in which nobody was there."""


def read_rule(cron: str, timezone_name: str | None) -> tuple[str, str]:
    """The five fields, and the name of the zone, checked.

    Raises:
        InvalidInputError: the fields are wrong or never come true, or there is no such zone.
    """
    text = " ".join(cron.split())
    fields = PRESETS.get(text.lower().removeprefix("@"), text)
    zone = timezone_name or "UTC"
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInputError(
            f"There is no time zone {zone!r}.", fix="Give a name such as UTC, Europe/Berlin or America/New_York."
        ) from error
    if fields != CONTINUOUS:
        _require_fields(fields)
    return fields, zone


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


def upcoming(rule: Rule, after: datetime, *, count: int) -> tuple[datetime, ...]:
    """The next moments after one, in UTC; a continuous rule has none that could be told."""
    return () if rule.continuous else tuple(islice(_moments(rule, after), count))


def due(rule: Rule, *, after: datetime, until: datetime) -> tuple[datetime, ...]:
    """The moments later than ``after`` and not later than ``until``, in UTC, oldest first.

    After a long time without anybody they are the newest `MOST_AT_ONCE`.
    """
    if rule.continuous or until <= after:
        return ()
    found: deque[datetime] = deque(maxlen=MOST_AT_ONCE)
    for moment in _moments(rule, after):
        if moment > until:
            break
        found.append(moment)
    return tuple(found)


def _moments(rule: Rule, after: datetime) -> Iterator[datetime]:
    zone = ZoneInfo(rule.timezone)
    every_hour = rule.cron.split(" ")[1].startswith("*")
    ticks = croniter(rule.cron, after.astimezone(zone))
    last = after
    while True:
        moment: datetime = ticks.get_next(datetime)
        seen_before = not every_hour and moment.fold == 1
        if not seen_before and moment > last:
            last = moment.astimezone(timezone.utc)
            yield last
