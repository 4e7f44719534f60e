"""A protobuf message of fixed length as a numpy record: constant bytes, and columns between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unity_mlops_mcp.protocol.wire import LENGTH, tag, varint


@dataclass(frozen=True)
class RowLayout:
    """One agent's message: the constant bytes, and where the columns lie.

    Attributes:
        record: the columns, as a numpy dtype with gaps between them.
        template: one record's bytes with every constant byte in place; numpy does not copy the gaps of a record.
        observations: the columns' names, one per sensor.
        constant: True at each of the record's bytes that is the same for all agents.
    """

    record: np.dtype[np.void]
    template: NDArray[np.uint8]
    observations: tuple[str, ...]
    constant: NDArray[np.bool_]

    def copies(self, count: int) -> NDArray[np.void]:
        """That many records to be filled in."""
        return np.tile(self.template, count).view(self.record)


class RowWriter:
    """Collects a row's constant bytes and the columns between them."""

    def __init__(self) -> None:
        self.content = b""
        self.columns: list[tuple[str, Any, int]] = []

    def column(self, name: str, kind: Any, prefix: bytes, blank: bytes) -> None:
        """Append a field whose value differs by agent: its tag, and what stands for the value."""
        self.content += prefix
        self.columns.append((name, kind, len(self.content)))
        self.content += blank

    def wrap(self, number: int, inner: RowWriter) -> None:
        """Append a nested message."""
        prefix = tag(number, LENGTH) + varint(len(inner.content))
        start = len(self.content) + len(prefix)
        self.content += prefix + inner.content
        self.columns += [(name, kind, start + offset) for name, kind, offset in inner.columns]

    def layout(self) -> RowLayout:
        """What was collected."""
        names, formats, offsets = zip(*self.columns, strict=True)
        record = np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": len(self.content)})
        constant = np.ones(record.itemsize, bool)
        for _, column, offset in self.columns:
            constant[offset : offset + np.dtype(column).itemsize] = False
        observations = tuple(name for name in names if name.startswith("observation"))
        return RowLayout(record, np.frombuffer(self.content, np.uint8), observations, constant)
