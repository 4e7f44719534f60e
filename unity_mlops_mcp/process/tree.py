"""All processes of one piece of work, whatever sessions they made for themselves, and how they are ended."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterable

import psutil

from unity_mlops_mcp.process import system
from unity_mlops_mcp.process.identity import Identity, identify, is_alive, send

TOKEN_VARIABLE = "UNITY_MLOPS_JOB_TOKEN"  # noqa: S105 - names a variable; its value marks a job's processes
_POLL_S = 0.03

starting = threading.Lock()
"""Held while a process is started: until it has its own environment it shows ours, token included."""


def token_of(pid: int) -> str | None:
    """The token in the environment of one of our user's processes; None when it has none or cannot be read."""
    try:
        return psutil.Process(pid).environ().get(TOKEN_VARIABLE)
    except (psutil.Error, OSError):
        return None


def members(token: str) -> set[Identity]:
    """The living processes whose environment carries the token or one that begins with it, this one excepted."""
    if not token:
        return set()
    with starting:
        return _identified(pid for pid in psutil.pids() if pid != os.getpid() and _belongs(token_of(pid), token))


def _belongs(found: str | None, token: str) -> bool:
    return found is not None and (found == token or found.startswith(f"{token}."))


def descendants(roots: Collection[Identity], *, token: str = "") -> set[Identity]:
    """What those processes started and what these did, as far as the links between them still stand.

    With a token, a process that carries another piece of work's is left out, and what that started with it: a job may
    start the supervisor of another one.
    """
    children: dict[int, list[int]] = {}
    for process in psutil.process_iter(["ppid"]):
        children.setdefault(process.info["ppid"], []).append(process.pid)
    found: set[Identity] = set()
    fresh = {root for root in roots if is_alive(root)}
    while fresh:
        born = {child for parent in fresh for child in _born_of(parent, children.get(parent.pid, ()))}
        fresh = {child for child in born - found if not token or _may_belong(child, token)}
        found |= fresh
    return found


def _may_belong(process: Identity, token: str) -> bool:
    found = token_of(process.pid)
    return found is None or _belongs(found, token)


def _born_of(parent: Identity, pids: Iterable[int]) -> set[Identity]:
    """Those of the pids that are younger than their parent: on Windows a pid may be that of a former one."""
    return {child for child in _identified(pids) if child.started >= parent.started}


def orphans(*, except_for: Collection[int]) -> set[Identity]:
    """Processes that we adopted and that carry no token; those with one belong to a job that looks after them."""
    adopted = (child.pid for child in psutil.Process().children() if child.pid not in except_for)
    return _identified(pid for pid in adopted if token_of(pid) is None)


def _identified(pids: Iterable[int]) -> set[Identity]:
    return {found for found in map(identify, pids) if found is not None and is_alive(found)}


class Tree:
    """The processes of one piece of work: its roots, their descendants, and all that carries its token.

    Descendants that carry another piece of work's token are not of it.

    Nothing else is ever signalled, and each is identified anew right before a signal.

    Args:
        roots: the processes that were started for it.
        token: what those were given as `TOKEN_VARIABLE`; their children inherit it.
    """

    def __init__(self, roots: Collection[Identity], token: str) -> None:
        self._roots = tuple(roots)
        self._token = token
        self._known: set[Identity] = set(roots)

    def living(self) -> set[Identity]:
        """What of it runs now; what was seen once is remembered, so that a lost parent hides no child."""
        self._known |= members(self._token)
        self._known |= descendants(self._known, token=self._token)
        self._known = {known for known in self._known if is_alive(known)}
        return self._known

    def stop(self, *, grace_s: float, terminate_s: float = 3.0, kill_s: float = 10.0) -> set[Identity]:
        """Interrupt the roots, which save and end what they started; then terminate, then kill all that is left.

        Args:
            grace_s: how long the roots may take after the interrupt; 0 leaves it out.
            terminate_s: how long the rest may take after SIGTERM.
            kill_s: how long to wait until what was killed is gone.

        Returns:
            What lives still: processes that the system itself cannot end.
        """
        if self.living() and grace_s > 0:
            self._interrupt(grace_s)
        self._end(signal.SIGTERM, terminate_s)
        self._end(system.kill_signal(), kill_s)
        return self.living()

    def _interrupt(self, grace_s: float) -> None:
        asked = [root for root in self._roots if send(root, system.interrupt_signal())]
        _wait_until(lambda: not any(map(is_alive, asked)), grace_s)
        _wait_until(lambda: not self.living(), min(grace_s, 2.0) if asked else 0.0)

    def _end(self, number: int, patience_s: float) -> None:
        signalled: set[Identity] = set()

        def ended() -> bool:
            new = self.living() - signalled
            signalled.update(one for one in new if send(one, number))
            return not self._known

        _wait_until(ended, patience_s)


def _wait_until(condition: Callable[[], bool], timeout_s: float) -> None:
    end = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < end:
        time.sleep(_POLL_S)
