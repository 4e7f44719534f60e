from __future__ import annotations

import os
import struct
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests import event_files as ef
from unity_mlops_mcp.errors import NotFoundError
from unity_mlops_mcp.metrics.reader import RunReader, reader_for
from unity_mlops_mcp.metrics.summary import summarize

SLOW_MACHINE = settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.too_slow])
Curves = dict[str, tuple[list[int], list[float], list[float]]]


def read(run: Path, *, verify: bool = False) -> RunReader:
    reader = RunReader(run, verify=verify)
    reader.poll()
    return reader


def curves(reader: RunReader) -> Curves:
    found = {tag: reader.points(tag) for tag in reader.tags}
    found[f"{ef.REWARD}_hist"] = reader.counts(f"{ef.REWARD}_hist")
    return {tag: (p.steps.tolist(), p.values.tolist(), p.wall_times.tolist()) for tag, p in found.items()}


def steps(reader: RunReader, tag: str = ef.REWARD) -> list[int]:
    return [int(step) for step in reader.points(tag).steps]


def rewards(count: int, *, first: int = 1) -> list[bytes]:
    return [ef.scalar(ef.REWARD, i / 7, 1000 * i, ef.START + i) for i in range(first, first + count)]


def mixed_records() -> list[bytes]:
    made = [ef.text("Hyperparameters/text_summary", "trainer_type: ppo")]
    for i in range(60):
        step, wall = 100 * i, ef.START + i
        made += [ef.scalar(ef.REWARD, i / 3, step, wall), ef.scalar("Policy/Entropy", -i, step, wall)]
        made.append(ef.histogram(f"{ef.REWARD}_hist", i + 1, step, wall))
        made.append(ef.tensor_scalar("Loss", i / 11, step, named=i == 0, wall_time=wall))
        if i % 20 == 0:
            made += [ef.image("Camera", step, wall), ef.text("Notes", "résumé", step, wall, named=i == 0)]
    return [*made, ef.scalar("Länge" * 40, float("nan"), 6000), ef.scalar("Losses/Value Loss", float("inf"), 6000)]


def test_a_mixed_file_reads_as_with_tensorboards_own_loader(tmp_path: Path) -> None:
    path = ef.write(tmp_path, mixed_records())
    reader = read(tmp_path)
    theirs = EventAccumulator(str(path), size_guidance={"scalars": 0, "tensors": 0}).Reload()
    expected = {tag: theirs.Scalars(tag) for tag in theirs.Tags()["scalars"]}
    loss = [(e.step, e.wall_time, float(e.tensor_proto.float_val[0])) for e in theirs.Tensors("Loss")]
    assert set(reader.tags) == {*expected, "Loss"}
    for tag, events in expected.items():
        points = reader.points(tag)
        np.testing.assert_array_equal(points.steps, [e.step for e in events])
        np.testing.assert_array_equal(points.wall_times, [e.wall_time for e in events])
        np.testing.assert_array_equal(points.values, [e.value for e in events])
    ours = reader.points("Loss")
    assert loss == list(zip(ours.steps.tolist(), ours.wall_times.tolist(), ours.values.tolist(), strict=True))
    assert reader.skipped == {"text": 4, "histogram": 60, "image": 3}
    assert reader.counts(f"{ef.REWARD}_hist").values.tolist() == list(range(1, 61))
    assert not reader.problems


@SLOW_MACHINE
@given(cuts=st.lists(st.integers(0, 20_000), max_size=30), verify=st.booleans())
def test_a_file_that_grows_by_random_pieces_reads_as_if_written_at_once(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], verify: bool
) -> None:
    content = ef.version() + b"".join(mixed_records())
    run = tmp_path_factory.mktemp("run")
    path = ef.write(run, [])
    path.write_bytes(b"")
    growing, taken = RunReader(run, verify=verify), 0
    edges = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    for start, end in pairwise(edges):
        with path.open("ab") as file:
            file.write(content[start:end])
        taken += growing.poll()
    whole = RunReader(run)
    assert taken == whole.poll()
    np.testing.assert_equal(curves(growing), curves(whole))
    assert (growing.skipped, growing.problems) == (whole.skipped, ())


def test_half_a_record_waits_for_its_rest(tmp_path: Path) -> None:
    first, second = rewards(2)
    path = ef.write(tmp_path, [first, second[:30]])
    reader = RunReader(tmp_path)
    assert reader.poll() == 2
    assert steps(reader) == [1000]
    with path.open("ab") as file:
        file.write(second[30:])
    assert reader.poll() == 1
    assert steps(reader) == [1000, 2000]
    assert reader.poll() == 0
    assert not reader.problems


