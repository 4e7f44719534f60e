"""What the operations on a whole home answer."""

from __future__ import annotations

from pydantic import Field

from unity_mlops_mcp.results.base import Result


class BackupMade(Result):
    """An archive with all of a home that cannot be made again."""

    path: str
    size: int = Field(description="Of the archive, in bytes.")
    files: int
    created_at: str
    left_out: list[str] = Field(
        default_factory=list, description="Files and links that could not be put there: the first twenty."
    )
    next: str


class HomeRestored(Result):
    """A home that was made from a backup."""

    home: str
    files: int
    as_of: str = Field(description="The moment that it shows.")
    going_on: list[str] = Field(default_factory=list, description="Open jobs that are gone on with.")
    cancelled: list[str] = Field(default_factory=list, description="Jobs that were open and were ended.")
    schedules: int = Field(default=0, description="Schedules that fired where the backup was made.")
    endpoints: int = Field(default=0, description="Endpoints that were told of events there.")
    paused: bool = Field(default=False, description="Whether these schedules and endpoints wait to be resumed here.")
    left_out: list[str] = Field(
        default_factory=list, description="Links of the backup that lead out of the home: the first twenty."
    )
    next: str


class PrunedPlace(Result):
    """One folder of the home, and what became free in it."""

    place: str = Field(description="`runs`, `builds`, `artifacts`, `demonstrations`, `checkpoints` or `.replaced`.")
    count: int
    size: int = Field(description="In bytes.")
    names: list[str] = Field(description="The first twenty of them.")


class HomePruned(Result):
    """What was removed from a home, or would be."""

    dry_run: bool
    ended_before: str
    size: int = Field(description="In bytes, altogether.")
    places: list[PrunedPlace]
    next: str


class DeploymentFiles(Result):
    """Manifests that were written."""

    folder: str
    files: list[str]
    next: str


class HomeMirrored(Result):
    """What was brought to a mirror."""

    url: str
    files: int = Field(description="Looked at.")
    sent: int = Field(description="Files that were new there or had changed.")
    sent_bytes: int
    next: str
