"""What the tables hold, as frozen rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

RowT = TypeVar("RowT")
OtherT = TypeVar("OtherT")
Json = dict[str, Any]

HELD_STATES = ("running", "stopping")  # a supervisor has the job
ACTIVE_STATES = ("starting", *HELD_STATES, "interrupted")  # the job takes a place of those that may run at once
OPEN_STATES = ("queued", *ACTIVE_STATES)
FINAL_STATES = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True)
class JobRow:
    """One job: all that is known of it, pids included, which only `jobs` looks at.

    Attributes:
        id: names it; sorts by time.
        kind: what sort of work; a key of the table of kinds.
        subject: what it is about, such as a run id.
        state: see `unity_mlops_mcp.jobs.records.JobState`.
        request: the arguments, as given.
        limited: whether it counts towards the limit of concurrent jobs.
        token: a random value; with the attempt it marks the job's processes.
        after: the job that has to succeed first.
        idempotency_key: the caller's key, unique within the kind.
        attempt: 1 for the first; writes of an older attempt are refused.
        starts: supervisors started for this attempt that never took it up.
        created_at: when it was submitted; UTC, as all times here.
        changed_at: when the state last changed.
        started_at: when its first attempt began.
        finished_at: when it reached a final state.
        heartbeat_at: when its supervisor last reported.
        supervisor: identity of the process that runs it.
        children: identities of what the present attempt started.
        progress: what its handler reports.
        result: what its handler gave.
        failure: cause, message, evidence and fix.
        stop_requested: whether somebody asked it to stop.
    """

    id: str
    kind: str
    subject: str
    state: str
    request: Json
    limited: bool
    token: str
    created_at: datetime
    changed_at: datetime
    after: str | None = None
    idempotency_key: str | None = None
    attempt: int = 1
    starts: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    heartbeat_at: datetime | None = None
    supervisor: Json | None = None
    children: list[Json] = field(default_factory=list)
    progress: Json = field(default_factory=dict)
    result: Json | None = None
    failure: Json | None = None
    stop_requested: bool = False

    @property
    def attempt_token(self) -> str:
        """Marks the processes of the present attempt."""
        return f"{self.token}.{self.attempt}"


@dataclass(frozen=True)
class EventRow:
    """One thing that happened to a job; `seq` grows in the order of commits."""

    seq: int
    job_id: str
    attempt: int
    name: str
    state: str
    data: Json
    at: datetime


@dataclass(frozen=True)
class RunRow:
    """One training under one run id; its state is that of its latest job, and `configuration` that job's request."""

    run_id: str
    behavior_name: str
    archetype: str | None
    max_steps: int
    configuration: Json
    created_at: datetime
    asset: str | None = None
    build_id: str | None = None
    spec_id: str | None = None
    job_id: str | None = None
    idempotency_key: str | None = None
    job: JobRow | None = None

    @property
    def trainer_configuration(self) -> Json:
        """The trainer YAML as data, which the request holds among others."""
        found: Json = self.configuration.get("configuration") or {}
        return found


@dataclass(frozen=True)
class BuildRow:
    """One build: a player as data; `digest` is the hash of all that went in."""

    build_id: str
    target: str
    digest: str
    data: Json
    created_at: datetime
    spec_id: str | None = None
    archetype: str | None = None
    job_id: str | None = None


@dataclass(frozen=True)
class EvaluationRow:
    """One evaluation; its figures lie in its job's folder. `policy_sha256`: of the first behaviour's ONNX file."""

    evaluation_id: str
    policy_sha256: str
    episodes: int
    seed: int
    created_at: datetime
    run_id: str | None = None
    build_id: str | None = None


@dataclass(frozen=True)
class ModelRow:
    """One model.

    Attributes:
        name: lower case; unique.
        title: as it was first written.
        created_at: when its first version was registered.
        frozen: why no alias may be promoted; None when it may.
    """

    name: str
    title: str
    created_at: datetime
    frozen: str | None = None


