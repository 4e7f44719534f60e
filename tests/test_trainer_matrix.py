"""The fast trainer is the same trainer: equal summaries and weights, bit for bit, from an equal seed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.matrix import CASES, REPRESENTATIVE, Case, write_demonstration
from tests.stand_ins.player import write_player
from tests.trainings import Training, train

pytestmark = [pytest.mark.trainer, pytest.mark.slow]


def marked(case: Case) -> object:
    return pytest.param(case, id=case.name, marks=() if case.name in REPRESENTATIVE else (pytest.mark.matrix,))


def train_case(case: Case, mode: str, python: Path, folder: Path) -> Training:
    folder.mkdir()
    demonstration = write_demonstration(folder / "expert.demo")
    configuration = folder / "trainer.yaml"
    configuration.write_text(case.configuration(demonstration))
    player = write_player(folder, "--episode", "60", *case.player)
    return train(python, mode, configuration, player, run=case.name, environments=case.environments)


@pytest.mark.parametrize("case", [marked(case) for case in CASES])
def test_fast_is_the_same_trainer_as_compat(case: Case, trainer_python: Path, tmp_path: Path) -> None:
    compat = train_case(case, "compat", trainer_python, tmp_path / "compat")
    fast = train_case(case, "fast", trainer_python, tmp_path / "fast")
    assert (compat.exit_code, fast.exit_code) == (0, 0), compat.output[-3000:] + fast.output[-3000:]
    assert f"{case.name}/Nav.onnx" in [f"{fast.folder.name}/{name}" for name in fast.files]
    if case.exact:
        assert fast.summaries == compat.summaries != []
        assert fast.digests(trainer_python) == compat.digests(trainer_python)
        assert fast.files == compat.files
    else:
        assert len(fast.summaries) == len(compat.summaries) != 0
        assert kinds(fast) == kinds(compat)


def kinds(training: Training) -> set[str]:
    """The files without the exact steps in their names, which several players or threads do not repeat."""
    return {name.rstrip("0123456789") for name in (Path(file).with_suffix("").as_posix() for file in training.files)}


def test_the_matrix_has_its_26_cases_with_names_of_their_own() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) == 26
    assert set(REPRESENTATIVE) <= set(names)
