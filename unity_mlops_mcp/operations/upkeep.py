"""The operations that keep a home for long: backup, restore."""

from __future__ import annotations

from pathlib import Path

from unity_mlops_mcp.errors import ConflictError
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.results.runs import Status
from unity_mlops_mcp.results.upkeep import BackupMade, HomeRestored
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.upkeep.records import BACKUP
from unity_mlops_mcp.views.status import iso


class Upkeep:
    """What is done to the home as a whole; its people do it at the command line, no client's model does."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def start_backup(self, path: str) -> Status:
        """Start the job that writes the home into an archive, while it is in use.

        Raises:
            InvalidInputError: the path is no archive's, lies in the home, or in no folder.
            ConflictError: there is something already.
        """
        from unity_mlops_mcp.upkeep.backup import require_target

        target = require_target(self._parts.settings.home, Path(path))
        return self._parts.status(self._parts.jobs.submit(BACKUP, {"path": str(target)}, subject=target.name))

    def backup_made(self, job_id: str) -> BackupMade:
        """What the job gave.

        Raises:
            ConflictError: it has not succeeded.
        """
        job = self._parts.jobs.get(job_id)
        if job.kind != BACKUP or job.state != "succeeded" or not job.result:
            raise ConflictError(f"{job_id} is {job.state}.", fix=f"See wait_for({job_id!r}).", cause="not_done")
        return BackupMade(**job.result, next=f"To a new home: unity-mlops restore {job.result['path']}")

    def restore_backup(self, path: str, *, cancel_jobs: bool = False) -> HomeRestored:
        """Make the home from a backup; nobody may be using it, and nothing may be in it.

        Raises:
            ConflictError: the home is in use.
            NotFoundError, InvalidInputError, SetupError: the archive is not there, not whole, or too new.
        """
        from unity_mlops_mcp.upkeep.restore import restore_backup

        made = restore_backup(self._parts.settings.home, Path(path), now=utc_now(), cancel_jobs=cancel_jobs)
        following = "unity-mlops doctor tells whether this machine can train."
        if made.going_on:
            following = f"The first command or server on this home goes on with {', '.join(made.going_on[:3])}."
        return HomeRestored(
            home=made.home,
            files=made.files,
            as_of=iso(made.created_at) or "",
            going_on=list(made.going_on),
            cancelled=list(made.cancelled),
            next=following,
        )