@dataclass(frozen=True)
class VersionRow:
    """One version of a model, which never changes; `number` counts from 1 within the model."""

    version_id: str
    name: str
    number: int
    policy_sha256: str
    data: Json
    created_at: datetime
    run_id: str | None = None


@dataclass(frozen=True)
class AliasRow:
    """Where a movable name stands; `moves` counts how often it moved, and guards the next move."""

    name: str
    alias: str
    version_id: str
    moves: int
    changed_at: datetime


@dataclass(frozen=True)
class AuditRow:
    """One thing that was done to a model; `seq`, which the table gives, grows in the order of commits."""

    name: str
    action: str
    at: datetime
    alias: str | None = None
    version_id: str | None = None
    previous_version: str | None = None
    reason: str | None = None
    data: Json = field(default_factory=dict)
    seq: int | None = None


@dataclass(frozen=True)
class IncidentRow:
    """A version that had to be taken back; `data` holds its figures and the corrective action."""

    incident_id: str
    name: str
    alias: str
    failed_version: str
    restored_version: str
    reason: str
    opened_at: datetime
    data: Json = field(default_factory=dict)
    closed_at: datetime | None = None


@dataclass(frozen=True)
class ScheduleRow:
    """One schedule; `data` holds its rule and its work, `seen_until` the moment up to which it was looked at."""

    schedule_id: str
    name: str
    data: Json
    seen_until: datetime
    created_at: datetime
    changed_at: datetime
    enabled: bool = True


@dataclass(frozen=True)
class FiringRow:
    """One due moment of a schedule, of which there is one at most.

    Attributes:
        firing_id: names it.
        schedule_id: whose it is.
        due_at: the moment by the rule; for one that a person asked for, when that was.
        state: due, waiting, running, succeeded, failed, skipped, missed or cancelled.
        changed_at: when the state last changed.
        reason: why it was skipped, missed or failed.
        jobs: the ids of the jobs it started, in the order of the schedule's work.
        finished_at: when it came to its end.
    """

    firing_id: str
    schedule_id: str
    due_at: datetime
    state: str
    changed_at: datetime
    reason: str | None = None
    jobs: list[str] = field(default_factory=list)
    finished_at: datetime | None = None


@dataclass(frozen=True)
class EndpointRow:
    """Somebody who is told of events.

    Attributes:
        endpoint_id: names it.
        kind: webhook or email.
        target: the URL or the address; unique.
        data: which events, in which shape, and what is allowed.
        after_seq: the event up to which deliveries were made for it.
        created_at: when it was added.
        secret: signs its webhooks; never shown after it was added.
        disabled: why it gets nothing any more; None when it does.
    """

    endpoint_id: str
    kind: str
    target: str
    data: Json
    after_seq: int
    created_at: datetime
    secret: str | None = field(default=None, repr=False)
    disabled: str | None = None


@dataclass(frozen=True)
class DeliveryRow:
    """One event on its way to one endpoint.

    Attributes:
        delivery_id: names it; the same over all attempts.
        endpoint_id: who is to get it.
        seq: the event's number.
        event: its type, such as ``job.failed``.
        body: what is told.
        state: pending, delivered or dead.
        next_at: when the next attempt is due.
        created_at: when it was made of the event.
        attempts: how often it was tried.
        problem: what went wrong the last time.
        finished_at: when it was delivered or given up.
    """

    delivery_id: str
    endpoint_id: str
    seq: int
    event: str
    body: Json
    state: str
    next_at: datetime
    created_at: datetime
    attempts: int = 0
    problem: str | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True)
class TokenRow:
    """One access token, of which only the hash is kept; `scope` is read, run or admin."""

    token_id: str
    name: str
    sha256: str
    scope: str
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True)
class Page(Generic[RowT]):
    """Some rows, newest first, and where to go on; `next_cursor` is None on the last page."""

    rows: tuple[RowT, ...]
    next_cursor: str | None

    def map(self, change: Callable[[RowT], OtherT]) -> Page[OtherT]:
        """The same page with every row changed."""
        return Page(tuple(map(change, self.rows)), self.next_cursor)
