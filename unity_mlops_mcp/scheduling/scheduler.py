"""Fires what is due, starts its work, and looks after it; every living process may, one does.

All state is in the store. What a killed process had begun is taken up by the next: a firing is unique by schedule and
moment, and its jobs by firing and place.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import takewhile
from typing import Protocol

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.jobs.records import FINAL_STATES
from unity_mlops_mcp.scheduling.moments import due
from unity_mlops_mcp.scheduling.records import Schedule, read_schedule
from unity_mlops_mcp.store.rows import FiringRow, ScheduleRow
from unity_mlops_mcp.store.store import Store

LEASE = "scheduler"
LEASE_S = 30.0
ON_TIME_S = 90.0
"""A moment that was looked at later than this was missed."""
FIRST_RETRY_S, LONGEST_RETRY_S = 60, 3600
"""How long a continuous schedule waits at least after one failed firing, and after many."""
FAILURES_COUNTED = 7
"""With so many in a row the wait is the longest."""
MOST_WAITING = 100
"""Firings of one schedule that wait for the one before them; more are skipped."""
BY_HAND = "asked for by hand"
CLOCK_SLACK = timedelta(hours=1)
"""A clock that went back further than this was wrong before: moments are looked at anew from the present on."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class JobState:
    """How one job of a firing stands: its state, and of a failed one why."""

    state: str
    problem: str = ""


class Work(Protocol):
    """How the work of a schedule is started and looked at."""

    def start(self, firing: FiringRow, schedule: Schedule, place: int) -> str:
        """Start the work at a place, or find it started; gives the job's id."""
        ...

    def look(self, job_id: str) -> JobState:
        """How a job stands."""
        ...


