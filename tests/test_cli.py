"""`unity-mlops` as a process: results, errors, exit codes, and help."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.mcp_clients import in_memory, server_environment
from tests.stand_ins.player import write_player
from unity_mlops_mcp.interfaces.cli.calls import as_commands

REPOSITORY = Path(__file__).resolve().parents[1]
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def cli(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One command with this home; its output is no terminal."""
    return subprocess.run(
        [sys.executable, "-m", "unity_mlops_mcp", *arguments],
        cwd=REPOSITORY,
        env=server_environment(home, **environment),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def record(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The one JSON document on standard output."""
    assert done.stderr == ""
    return dict(json.loads(done.stdout))


@pytest.mark.anyio
async def test_every_tool_has_a_command_with_the_same_words(home: Path) -> None:
    async with in_memory("auto") as client:
        tools = (await client.list_tools()).tools
    for tool in tools:
        done = cli(home, tool.name.replace("_", "-"), "--help", COLUMNS="400")
        assert done.returncode == 0, tool.name
        for name in tool.input_schema["properties"]:
            option = f"--{name.replace('_', '-')}"
            positional = rf"│\s+\*?\s*({name}|{name.upper()})\s"
            assert option in done.stdout or re.search(positional, done.stdout), (tool.name, name)
        assert "--json" in done.stdout, tool.name


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("add-schedule", "a", "nightly", "--request", "patrol", "--training", '{"gama": 0.9}'),
            "gama: unknown; did you mean gamma?",
        ),
        (("list-run",), "Did you mean 'list-runs'"),
        (("list-runs", "--limt", "3"), "--limit"),
        (("list-runs", "--limit", "500"), "Invalid value for '--limit'"),
        (("start-training", "--algorithm", "dqn"), "'dqn' is not one of 'ppo', 'sac', 'poca'"),
        (("get-run",), "Missing argument 'ID'"),
    ],
)
def test_misuse_is_exit_code_2_and_says_what_is_right(arguments: tuple[str, ...], said: str, home: Path) -> None:
    done = cli(home, *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert said in " ".join(done.stderr.split())


def test_a_setting_that_cannot_be_used_is_named_as_its_variable(home: Path) -> None:
    done = cli(home, "list-runs", UNITY_MLOPS_MAX_JOBS="many")
    assert done.returncode == 2
    assert "UNITY_MLOPS_MAX_JOBS" in done.stderr
    assert "pydantic" not in done.stderr


def test_an_empty_variable_is_an_unset_one(tmp_path: Path) -> None:
    """An empty home would be the present folder; clients' forms leave empty texts behind."""
    done = cli(Path(), "list-runs", "--json", UNITY_MLOPS_HOME="", HOME=str(tmp_path), XDG_DATA_HOME=str(tmp_path))
    assert record(done)["runs"] == []
    assert not (REPOSITORY / "state.db").exists()


@pytest.mark.skipif(os.name == "nt", reason="runs only on systems with shell scripts")
def test_a_player_in_a_folder_that_is_not_allowed_can_be_named_as_the_fix_says(
    home: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    player = write_player(tmp_path_factory.mktemp("my players"))
    refused = cli(home, "probe", str(player), "--steps", "5", "--json")
    assert refused.returncode == 2
    error = record(refused)
    assert error["cause"] == "path_not_allowed"
    typed = re.search(r"`(UNITY_MLOPS_ROOTS=.+) unity-mlops …`", error["fix"])
    assert typed is not None
    (assignment,) = shlex.split(typed[1])
    name, _, roots = assignment.partition("=")
    assert str(home.parent) in roots.split(os.pathsep), "what was allowed still is"
    allowed = cli(home, "probe", str(player), "--steps", "5", "--json", **{name: roots})
    assert allowed.returncode == 0, allowed.stdout
    assert record(allowed)["steps"] == 5


def test_what_lies_in_the_present_folder_may_be_looked_at_and_is_no_jobs(home: Path) -> None:
    looked = cli(home, "inspect-dataset", "examples/transitions.jsonl", "--json", UNITY_MLOPS_ROOTS="")
    assert looked.returncode == 0, looked.stdout
    elsewhere = cli(home, "inspect-dataset", "../other.jsonl", "--json", UNITY_MLOPS_ROOTS="")
    assert record(elsewhere)["cause"] == "path_not_allowed"
    learned = cli(
        home,
        *("start-training", "--training-mode", "offline", "--offline-dataset-path", "examples/transitions.jsonl"),
        "--json",
        UNITY_MLOPS_ROOTS="",
    )
    assert record(learned)["cause"] == "path_not_allowed"


@pytest.mark.skipif(sys.platform != "linux", reason="arguments are bytes on Linux only")
def test_an_argument_that_is_no_text_is_misuse(home: Path) -> None:
    done = cli(home, "get-run", os.fsdecode(b"caf\xe9"))
    assert done.returncode == 2
    assert "caf?" in done.stderr


def test_misuse_is_json_when_json_was_asked_for(home: Path) -> None:
    done = cli(home, "list-runs", "--limt", "3", "--json")
    assert done.returncode == 2
    error = record(done)
    assert set(error) == {"cause", "message", "fix", "evidence"}
    assert error["cause"] == "usage"
    assert "--limit" in error["message"]
    assert "unity-mlops list-runs --help" in error["fix"]


def test_the_version_is_the_packages(home: Path) -> None:
    from unity_mlops_mcp import __version__

    assert record(cli(home, "version", "--json")) == {"version": __version__}
    assert cli(home, "version").stdout == f"unity-mlops-mcp {__version__}\n"


def test_help_is_quick_because_nothing_heavy_is_imported(home: Path) -> None:
    code = (
        "import sys; from unity_mlops_mcp.interfaces.cli.main import run; code = run(['start-training', '--help']);"
        "print(code, sorted(set(sys.modules) & {'numpy', 'sqlalchemy', 'mcp', 'grpc', 'pydantic_settings', 'psutil'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env=server_environment(home),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "0 []"


def test_an_empty_home_has_no_runs(home: Path) -> None:
    done = cli(home, "list-runs", "--json")
    assert done.returncode == 0
    assert record(done) == {"runs": [], "next_cursor": None}
    shown = cli(home, "list-runs")
    assert shown.returncode == 0
    assert "unity-mlops train" in shown.stdout


def test_an_unknown_run_is_exit_code_1_with_the_fix(home: Path) -> None:
    done = cli(home, "get-run", "nope")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "nope" in done.stderr
    assert "To mend it: " in done.stderr
    error = record(cli(home, "get-run", "nope", "--json"))
    assert error["cause"] == "not_found"
    assert error["fix"]


def test_records_inside_a_result_are_tables_and_sizes_are_megabytes(home: Path) -> None:
    looked = cli(home, "inspect-dataset", "examples/transitions.jsonl").stdout
    assert re.search(r"^sensor +shape +low +high +coverage", looked, re.MULTILINE)
    assert re.search(r"^obs_0 +6 +-1 +1 ", looked, re.MULTILINE)
    assert "shares" not in looked, "no column without a value"
    folder = home / "artifacts" / "job-0"
    folder.mkdir(parents=True)
    (folder / "big").write_bytes(bytes(2_500_000))
    os.utime(folder, (0, 0))
    freed = cli(home, "prune", "--older-than", "1d", "--dry-run").stdout
    assert re.search(r"^size +\S+ MB$", freed, re.MULTILINE)


def test_the_next_step_is_told_as_a_command(home: Path) -> None:
    unknown = cli(home, "wait-for", "nothing").stderr
    assert "unity-mlops list-runs" in unknown
    assert "list_runs" not in unknown
    looked = cli(home, "inspect-dataset", "examples/transitions.jsonl").stdout
    assert "unity-mlops start-training --training-mode offline" in looked


@pytest.mark.parametrize(
    ("call", "command"),
    [
        ("Call list_runs to see all.", "Run `unity-mlops list-runs` to see all."),
        ("Call wait_for('job-1'): it installs.", "Run `unity-mlops wait-for job-1`: it installs."),
        (
            "call update_schedule('Night guard', action='change', …)",
            "run `unity-mlops update-schedule 'Night guard' --action change …`",
        ),
        ("Apply the fixes, or call check_setup(fix=true).", "Apply the fixes, or run `unity-mlops check-setup --fix`."),
        ("render_report(run_ids) makes a page of it.", "`unity-mlops render-report RUN_IDS` makes a page of it."),
        ("Stop it with `stop_training`.", "Stop it with `unity-mlops stop-training`."),
    ],
)
def test_a_call_reads_as_a_command(call: str, command: str) -> None:
    assert as_commands(call) == command


def test_a_sentence_that_cannot_be_placed_is_misuse_and_names_the_archetypes(home: Path) -> None:
    done = cli(home, "build-environment", "make me a sandwich", "--json")
    assert done.returncode == 2
    assert "reach_target" in json.dumps(record(done))


def test_a_sentence_becomes_a_build_which_is_there_the_second_time(home: Path) -> None:
    first = record(cli(home, "build-environment", "reach the target", "--json"))
    assert first["archetype"] == "reach_target"
    assert first["words"]
    assert first["behaviors"][0]["observation_shapes"]
    second = record(cli(home, "build-environment", "reach the target", "--json"))
    assert second["build_id"] == first["build_id"]
    assert second["cached"] is True
    shown = cli(home, "build-environment", "reach the target")
    assert f"unity-mlops start-training --build-id {first['build_id']}" in shown.stdout


def test_a_spec_may_be_a_file(home: Path, tmp_path: Path) -> None:
    missing = cli(home, "build-environment", "--spec", str(tmp_path / "none.yaml"), "--json")
    assert missing.returncode == 2
    broken = tmp_path / "spec.yaml"
    broken.write_text("arena: [")
    refused = cli(home, "build-environment", "--spec", str(broken), "--json")
    assert refused.returncode == 2
    assert record(refused)["fix"]


def test_check_setup_and_doctor_are_one_command(home: Path) -> None:
    done = cli(home, "check-setup", "--json")
    report = record(done)
    assert done.returncode == (0 if report["ok"] else 1)
    for check in report["checks"]:
        assert check["status"] in {"ok", "warn", "fail"}
        assert check["found"]
        assert check["fix"] or check["status"] == "ok"
    names = [check["name"] for check in record(cli(home, "doctor", "--json"))["checks"]]
    assert names == [check["name"] for check in report["checks"]]


def test_output_that_is_no_terminal_has_no_control_characters(home: Path) -> None:
    for arguments in (("list-runs",), ("check-setup",), ("build-environment", "reach the target")):
        done = cli(home, *arguments, TERM="xterm-256color")
        assert not CONTROL.search(done.stdout), arguments


def test_a_server_typed_by_hand_says_what_it_is(home: Path) -> None:
    if os.name == "nt":
        pytest.skip("runs only on systems with pseudo-terminals")
    import pty

    main, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "unity_mlops_mcp", "mcp"],
        cwd=REPOSITORY,
        env=server_environment(home),
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert "unity-mlops connect" in process.stderr.readline()
    finally:
        process.kill()
        process.communicate(timeout=30)
        os.close(main)
        os.close(terminal)
