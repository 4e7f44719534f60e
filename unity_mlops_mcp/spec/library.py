"""The specs that were made or given, kept in the home under an id."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from unity_mlops_mcp.errors import InvalidInputError, NotFoundError
from unity_mlops_mcp.process.files import write_atomically
from unity_mlops_mcp.spec.archetypes import load_archetype
from unity_mlops_mcp.spec.base import Part
from unity_mlops_mcp.spec.environment import EnvironmentSpec
from unity_mlops_mcp.spec.nearest import nearest_archetype


class SavedSpec(Part):
    """An environment spec with the archetype it came from and the trainer settings that go with it."""

    spec_id: str
    """Such as ``reachtarget-1a2b3c4d``: the behaviour's name and the first digits of the spec's digest."""
    spec: EnvironmentSpec
    """The environment."""
    archetype: str | None = None
    """The preset it came from; None for a spec that the caller wrote."""
    training: dict[str, Any]
    """Body of ``behaviors.<name>`` in the trainer YAML."""
    areas: int = 64
    """Areas in one player that `training` was tuned for."""


def save_spec(
    home: Path, spec: EnvironmentSpec, *, archetype: str | None, training: dict[str, Any] | None
) -> SavedSpec:
    """Keep a spec; the same spec keeps its id.

    Args:
        home: the home folder.
        spec: the environment.
        archetype: the preset it came from, or None.
        training: its trainer settings; None takes those of the archetype that is nearest to it.
    """
    nearest = load_archetype(archetype) if archetype else nearest_archetype(spec)
    saved = SavedSpec(
        spec_id=f"{spec.name.lower()}-{spec.digest()[:8]}",
        spec=spec,
        archetype=archetype,
        training=training or nearest.training,
        areas=nearest.areas,
    )
    folder = home / "specs"
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / f"{saved.spec_id}.json", (saved.model_dump_json(indent=2) + "\n").encode())
    return saved


def load_spec(home: Path, spec_id: str) -> SavedSpec:
    """The spec of this id.

    Raises:
        NotFoundError: there is none; the fix names the newest ones.
        InvalidInputError: its file is damaged.
    """
    known = {path.stem: path for path in (home / "specs").glob("*.json")}
    if spec_id not in known:
        newest = sorted(known, key=lambda name: known[name].stat().st_mtime, reverse=True)[:5]
        raise NotFoundError(
            f"There is no spec {spec_id!r}.",
            fix=f"Use one of: {', '.join(newest) or 'none yet'}; or pass `description` or `spec` to build_environment.",
            cause="no_such_spec",
        )
    try:
        return SavedSpec.model_validate(json.loads(known[spec_id].read_text(encoding="utf-8")))
    except ValueError as error:
        raise InvalidInputError(
            f"The kept spec {known[spec_id]} is damaged: {str(error).splitlines()[0]}.",
            fix="Call build_environment again with the description or spec that it was made from; that writes it anew.",
            cause="spec_damaged",
        ) from error
