"""The exact packages of the managed trainer, and the marker that says an environment was made from them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from unity_mlops_mcp.process.files import write_atomically

MARKER = "unity-mlops-trainer.json"
FITTING = ((3, 10), (3, 13))
"""The oldest and the newest Python that the managed trainer runs on."""

ListName = Literal["modern", "python310"]


class Marker(BaseModel):
    """What the marker file in a managed trainer's folder says; it is written when everything else is done."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    list_name: ListName
    pins: str
    made_at: str
    product: str


class Downloads(BaseModel):
    """About how much one list of pins downloads, and takes on disk, in MB."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    packages: int
    cpu: int
    cpu_installed: int
    cuda: int
    cuda_installed: int


def list_for(version: tuple[int, int]) -> ListName:
    """Which list is made for a Python version: current packages from 3.11 on, mlagents' own old ones on 3.10."""
    return "python310" if version == (3, 10) else "modern"


def fits(version: tuple[int, int]) -> bool:
    """Whether the managed trainer runs on this Python version."""
    return FITTING[0] <= version <= FITTING[1]


def packages(name: ListName) -> tuple[str, ...]:
    """The requirements of a list, torch excepted."""
    return tuple(line for line in _lines(name) if not line.startswith("torch=="))


def torch_requirement(name: ListName) -> str:
    """The torch of a list, such as ``torch==2.13.0``."""
    return next(line for line in _lines(name) if line.startswith("torch=="))


def _lines(name: ListName) -> list[str]:
    text = (Path(__file__).parent / "pins" / f"{name}.txt").read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def downloads(name: ListName) -> Downloads:
    """The sizes of a list, as ``pins/downloads.yaml`` has them."""
    data = yaml.safe_load((Path(__file__).parent / "pins" / "downloads.yaml").read_text(encoding="utf-8"))
    return Downloads(**data[name])


def digest(name: ListName) -> str:
    """A text that changes with the list's requirements, not with its comments."""
    return hashlib.sha256("\n".join(_lines(name)).encode()).hexdigest()[:16]


def read_marker(folder: Path) -> Marker | None:
    """The marker of an environment; None when it has none, or one that cannot be read."""
    try:
        return Marker.model_validate_json((folder / MARKER).read_bytes())
    except (OSError, ValidationError):
        return None


def write_marker(folder: Path, marker: Marker) -> None:
    """Mark an environment as made by us, complete and checked."""
    write_atomically(folder / MARKER, marker.model_dump_json(indent=1).encode())
