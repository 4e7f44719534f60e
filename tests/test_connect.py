"""`unity-mlops connect`: the snippet of each client, and writing it into the client's file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import ConflictError
from unity_mlops_mcp.interfaces.connect import CLIENTS, ClientName, entry, own_command, write_entry

NOW = datetime(2026, 11, 21, 11, 30, 5, tzinfo=timezone.utc)
REPOSITORY = Path(__file__).resolve().parents[1]
NAMES: tuple[ClientName, ...] = ("claude-desktop", "claude-code", "cursor", "vscode")


def connect(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, in a folder that is the user's home and the open project."""
    environment = {
        **os.environ,
        "HOME": str(folder),
        "USERPROFILE": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
    }
    environment |= {"PYTHONPATH": str(REPOSITORY), "APPDATA": str(folder / "roaming")}
    command = [sys.executable, "-m", "unity_mlops_mcp", "connect", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("client", NAMES)
def test_the_snippet_holds_the_absolute_command_and_the_roots(client: ClientName, tmp_path: Path) -> None:
    done = connect(tmp_path, client, "--json", "--root", str(tmp_path))
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    server = made["entry"][CLIENTS[client].key]["unity-mlops"]
    assert Path(server["command"]).is_absolute()
    assert Path(server["command"]).exists()
    assert server["args"][-1] == "mcp"
    assert str(tmp_path) in server["env"]["UNITY_MLOPS_ROOTS"].split(os.pathsep)
    assert server.get("type") == ("stdio" if CLIENTS[client].typed else None)
    assert made["written"] is False
    assert not Path(made["file"]).exists()


def test_the_text_names_the_file_and_shows_what_to_paste(tmp_path: Path) -> None:
    done = connect(tmp_path, "claude-code")
    assert str(tmp_path / ".mcp.json") in done.stdout
    assert "claude mcp add-json --scope user unity-mlops" in done.stdout
    begin, end = done.stdout.index("{\n"), done.stdout.index("\n}\n") + 2
    assert "unity-mlops" in json.loads(done.stdout[begin:end])["mcpServers"]


@pytest.mark.parametrize("client", NAMES)
def test_writing_makes_the_file_and_a_second_time_changes_nothing(client: ClientName, tmp_path: Path) -> None:
    first = connect(tmp_path, client, "--write", "--json")
    assert first.returncode == 0, first.stderr
    made = json.loads(first.stdout)
    file = Path(made["file"])
    assert made["written"] is True
    assert json.loads(file.read_text()) == made["entry"]
    before = file.stat()
    second = json.loads(connect(tmp_path, client, "--write", "--json").stdout)
    assert second["written"] is False
    assert file.stat() == before
    assert [path.name for path in file.parent.iterdir() if "mcp" in path.name or "claude" in path.name] == [file.name]


def test_writing_keeps_the_other_servers_and_a_copy_of_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "mcp.json"
    old = {"mcpServers": {"other": {"command": "x"}, "unity-mlops": {"command": "old"}}, "theme": "dark ü"}
    file.write_text("\ufeff" + json.dumps(old), encoding="utf-8")
    made = entry(Settings(), roots=[tmp_path])
    written = write_entry(CLIENTS["cursor"], file, made, now=NOW)
    new = json.loads(file.read_text(encoding="utf-8"))
    assert new == {"mcpServers": {"other": {"command": "x"}, "unity-mlops": made}, "theme": "dark ü"}
    assert written.copy == tmp_path / "mcp.json.20261121-113005.bak"
    assert written.copy is not None
    assert json.loads(written.copy.read_text(encoding="utf-8-sig")) == old
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mcp.json", "mcp.json.20261121-113005.bak"]


@pytest.mark.skipif(sys.platform == "win32", reason="runs only on systems with POSIX permissions")
def test_writing_keeps_permissions_and_follows_a_link(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.json"
    real.write_text("{}")
    real.chmod(0o600)
    link = tmp_path / "mcp.json"
    link.symlink_to(real)
    write_entry(CLIENTS["cursor"], link, entry(Settings()), now=NOW)
    assert link.is_symlink()
    assert "unity-mlops" in real.read_text()
    assert real.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"servers": {}, // mine\n}', "plain JSON"),
        ('{"servers": ', "plain JSON"),
        ("[]", "not a JSON object"),
        ('{"servers": []}', "'servers' is not an object"),
    ],
)
def test_a_file_that_cannot_be_merged_is_left_alone_and_the_snippet_is_shown(
    text: str, why: str, tmp_path: Path
) -> None:
    file = tmp_path / "mcp.json"
    file.write_text(text)
    with pytest.raises(ConflictError) as raised:
        write_entry(CLIENTS["vscode"], file, entry(Settings()), now=NOW)
    assert why in raised.value.message
    assert '"unity-mlops"' in raised.value.fix
    assert file.read_text() == text
    assert [path.name for path in tmp_path.iterdir()] == ["mcp.json"]


