"""Which git revision a folder is at, for the record of a run."""

from __future__ import annotations

from pathlib import Path

from unity_mlops_mcp.errors import MlopsError
from unity_mlops_mcp.process.commands import find, run


def git_revision(folder: Path) -> str | None:
    """The full hash of HEAD, with ``-dirty`` where files differ from it; None outside a repository or without git."""
    git = find("git")
    if git is None:
        return None
    try:
        head = run([git, "-C", folder, "rev-parse", "HEAD"], timeout_s=10).stdout.strip()
        changes = run([git, "-C", folder, "status", "--porcelain", "--untracked-files=no"], timeout_s=10).stdout.strip()
    except MlopsError:
        return None
    return f"{head}-dirty" if changes else head
