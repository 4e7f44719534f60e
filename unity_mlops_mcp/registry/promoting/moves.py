"""Moves of aliases: promotion, rollback, freezing; each is one transaction with its audit row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import SystemRandom
from typing import Any, NamedTuple

from unity_mlops_mcp.errors import ConflictError, InvalidInputError
from unity_mlops_mcp.registry.promoting.evidence import differences, gather
from unity_mlops_mcp.registry.promoting.records import Evidence, GateResult
from unity_mlops_mcp.registry.records import ModelVersion
from unity_mlops_mcp.registry.references import version_of
from unity_mlops_mcp.store.ids import new_id, utc_now
from unity_mlops_mcp.store.rows import AliasRow, AuditRow, IncidentRow
from unity_mlops_mcp.store.store import Store

PROMOTE, ROLLBACK, REFUSED, OVERRIDE = "promote", "rollback", "refused", "override"
FREEZE, UNFREEZE = "freeze", "unfreeze"
_HISTORY = 1000


class RolledBack(NamedTuple):
    """What a rollback did."""

    version_id: str
    previous: str
    incident_id: str


def require_thawed(store: Store, name: str) -> None:
    """Do nothing where the model may be promoted.

    Raises:
        ConflictError: it is frozen; with the reason.
    """
    row = store.models.get(name)
    if row is not None and row.frozen is not None:
        raise ConflictError(
            f"The model {name} is frozen: {row.frozen}",
            fix=f"When that is mended, call promote_model(name={name!r}, action='unfreeze', confirm=true).",
            cause="frozen",
        )


def promote(
    store: Store,
    version: ModelVersion,
    alias: str,
    seen: AliasRow | None,
    *,
    gates: Sequence[GateResult],
    override_reason: str | None,
) -> None:
    """Let an alias point to a version, unless it moved since ``seen``.

    Raises:
        ConflictError: another promotion was faster, or the model is frozen by now; nothing was changed.
    """
    failed = [gate.name for gate in gates if gate.outcome != "passed"]
    held = store.models.version(seen.version_id) if seen else None
    changed = differences(version_of(held) if held else None, version)
    note = AuditRow(
        version.name,
        OVERRIDE if failed else PROMOTE,
        utc_now(),
        alias=alias,
        version_id=version.version_id,
        previous_version=seen.version_id if seen else None,
        reason=override_reason if failed else version.description,
        data={
            "gates": [gate.model_dump(mode="json") for gate in gates],
            "overridden": failed,
            "differences": changed,
        },
    )
    to = AliasRow(version.name, alias, version.version_id, 0, note.at)
    if not store.models.move_alias(to, expected=seen, note=note):
        require_thawed(store, version.name)
        raise _moved(store, version.name, alias)


def note_refusal(store: Store, version: ModelVersion, alias: str, gates: Sequence[GateResult]) -> None:
    """Write a refused promotion down."""
    data = {"gates": [gate.model_dump(mode="json") for gate in gates]}
    failed = ", ".join(gate.name for gate in gates if gate.outcome != "passed")
    store.models.write_down(
        AuditRow(version.name, REFUSED, utc_now(), alias=alias, version_id=version.version_id, reason=failed, data=data)
    )


def last_good(store: Store, name: str, alias: str) -> str | None:
    """Who held the alias before the present holder, and was never taken back."""
    here = store.models.alias(name, alias)
    bad = {row.failed_version for row in store.models.incidents(name)}
    held = _holders(store, name, alias)
    return next((one for one in held if one not in bad and here is not None and one != here.version_id), None)


def _holders(store: Store, name: str, alias: str) -> Iterator[str]:
    """All that the alias pointed to, newest first."""
    for row in store.models.audit(name, limit=_HISTORY):
        if row.alias == alias and row.action in (PROMOTE, ROLLBACK, OVERRIDE) and row.version_id:
            yield row.version_id


def rollback(
    store: Store, name: str, alias: str, target: ModelVersion, seen: AliasRow, *, reason: str, correction: str
) -> RolledBack:
    """Let an alias point to an earlier version, freeze the model and open an incident, all in one transaction.

    Raises:
        ConflictError: the alias moved meanwhile; nothing was changed.
    """
    failed = store.models.version(seen.version_id)
    incident = IncidentRow(
        new_id("incident", now=utc_now(), rng=SystemRandom()),
        name,
        alias,
        failed_version=seen.version_id,
        restored_version=target.version_id,
        reason=reason,
        opened_at=utc_now(),
        data={"metrics": _figures(store, version_of(failed)) if failed else {}, "corrective_action": correction},
    )
    note = AuditRow(
        name,
        ROLLBACK,
        incident.opened_at,
        alias=alias,
        version_id=target.version_id,
        previous_version=seen.version_id,
        reason=reason,
        data={"incident_id": incident.incident_id},
    )
    moved = store.models.move_alias(
        AliasRow(name, alias, target.version_id, 0, note.at),
        expected=seen,
        note=note,
        freeze=f"rolled back from {seen.version_id}: {reason} ({incident.incident_id})",
        incident=incident,
        though_frozen=True,
    )
    if not moved:
        raise _moved(store, name, alias)
    return RolledBack(target.version_id, seen.version_id, incident.incident_id)


def set_frozen(store: Store, name: str, reason: str | None) -> None:
    """Freeze a model for a reason; None lets it be promoted again and closes its incidents."""
    note = AuditRow(name, FREEZE if reason else UNFREEZE, utc_now(), reason=reason)
    store.models.set_frozen(name, reason, note=note, closes=None if reason else note.at)


def require_reason(reason: str | None, what: str) -> str:
    """The reason.

    Raises:
        InvalidInputError: there is none.
    """
    if reason is None or not reason.strip():
        raise InvalidInputError(f"{what} needs a reason: it is written down.", fix="Say why, in a sentence.")
    return reason.strip()


def _figures(store: Store, version: ModelVersion) -> dict[str, Any]:
    evidence: Evidence = gather(store, version, None, ())
    found = evidence.evaluation
    if found is None:
        return {"training": version.metrics}
    return {
        "evaluation_id": found.evaluation_id,
        "success": found.success.model_dump(mode="json") if found.success else None,
        "return": found.returns.model_dump(mode="json"),
        "endings": {name: share.mean for name, share in found.endings.items()},
    }


def _moved(store: Store, name: str, alias: str) -> ConflictError:
    here = store.models.alias(name, alias)
    return ConflictError(
        f"The alias {alias} of {name} moved meanwhile: it points to {here.version_id if here else 'nothing'} now.",
        fix="Look at list_models, and decide again; nothing was changed.",
        cause="moved_meanwhile",
    )
