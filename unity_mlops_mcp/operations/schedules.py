"""The operations on schedules: trainings that start by themselves."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from datetime import datetime
from random import SystemRandom
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from unity_mlops_mcp.errors import ConflictError, InvalidInputError, NotFoundError
from unity_mlops_mcp.inputs import exactly_one, validated
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.operations.pipelines import Pipelines
from unity_mlops_mcp.operations.planning import Planning
from unity_mlops_mcp.results.schedules import FiringResult, ScheduleList, ScheduleResult
from unity_mlops_mcp.scheduling.words import ScheduleAction
from unity_mlops_mcp.store.ids import new_id, utc_now
from unity_mlops_mcp.store.rows import FiringRow, ScheduleRow

if TYPE_CHECKING:
    from unity_mlops_mcp.pipeline.records import Wanted
    from unity_mlops_mcp.scheduling.records import Rule, Schedule
    from unity_mlops_mcp.spec.requests import UnityAssetSpec

FIRINGS_TOLD, HISTORY_TOLD = 5, 20


class Schedules:
    """What is trained again and again."""

    def __init__(self, parts: Parts, planning: Planning, pipelines: Pipelines) -> None:
        self._parts = parts
        self._planning = planning
        self._pipelines = pipelines

    def add_schedule(
        self,
        *,
        name: str,
        rule: Rule,
        work: Wanted,
        assets: str | Sequence[UnityAssetSpec] | None = None,
        max_concurrent_jobs: int = 4,
        enabled: bool = True,
        replace: bool = False,
    ) -> ScheduleResult:
        """Train again and again: each firing starts one pipeline for each asset.

        Args:
            name: unique in the home.
            rule: when it fires.
            work: what each firing does; with ``assets``, how each of them is done.
            assets: several, as YAML or JSON: sentences, or mappings with the fields of `UnityAssetSpec`; in place of
                the request, the build or the project of ``work``.
            max_concurrent_jobs: pipelines of one firing that run at once, under UNITY_MLOPS_MAX_JOBS.
            enabled: whether it fires from now on.
            replace: change the schedule of this name, where there is one; its firings stay. What another rule
                or a pause left out is not made up for.

        Raises:
            InvalidInputError: something cannot be used; nothing was written.
            NotFoundError: there is no such build.
            ConflictError: there is a schedule of this name.
        """
        from unity_mlops_mcp.scheduling.records import Schedule

        given = {"request": work.request, "build_id": work.build_id, "project_path": work.project_path}
        exactly_one({**given, "assets": assets})
        data = {
            "name": name,
            "rule": rule,
            "work": list(self._work(work, assets)),
            "max_concurrent_jobs": max_concurrent_jobs,
        }
        return self._add(validated(Schedule, data), enabled=enabled, replace=replace)

    def list_schedules(self, name: str | None = None) -> ScheduleList:
        """Schedules with their next firings and the last outcome; with a name, one of them with its history.

        Raises:
            NotFoundError: there is none of this name.
        """
        rows = [self._row(name)] if name else list(self._parts.store.schedules.all())
        told = [self._result(row, history=name is not None) for row in rows]
        if not told:
            return ScheduleList(schedules=[], next="add_schedule(name, cron, request) makes the first.")
        node, _, rest = (self._parts.scheduler.who_fires(utc_now()) or "").partition(":")
        by = f"process {rest.partition(':')[0]} on {node}" if rest else None
        nobody = "Nobody fires them now: start `unity-mlops scheduler` or `unity-mlops serve`, or open a chat client."
        return ScheduleList(schedules=told, fired_by=by, next=f"They are fired by {by}." if by else nobody)

    def update_schedule(self, schedule_id: str, action: ScheduleAction, changes: str | None = None) -> ScheduleResult:
        """Pause a schedule, resume, change or remove it, or let it fire now.

        A moment in which it was paused is not missed. What already runs goes on.

        Args:
            schedule_id: its id or name.
            action: what to do.
            changes: for ``change``: YAML or JSON with fields of `ScheduleChanges`.

        Raises:
            NotFoundError: there is no such schedule.
            InvalidInputError: the changes cannot be used; nothing was changed.
            ConflictError: there is a schedule of the new name.
        """
        from unity_mlops_mcp.operations.schedule_changes import read_changes
        from unity_mlops_mcp.scheduling.records import read_schedule

        row, table, now = self._row(schedule_id), self._parts.store.schedules, utc_now()
        if (action == "change") != (changes is not None):
            raise InvalidInputError(
                "changes go with the action change.",
                fix="Call update_schedule(schedule_id, action='change', changes='{cron: \"*/5 * * * *\"}').",
            )
        if action == "remove":
            table.remove(row.schedule_id)
            return ScheduleResult(
                schedule_id=row.schedule_id,
                name=row.name,
                enabled=False,
                removed=True,
                next=f"{row.name} is removed and fires no more; what it started goes on, its runs stay.",
            )
        if action == "run_now":
            read_schedule(row)
            self._parts.scheduler.fire_now(row, now)
            self._parts.scheduler.tend(now)
            return self._result(row, next=f"It fires now: list_schedules(name={row.name!r}) shows its jobs.")
        if action == "change":
            self._change(row, read_changes(changes or "").applied_to(row.data), now)
        else:
            resumed = {"seen_until": now} if action == "resume" and not row.enabled else {}
            table.change(row.schedule_id, now=now, enabled=action == "resume", **resumed)
        return self._result(self._row(row.schedule_id))

    def _add(self, schedule: Schedule, *, enabled: bool, replace: bool) -> ScheduleResult:
        table, now = self._parts.store.schedules, utc_now()
        there = table.get(schedule.name) if replace else None
        if there is not None and there.name == schedule.name:
            self._write(there, schedule, now, enabled=enabled)
            return self._result(self._row(there.schedule_id))
        row = ScheduleRow(
            schedule_id=new_id("schedule", now=now, rng=SystemRandom()),
            name=schedule.name,
            data=schedule.model_dump(mode="json", exclude_unset=True),
            enabled=enabled,
            seen_until=now,
            created_at=now,
            changed_at=now,
        )
        if not table.add(row):
            raise _taken(schedule.name)
        return self._result(row)

    def _change(self, row: ScheduleRow, schedule: Schedule, now: datetime) -> None:
        """Write changes; what a firing would refuse of its changed work is refused now."""
        if schedule.model_dump(mode="json", exclude_unset=True)["work"] != row.data.get("work"):
            for wanted in schedule.work:
                self._pipelines.fail_early(wanted)
        self._write(row, schedule, now)

    def _write(self, row: ScheduleRow, schedule: Schedule, now: datetime, **values: Any) -> None:
        """Put a schedule in the place of a row's; moments of a pause, and of its new rule until now, are not owed."""
        before, rule = row.data.get("rule", {}), schedule.rule
        same_rule = (before.get("cron"), before.get("timezone", "UTC")) == (rule.cron, rule.timezone)
        if not (row.enabled and same_rule):
            values["seen_until"] = now
        data = schedule.model_dump(mode="json", exclude_unset=True)
        if not self._parts.store.schedules.change(row.schedule_id, now=now, name=schedule.name, data=data, **values):
            self._row(row.schedule_id)  # which raises, where somebody removed it meanwhile
            raise _taken(schedule.name)

    def _work(self, work: Wanted, assets: str | Sequence[UnityAssetSpec] | None) -> Iterator[Wanted]:
        """A pipeline for each asset; what a firing would refuse is refused now."""
        from unity_mlops_mcp.builds.library import load_build
        from unity_mlops_mcp.scheduling.assets import read_assets

        if work.build_id is not None:
            load_build(work.build_id, settings=self._parts.settings, store=self._parts.store)
        for wanted in [work] if assets is None else [self._of_asset(asset, work) for asset in read_assets(assets)]:
            self._pipelines.fail_early(wanted)
            yield wanted

    def _of_asset(self, asset: UnityAssetSpec, work: Wanted) -> Wanted:
        """A sentence stays one; an asset with sizes or a name is planned now, so that every firing trains the same."""
        filed = asset.asset_id or asset.name or None
        if asset.model_fields_set <= {"description"}:
            return work.model_copy(update={"request": asset.description, "asset": filed})
        plan = self._planning.plan(asset)
        return work.model_copy(update={"spec_id": self._planning.keep(plan).spec_id, "asset": filed})

    def _row(self, schedule_id: str) -> ScheduleRow:
        row = self._parts.store.schedules.get(schedule_id)
        if row is not None:
            return row
        known = [one.name for one in self._parts.store.schedules.all()]
        near = difflib.get_close_matches(schedule_id, known, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise NotFoundError(
            f"There is no schedule {schedule_id!r}.",
            fix=f"{hint}Schedules: {', '.join(known[:8]) or 'none yet; add_schedule makes the first'}.",
            cause="no_such_schedule",
        )

    def _result(self, row: ScheduleRow, *, history: bool = False, next: str | None = None) -> ScheduleResult:  # noqa: A002
        from unity_mlops_mcp.scheduling.records import read_schedule

        firings = self._parts.store.schedules.firings_of(row.schedule_id, limit=HISTORY_TOLD)
        try:
            told = _told(read_schedule(row), enabled=row.enabled)
        except InvalidInputError as error:
            told = {"problem": str(error)}
        return ScheduleResult(
            schedule_id=row.schedule_id,
            name=row.name,
            enabled=row.enabled,
            last=_firing(firings[0]) if firings else None,
            history=[_firing(firing) for firing in firings] if history else [],
            next=next or f"Call list_schedules(name={row.name!r}) to see what became of its firings.",
            **told,
        )


def _told(schedule: Schedule, *, enabled: bool) -> dict[str, Any]:
    """What a result says of the schedule itself."""
    from unity_mlops_mcp.scheduling.moments import upcoming

    rule, first = schedule.rule, schedule.work[0]
    moments = upcoming(rule, utc_now(), count=FIRINGS_TOLD) if enabled else ()
    return {
        "cron": rule.cron,
        "timezone": rule.timezone,
        "overlap": rule.overlap,
        "catch_up": rule.catch_up,
        "work": [wanted.asset or wanted.subject for wanted in schedule.work],
        "after": list(first.after),
        "alias": first.alias if "promote" in first.after else None,
        "warm_start": first.warm_start,
        "max_concurrent_jobs": schedule.max_concurrent_jobs,
        "next_firings": [moment.astimezone(ZoneInfo(rule.timezone)).isoformat() for moment in moments],
    }


def _firing(row: FiringRow) -> FiringResult:
    return FiringResult.model_validate(
        {
            "firing_id": row.firing_id,
            "due_at": row.due_at,
            "state": row.state,
            "reason": row.reason,
            "jobs": row.jobs,
            "finished_at": row.finished_at,
        }
    )


def _taken(name: str) -> ConflictError:
    return ConflictError(
        f"There is a schedule {name!r} already.",
        fix=f"Call update_schedule({name!r}, action='change', changes=…), or take another name.",
        cause="schedule_exists",
    )
