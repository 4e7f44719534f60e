"""The compile check: scripts against our stubs, by a C# compiler at hand (an installed Unity's, a dotnet SDK)."""

from __future__ import annotations

import contextlib
import hashlib
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

from unity_mlops_mcp.codegen.checking.checks import defined_symbols
from unity_mlops_mcp.codegen.records import ScriptFile
from unity_mlops_mcp.codegen.versions import Versions
from unity_mlops_mcp.errors import ExternalError
from unity_mlops_mcp.process.commands import find, run
from unity_mlops_mcp.spec.base import Part

NONE = "none"
"""The compiler's name where there is none."""
UNITY_LINES = ("2019.3", "2020.1", "2021.2", "2021.3", "2022.2", "2023.1", "6000.0")
"""Unity versions by which the stubs differ: each is a symbol such as ``UNITY_2021_3_OR_NEWER``."""
PACKAGE_LINES = ("2.3", "3.0", "4.0")
"""ML-Agents packages by which the stubs differ: each is a symbol such as ``MLAGENTS_3_0_OR_NEWER``."""
_PLAYER, _EDITOR = ("engine", "agents"), ("engine", "agents", "editor")
_PACKAGE = str(__package__)
_TIMEOUT_S = 120.0
_LINE = re.compile(
    r"^(?P<path>.*?)\((?P<line>\d+),(?P<column>\d+)\): (?P<severity>error|warning) (?P<code>CS\d+): (?P<message>.*)$"
)
_DECLARED = re.compile(r"\b(?:class|struct|enum|interface)\s+(\w+)")
_MISSING_TYPE = {"CS0234", "CS0246"}
_UNKNOWN_NAME = {"CS0103", "CS0117", "CS0234", "CS0246", "CS1061"}
_AGENTS_TYPES = re.compile(
    r"'(?:Unity\.MLAgents|Agent|ActionBuffers|ActionSegment|VectorSensor|BehaviorParameters|BrainParameters|Academy|"
    r"DecisionRequester|IDiscreteActionMask|ActionSpec|RayPerceptionSensorComponent3D)\b"
)


class Diagnostic(Part):
    """What the compiler says about one place."""

    severity: Literal["error", "warning"]
    """Errors keep Unity from compiling the script."""
    code: str
    """Such as ``CS0246``."""
    path: str
    """The file, as it was given."""
    line: int
    """From 1."""
    column: int
    """From 1."""
    message: str
    """The compiler's own words."""


class CompileReport(Part):
    """Whether scripts compile, and by which compiler that was found out."""

    compiler: str
    """Such as ``dotnet SDK 8.0.100`` or ``Unity 6000.0.58f2``; ``none`` when there is none on this machine."""
    errors: tuple[Diagnostic, ...] = ()
    """What keeps the scripts from compiling."""
    warnings: tuple[Diagnostic, ...] = ()
    """The rest, with names that only our stubs may lack."""


@dataclass(frozen=True)
class Compiler:
    """A C# compiler and the assemblies that it compiles against.

    Attributes:
        name: for people.
        dotnet: the program that runs it.
        csc: its assembly.
        framework: folder of the runtime's assemblies.
    """

    name: str
    dotnet: Path
    csc: Path
    framework: Path


def find_compiler(editors: Sequence[Path] = ()) -> Compiler | None:
    """The first compiler there is: of an Editor (given by its program's path), else of the dotnet SDK on the PATH."""
    dotnet = find("dotnet")
    candidates = [*(_of_editor(editor) for editor in editors), _of_sdk(dotnet) if dotnet else None]
    return next((compiler for compiler in candidates if compiler), None)


def compile_check(
    scripts: Sequence[ScriptFile], versions: Versions, *, cache: Path, editors: Sequence[Path] = ()
) -> CompileReport:
    """Compile scripts as Unity would: those of the player without the Editor's API, then those in Editor folders.

    Args:
        scripts: what belongs together.
        versions: the Editor and the ML-Agents package they are for.
        cache: a folder in which the compiled stubs are kept; it may be emptied at any time.
        editors: programs of installed Editors, the preferred one first.

    Raises:
        ExternalError: the compiler did not end in time, or cannot compile the stubs.
    """
    compiler = find_compiler(editors)
    if compiler is None:
        return CompileReport(compiler=NONE)
    with tempfile.TemporaryDirectory(prefix="unity-mlops-compile-") as name:
        found = _passes(compiler, scripts, versions, Path(name), cache)
    errors = [one for one in found if one.severity == "error"]
    warnings = [one for one in found if one.severity == "warning"]
    return CompileReport(compiler=compiler.name, errors=tuple(errors), warnings=tuple(warnings))


def symbols(versions: Versions) -> tuple[str, ...]:
    """The symbols that tell the stubs which versions to be like."""
    editors = [line for line in UNITY_LINES if _numbers(line) <= _numbers(versions.unity)]
    packages = [line for line in PACKAGE_LINES if _numbers(line) <= _numbers(versions.ml_agents)]
    named = (("UNITY", editors), ("MLAGENTS", packages))
    return tuple(f"{kind}_{line.replace('.', '_')}_OR_NEWER" for kind, lines in named for line in lines)


def _numbers(version: str) -> tuple[int, int]:
    major, minor = re.findall(r"\d+", version)[:2]
    return int(major), int(minor)


def _of_sdk(dotnet: Path) -> Compiler | None:
    root = dotnet.resolve().parent
    csc = _newest(root.glob("sdk/*/Roslyn/bincore/csc.dll"))
    framework = _newest(root.glob("shared/Microsoft.NETCore.App/*"))
    return Compiler(f"dotnet SDK {csc.parents[2].name}", dotnet, csc, framework) if csc and framework else None


