"""The operations that keep policies as versions of models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from unity_mlops_mcp.errors import NotFoundError
from unity_mlops_mcp.inputs import exactly_one, version_cursor
from unity_mlops_mcp.operations.elsewhere import Elsewhere
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.operations.policies import Chosen, Policies
from unity_mlops_mcp.results.promotions import AuditLine, IncidentLine
from unity_mlops_mcp.results.registry import ModelLine, ModelList, PolicyCheck, RegisteredModel, VersionLine
from unity_mlops_mcp.views.evaluations import figure
from unity_mlops_mcp.views.status import iso

if TYPE_CHECKING:
    from unity_mlops_mcp.registry.records import Facts, ModelVersion, PolicyFile
    from unity_mlops_mcp.store.rows import ModelRow

VERSIONS_SHOWN, VERSIONS_ON_A_PAGE, AUDIT_SHOWN, INCIDENTS_SHOWN = 3, 20, 20, 5
DESCRIPTION_SHOWN = 200


class Registry:
    """Models and their versions."""

    def __init__(self, parts: Parts, policies: Policies, elsewhere: Elsewhere) -> None:
        self._parts = parts
        self._policies = policies
        self._elsewhere = elsewhere

    def register_model(
        self,
        *,
        name: str | None = None,
        run_id: str | None = None,
        onnx_path: str | None = None,
        description: str | None = None,
        registry: Literal["local", "vertex"] = "local",
        vertex_project: str | None = None,
        vertex_region: str | None = None,
    ) -> RegisteredModel:
        """Keep a run's policies, or an ONNX file, as the next version of a model.

        Args:
            name: of the model; left out: the behaviour's name.
            run_id: a run whose final policies are meant.
            onnx_path: a file, instead.
            description: what changed, for whoever promotes it.
            registry: ``vertex`` uploads it to Vertex AI too, by a job.
            vertex_project: the Google Cloud project; left out: of the settings.
            vertex_region: its region; left out: of the settings.

        Raises:
            InvalidInputError: Unity could not load the policy, or the name is none; nothing was registered.
            NotFoundError: there is no such run or file, or the run has no policy yet.
            SetupError: Vertex AI's extra, project, bucket or credentials are missing; nothing was registered.
        """
        from unity_mlops_mcp.registry.versions import register

        exactly_one({"run_id": run_id, "onnx_path": onnx_path})
        chosen = self._policies.chosen(run_id=run_id, onnx_path=onnx_path)
        facts = self._facts(chosen, name or chosen.sources[0].behavior, description)
        if registry == "vertex":
            self._elsewhere.require_vertex(vertex_project=vertex_project, vertex_region=vertex_region)
        version, new = register(self._parts.store, {one.behavior: one.path for one in chosen.sources}, facts)
        made = self._registered(version, new=new, description=description)
        if registry == "local":
            return made
        upload = self._elsewhere.upload_to_vertex(
            version.version_id, vertex_project=vertex_project, vertex_region=vertex_region
        )
        uploading = {"job_id": upload.job_id, "vertex_resource_name": upload.vertex_resource_name, "next": upload.next}
        return made.model_copy(update=uploading)

    def _registered(self, version: ModelVersion, *, new: bool, description: str | None) -> RegisteredModel:
        from unity_mlops_mcp.registry.references import folder_of
        from unity_mlops_mcp.registry.versions import files_of

        home = self._parts.store.home
        return RegisteredModel(
            version=version.version_id,
            name=version.name,
            number=version.number,
            new=new,
            sha256=version.policy_sha256,
            git_sha=version.git_sha,
            git_sha_of=version.git_sha_of,
            checks=[check for policy in version.policies for check in _checks(policy)],
            evaluation_id=version.evaluation_id,
            folder=str(folder_of(home, version)),
            files=list(files_of(home, version)),
            notes=_notes(version, new=new, description=description),
            next=f"Call promote_model(version={version.version_id!r}) to let it serve."
            if version.evaluation_id
            else f"Call evaluate_model(model={version.version_id!r}): promotion asks for an evaluation.",
        )

    def list_models(
        self, *, name: str | None = None, alias: str | None = None, limit: int = 10, cursor: str | None = None
    ) -> ModelList:
        """Models with their versions, newest first.

        Args:
            name: only this model, with 20 of its versions on a page, and what was done to it.
            alias: only models with this alias, and of them the version that it points to.
            limit: models on one page.
            cursor: ``next_cursor`` of the page before.

        Raises:
            NotFoundError: there is no such model.
            InvalidInputError: the cursor is none of ours.
        """
        if name is not None:
            lines = [self._named(name, alias, before=version_cursor(cursor))]
            left = lines[0].versions_left_out
            next_cursor = str(lines[0].versions[-1].number) if left else None
        else:
            page = self._parts.store.models.page(limit=limit, cursor=cursor)
            lines = [self._line(row, alias, most=VERSIONS_SHOWN) for row in page.rows]
            next_cursor = page.next_cursor
        return ModelList(
            models=[line for line in lines if alias is None or line.versions],
            next_cursor=next_cursor,
            next="Call promote_model(version=…, alias=…) to let one serve, or install_model(model=…) for a project.",
        )

    def model_card(self, reference: str) -> str:
        """The card of a version, as Markdown.

        Raises:
            NotFoundError: there is no such version, or its files are gone.
        """
        from unity_mlops_mcp.registry.references import folder_of, resolve
        from unity_mlops_mcp.registry.versions import CARD_FILE

        version = resolve(self._parts.store, reference)
        card = folder_of(self._parts.store.home, version) / CARD_FILE
        if not card.is_file():
            raise NotFoundError(f"The files of {version.version_id} are gone from {card.parent}.", fix="Restore them.")
        return card.read_text("utf-8")

    def _named(self, name: str, alias: str | None, *, before: int | None) -> ModelLine:
        from unity_mlops_mcp.registry.references import require_model

        row = self._parts.store.models.get(require_model(self._parts.store, name))
        assert row is not None  # noqa: S101 - models are never removed
        line = self._line(row, alias, most=VERSIONS_ON_A_PAGE, before=before)
        if before is not None:
            return line
        return line.model_copy(update={"audit": self._audit(row.name), "incidents": self._incidents(row.name)})

    def _line(self, row: ModelRow, alias: str | None, *, most: int, before: int | None = None) -> ModelLine:
        from unity_mlops_mcp.registry.references import version_of

        models = self._parts.store.models
        at = {one.alias: one.version_id for one in models.aliases(row.name)}
        versions = [one for one in models.versions(row.name) if before is None or one.number < before]
        if alias is not None:
            versions = [one for one in versions if one.version_id == at.get(alias.lower())]
        shown = versions[:most]
        return ModelLine(
            name=row.name,
            title=row.title,
            frozen=row.frozen,
            aliases=at,
            versions=[self._version_line(version_of(one), at) for one in shown],
            versions_left_out=len(versions) - len(shown),
        )

    def _audit(self, name: str) -> list[AuditLine]:
        return [
            AuditLine(
                at=iso(row.at) or "",
                action=row.action,
                alias=row.alias,
                version=row.version_id,
                previous_version=row.previous_version,
                reason=shortened(row.reason),
            )
            for row in self._parts.store.models.audit(name, limit=AUDIT_SHOWN)
        ]

    def _incidents(self, name: str) -> list[IncidentLine]:
        return [
            IncidentLine(
                incident_id=row.incident_id,
                alias=row.alias,
                failed_version=row.failed_version,
                restored_version=row.restored_version,
                reason=shortened(row.reason) or "",
                corrective_action=str(row.data.get("corrective_action") or ""),
                opened_at=iso(row.opened_at) or "",
                closed_at=iso(row.closed_at),
            )
            for row in self._parts.store.models.incidents(name)[:INCIDENTS_SHOWN]
        ]

    def _version_line(self, version: ModelVersion, at: Mapping[str, str]) -> VersionLine:
        from unity_mlops_mcp.evaluation.library import newest_evaluation

        found = newest_evaluation(self._parts.store, policy_sha256=version.policies[0].sha256)
        return VersionLine(
            version=version.version_id,
            number=version.number,
            aliases=sorted(alias for alias, held in at.items() if held == version.version_id),
            run_id=version.run_id,
            success=figure(found.success) if found and found.success else None,
            returns=figure(found.returns) if found else None,
            training_reward=version.metrics.get("last_reward"),
            description=shortened(version.description),
            created_at=iso(version.created_at) or "",
        )

    def _facts(self, chosen: Chosen, title: str, description: str | None) -> Facts:
        from unity_mlops_mcp.registry.facts import facts_of_run
        from unity_mlops_mcp.registry.records import Facts

        if chosen.run_id is None:
            return Facts(title=title, description=description)
        return Facts(
            title=title, description=description, **facts_of_run(self._parts.store, self._parts.runs, chosen.run_id)
        )


def shortened(text: str | None) -> str | None:
    """A description that fits in a list."""
    if text is None or len(text) <= DESCRIPTION_SHOWN:
        return text
    return text[: DESCRIPTION_SHOWN - 1] + "…"


def _checks(policy: PolicyFile) -> list[PolicyCheck]:
    shapes = " and ".join(str(list(shape)) for shape in policy.observations)
    actions = f"{policy.continuous} continuous actions, branches {list(policy.branches) or 'none'}"
    return [
        PolicyCheck(name=f"{policy.file} opens and runs", found=f"{policy.size:,} bytes, sha256 {policy.sha256}"),
        PolicyCheck(name="inputs and outputs", found=f"observations {shapes}; {actions}"),
        PolicyCheck(name="version_number", found=str(policy.version_number)),
        PolicyCheck(name="opset", found=str(policy.opset)),
    ]


def _notes(version: ModelVersion, *, new: bool, description: str | None) -> list[str]:
    notes = [note for policy in version.policies for note in policy.notes]
    if not new:
        again = f"The same policy was registered before as {version.version_id}: versions never change."
        kept = " Its description stays as it was." if description and description != version.description else ""
        notes.append(again + kept)
    if version.git_sha_of == "policy":
        notes.append("No git revision was known: git_sha is the beginning of the policy's SHA-256.")
    if version.git_dirty:
        notes.append("Files differed from that revision when the training started.")
    if version.evaluation_id is None:
        notes.append("No evaluation of this policy is attached.")
    return notes
