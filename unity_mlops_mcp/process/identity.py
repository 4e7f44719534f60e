"""Who a process is: a pid alone is not enough, since pids are used again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from unity_mlops_mcp.process import system


@dataclass(frozen=True)
class Identity:
    """One process for ever: the pid, when it started, and where the pid means something.

    Attributes:
        pid: its process id.
        started: its start time, as `system.start_time` gives it.
        boot: the boot it ran in; empty where the system cannot say.
        namespace: the pid namespace it was seen from.
        host: the machine's name at that time; only informs, names change.
    """

    pid: int
    started: float
    boot: str
    namespace: str
    host: str

    def to_json(self) -> dict[str, Any]:
        """As stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Identity:
        """As read back."""
        return cls(**data)

    def same_place(self) -> bool:
        """Whether its pid can be looked up from here: the same boot and the same pid namespace."""
        return self.boot == system.boot_id() and self.namespace == system.pid_namespace()


def identify(pid: int) -> Identity | None:
    """The process with this pid, a zombie included, or None."""
    seen = system.look(pid)
    if seen is None:
        return None
    return Identity(pid, seen.started, system.boot_id(), system.pid_namespace(), system.host_name())


@lru_cache(maxsize=1)
def this_process() -> Identity:
    """This very process.

    Raises:
        ProcessLookupError: the system does not show us to ourselves.
    """
    found = identify(os.getpid())
    if found is None:
        raise ProcessLookupError("This process cannot see itself in the system's process table.")
    return found


def is_alive(identity: Identity) -> bool:
    """Whether that very process runs still; a zombie does not, nor does one of another boot or namespace."""
    return identity.same_place() and system.is_running(identity.pid, identity.started)


def send(identity: Identity, signal_number: int) -> bool:
    """Signal that very process, its identity looked at right before; False when it is gone or out of reach."""
    return identity.same_place() and system.send_signal(identity.pid, identity.started, signal_number)