def test_a_refusal_is_exit_code_1_with_the_snippet_on_standard_error(tmp_path: Path) -> None:
    file = tmp_path / "mcp.json"
    file.write_text("{ // comment\n}")
    done = connect(tmp_path, "vscode", "--write", "--file", str(file))
    assert done.returncode == 1
    assert done.stdout == ""
    assert "client_file" in done.stderr
    assert '"type": "stdio"' in done.stderr


def test_what_the_environment_set_is_handed_on_since_clients_start_servers_with_little(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNITY_MLOPS_MAX_JOBS", "3")
    made = entry(Settings(), roots=[tmp_path / "players"])
    assert made["env"]["UNITY_MLOPS_HOME"] == str(home)
    assert made["env"]["UNITY_MLOPS_MAX_JOBS"] == "3"
    assert made["env"]["UNITY_MLOPS_ROOTS"].split(os.pathsep) == [
        str(tmp_path.resolve()),
        str(tmp_path.resolve() / "players"),
    ]


@pytest.mark.parametrize("client", NAMES)
def test_secrets_are_named_and_never_written(
    client: ClientName, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNITY_MLOPS_LLM_API_KEY", "hunter2")
    monkeypatch.setenv("WEBHOOK_URL", "https://example.com/hunter2")
    made = json.loads(connect(tmp_path, client, "--write", "--json").stdout)
    names = ["UNITY_MLOPS_LLM_API_KEY", "UNITY_MLOPS_WEBHOOK_URL"]
    assert made["secrets_to_set"] == names
    assert not set(names) & set(made["entry"][CLIENTS[client].key]["unity-mlops"]["env"])
    shown, written = connect(tmp_path, client).stdout, Path(made["file"]).read_text()
    for text in (shown, written):
        assert "hunter2" not in text
        assert "***" not in text
    assert f"set these yourself, in the env of the entry: {', '.join(names)}." in shown


def test_a_secret_that_somebody_set_in_the_entry_stays_when_it_is_written_again(tmp_path: Path) -> None:
    file = tmp_path / "mcp.json"
    made = entry(Settings())
    own = {**made, "command": "old", "env": {"UNITY_MLOPS_LLM_API_KEY": "hunter2", "UNITY_MLOPS_MAX_JOBS": "3"}}
    file.write_text(json.dumps({"mcpServers": {"unity-mlops": own}}))
    assert write_entry(CLIENTS["cursor"], file, made, now=NOW).changed
    new = json.loads(file.read_text())["mcpServers"]["unity-mlops"]
    assert new == {**made, "env": {**made["env"], "UNITY_MLOPS_LLM_API_KEY": "hunter2"}}
    assert not write_entry(CLIENTS["cursor"], file, made, now=NOW).changed


def test_the_example_configuration_is_what_connect_would_write_with_the_command_on_path() -> None:
    example = json.loads((REPOSITORY / "claude_desktop_config.example.json").read_text())
    assert example == {
        "mcpServers": {"unity-mlops": {"command": "unity-mlops", "args": ["mcp"], "env": {"UNITY_MLOPS_ROOTS": ""}}}
    }
    assert set(example) == set(CLIENTS["claude-desktop"].document(entry(Settings())))


def test_the_command_starts_this_installation() -> None:
    done = subprocess.run(
        [*own_command(), "version"], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.startswith("unity-mlops-mcp ")
