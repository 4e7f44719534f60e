"""What the launcher does before a training: it refuses, it patches, it describes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from tests.trainings import LAUNCHER, TRAINER_ENV, environment
from unity_mlops_mcp.trainer_env import compat
from unity_mlops_mcp.trainer_env.compat import Version
from unity_mlops_mcp.trainer_env.compat_messages import file_descriptor
from unity_mlops_mcp.trainer_env.patching import Patch, Versions, apply_patches

ADOPT = f"""
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("the_launcher", {str(LAUNCHER)!r})
launcher = importlib.util.module_from_spec(spec)
spec.loader.exec_module(launcher)
launcher.adopt_package()
start = importlib.import_module(launcher.PACKAGE + ".start")
"""


def run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment(**variables),
        timeout=120,
        check=False,
    )


def installed(**versions: str) -> Versions:
    def lookup(name: str) -> str:
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    return Versions(lookup)


def needed(versions: Versions) -> set[str]:
    patches = (*compat.BEFORE_IMPORT, *compat.AFTER_IMPORT)
    return {patch.name for patch in patches if patch.applies_to(versions)}


def fake_mlagents(folder: Path, version: str) -> str:
    """A folder for PYTHONPATH in which a distribution of that version seems to be installed."""
    information = folder / f"mlagents-{version}.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: mlagents\nVersion: {version}\n")
    return str(folder)


# Patches


def test_a_version_is_compared_by_its_release_and_a_missing_one_is_older_than_any() -> None:
    versions = installed(torch="2.13.0+cpu", protobuf="7.36.2rc1")
    assert versions.of("torch") == (2, 13, 0)
    assert versions.of("protobuf") == (7, 36, 2)
    assert versions.of("numpy") == () < (1,)


def test_a_patch_is_made_only_where_its_incompatibility_exists() -> None:
    made: list[str] = []
    patches = (
        Patch("old", "needed before 2", lambda versions: versions.of("x") < (2,), lambda: made.append("old")),
        Patch("new", "needed from 2 on", lambda versions: versions.of("x") >= (2,), lambda: made.append("new")),
    )
    assert apply_patches(patches, installed(x="2.1")) == made == ["new"]


def test_the_stack_that_mlagents_pins_needs_no_patch_of_its_libraries() -> None:
    pinned = installed(protobuf="3.20.3", numpy="1.23.5", cattrs="1.5.0", torch="2.2.2", mlagents="1.1.0")
    pinned.python = (3, 10, 13)
    assert needed(pinned) - {"distutils", "pkg_resources"} == set()


def test_a_current_stack_needs_each_patch_of_its_libraries() -> None:
    current = installed(protobuf="7.36.2", numpy="2.4.6", cattrs="26.2.1", torch="2.13.0+cpu", mlagents="1.1.0")
    current.python = (3, 13, 0)
    assert needed(current) - {"distutils", "pkg_resources"} == {
        "generated-messages",
        "numpy-aliases",
        "plain-configuration-errors",
        "export-by-tracing",
        "numpy-json",
        "entry-points",
        "poca-returns",
    }
    assert "numpy-long" in needed(installed(numpy="1.26.4"))


def test_every_patch_says_in_one_line_what_goes_wrong_without_it() -> None:
    for patch in (*compat.BEFORE_IMPORT, *compat.AFTER_IMPORT):
        assert 20 < len(patch.reason) < 200
        assert "\n" not in patch.reason


@pytest.mark.parametrize(
    ("older", "newer"), [("1.5.0", "1.10.0"), ("1.6.0.dev1", "1.6.0.1"), ("1.6.0", "2.13.0+cpu"), ("1.5", "1.5.1")]
)
def test_versions_compare_as_distutils_compared_them(older: str, newer: str) -> None:
    assert Version(older) < Version(newer)
    assert Version(newer) >= older
    assert Version(older) != Version(newer)
    assert (str(Version(older)), Version("1.5.0").version[0]) == (older, 1)


@pytest.mark.parametrize(
    "source",
    [
        r"""DESCRIPTOR = _descriptor.FileDescriptor(name='a.proto', serialized_pb=_b('\n\x07\x61.proto\xc8\'')) """,
        r"""DESCRIPTOR = _descriptor_pool.Default().AddSerializedFile(b'\n\x07\x61.proto\xc8\'')""",
    ],
)
def test_the_descriptor_is_read_out_of_old_and_newer_generated_modules(source: str) -> None:
    assert file_descriptor(source) == b"\n\x07a.proto\xc8'"
    assert file_descriptor("x = 1") is None


CHECKS: Mapping[str, str] = {
    "generated-messages": """
import pickle
from mlagents_envs.communicator_objects.command_pb2 import RESET, STEP
from mlagents_envs.communicator_objects.unity_message_pb2 import UnityMessageProto
message = UnityMessageProto()
message.header.status = 200
answer = pickle.loads(pickle.dumps(message)).header.status == 200 and (STEP, RESET) == (0, 1)
""",
    "distutils": """
