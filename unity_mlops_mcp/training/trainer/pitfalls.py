"""Which versions of a trainer are known to fail; the knowledge is in ``pitfalls.yaml``."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

from unity_mlops_mcp.training.configuration.schema import version_key
from unity_mlops_mcp.training.records import Check, CheckStatus, TrainerKind, TrainerVersions


class Pitfall(BaseModel):
    """One entry of ``pitfalls.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    package: str
    kind: tuple[TrainerKind, ...]
    since: str | None = Field(default=None, alias="from")
    below: str | None = None
    missing: bool = False
    status: CheckStatus
    needed: str
    fix: str

    def concerns(self, kind: TrainerKind, version: str | None) -> bool:
        """Whether a trainer of this kind with this version of the package falls into it."""
        if kind not in self.kind or version is None:
            return kind in self.kind and self.missing
        found = version_key(version)
        within = self.since is None or found >= version_key(self.since)
        return (self.since or self.below) is not None and within and (not self.below or found < version_key(self.below))


@lru_cache(maxsize=1)
def pitfalls() -> tuple[Pitfall, ...]:
    """All entries in their order."""
    text = Path(__file__).with_name("pitfalls.yaml").read_text(encoding="utf-8")
    return tuple(Pitfall(**entry) for entry in yaml.safe_load(text))


def check_versions(kind: TrainerKind, versions: TrainerVersions) -> tuple[Check, ...]:
    """One failed or doubtful check per pitfall that a trainer with these versions falls into; empty when none."""
    checks = []
    for pitfall in pitfalls():
        version = getattr(versions, pitfall.package)
        if pitfall.concerns(kind, version):
            found = f"{pitfall.package} {version or 'is not installed'}"
            checks.append(
                Check(name=pitfall.name, status=pitfall.status, found=found, needed=pitfall.needed, fix=pitfall.fix)
            )
    return tuple(checks)
