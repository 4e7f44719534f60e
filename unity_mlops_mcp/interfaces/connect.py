"""Connecting chat clients: the entry for this installation, and writing it into a client's file."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import platformdirs

from unity_mlops_mcp.errors import ConflictError

if TYPE_CHECKING:
    from unity_mlops_mcp.config import Settings

SERVER = "unity-mlops"
"""The name of the server in a client's file."""

ClientName = Literal["claude-desktop", "claude-code", "cursor", "vscode"]
Entry = dict[str, Any]


@dataclass(frozen=True)
class Client:
    """A chat client and the JSON file in which it looks for servers.

    Attributes:
        title: its name for people.
        key: the object in the file that holds the servers.
        file: gives the usual path of the file.
        typed: True when an entry says ``"type": "stdio"``.
        after: what to do after the file was written.
    """

    title: str
    key: str
    file: Callable[[], Path]
    typed: bool
    after: str

    def document(self, entry: Entry) -> dict[str, Any]:
        """The whole file with nothing but our entry."""
        return {self.key: {SERVER: {"type": "stdio", **entry} if self.typed else entry}}

    def snippet(self, entry: Entry, file: Path) -> str:
        """What a person pastes, and where."""
        from unity_mlops_mcp.process.commands import as_typed

        lines = [f"{self.title}: put this into {file} (or let --write do it):", "", _dump(self.document(entry))]
        if self.key == "mcpServers" and self.typed:
            one_line = json.dumps({"type": "stdio", **entry})
            typed = as_typed(["claude", "mcp", "add-json", "--scope", "user", SERVER, one_line])
            lines += [f"or, for all your projects:\n\n  {typed}\n"]
        return "\n".join([*lines, self.after])


def _claude_desktop() -> Path:
    folder = platformdirs.user_config_path("Claude", appauthor=False, roaming=True)
    return folder / "claude_desktop_config.json"


CLIENTS: dict[ClientName, Client] = {
    "claude-desktop": Client(
        "Claude Desktop",
        "mcpServers",
        _claude_desktop,
        typed=False,
        after="Then quit Claude Desktop and start it again.",
    ),
    "claude-code": Client(
        "Claude Code",
        "mcpServers",
        lambda: Path.cwd() / ".mcp.json",
        typed=True,
        after="Then start claude in this folder and approve the server; /mcp shows it.",
    ),
    "cursor": Client(
        "Cursor",
        "mcpServers",
        lambda: Path.home() / ".cursor" / "mcp.json",
        typed=False,
        after="Then switch the server on in Cursor Settings, MCP.",
    ),
    "vscode": Client(
        "VS Code",
        "servers",
        lambda: Path.cwd() / ".vscode" / "mcp.json",
        typed=True,
        after="Then open this folder in VS Code and start the server from the file (MCP: List Servers).",
    ),
}


@dataclass(frozen=True)
class Written:
    """What writing did.

    Attributes:
        file: the client's file.
        changed: False when the same entry was there already.
        copy: where the old file was kept; None when there was none or nothing changed.
    """

    file: Path
    changed: bool
    copy: Path | None

    def sentence(self, client: Client) -> str:
        """The outcome for a person."""
        if not self.changed:
            return f"{self.file} has this entry already; nothing was changed."
        kept = f" The old file is kept as {self.copy}." if self.copy else ""
        return f"Wrote {SERVER} into {self.file}.{kept}\n{client.after}"


def own_command() -> list[str]:
    """What starts this installation from anywhere: its script beside the interpreter, else the module.

    The interpreter's path is not resolved: a virtual environment is known by its own path.
    """
    folder = Path(sys.executable).absolute().parent
    for name in ("unity-mlops", "unity-mlops.exe"):
        if (folder / name).is_file():
            return [str(folder / name)]
    return [str(Path(sys.executable).absolute()), "-m", "unity_mlops_mcp"]


def typed_command() -> str:
    """What a person types to start this installation: its name where the PATH leads to it, else the whole path."""
    from unity_mlops_mcp.process.commands import as_typed, find

    command = own_command()
    on_path = find(SERVER)
    return SERVER if on_path == Path(command[0]) else as_typed(command)


