"""ONNX policies: what they are, and what they do when they are asked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import REPOSITORY
from tests.onnx_models import counting, linear
from unity_mlops_mcp.errors import ExternalError, InvalidInputError, NotFoundError
from unity_mlops_mcp.evaluation.model import read_model
from unity_mlops_mcp.evaluation.policy import Memories, Policy
from unity_mlops_mcp.protocol.simulation import ActionSpec, BehaviorSpec, Decisions, ObservationSpec


def asking(ids: list[int], *observations: list[list[float]], masks: list[list[bool]] | None = None) -> Decisions:
    """Agents that ask, with what they see."""
    seen = tuple(np.array(values, np.float32) for values in observations)
    barred = None if masks is None else np.array(masks, bool)
    return Decisions(np.array(ids, np.int64), seen, np.zeros(len(ids), np.float32), masks=barred)


def behavior(*shapes: tuple[int, ...], action: ActionSpec) -> BehaviorSpec:
    """A behaviour with sensors of these shapes."""
    sensors = tuple(ObservationSpec(f"sensor{index}", shape) for index, shape in enumerate(shapes))
    return BehaviorSpec("Nav?team=0", sensors, action)


def test_a_model_tells_its_sizes_its_version_and_its_opset(tmp_path: Path) -> None:
    model = read_model(linear(tmp_path / "a.onnx", np.eye(6, 2), opset=8))
    assert (model.observations, model.action) == (((6,),), ActionSpec(2))
    assert (model.version_number, model.opset, model.memory_size) == (3, 8, 0)
    discrete = read_model(counting(tmp_path / "b.onnx"))
    assert (discrete.action, discrete.memory_size) == (ActionSpec(0, (3,)), 1)
    assert read_model(linear(tmp_path / "c.onnx", np.eye(6, 2), version=None)).version_number is None


def test_actions_follow_from_what_is_seen_and_are_held_within_their_bounds(tmp_path: Path) -> None:
    policy = Policy(linear(tmp_path / "a.onnx", [[1, 0], [0, 1]], bias=[0.5, 0]), deterministic=True)
    chosen = policy.act(asking([4, 9], [[0.1, 0.2], [5, -7]]), {})
    assert np.abs(chosen.continuous - np.array([[0.6, 0.2], [1.0, -1.0]])).max() < 1e-6
    assert chosen.discrete.shape == (2, 0)


def test_drawn_actions_depend_on_the_seed_alone(tmp_path: Path) -> None:
    policy = Policy(linear(tmp_path / "a.onnx", np.zeros((1, 2)), noise=0.3))
    seen = asking([1, 2, 3], [[0.0], [0.0], [0.0]])

    def drawn(seed: int) -> list[float]:
        policy.begin(seed)
        return [float(value) for _ in range(3) for value in policy.act(seen, {}).continuous.ravel()]

    first = drawn(5)
    assert first == drawn(5) != drawn(6)
    assert len(set(first)) > 10


def test_memory_belongs_to_an_agent_and_forbidden_choices_are_not_taken(tmp_path: Path) -> None:
    policy, memories = Policy(counting(tmp_path / "a.onnx")), Memories()
    first = policy.act(asking([7], [[0]]), memories)
    second = policy.act(asking([8, 7], [[0], [0]]), memories)
    third = policy.act(asking([7], [[0]], masks=[[False, False, True]]), memories)
    assert [chosen.discrete.ravel().tolist() for chosen in (first, second, third)] == [[0], [0, 1], [1]]
    del memories[7]
    assert policy.act(asking([7], [[0]]), memories).discrete.tolist() == [[0]]


def test_a_policy_for_other_shapes_is_refused_with_both(tmp_path: Path) -> None:
    policy = Policy(linear(tmp_path / "a.onnx", np.eye(6, 2)))
    policy.require_fit(behavior((6,), action=ActionSpec(2)))
    with pytest.raises(InvalidInputError, match=r"observes \(6\) and \(3, 4\), the policy \(6\)") as refused:
        policy.require_fit(behavior((6,), (3, 4), action=ActionSpec(2)))
    assert refused.value.cause == "shape_mismatch"
    with pytest.raises(InvalidInputError, match=r"branches=\(5,\).*continuous=2"):
        policy.require_fit(behavior((6,), action=ActionSpec(0, (5,))))


def test_what_is_no_policy_is_told_by_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no ONNX file"):
        read_model(tmp_path / "none.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(linear(tmp_path / "a.onnx", np.eye(6, 2)).read_bytes()[:200])
    with pytest.raises(ExternalError, match="does not open"):
        read_model(broken)
    legacy = tmp_path / "legacy.onnx"
    legacy.write_bytes((tmp_path / "a.onnx").read_bytes().replace(b"obs_0", b"old_0"))
    with pytest.raises(InvalidInputError, match="its inputs are old_0"):
        read_model(legacy)
    with pytest.raises(InvalidInputError, match="no output deterministic_continuous_actions"):
        Policy(linear(tmp_path / "b.onnx", np.eye(6, 2), fixed=False), deterministic=True)


@pytest.mark.trainer
@pytest.mark.slow
def test_what_the_real_trainer_exports_acts(trainer_python: Path, tmp_path: Path) -> None:
    exported = tmp_path / "tiny.onnx"
    check = REPOSITORY / "unity_mlops_mcp" / "trainer_env" / "export_check.py"
    done = subprocess.run([trainer_python, check, exported], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["ok"], done.stderr
    drawing, settled = Policy(exported), Policy(exported, deterministic=True)
    assert drawing.model.observations == ((4,),)
    assert drawing.model.action == ActionSpec(2, (3,))
    assert (drawing.model.version_number, drawing.model.opset) == (3, 9)
    barred = asking([*range(200)], [[0.1] * 4] * 200, masks=[[False, True, False]] * 200)
    chosen = drawing.act(barred, {})
    assert np.unique(chosen.continuous).size > 100
    assert np.abs(chosen.continuous).max() <= 1
    assert set(np.unique(chosen.discrete)) == {0, 2}
    assert np.unique(settled.act(barred, {}).continuous, axis=0).shape == (1, 2)


def test_nothing_heavy_is_imported_before_a_policy_is_opened() -> None:
    code = "import sys, unity_mlops_mcp.evaluation.matches; sys.exit('onnxruntime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=REPOSITORY).returncode == 0
