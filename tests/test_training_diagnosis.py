"""Each way in which a training fails is named, with the call that mends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from unity_mlops_mcp.training.diagnosis import UNKNOWN, diagnose, diagnoses

ERRORS = "mlagents_envs.exception."
ENVIRONMENT = ERRORS + "UnityEnvironmentException: "
TRAINER = "mlagents.trainers.exception.UnityTrainerException: "
CONFIG = "mlagents.trainers.exception.TrainerConfigError: "
STARTED = "launcher: fast mode, patched: generated-messages, pkg_resources"
"""What our launcher says at every start (test_trainer_env.py holds it to these words)."""
TRACEBACK = [
    "Traceback (most recent call last):",
    '  File "learn.py", line 258, in main',
    "    run_cli(parse_command_line())",
]

CASES: list[tuple[str, str, str]] = [
    ("disk_full", "OSError: [Errno 28] No space left on device", "resume_training"),
    ("gpu_out_of_memory", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.", "cpu"),
    ("out_of_memory", "MemoryError", "num_areas"),
    (
        "out_of_memory",
        "RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 8 bytes",
        "num_areas",
    ),
    ("cuda_unusable", "RuntimeError: CUDA error: no kernel image is available for execution on the device", "cpu"),
    ("cuda_unusable", "RuntimeError: Found no NVIDIA driver on your system.", "driver"),
    ("library_missing", "ImportError: /lib/libm.so.6: version `GLIBC_2.28' not found (required by torch)", "glibc"),
    (
        "library_missing",
        "OSError: [WinError 126] The specified module could not be found. Error loading c10.dll",
        "Visual C++",
    ),
    ("too_many_files", "OSError: [Errno 24] Too many open files", "ulimit"),
    ("protobuf_too_new", "TypeError: Descriptors cannot be created directly.", "protobuf<3.21"),
    ("protobuf_too_new", "TypeError: Descriptors cannot not be created directly.", "protobuf<3.21"),
    ("onnx_export_broken", "ModuleNotFoundError: No module named 'onnxscript'", "trainer install"),
    (
        "onnx_export_broken",
        "torch.onnx.errors.UnsupportedOperatorError: Exporting the operator failed",
        "trainer install",
    ),
    ("setuptools_too_new", "ModuleNotFoundError: No module named 'pkg_resources'", "setuptools<82"),
    ("setuptools_too_new", "ModuleNotFoundError: No module named 'distutils'", "trainer install"),
    ("numpy_too_new", "AttributeError: module 'numpy' has no attribute 'float'.", "numpy<1.24"),
    ("numpy_too_new", "TypeError: Object of type float32 is not JSON serializable", "numpy<1.24"),
    ("numpy_too_new", "ValueError: setting an array element with a sequence.", "numpy<1.24"),
    ("trainer_refused", "launcher: fast mode is made for mlagents 1.1.0, found 1.0.0; use --mode compat", "compat"),
    ("trainer_broken", "ModuleNotFoundError: No module named 'h5py'", "--repair"),
    ("trainer_broken", "/usr/bin/python3: No module named mlagents.trainers", "--repair"),
    (
        "behavior_name",
        CONFIG
        + "The behavior name Wrong has not been specified in the trainer configuration. Please add an entry in the "
        "configuration file for Wrong, or set default_settings.",
        "exactly Wrong",
    ),
    (
        "trainer_config",
        CONFIG + "The option batchsize was specified in your YAML file for TrainerSettings, but is invalid.",
        "batchsize",
    ),
    ("trainer_config", CONFIG + "The option nonsense was specified in your YAML file, but is invalid.", "nonsense"),
    ("trainer_config", CONFIG + "Invalid trainer type a2c was found", "sac"),
    (
        "trainer_config",
        CONFIG + "Error parsing yaml file. Please check for formatting errors. A tool such as http://www.yamllint.com/",
        "YAML",
    ),
    ("trainer_config", "yaml.scanner.ScannerError: mapping values are not allowed here", "YAML"),
    ("trainer_config", "ValueError: num_envs must be 1 if env_path is not set.", "setting"),
    ("trainer_arguments", "mlagents-learn: error: unrecognized arguments: --timeout-wait=10", "doctor"),
    (
        "run_exists",
        TRAINER
        + "Previous data from this run ID was found. Either specify a new run ID, use --resume to resume this run, "
        "or use the --force parameter to overwrite existing data.",
        'resume_training(run_id="r1")',
    ),
    ("nothing_to_resume", TRAINER + "Previous data from this run ID was not found. Train a new run", "start_training"),
    (
        "initialize_from",
        TRAINER + "Could not initialize from results/nope. Make sure models have already been saved with that run ID.",
        "list_runs",
    ),
    (
        "checkpoint_broken",
        "RuntimeError: PytorchStreamReader failed reading zip archive: failed finding central directory",
        "older",
    ),
    (
        "checkpoint_broken",
        "_pickle.UnpicklingError: Weights only load failed. WeightsUnpickler error",
        "initialize_from",
    ),
    (
        "not_writable",
        "PermissionError: [Errno 13] Permission denied: '/home/x/runs/r1/configuration.yaml'",
        "UNITY_MLOPS_HOME",
    ),
    ("demonstration", "FileNotFoundError: The demonstration file or directory a.demo does not exist.", ".demo"),
    ("demonstration", "ValueError: There are no '.demo' files in the provided directory.", ".demo"),
    (
        "port_in_use",
        (
            ERRORS + "UnityWorkerInUseException: Couldn't start socket communication because worker number 0 is "
            "still in use. You may need to manually close a previously opened environment."
        ),
        "UNITY_MLOPS_BASE_PORT",
    ),
    (
        "player_missing",
        ENVIRONMENT + "Couldn't launch the /x/nope environment. Provided filename does not match any environments.",
        "build_environment",
    ),
    (
        "player_not_executable",
        ENVIRONMENT + "Error when trying to launch environment - make sure permissions are set correctly. For example "
        '"chmod -R 755 /x/nav.x86_64"',
        "chmod",
    ),
    ("player_wrong_platform", "OSError: [Errno 8] Exec format error: '/x/nav.x86_64'", "this machine"),
    ("nan_from_player", "RuntimeError: The rewards provided had NaN values.", "probe"),
    ("nan_from_player", "RuntimeError: The observations provided had Infinite values.", "probe"),
    (
        "diverged",
        (
            "ValueError: Expected parameter loc (Tensor of shape (256, 2)) of distribution Normal() to satisfy the "
            "constraint Real(), but found invalid values: tensor([[nan, nan]])"
        ),
        "learning_rate",
    ),
    (
        "shapes_differ",
        (
            ERRORS + "UnityObservationException: Observation at index=0 for agent with id=3 didn't match the "
            "ObservationSpec. Expected shape (6,) but got (4,)."
        ),
        "same observations",
    ),
    (
        "protocol_version",
        ENVIRONMENT
        + "The communication API version is not compatible between Unity and python. Python API: 1.5.0, Unity "
        "API: 0.15.0.",
        "2.0 or newer",
    ),
    (
        "player_hangs",
        "mlagents_envs.exception.UnityTimeOutException: The Unity environment took too long to respond.",
        "Decision Requester",
    ),
    ("player_crashed", ENVIRONMENT + "Environment shut down with return code 7.", "resume_training"),
    ("player_crashed", ENVIRONMENT + "Environment shut down with return code -9 (SIGKILL).", "resume_training"),
    (
        "player_left",
        "mlagents_envs.exception.UnityCommunicatorStoppedException: Communicator has exited.",
        "resume_training",
    ),
    (
        "player_left",
        "mlagents_envs.exception.UnityCommunicationException: UnityEnvironment worker: recv failed.",
        "resume_training",
    ),
]

PLAYER_CASES = [
    (
        "player_out_of_memory",
        "DynamicHeapAllocator out of memory - Could not get memory for large allocation",
        "num_areas",
    ),
    ("no_display", "InitializeEngineGraphics failed", "no_graphics"),
    ("player_error", "NullReferenceException: Object reference not set to an instance of an object", "script"),
    ("player_error", "ValueError: spec has no target", "log"),
]

EXIT_CASES = [
    (-9, "killed"),
    (137, "killed"),
    (-15, "terminated"),
    (-11, "trainer_crashed"),
    (3221225477, "trainer_crashed"),
]


@pytest.mark.parametrize(("cause", "line", "fix"), CASES)
def test_a_failure_is_named_from_the_trainers_last_words(cause: str, line: str, fix: str) -> None:
    found = diagnose([STARTED, *TRACEBACK, line, ""], exit_code=1, run_id="r1")
    assert found.cause == cause
    assert fix in found.fix
    assert line[:60] in found.evidence[0]
    assert "{" not in found.message + found.fix


@pytest.mark.parametrize(("cause", "line", "fix"), PLAYER_CASES)
def test_a_players_own_log_says_why_it_left(cause: str, line: str, fix: str) -> None:
    trainer = [*TRACEBACK, ENVIRONMENT + "Environment shut down with return code 1."]
    found = diagnose(trainer, exit_code=1, player_log_lines=["Initialize engine", line], run_id="r1")
    assert (found.cause, fix in found.fix) == (cause, True)


def test_a_players_log_is_not_blamed_for_what_the_trainer_did() -> None:
    lines = [*TRACEBACK, "AssertionError: Batch sizes must be equal"]
    found = diagnose(lines, exit_code=1, player_log_lines=["NullReferenceException: harmless"], run_id="r1")
    assert found.cause == UNKNOWN


@pytest.mark.parametrize(("code", "cause"), EXIT_CASES)
def test_a_silent_end_is_told_by_its_exit_code(code: int, cause: str) -> None:
    summary = "[INFO] Nav. Step: 2000. Time Elapsed: 4.212 s. Mean Reward: 0.004. Std of Reward: 0.651. Training."
    lines = [STARTED, summary]
    found = diagnose(lines, exit_code=code, run_id="r1")
    assert found.cause == cause
    assert "r1" in found.fix


def test_a_timeout_keeps_the_lines_that_its_text_goes_on_over() -> None:
    lines = [
        *TRACEBACK,
        ERRORS + "UnityTimeOutException: The Unity environment took too long to respond. Make sure that :",
        "\t The environment does not need user interaction to launch",
        '\t The Agents\' Behavior Parameters > Behavior Type is set to "Default"',
        "\t The environment and the Python interface have compatible versions.",
        "\t If you're running on a headless server without graphics support, turn off display",
    ]
    found = diagnose(lines, exit_code=1, player_log_path=Path("/runs/r1/Player-0.log"))
    assert found.cause == "player_hangs"
    assert any("Behavior Type" in line for line in found.evidence)
    assert "/runs/r1/Player-0.log" in found.fix


def test_the_root_of_a_chain_of_exceptions_is_found() -> None:
    lines = [
        "OSError: [Errno 28] No space left on device",
        "During handling of the above exception, another exception occurred:",
        *TRACEBACK,
        "RuntimeError: [enforce fail at inline_container.cc:595] . unexpected pos 64 vs 0",
    ]
    assert diagnose(lines, exit_code=1).cause == "disk_full"


def test_an_exception_group_still_gives_its_reason() -> None:
    lines = [
        "  + Exception Group Traceback (most recent call last):",
        "  | cattrs.errors.ClassValidationError: While structuring RunOptions (1 sub-exception)",
        (
            "    | mlagents.trainers.exception.TrainerConfigError: The option batchsize was specified in your YAML "
            "file for TrainerSettings, but is invalid."
        ),
        "    +------------------------------------",
    ]
    found = diagnose(lines, exit_code=1)
    assert found.cause == "trainer_config"
    assert "batchsize" in found.message


def test_what_nobody_knew_still_gives_the_last_exception_and_the_log(tmp_path: Path) -> None:
    found = diagnose(
        [*TRACEBACK, "KeyError: 'nobody'"], exit_code=1, step=10, max_steps=20, log_path=tmp_path / "t.log"
    )
    assert found.cause == UNKNOWN
    assert "KeyError: 'nobody'" in found.message
    assert "step 10 of 20" in found.message
    assert str(tmp_path / "t.log") in found.fix
    assert diagnose([], exit_code=None).cause == UNKNOWN


def test_every_entry_is_reached_by_a_case() -> None:
    tried = {cause for cause, _, _ in [*CASES, *PLAYER_CASES]} | {cause for _, cause in EXIT_CASES}
    assert {entry.cause for entry in diagnoses()} == tried


def test_what_python_ignored_at_the_end_is_not_the_reason() -> None:
    reason = (
        ERRORS
        + "UnityWorkerInUseException: Couldn't start socket communication because worker number 0 is still in use."
    )
    ignored = [
        "Exception ignored in atexit callback: <bound method UnityEnvironment._close of <mlagents_envs.environment",
        *TRACEBACK,
        "AttributeError: 'UnityEnvironment' object has no attribute '_communicator'",
    ]
    assert diagnose([STARTED, *TRACEBACK, reason, *ignored], exit_code=1).cause == "port_in_use"
    assert "_communicator" in diagnose([STARTED, *ignored], exit_code=1).message
