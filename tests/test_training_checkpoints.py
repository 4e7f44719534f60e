"""What a kill leaves of checkpoints, and how a resume finds one that loads."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from unity_mlops_mcp.training.checkpoints import mend
from unity_mlops_mcp.training.folder import RunFolder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with checkpoints at 2000 and 4000 steps, the newer one also as the latest."""
    for number, step in enumerate((2000, 4000)):
        save(tmp_path / "Nav" / f"Nav-{step}.pt", str(step), written=number)
    save(tmp_path / "Nav" / "checkpoint.pt", "4000", written=1)
    return tmp_path


def save(path: Path, weights: str, *, written: int) -> None:
    """Write a checkpoint as torch does, a zip archive."""
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.pkl", weights * 1000)
    os.utime(path, (written, written))


def cut(path: Path) -> None:
    """Leave the first half of a file."""
    os.truncate(path, path.stat().st_size // 2)


def same(one: Path, other: Path) -> bool:
    return one.read_bytes() == other.read_bytes()


def test_a_run_that_is_whole_is_left_alone(run: Path) -> None:
    assert mend(run) == []
    assert RunFolder(run).checkpoint_step() == 4000


def test_a_latest_checkpoint_that_was_cut_off_is_replaced_by_the_newest_whole_one(run: Path) -> None:
    cut(run / "Nav" / "checkpoint.pt")
    cut(run / "Nav" / "Nav-4000.pt")
    assert RunFolder(run).checkpoint_step() == 2000
    assert "step 2000" in mend(run)[0]
    assert same(run / "Nav" / "checkpoint.pt", run / "Nav" / "Nav-2000.pt")


def test_an_untrained_checkpoint_written_over_a_trained_one_is_taken_back(run: Path) -> None:
    save(run / "Nav" / "Nav-0.pt", "0", written=9)
    save(run / "Nav" / "checkpoint.pt", "0", written=9)
    assert "step 4000" in mend(run)[0]
    assert same(run / "Nav" / "checkpoint.pt", run / "Nav" / "Nav-4000.pt")


def test_a_run_whose_only_checkpoint_was_cut_off_has_none(run: Path) -> None:
    for path in run.glob("*/*.pt"):
        os.truncate(path, 0)
    assert mend(run) == []
    assert RunFolder(run).checkpoint_step() is None


def test_a_record_of_lessons_that_was_cut_off_is_put_aside(run: Path) -> None:
    (run / "run_logs").mkdir()
    status = run / "run_logs" / "training_status.json"
    status.write_text('{"Nav": {"lesson')
    assert "lessons" in mend(run)[0]
    assert not status.exists()
    assert status.with_suffix(".broken").exists()