class Scheduler:
    """The schedules of one home.

    Args:
        store: where they are kept.
        work: how their work is started.
        holder: names this process among those that may fire.
    """

    def __init__(self, store: Store, work: Work, *, holder: str) -> None:
        self._table = store.schedules
        self._work = work
        self._holder = holder
        self._stopped = self._holds = False
        self._names: dict[str, str] = {}
        self._complained: set[tuple[str, datetime]] = set()

    def tend(self, now: datetime) -> bool:
        """Fire what is due and look after what runs; False when another process does, or there is nothing to do."""
        if self._stopped or not self._table.any():
            return False
        if not self._leased(now):
            return False
        rows = self._table.all()
        self._names = {row.schedule_id: row.name for row in rows}
        schedules = {row.schedule_id: self._read(row) for row in rows}
        self._look_after(schedules, now)
        busy = {firing.schedule_id for firing in self._table.open_firings()}
        for row in rows:
            schedule = schedules[row.schedule_id]
            if row.enabled and schedule is not None:
                self._fire(row, schedule, now, busy=row.schedule_id in busy)
        self._look_after(schedules, now)
        return True

    def stop(self) -> None:
        """Fire nothing more, and let another process fire at once."""
        self._stopped, self._holds = True, False
        self._table.release(LEASE, self._holder)

    def who_fires(self, now: datetime) -> str | None:
        """The process that fires at a moment, as its ``holder``; None when nobody does."""
        return self._table.lease_holder(LEASE, now=now, longest=timedelta(seconds=2 * LEASE_S))

    def _leased(self, now: datetime) -> bool:
        """Take or keep the lease; each change is logged."""
        held = self._table.lease(LEASE, self._holder, now=now, until=now + timedelta(seconds=LEASE_S))
        if held != self._holds:
            _LOG.info("Schedules are fired by %s now.", "this process" if held else "another process")
        self._holds = held
        return held

    def fire_now(self, row: ScheduleRow, now: datetime) -> FiringRow | None:
        """Add a firing that a person asked for; None where this very moment has one. The next `tend` starts it."""
        firing = self._firing(row, now, "due", now, BY_HAND)
        if not self._table.add_firing(firing):
            return None
        self._log(firing, f"is {BY_HAND}")
        return firing

    def _read(self, row: ScheduleRow) -> Schedule | None:
        """The schedule of a row; None for one that cannot be read, which is logged once and stops no other."""
        try:
            return read_schedule(row)
        except InvalidInputError as error:
            if (row.schedule_id, row.changed_at) not in self._complained:
                self._complained.add((row.schedule_id, row.changed_at))
                _LOG.warning("Schedule %s cannot fire: %s", row.name, error)
            return None

    def _fire(self, row: ScheduleRow, schedule: Schedule, now: datetime, *, busy: bool) -> None:
        after = row.seen_until if row.seen_until - now < CLOCK_SLACK else now
        if schedule.rule.continuous:
            moments: Sequence[datetime] = () if busy else self._continuous(row, schedule, now)
        else:
            moments = due(schedule.rule, after=after, until=now)
        until = max(now, after)
        if moments or until - row.seen_until >= timedelta(minutes=1) or until < row.seen_until:
            new = self._table.fire(row, self._judged(row, schedule, moments, now), until=until)
            for firing in new:
                self._log(firing, "is due" if firing.state == "due" else f"was missed: {firing.reason}")

    def _continuous(self, row: ScheduleRow, schedule: Schedule, now: datetime) -> tuple[datetime, ...]:
        """The moment of the next firing, when the pause after the last one is over; failures make it longer.

        What ended later than the clock could be wrong for was written by another clock, and counts for nothing.
        """
        newest = self._table.ended_firings(row.schedule_id, until=now + CLOCK_SLACK, limit=FAILURES_COUNTED)
        failures = len(list(takewhile(lambda firing: firing.state == "failed", newest)))
        retry_s = min(FIRST_RETRY_S * 2 ** (failures - 1), LONGEST_RETRY_S) if failures else 0
        pause = max(schedule.rule.pause, timedelta(seconds=retry_s))
        ended = newest[0].finished_at if newest else None
        return (now,) if ended is None or ended + pause <= now else ()

    def _judged(
        self, row: ScheduleRow, schedule: Schedule, moments: Sequence[datetime], now: datetime
    ) -> Iterable[FiringRow]:
        """A firing for every moment: due, or missed as the rule says."""
        on_time = {moment for moment in moments if (now - moment).total_seconds() <= ON_TIME_S}
        caught = {"none": set[datetime](), "latest": set(moments[-1:]), "all": set(moments)}[schedule.rule.catch_up]
        for moment in moments:
            if moment in on_time or moment in caught:
                yield self._firing(row, moment, "due", now)
            else:
                reason = "no process of ours was there at that time"
                yield self._firing(row, moment, "missed", now, reason)

    def _firing(
        self, row: ScheduleRow, moment: datetime, state: str, now: datetime, reason: str | None = None
    ) -> FiringRow:
        return FiringRow(
            firing_id=_firing_id(row.schedule_id, moment),
            schedule_id=row.schedule_id,
            due_at=moment,
            state=state,
            changed_at=now,
            reason=reason,
            finished_at=now if state == "missed" else None,
        )

    def _look_after(self, schedules: Mapping[str, Schedule | None], now: datetime) -> None:
        """Go on with what is not over, but for firings of a schedule that cannot be read: they stay as they are."""
        unread = {schedule_id for schedule_id, schedule in schedules.items() if schedule is None}
        firings = [firing for firing in self._table.open_firings() if firing.schedule_id not in unread]
        busy = {firing.schedule_id for firing in firings if firing.state == "running"}
        waiting = Counter(firing.schedule_id for firing in firings if firing.state == "waiting")
        for firing in firings:
            schedule = schedules.get(firing.schedule_id)
            if firing.state == "running":
                if self._watch(firing, schedule, now):
                    busy.discard(firing.schedule_id)
            elif schedule is None:
                self._end(firing, "cancelled", "the schedule was removed", now)
            elif schedule.rule.overlap == "allow" or firing.schedule_id not in busy:
                busy.add(firing.schedule_id)
                self._begin(firing, schedule, now)
            elif firing.state == "due":
                self._put_off(firing, schedule, waiting, now)

    def _begin(self, firing: FiringRow, schedule: Schedule, now: datetime) -> None:
        if self._table.change_firing(firing.firing_id, "running", where=("due", "waiting"), now=now):
            self._watch(firing, schedule, now)

    def _put_off(self, firing: FiringRow, schedule: Schedule, waiting: Counter[str], now: datetime) -> None:
        """Let a firing wait for the one that runs, or skip it, as the rule of overlap says."""
        late = (firing.changed_at - firing.due_at).total_seconds() > ON_TIME_S or firing.reason is not None
        if schedule.rule.overlap != "queue" and not late:
            self._end(firing, "skipped", "the firing before it still runs", now)
        elif waiting[firing.schedule_id] >= MOST_WAITING:
            self._end(firing, "skipped", f"{MOST_WAITING} firings before it wait already", now)
        elif self._table.change_firing(firing.firing_id, "waiting", where=("due",), now=now):
            waiting[firing.schedule_id] += 1
            self._log(firing, "waits for the one before it")

    def _watch(self, firing: FiringRow, schedule: Schedule | None, now: datetime) -> bool:
        """Start more of a running firing's work as there is room; whether it is over.

        Without its schedule, which was removed, what was started is all of it.
        """
        states = [self._work.look(job_id) for job_id in firing.jobs]
        jobs, total = list(firing.jobs), len(schedule.work) if schedule else len(firing.jobs)
        going = sum(state.state not in FINAL_STATES for state in states)
        while schedule is not None and len(jobs) < total and going < schedule.max_concurrent_jobs:
            jobs.append(self._work.start(firing, schedule, len(jobs)))
            going += 1
        if jobs != firing.jobs:
            self._table.note_jobs(firing.firing_id, jobs)
            self._log(firing, f"started {', '.join(jobs[len(firing.jobs) :])}")
        if going or len(jobs) < total:
            return False
        self._conclude(firing, states, now)
        return True

    def _conclude(self, firing: FiringRow, states: Sequence[JobState], now: datetime) -> None:
        bad = [state for state in states if state.state != "succeeded"]
        if not bad:
            self._end(firing, "succeeded", None, now)
            return
        cancelled = all(state.state == "cancelled" for state in bad)
        problems = "; ".join(dict.fromkeys(state.problem or state.state for state in bad))
        told = f"{len(bad)} of {len(states)} did not succeed: {problems}"
        self._end(firing, "cancelled" if cancelled else "failed", told[:1000], now)

    def _end(self, firing: FiringRow, state: str, reason: str | None, now: datetime) -> None:
        values = {"reason": reason or firing.reason, "finished_at": now}
        if self._table.change_firing(
            firing.firing_id,
            state,
            where=("due", "waiting", "running"),
            now=now,
            values=values,
            data={"reason": reason},
        ):
            self._log(firing, f"{state}{f': {reason}' if reason else ''}")

    def _log(self, firing: FiringRow, told: str) -> None:
        """One line of what became of a firing; ``data`` is for logs with fields."""
        name, due_at = self._names.get(firing.schedule_id, firing.schedule_id), firing.due_at.isoformat()
        data = {"schedule_id": firing.schedule_id, "firing_id": firing.firing_id, "due_at": due_at}
        _LOG.info("Schedule %s: firing %s %s.", name, firing.firing_id, told, extra={"data": data})


def _firing_id(schedule_id: str, moment: datetime) -> str:
    """Names a schedule's moment, of which there is one firing at most."""
    exact = "%Y%m%d-%H%M%S-%f" if moment.microsecond else "%Y%m%d-%H%M%S"
    return f"{schedule_id}.{moment.astimezone(timezone.utc).strftime(exact)}"
