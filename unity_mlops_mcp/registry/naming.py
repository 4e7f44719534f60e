"""Names of models and ids of versions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.registry.records import PolicyFile, RevisionOf

_LONGEST = 64
_SHORT = 7
_ALIAS = re.compile(r"[a-z][a-z0-9-]{0,62}")


class Revision(NamedTuple):
    """Seven digits, what they are of, and whether files differed from it."""

    sha: str
    of: RevisionOf
    dirty: bool


def model_name(title: str) -> str:
    """The name of a model: lower case; NavigationAgent and navigationagent are one model.

    Raises:
        InvalidInputError: there is no letter or digit in it, or it is too long.
    """
    name = re.sub(r"[^a-z0-9]+", "-", title.strip().lower()).strip("-")
    if not name or len(name) > _LONGEST:
        raise InvalidInputError(
            f"{title!r} is no name for a model.", fix=f"Give a name of 1 to {_LONGEST} letters and digits."
        )
    return name


def alias_name(alias: str) -> str:
    """An alias, lower case.

    Raises:
        InvalidInputError: it is none, or looks like a version's number.
    """
    name = alias.strip().lower()
    if not _ALIAS.fullmatch(name) or re.fullmatch(r"v\d+", name):
        raise InvalidInputError(
            f"{alias!r} is no alias.",
            fix="Use a letter and then letters, digits or dashes, such as production or staging.",
        )
    return name


def revision(known: str | None, of: RevisionOf, policy_sha256: str) -> Revision:
    """The revision in an id: the one that is known, else the policy's own hash.

    Args:
        known: a full git hash, with ``-dirty`` behind it where files differed.
        of: what it is the revision of.
        policy_sha256: of the policy.
    """
    if not known:
        return Revision(policy_sha256[:_SHORT], "policy", dirty=False)
    return Revision(known[:_SHORT], of, dirty=known.endswith("-dirty"))


def version_id(name: str, made: datetime, sha: str, number: int) -> str:
    """Such as ``unity-navigationagent-20260222-a1b2c3d-v004``."""
    return f"unity-{name}-{made.astimezone(timezone.utc):%Y%m%d}-{sha}-v{number:03}"


def version_folder(home: Path, name: str, version_id: str) -> Path:
    """Where the files of a version lie."""
    return home / "models" / name / version_id


def combined_sha256(policies: Sequence[PolicyFile]) -> str:
    """The hash of the one policy, or one over those of all behaviours."""
    if len(policies) == 1:
        return policies[0].sha256
    lines = "".join(f"{policy.behavior}:{policy.sha256}\n" for policy in sorted(policies, key=lambda one: one.behavior))
    return hashlib.sha256(lines.encode()).hexdigest()
