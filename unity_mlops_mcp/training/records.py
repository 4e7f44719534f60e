"""What training says about a trainer, a check and a trainer YAML; light enough to be imported at server start."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

TrainerKind = Literal["managed", "stock"]
CheckStatus = Literal["ok", "warn", "fail"]
Severity = Literal["error", "warning", "hint"]


class TrainerVersions(BaseModel):
    """The versions found in a trainer's interpreter environment; None where the package is not installed."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    python: str | None = None
    mlagents: str | None = None
    mlagents_envs: str | None = None
    torch: str | None = None
    cuda: str | None = Field(default=None, description="The CUDA version torch was built for; None for a CPU build.")
    numpy: str | None = None
    protobuf: str | None = None
    grpcio: str | None = None
    onnx: str | None = None
    setuptools: str | None = None
    nvidia: bool = Field(default=False, description="Whether an NVIDIA driver is on this machine.")


class Trainer(BaseModel):
    """An interpreter environment that holds mlagents, and how its ``mlagents-learn`` is started."""

    model_config = ConfigDict(frozen=True)

    python: Path
    kind: TrainerKind
    command: tuple[str, ...] = Field(description="What starts mlagents-learn, before its arguments and any mode.")
    versions: TrainerVersions
    fingerprint: str = Field(description="Changes when the interpreter or an installed package changes.")
    problems: tuple[str, ...] = Field(default=(), description="Known pitfalls of these versions, one sentence each.")

    def prefix(self, mode: str) -> tuple[str, ...]:
        """What precedes the arguments of mlagents-learn; a stock trainer knows no modes and is started as it is."""
        return (*self.command, "--mode", mode, "--") if self.kind == "managed" else self.command


class Check(BaseModel):
    """One thing looked at before a training or by ``doctor``."""

    model_config = ConfigDict(frozen=True)

    name: str
    status: CheckStatus
    found: str
    needed: str
    fix: str = Field(default="", description="The one command or step that mends it; empty when ok.")


class Finding(BaseModel):
    """One place in a trainer YAML that is wrong, doubtful or unusual."""

    model_config = ConfigDict(frozen=True)

    severity: Severity
    path: str = Field(description="Where, such as ``behaviors.Nav.hyperparameters.batch_size``.")
    found: str
    needed: str
    fix: str

    def __str__(self) -> str:
        """The finding as one line."""
        return f"{self.path}: found {self.found}, needed {self.needed}. {self.fix}"


class Findings(BaseModel):
    """All findings about one trainer YAML; with an error, mlagents-learn would refuse it or learn nothing."""

    model_config = ConfigDict(frozen=True)

    items: tuple[Finding, ...] = ()

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings of one severity."""
        return tuple(item for item in self.items if item.severity == severity)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What must be mended before a training starts."""
        return self.of("error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What will run and probably is not meant."""
        return self.of("warning")

    @property
    def hints(self) -> tuple[Finding, ...]:
        """What lies outside the ranges that ML-Agents' documentation calls typical."""
        return self.of("hint")
