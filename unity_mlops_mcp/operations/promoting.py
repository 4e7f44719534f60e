"""The operations that decide which version serves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from unity_mlops_mcp.errors import ConflictError, InvalidInputError, NotFoundError
from unity_mlops_mcp.operations.elsewhere import Elsewhere
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.results.promotions import GateFound, Promotion, Rollback

if TYPE_CHECKING:
    from unity_mlops_mcp.registry.promoting.records import GateResult
    from unity_mlops_mcp.registry.records import ModelVersion
    from unity_mlops_mcp.store.rows import AliasRow

Action = Literal["promote", "freeze", "unfreeze"]
CORRECTION = (
    "Find the cause in the failed version's evaluation, register a version that passes the gates, then unfreeze."
)


class Promotions:
    """Aliases, gates, rollbacks."""

    def __init__(self, parts: Parts, elsewhere: Elsewhere) -> None:
        self._parts = parts
        self._elsewhere = elsewhere

    def promote_model(
        self,
        *,
        version: str | None = None,
        name: str | None = None,
        alias: str = "production",
        gates: str | None = None,
        action: Action = "promote",
        override_reason: str | None = None,
        confirm: bool = False,
    ) -> Promotion:
        """Let an alias point to a version when its gates pass; or freeze a model, or unfreeze it.

        Without ``confirm`` nothing changes: the gates are told. Evidence that a gate misses is made by a job, which
        then decides.

        Args:
            version: a version's id, ``name@alias``, or a name, whose newest version it is.
            name: the model to freeze or unfreeze.
            alias: which alias.
            gates: gates of the caller's own as YAML or JSON, in the place of the default ones.
            action: what to do.
            override_reason: promote although gates failed, and write down why; also the reason of a freeze.
            confirm: do it.

        Raises:
            NotFoundError: there is no such version or model.
            InvalidInputError: the gates or the alias cannot be used, or a reason is missing.
            ConflictError: the model is frozen, or the alias moved meanwhile; nothing was changed.
        """
        if action != "promote":
            return self._freeze(action, name or version, override_reason, confirm=confirm)
        from unity_mlops_mcp.registry.naming import alias_name
        from unity_mlops_mcp.registry.promoting.evidence import gather
        from unity_mlops_mcp.registry.promoting.gates import judge
        from unity_mlops_mcp.registry.promoting.moves import require_thawed
        from unity_mlops_mcp.registry.promoting.records import read_gates
        from unity_mlops_mcp.registry.references import resolve

        if version is None and name is None:
            raise InvalidInputError("Nothing is named to promote.", fix="Pass version: an id, name@alias, or a name.")
        store, found, where = self._parts.store, resolve(self._parts.store, str(version or name)), alias_name(alias)
        wanted = read_gates(gates)
        require_thawed(store, found.name)
        seen = store.models.alias(found.name, where)
        if seen is not None and seen.version_id == found.version_id:
            return _answer(found, where, seen, (), next="Nothing to do: the alias points to it already.", promoted=True)
        results = judge(wanted, gather(store, found, seen, wanted))
        open_gates = [result for result in results if result.outcome != "passed"]
        if not confirm:
            return _preview(found, where, seen, results)
        if not open_gates or override_reason is not None:
            return self._move(found, where, seen, results, override_reason)
        if all(result.outcome == "missing" for result in open_gates):
            return self._decide_later(found, where, seen, results, gates)
        return self._refuse(found, where, seen, results)

    def rollback_model(
        self,
        *,
        name: str,
        alias: str = "production",
        to: str | None = None,
        reason: str,
        corrective_action: str | None = None,
        confirm: bool = False,
    ) -> Rollback:
        """Let an alias point to the last good version again, freeze the model, and open an incident: one transaction.

        Args:
            name: the model.
            alias: which alias.
            to: another version than the last good one.
            reason: what went wrong; kept in the incident.
            corrective_action: what shall be done about it; kept in the incident.
            confirm: do it; without it, it is told what would be done.

        Raises:
            NotFoundError: there is no such model, alias or version, or there is nothing to go back to.
            InvalidInputError: there is no reason, or ``to`` is another model's.
            ConflictError: the alias moved meanwhile; nothing was changed.
        """
        from unity_mlops_mcp.registry.naming import alias_name
        from unity_mlops_mcp.registry.promoting.moves import require_reason, rollback

        where, why = alias_name(alias), require_reason(reason, "A rollback")
        seen, target = self._held(name, where), self._target(name, where, to)
        if target.version_id == seen.version_id:
            raise ConflictError(f"{where} points to {target.version_id} already.", fix="Pass another version as to.")
        if not confirm:
            return Rollback(
                name=seen.name,
                alias=where,
                version=target.version_id,
                previous_version=seen.version_id,
                preview=True,
                frozen=False,
                next="Call again with confirm=true to do it: promotion is frozen then, and an incident is opened.",
            )
        done = rollback(
            self._parts.store, seen.name, where, target, seen, reason=why, correction=corrective_action or CORRECTION
        )
        return Rollback(
            name=seen.name,
            alias=where,
            version=done.version_id,
            previous_version=done.previous,
            preview=False,
            frozen=True,
            incident_id=done.incident_id,
            notes=self._in_vertex(seen.name, where),
            next=f"Tell the user; once mended: promote_model(name={seen.name!r}, action='unfreeze', confirm=true).",
        )

    def _held(self, name: str, alias: str) -> AliasRow:
        from unity_mlops_mcp.registry.references import require_model

        known = require_model(self._parts.store, name)
        row = self._parts.store.models.alias(known, alias)
        if row is None:
            there = ", ".join(one.alias for one in self._parts.store.models.aliases(known)) or "none yet"
            raise NotFoundError(f"The model {known} has no alias {alias!r}.", fix=f"Its aliases: {there}.")
        return row

    def _target(self, name: str, alias: str, to: str | None) -> ModelVersion:
        from unity_mlops_mcp.registry.promoting.moves import last_good
        from unity_mlops_mcp.registry.references import require_model, resolve

        store = self._parts.store
        known = require_model(store, name)
        found = to or last_good(store, known, alias)
        if found is None:
            raise NotFoundError(
                f"No good version held {alias} of {known} before.", fix="Pass a version as to.", cause="nothing_before"
            )
        version = resolve(store, found)
        if version.name != known:
            raise InvalidInputError(f"{version.version_id} is no version of {known}.", fix="Pass one of its versions.")
        return version

    def _freeze(self, action: Action, name: str | None, reason: str | None, *, confirm: bool) -> Promotion:
        from unity_mlops_mcp.registry.promoting.moves import set_frozen
        from unity_mlops_mcp.registry.references import require_model

        if name is None:
            raise InvalidInputError("No model is named.", fix=f"Pass name to {action} it.")
        known = require_model(self._parts.store, name)
        if confirm:
            set_frozen(self._parts.store, known, (reason or "frozen by hand") if action == "freeze" else None)
        row = self._parts.store.models.get(known)
        done = f"{known} is {'frozen' if action == 'freeze' else 'open for promotion'}."
        return Promotion(
            name=known,
            promoted=False,
            preview=not confirm,
            frozen=row.frozen if row else None,
            next=done if confirm else f"Call again with confirm=true to {action} it.",
        )

    def _move(
        self,
        version: ModelVersion,
        alias: str,
        seen: AliasRow | None,
        results: Sequence[GateResult],
        override_reason: str | None,
    ) -> Promotion:
        from unity_mlops_mcp.registry.promoting.moves import promote, require_reason

        failed = [result.name for result in results if result.outcome != "passed"]
        if failed:
            override_reason = require_reason(override_reason, "An override")
        promote(self._parts.store, version, alias, seen, gates=results, override_reason=override_reason)
        notes = self._in_vertex(version.name, alias)
        if failed:
            notes.append(f"Overridden: {', '.join(failed)}. The reason is in the audit: {override_reason}")
        next_ = f"Call install_model(model='{version.name}@{alias}', project_path=…) to use it in a Unity project."
        made = _answer(version, alias, seen, results, next=next_, promoted=True)
        return made.model_copy(update={"overridden": failed, "notes": notes})

    def _refuse(
        self, version: ModelVersion, alias: str, seen: AliasRow | None, results: Sequence[GateResult]
    ) -> Promotion:
        from unity_mlops_mcp.registry.promoting.moves import note_refusal

        note_refusal(self._parts.store, version, alias, results)
        failed = [result for result in results if result.outcome != "passed"]
        told = " ".join(f"{result.name}: {result.fix}" for result in failed)
        return _answer(version, alias, seen, results, next=f"Refused by {len(failed)} gates. {told}", promoted=False)

    def _decide_later(
        self,
        version: ModelVersion,
        alias: str,
        seen: AliasRow | None,
        results: Sequence[GateResult],
        gates: str | None,
    ) -> Promotion:
        from unity_mlops_mcp.registry.promoting.request import KIND, PromotionRequest

        stands = (seen.version_id, seen.moves) if seen else None
        request = PromotionRequest(version_id=version.version_id, alias=alias, gates=gates, seen=stands)
        job = self._parts.jobs.submit(KIND, request.model_dump(mode="json"), subject=version.version_id)
        next_ = f"Call wait_for({job.id!r}) until done is true: it makes what is missing, then promotes or refuses."
        made = _answer(version, alias, seen, results, next=next_, promoted=False)
        return made.model_copy(update={"job_id": job.id, "state": job.state})

    def _in_vertex(self, name: str, alias: str) -> list[str]:
        """Move the alias in Vertex AI too where the version is there; what fails is told and can be repeated."""
        told = self._elsewhere.align_vertex(name, aliases=[alias])
        return [f"Vertex AI: {one.problem} {told.next}" for one in told.aliases if one.problem]


def _answer(
    version: ModelVersion,
    alias: str,
    seen: AliasRow | None,
    results: Sequence[GateResult],
    *,
    next: str,  # noqa: A002 - the field's name
    promoted: bool,
    preview: bool = False,
) -> Promotion:
    return Promotion(
        name=version.name,
        promoted=promoted,
        preview=preview,
        version=version.version_id,
        alias=alias,
        previous_version=seen.version_id if seen else None,
        gates=[gate_found(result.model_dump(mode="json")) for result in results],
        next=next,
    )


def gate_found(data: dict[str, Any]) -> GateFound:
    """A gate's result as every face shows it."""
    return GateFound(passed=data["outcome"] == "passed", **data)


def _preview(version: ModelVersion, alias: str, seen: AliasRow | None, results: Sequence[GateResult]) -> Promotion:
    outcomes = {result.outcome for result in results}
    if outcomes == {"passed"}:
        said = "All gates pass. Call again with confirm=true to promote it."
    elif "failed" in outcomes:
        said = "It would be refused: see fix of each gate; an override needs override_reason and confirm=true."
    else:
        said = "Evidence is missing. Call again with confirm=true: a job makes it, and then decides."
    return _answer(version, alias, seen, results, next=said, promoted=False, preview=True)
