"""The C# toolchain of the tests compiles C# 9, tells errors with their place, and runs programs."""

from __future__ import annotations

from pathlib import Path

from tests.csharp.toolchain import Toolchain

MODERN = """
using System;
static class Greeting
{
    static int Main(string[] names)
    {
        Console.WriteLine("hello " + (names is { Length: > 0 } ? names[^1] : "?") + " " + Console.In.ReadToEnd());
        return names.Length switch { 0 => 1, _ => 5 };
    }
}
"""


def test_a_program_is_compiled_and_runs(csharp: Toolchain, tmp_path: Path) -> None:
    source, program = tmp_path / "Greeting.cs", tmp_path / "Greeting.exe"
    source.write_text(MODERN)
    compiled = csharp.compile([source], program)
    assert (compiled.ok, compiled.text) == (True, "")
    done = csharp.run(program, "a", "b", input_text="and more")
    assert (done.returncode, done.stdout) == (5, "hello b and more\n")


def test_an_error_is_told_with_its_place(csharp: Toolchain, tmp_path: Path) -> None:
    source = tmp_path / "a folder" / "Wrong.cs"
    source.parent.mkdir()
    source.write_text("class Wrong\n{\n    int One() { return nothing; }\n#if EXTRA\n    int two;\n#endif\n}\n")
    compiled = csharp.compile([source], tmp_path / "Wrong.dll", defines=["EXTRA"])
    assert not compiled.ok
    assert {found.path for found in compiled.diagnostics} == {str(source)}
    told = {(found.line, found.column, found.severity, found.code) for found in compiled.diagnostics}
    assert told == {(3, 24, "error", "CS0103"), (5, 9, "warning", "CS0169")}
    assert not (tmp_path / "Wrong.dll").exists()


def test_the_language_is_held_to_what_unity_takes(csharp: Toolchain, tmp_path: Path) -> None:
    source = tmp_path / "Old.cs"
    source.write_text("class Old { string name; string Get() => name ??= nameof(Old); }")
    assert csharp.compile([source], tmp_path / "Old.dll").ok
    older = csharp.compile([source], tmp_path / "Old.dll", language="7.3")
    assert [found.code for found in older.diagnostics] == ["CS8370"]
