"""What a registered version is, as a frozen record; kept as ``version.json`` in its folder and in its row."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

RevisionOf = Literal["unity project", "input folder", "policy"]


class Record(BaseModel):
    """A frozen record."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PolicyFile(Record):
    """One ONNX file of a version, and what a check of it told.

    Attributes:
        behavior: which behaviour it is for.
        file: its name in the version's folder.
        sha256: of its bytes (hex).
        size: bytes.
        version_number: ML-Agents' version of the format.
        opset: of ONNX's own operators.
        observations: shape of each observation; -1 where a size may vary.
        continuous: number of continuous actions.
        branches: sizes of the discrete branches.
        memory_size: floats that it carries from decision to decision.
        notes: what is unusual about it, such as an opset that some Unity packages are not documented for.
    """

    behavior: str
    file: str
    sha256: str
    size: int
    version_number: int
    opset: int
    observations: tuple[tuple[int, ...], ...]
    continuous: int
    branches: tuple[int, ...]
    memory_size: int = 0
    notes: tuple[str, ...] = ()


class Provenance(Record):
    """Where the policies of a version come from.

    Attributes:
        title: the model's name as it was written when this version was registered.
        run_id: the run that made it; None for a file from elsewhere.
        build_id: what it was trained on.
        spec_id: the environment spec.
        archetype: the preset that the spec came from.
        spec: the spec itself.
        seed: of the training.
        max_steps: agent steps that were asked for.
        configuration: the trainer YAML as data.
        versions: of the programs that made it.
        metrics: the training's summary.
        parent: version or run that its weights came from, where the training was initialised from one.
        description: what changed, in the user's words.
    """

    title: str
    run_id: str | None = None
    build_id: str | None = None
    spec_id: str | None = None
    archetype: str | None = None
    spec: dict[str, Any] | None = None
    seed: int | None = None
    max_steps: int | None = None
    configuration: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, Any] = Field(default_factory=dict)
    metrics: dict[str, Any] = Field(default_factory=dict)
    parent: str | None = None
    description: str | None = None


class Facts(Provenance):
    """All that is known of a version before it has a number.

    Attributes:
        revision: a full git hash, with ``-dirty`` behind it where files differed; None where none is known.
        revision_of: what it is the revision of.
    """

    revision: str | None = None
    revision_of: RevisionOf = "policy"


class ModelVersion(Provenance):
    """One immutable version of a model.

    Attributes:
        version_id: ``unity-<name>-<YYYYMMDD>-<git_sha>-v<number>``.
        name: the model's name, lower case.
        number: of the version within the model, from 1.
        created_at: UTC.
        git_sha: seven digits.
        git_sha_of: what they are the revision of; ``policy``: the first digits of the policy's SHA-256, as no
            revision was known.
        git_dirty: whether files differed from that revision when the training started.
        policy_sha256: of the policy; of all of them where there are several.
        policies: the ONNX files, by behaviour.
        evaluation_id: the newest evaluation when it was registered; later ones are found by the policy's hash.
    """

    schema_version: Literal[1] = 1
    version_id: str
    name: str
    number: int
    created_at: datetime
    git_sha: str
    git_sha_of: RevisionOf
    git_dirty: bool = False
    policy_sha256: str
    policies: tuple[PolicyFile, ...]
    evaluation_id: str | None = None