@SLOW_MACHINE
@given(
    tags=st.integers(1, 12),
    with_histogram=st.booleans(),
    first_step=st.sampled_from([0, 1, 100, 16_000, 2_000_000]),
    stride=st.sampled_from([1, 7, 1000]),
    twice=st.booleans(),
    odd_ones=st.lists(st.integers(0, 2500), max_size=4),
)
def test_many_summaries_at_once_read_as_record_by_record(
    *,
    tmp_path_factory: pytest.TempPathFactory,
    tags: int,
    with_histogram: bool,
    first_step: int,
    stride: int,
    twice: bool,
    odd_ones: list[int],
) -> None:
    run = tmp_path_factory.mktemp("run")
    cycles = 3000 // tags
    names = [ef.REWARD, *(f"Losses/Number {index}" for index in range(1, tags))]
    values = {name: [index + cycle / 13 for cycle in range(cycles)] for index, name in enumerate(names)}
    made = ef.summaries(
        range(first_step, first_step + stride * cycles, stride),
        values,
        episodes=[5 * cycle % 301 for cycle in range(cycles)] if with_histogram else None,
    )
    if twice:
        made = [record for first in made for record in (first, first)]
    for place in odd_ones:
        made.insert(place, ef.text("Notes", "a pause"))
        made.insert(place, ef.scalar("Environment/Lesson", place, 1))
        made.insert(place, ef.histogram(f"{ef.REWARD}_hist", place + 1, 1, beside="Environment/Lesson"))
    ef.write(run, made)
    at_once, one_by_one = RunReader(run), RunReader(run, verify=True)  # checking each checksum rules the fast way out
    assert at_once.poll() == one_by_one.poll() == len(made) + 1
    assert curves(at_once) == curves(one_by_one)
    assert len(at_once.points(names[-1]).steps) == cycles * (1 + twice)


def test_a_damaged_length_costs_one_record(tmp_path: Path) -> None:
    made = rewards(50)
    damaged = bytearray(made[20])
    damaged[0] ^= 0xFF
    path = ef.write(tmp_path, [*made[:20], bytes(damaged), *made[21:]])
    reader = read(tmp_path)
    assert steps(reader) == [1000 * i for i in range(1, 51) if i != 21]
    (problem,) = reader.problems
    assert Path(problem.file) == path
    assert problem.offset == len(ef.version()) + sum(map(len, made[:20]))
    assert "header is damaged" in problem.message


@pytest.mark.parametrize("length", [1 << 31, 1 << 63, 5_000_000_000])
def test_a_huge_length_is_damage_even_with_a_right_checksum(tmp_path: Path, length: int) -> None:
    header = struct.pack("<Q", length)
    huge = header + ef.masked_crc(header) + b"rubbish" * 9
    ef.write(tmp_path, [*rewards(3), huge, *rewards(3, first=4)])
    reader = read(tmp_path)
    assert steps(reader) == [1000, 2000, 3000, 4000, 5000, 6000]
    assert len(reader.problems) == 1


def test_a_scalar_behind_a_histogram_in_one_record_is_not_lost(tmp_path: Path) -> None:
    made = ef.summaries(range(3000), {ef.REWARD: [1.0] * 3000}, episodes=[5] * 3000)
    made[4001] = ef.histogram(f"{ef.REWARD}_hist", 5, 2000, beside="Rare")
    ef.write(tmp_path, made)
    reader = read(tmp_path)
    assert steps(reader, "Rare") == [2000]
    assert len(reader.counts(f"{ef.REWARD}_hist").steps) == len(steps(reader)) == 3000


def test_damage_at_the_end_is_told_once_and_later_records_are_read(tmp_path: Path) -> None:
    path = ef.write(tmp_path, [*rewards(3), b"\0" * 5000])
    reader = read(tmp_path)
    later = b"".join(rewards(2, first=4))
    for piece in (later[:6], later[6:]):
        with path.open("ab") as file:
            file.write(piece)
        reader.poll()
    assert steps(reader) == [1000, 2000, 3000, 4000, 5000]
    assert len(reader.problems) == 1


def test_a_payload_that_is_no_event_is_left_out_with_its_place(tmp_path: Path) -> None:
    made = rewards(4)
    ef.write(tmp_path, [*made[:2], ef.record(b"\xff" * 40), *made[2:]])
    reader = read(tmp_path)
    assert steps(reader) == [1000, 2000, 3000, 4000]
    (problem,) = reader.problems
    assert problem.offset == len(ef.version()) + len(made[0]) + len(made[1])
    assert "its checksum matches" in problem.message


