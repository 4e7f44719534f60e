"""From the payload of one record to points: plain scalars by a template, everything else by protobuf.

A scalar that PyTorch's SummaryWriter wrote for ML-Agents always looks like this, with the same bytes between step and
value for one tag::

    09 <f64 wall time> 10 <varint step> 2a n 0a n-2 0a <len> <tag> 15 <f32 value>
"""

from __future__ import annotations

import struct
from array import array
from collections import Counter, defaultdict
from typing import Any

import numpy as np
import numpy.typing as npt
from tensorboard.compat.proto import event_pb2, summary_pb2

WALL_TIME, STEP = 0x09, 0x10
"""First bytes of the fields ``wall_time`` and ``step`` of an Event."""

STEP_AT = 9
VALUE_SIZE = 4
MAX_STEP_BYTES = 8
_SHORTEST = STEP_AT + 1 + MAX_STEP_BYTES + 2
MORE = 0x80
"""Set in every byte of a varint but the last."""

_DOUBLE = struct.Struct("<d").unpack_from
_FLOAT = struct.Struct("<f").unpack_from
_PLUGIN_KINDS = {"images": "image", "histograms": "histogram"}


class Columns:
    """The points of one tag in one file: three columns of equal length, in the order of the file."""

    __slots__ = ("steps", "values", "wall_times")

    def __init__(self) -> None:
        self.steps = array("q")
        self.wall_times = array("d")
        self.values = array("d")

    def add(self, step: int, wall_time: float, value: float) -> None:
        """Append one point."""
        self.steps.append(step)
        self.wall_times.append(wall_time)
        self.values.append(value)

    def extend(
        self, steps: npt.NDArray[np.int64], wall_times: npt.NDArray[np.float64], values: npt.NDArray[np.float64]
    ) -> None:
        """Append many points."""
        self.steps.frombytes(steps.tobytes())
        self.wall_times.frombytes(wall_times.tobytes())
        self.values.frombytes(values.tobytes())


class Decoder:
    """Collects the points of one file.

    Attributes:
        scalars: tag → points.
        counts: tag of a histogram → number of values behind each. ML-Agents writes one beside each mean reward,
            ``Environment/Cumulative Reward_hist``, whose count is the number of episodes that ended.
        skipped: kind of record that holds no scalar (text, image, histogram, …) → how many there were.
    """

    def __init__(self) -> None:
        self.scalars: defaultdict[str, Columns] = defaultdict(Columns)
        self.counts: defaultdict[str, Columns] = defaultdict(Columns)
        self.skipped: Counter[str] = Counter()
        self._templates: dict[bytes, Columns] = {}
        self._plugins: dict[str, str] = {}
        self._metadata: dict[str, Any] = {}

    def add(self, block: bytes, start: int, end: int) -> None:
        """Take the payload ``block[start:end]``.

        Raises:
            google.protobuf.message.DecodeError: the payload is not an Event.
            ValueError: a tensor in it cannot be read.
            TypeError: the same.
        """
        key_at = key_position(block, start, end)
        columns = self._templates.get(block[key_at : end - VALUE_SIZE]) if key_at else None
        if columns is None:
            self._parse(block[start:end], block[key_at : end - VALUE_SIZE] if key_at else b"")
            return
        step = _varint(block, start + STEP_AT + 1, key_at)
        columns.add(step, _DOUBLE(block, start + 1)[0], _FLOAT(block, end - VALUE_SIZE)[0])

    def columns_like(self, block: bytes, start: int, end: int, key_at: int) -> Columns | None:
        """Columns of the plain scalar in this payload; None when it is something else. Adds nothing.

        Raises:
            google.protobuf.message.DecodeError: the payload is not an Event.
        """
        key = block[key_at : end - VALUE_SIZE]
        if key not in self._templates:
            self._remember(event_pb2.Event.FromString(block[start:end]), key)
        return self._templates.get(key)

    def _parse(self, payload: bytes, key: bytes) -> None:
        event = event_pb2.Event.FromString(payload)
        kinds = [value.WhichOneof("value") for value in event.summary.value]
        if "tensor" in kinds and not all(self._is_other(value) for value in event.summary.value):
            self._add_with_tensorboard(event)
            return
        for value, kind in zip(event.summary.value, kinds, strict=True):
            if kind == "simple_value":
                self.scalars[value.tag].add(event.step, event.wall_time, value.simple_value)
            elif kind == "histo":
                self.counts[value.tag].add(event.step, event.wall_time, value.histo.num)
                self.skipped["histogram"] += 1
            else:
                self._skip(self._plugins.get(value.tag) or kind or "empty")
        if kinds == ["simple_value"]:
            self._remember(event, key)

    def _remember(self, event: event_pb2.Event, key: bytes) -> None:
        """Keep the key as a template if it is exactly what one plain scalar of this tag has there."""
        values = event.summary.value
        if len(values) == 1 and values[0].HasField("simple_value") and key == _scalar_key(values[0].tag):
            self._templates[key] = self.scalars[values[0].tag]

    def _is_other(self, value: summary_pb2.Summary.Value) -> bool:
        """Whether a value is known to be no scalar; only the first record of a tag must carry its plugin's name."""
        name = value.metadata.plugin_data.plugin_name
        if name:
            self._plugins[value.tag] = name
        return self._plugins.get(value.tag, "scalars") != "scalars"

    def _skip(self, kind: str) -> None:
        self.skipped[_PLUGIN_KINDS.get(kind, kind)] += 1

    def _add_with_tensorboard(self, event: event_pb2.Event) -> None:
        """Scalars in tensor form, as TensorFlow 2 writes them, through the steps of TensorBoard's own event loader."""
        from tensorboard import data_compat, dataclass_compat
        from tensorboard.util import tensor_util

        for migrated in dataclass_compat.migrate_event(data_compat.migrate_event(event), self._metadata):
            for value in migrated.summary.value:
                plugin = self._metadata[value.tag].plugin_data.plugin_name if value.tag in self._metadata else "tensor"
                if plugin == "scalars" and value.HasField("tensor"):
                    number = float(tensor_util.make_ndarray(value.tensor).item())
                    self.scalars[value.tag].add(migrated.step, migrated.wall_time, number)
                else:
                    self._skip(plugin)


def key_position(block: bytes, start: int, end: int) -> int:
    """Where the bytes between step and value begin; 0 when the payload does not begin as a scalar's does."""
    if end - start < _SHORTEST or block[start] != WALL_TIME:
        return 0
    position = start + STEP_AT
    if block[position] != STEP:
        return position
    for last in range(position + 1, position + 1 + MAX_STEP_BYTES):
        if block[last] < MORE:
            return last + 1
    return 0


def histogram_tag(payload: bytes) -> str | None:
    """The tag of a record that holds one histogram and nothing else; None for any other record.

    Raises:
        google.protobuf.message.DecodeError: the payload is not an Event.
    """
    values = event_pb2.Event.FromString(payload).summary.value
    return values[0].tag if len(values) == 1 and values[0].HasField("histo") else None


def _varint(block: bytes, start: int, end: int) -> int:
    """The unsigned number that a protobuf varint holds; 0 for none (a step of 0 may be left out)."""
    number = 0
    for position in range(end - 1, start - 1, -1):
        number = number << 7 | block[position] & 0x7F
    return number


def _scalar_key(tag: str) -> bytes:
    value = summary_pb2.Summary.Value(tag=tag, simple_value=1.0)
    event: bytes = event_pb2.Event(summary=summary_pb2.Summary(value=[value])).SerializeToString()
    return event[:-VALUE_SIZE]
