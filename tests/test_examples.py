"""The examples run as they stand, with the real trainer, and the README's table of the home is true."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.mcp_clients import server_environment
from tests.stand_ins.player import write_player
from tests.stand_ins.unity_editor import install_editor
from tests.unity_worlds import VERSION, needs_a_shell, own_project
from unity_mlops_mcp.pipeline.records import Wanted
from unity_mlops_mcp.pipeline.stages import stages_of

pytestmark = [pytest.mark.trainer, pytest.mark.slow]

EXAMPLES = REPOSITORY / "examples"
PLACEHOLDERS = {"<run_id>": "*", "<build_id>": "*", "<job_id>": "*"}
ONLY_ELSEWHERE = {"trainer/", ".replaced/", "projects/", "models/<name>/<version>/"}
"""Made by ``trainer install``, ``force``, Unity builds and registrations, none of which the first example does."""


def run(name: str, home: Path, trainer_python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """An example, run from a folder that is not the repository."""
    return subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        cwd=home.parent,
        env=server_environment(home, UNITY_MLOPS_TRAINER=str(trainer_python), PYTHONPATH=str(REPOSITORY)),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )


def example(name: str, home: Path, trainer_python: Path, *arguments: str) -> str:
    """What an example prints that goes well."""
    done = run(name, home, trainer_python, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def policy_in(output: str) -> Path:
    """The trained policy that the output names."""
    named = re.search(r"^Policy (.+\.onnx)$", output, re.MULTILINE)
    assert named is not None, output
    return Path(named[1])


def test_a_training_through_mcp_outlives_its_first_client(home: Path, trainer_python: Path) -> None:
    said = example("train_through_mcp.py", home, trainer_python, "a robot finds the red ball", "--max-steps", "8000")
    closed, policy = said.index("The client has closed"), said.index("\nPolicy ")
    assert said.index("\nTraining ") < closed < policy
    assert policy_in(said).stat().st_size > 1000
    assert re.search(r"^Success \d+% of the last \d+ episodes$", said, re.MULTILINE)
    assert re.search(r'^Reward by step \{"\d+": -?\d', said, re.MULTILINE)
    missing = [path for path in promised_paths() if not list(home.glob(path))]
    assert not missing, sorted(path.relative_to(home).as_posix() for path in home.rglob("*"))


def test_a_tools_error_is_told_without_a_trace(home: Path, trainer_python: Path) -> None:
    done = run("train_through_mcp.py", home, trainer_python, "make me a sandwich")
    assert done.returncode == 1
    assert "Fix: Describe one of these behaviours" in done.stderr
    assert "Traceback" not in done.stderr


def promised_paths() -> list[str]:
    """What the README's table says of the home, as patterns."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    section = text.split("## Where things lie")[1].split("\n## ")[0]
    promised = []
    for folders, content in re.findall(r"^\| (`.+?) \| (.+) \|$", section, re.MULTILINE):
        named = re.findall(r"`([^`]+)`", folders)
        inside = [f"{named[0]}{file}" for file in re.findall(r"`([^`]+)`", content) if named[0].startswith("runs/")]
        promised += [*(folder for folder in named if folder not in ONLY_ELSEWHERE), *inside]
    for placeholder, pattern in PLACEHOLDERS.items():
        promised = [path.replace(placeholder, pattern) for path in promised]
    assert len(promised) >= 8
    return promised


def test_a_spec_written_by_hand_is_built_and_trained(home: Path, trainer_python: Path) -> None:
    said = example("custom_environment.py", home, trainer_python, "--max-steps", "12000")
    assert "DeliverParcel observes [[66], [5]]" in said
    assert policy_in(said).name == "DeliverParcel.onnx"
    assert re.search(r"^  \d+% of the last \d+ episodes ended by (?:delivered|fell|timeout)$", said, re.MULTILINE)


def test_a_behaviour_that_no_preset_is_like_goes_the_whole_way(home: Path, trainer_python: Path) -> None:
    said = example("whole_way.py", home, trainer_python, "--max-steps", "9000")
    for stage in stages_of(Wanted()):
        assert re.search(rf"^  {stage.name}: .+$", said, re.MULTILINE), stage.name
    assert policy_in(said).name == "GatherNectar.onnx"
    (folder,) = re.findall(r"^Results (.+)$", said, re.MULTILINE)
    spec = json.loads((Path(folder) / "describe.json").read_text())["spec"]
    assert (spec["agent"]["count"], spec["entities"][1]["motion"]["kind"]) == (2, "roam")


@pytest.mark.skipif(sys.platform == "win32", reason="the player's script runs only on systems with a shell")
def test_a_player_of_ones_own_is_looked_at_and_trained(home: Path, trainer_python: Path) -> None:
    player = write_player(home.parent / "my game", "--agents", "8")
    said = example("own_player.py", home, trainer_python, str(player), "--max-steps", "3000")
    assert "Nav observes ((4,),)" in said
    run_id = re.search(r"unity-mlops watch (\S+)$", said, re.MULTILINE)
    assert run_id is not None
    watched = subprocess.run(
        [sys.executable, "-m", "unity_mlops_mcp", "watch", run_id[1]],
        cwd=REPOSITORY,
        env=server_environment(home, UNITY_MLOPS_TRAINER=str(trainer_python)),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    assert watched.returncode == 0, watched.stdout + watched.stderr
    assert (home / "runs" / run_id[1] / "Nav.onnx").stat().st_size > 1000


def test_seeds_are_compared_in_a_table(home: Path, trainer_python: Path) -> None:
    said = example("python_api.py", home, trainer_python, "--seeds", "1", "2", "--max-steps", "2000")
    rows = [line.split() for line in said.splitlines()]
    assert rows[0] == ["seed", "state", "reward", "success", "run"]
    assert [row[:2] for row in rows[1:]] == [["1", "succeeded"], ["2", "succeeded"]]
    assert len({row[4] for row in rows[1:]}) == 2


@needs_a_shell
def test_a_unity_project_is_built_and_trained(
    home: Path, trainer_python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNITY_MLOPS_EDITOR", str(install_editor(tmp_path / "Editors", VERSION)))
    project = own_project(tmp_path)
    said = example("build_unity_project.py", home, trainer_python, str(project), "--max-steps", "2000")
    assert "Roller observes [[4]]" in said
    assert policy_in(said).name == "Roller.onnx"
    assert list(home.glob("projects/*/Library"))
    (project / "Assets" / "Broken.cs").write_text("#error not written yet\n")
    failed = run("build_unity_project.py", home, trainer_python, str(project))
    assert failed.returncode == 1
    assert "unity_compile: " in failed.stderr
    assert "Fix: Correct Assets/Broken.cs at line 1" in failed.stderr


def test_from_a_run_to_production_and_back(home: Path, trainer_python: Path) -> None:
    said = example("from_run_to_production.py", home, trainer_python)
    assert re.search(r"it succeeded in \d+ % \(\d+ % to \d+ %\) of 200 episodes", said)
    assert re.search(r"unity-reachtarget-\d{8}-\w{7}-v001 is production now: all 6 gates passed", said)
    assert re.search(r"PDF report \S.*\.pdf|No PDF: ", said)
    assert re.search(r"v002.*(was not promoted to production\. success|: refused)", said)
    assert re.search(r"Rolled back from \S+-v002 to \S+-v001; incident-\S+ is open", said)
    assert [line.split()[1] for line in said.splitlines() if line.startswith("  20")] == [
        "unfreeze",
        "rollback",
        "override",
        "refused",
        "register",
        "promote",
        "register",
    ]
