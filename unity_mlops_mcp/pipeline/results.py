"""What the stages of one pipeline have given so far: JSON files in its job's folder, read back after a crash."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from unity_mlops_mcp.pipeline.records import StageResult
from unity_mlops_mcp.process.files import write_atomically

ResultT = TypeVar("ResultT", bound=StageResult)


class Results:
    """The results in one folder, ``artifacts/<job_id>``.

    Args:
        folder: made when the first result is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, kind: type[ResultT]) -> ResultT | None:
        """The result of this kind; None where its stage has not ended, or left a file that cannot be read."""
        try:
            return kind.model_validate_json((self.folder / f"{kind.stage}.json").read_bytes())
        except (OSError, ValidationError):
            return None

    def of(self, kind: type[ResultT]) -> ResultT:
        """The result of a stage that came before.

        Raises:
            LookupError: it is not there, which the order of the stages rules out.
        """
        found = self.find(kind)
        if found is None:
            raise LookupError(f"{self.folder} has no {kind.stage}.json")
        return found

    def keep(self, result: StageResult) -> None:
        """Write a result down, whole or not at all."""
        text = result.model_dump_json(indent=2) + "\n"
        self.write(f"{result.stage}.json", text)

    def write(self, name: str, text: str) -> Path:
        """Write another file of the pipeline; ``name`` is relative, with forward slashes."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode())
        return path
