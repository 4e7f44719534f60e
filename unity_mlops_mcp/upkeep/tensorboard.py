"""TensorBoard over the runs of a home, on this machine only."""

from __future__ import annotations

import secrets
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from unity_mlops_mcp.config import environment
from unity_mlops_mcp.errors import ExternalError, SetupError
from unity_mlops_mcp.process.log import last_lines
from unity_mlops_mcp.process.start import Started, start_child
from unity_mlops_mcp.process.tree import TOKEN_VARIABLE, Tree

HOST, PORT = "127.0.0.1", 6006
_START_S = 60.0
_POLL_S = 0.2


class TensorBoard:
    """A TensorBoard that answers; ``url`` is where."""

    def __init__(self, url: str, started: Started) -> None:
        self.url = url
        self._started = started

    @property
    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._started.poll() is not None


@contextmanager
def tensorboard(folder: Path, *, port: int = PORT) -> Iterator[TensorBoard]:
    """TensorBoard over the event files below a folder; it ends with the context, and all that it started.

    Args:
        folder: the runs, or one of them.
        port: where it answers, on this machine; 0 takes any that is free.

    Raises:
        SetupError: the port is taken.
        ExternalError: it does not start; the evidence is what it wrote.
    """
    port = port or _free_port()
    _require_free(port)
    token = secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="unity-mlops-", ignore_cleanup_errors=True) as place:
        log = Path(place) / "tensorboard.log"
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "tensorboard.main",
            "--logdir",
            folder,
            "--host",
            HOST,
            "--port",
            str(port),
        ]
        variables = environment(**{TOKEN_VARIABLE: token})
        started = start_child(command, cwd=Path(place), env=variables, stdout=log)
        try:
            url = f"http://{HOST}:{port}"
            _wait(started, url, log)
            yield TensorBoard(url, started)
        finally:
            Tree([started.identity], token).stop(grace_s=3.0)


def _wait(started: Started, url: str, log: Path) -> None:
    end = time.monotonic() + _START_S
    while not _answers(url):
        if started.poll() is not None or time.monotonic() > end:
            raise ExternalError(
                f"TensorBoard did not start at {url}.",
                fix="Read the evidence. A run's curves are also in its report: unity-mlops render-report RUN_ID.",
                cause="tensorboard",
                evidence=last_lines(log, 6),
            )
        time.sleep(_POLL_S)


def _answers(url: str) -> bool:
    with suppress(OSError, urllib.error.URLError), urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - ours
        return bool(answer.status)
    return False


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind((HOST, 0))
        return int(trial.getsockname()[1])


def _require_free(port: int) -> None:
    with socket.socket() as trial:
        if sys.platform != "win32":
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
        except OSError as error:
            raise SetupError(
                f"Port {port} of this machine is taken: {error.strerror}.",
                fix="Give another one with --port, or 0 for any that is free.",
                cause="port_in_use",
            ) from error
