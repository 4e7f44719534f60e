"""Compile and run C# with the toolchain that `tests.csharp.install` makes."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.csharp.install import RUNTIME_CONFIG

LINE = re.compile(
    r"^(?:(?P<path>.*?)\((?P<line>\d+),(?P<column>\d+)\): )?(?P<severity>error|warning) (?P<code>CS\d+): "
)


@dataclass(frozen=True)
class Diagnostic:
    """One error or warning of the compiler; line and column from 1, 0 where it has no place."""

    path: str
    line: int
    column: int
    severity: str
    code: str
    message: str


@dataclass(frozen=True)
class Compiled:
    """Whether there is an assembly, and what the compiler said."""

    ok: bool
    diagnostics: tuple[Diagnostic, ...]
    text: str


@dataclass(frozen=True)
class Toolchain:
    """A folder made by `tests.csharp.install`, or a dotnet SDK laid out like it."""

    folder: Path

    @property
    def dotnet(self) -> Path:
        return self.folder / "dotnet"

    @property
    def framework(self) -> tuple[Path, ...]:
        """The runtime's managed assemblies, to compile against."""
        shared = next((self.folder / "shared" / "Microsoft.NETCore.App").iterdir())
        found = [
            path for pattern in ("System*.dll", "netstandard.dll", "mscorlib.dll") for path in shared.glob(pattern)
        ]
        return tuple(sorted(path for path in found if not path.name.endswith(".Native.dll")))

    def compile(
        self,
        files: Sequence[Path],
        out: Path,
        *,
        defines: Sequence[str] = (),
        references: Sequence[Path] = (),
        options: Sequence[str] = (),
        language: str = "9",
    ) -> Compiled:
        """Compile to a library (``.dll``) or a program (``.exe``).

        Args:
            files: the sources.
            out: the assembly.
            defines: symbols for `#if`.
            references: assemblies besides the framework; copy them beside a program that is to run.
            options: more options of csc, such as ``-warnaserror``.
            language: the greatest C# version.
        """
        csc = next((self.folder / "sdk").glob("*/Roslyn/bincore/csc.dll"))
        target = "exe" if out.suffix == ".exe" else "library"
        arguments = [
            "-nologo",
            "-nostdlib",
            f"-target:{target}",
            f"-langversion:{language}",
            f"-out:{out}",
        ]
        arguments += [f"-define:{';'.join(defines)}"] if defines else []
        arguments += [f"-r:{path}" for path in (*self.framework, *references)] + [*options, *map(str, files)]
        response = out.with_suffix(".rsp")
        response.write_text("\n".join(f'"{argument}"' for argument in arguments))
        done = self._start(["exec", str(csc), "-noconfig", f"@{response}"])
        if done.returncode not in {0, 1}:
            raise RuntimeError(f"the compiler itself failed ({done.returncode}):\n{done.stdout}{done.stderr}")
        return Compiled(done.returncode == 0, _read(done.stdout), done.stdout)

    def run(
        self, program: Path, *arguments: str, input_text: str = "", timeout_s: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a compiled program to its end."""
        return self._start([*self.command(program), *arguments], input_text, timeout_s)

    def command(self, program: Path) -> list[str]:
        """What stands after `dotnet` to run a compiled program; whoever starts it himself puts `dotnet` before."""
        program.with_suffix(".runtimeconfig.json").write_text(json.dumps(RUNTIME_CONFIG))
        return ["exec", str(program)]

    def _start(
        self, arguments: Sequence[str], input_text: str = "", timeout_s: float = 120
    ) -> subprocess.CompletedProcess[str]:
        command = [str(self.dotnet), *arguments]
        return subprocess.run(
            command, input=input_text, capture_output=True, encoding="utf-8", timeout=timeout_s, check=False
        )


def _read(text: str) -> tuple[Diagnostic, ...]:
    found = []
    for line in text.splitlines():
        if match := LINE.match(line):
            path, row, column = match["path"] or "", int(match["line"] or 0), int(match["column"] or 0)
            found.append(Diagnostic(path, row, column, match["severity"], match["code"], line[match.end() :]))
    return tuple(found)
