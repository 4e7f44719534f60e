"""Which git revision a folder is at, for the record of a run."""

from __future__ import annotations

from pathlib import Path

from unity_mlops_mcp.errors import MlopsError
from unity_mlops_mcp.process.commands import find, run

TIMEOUT_S = 5.0


def git_revision(folder: Path) -> str | None:
    """The full hash of HEAD, with ``-dirty`` where files differ from it; None outside a repository or without git.

    A project so large that git does not tell its changes in time gives the hash alone.
    """
    head = _git(folder, "rev-parse", "--verify", "HEAD")
    if not head:
        return None
    return f"{head}-dirty" if _git(folder, "status", "--porcelain", "--untracked-files=no") else head


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says; None when it fails or takes too long. The folder's own settings start no program of theirs."""
    git = find("git")
    if git is None:
        return None
    harmless = ("--no-optional-locks", "-c", "core.fsmonitor=false", "-C", folder)
    try:
        done = run([git, *harmless, *arguments], timeout_s=TIMEOUT_S)
    except MlopsError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
