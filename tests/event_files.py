"""Event files as trainers write them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import google_crc32c
import numpy as np
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.text import metadata as text_metadata
from tensorboard.util import tensor_util

REWARD = "Environment/Cumulative Reward"
LENGTH = "Environment/Episode Length"
SUCCESS = "Environment/Success"
START = 1_700_000_000.0


def masked_crc(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def record(payload: bytes) -> bytes:
    """A TFRecord; TensorBoard's own record writer gives the same bytes, fifty times slower."""
    header = struct.pack("<Q", len(payload))
    return header + masked_crc(header) + payload + masked_crc(payload)


def event(values: Sequence[summary_pb2.Summary.Value], step: int, wall_time: float) -> bytes:
    return record(
        event_pb2.Event(wall_time=wall_time, step=step, summary=summary_pb2.Summary(value=values)).SerializeToString()
    )


def version(wall_time: float = START) -> bytes:
    return record(event_pb2.Event(wall_time=wall_time, file_version="brain.Event:2").SerializeToString())


def scalar(tag: str, value: float, step: int, wall_time: float = START) -> bytes:
    return event([summary_pb2.Summary.Value(tag=tag, simple_value=value)], step, wall_time)


def tensor_scalar(tag: str, value: float, step: int, *, named: bool, wall_time: float = START) -> bytes:
    """As TensorFlow 2 writes it; only the first of a tag must name its plugin."""
    tensor = tensor_util.make_tensor_proto(np.float32(value))
    made = summary_pb2.Summary.Value(tag=tag, tensor=tensor)
    if named:
        made.metadata.plugin_data.plugin_name = "scalars"
    return event([made], step, wall_time)


def histogram(tag: str, count: int, step: int, wall_time: float = START, *, beside: str | None = None) -> bytes:
    """A histogram; with ``beside``, a scalar of that tag in the same record."""
    edges = [float(edge) for edge in range(count % 7 + 2)]
    made = summary_pb2.HistogramProto(
        min=0.0, max=1.0, num=count, sum=count / 2, sum_squares=count / 4, bucket_limit=edges, bucket=edges
    )
    values = [summary_pb2.Summary.Value(tag=tag, histo=made)]
    if beside:
        values.append(summary_pb2.Summary.Value(tag=beside, simple_value=count))
    return event(values, step, wall_time)


def text(tag: str, words: str, step: int = 0, wall_time: float = START, *, named: bool = True) -> bytes:
    """A text; only the first of a tag must name its plugin."""
    made = summary_pb2.Summary.Value(
        tag=tag, tensor=tensor_util.make_tensor_proto(np.array([words.encode()], dtype=object))
    )
    if named:
        made.metadata.CopyFrom(text_metadata.create_summary_metadata(display_name="", description=""))
    return event([made], step, wall_time)


def image(tag: str, step: int, wall_time: float = START) -> bytes:
    made = summary_pb2.Summary.Image(height=1, width=1, colorspace=3, encoded_image_string=b"\x89PNG")
    return event([summary_pb2.Summary.Value(tag=tag, image=made)], step, wall_time)


def summaries(
    steps: Iterable[int],
    curves: Mapping[str, Sequence[float]],
    *,
    episodes: Sequence[int] | None = None,
    start: float = START,
    seconds: float = 1.0,
) -> list[bytes]:
    """One record per tag and summary, as ML-Agents writes them, ``seconds`` apart; a histogram beside each reward."""
    made: list[bytes] = []
    for index, step in enumerate(steps):
        wall_time = start + seconds * (index + 1)
        for tag, values in curves.items():
            made.append(scalar(tag, values[index], step, wall_time))
            if episodes is not None and tag == REWARD:
                made.append(histogram(f"{REWARD}_hist", episodes[index], step, wall_time))
    return made


def write(run: Path, records: Iterable[bytes], *, behavior: str = "Nav", start: float = START) -> Path:
    """Write an event file under ``<run>/<behavior>/``, named and begun as PyTorch's SummaryWriter would."""
    path = run / behavior / f"events.out.tfevents.{int(start)}.host.1.0"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(version(start) + b"".join(records))
    return path
