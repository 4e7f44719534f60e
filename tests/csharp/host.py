"""Runs generated C# without Unity: compiles it against the stubs, and talks to the host program in JSON lines."""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from typing_extensions import Self

from tests.csharp.toolchain import Compiled, Toolchain

STUBS = Path(str(files("unity_mlops_mcp.codegen"))) / "stubs"
HOST = Path(__file__).parent / "host" / "Host.cs"
PARTS = {"engine": "UnityEngineStubs", "editor": "UnityEditorStubs", "agents": "UnityMLAgentsStubs"}
LINES = ("2019.3", "2020.1", "2021.2", "2021.3", "2022.2", "2023.1", "6000.0")
PACKAGES = ("2.3", "3.0", "4.0")


def symbols(unity: str, ml_agents: str) -> list[str]:
    """What is defined for an Editor such as ``2022.3`` and an ML-Agents package such as ``2.0.1``."""

    def numbers(version: str) -> tuple[int, int]:
        major, minor = version.split(".")[:2]
        return int(major), int(minor)

    editors = [f"UNITY_{line.replace('.', '_')}_OR_NEWER" for line in LINES if numbers(line) <= numbers(unity)]
    packages = [f"MLAGENTS_{one.replace('.', '_')}_OR_NEWER" for one in PACKAGES if numbers(one) <= numbers(ml_agents)]
    return [*editors, *packages, "UNITY_STANDALONE"]


class Stubs:
    """The stubs of one version pair as assemblies, which pairs of the same symbols and runs of the tests share.

    Args:
        toolchain: compiles them; they are kept in its folder.
        unity: the Editor, such as ``2022.3``.
        ml_agents: the package, such as ``2.0.1``.
    """

    def __init__(self, toolchain: Toolchain, *, unity: str, ml_agents: str) -> None:
        self.toolchain = toolchain
        self.symbols = symbols(unity, ml_agents)
        self.folder = toolchain.folder / "stubs" / self._digest()
        if not self.folder.is_dir():
            self._make()
        self.assemblies = [self.folder / f"{name}.dll" for name in PARTS.values()]

    def _digest(self) -> str:
        digest = hashlib.sha256(" ".join(self.symbols).encode())
        for path in (HOST, *sorted(STUBS.glob("*/*.cs"))):
            digest.update(path.read_bytes())
        return digest.hexdigest()[:16]

    def _make(self) -> None:
        """Compile everything beside its place, so that a folder of that name is whole."""
        self.folder.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder.parent) as name:
            made = Path(name) / "made"
            made.mkdir()
            known: list[Path] = []
            for part, assembly in PARTS.items():
                sources, out = sorted((STUBS / part).glob("*.cs")), made / f"{assembly}.dll"
                self.must(self.toolchain.compile(sources, out, defines=self.symbols, references=known))
                known.append(out)
            self.must(self.toolchain.compile([HOST], made / "Host.exe", references=known))
            with contextlib.suppress(OSError):  # another run was faster
                made.rename(self.folder)

    def compile(self, sources: Sequence[Path], out: Path, *references: Path, editor: bool = False) -> Compiled:
        """Compile scripts of the player, or of an Editor folder, as Unity does."""
        defines = [*self.symbols, "UNITY_EDITOR"] if editor else self.symbols
        known = [path for path in self.assemblies if editor or path.stem != PARTS["editor"]]
        return self.toolchain.compile(sources, out, defines=defines, references=[*known, *references])

    def host(self) -> Path:
        """The host program, beside the stubs, so that it finds them."""
        return self.folder / "Host.exe"

    @staticmethod
    def must(compiled: Compiled) -> None:
        """Raise what the compiler said, warnings too."""
        if not compiled.ok or compiled.text:
            raise RuntimeError(compiled.text)


class Host:
    """The host program with one generated behaviour in it.

    Args:
        stubs: the stubs to run against.
        folder: where assemblies are written.
        player: sources of the player; ``editor``: those of Editor folders.
    """

    def __init__(self, stubs: Stubs, folder: Path, *, player: Sequence[Path], editor: Sequence[Path]) -> None:
        game, scenes = folder / "Game.dll", folder / "Scenes.dll"
        stubs.must(stubs.compile(player, game))
        stubs.must(stubs.compile(editor, scenes, game, editor=True))
        command = [str(stubs.toolchain.dotnet), *stubs.toolchain.command(stubs.host()), str(game), str(scenes)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder, encoding="utf-8"
        )

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Make one request; what C# threw is raised."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("the host has no pipes")
        stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise RuntimeError(f"the host ended with {self._process.wait()}")
        answer = cast("dict[str, Any]", json.loads(line))
        if "error" in answer:
            raise RuntimeError(f"{do}: {answer['error']}")
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(10)
