"""The compile check finds a compiler, says which, and tells errors at their places."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.csharp.host import symbols as hosts
from tests.csharp.toolchain import Toolchain
from unity_mlops_mcp.codegen.compiler import CompileReport, compile_check, symbols
from unity_mlops_mcp.codegen.records import ScriptFile
from unity_mlops_mcp.codegen.versions import resolve_versions

AGENT = """using Unity.MLAgents;
using Unity.MLAgents.Actuators;
using Unity.MLAgents.Sensors;
using UnityEngine;

public class PingAgent : Agent
{
    public Transform target;
    public override void CollectObservations(VectorSensor sensor) { sensor.AddObservation(SEEN); }
    public override void OnActionReceived(ActionBuffers actions) { AddReward(actions.ContinuousActions[0]); }
}
"""
SCENE = """using UnityEditor.SceneManagement;
public static class PingScene { public static bool Create() => EditorSceneManager.SaveOpenScenes(); }
"""


@pytest.fixture
def on_path(csharp: Toolchain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(csharp.folder), prepend=os.pathsep)


def check(tmp_path: Path, seen: str, scene: str = SCENE, *, editors: list[Path] | None = None) -> CompileReport:
    scripts = (
        ScriptFile.of("Assets/Ping/PingAgent.cs", "agent", AGENT.replace("SEEN", seen)),
        ScriptFile.of("Assets/Ping/Editor/PingScene.cs", "scene", scene),
    )
    versions = resolve_versions("6000.0", "4.0.2")
    return compile_check(scripts, versions, cache=tmp_path.parent / "compiled-stubs", editors=editors or [])


@pytest.mark.usefixtures("on_path")
def test_right_scripts_compile_and_the_stubs_are_kept(tmp_path: Path) -> None:
    report = check(tmp_path, "target.localPosition")
    assert report.compiler.startswith("dotnet SDK ")
    assert (report.errors, report.warnings) == ((), ())
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.parent.glob("compiled-stubs/*/UnityStubs.dll")}
    assert len(kept) == 2
    check(tmp_path, "target.localPosition")
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


@pytest.mark.usefixtures("on_path")
def test_an_error_has_its_place(tmp_path: Path) -> None:
    (error,) = check(tmp_path, "1.0").errors
    assert (error.path, error.line, error.code) == ("Assets/Ping/PingAgent.cs", 9, "CS1503")


@pytest.mark.usefixtures("on_path")
def test_the_editors_api_is_no_part_of_a_player(tmp_path: Path) -> None:
    report = check(tmp_path, "UnityEditor.EditorApplication.isPlaying")
    assert [one.code for one in report.warnings] == ["CS0103"]
    assert "stubs" in report.warnings[0].message


@pytest.mark.usefixtures("on_path")
def test_an_unknown_name_of_ml_agents_is_an_error_and_another_may_be_our_gap(tmp_path: Path) -> None:
    ours = check(tmp_path, "sensor.Nothing")
    assert [one.code for one in ours.errors] == ["CS1061"]
    unknown = check(tmp_path, "target.nothing")
    assert not unknown.errors
    assert [one.code for one in unknown.warnings] == ["CS1061"]


@pytest.mark.usefixtures("on_path")
def test_an_error_in_an_editor_script_is_found(tmp_path: Path) -> None:
    report = check(tmp_path, "0f", SCENE.replace("bool Create", "int Create"))
    assert [(one.path, one.code) for one in report.errors] == [("Assets/Ping/Editor/PingScene.cs", "CS0029")]


def test_an_editors_own_compiler_is_taken_first(csharp: Toolchain, tmp_path: Path) -> None:
    data = tmp_path / "6000.0.1f1" / "Editor" / "Data"
    data.mkdir(parents=True)
    (data / "NetCoreRuntime").symlink_to(csharp.folder)
    (data / "DotNetSdkRoslyn").symlink_to(next(csharp.folder.glob("sdk/*/Roslyn/bincore")))
    report = check(tmp_path, "0f", editors=[data.parent / "Unity"])
    assert report.compiler == f"Unity at {data.parent / 'Unity'}"
    assert not report.errors


@pytest.mark.usefixtures("on_path")
def test_a_wrong_name_of_the_users_own_is_an_error(tmp_path: Path) -> None:
    report = check(tmp_path, "this.nothing")
    assert [one.code for one in report.errors] == ["CS1061"]
    report = check(tmp_path, "unknown")
    assert [one.code for one in report.errors] == ["CS0103"]


@pytest.mark.usefixtures("on_path")
def test_what_follows_from_a_type_that_the_stubs_lack_is_no_error(tmp_path: Path) -> None:
    report = check(tmp_path, "new NavMeshQuery().Ask(1, 2)")
    assert not report.errors
    assert report.warnings


@pytest.mark.usefixtures("on_path")
def test_a_script_cannot_be_written_elsewhere_by_its_path(tmp_path: Path) -> None:
    outside = tmp_path / "outside.cs"
    script = ScriptFile.of(str(outside), "agent", "class Out { int One() { return nothing; } }")
    versions = resolve_versions("6000.0", "4.0.2")
    report = compile_check([script], versions, cache=tmp_path.parent / "compiled-stubs")
    assert [one.path for one in report.errors] == [str(outside)]
    assert not outside.exists()


@pytest.mark.usefixtures("on_path")
def test_unitys_own_symbols_are_defined(tmp_path: Path) -> None:
    scene = SCENE + "#if UNITY_2022_3_OR_NEWER && UNITY_EDITOR\nclass Twice { int Twice; }\n#endif\n"
    assert [one.code for one in check(tmp_path, "0f", scene).errors] == ["CS0542"]


def test_without_a_compiler_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert check(tmp_path, "1.0") == CompileReport(compiler="none")


@pytest.mark.parametrize(("unity", "package"), [("2022.3", "2.0.1"), ("6000.0", "4.0.2"), ("2021.3", "2.3.0-exp.3")])
def test_the_symbols_are_those_that_the_stubs_know(unity: str, package: str) -> None:
    assert {*symbols(resolve_versions(unity, package)), "UNITY_STANDALONE"} == set(hosts(unity, package))
