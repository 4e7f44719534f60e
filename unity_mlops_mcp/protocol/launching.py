"""A player as a process that we start, watch and end."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from pathlib import Path

from unity_mlops_mcp.config import environment
from unity_mlops_mcp.errors import ExternalError, NotFoundError
from unity_mlops_mcp.process.start import start_child
from unity_mlops_mcp.process.tree import TOKEN_VARIABLE, Tree

_EVIDENCE_LINES = 8
_POLL_S = 0.02


class PlayerProcess:
    """A started player, its output in ``player.log`` (its own log) and ``player.out`` (what it printed).

    Args:
        command: the player and its first arguments.
        port: where it shall connect.
        arguments: appended to the command.
        graphics: let it open a window.
        folder: for its log; made when missing.

    Raises:
        ExternalError: it cannot be started (cause ``player_start``).
    """

    def __init__(
        self, command: Sequence[str], *, port: int, arguments: Sequence[str], graphics: bool, folder: Path
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._logs = (folder / "player.log", folder / "player.out")
        quiet = () if graphics else ("-nographics", "-batchmode")
        options = (*quiet, "--mlagents-port", str(port), "-logFile", str(self._logs[0]))
        # Within a job its token is kept and added to, so that whoever ends the job ends the player too.
        inherited = environment().get(TOKEN_VARIABLE)
        token = ".".join(filter(None, (inherited, f"player-{secrets.token_hex(8)}")))
        try:
            self._process = start_child(
                [*command, *options, *arguments],
                cwd=folder,
                env=environment(**{TOKEN_VARIABLE: token}),
                stdout=self._logs[1],
            )
        except (NotFoundError, OSError) as error:
            raise ExternalError(
                f"The player {command[0]} cannot be started: {getattr(error, 'message', error)}",
                fix="Give the path of an executable player; on Linux and macOS make it executable with chmod +x.",
                cause="player_start",
            ) from error
        self._tree = Tree([self._process.identity], token)

    def check(self) -> None:
        """Do nothing while it lives.

        Raises:
            ExternalError: it has ended (cause ``player_exited``).
        """
        code = self._process.poll()
        if code is not None:
            raise ExternalError(
                f"The player ended with exit code {code}.",
                fix="The last lines of its log say why; start it by hand to see more.",
                cause="player_exited",
                evidence=self.log_tail(),
            )

    def log_tail(self) -> tuple[str, ...]:
        """The last lines that it wrote."""
        lines: list[str] = []
        for file in self._logs:
            if file.is_file():
                lines += [line for line in file.read_text("utf-8", "replace").splitlines() if line.strip()]
        return tuple(lines[-_EVIDENCE_LINES:])

    def stop(self, *, grace_s: float) -> None:
        """Wait for it to leave by itself, then end it and what it started; harmless when repeated."""
        deadline = time.monotonic() + grace_s
        while self._process.poll() is None and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        self._tree.stop(grace_s=0)
        self._process.poll()
