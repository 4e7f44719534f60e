"""What is said to Vertex AI, and what it answers."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

FILE = "vertex_registration.json"
POLICY_LABEL, VERSION_LABEL, NUMBER_LABEL = "unity-mlops-policy", "unity-mlops-version", "unity-mlops-number"
_LABEL_LENGTH = 63
_ALIAS = re.compile(r"[a-z][a-zA-Z0-9-]{0,126}[a-z0-9]")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class VertexTarget(_Record):
    """Where versions go, all of it known.

    Attributes:
        project: id of the Google Cloud project.
        region: such as ``us-central1``.
        bucket: name of the Cloud Storage bucket that the files are copied to, in that project.
        image: the serving container's image, in Artifact Registry.
        endpoint: where the service answers; None: the region's own, by gRPC. With ``http://`` or ``https://`` before
            it, REST is spoken.
        timeout_s: seconds for one step with all its new tries.
    """

    project: str
    region: str
    bucket: str
    image: str
    endpoint: str | None = None
    timeout_s: float = 600.0

    @property
    def parent(self) -> str:
        """The place that models lie in, as Vertex AI names it."""
        return f"projects/{self.project}/locations/{self.region}"

    def resource(self, model: str) -> str:
        """The full name of a model, without a version."""
        return f"{self.parent}/models/{model_id(model)}"


class VertexUpload(_Record):
    """One version of a model as it lies on this disk.

    Attributes:
        model: the model's lower-case name.
        title: its name as it was first written.
        version_id: the version's id.
        number: the version's number within the model.
        policy_sha256: of the policy's ONNX file; what makes a repeated upload find the first one.
        folder: all files in it are uploaded, the registration itself left out.
        description: for people.
    """

    model: str
    title: str
    version_id: str
    number: int
    policy_sha256: str
    folder: Path
    description: str = ""

    @property
    def prefix(self) -> str:
        """Where its files lie in the bucket, with a slash at the end."""
        return f"unity-mlops/models/{self.model}/{self.version_id}/"

    @property
    def files(self) -> tuple[Path, ...]:
        """What is uploaded, by name."""
        kept = (path for path in self.folder.rglob("*") if path.is_file() and not path.name.startswith(FILE))
        return tuple(sorted(path for path in kept if not path.name.endswith(".tmp")))

    @property
    def labels(self) -> dict[str, str]:
        """What the version is found by again."""
        return {
            POLICY_LABEL: policy_label(self.policy_sha256),
            VERSION_LABEL: label(self.version_id),
            NUMBER_LABEL: str(self.number),
        }


class VertexVersion(_Record):
    """A version that is in Vertex AI, as kept in ``vertex_registration.json`` beside the model."""

    version_id: str = Field(description="Our version.")
    resource_name: str = Field(description="The model in Vertex AI, without a version.")
    vertex_version: str = Field(description="Vertex AI's own number of the version.")
    project: str
    region: str
    bucket: str
    artifact_uri: str = Field(description="Folder of its files, gs://….")
    policy_sha256: str
    labels: dict[str, str] = {}
    aliases: tuple[str, ...] = ()
    registered_at: datetime
    found: bool = Field(default=False, description="Whether an upload before this one had put it there.")

    @property
    def name(self) -> str:
        """Full name with the version, as Vertex AI's calls take it."""
        return f"{self.resource_name}@{self.vertex_version}"


def model_id(name: str) -> str:
    """A model's id in Vertex AI: lower case letters, digits, ``-`` and ``_``, at most 63, a letter first."""
    slug = re.sub(r"[^a-z0-9_-]", "-", name.lower())
    return (slug if slug[:1].isalpha() else f"m-{slug}")[:_LABEL_LENGTH].rstrip("-_")


def label(text: str) -> str:
    """A label's value: lower case letters, digits, ``-`` and ``_``, at most 63."""
    return re.sub(r"[^a-z0-9_-]", "-", text.lower())[:_LABEL_LENGTH]


def policy_label(sha256: str) -> str:
    """The label of a policy: its hash has one character more than a label may."""
    return sha256.lower()[:_LABEL_LENGTH]


def vertex_alias(alias: str) -> str:
    """The alias as Vertex AI takes it: ``[a-z][a-zA-Z0-9-]*[a-z0-9]``, never one that looks like a version's number."""
    slug = re.sub(r"[^a-z0-9-]+", "-", alias.lower()).strip("-")
    slug = slug if slug[:1].isalpha() else f"a-{slug}"
    slug = slug[:128].rstrip("-")
    return slug if _ALIAS.fullmatch(slug) else f"{slug}-alias"
