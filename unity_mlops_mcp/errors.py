"""One base error, few children; every message says what was found, where, and what to do next."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable, Sequence


class MlopsError(Exception):
    """What went wrong, in the words that a person or a model reads.

    Attributes:
        cause: a short stable code, such as ``"port_in_use"``.
        message: what was found, and where.
        fix: what to do next: valid values, the call or the command that mends it.
        evidence: the lines that show it, at most a few.
    """

    default_cause = "error"

    def __init__(self, message: str, *, fix: str, cause: str | None = None, evidence: Sequence[str] = ()) -> None:
        super().__init__(message, fix)
        self.cause = cause or self.default_cause
        self.message = message
        self.fix = fix
        self.evidence = tuple(evidence)

    def __str__(self) -> str:
        """Message and fix as one text."""
        return f"{self.message} {self.fix}".strip()


class InvalidInputError(MlopsError):
    """The caller's input cannot be used; nothing was started."""

    default_cause = "invalid_input"


class NotFoundError(MlopsError):
    """No such run, job, build, file or name; the fix names the ones there are."""

    default_cause = "not_found"


class ConflictError(MlopsError):
    """The thing exists, is busy or changed meanwhile; nothing was done."""

    default_cause = "conflict"


class SetupError(MlopsError):
    """Something this machine needs is missing or broken: an interpreter, a package, space, a port."""

    default_cause = "setup"


class ExternalError(MlopsError):
    """A program or service that we drive failed: the trainer, a player, an Editor, an index."""

    default_cause = "external"


def unknown_name(name: str, known: Iterable[str]) -> str:
    """What is wrong with a name that is none of those there are: the nearest one, or else all of them."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"unknown; did you mean {near[0]}?" if near else f"unknown; there are: {', '.join(names) or 'none'}"


_SYSTEM = {
    errno.ENOSPC: ("disk_full", "Free space on that disk, or set UNITY_MLOPS_HOME to another one; then call again."),
    errno.EROFS: ("not_writable", "Make that file system writable, or set UNITY_MLOPS_HOME to a folder that is."),
    errno.EACCES: ("not_writable", "Give this user the right to it, or set UNITY_MLOPS_HOME to another folder."),
    errno.EMFILE: ("too_many_files", "End some of what runs, or raise the limit (`ulimit -n 4096`)."),
}
_SYSTEM |= {errno.EPERM: _SYSTEM[errno.EACCES]}
if hasattr(errno, "EDQUOT"):  # not on Windows
    _SYSTEM |= {errno.EDQUOT: _SYSTEM[errno.ENOSPC]}


def refused_by_system(error: BaseException) -> SetupError | None:
    """What the operating system refused, in words: a full disk, a missing right; None for any other error."""
    if not isinstance(error, OSError) or error.errno not in _SYSTEM:
        return None
    cause, fix = _SYSTEM[error.errno]
    place = f" ({error.filename})" if error.filename else ""
    return SetupError(f"The system refused it: {error.strerror}{place}.", fix=fix, cause=cause)
