"""The sandbox as a process: what ``mlagents-learn --env`` starts instead of a Unity build."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from unity_mlops_mcp.errors import ExternalError, InvalidInputError
from unity_mlops_mcp.protocol.player import serve
from unity_mlops_mcp.protocol.simulation import Handshake, Simulation
from unity_mlops_mcp.sandbox.tracing import TracedWorld
from unity_mlops_mcp.sandbox.world import World
from unity_mlops_mcp.spec.environment import EnvironmentSpec

EXIT_OK, EXIT_CRASH, EXIT_MISUSE, EXIT_NO_TRAINER = 0, 1, 2, 4
CONNECT_TIMEOUT_S = 30.0
TRAJECTORIES = "--trajectories"
"""Where the ways of the first episodes are written; see `tracing`."""
_EDITOR_PORT = 5004
_USAGE = (
    "python -m unity_mlops_mcp.sandbox SPEC.json [--mlagents-port PORT] [-logFile FILE] [--trajectories FILE]; "
    "other flags are ignored"
)


@dataclass(frozen=True)
class Arguments:
    """What the command line asks for."""

    spec: Path
    port: int
    log: Path | None
    trajectories: Path | None = None


def parse(arguments: Sequence[str]) -> Arguments:
    """Read a Unity player's command line; what the sandbox has no use for is ignored.

    Raises:
        InvalidInputError: there is no spec, or the port is not a number.
    """
    values = {"--mlagents-port": str(_EDITOR_PORT), "-logfile": "", TRAJECTORIES: ""}
    spec = ""
    rest = iter(arguments)
    for word in rest:
        if word.lower() in values:
            values[word.lower()] = next(rest, "")
        elif not spec and not word.startswith("-"):
            spec = word
    if not spec or not values["--mlagents-port"].isdecimal():
        raise InvalidInputError(f"The arguments {list(arguments)} name no spec, or no port.", fix=f"Usage: {_USAGE}")
    log = values["-logfile"]
    # Unity takes "-" for standard output; ours are the same place.
    traced = Path(values[TRAJECTORIES]) if values[TRAJECTORIES] else None
    return Arguments(Path(spec), int(values["--mlagents-port"]), Path(log) if log not in ("", "-") else None, traced)


def main(arguments: Sequence[str]) -> int:
    """Simulate a spec for the trainer on the port, until it ends.

    Returns:
        The exit code: 0 the trainer ended it or is gone, 1 the simulation crashed, 2 wrong arguments or spec, 4 no
        trainer answered in time.
    """
    _leave_signals_to_the_trainer()
    try:
        asked = parse(arguments)
    except InvalidInputError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_MISUSE
    with _log(asked.log) as write:
        return _play(asked, write)


def _play(asked: Arguments, write: Callable[[str], None]) -> int:
    try:
        spec = _read(asked.spec)
        write(f"Sandbox for {spec.behavior_name} ({asked.spec}), waiting for a trainer on port {asked.port}.")

        def world(handshake: Handshake) -> Simulation:
            made = World(spec, areas=handshake.areas, seed=handshake.seed)
            return TracedWorld(made, asked.trajectories, areas=handshake.areas) if asked.trajectories else made

        serve(world, port=asked.port, connect_timeout_s=CONNECT_TIMEOUT_S, log=write)
    except InvalidInputError as error:
        write(f"Error: {error}")
        return EXIT_MISUSE
    except ExternalError as error:
        write(f"Error: {error}")
        return EXIT_NO_TRAINER if error.cause == "no_trainer" else EXIT_CRASH
    except Exception:  # noqa: BLE001 - the top of the process: the log is all that tells why
        write(traceback.format_exc())
        return EXIT_CRASH
    return EXIT_OK


def _read(path: Path) -> EnvironmentSpec:
    try:
        return EnvironmentSpec.from_data(json.loads(path.read_text("utf-8")))
    except json.JSONDecodeError as error:
        raise InvalidInputError(f"The spec {path} is not JSON: {error}.", fix="Build the environment again.") from error
    except OSError as error:
        raise InvalidInputError(
            f"The spec {path} cannot be read: {error.strerror or error}.",
            fix="Build the environment again; its build folder holds spec.json.",
        ) from error


@contextlib.contextmanager
def _log(path: Path | None) -> Iterator[Callable[[str], None]]:
    """A function that writes a line with the time into the file, or to standard error."""
    with contextlib.ExitStack() as stack:
        file: TextIO = sys.stderr
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(path.open("a", encoding="utf-8", buffering=1))
        yield lambda line: print(time.strftime("%H:%M:%S"), line, file=file, flush=True)


def _leave_signals_to_the_trainer() -> None:
    """On Windows a Ctrl-C or Ctrl-Break meant for the trainer reaches the player too.

    It must not die of it: the trainer saves first and then ends the conversation. Elsewhere ML-Agents starts the player
    in a session of its own.
    """
    if hasattr(signal, "SIGBREAK"):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGBREAK, signal.SIG_IGN)