def _of_editor(editor: Path) -> Compiler | None:
    """The compiler in an Editor's folder: Data beside its program, or Contents on macOS."""
    for data in (editor.parent / "Data", editor.parent.parent):
        csc = data / "DotNetSdkRoslyn" / "csc.dll"
        runtime = data / "NetCoreRuntime"
        dotnet = next((path for path in (runtime / "dotnet", runtime / "dotnet.exe") if path.is_file()), None)
        framework = _newest(runtime.glob("shared/Microsoft.NETCore.App/*"))
        if csc.is_file() and dotnet and framework:
            return Compiler(f"Unity at {editor}", dotnet, csc, framework)
    return None


def _newest(paths: Iterator[Path]) -> Path | None:
    return max(paths, key=lambda path: [int(number) for number in re.findall(r"\d+", str(path))], default=None)


def _passes(
    compiler: Compiler, scripts: Sequence[ScriptFile], versions: Versions, folder: Path, cache: Path
) -> list[Diagnostic]:
    """Everything said about the player's scripts, and about the Editor's once those compile."""
    written = {}
    for i, script in enumerate(scripts):
        path = folder / f"{i}.cs"  # a name of ours: the script's own may lead anywhere
        path.write_text(script.text, encoding="utf-8")
        written[path] = script
    player = [path for path, script in written.items() if not _is_editors(script)]
    editor = [path for path, script in written.items() if _is_editors(script)]
    ours, defines = symbols(versions), tuple(sorted(defined_symbols(versions) | {"UNITY_STANDALONE"}))
    text = _compile(compiler, player, folder / "Game.dll", defines, [_stubs(compiler, ours, _PLAYER, cache)])
    found = _read(text, written)
    if editor and not any(one.severity == "error" for one in found):
        stubs = _stubs(compiler, ours, _EDITOR, cache)
        # Compiled with the player's scripts, which an assembly of other stubs would not fit.
        text = _compile(compiler, [*player, *editor], folder / "Editor.dll", (*defines, "UNITY_EDITOR"), [stubs])
        found += [one for one in _read(text, written) if one not in found]
    return found


def _is_editors(script: ScriptFile) -> bool:
    return "Editor" in script.path.split("/")[:-1]


def _stubs(compiler: Compiler, defines: Sequence[str], parts: Sequence[str], cache: Path) -> Path:
    """The stubs as one assembly, compiled once for a compiler and a version pair."""
    root = Path(str(files(_PACKAGE))) / "stubs"
    sources = [path for part in parts for path in sorted((root / part).glob("*.cs"))]
    digest = hashlib.sha256("\0".join([str(compiler.csc), *defines, *parts]).encode())
    for path in sources:
        digest.update(path.read_bytes())
    kept = cache / f"stubs-{digest.hexdigest()[:16]}" / "UnityStubs.dll"
    if not kept.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as name:
            made = Path(name) / "made"
            made.mkdir()
            said = _compile(compiler, sources, made / kept.name, defines, [])
            if not (made / kept.name).is_file():
                raise ExternalError(
                    f"The compiler of {compiler.name} cannot compile our stubs of Unity.",
                    fix="Check that its installation is whole; without it the check by rules still works.",
                    cause="compiler_failed",
                    evidence=said.splitlines()[-5:],
                )
            with contextlib.suppress(OSError):  # another process was faster
                made.rename(kept.parent)
    return kept


def _compile(
    compiler: Compiler, sources: Sequence[Path], out: Path, defines: Sequence[str], references: Sequence[Path]
) -> str:
    """Compile a library; gives what the compiler says."""
    patterns = ("System*.dll", "netstandard.dll", "mscorlib.dll")
    framework = sorted(path for pattern in patterns for path in compiler.framework.glob(pattern))
    managed = [path for path in framework if ".Native" not in path.name]
    arguments = ["-nologo", "-nostdlib", "-target:library", "-langversion:9", f"-out:{out}"]
    arguments += [f"-define:{';'.join(defines)}", *(f"-r:{path}" for path in (*managed, *references))]
    response = out.with_suffix(".rsp")
    response.write_text("\n".join(f'"{argument}"' for argument in (*arguments, *map(str, sources))), encoding="utf-8")
    return run([compiler.dotnet, "exec", compiler.csc, "-noconfig", f"@{response}"], timeout_s=_TIMEOUT_S).stdout


def _read(text: str, written: dict[Path, ScriptFile]) -> list[Diagnostic]:
    """What the compiler says, each thing once; what may come from a gap in our stubs is a warning."""
    own = {name for script in written.values() for name in _DECLARED.findall(script.text)}
    matches = [match for match in map(_LINE.match, text.splitlines()) if match]
    gaps = {match["path"] for match in matches if match["code"] in _MISSING_TYPE and _is_gap(match, own)}
    found: dict[Diagnostic, None] = {}
    for match in matches:
        script = written.get(Path(match["path"]))
        follows = match["path"] in gaps and not _AGENTS_TYPES.search(match["message"])
        gap = match["severity"] == "error" and (follows or _is_gap(match, own))
        one = Diagnostic(
            severity="error" if match["severity"] == "error" and not gap else "warning",
            code=match["code"],
            path=script.path if script else match["path"],
            line=int(match["line"]),
            column=int(match["column"]),
            message=match["message"] + (" (or our stubs of Unity lack something here)" if gap else ""),
        )
        found[one] = None
    return list(found)


def _is_gap(match: re.Match[str], own: set[str]) -> bool:
    """Whether an unknown name may be a type of Unity that our stubs lack, not one of ML-Agents or the user."""
    named = re.search(r"'([^'<(.]+)", match["message"])
    name = named[1] if named else ""
    known = match["code"] in _UNKNOWN_NAME and not _AGENTS_TYPES.search(match["message"])
    return known and name not in own and name[:1].isupper()
