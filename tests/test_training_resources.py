"""What a training takes of the machine is written beside it, and read again whatever was cut off."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from unity_mlops_mcp.process.identity import Identity, identify
from unity_mlops_mcp.training.resources import FIRST_S, ResourcePoint, ResourceWatch, read_resources

BUSY = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "print('x', flush=True)\\nwhile True: pass"], stdout=subprocess.PIPE)
child.stdout.readline()
print("both", flush=True)
child.wait()
"""


@pytest.fixture
def parent() -> Iterator[Identity]:
    """A process that waits for a child which keeps a core busy."""
    with subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"both\n"
        found = identify(process.pid)
        assert found is not None
        yield found
        from unity_mlops_mcp.process.tree import Tree

        Tree([found], "").stop(grace_s=0)


def test_the_processes_that_a_trainer_starts_count_too(parent: Identity, tmp_path: Path) -> None:
    watch = ResourceWatch(tmp_path / "resources.jsonl", parent, now=100.0)
    watch.look(now=100.0, step=0)
    for second in range(101, 1101):  # the child is busy: before long a look finds that it has used the processor
        watch.look(now=float(second), step=500)
        if any(point.cores for point in read_resources(tmp_path / "resources.jsonl")):
            break
    else:
        pytest.fail("a thousand looks found no busy processor")
    last = read_resources(tmp_path / "resources.jsonl")[-1]
    assert (last.step, last.processes) == (500, 2)
    assert last.memory > 5_000_000


def test_looks_become_rarer_as_a_training_goes_on(parent: Identity, tmp_path: Path) -> None:
    watch, day = ResourceWatch(tmp_path / "resources.jsonl", parent, now=0.0), 24 * 3600.0
    assert not watch.due(FIRST_S / 2)
    assert watch.due(FIRST_S)
    watch.look(now=day, step=0)
    assert not watch.due(day + 60)
    assert watch.due(day + 300)


def test_a_line_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "resources.jsonl"
    point = ResourcePoint(at=1.0, step=5, cores=1.5, memory=7, processes=2)
    file.write_text(f'{point.model_dump_json()}\nnull\n{{"at": 1e999}}\n{point.model_dump_json()[:20]}')
    assert read_resources(file) == [point]
    assert read_resources(tmp_path / "nothing") == []


def test_a_disk_that_takes_no_line_ends_no_training(parent: Identity, tmp_path: Path) -> None:
    watch = ResourceWatch(tmp_path / "no folder" / "resources.jsonl", parent, now=0.0)
    watch.look(now=0.0, step=0)
    watch.look(now=3.0, step=10)
    assert not watch.due(3.0 + FIRST_S / 2)
