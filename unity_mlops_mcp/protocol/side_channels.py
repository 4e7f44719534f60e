"""The side channels that travel beside the steps: environment parameters, engine configuration, statistics.

A channel's message is its uuid (little-endian), an int32 length and the content; all numbers are little-endian.
Source: ``mlagents_envs/side_channel/`` of ML-Agents 1.1.0.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np

from unity_mlops_mcp.protocol.simulation import Aggregation, Floats, Stat

PARAMETERS = uuid.UUID("534c891e-810f-11ea-a9d0-822485860400")
ENGINE = uuid.UUID("e951342c-4f7e-11ea-b238-784f4387d1f7")
STATS = uuid.UUID("a1d8f7b7-cec8-50f9-b78b-d3e165a78520")

SamplerKind = Literal["uniform", "gaussian", "multirangeuniform"]
EngineSetting = Literal["screen_resolution", "quality_level", "time_scale", "target_frame_rate", "capture_frame_rate"]

_FLOAT, _SAMPLER = 0, 1
_GOLDEN_RATIO = (5**0.5 - 1) / 2
_TINY = 1e-9
_SAMPLER_KINDS: tuple[SamplerKind, ...] = get_args(SamplerKind)
_SETTINGS: tuple[EngineSetting, ...] = get_args(EngineSetting)
_SETTING_FORMATS = {"screen_resolution": "<ii", "time_scale": "<f"}
_AGGREGATIONS: tuple[Aggregation, ...] = get_args(Aggregation)


@dataclass(frozen=True)
class Sampler:
    """A distribution that the player draws an environment parameter from.

    Attributes:
        kind: what it is.
        numbers: uniform: min, max; gaussian: mean, standard deviation; multirangeuniform: min, max of each range.
        seed: of the sequence.
    """

    kind: SamplerKind
    numbers: tuple[float, ...]
    seed: int = 0

    def draw(self, uniforms: Floats) -> Floats:
        """One value for each uniform number in [0, 1); a range among several counts by its width, as in Unity.

        Returns:
            float32, of the same shape (n,).
        """
        # The seed turns the circle of numbers, so that another seed gives another sequence.
        turned = (uniforms.astype(np.float64) + self.seed % 2**32 * _GOLDEN_RATIO) % 1
        if self.kind == "gaussian":
            normal = NormalDist().inv_cdf
            standard = np.array([normal(min(max(number, _TINY), 1 - _TINY)) for number in turned])
            return (self.numbers[0] + self.numbers[1] * standard).astype(np.float32)
        low, high = np.array(self.numbers[0::2]), np.array(self.numbers[1::2])
        # Widths laid end to end: a number's place on that line is its range and its place within it.
        ends = np.cumsum(high - low)
        place = turned * ends[-1]
        chosen = np.minimum(np.searchsorted(ends, place, side="right"), len(ends) - 1)
        values: Floats = (high[chosen] - (ends[chosen] - place)).astype(np.float32)
        return values


@dataclass(frozen=True)
class Parameter:
    """An environment parameter: a value, or how to draw it."""

    name: str
    value: float | Sampler


@dataclass(frozen=True)
class Engine:
    """One engine setting: the screen's width and height, or a single number."""

    setting: EngineSetting
    values: tuple[float, ...]


def messages_in(data: bytes) -> Iterator[tuple[uuid.UUID, bytes]]:
    """Split what came beside a step into channel and content.

    Raises:
        ValueError: the bytes end within a message.
    """
    at = 0
    while at < len(data):
        head = data[at : at + 20]
        if len(head) < 20:  # noqa: PLR2004 - a uuid and a length
            raise ValueError("a side channel's message is cut off")
        (size,) = struct.unpack_from("<i", head, 16)
        at += 20
        content = data[at : at + size]
        if size < 0 or len(content) < size:
            raise ValueError("a side channel's message is cut off")
        yield uuid.UUID(bytes_le=head[:16]), content
        at += size


def _message(channel: uuid.UUID, content: bytes) -> bytes:
    return channel.bytes_le + struct.pack("<i", len(content)) + content


def _text(text: str) -> bytes:
    # ML-Agents decodes as ASCII and would raise on anything else.
    encoded = text.encode("ascii", "replace")
    return struct.pack("<i", len(encoded)) + encoded


def _read_text(content: bytes) -> tuple[str, int]:
    (size,) = struct.unpack_from("<i", content, 0)
    return content[4 : 4 + size].decode("utf-8", "replace"), 4 + size


def encode_parameter(parameter: Parameter) -> bytes:
    """An environment parameter for the player."""
    value = parameter.value
    if not isinstance(value, Sampler):
        return _message(PARAMETERS, _text(parameter.name) + struct.pack("<if", _FLOAT, value))
    head = struct.pack("<iii", _SAMPLER, value.seed, _SAMPLER_KINDS.index(value.kind))
    count = struct.pack("<i", len(value.numbers)) if value.kind == "multirangeuniform" else b""
    numbers = struct.pack(f"<{len(value.numbers)}f", *value.numbers)
    return _message(PARAMETERS, _text(parameter.name) + head + count + numbers)


def decode_parameter(content: bytes) -> Parameter:
    """What `encode_parameter` wrote.

    Raises:
        ValueError: a type of parameter or sampler that ML-Agents 1.1.0 does not have.
    """
    name, at = _read_text(content)
    (kind,) = struct.unpack_from("<i", content, at)
    if kind == _FLOAT:
        return Parameter(name, struct.unpack_from("<f", content, at + 4)[0])
    seed, index = struct.unpack_from("<ii", content, at + 4)
    if kind != _SAMPLER or not 0 <= index < len(_SAMPLER_KINDS):
        raise ValueError(f"the parameter {name} has an unknown type {kind}/{index}")
    at += 12
    count = 2
    if _SAMPLER_KINDS[index] == "multirangeuniform":
        (count,) = struct.unpack_from("<i", content, at)
        at += 4
    return Parameter(name, Sampler(_SAMPLER_KINDS[index], struct.unpack_from(f"<{count}f", content, at), seed))


def encode_engine(engine: Engine) -> bytes:
    """An engine setting for the player."""
    layout = _SETTING_FORMATS.get(engine.setting, "<i")
    values = engine.values if layout == "<f" else tuple(int(value) for value in engine.values)
    return _message(ENGINE, struct.pack("<i", _SETTINGS.index(engine.setting)) + struct.pack(layout, *values))


def decode_engine(content: bytes) -> Engine:
    """What `encode_engine` wrote.

    Raises:
        ValueError: a setting that ML-Agents 1.1.0 does not have.
    """
    (index,) = struct.unpack_from("<i", content, 0)
    if not 0 <= index < len(_SETTINGS):
        raise ValueError(f"unknown engine setting {index}")
    setting = _SETTINGS[index]
    return Engine(setting, struct.unpack_from(_SETTING_FORMATS.get(setting, "<i"), content, 4))


def encode_stats(stats: Iterable[Stat]) -> bytes:
    """Statistics for the trainer, one message each."""
    return b"".join(
        _message(STATS, _text(stat.name) + struct.pack("<fi", stat.value, _AGGREGATIONS.index(stat.aggregation)))
        for stat in stats
    )


def decode_stat(content: bytes) -> Stat:
    """What `encode_stats` wrote for one statistic."""
    name, at = _read_text(content)
    value, index = struct.unpack_from("<fi", content, at)
    return Stat(name, value, _AGGREGATIONS[index])
