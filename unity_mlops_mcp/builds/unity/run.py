"""One run of the Editor in batch mode: started, followed, ended, and judged by our marker."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio

from unity_mlops_mcp.builds.unity.licence import hide
from unity_mlops_mcp.builds.unity.logs import phase_of
from unity_mlops_mcp.jobs.kinds import Child, JobContext
from unity_mlops_mcp.process.log import LogTail

POLL_S = 0.2
DISK_POLL_S = 2.0
GRACE_S = 5.0
"""Seconds that an interrupted Editor has to end by itself."""
LEAVE_S = 120.0
"""Seconds that an Editor which has said its result may take to end."""
MOST_LOG_BYTES = 64 << 20
_MARKER = re.compile(
    r"\[UNITY-MLOPS\] result=(?P<result>\w+) errors=(?P<errors>\d+) warnings=(?P<warnings>\d+) size=(?P<size>\d+) "
    r"nonce=(?P<nonce>\w+) path="
)


@dataclass(frozen=True)
class Marker:
    """What our build script said at its end."""

    result: str
    errors: int
    warnings: int
    size: int


@dataclass(frozen=True)
class EditorRun:
    """How an Editor run ended.

    Attributes:
        exit_code: negative for a signal.
        seconds: how long it ran.
        marker: what our script said; None when it said nothing.
        ended_by: why we ended it: ``stop``, ``timeout``, ``disk``; None when it ended by itself.
    """

    exit_code: int
    seconds: float
    marker: Marker | None
    ended_by: str | None


def read_marker(line: str, nonce: str) -> Marker | None:
    """The result in a line of the log, when it is of this very run."""
    found = _MARKER.search(line)
    if found is None or found["nonce"] != nonce:
        return None
    return Marker(found["result"], int(found["errors"]), int(found["warnings"]), int(found["size"]))


class Following:
    """The Editor's log as it grows: written on without secrets, and told as progress.

    Args:
        raw: what the Editor writes.
        log: where the lines are kept.
        secrets: what must not be in them.
        nonce: of the run.
        tell: is given what the Editor does and how far it is.
    """

    def __init__(
        self, raw: Path, log: Path, *, secrets: Sequence[str], nonce: str, tell: Callable[[str, float], None]
    ) -> None:
        self._tail = LogTail(raw)
        self._log = log
        self._secrets = secrets
        self._nonce = nonce
        self._tell = tell
        self._share = 0.0
        self.marker: Marker | None = None

    def look(self) -> None:
        """Take what was written since the last look."""
        lines = [hide(line, self._secrets) for line in self._tail.new_lines()]
        if not lines:
            return
        with self._log.open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        for line in lines:
            self.marker = read_marker(line, self._nonce) or self.marker
            phase = phase_of(line)
            if phase is not None:
                self._share = max(self._share, phase[1])
                self._tell(phase[0], self._share)


async def run_editor(
    context: JobContext, command: Sequence[str], *, folder: Path, following: Following, raw: Path
) -> EditorRun:
    """Run the Editor until it ends, a stop is asked for, the time is up or the disk is full.

    Args:
        context: the job; its settings say how long the run may take and how much space must stay free.
        command: the Editor and its arguments.
        folder: its working directory.
        following: takes its log.
        raw: the file that its output goes to.
    """
    begun = anyio.current_time()
    child = await context.start(command, cwd=folder, stdout=raw)
    codes: list[int] = []
    ended_by: str | None = None
    async with anyio.create_task_group() as tasks:

        async def wait() -> None:
            codes.append(await child.wait())

        tasks.start_soon(wait)
        ended_by = await _watch(context, child, codes, following, begun)
        await child.stop(0.0)  # workers that an Editor left would keep the next build from the project
    following.look()
    return EditorRun(codes[0], anyio.current_time() - begun, following.marker, ended_by)


async def _watch(context: JobContext, child: Child, codes: list[int], following: Following, begun: float) -> str | None:
    """Look on until the Editor has ended; gives why we ended it."""
    said_at: float | None = None
    disk_at = begun
    while not codes:
        with anyio.move_on_after(POLL_S):
            await context.stop_requested.wait()
        following.look()
        now = anyio.current_time()
        if following.marker and said_at is None:
            said_at = now
        full = now >= disk_at and _disk_is_full(context)
        disk_at = now + DISK_POLL_S if now >= disk_at else disk_at
        reason = _reason(context, now - begun, None if said_at is None else now - said_at, full=full)
        if reason and not codes:
            await child.stop(GRACE_S)
            return None if reason == "lingers" else reason
    return None


def _reason(context: JobContext, seconds: float, since_result: float | None, *, full: bool) -> str | None:
    """Why the Editor must end now, or None."""
    if context.stop_requested.is_set():
        return "stop"
    if since_result is not None:
        return "lingers" if since_result > LEAVE_S else None
    if full:
        return "disk"
    return "timeout" if seconds > context.settings.unity_timeout_s else None


def _disk_is_full(context: JobContext) -> bool:
    return shutil.disk_usage(context.settings.home).free / 1e9 < context.settings.min_free_gb


def log_lines(log: Path) -> list[str]:
    """The lines of a log, of a huge one the last."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - MOST_LOG_BYTES))
            return file.read().decode("utf-8", errors="replace").splitlines()
    except OSError:
        return []
