"""Short commands that we wait for."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unity_mlops_mcp.config import environment
from unity_mlops_mcp.errors import ExternalError, NotFoundError
from unity_mlops_mcp.process import system


@dataclass(frozen=True)
class Completed:
    """What a short command gave: its exit code and its two outputs as text."""

    returncode: int
    stdout: str
    stderr: str


def find(name: str) -> Path | None:
    """The program of this name on the PATH, or None."""
    found = shutil.which(name)
    return Path(found) if found else None


def as_typed(argv: Sequence[str | Path]) -> str:
    """A command as a person types it into this system's shell: words with spaces are quoted."""
    words = [str(part) for part in argv]
    return subprocess.list2cmdline(words) if system.WINDOWS else shlex.join(words)


def run(
    argv: Sequence[str | Path],
    *,
    timeout_s: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    input_text: str | None = None,
) -> Completed:
    """Run a short command without a shell and wait for it.

    Args:
        argv: program and arguments.
        timeout_s: after this it is killed with its process group.
        cwd: its working directory.
        env: its whole environment; ours without the secrets in it when None.
        input_text: what it reads on stdin; nothing when None.

    Raises:
        NotFoundError: there is no such program.
        ExternalError: it did not end in time (cause ``"timeout"``).
    """
    command = [str(part) for part in argv]
    source = subprocess.DEVNULL if input_text is None else subprocess.PIPE
    pipes = {"stdin": source, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    given_env = environment() if env is None else env
    with open_process(command, cwd=cwd, env=given_env, options={**system.detached_options(), **pipes}) as process:
        try:
            given = input_text.encode() if input_text is not None else None
            out, err = process.communicate(given, timeout=timeout_s)
        except subprocess.TimeoutExpired as error:
            system.kill_group(process)
            out, err = _rest(process)
            raise ExternalError(
                f"{command[0]} did not end within {timeout_s:g} s (command: {as_typed(command)}).",
                fix="Run it by hand to see what it waits for.",
                cause="timeout",
                evidence=_text(err or out).splitlines()[-5:],
            ) from error
        except BaseException:
            system.kill_group(process)
            raise
    return Completed(process.returncode, _text(out), _text(err))


def _rest(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """What a killed process wrote; nothing when a process that escaped its group keeps the pipes open."""
    try:
        return process.communicate(timeout=2.0)
    except subprocess.TimeoutExpired:
        return b"", b""


def _text(output: bytes) -> str:
    return output.decode(errors="replace").replace("\r\n", "\n")


def open_process(
    command: Sequence[str], *, cwd: Path | None, env: Mapping[str, str] | None, options: Mapping[str, Any]
) -> subprocess.Popen[bytes]:
    """`subprocess.Popen` with errors of ours; for this package.

    Raises:
        NotFoundError: the program cannot be started.
    """
    try:
        return subprocess.Popen(command, cwd=cwd, env=env, close_fds=True, **options)
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise NotFoundError(
            f"{command[0]} cannot be started: {error.strerror} ({error.filename}).",
            fix="Check that the file exists, is executable, and that its folder can be entered.",
            cause="cannot_start",
        ) from error
