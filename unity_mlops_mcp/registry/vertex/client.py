"""Versions in Vertex AI's own registry: found, uploaded, given aliases and labels."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from unity_mlops_mcp.errors import ExternalError, NotFoundError
from unity_mlops_mcp.process.files import write_atomically
from unity_mlops_mcp.registry.vertex.failures import passes, retrying, told
from unity_mlops_mcp.registry.vertex.records import (
    POLICY_LABEL,
    VertexTarget,
    VertexUpload,
    VertexVersion,
    model_id,
    policy_label,
    vertex_alias,
)
from unity_mlops_mcp.registry.vertex.storage import Shelf
from unity_mlops_mcp.store.ids import utc_now

if TYPE_CHECKING:
    from google.cloud.aiplatform_v1 import ModelServiceClient
    from google.cloud.aiplatform_v1.types import Model

ResultT = TypeVar("ResultT")
CALL_TIMEOUT_S = 60.0
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_FIRST_LOOK_S, _LONGEST_LOOK_S = 0.2, 10.0
_SENT = b"sent"
_SETTLING_S = 30.0
"""How long an upload that was sent by a process that died is looked for before it is sent again."""


class VertexRegistry:
    """The models of one project and region; close it after use.

    Args:
        target: which project, region and bucket.

    Raises:
        SetupError: there are no credentials.
    """

    def __init__(self, target: VertexTarget) -> None:
        self.target = target
        self._models = _service(target, _credentials(target))
        self._retry = retrying(target)

    def close(self) -> None:
        """Close its connections."""
        self._models.transport.close()  # type: ignore[no-untyped-call]

    def check(self, upload: VertexUpload) -> None:
        """See that the bucket and the models can be read, before anything is uploaded.

        Raises:
            SetupError: the credentials were refused.
            ExternalError: one of them may not be read, does not exist or cannot be reached.
        """
        self.versions(upload.model)
        shelf = self._shelf()
        try:
            shelf.there(upload)
        finally:
            shelf.close()

    def versions(self, model: str) -> tuple[Model, ...]:
        """All versions of a model, the oldest first; none when there is no such model."""
        return self._do(f"listing the versions of {model_id(model)}", lambda: self._listed(model))

    def find(self, model: str, policy_sha256: str) -> Model | None:
        """The version that holds a policy; the oldest where two uploads at once have made two."""
        return _with_policy(self.versions(model), policy_sha256)

    def upload(
        self,
        upload: VertexUpload,
        *,
        pending: Path,
        report: Callable[[str], None] = lambda _: None,
    ) -> VertexVersion:
        """Put a version there; the same policy again gives the version there is.

        Args:
            upload: the version.
            pending: a file that remembers, over a kill of this process, what was asked of the service.
            report: is told what is done now; what it raises ends the upload, and the next one goes on from there.

        Returns:
            The version as the service has it.

        Raises:
            SetupError: the credentials were refused.
            ExternalError: the service refused, failed, or is not ready in time.
        """
        report("looking for the policy in Vertex AI")
        known = self.find(upload.model, upload.policy_sha256)
        if known is None and pending.is_file():
            known = self._settled(upload, pending, report)
        if known is not None:
            pending.unlink(missing_ok=True)
            return self._record(upload, known, found=True)
        shelf = self._shelf()
        try:
            uri = shelf.put(upload, report=lambda file: report(f"copying {file} to gs://{self.target.bucket}"))
        finally:
            shelf.close()
        report("registering it in Vertex AI")
        operation = self._send(upload, uri, pending)
        if operation is not None:
            self._wait_for(operation, report)
        made = self.find(upload.model, upload.policy_sha256)
        if made is None:
            raise ExternalError(
                f"Vertex AI says that {upload.version_id} is uploaded and does not list it.",
                fix="Call again in a minute.",
                cause="vertex_unavailable",
            )
        pending.unlink(missing_ok=True)
        return self._record(upload, made, found=False)

    def move_aliases(self, version: VertexVersion, aliases: Sequence[str]) -> tuple[str, ...]:
        """Let aliases point to a version, away from whichever they point to; a promotion and a rollback alike.

        Args:
            version: where they shall point to.
            aliases: in our spelling; one called ``production`` takes Vertex AI's own ``default`` with it.

        Returns:
            The aliases that the version has then.
        """
        wanted = [vertex_alias(alias) for alias in aliases]
        wanted += ["default"] if "production" in wanted else []
        moved = self._do(
            f"moving {', '.join(wanted)} to version {version.vertex_version}",
            lambda: self._models.merge_version_aliases(
                name=version.name, version_aliases=wanted, retry=None, timeout=CALL_TIMEOUT_S
            ),
        )
        return tuple(sorted(moved.version_aliases))

    def drop_alias(self, version: VertexVersion, alias: str) -> tuple[str, ...]:
        """Take an alias off a version; gives the aliases that remain."""
        removal = [f"-{vertex_alias(alias)}"]
        left = self._do(
            f"taking {alias} off version {version.vertex_version}",
            lambda: self._models.merge_version_aliases(
                name=version.name, version_aliases=removal, retry=None, timeout=CALL_TIMEOUT_S
            ),
        )
        return tuple(sorted(left.version_aliases))

    def holder(self, model: str, alias: str) -> Model | None:
        """The version that an alias points to; None when there is none."""
        wanted = vertex_alias(alias)
        return next((v for v in self.versions(model) if wanted in v.version_aliases), None)

    def set_labels(self, version: VertexVersion, labels: Mapping[str, str]) -> dict[str, str]:
        """Add labels to a version, or change them; gives all that it has then."""
        from google.cloud.aiplatform_v1.types import Model
        from google.protobuf.field_mask_pb2 import FieldMask

        def change() -> Model:
            now = self._models.get_model(name=version.name, retry=None, timeout=CALL_TIMEOUT_S)
            changed = Model(name=version.name, labels={**now.labels, **labels}, etag=now.etag)
            return self._models.update_model(
                model=changed, update_mask=FieldMask(paths=["labels"]), retry=None, timeout=CALL_TIMEOUT_S
            )

        return dict(self._do(f"labelling version {version.vertex_version}", change).labels)

    def _send(self, upload: VertexUpload, uri: str, pending: Path) -> str | None:
        """Ask for the version; the operation's name, None when an earlier try has made it after all.

        A try that fails halfway may have done its work, so that every new try looks first.
        """

        def send() -> str | None:
            listed = self._listed(upload.model)
            if _with_policy(listed, upload.policy_sha256) is not None:
                return None
            write_atomically(pending, _SENT)
            try:
                asked = self._models.upload_model(
                    request=self._request(upload, uri, first=not listed), retry=None, timeout=CALL_TIMEOUT_S
                )
            except Exception as error:
                if not passes(error):  # refused for good: there is nothing to look for later
                    pending.unlink()
                raise
            return str(asked.operation.name)

        name = self._do(f"registering {upload.version_id}", send)
        if name is not None:
            write_atomically(pending, name.encode())
        return name

    def _listed(self, model: str) -> tuple[Model, ...]:
        from google.api_core.exceptions import NotFound

        name = self.target.resource(model)
        try:
            found = list(self._models.list_model_versions(name=name, retry=None, timeout=CALL_TIMEOUT_S))
        except NotFound:
            return ()
        return tuple(sorted(found, key=lambda version: int(version.version_id)))

    def _request(self, upload: VertexUpload, uri: str, *, first: bool) -> dict[str, Any]:
        """A further version of the model where it exists, else its first."""
        parent = self.target.resource(upload.model)
        model = {
            "display_name": upload.title[:128],
            "version_description": upload.description[:1000],
            "artifact_uri": uri.rstrip("/"),
            "container_spec": {"image_uri": self.target.image},
            "labels": upload.labels,
        }
        where = {"model_id": model_id(upload.model)} if first else {"parent_model": parent}
        return {"parent": self.target.parent, "model": model, **where}

    def _settled(self, upload: VertexUpload, pending: Path, report: Callable[[str], None]) -> Model | None:
        """What became of an upload that a process sent before it died."""
        name = pending.read_bytes()
        if name != _SENT:
            try:
                self._wait_for(name.decode(), report)
            except ExternalError as error:
                if error.cause not in {"vertex_upload_failed", "vertex_not_found"}:
                    raise
                return None  # it came to nothing: it is sent again
            return self.find(upload.model, upload.policy_sha256)
        end = time.monotonic() + min(_SETTLING_S, self.target.timeout_s)
        while time.monotonic() < end:
            report("looking for the upload that was cut off")
            found = self.find(upload.model, upload.policy_sha256)
            if found is not None:
                return found
            time.sleep(_FIRST_LOOK_S * 5)
        return None

    def _wait_for(self, operation: str, report: Callable[[str], None]) -> None:
        """Wait until the service has done what was asked.

        Raises:
            ExternalError: it failed, or it is not done within the target's timeout.
        """
        end, pause = time.monotonic() + self.target.timeout_s, _FIRST_LOOK_S
        while True:
            now = self._do("waiting for the registration", lambda: self._operation(operation))
            if now.done and now.HasField("error"):
                raise ExternalError(
                    f"Vertex AI could not register the model: {now.error.message} (code {now.error.code}).",
                    fix="Read what it says; the serving image is set by UNITY_MLOPS_VERTEX_IMAGE. Then call again.",
                    cause="vertex_upload_failed",
                )
            if now.done:
                return
            if time.monotonic() >= end:
                raise ExternalError(
                    f"Vertex AI has not ended the registration within {self.target.timeout_s:g} s ({operation}).",
                    fix="Call again later: the registration goes on there, and is found.",
                    cause="vertex_slow",
                )
            report("waiting until Vertex AI has registered it")
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_LOOK_S)

    def _operation(self, name: str) -> Any:
        from google.longrunning.operations_pb2 import GetOperationRequest

        if self.target.endpoint and "://" in self.target.endpoint:
            return self._models.transport.operations_client.get_operation(name, retry=None, timeout=CALL_TIMEOUT_S)
        return self._models.get_operation(GetOperationRequest(name=name), retry=None, timeout=CALL_TIMEOUT_S)

    def _record(self, upload: VertexUpload, model: Model, *, found: bool) -> VertexVersion:
        target = self.target
        return VertexVersion(
            version_id=upload.version_id,
            resource_name=target.resource(upload.model),
            vertex_version=model.version_id,
            project=target.project,
            region=target.region,
            bucket=target.bucket,
            artifact_uri=model.artifact_uri,
            policy_sha256=upload.policy_sha256,
            labels=dict(model.labels),
            aliases=tuple(sorted(model.version_aliases)),
            registered_at=utc_now(),
            found=found,
        )

    def _do(self, doing: str, call: Callable[[], ResultT]) -> ResultT:
        """Do one thing, with new tries where a failure passes, and tell what remains of it in our words."""
        with told(self.target, doing):
            return self._retry(call)()

    def _shelf(self) -> Shelf:
        return Shelf(self.target)


def read_registration(file: Path) -> VertexVersion:
    """A registration as it was kept.

    Raises:
        NotFoundError: there is none, or it cannot be read.
    """
    from pydantic import ValidationError

    try:
        return VertexVersion.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise NotFoundError(
            f"{file.parent.name} is not registered in Vertex AI ({file} cannot be read).",
            fix="Call register_model with registry='vertex' for it.",
            cause="not_in_vertex",
        ) from error


def _with_policy(versions: Sequence[Model], policy_sha256: str) -> Model | None:
    wanted = policy_label(policy_sha256)
    return next((version for version in versions if version.labels.get(POLICY_LABEL) == wanted), None)


def _credentials(target: VertexTarget) -> Any:
    """The credentials of this machine, by Google's own rules.

    Raises:
        SetupError: there are none.
    """
    import google.auth

    with told(target, "looking for credentials"):
        try:
            return google.auth.default(scopes=list(_SCOPES))[0]
        except (OSError, ValueError) as error:
            from google.auth.exceptions import DefaultCredentialsError

            raise DefaultCredentialsError(type(error).__name__) from None  # type: ignore[no-untyped-call]


def _service(target: VertexTarget, credentials: Any) -> ModelServiceClient:
    from google.api_core.client_options import ClientOptions
    from google.cloud.aiplatform_v1 import ModelServiceClient

    endpoint = target.endpoint or f"{target.region}-aiplatform.googleapis.com"
    transport = "rest" if "://" in endpoint else "grpc"
    with told(target, "opening Vertex AI"):
        return ModelServiceClient(
            credentials=credentials, transport=transport, client_options=ClientOptions(api_endpoint=endpoint)
        )
