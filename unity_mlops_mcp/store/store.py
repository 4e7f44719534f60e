"""The home on disk and the tables in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import final

from unity_mlops_mcp.errors import SetupError
from unity_mlops_mcp.process.files import FileLock, Mount, mounts, network_mount
from unity_mlops_mcp.store.builds import BuildTable
from unity_mlops_mcp.store.database import Database
from unity_mlops_mcp.store.evaluations import EvaluationTable
from unity_mlops_mcp.store.events import Events
from unity_mlops_mcp.store.jobs import JobTable
from unity_mlops_mcp.store.models import ModelTable
from unity_mlops_mcp.store.notices import NoticeTable
from unity_mlops_mcp.store.presence import Presence
from unity_mlops_mcp.store.pruning import Pruning
from unity_mlops_mcp.store.runs import RunTable
from unity_mlops_mcp.store.schedules import ScheduleTable
from unity_mlops_mcp.store.snapshot import Contents, contents, copy_database
from unity_mlops_mcp.store.tokens import TokenTable


@final
class Store:
    """All state of one home; several processes may have it open at once.

    Args:
        home: the folder; made when missing, for this user alone.
        mounted: gives what is mounted on this machine.

    Raises:
        SetupError: the home cannot be written, lies on a network file system, or belongs to a newer version.
        ConflictError: processes of another container live in it.
    """

    def __init__(self, home: Path, *, mounted: Callable[[], Sequence[Mount]] = mounts) -> None:
        _refuse_network(home, mounted)
        _make_private(home)
        self.home = home
        self.locks = home / "locks"
        self.presence = Presence(self.locks)
        self._database = Database(home / "state.db", lock=FileLock(self.locks / "schema.lock"))
        self.jobs = JobTable(self._database)
        self.events = Events(self._database)
        self.runs = RunTable(self._database)
        self.builds = BuildTable(self._database)
        self.evaluations = EvaluationTable(self._database)
        self.models = ModelTable(self._database)
        self.schedules = ScheduleTable(self._database)
        self.notices = NoticeTable(self._database)
        self.tokens = TokenTable(self._database)
        self.pruning = Pruning(self._database)

    def copy_database(self, target: Path) -> None:
        """Copy the database in one state to a new file, while others may write to it.

        Raises:
            ExternalError: it cannot be read, or the copy cannot be written.
        """
        copy_database(self.home / "state.db", target)

    def contents(self) -> Contents:
        """The ids of all that is known, in one state.

        Raises:
            ExternalError: the database cannot be read.
        """
        return contents(self.home / "state.db")

    def changes(self) -> int:
        """A number that is another one after every commit to this home, of whatever process."""
        return self._database.changes()

    def close(self) -> None:
        """Close the database and live here no longer."""
        self._database.close()
        self.presence.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _refuse_network(home: Path, mounted: Callable[[], Sequence[Mount]]) -> None:
    mount = network_mount(home, mounted=mounted)
    if mount is not None:
        raise SetupError(
            f"The home {home} lies on a network file system ({mount.type} at {mount.point}), where neither the locks "
            "nor the database are safe.",
            fix="Set UNITY_MLOPS_HOME to a folder on a local disk of this machine.",
            cause="network_home",
        )


def _make_private(home: Path) -> None:
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not any(home.iterdir()):  # with something in it the folder is not ours alone: /tmp must stay everybody's
            with suppress(PermissionError):  # a volume of another owner that we may write: its owner decides
                home.chmod(0o700)
        (home / "locks").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"The home {home} cannot be used: {error.strerror}.",
            fix="Make the folder writable for this user, or set UNITY_MLOPS_HOME to one that is.",
            cause="home_not_writable",
        ) from error
