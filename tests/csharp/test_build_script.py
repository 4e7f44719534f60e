"""Our Editor script and the small project of the tests compile in every Editor and with every package that we know."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from tests.csharp.host import Stubs
from tests.csharp.toolchain import Toolchain
from tests.unity_worlds import PROJECT
from unity_mlops_mcp.codegen.versions import version_pairs

SCRIPT = Path(str(files("unity_mlops_mcp.builds.unity"))) / "editor" / "UnityMlopsBuild.cs"


@pytest.mark.parametrize(("unity", "ml_agents"), dict(version_pairs()).items())  # each Editor line once
def test_the_build_script_compiles_without_a_word(
    csharp: Toolchain, tmp_path: Path, unity: str, ml_agents: str
) -> None:
    stubs = Stubs(csharp, unity=unity, ml_agents=ml_agents)
    built = stubs.compile([SCRIPT], tmp_path / "Builder.dll", editor=True)
    assert built.ok, built.text
    assert not built.diagnostics, built.text


@pytest.mark.parametrize(("unity", "ml_agents"), [("2022.3", "2.0.1"), ("6000.0", "4.0.2")])
def test_the_small_project_compiles(csharp: Toolchain, tmp_path: Path, unity: str, ml_agents: str) -> None:
    stubs = Stubs(csharp, unity=unity, ml_agents=ml_agents)
    built = stubs.compile(sorted((PROJECT / "Assets" / "Scripts").glob("*.cs")), tmp_path / "Game.dll")
    assert built.ok, built.text
