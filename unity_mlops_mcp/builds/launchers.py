"""The file that ``mlagents-learn --env`` starts for a sandbox build; one generator per operating system.

A launcher holds the path of an interpreter, so it is written for each run and never kept with the build.
"""

from __future__ import annotations

import io
import shlex
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePath

_MODULE = "unity_mlops_mcp.sandbox"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_STUBS = {"amd64": "t64.exe", "x86_64": "t64.exe", "arm64": "t64-arm.exe", "x86": "t32.exe"}


@dataclass(frozen=True)
class Target:
    """What a launcher starts.

    Attributes:
        python: the interpreter.
        package_parent: the folder that holds the package, so that it need not be installed.
        spec: the build's spec.json.
    """

    python: PurePath
    package_parent: PurePath
    spec: PurePath


@dataclass(frozen=True)
class LauncherFile:
    """A file to write.

    Attributes:
        path: relative to the launcher's folder.
        content: its bytes.
        player: what ``--env`` is given, relative to the launcher's folder.
    """

    path: str
    content: bytes
    player: str


def linux(name: str, target: Target) -> LauncherFile:
    """``NAME.x86_64``: a shell script."""
    return LauncherFile(f"{name}.x86_64", shell_script(target), f"{name}.x86_64")


def macos(name: str, target: Target) -> LauncherFile:
    """``NAME.app``: a bundle whose program is a shell script."""
    return LauncherFile(f"{name}.app/Contents/MacOS/{name}", shell_script(target), f"{name}.app")


def windows(name: str, target: Target, *, machine: str = "amd64") -> LauncherFile:
    """``NAME.exe``: distlib's launcher, a line that names the interpreter, and a zip file that it is given to run.

    Args:
        name: the player's name.
        target: what it starts.
        machine: the processor as `platform.machine` names it, in any case.
    """
    stub = files("distlib").joinpath(_STUBS.get(machine.lower(), "t64.exe")).read_bytes()
    interpreter = f'#!"{target.python}"\r\n'.encode()
    return LauncherFile(f"{name}.exe", stub + interpreter + _zip(_main_module(target)), f"{name}.exe")


def shell_script(target: Target) -> bytes:
    """A POSIX shell script that becomes the player; what the trainer's own Python needs is kept from ours."""
    lines = (
        "#!/bin/sh",
        "unset PYTHONHOME",
        f"PYTHONPATH={shlex.quote(str(target.package_parent))}",
        "export PYTHONPATH",
        f'exec {shlex.quote(str(target.python))} -m {_MODULE} {shlex.quote(str(target.spec))} "$@"',
    )
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def _main_module(target: Target) -> Mapping[str, str]:
    lines = (
        "import runpy",
        "import sys",
        f"sys.path.insert(0, {str(target.package_parent)!r})",
        f"sys.argv[1:1] = [{str(target.spec)!r}]",
        f"runpy.run_module({_MODULE!r}, run_name='__main__', alter_sys=True)",
    )
    return {"__main__.py": "\n".join(lines) + "\n"}


def _zip(members: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), text.encode())
    return buffer.getvalue()
