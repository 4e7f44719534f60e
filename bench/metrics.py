"""Reading event files: events per second against TensorBoard's EventAccumulator, and what a poll of a grown file costs.

Both read the same generated file in the same run; it has what ML-Agents writes at each summary: eleven scalars and the
histogram of the rewards. Seconds are those of the processor, so that other programs on the machine count little; both
readers use one thread. Run it with ``python bench/metrics.py [summaries]``; it fails below fifty times the speed.
"""

from __future__ import annotations

import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary

from unity_mlops_mcp.metrics.framing import masked_crc
from unity_mlops_mcp.metrics.reader import RunReader

REWARD = "Environment/Cumulative Reward"
TAGS = (
    "Policy/Entropy",
    "Environment/Episode Length",
    "Policy/Extrinsic Value Estimate",
    "Environment/Success",
    "Policy/Extrinsic Reward",
    "Losses/Policy Loss",
    "Losses/Value Loss",
    "Policy/Learning Rate",
    "Policy/Epsilon",
    "Policy/Beta",
)
NEEDED = 50.0
GROWTH = 10


def record(step: int, wall_time: float, **value: object) -> bytes:
    made = Event(wall_time=wall_time, step=step, summary=Summary(value=[Summary.Value(**value)])).SerializeToString()
    header = struct.pack("<Q", len(made))
    return b"".join((header, struct.pack("<I", masked_crc(header)), made, struct.pack("<I", masked_crc(made))))


def summaries(first: int, count: int, *, histograms: bool) -> Iterator[bytes]:
    rng = np.random.default_rng(first)
    for index in range(first, first + count):
        step, wall_time = 1000 * index, 1.7e9 + index
        yield record(step, wall_time, tag=REWARD, simple_value=rng.random())
        if histograms:
            buckets = rng.random(rng.integers(20, 60)).tolist()
            made = HistogramProto(min=-1, max=1, num=64, sum=9, sum_squares=5, bucket_limit=buckets, bucket=buckets)
            yield record(step, wall_time, tag=f"{REWARD}_hist", histo=made)
        for tag in TAGS:
            yield record(step, wall_time, tag=tag, simple_value=rng.random())


def seconds(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began


def against_tensorboard(run: Path, count: int, *, histograms: bool) -> float:
    path = run / "Nav" / "events.out.tfevents.1700000000.host.1.0"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"".join(summaries(1, count, histograms=histograms)))
    events = count * (len(TAGS) + 1 + histograms)
    ours = statistics.median(seconds(lambda: RunReader(run).poll()) for _ in range(5))
    checked = seconds(lambda: RunReader(run, verify=True).poll())
    theirs = seconds(lambda: EventAccumulator(str(path)).Reload())
    kind = "scalars and histograms" if histograms else "scalars only"
    print(f"{events} events ({kind}, {path.stat().st_size / 1e6:.0f} MB)")
    print(f"  EventAccumulator       {events / theirs / 1e3:8.0f} k events/s")
    print(f"  checking each checksum {events / checked / 1e3:8.0f} k events/s, {theirs / checked:5.0f} times")
    print(f"  RunReader              {events / ours / 1e3:8.0f} k events/s, {theirs / ours:5.0f} times")
    return theirs / ours


def poll_of_a_grown_file(run: Path, count: int) -> None:
    path = next(run.glob("*/events*"))
    reader = RunReader(run)
    whole = seconds(reader.poll)
    idle = statistics.median(seconds(reader.poll) for _ in range(50))
    grown = []
    for index in range(20):
        with path.open("ab") as file:
            file.write(b"".join(summaries(count + 1 + index * GROWTH, GROWTH, histograms=True)))
        grown.append(seconds(reader.poll))
    poll = statistics.median(grown)
    print(f"a poll of a file that grew by {GROWTH} of {count} summaries")
    print(f"  read whole {1e3 * whole:8.2f} ms")
    print(f"  grown      {1e3 * poll:8.2f} ms, 1/{whole / poll:.0f} of it (1/{count // GROWTH} of the records are new)")
    print(f"  unchanged  {1e3 * idle:8.2f} ms, 1/{whole / idle:.0f} of it")


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as folder:
        ratios = [against_tensorboard(Path(folder) / str(kind), count, histograms=kind) for kind in (False, True)]
        poll_of_a_grown_file(Path(folder) / "True", count)
    print(f"needed: {NEEDED:.0f} times EventAccumulator's events per second; lowest: {min(ratios):.0f}")
    return int(min(ratios) < NEEDED)


if __name__ == "__main__":
    sys.exit(main())
