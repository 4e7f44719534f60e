"""Datasets by their path: one file, several, or a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.protocol.simulation import BehaviorSpec
from unity_mlops_mcp.training.datasets import demo, transitions
from unity_mlops_mcp.training.datasets.fitting import misfits
from unity_mlops_mcp.training.datasets.records import Dataset, Format, Trajectory

MOST_BYTES = 2_000_000_000
_READERS = {demo.SUFFIX: demo.read_demo, transitions.SUFFIX: transitions.read_transitions}
_FORMATS: dict[str, Format] = {demo.SUFFIX: "demo", transitions.SUFFIX: "jsonl"}


def read_dataset(settings: Settings, path: str) -> Dataset:
    """All episodes under a path.

    Args:
        settings: name the folders that may be read.
        path: a .demo or .jsonl file, a folder of them, or several of either, separated by commas.

    Raises:
        InvalidInputError: nothing is there, it may not be read, or it is no dataset; or its files are of different
            formats or behaviours.
    """
    files = dataset_files(settings, path)
    suffixes = {file.suffix for file in files}
    if len(suffixes) > 1:
        raise _refused(f"{path} holds .demo and .jsonl files.", "Name those of one format.")
    content = [file.read_bytes() for file in files]
    parts = [_READERS[file.suffix](file, data) for file, data in zip(files, content, strict=True)]
    behavior = parts[0][0]
    for file, (other, _, _) in zip(files, parts, strict=True):
        _require_same(files[0], behavior, file, other)
    episodes: list[Trajectory] = [episode for _, found, _ in parts for episode in found]
    if not episodes:
        raise _refused(f"{path} holds no episode with a decision.", "Record at least one whole episode.")
    return Dataset(
        behavior,
        tuple(episodes),
        files,
        format=_FORMATS[files[0].suffix],
        sha256=_digest(content),
        remarks=tuple(remark for _, _, told in parts for remark in told),
    )


def dataset_files(settings: Settings, path: str) -> tuple[Path, ...]:
    """The files that a path means, in a fixed order.

    Raises:
        InvalidInputError: there are none, they may not be read, or are too large.
    """
    named = [part.strip() for part in path.split(",") if part.strip()]
    files = tuple(file for part in named for file in _files(settings.allowed_path(part, what="dataset"), part))
    if not files:
        raise _refused("No dataset was named.", "Give a .demo or .jsonl file, or a folder of them.")
    if sum(file.stat().st_size for file in files) > MOST_BYTES:
        raise _refused(f"{path} is larger than {MOST_BYTES:,} bytes.", "Name fewer of its files.")
    return tuple(dict.fromkeys(files))


def _files(path: Path, named: str) -> list[Path]:
    if path.is_dir():
        found = sorted(file for file in path.iterdir() if file.suffix in _READERS and file.is_file())
        if not found:
            raise _refused(f"The folder {path} holds no .demo or .jsonl file.", "Name the folder that holds them.")
        return found
    if not path.is_file():
        raise _refused(f"There is no dataset {path}.", "Name an existing .demo or .jsonl file, or a folder of them.")
    if path.suffix not in _READERS:
        raise _refused(f"{named} is neither a .demo nor a .jsonl file.", "docs/offline.md describes both formats.")
    return [path]


def _require_same(first: Path, behavior: BehaviorSpec, file: Path, other: BehaviorSpec) -> None:
    told = misfits(other, behavior)
    if other.name != behavior.name:
        told = [f"it is of {other.name}, the other of {behavior.name}", *told]
    if told:
        raise _refused(f"{file} does not go with {first}: {'; '.join(told)}.", "Name files of one behaviour only.")


def _digest(content: Sequence[bytes]) -> str:
    seen = hashlib.sha256()
    for part in content:
        seen.update(hashlib.sha256(part).digest())
    return seen.hexdigest()


def _refused(message: str, fix: str) -> InvalidInputError:
    return InvalidInputError(message, fix=fix, cause="dataset")
