"""Recorded experience is read, looked at, and held against the behaviour it is for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.protocol import messages
from unity_mlops_mcp.protocol.simulation import Actions, ActionSpec, BehaviorSpec, ObservationSpec
from unity_mlops_mcp.training.datasets.demo import read_demo, write_demo
from unity_mlops_mcp.training.datasets.inspecting import inspect
from unity_mlops_mcp.training.datasets.reading import read_dataset
from unity_mlops_mcp.training.datasets.records import Outcome, Trajectory
from unity_mlops_mcp.training.datasets.transitions import HEADER

REACH = BehaviorSpec("ReachTarget", (ObservationSpec("VectorSensor_size6", (6,)),), ActionSpec(2))
MIXED = BehaviorSpec("Mixed", (ObservationSpec("a", (2, 3, 4)), ObservationSpec("b", (3,))), ActionSpec(1, (3, 2)))


def episode(behavior: BehaviorSpec, decisions: int, *, seed: int = 0, outcome: Outcome = "ended") -> Trajectory:
    rng = np.random.default_rng(seed)
    action = behavior.action
    return Trajectory(
        observations=tuple(
            rng.uniform(-1, 1, (decisions, *sensor.shape)).astype(np.float32) for sensor in behavior.observations
        ),
        actions=Actions(
            rng.uniform(-1, 1, (decisions, action.continuous)).astype(np.float32),
            rng.integers(0, action.branches or 1, (decisions, len(action.branches))).astype(np.int32),
        ),
        rewards=rng.uniform(-1, 1, decisions).astype(np.float32),
        outcome=outcome,
        last=tuple(rng.uniform(-1, 1, sensor.shape).astype(np.float32) for sensor in behavior.observations),
    )


def transition(number: int, **changes: Any) -> str:
    usual = {"episode": 0, "observations": [[0.1 * number] * 6], "continuous": [0.5, -0.5], "reward": 0.1}
    return json.dumps({**usual, **changes})


def jsonl(path: Path, *lines: str, header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", roots=(tmp_path,))


@given(lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4), timeout=st.booleans(), mixed=st.booleans())
def test_a_demo_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], *, timeout: bool, mixed: bool
) -> None:
    behavior = MIXED if mixed else REACH
    outcome: Outcome = "timeout" if timeout else "ended"
    written = [episode(behavior, count, seed=count, outcome=outcome) for count in lengths]
    path = tmp_path_factory.mktemp("demo") / "a long name of a recording.demo"
    write_demo(path, behavior, written)
    found, read, remarks = read_demo(path, path.read_bytes())
    assert (found, remarks, len(read)) == (behavior, (), len(written))
    for before, after in zip(written, read, strict=True):
        assert after.outcome == before.outcome
        assert before.last is not None
        assert after.last is not None
        for one, other in zip((*before.observations, *before.last), (*after.observations, *after.last), strict=True):
            np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(before.actions.continuous, after.actions.continuous)
        np.testing.assert_array_equal(before.actions.discrete, after.actions.discrete)
        np.testing.assert_array_equal(before.rewards, after.rewards)


def test_a_recording_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "cut.demo"
    write_demo(path, REACH, [episode(REACH, 5, seed=seed) for seed in range(3)])
    path.write_bytes(path.read_bytes()[:-40])
    dataset = read_dataset(settings, str(path))
    assert [len(one) for one in dataset.trajectories] == [5, 5, 4]
    assert dataset.trajectories[-1].outcome == "cut"
    assert dataset.remarks == ("cut.demo: it was cut off: 17 of 18 decisions are there",)


@pytest.mark.parametrize("content", [b"", b"hello, world", b"\0" * 200, bytes(range(256)), b"\xff" * 64])
def test_what_is_no_demo_is_refused(tmp_path: Path, settings: Settings, content: bytes) -> None:
    path = tmp_path / "x.demo"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match="is no demonstration that can be read") as caught:
        read_dataset(settings, str(path))
    assert caught.value.cause == "dataset"


def looked_at(path: Path, content: bytes) -> None:
    """Read a file and look at it: it is a dataset, or refused as none; any other error fails the test."""
    path.write_bytes(content)
    try:
        inspect(read_dataset(Settings(home=path.parent), str(path)))
    except InvalidInputError as error:
        assert error.cause == "dataset"  # noqa: PT017


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """A file with some of its bytes changed."""
    changed = bytearray(content)
    for place, byte in draw(st.dictionaries(st.integers(0, len(content) - 1), st.integers(0, 255), max_size=6)).items():
        changed[place] = byte
    return bytes(changed)


def whole(behavior: BehaviorSpec) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "whole.demo"
        write_demo(path, behavior, [episode(behavior, 3)])
        return path.read_bytes()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numbers as large as float32 allows overflow in sums
@given(content=st.binary(max_size=300) | damaged(whole(REACH)) | damaged(whole(MIXED)))
def test_whatever_the_bytes_a_demo_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    looked_at(tmp_path_factory.getbasetemp() / "x.demo", content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(10**300, 10**400) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=6,
)
LINES = (
    st.text()
    | JSON.map(json.dumps)
    | st.builds(
        lambda number, changes: transition(number, **changes),
        st.integers(0, 2),
        st.dictionaries(st.sampled_from(["episode", "observations", "continuous", "discrete", "reward", "done"]), JSON),
    )
)
HEADERS = st.just(HEADER) | st.builds(
    lambda changes: json.dumps({**json.loads(HEADER), **changes}),
    st.dictionaries(st.sampled_from(["behavior", "observations", "continuous", "branches"]), JSON, max_size=1),
)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@given(lines=st.lists(LINES, max_size=3), header=HEADERS | LINES)
def test_whatever_the_lines_transitions_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], header: str
) -> None:
    content = "\n".join([header, *lines]).encode("utf-8", "surrogatepass")
    looked_at(tmp_path_factory.getbasetemp() / "x.jsonl", content)


NAMES = ["../../outside", "a/b", "a\\b", "/root", ".hidden", "..", "C:x", "", "two\nlines", "nul\0", "n" * 101]


@pytest.mark.parametrize("name", NAMES)
def test_a_behaviour_whose_name_leads_elsewhere_is_refused(tmp_path: Path, settings: Settings, name: str) -> None:
    header = json.dumps({**json.loads(HEADER), "behavior": name})
    transitions = jsonl(tmp_path / "x.jsonl", transition(0), header=header)
    write_demo(tmp_path / "x.demo", replace(REACH, name=name), [episode(REACH, 3)])
    for path in (transitions, tmp_path / "x.demo"):
        with pytest.raises(InvalidInputError, match="the behaviour's name") as caught:
            read_dataset(settings, str(path))
        assert str(path) in caught.value.message


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"observations": []}, "no observations or no actions"),
        ({"observations": [[0]]}, "has the shape"),
        ({"observations": [[]]}, "has the shape"),
        ({"continuous": 0}, "no observations or no actions"),
        ({"branches": [0]}, "sizes .0., where each is 1 to 10000"),
        ({"branches": [2_000_000_000]}, "where each is 1 to 10000"),
        ({"branches": [-3]}, "where each is 1 to 10000"),
    ],
)
def test_a_header_that_no_policy_fits_is_refused(
    tmp_path: Path, settings: Settings, changes: dict[str, Any], told: str
) -> None:
    path = jsonl(tmp_path / "x.jsonl", transition(0), header=json.dumps({**json.loads(HEADER), **changes}))
    with pytest.raises(InvalidInputError, match=told) as caught:
        read_dataset(settings, str(path))
    assert caught.value.message.startswith(f"The first line of {path}")


@pytest.mark.parametrize("choice", [-1, 3, 7, 2_000_000_000])
def test_a_choice_outside_its_branch_is_refused_in_a_demo(tmp_path: Path, settings: Settings, choice: int) -> None:
    wrong = episode(MIXED, 3)
    wrong.actions.discrete[1, 0] = choice
    write_demo(tmp_path / "x.demo", MIXED, [wrong])
    with pytest.raises(InvalidInputError, match=r"no whole numbers within the branches \[3, 2\]"):
        read_dataset(settings, str(tmp_path / "x.demo"))


@pytest.mark.parametrize("choice", [-1, 3, 1.7, 2_000_000_000, float("nan"), float("inf")])
def test_a_choice_outside_its_branch_is_refused_in_transitions(
    tmp_path: Path, settings: Settings, choice: float
) -> None:
    header = '{"transitions": 1, "behavior": "A", "observations": [[1]], "branches": [3]}'
    fine = {"episode": 0, "observations": [[0]], "discrete": [1], "reward": 0}
    path = jsonl(tmp_path / "x.jsonl", *(json.dumps({**fine, "discrete": [one]}) for one in (2, choice)), header=header)
    with pytest.raises(InvalidInputError, match=r"Line 3 of .* no whole numbers within the branches \[3\]"):
        read_dataset(settings, str(path))


def test_a_number_without_an_end_is_refused_at_once(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "x.demo"
    path.write_bytes(b"\xff" * 3_000_000)
    with pytest.raises(InvalidInputError, match="the number at byte 0 has more than ten bytes"):
        read_dataset(settings, str(path))


def test_zeros_that_a_crash_left_behind_a_recording_are_passed_over(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "x.demo"
    write_demo(path, REACH, [episode(REACH, 3)])
    written = path.read_bytes()
    head = messages.DemonstrationMeta(api_version=1).SerializeToString()  # what a recorder writes before it is closed
    path.write_bytes((bytes([len(head)]) + head).ljust(33, b"\0") + written[33:] + bytes(3_000_000))
    dataset = read_dataset(settings, str(path))
    assert (dataset.steps, len(dataset.remarks)) == (3, 2)


def test_transitions_become_episodes(tmp_path: Path, settings: Settings) -> None:
    path = jsonl(
        tmp_path / "x.jsonl",
        transition(0),
        transition(1, done=True, next_observations=[[9] * 6]),
        transition(2, episode=1),
        transition(3, episode=1, timeout=True),
        transition(4, episode="b"),
        transition(5, episode="c", done=True),
    )
    dataset = read_dataset(settings, str(path))
    assert [(len(one), one.outcome) for one in dataset.trajectories] == [
        (2, "ended"),
        (2, "timeout"),
        (1, "cut"),
        (1, "ended"),
    ]
    assert dataset.behavior.action == ActionSpec(2)
    assert dataset.trajectories[0].last is not None
    assert dataset.trajectories[0].last[0].tolist() == [9] * 6


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("[]", "no object"),
        ("nonsense", "Expecting value"),
        (transition(0, colour="red"), "no object with the keys"),
        (transition(0, observations=[[1, 2]]), r"has the shape \(2,\) where the header says \(6,\)"),
        (transition(0, observations=[]), "0 observations where the header names 1"),
        (transition(0, continuous=[1]), "1 continuous and 0 discrete"),
        (transition(0, reward=10**400), "too large"),
        (transition(0, observations=[[10**400] * 6]), "too large"),
        ("[" * 100_000, "recursion"),
        ('{"episode": 0}', "'observations' is missing|continuous"),
    ],
)
def test_a_line_that_is_no_transition_is_named(tmp_path: Path, settings: Settings, line: str, told: str) -> None:
    path = jsonl(tmp_path / "x.jsonl", transition(0), line)
    with pytest.raises(InvalidInputError, match=told) as caught:
        read_dataset(settings, str(path))
    assert f"Line 3 of {path}" in caught.value.message


def test_without_a_header_the_error_shows_one(tmp_path: Path, settings: Settings) -> None:
    path = jsonl(tmp_path / "x.jsonl", header=transition(0))
    with pytest.raises(InvalidInputError, match="no header") as caught:
        read_dataset(settings, str(path))
    assert HEADER in caught.value.fix


def test_several_files_and_folders_are_one_dataset(tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "demos"
    folder.mkdir()
    for number in range(3):
        write_demo(folder / f"{number}.demo", REACH, [episode(REACH, 4, seed=number)])
    assert len(read_dataset(settings, str(folder)).trajectories) == 3
    two = read_dataset(settings, f"{folder / '0.demo'}, {folder / '2.demo'}")
    assert [file.name for file in two.files] == ["0.demo", "2.demo"]
    assert two.sha256 != read_dataset(settings, str(folder)).sha256
    write_demo(folder / "other.demo", MIXED, [episode(MIXED, 4)])
    with pytest.raises(InvalidInputError, match="does not go with"):
        read_dataset(settings, str(folder))


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("nowhere.demo", "There is no dataset"),
        ("empty", "holds no .demo or .jsonl file"),
        ("notes.txt", "neither a .demo nor a .jsonl"),
        (" , ", "No dataset was named"),
        ("../outside.demo", "outside the allowed folders"),
    ],
)
def test_a_path_that_is_no_dataset_is_refused(tmp_path: Path, settings: Settings, path: str, told: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    with pytest.raises(InvalidInputError, match=told):
        read_dataset(settings, path if path == " , " else str(tmp_path / path))


def test_inspecting_tells_what_is_in_a_dataset(tmp_path: Path, settings: Settings) -> None:
    app = App(settings)
    path = tmp_path / "reach.demo"
    write_demo(path, REACH, [episode(REACH, 10, seed=seed) for seed in range(20)])
    found = app.inspect_dataset(str(path))
    assert (found.behavior_name, found.format, found.episodes, found.steps) == ("ReachTarget", "demo", 20, 200)
    assert (found.observation_shapes, found.continuous_actions, found.branches) == ([[6]], 2, [])
    assert found.outcomes == {"ended": 20, "timeout": 0, "cut": 0}
    assert found.returns.low <= found.returns.mean <= found.returns.high
    assert found.sensors[0].coverage > 0.9
    assert (found.not_finite, found.duplicate_steps, found.duplicate_episodes, found.findings) == (0, 0, 0, [])
    assert found.fits is None
    app.close()


def test_inspecting_finds_what_would_spoil_a_training(tmp_path: Path, settings: Settings) -> None:
    app = App(settings)
    path = jsonl(
        tmp_path / "x.jsonl",
        *(transition(1, done=True) for _ in range(5)),
        transition(2, reward=float("nan"), done=True),
        transition(3, continuous=[2.0, 0.0], done=True),
        transition(4, done=True, next_observations=[[float("inf")] * 6]),
    )
    found = app.inspect_dataset(str(path))
    told = {finding.severity: finding.what for finding in reversed(found.findings)}
    assert told["error"] == "7 numbers are NaN or infinite"
    assert "continuous 0 reaches from 0.5 to 2" in {finding.what for finding in found.findings}
    assert (found.duplicate_steps, found.duplicate_episodes, found.not_finite) == (4, 4, 7)
    assert found.next.startswith("Mend")
    app.close()


def test_inspecting_says_whether_a_dataset_fits_a_build(tmp_path: Path, settings: Settings) -> None:
    app = App(settings)
    reach = app.build_environment(description="reach the target").build_id
    patrol = app.build_environment(description="patrol four waypoints").build_id
    path = tmp_path / "reach.demo"
    write_demo(path, REACH, [episode(REACH, 10, seed=seed) for seed in range(10)])
    assert app.inspect_dataset(str(path), build_id=reach).fits is True
    foreign = app.inspect_dataset(str(path), build_id=patrol)
    assert foreign.fits is False
    assert "its observations are (6), the behaviour's (9)" in foreign.findings[0].what
    app.close()