def test_a_flipped_bit_in_a_value_is_seen_when_asked_to_verify(tmp_path: Path) -> None:
    made = rewards(5)
    flipped = bytearray(made[2])
    flipped[-6] ^= 0x10
    ef.write(tmp_path, [*made[:2], bytes(flipped), *made[3:]])
    assert len(steps(read(tmp_path))) == 5
    verified = read(tmp_path, verify=True)
    assert steps(verified) == [1000, 2000, 4000, 5000]
    assert "checksum does not match" in verified.problems[0].message


def test_a_damaged_file_does_not_hide_the_next_one(tmp_path: Path) -> None:
    ef.write(tmp_path, [*rewards(3), b"\xff" * 100], start=ef.START)
    ef.write(tmp_path, rewards(2, first=4), start=ef.START + 100)
    reader = read(tmp_path)
    assert steps(reader) == [1000, 2000, 3000, 4000, 5000]
    assert len(reader.problems) == 1


def test_a_resume_replaces_what_the_older_attempt_had_beyond_its_checkpoint(tmp_path: Path) -> None:
    def attempt(first: int, last: int, value: float, start: float) -> None:
        made = [ef.scalar(ef.REWARD, value, step, start + step / 1000) for step in range(first, last + 1, 1000)]
        entropy = [ef.scalar("Policy/Entropy", value, step, start) for step in range(first, first + 2000, 1000)]
        ef.write(tmp_path, [*made, *entropy], start=start)

    attempt(1000, 10_000, 1.0, ef.START)
    attempt(8000, 12_000, 2.0, ef.START + 900)
    attempt(5000, 6000, 3.0, ef.START + 1800)
    reader = read(tmp_path)
    points = reader.points(ef.REWARD)
    assert points.steps.tolist() == [1000, 2000, 3000, 4000, 5000, 6000]
    assert points.values.tolist() == [1.0] * 4 + [3.0] * 2
    assert [(a.first_step, a.last_step) for a in reader.attempts()] == [(1000, 10_000), (8000, 12_000), (5000, 6000)]
    assert steps(reader, "Policy/Entropy") == [1000, 2000, 5000, 6000]


def test_an_attempt_without_a_summary_cuts_nothing(tmp_path: Path) -> None:
    ef.write(tmp_path, rewards(4), start=ef.START)
    ef.write(tmp_path, [ef.text("Hyperparameters/text_summary", "x")], start=ef.START + 50)
    reader = read(tmp_path)
    assert steps(reader) == [1000, 2000, 3000, 4000]
    assert len(reader.attempts()) == 1


@pytest.mark.parametrize("how", ["truncated", "replaced", "rewritten"])
def test_a_file_that_was_begun_anew_is_read_anew(tmp_path: Path, how: str) -> None:
    path = ef.write(tmp_path, rewards(20))
    reader = read(tmp_path)
    if how == "truncated":
        os.truncate(path, len(ef.version()) + sum(map(len, rewards(3))))
        expected = [1000, 2000, 3000]
    elif how == "replaced":
        other = tmp_path / "other"
        other.write_bytes(ef.version() + b"".join([*rewards(2), *rewards(30, first=5)]))
        other.replace(path)
        expected = [1000, 2000, *(1000 * i for i in range(5, 35))]
    else:
        path.write_bytes(ef.version(ef.START + 5) + b"".join(rewards(30, first=7)))
        expected = [1000 * i for i in range(7, 37)]
    reader.poll()
    assert steps(reader) == expected


def test_a_file_that_was_deleted_is_forgotten(tmp_path: Path) -> None:
    path = ef.write(tmp_path, rewards(3))
    reader = read(tmp_path)
    assert steps(reader) == [1000, 2000, 3000]
    path.unlink()
    reader.poll()
    assert reader.tags == ()


def test_empty_files_missing_folders_and_other_files_give_no_points(tmp_path: Path) -> None:
    assert RunReader(tmp_path / "not yet").poll() == 0
    (tmp_path / "Nav").mkdir()
    (tmp_path / "Nav" / "events.out.tfevents.1.host.1.0").touch()
    (tmp_path / "Nav" / "checkpoint.pt").write_bytes(b"".join(rewards(2)))
    (tmp_path / "events.out.tfevents.1.host.1.0").write_bytes(b"".join(rewards(2)))
    deeper = tmp_path / "run_logs" / "old"
    deeper.mkdir(parents=True)
    (deeper / "events.out.tfevents.1.host.1.0").write_bytes(b"".join(rewards(2)))
    reader = RunReader(tmp_path)
    assert reader.poll() == 0
    assert (reader.tags, reader.problems, reader.attempts()) == ((), (), ())


