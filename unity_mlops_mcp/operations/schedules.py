"""The operations on schedules: trainings that start by themselves."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import datetime
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from unity_mlops_mcp.errors import ConflictError, InvalidInputError, NotFoundError
from unity_mlops_mcp.inputs import exactly_one, names, validated
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.operations.pipelines import Pipelines, read_training
from unity_mlops_mcp.operations.planning import Planning
from unity_mlops_mcp.results.schedules import FiringResult, ScheduleList, ScheduleResult
from unity_mlops_mcp.store.ids import new_id, utc_now
from unity_mlops_mcp.store.rows import FiringRow, ScheduleRow

if TYPE_CHECKING:
    from unity_mlops_mcp.pipeline.records import After, Wanted
    from unity_mlops_mcp.scheduling.records import CatchUp, Overlap, Schedule
    from unity_mlops_mcp.spec.requests import UnityAssetSpec

ScheduleAction = Literal["pause", "resume", "change", "remove", "run_now"]
AFTER: tuple[After, ...] = ("evaluate", "report", "register", "promote")
AFTER_DEFAULT = "evaluate,register"
FIRINGS_TOLD, HISTORY_TOLD = 5, 20
_OF_THE_RULE = ("cron", "timezone", "pause_s", "overlap", "catch_up")
_OF_THE_WORK = ("training", "max_steps", "after", "alias", "warm_start")
_CHANGES = ("name", "max_concurrent_jobs", *_OF_THE_RULE, *_OF_THE_WORK)


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
        cron: str,
        request: str | None = None,
        assets: str | list[UnityAssetSpec] | None = None,
        build_id: str | None = None,
        project_path: str | None = None,
        scenes: str | None = None,
        target: Literal["sandbox", "unity"] | None = None,
        training: str | None = None,
        max_steps: int | None = None,
        after: str = AFTER_DEFAULT,
        alias: str = "production",
        warm_start: bool = False,
        timezone: str = "UTC",
        overlap: Overlap = "skip",
        catch_up: CatchUp = "latest",
        pause_s: float = 60.0,
        max_concurrent_jobs: int = 4,
        enabled: bool = True,
        confirm: bool = False,
        dry_run: bool = False,
        replace: bool = False,
    ) -> ScheduleResult:
        """Train again and again: each firing starts one pipeline for each asset.

        Args:
            name: unique in the home.
            cron: five fields, or ``hourly``, ``nightly``, ``weekly``, ``monthly``, ``continuous``.
            request: what shall be learned, in one sentence.
            assets: several, as YAML or JSON: sentences, or mappings with the fields of `UnityAssetSpec`; instead.
            build_id: a player that is there already, instead.
            project_path: a Unity project of the user's own, instead; every firing builds it as it is then.
            scenes: its scenes, separated by commas.
            target: where the players run; left out: ``unity`` for a project, else ``sandbox``.
            training: how to train, as YAML or JSON: the fields of `RLTrainingConfig`.
            max_steps: agent steps of each training; over ``training``.
            after: what is done with each policy: evaluate, report, register, promote; separated by commas, or none.
            alias: where it is promoted to, and whose version a warm start begins with.
            warm_start: begin with the weights of the version that holds the alias, where there is one.
            timezone: the zone in which ``cron`` is meant.
            overlap: skip, queue or allow a firing while an earlier one runs.
            catch_up: which firings that nobody was there for are made up for: none, the latest, all.
            pause_s: seconds between two firings of a continuous schedule.
            max_concurrent_jobs: pipelines of one firing that run at once, under UNITY_MLOPS_MAX_JOBS.
            enabled: whether it fires from now on.
            confirm: whether the user allowed code that somebody else wrote to be built.
            dry_run: every firing plans, writes and checks only.
            replace: change the schedule of this name, where there is one; its firings stay, missed ones too.

        Raises:
            InvalidInputError: something cannot be used; nothing was written.
            NotFoundError: there is no such build.
            ConflictError: there is a schedule of this name.
        """
        from unity_mlops_mcp.scheduling.moments import read_rule
        from unity_mlops_mcp.scheduling.records import Schedule

        fields, zone = read_rule(cron, timezone)
        asked = {"request": request, "assets": assets, "build_id": build_id, "project_path": project_path}
        exactly_one(asked)
        shared: dict[str, Any] = {
            "target": target or ("unity" if project_path is not None else "sandbox"),
            "training": read_training(training),
            "max_steps": max_steps,
            "confirm": confirm,
            "scenes": names(scenes),
            "dry_run": dry_run,
            **_afterwards(after, alias, warm_start=warm_start),
        }
        schedule = validated(
            Schedule,
            {
                "name": _require_name(name),
                "rule": {
                    "cron": fields,
                    "timezone": zone,
                    "pause_s": pause_s,
                    "overlap": overlap,
                    "catch_up": catch_up,
                },
                "work": self._work(asked, shared),
                "max_concurrent_jobs": max_concurrent_jobs,
            },
        )
        return self._add(schedule, enabled=enabled, replace=replace)

    def list_schedules(self, name: str | None = None) -> ScheduleList:
        """Schedules with their next firings and the last outcome; with a name, one of them with its history.

        Raises:
            NotFoundError: there is none of this name.
        """
        rows = [self._row(name)] if name else list(self._parts.store.schedules.all())
        told = [self._result(row, history=name is not None) for row in rows]
        return ScheduleList(
            schedules=told,
            next="A schedule fires while a process of ours lives on this home: a chat client's server, "
            "`unity-mlops serve` or `unity-mlops scheduler`."
            if told
            else "add_schedule(name, cron, request) makes the first.",
        )

    def update_schedule(self, schedule_id: str, action: ScheduleAction, changes: str | None = None) -> ScheduleResult:
        """Pause a schedule, resume, change or remove it, or let it fire now.

        A moment in which it was paused is not missed. What already runs goes on.

        Args:
            schedule_id: its id or name.
            action: what to do.
            changes: for ``change``: YAML or JSON with arguments of `add_schedule`.

        Raises:
            NotFoundError: there is no such schedule.
            InvalidInputError: the changes cannot be used; nothing was changed.
        """
        row, table, now = self._row(schedule_id), self._parts.store.schedules, utc_now()
        if (action == "change") != (changes is not None):
            raise InvalidInputError(
                "changes go with the action change.",
                fix="Call update_schedule(schedule_id, action='change', changes='{cron: …}').",
            )
        if action == "remove":
            table.remove(row.schedule_id)
            return self._result(row, next=f"{row.name} is removed; what it started goes on, its runs stay.")
        if action == "run_now":
            self._parts.scheduler.fire_now(row, now)
            self._parts.scheduler.tend(now)
            return self._result(row, next=f"It fires now: list_schedules(name={row.name!r}) shows its jobs.")
        if action == "change":
            self._change(row, changes or "", now)
        else:
            resumed = {"seen_until": now} if action == "resume" and not row.enabled else {}
            table.change(row.schedule_id, now=now, enabled=action == "resume", **resumed)
        return self._result(self._row(row.schedule_id))

    def _add(self, schedule: Schedule, *, enabled: bool, replace: bool) -> ScheduleResult:
        now, rng = utc_now(), SystemRandom()
        row = ScheduleRow(
            schedule_id=new_id("schedule", now=now, rng=rng),
            name=schedule.name,
            data=schedule.model_dump(mode="json", exclude_unset=True),
            enabled=enabled,
            seen_until=now,
            created_at=now,
            changed_at=now,
        )
        if replace and self._parts.store.schedules.get(schedule.name) is not None:
            there = self._row(schedule.name)
            self._parts.store.schedules.change(there.schedule_id, now=now, data=row.data, enabled=enabled)
            return self._result(self._row(there.schedule_id))
        if not self._parts.store.schedules.add(row):
            raise ConflictError(
                f"There is a schedule {schedule.name!r} already.",
                fix=f"Call update_schedule({schedule.name!r}, action='change', changes=…), or take another name.",
                cause="schedule_exists",
            )
        return self._result(row)

    def _work(self, asked: Mapping[str, Any], shared: dict[str, Any]) -> list[Wanted]:
        """A pipeline for each asset; what a firing would refuse is refused now."""
        from unity_mlops_mcp.builds.library import load_build
        from unity_mlops_mcp.pipeline.records import Wanted
        from unity_mlops_mcp.scheduling.assets import read_assets

        if asked["build_id"] is not None:
            load_build(asked["build_id"], settings=self._parts.settings, store=self._parts.store)
        if asked["assets"] is not None:
            made = [self._of_asset(asset, shared) for asset in read_assets(asked["assets"])]
        else:
            given = {name: value for name, value in asked.items() if value is not None}
            made = [validated(Wanted, shared | given)]
        for wanted in made:
            self._pipelines.fail_early(wanted)
        return made

    def _of_asset(self, asset: UnityAssetSpec, shared: dict[str, Any]) -> Wanted:
        """A sentence stays one; an asset with sizes or a name is planned now, so that every firing trains the same."""
        from unity_mlops_mcp.pipeline.records import Wanted
        from unity_mlops_mcp.spec.library import save_spec

        filed = asset.asset_id or asset.name or None
        if asset.model_fields_set <= {"description"}:
            return validated(Wanted, {**shared, "request": asset.description, "asset": filed})
        plan = self._planning.plan(asset)
        saved = save_spec(self._parts.store.home, plan.spec, archetype=plan.archetype, training=plan.training)
        return validated(Wanted, {**shared, "spec_id": saved.spec_id, "asset": filed})

    def _change(self, row: ScheduleRow, text: str, now: datetime) -> None:
        from unity_mlops_mcp.scheduling.records import Schedule
        from unity_mlops_mcp.spec.yaml_text import read_mapping

        changes = dict(read_mapping(text, what="changes"))
        _require_known(changes)
        old = Schedule.model_validate(row.data)
        changed = validated(
            Schedule,
            {
                "name": _require_name(str(changes.get("name", old.name))),
                "rule": _changed_rule(old, changes),
                "work": [_changed_work(wanted, changes) for wanted in old.work],
                "max_concurrent_jobs": changes.get("max_concurrent_jobs", old.max_concurrent_jobs),
            },
        )
        there = self._parts.store.schedules.get(changed.name)
        if there is not None and there.schedule_id != row.schedule_id:
            raise ConflictError(f"There is a schedule {changed.name!r} already.", fix="Take another name.")
        data = changed.model_dump(mode="json", exclude_unset=True)
        self._parts.store.schedules.change(row.schedule_id, now=now, name=changed.name, data=data, seen_until=now)

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
        from unity_mlops_mcp.scheduling.moments import upcoming
        from unity_mlops_mcp.scheduling.records import Schedule

        schedule = Schedule.model_validate(row.data)
        rule, first = schedule.rule, schedule.work[0]
        zone = ZoneInfo(rule.timezone)
        firings = self._parts.store.schedules.firings_of(row.schedule_id, limit=HISTORY_TOLD)
        moments = upcoming(rule, utc_now(), count=FIRINGS_TOLD) if row.enabled else ()
        return ScheduleResult(
            schedule_id=row.schedule_id,
            name=schedule.name,
            cron=rule.cron,
            timezone=rule.timezone,
            enabled=row.enabled,
            overlap=rule.overlap,
            catch_up=rule.catch_up,
            work=[wanted.asset or wanted.subject for wanted in schedule.work],
            after=list(first.after),
            alias=first.alias if "promote" in first.after else None,
            warm_start=first.warm_start,
            max_concurrent_jobs=schedule.max_concurrent_jobs,
            next_firings=[moment.astimezone(zone).isoformat() for moment in moments],
            last=_firing(firings[0]) if firings else None,
            history=[_firing(firing) for firing in firings] if history else [],
            next=next or f"Call list_schedules(name={schedule.name!r}) to see what became of its firings.",
        )


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


def _require_name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not 0 < len(cleaned) <= 100:  # noqa: PLR2004 - it is shown in tables and messages
        raise InvalidInputError("The schedule's name is empty or longer than 100 characters.", fix="Give a short name.")
    return cleaned


def _afterwards(after: str, alias: str, *, warm_start: bool) -> dict[str, Any]:
    """What is done with a policy; what a promotion needs comes with it."""
    from unity_mlops_mcp.registry.naming import alias_name

    asked = [name for name in names(after) if name != "none"]
    unknown = [name for name in asked if name not in AFTER]
    if unknown:
        raise InvalidInputError(
            f"There is nothing called {', '.join(unknown)} to do after a training.",
            fix=f"Give some of {', '.join(AFTER)}, separated by commas, or none.",
        )
    if "promote" in asked:
        asked += ["evaluate", "register"]
    return {
        "after": tuple(name for name in AFTER if name in asked),
        "alias": alias_name(alias),
        "warm_start": warm_start,
    }


def _require_known(changes: Mapping[str, Any]) -> None:
    unknown = sorted(set(changes) - set(_CHANGES))
    if unknown:
        raise InvalidInputError(
            f"{', '.join(unknown)} cannot be changed.",
            fix=f"What can: {', '.join(_CHANGES)}. For another environment remove the schedule and add a new one.",
        )


def _changed_rule(old: Schedule, changes: Mapping[str, Any]) -> dict[str, Any]:
    from unity_mlops_mcp.scheduling.moments import read_rule

    fields = old.rule.model_dump() | {name: changes[name] for name in _OF_THE_RULE if name in changes}
    fields["cron"], fields["timezone"] = read_rule(str(fields["cron"]), str(fields["timezone"]))
    return fields


def _changed_work(wanted: Wanted, changes: Mapping[str, Any]) -> dict[str, Any]:
    import json

    fields = wanted.model_dump(exclude_unset=True)
    if "training" in changes:
        given = changes["training"]
        fields["training"] = read_training(given if isinstance(given, str) else json.dumps(given))
    if "max_steps" in changes:
        fields["max_steps"] = changes["max_steps"]
    given_after = changes.get("after", ",".join(wanted.after))
    after = given_after if isinstance(given_after, str) else ",".join(map(str, given_after))
    alias = str(changes.get("alias", wanted.alias))
    warm = bool(changes.get("warm_start", wanted.warm_start))
    return fields | _afterwards(after, alias, warm_start=warm)