from distutils.version import LooseVersion, StrictVersion
answer = LooseVersion("2.13.0+cpu") >= LooseVersion("1.6.0") and StrictVersion("1.5.0").version[0] == 1
""",
    "pkg_resources": """
import pkg_resources
answer = pkg_resources.get_distribution("mlagents").version == "1.1.0"
try:
    pkg_resources.get_distribution("no-such-distribution")
    answer = False
except pkg_resources.DistributionNotFound:
    pass
""",
    "numpy-aliases": "import numpy; answer = numpy.float is float and numpy.object is object",
    "numpy-long": "import numpy; answer = numpy.dtype(numpy.long).kind == 'i'",
    "plain-configuration-errors": """
from mlagents.trainers.exception import TrainerConfigError
from mlagents.trainers.settings import RunOptions
from mlagents.plugins.trainer_type import get_default_trainer_types
get_default_trainer_types()
try:
    RunOptions.from_dict({"behaviors": {"Nav": {"trainer_type": "ppo", "batchsize": 3}}})
    answer = False
except TrainerConfigError as error:
    answer = "batchsize" in str(error)
""",
    "export-by-tracing": """
import io, torch
out = io.BytesIO()
torch.onnx.export(torch.nn.Linear(2, 1), (torch.zeros(1, 2),), out, opset_version=9)
answer = len(out.getvalue()) > 50
""",
    "numpy-json": """
import io, numpy
from mlagents.trainers import training_status
out = io.StringIO()
training_status.json.dump({"reward": numpy.float32(0.5)}, out, indent=4)
answer = json.loads(out.getvalue()) == {"reward": 0.5}
""",
    "entry-points": """
from mlagents.plugins import stats_writer, trainer_type
answer = {"ppo", "sac", "poca"} <= set(trainer_type.register_trainer_plugins()[0])
answer = answer and "mlagents.stats_writer" in stats_writer.importlib_metadata.entry_points()
""",
    "poca-returns": """
import numpy
from mlagents.trainers.poca import trainer
rewards, value = numpy.ones(3, numpy.float32), numpy.ones(1, numpy.float32)
answer = trainer.lambda_return(rewards, [0.0] * 3, value_next=value).shape == (3,)
""",
}


@pytest.mark.trainer
def test_every_incompatibility_is_mended(trainer_python: Path) -> None:
    body = "".join(
        f"\ndef check():\n{indented(check)}\n    return bool(answer)\nanswers[{name!r}] = check()\n"
        for name, check in CHECKS.items()
    )
    told = run(
        trainer_python, "-c", f"{ADOPT}\nstart.prepare('compat')\nanswers = {{}}\n{body}\nprint(json.dumps(answers))"
    )
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout.splitlines()[-1]) == dict.fromkeys(CHECKS, True)


def indented(code: str) -> str:
    return "\n".join(f"    {line}" for line in code.strip().splitlines())


def test_every_patch_has_a_check() -> None:
    assert {patch.name for patch in (*compat.BEFORE_IMPORT, *compat.AFTER_IMPORT)} == set(CHECKS)


@pytest.mark.trainer
def test_the_modules_are_importable_under_a_private_name_only(trainer_python: Path) -> None:
    code = """