def test_a_path_that_cannot_be_opened_is_told_while_it_lasts(tmp_path: Path) -> None:
    odd = tmp_path / "Nav" / "events.out.tfevents.9.host.1.0"
    odd.mkdir(parents=True)
    ef.write(tmp_path, rewards(3))
    reader = read(tmp_path)
    assert steps(reader) == [1000, 2000, 3000]
    assert "cannot be read" in reader.problems[0].message
    odd.rmdir()
    reader.poll()
    assert reader.problems == ()


def test_each_behavior_has_curves_of_its_own(tmp_path: Path) -> None:
    ef.write(tmp_path, rewards(3), behavior="Striker")
    ef.write(tmp_path, rewards(5), behavior="Goalie")
    reader = read(tmp_path)
    assert reader.behaviors == ("Goalie", "Striker")
    assert len(reader.series(ef.REWARD).steps) == 5
    assert len(reader.series(ef.REWARD, behavior="Striker").steps) == 3
    chosen = RunReader(tmp_path, "Striker")
    chosen.poll()
    assert len(chosen.series(ef.REWARD).steps) == 3


def test_a_series_is_thinned_and_holds_finite_numbers_only(tmp_path: Path) -> None:
    made = [ef.scalar(ef.REWARD, float("nan") if i % 10 == 0 else i, i) for i in range(1000)]
    ef.write(tmp_path, made)
    series = read(tmp_path).series(ef.REWARD, max_points=50, wall_times=True)
    assert (len(series.steps), len(series.values), series.points) == (50, 50, 900)
    assert series.steps[0] == 1
    assert series.steps[-1] == 999
    assert series.wall_times == (ef.START,) * 50
    assert all(value == step for step, value in zip(series.steps, series.values, strict=True))


def test_an_unknown_tag_is_answered_with_the_tags_there_are(tmp_path: Path) -> None:
    ef.write(tmp_path, rewards(1))
    with pytest.raises(NotFoundError, match=ef.REWARD):
        read(tmp_path).series("Reward")


def test_a_process_keeps_one_reader_per_run(tmp_path: Path) -> None:
    ef.write(tmp_path / "one", rewards(3))
    reader = reader_for(tmp_path / "one")
    assert reader.poll() == 4
    assert reader_for(tmp_path / "two" / ".." / "one") is reader
    assert reader_for(tmp_path / "one").poll() == 0


@pytest.mark.trainer
def test_a_file_of_pytorchs_own_writer_is_read_whole(tmp_path: Path, trainer_python: Path) -> None:
    program = """
import sys, numpy as np
from torch.utils.tensorboard import SummaryWriter
writer = SummaryWriter(sys.argv[1])
writer.add_text("Hyperparameters", "trainer_type: ppo")
for step in range(0, 300_000, 100):
    writer.add_scalar("Environment/Cumulative Reward", step / 1000, step)
    writer.add_histogram("Environment/Cumulative Reward_hist", np.arange(step % 9 + 1), step)
    writer.add_scalar("Policy/Entropy", 1.0, step)
writer.close()
"""
    folder = tmp_path / "Nav"
    subprocess.run([str(trainer_python), "-c", program, str(folder)], check=True, timeout=120)
    reader = read(tmp_path)
    assert steps(reader) == list(range(0, 300_000, 100))
    np.testing.assert_allclose(reader.points(ef.REWARD).values, np.arange(0, 300, 0.1), rtol=1e-6)
    counts = reader.counts(f"{ef.REWARD}_hist")
    assert counts.values.tolist() == [step % 9 + 1 for step in range(0, 300_000, 100)]
    assert reader.skipped == {"text": 1, "histogram": 3000}
    assert curves(reader) == curves(read(tmp_path, verify=True))


def test_a_tag_that_a_later_attempt_replaced_whole_is_gone(tmp_path: Path) -> None:
    """A resume from an earlier step writes fewer tags at first: the old ones lie beyond it."""
    ef.write(tmp_path, [*rewards(2, first=5), ef.scalar("Losses/Value Loss", 1.0, 5000)], start=ef.START)
    ef.write(tmp_path, rewards(1), start=ef.START + 100)
    reader = read(tmp_path)
    assert reader.tags == (ef.REWARD,)
    assert steps(reader) == [1000]
    assert summarize(reader, max_steps=None, now=ef.START + 200).steps == 1000