def entry(settings: Settings, *, roots: Iterable[Path] = ()) -> Entry:
    """The server's entry: absolute command, and what the environment said here, since a client starts us with little.

    Args:
        settings: of this process; what its environment set is handed on, but secrets: a file is no place for them.
        roots: more folders that may be read and written.
    """
    command, *arguments = own_command()
    set_here = {name: getattr(settings, name) for name in sorted(settings.model_fields_set - {"roots"})}
    variables = {f"UNITY_MLOPS_{name.upper()}": value for name, value in set_here.items() if value is not None}
    environment = {name: str(value) for name, value in variables.items() if name not in settings.secret_variables}
    allowed = dict.fromkeys([*settings.roots, *(root.expanduser().resolve() for root in roots)])
    environment["UNITY_MLOPS_ROOTS"] = os.pathsep.join(map(str, allowed))
    return {"command": command, "args": [*arguments, "mcp"], "env": environment}


def left_to_set(settings: Settings) -> str:
    """The secrets that an entry was made without, for a person; empty where none is set here."""
    names = ", ".join(settings.secret_variables)
    return f"Secrets are left out; set these yourself, in the env of the entry: {names}." if names else ""


def write_entry(client: Client, file: Path, made: Entry, *, now: datetime) -> Written:
    """Merge the entry into the client's file; the rest of it stays, and the old file is kept beside it.

    Secrets that somebody set in the entry stay too, for `entry` makes none.

    Raises:
        ConflictError: the file is not plain JSON (comments count), or not of the expected form; nothing was changed.
    """
    file = file.expanduser().resolve()  # a link to a file elsewhere stays a link
    old = _read(file, client, made)
    servers = old.get(client.key, {})
    if not isinstance(servers, dict):
        raise _refused(file, client, made, f"its {client.key!r} is not an object")
    with_secrets = {**made, "env": {**_secrets(servers.get(SERVER)), **made["env"]}}
    wanted = client.document(with_secrets)[client.key][SERVER]
    if servers.get(SERVER) == wanted:
        return Written(file, changed=False, copy=None)
    new = {**old, client.key: {**servers, SERVER: wanted}}
    copy = _keep(file, now) if file.exists() else None
    _replace(file, _dump(new))
    return Written(file, changed=True, copy=copy)


def _read(file: Path, client: Client, made: Entry) -> dict[str, Any]:
    """The file's object; empty when there is no file, or an empty one."""
    text = file.read_text(encoding="utf-8-sig") if file.exists() else ""
    if not text.strip():
        return {}
    try:
        data = json.loads(text)
    except ValueError as error:
        raise _refused(file, client, made, f"it is not plain JSON ({error})") from error
    if not isinstance(data, dict):
        raise _refused(file, client, made, "it is not a JSON object")
    return data


def _secrets(old: Any) -> dict[str, Any]:
    """The secrets in an entry that was there before."""
    from unity_mlops_mcp.config import SECRET_VARIABLES

    environment = old.get("env") if isinstance(old, dict) else None
    given = environment if isinstance(environment, dict) else {}
    return {name: value for name, value in given.items() if name in SECRET_VARIABLES}


def _refused(file: Path, client: Client, made: Entry, why: str) -> ConflictError:
    return ConflictError(
        f"{file} was not changed: {why}.",
        fix=f"Mend it, or paste this into it by hand, beside what is there:\n{_dump(client.document(made))}",
        cause="client_file",
    )


def _keep(file: Path, now: datetime) -> Path:
    """Copy the old file beside it, under a name with the time."""
    copy = file.with_name(f"{file.name}.{now:%Y%m%d-%H%M%S}.bak")
    shutil.copy2(file, copy)
    return copy


def _replace(file: Path, text: str) -> None:
    """Write a new file and put it in the old one's place at once, with its permissions."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=file.parent, prefix=f".{file.name}.", delete=False
    ) as new:
        new.write(text)
    if file.exists():
        shutil.copymode(file, new.name)
    Path(new.name).replace(file)


def _dump(data: dict[str, Any]) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