start.prepare("fast")
found = sorted(name for name in sys.modules if name.startswith(launcher.PACKAGE))
names = [name.rpartition(".")[2] for name in found]
print(json.dumps([found, [name for name in names if name in sys.modules], sys.path]))
"""
    told = run(trainer_python, "-c", ADOPT + code)
    assert told.returncode == 0, told.stderr
    found, generic, path = json.loads(told.stdout.splitlines()[-1])
    assert "_unity_mlops_trainer_env.fast_environment" in found
    assert generic == ["_unity_mlops_trainer_env"]
    assert str(TRAINER_ENV) not in path


# The launcher


def test_wrong_arguments_are_refused_in_one_line() -> None:
    for arguments in ((), ("--mode", "quick", "--"), ("--mode", "fast", "trainer.yaml")):
        told = run(sys.executable, LAUNCHER, *arguments)
        assert told.returncode == 3
        assert len(told.stderr.splitlines()) == 1
        assert "--mode fast|compat -- <arguments of mlagents-learn>" in told.stderr


def test_an_interpreter_without_mlagents_is_refused_by_name() -> None:
    told = run(sys.executable, LAUNCHER, "--mode", "fast", "--", "trainer.yaml")
    assert told.returncode == 3
    assert told.stderr.splitlines() == [
        f"launcher: {sys.executable} holds no mlagents; install mlagents==1.1.0 into it, or name another interpreter"
    ]


@pytest.mark.parametrize(
    ("version", "mode", "says"),
    [
        ("1.0.0", "fast", "fast mode is made for mlagents 1.1.0, found 1.0.0; use --mode compat"),
        ("0.30.0", "fast", "fast mode is made for mlagents 1.1.0, found 0.30.0; use --mode compat"),
        ("0.30.0", "compat", "compat mode is made for mlagents 1.x, found 0.30.0; start its own mlagents-learn"),
    ],
)
def test_another_mlagents_is_refused_by_its_version(version: str, mode: str, says: str, tmp_path: Path) -> None:
    told = run(sys.executable, LAUNCHER, "--mode", mode, "--", "t.yaml", PYTHONPATH=fake_mlagents(tmp_path, version))
    assert (told.returncode, told.stderr) == (3, f"launcher: {says}\n")


@pytest.mark.trainer
@pytest.mark.parametrize("mode", ["fast", "compat"])
def test_a_bad_key_in_the_yaml_is_the_last_thing_said(mode: str, trainer_python: Path, tmp_path: Path) -> None:
    configuration = tmp_path / "trainer.yaml"
    configuration.write_text("behaviors:\n  Nav:\n    trainer_type: ppo\n    batchsize: 3\n")
    told = run(trainer_python, LAUNCHER, "--mode", mode, "--", configuration, "--run-id=x")
    assert told.returncode == 1
    assert told.stderr.splitlines()[-1] == (
        "mlagents.trainers.exception.TrainerConfigError: The option batchsize was specified in your YAML file for "
        "TrainerSettings, but is invalid."
    )


@pytest.mark.trainer
def test_the_help_of_mlagents_learn_comes_through(trainer_python: Path) -> None:
    told = run(trainer_python, LAUNCHER, "--mode", "fast", "--", "--help")
    assert told.returncode == 0
    assert told.stdout.startswith("usage: mlagents-learn")
    assert told.stderr.startswith("launcher: fast mode, patched: generated-messages, ")


# describe.py and export_check.py


def described(python: str | Path, **variables: str) -> dict[str, Any]:
    told = run(python, TRAINER_ENV / "describe.py", **variables)
    assert told.returncode == 0, told.stderr
    (line,) = told.stdout.splitlines()
    answer: dict[str, Any] = json.loads(line)
    return answer


@pytest.mark.trainer
def test_a_trainer_is_described_without_importing_torch(trainer_python: Path) -> None:
    told = run(trainer_python, "-X", "importtime", TRAINER_ENV / "describe.py")
    description = json.loads(told.stdout)
    assert description["mlagents"] == description["mlagents_envs"] == "1.1.0"
    assert description["python"].startswith("3.")
    for package in ("torch", "numpy", "protobuf", "grpcio", "onnx", "cattrs"):
        assert description[package][0].isdigit(), package
    assert "| torch" not in told.stderr


def test_what_an_interpreter_lacks_is_null(tmp_path: Path) -> None:
    description = described(sys.executable, PYTHONPATH=fake_mlagents(tmp_path, "0.30.0"))
    assert description["mlagents"] == "0.30.0"
    assert description["mlagents_envs"] is None
    assert description["torch"] is None
    assert description["executable"] == sys.executable


@pytest.mark.parametrize("content", [None, "", "def ", 'cuda: Optional[str] = "12.8"\nhip = None\n'])
def test_a_damaged_torch_does_not_keep_the_rest_from_being_described(content: str | None, tmp_path: Path) -> None:
    torch = tmp_path / "torch"
    torch.mkdir()
    (torch / "__init__.py").write_text("raise RuntimeError('torch was imported')")
    if content is not None:
        (torch / "version.py").write_text(content)
    description = described(sys.executable, PYTHONPATH=str(tmp_path))
    assert description["cuda"] == ("12.8" if content and "12.8" in content else None)
    assert description["numpy"] is not None


@pytest.mark.parametrize("version", ["3.6", "3.7", "3.8", "3.9", "3.10", "3.12", "3.13"])
def test_old_and_new_interpreters_describe_themselves(version: str) -> None:
    python = pyenv(version) or shutil.which(f"python{version}")
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    assert described(python)["python"].startswith(f"{version}.")
    told = run(python, TRAINER_ENV / "export_check.py")
    assert (told.returncode, told.stderr) == (2, "usage: export_check.py OUT.onnx [--mode compat|stock]\n")


def pyenv(version: str) -> str | None:
    root = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    return next((str(path) for path in sorted(root.glob(f"{version}.*/bin/python"))), None)


@pytest.mark.trainer
def test_a_tiny_policy_is_exported_and_opens(trainer_python: Path, tmp_path: Path) -> None:
    import onnxruntime

    target = tmp_path / "folder with space" / "tiny.onnx"
    target.parent.mkdir()
    told = run(trainer_python, TRAINER_ENV / "export_check.py", target)
    answer = json.loads(told.stdout)
    assert told.returncode == 0
    assert answer["ok"] is True
    assert answer["opset"] >= 9
    assert 0 < answer["seconds"] < 100
    session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    assert {"continuous_actions", "discrete_actions"} <= {output.name for output in session.get_outputs()}


def test_an_export_that_cannot_work_is_an_answer_with_its_reason(tmp_path: Path) -> None:
    told = run(sys.executable, TRAINER_ENV / "export_check.py", tmp_path / "tiny.onnx", "--mode", "stock")
    answer = json.loads(told.stdout)
    assert told.returncode == 1
    assert answer["ok"] is False
    assert answer["error"] == "ModuleNotFoundError: No module named 'mlagents'"
