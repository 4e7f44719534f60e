"""Prints a digest of a checkpoint's tensors, under the trainer's interpreter: ``PYTHON digest.py checkpoint.pt``.

One JSON line: for each module of the checkpoint the md5 of all its tensors, in order of their names.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from typing import Any

import torch


def tensors(value: Any) -> Iterator[Any]:
    """All tensors in a state dict, however deep."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        for key in sorted(value, key=str):
            yield from tensors(value[key])
    elif isinstance(value, list | tuple):
        for each in value:
            yield from tensors(each)


def digest(state: Any) -> str:
    """The md5 of a module's tensors."""
    whole = hashlib.md5(usedforsecurity=False)
    for tensor in tensors(state):
        whole.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return whole.hexdigest()


if __name__ == "__main__":
    saved = torch.load(sys.argv[1], map_location="cpu", weights_only=True)
    sys.stdout.write(json.dumps({name: digest(state) for name, state in saved.items()}) + "\n")
