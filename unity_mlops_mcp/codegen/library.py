"""The scripts that were generated, kept in the home beside their specs."""

from __future__ import annotations

import json
from pathlib import Path

from unity_mlops_mcp.codegen.records import GeneratedScript
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.process.files import write_atomically


def save_script(home: Path, spec_id: str, script: GeneratedScript) -> None:
    """Keep the script of a spec; it replaces the one that was kept before.

    Args:
        home: the home folder.
        spec_id: of the spec that it was made from.
        script: what was made.
    """
    path = _path(home, spec_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (script.model_dump_json(indent=2) + "\n").encode())


def load_script(home: Path, spec_id: str) -> GeneratedScript | None:
    """The script that is kept for a spec, or None.

    Raises:
        InvalidInputError: its file is damaged.
    """
    path = _path(home, spec_id)
    if not path.is_file():
        return None
    try:
        return GeneratedScript.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise InvalidInputError(
            f"The kept script {path} is damaged: {str(error).splitlines()[0]}.",
            fix="Call generate_behavior_script again; that writes it anew.",
            cause="script_damaged",
        ) from error


def _path(home: Path, spec_id: str) -> Path:
    return home / "scripts" / f"{spec_id}.json"
