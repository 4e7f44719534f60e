"""Which version a text means: an id, ``name@alias``, or a name, whose newest version it is."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator
from pathlib import Path

from unity_mlops_mcp.errors import ConflictError, NotFoundError
from unity_mlops_mcp.registry.naming import model_name, version_folder
from unity_mlops_mcp.registry.records import ModelVersion, PolicyFile
from unity_mlops_mcp.store.rows import VersionRow
from unity_mlops_mcp.store.store import Store


def version_of(row: VersionRow) -> ModelVersion:
    """The version that a row holds."""
    return ModelVersion.model_validate(row.data)


def folder_of(home: Path, version: ModelVersion) -> Path:
    """Where a version's files lie."""
    return version_folder(home, version.name, version.version_id)


def policies_of(home: Path, version: ModelVersion) -> Iterator[tuple[PolicyFile, Path]]:
    """The policies of a version with their files, which are those that were registered.

    Raises:
        NotFoundError: a file is gone.
        ConflictError: a file was changed since.
    """
    for policy in version.policies:
        path = folder_of(home, version) / policy.file
        if not path.is_file():
            raise NotFoundError(f"The file {path} of {version.version_id} is gone.", fix="Restore it from a backup.")
        if hashlib.sha256(path.read_bytes()).hexdigest() != policy.sha256:
            raise ConflictError(
                f"{path} is not the file that was registered: its SHA-256 is no longer {policy.sha256}.",
                fix="Restore it from a backup, or register what it is now: register_model(onnx_path=…).",
                cause="version_changed",
            )
        yield policy, path


def resolve(store: Store, text: str) -> ModelVersion:
    """The version that is meant.

    Raises:
        NotFoundError: there is none; the fix names what comes nearest.
    """
    found = store.models.version(text.strip().lower())
    if found is not None:
        return version_of(found)
    name, _, alias = text.strip().partition("@")
    known = require_model(store, name)
    if alias:
        return _aliased(store, known, alias.strip().lower())
    newest = store.models.versions(known)
    return version_of(newest[0])


def require_model(store: Store, title: str) -> str:
    """The name of a model that there is.

    Raises:
        NotFoundError: there is none of this name.
    """
    name = model_name(title)
    if store.models.get(name) is not None:
        return name
    known = [row.name for row in store.models.page(limit=200).rows]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    raise NotFoundError(
        f"There is no model or version {title!r}.",
        fix=f"{hint}Models: {', '.join(known[:8]) or 'none yet; register_model makes the first'}.",
        cause="no_such_model",
    )


def _aliased(store: Store, name: str, alias: str) -> ModelVersion:
    row = store.models.alias(name, alias)
    found = store.models.version(row.version_id) if row else None
    if found is None:
        known = ", ".join(one.alias for one in store.models.aliases(name)) or "none yet; promote_model sets them"
        raise NotFoundError(
            f"The model {name} has no alias {alias!r}.", fix=f"Its aliases: {known}.", cause="no_such_alias"
        )
    return version_of(found)
