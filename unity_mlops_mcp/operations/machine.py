"""The operations about this machine: its setup, the trainer, players."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unity_mlops_mcp.errors import ConflictError
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.results.runs import Status
from unity_mlops_mcp.results.setup import SetupCheck, SetupReport

if TYPE_CHECKING:
    from unity_mlops_mcp.builds.records import ProbeResult


class Machine:
    """What this machine has and needs."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def check_setup(self, *, fix: bool = False) -> SetupReport:
        """Look at everything this machine needs, and with ``fix`` mend what can be mended, as a job."""
        from unity_mlops_mcp.training.doctor import doctor, fixable, needs_repair

        checks = doctor(self._parts.settings, self._parts.cache)
        ok = all(check.status != "fail" for check in checks)
        job = self.install_trainer(repair=needs_repair(checks)) if fix and fixable(checks) else None
        if job:
            following = f"Call wait_for({job.id!r}): the trainer is being installed."
        else:
            following = (
                "Call build_environment with a description."
                if ok
                else "Apply the fixes, or call check_setup(fix=true)."
            )
        listed = [SetupCheck(**check.model_dump()) for check in checks] + self._mail()
        return SetupReport(ok=ok, checks=listed, job_id=job.id if job else None, next=following)

    def _mail(self) -> list[SetupCheck]:
        """What keeps this process from sending e-mail; nothing where nobody is told by it."""
        problem = self._parts.deliverer.mail_problem()
        if problem is None:
            return []
        needed = "a mail server, as e-mail addresses are told"
        return [SetupCheck(name="e-mail", status="warn", found=problem.message, needed=needed, fix=problem.fix)]

    def install_trainer(
        self,
        *,
        python: str | None = None,
        torch_index: str | None = None,
        repair: bool = False,
        offline_rl: bool = False,
    ) -> Status:
        """Start the job that makes, completes or repairs the managed trainer; a second call joins the first.

        With ``offline_rl`` it is the environment that learns from the rewards in a dataset.
        """
        subject = "offline-rl" if offline_rl else "trainer"
        running = [job.subject for job in self._parts.jobs.open() if job.kind == "training" and job.state != "queued"]
        if repair and running:
            raise ConflictError(
                f"The trainer is in use by {', '.join(running)}; making it anew would break them.",
                fix="Wait for them, or stop them with stop_training, then call again.",
                cause="trainer_in_use",
            )
        newest = self._parts.jobs.page(kind="install_trainer", subject=subject, limit=1).rows
        request = {"python": python, "torch_index": torch_index, "repair": repair, "offline_rl": offline_rl}
        if newest and not newest[0].done:
            return self._parts.status(newest[0])
        return self._parts.status(self._parts.jobs.submit("install_trainer", request, subject=subject))

    def probe(self, player: str, *, steps: int = 200, timeout_s: float = 60) -> ProbeResult:
        """Connect to any player under an allowed root: what it is, how fast, and what would go wrong."""
        from unity_mlops_mcp.builds.probe import probe

        return probe(self._parts.settings.allowed_path(player, what="player"), steps=steps, timeout_s=timeout_s)
