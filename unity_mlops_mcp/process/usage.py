"""What a process and all that it started take of the machine."""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from unity_mlops_mcp.process.identity import Identity, is_alive
from unity_mlops_mcp.process.tree import descendants


@dataclass(frozen=True)
class Usage:
    """One look at some processes.

    Attributes:
        cpu_s: processor seconds that each has used since it started, by pid.
        memory: bytes of main memory that they hold together; pages that several share count for each.
    """

    cpu_s: dict[int, float]
    memory: int

    @property
    def processes(self) -> int:
        """How many there are."""
        return len(self.cpu_s)

    def cores_since(self, earlier: Usage, seconds: float) -> float:
        """Processor cores that were busy for them between two looks; what ended in between counts no more."""
        used = sum(now - min(earlier.cpu_s.get(pid, 0.0), now) for pid, now in self.cpu_s.items())
        return used / seconds if seconds > 0 else 0.0


def usage_of(root: Identity) -> Usage:
    """The process and its descendants; those that end meanwhile, or hide from us, are left out."""
    living = [one.pid for one in (root, *descendants([root])) if is_alive(one)]
    found = {pid: seen for pid in living if (seen := _look(pid)) is not None}
    return Usage({pid: cpu for pid, (cpu, _) in found.items()}, sum(memory for _, memory in found.values()))


def _look(pid: int) -> tuple[float, int] | None:
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            times = process.cpu_times()
            return times.user + times.system, int(process.memory_info().rss)
    except (psutil.Error, OSError):
        return None
