"""When a rule is due. Both nights on which clocks change are right, as in cron since Vixie's.

A moment that the clocks leap over is due right after the leap. A moment that they go through twice is due once, unless
the rule names no particular hour: then every hour that passes counts. croniter knows the first; the second is ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from croniter import croniter

from unity_mlops_mcp.scheduling.records import Rule

MOST_AT_ONCE = 1000
"""Moments that one look gives at most: the newest ones, after a long time in which nobody was there."""


def upcoming(rule: Rule, after: datetime, *, count: int) -> tuple[datetime, ...]:
    """The next moments after one, in UTC; a continuous rule has none that could be told."""
    return () if rule.continuous else tuple(islice(_moments(rule, after), count))


def due(rule: Rule, *, after: datetime, until: datetime) -> tuple[datetime, ...]:
    """The moments later than ``after`` and not later than ``until``, in UTC, oldest first.

    After a long time without anybody they are the newest `MOST_AT_ONCE`.
    """
    if rule.continuous or until <= after:
        return ()
    window = timedelta(days=1)
    while True:  # ever further back: the moments before the newest are never counted, be they a year's of every minute
        begin = max(after, until - window)
        found = tuple(takewhile(lambda moment: moment <= until, _moments(rule, begin)))
        if begin == after or len(found) >= MOST_AT_ONCE:
            return found[-MOST_AT_ONCE:]
        window *= 2


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
