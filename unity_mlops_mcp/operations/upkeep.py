"""The operations that keep a home for long: backup, restore, mirror, prune, TensorBoard, deployment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unity_mlops_mcp.errors import ConflictError
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.operations.pipelines import Pipelines
from unity_mlops_mcp.results.runs import Status
from unity_mlops_mcp.results.upkeep import (
    BackupMade,
    DeploymentFiles,
    HomeMirrored,
    HomePruned,
    HomeRestored,
    PrunedPlace,
)
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.training.trainer.environment import INSTALL_COMMAND
from unity_mlops_mcp.upkeep.records import BACKUP, MIRROR, Freed, Restored
from unity_mlops_mcp.views.status import iso

if TYPE_CHECKING:
    from unity_mlops_mcp.upkeep.tensorboard import TensorBoard

_NAMED = 20


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
        result = self._result(job_id, BACKUP)
        missing, following = result.get("left_out", []), f"To a new home: unity-mlops restore {result['path']}"
        if missing:
            why = "links that lead out of the home, or names that not every system takes"
            following = f"{len(missing)} left out: {why}; keep a copy of them yourself. {following}"
        return BackupMade(**{**result, "left_out": missing[:_NAMED]}, next=following)

    def start_mirror(self, url: str) -> Status:
        """Start the job that brings a folder or bucket up to date with the runs, evaluations and models.

        Raises:
            InvalidInputError: the address is none, holds a password, or lies in the home.
            SetupError: what speaks its protocol is not installed.
        """
        from unity_mlops_mcp.upkeep.mirror import require_url

        target = require_url(self._parts.settings.home, url)
        return self._parts.status(self._parts.jobs.submit(MIRROR, {"url": target}, subject=target))

    def mirrored(self, job_id: str) -> HomeMirrored:
        """What the job gave.

        Raises:
            ConflictError: it has not succeeded.
        """
        return HomeMirrored(**self._result(job_id, MIRROR), next="The same command sends what changed since.")

    def _result(self, job_id: str, kind: str) -> dict[str, Any]:
        job = self._parts.jobs.get(job_id)
        if job.kind != kind or job.state != "succeeded" or not job.result:
            raise ConflictError(f"{job_id} is {job.state}.", fix=f"See wait_for({job_id!r}).", cause="not_done")
        return job.result

    def tensorboard(self, run_id: str | None = None, *, port: int = 6006) -> AbstractContextManager[TensorBoard]:
        """TensorBoard over all runs, or one; it answers on this machine only, and ends with the context.

        Raises:
            NotFoundError: there is no such run.
            SetupError: the port is taken.
            ExternalError: it does not start.
        """
        from unity_mlops_mcp.upkeep.tensorboard import tensorboard

        folder = self._parts.settings.home / "runs"
        if run_id is not None:
            folder = self._parts.runs.folder(self._parts.runs.row(run_id).run_id).path
        folder.mkdir(parents=True, exist_ok=True)
        return tensorboard(folder, port=port)

    def restore_backup(self, path: str, *, cancel_jobs: bool = False, pause: bool = False) -> HomeRestored:
        """Make the home from a backup; nobody may be using it, and nothing may be in it.

        Raises:
            ConflictError: the home is in use.
            NotFoundError, InvalidInputError, SetupError: the archive is not there, not whole, or too new.
        """
        from unity_mlops_mcp.upkeep.restore import restore_backup

        home = self._parts.settings.home
        made = restore_backup(home, Path(path), now=utc_now(), cancel_jobs=cancel_jobs, pause=pause)
        return HomeRestored(
            home=made.home,
            files=made.files,
            as_of=iso(made.created_at) or "",
            going_on=list(made.going_on),
            cancelled=list(made.cancelled),
            schedules=made.schedules,
            endpoints=made.endpoints,
            paused=made.paused,
            left_out=list(made.left_out[:_NAMED]),
            next=" ".join(_after(made)),
        )

    def prune(self, *, older_than: str, keep_registered: bool = True, dry_run: bool = False) -> HomePruned:
        """Free runs, builds and artifacts that ended longer ago than an age and that nothing refers to.

        Raises:
            InvalidInputError: the age is none.
            ConflictError: a backup, mirror or prune of the home is at work.
        """
        from unity_mlops_mcp.upkeep.prune import prune
        from unity_mlops_mcp.upkeep.pruning import age_of

        age, store = age_of(older_than), self._parts.store
        done = prune(store, older_than=age, now=utc_now(), keep_registered=keep_registered, dry_run=dry_run)
        following = "Nothing was removed: call it without --dry-run to do that." if dry_run else ""
        return HomePruned(
            dry_run=dry_run,
            ended_before=iso(done.before) or "",
            size=sum(one.size for one in done.freed),
            places=list(_by_place(done.freed)),
            next=following or "unity-mlops list-runs shows what is kept.",
        )

    def deploy_k8s(self, *, settings: str, output: str) -> DeploymentFiles:
        """Write the Kubernetes manifests of a settings file into a folder.

        Raises:
            NotFoundError, InvalidInputError: the file is not there, or something in it cannot be used.
            ConflictError: files that were not made by this are in the way.
        """
        from unity_mlops_mcp.upkeep.deployment.kubernetes import ONCE, write_manifests

        folder = Path(output).expanduser().absolute()
        arguments = set(signature(Pipelines.run_pipeline).parameters) - {"self", "client_answer", "idempotency_key"}
        made = write_manifests(Path(settings).expanduser(), folder, arguments=arguments)
        return DeploymentFiles(
            folder=str(folder),
            files=[path.name for path in made],
            next=f"kubectl apply -k {folder}; once: kubectl create -f {folder / ONCE}",
        )


def _after(made: Restored) -> Iterator[str]:
    """What to know and to do after a restore, in this order."""
    if made.left_out:
        yield f"{len(made.left_out)} left out: links that led out of the home that was."
    yield f"First: {INSTALL_COMMAND}, unless this machine has a trainer; unity-mlops doctor tells."
    if made.going_on:
        yield f"Then the first command or server on this home goes on with {', '.join(made.going_on[:3])}."
    if (made.schedules or made.endpoints) and not made.paused:
        yield (
            f"A server or scheduler here fires {made.schedules} schedules and notifies {made.endpoints} endpoints, as "
            "the home that was does if it still runs; to a new folder, restore --pause brings them without that."
        )


def _by_place(freed: Iterable[Freed]) -> Iterator[PrunedPlace]:
    found = list(freed)
    for place in dict.fromkeys(one.place for one in found):
        here = [one for one in found if one.place == place]
        names = [one.name for one in here[:_NAMED]]
        yield PrunedPlace(place=place, count=len(here), size=sum(one.size for one in here), names=names)
