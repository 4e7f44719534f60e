"""The checks of C# without Unity: every rule speaks where it should and is silent beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from unity_mlops_mcp.codegen.checking.checks import check_script
from unity_mlops_mcp.codegen.checking.records import Finding, ScriptCheck, SourceFile
from unity_mlops_mcp.codegen.checking.rules import rules
from unity_mlops_mcp.codegen.versions import resolve_versions
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.spec.archetypes import load_archetype
from unity_mlops_mcp.spec.environment import EnvironmentSpec

CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("lint_cases.yaml").read_text("utf-8"))
HEAD = """using Unity.MLAgents;
using Unity.MLAgents.Actuators;
using Unity.MLAgents.Sensors;
using UnityEngine;
public class TestAgent : Agent
{
"""


def spec_named(name: str | None) -> EnvironmentSpec | None:
    if name is None:
        return None
    spec = load_archetype("reach_target").spec
    if name == "discrete":
        return EnvironmentSpec.from_data({**spec.model_dump(mode="json"), "actions": {"kind": "discrete"}})
    return spec


def check(text: str, *, file: bool = False, spec: str | None = None, foreign: bool = False) -> ScriptCheck:
    whole = text if file else f"{HEAD}{text}\n}}\n"
    script = SourceFile("Assets/TestAgent.cs", whole)
    return check_script([script], spec=spec_named(spec), versions=resolve_versions("6000.0", None), foreign=foreign)


def spoken(found: tuple[Finding, ...], rule: str) -> list[Finding]:
    """The findings of one case of a rule, told by its severity and the fixed beginning of its message."""
    case = rules()[rule]
    start, _, _ = case.message.partition("{")
    same = [one for one in found if one.id == case.id and one.severity == case.severity]
    return [one for one in same if one.message.startswith(start)]


@pytest.mark.parametrize("case", CASES, ids=[case["rule"] for case in CASES])
def test_a_rule_speaks_where_it_should_and_only_there(case: dict[str, Any]) -> None:
    about = {"file": case.get("file", False), "spec": case.get("spec")}
    found = spoken(check(case["hit"], **about).findings, case["rule"])
    assert found, case["rule"]
    assert all(one.line >= 1 and one.path == "Assets/TestAgent.cs" and one.fix for one in found)
    assert not spoken(check(case["miss"], **about).findings, case["rule"])


def test_every_rule_has_its_case() -> None:
    assert {case["rule"] for case in CASES} == {name for name in rules() if name.startswith("MLA")}


GUARDED = {
    'void A() { System.IO.File.Delete("x"); }': "SEC001",
    "void A() { var c = new System.Net.Http.HttpClient(); }": "SEC002",
    'void A() { System.Diagnostics.Process.Start("sh"); }': "SEC003",
    'void A() { typeof(Agent).GetMethod("x").Invoke(null, null); }': "SEC004",
    '[System.Runtime.InteropServices.DllImport("c")] static extern int getpid();': "SEC006",
    "unsafe void A() { }": "SEC007",
    'void A() { System.Reflection.Assembly.LoadFrom("x.dll"); }': "SEC005",
    "class B : UnityEditor.AssetPostprocessor { }": "SEC008",
    "void A() { UnityEditor.EditorApplication.update += Tick; }": "SEC009",
    "[RuntimeInitializeOnLoadMethodAttribute] static void A() { }": "SEC010",
    'void A() { System.Environment.GetEnvironmentVariable("HOME"); }': "SEC011",
    "void A() { new System.Threading.Thread(Run).Start(); }": "SEC012",
    "void A(dynamic thing) { thing.Run(); }": "SEC013",
    "void A() { new BinaryFormatter().Deserialize(null); }": "SEC014",
    'void A() { Resources.Load("x"); }': "SEC015",
    "void A() { System.Diagnostics.Proc\\u0065ss.Start(); }": "SEC016",
}
GUISES = (
    "void A() { @Process.Start(null); }",
    "void A() { System . Diagnostics\n . Process.Start(null); }",
    "void A() { global::System.Diagnostics.Process.Start(null); }",
    'string A() => $"x {System.Diagnostics.Process.Start(null)}";',
    "void A() { System.Diagnostics/* */.Process.Start(null); }",
    "void A( { System.Diagnostics.Process.Start(null); ",
    "#if false\n#else\nvoid A() { System.Diagnostics.Process.Start(null); }\n#endif",
    "void A() { System.Diagnostics.Proc\\u0065ss.Start(); }",
)


@pytest.mark.parametrize(("code", "rule"), GUARDED.items())
def test_the_guard_reads_foreign_code(code: str, rule: str) -> None:
    assert rule in {one.id for one in check(code, foreign=True).guarded}
    assert not check(code).guarded


def test_every_rule_of_the_guard_has_its_case() -> None:
    attributes = {"SEC008"}
    assert {*GUARDED.values(), *attributes} == {name for name in rules() if name.startswith("SEC")}


@pytest.mark.parametrize("code", GUISES)
def test_the_guard_sees_through_simple_guises(code: str) -> None:
    assert "SEC003" in {one.id for one in check(code, foreign=True).guarded}


def test_the_guard_leaves_out_what_we_wrote() -> None:
    scene = SourceFile("Assets/Editor/Scene.cs", "using UnityEditor; class Scene { }", trusted=True)
    agent = SourceFile("Assets/TestAgent.cs", f"{HEAD}void A() {{ Application.Quit(); }} }}")
    assert {one.path for one in check_script([scene, agent], foreign=True).guarded} == {agent.path}


def test_the_guard_reads_every_branch_and_no_comments_or_texts() -> None:
    assert check("#if NEVER\nvoid A() { System.IO.File.Delete(null); }\n#endif\n", foreign=True).guarded
    innocent = '// System.IO.File is not used\nstring s = "Process.Start";'
    assert not check(innocent, foreign=True).guarded


@pytest.mark.parametrize("attribute", ["InitializeOnLoad", "InitializeOnLoadMethod", "RuntimeInitializeOnLoadMethod"])
def test_the_guard_tells_what_runs_by_itself(attribute: str) -> None:
    assert check(f"[{attribute}] static void A() {{ }}", foreign=True).guarded


SIZES = {
    "sensor.AddObservation(1f); sensor.AddObservation(transform.localRotation);": (5, "5"),
    "for (int i = 0; i < 4; i++) { sensor.AddObservation(Vector3.zero); }": (12, "12"),
    "Write(sensor); Write(sensor);": (4, "4"),
    "sensor.AddOneHotObservation(1, System.Enum.GetValues(typeof(Mode)).Length);": (3, "3"),
    "var way = transform.localPosition - Vector3.one; sensor.AddObservation(way);": (3, "3"),
    "if (wide) { sensor.AddObservation(Vector3.zero); } else { sensor.AddObservation(0f); }": (None, "wide ? 3 : 1"),
}


@pytest.mark.parametrize(("body", "expected"), SIZES.items())
def test_sizes_are_told_without_running(body: str, expected: tuple[int | None, str]) -> None:
    helpers = "enum Mode { A, B, C } public bool wide; void Write(VectorSensor s) { s.AddObservation(Vector2.zero); }"
    found = check(f"{helpers} public override void CollectObservations(VectorSensor sensor) {{ {body} }}")
    assert [(one.observation_size, one.observation_formula) for one in found.agents] == [expected]


def test_conditions_are_evaluated_for_the_versions() -> None:
    newer, older = "body.linearVelocity = Vector3.zero;", "body.velocity = Vector3.zero;"
    code = f"Rigidbody body; void A() {{\n#if UNITY_6000_0_OR_NEWER\n{newer}\n#else\n{older}\n#endif\n}}"
    assert not spoken(check(code).findings, "MLA037.unity")


@pytest.mark.parametrize(
    ("files", "cause"),
    [
        ([], "script_files"),
        ([SourceFile("A.cs", "\0binary")], "script_not_text"),
        ([SourceFile("A.cs", "x" * 3_000_000)], "script_too_large"),
    ],
)
def test_what_is_no_script_is_refused(files: list[SourceFile], cause: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_script(files)
    assert caught.value.cause == cause
    assert caught.value.fix


COLLECT = "Transform t; float f; public override void CollectObservations(VectorSensor sensor) {{ {} }}"
CHAINED = "".join(f"const int K{i} = K{i + 1} + K{i + 1};" for i in range(60)) + "const int K60 = 1;"
CALLING = "".join(f"void M{i}(VectorSensor s) {{ M{i + 1}(s); M{i + 1}(s); }}" for i in range(60))
HARD = {
    "brackets": COLLECT.format("f = " + "(" * 20_000 + "1" + ")" * 20_000 + ";"),
    "braces": "{" * 200_000,
    "type arguments": "List<" * 30_000,
    "sums": COLLECT.format("f = " + "f + " * 50_000 + "f;"),
    "members": COLLECT.format("f = f" + ".a" * 60_000 + ";"),
    "calls": COLLECT.format("f" + ".a()" * 40_000 + ";"),
    "conditions": COLLECT.format("if (f > 1) " * 20_000 + "sensor.AddObservation(1f);"),
    "many observations": COLLECT.format("sensor.AddObservation(t.localPosition * f); f = f + 1;" * 3_000),
    "constants that double": f"{CHAINED} {COLLECT.format('sensor.AddOneHotObservation(0, K0);')}",
    "methods that double": f"{CALLING} void M60(VectorSensor s) {{ }} {COLLECT.format('M0(sensor);')}",
    "locals that double": COLLECT.format("".join(f"var x{i + 1} = x{i} + x{i}; " for i in range(60)) + "f = x60;"),
    "a circle of constants": "const int A = B; const int B = A; const string C = D; const string D = C;"
    "static readonly int[] E = new int[E.Length]; enum F { G = F.H, H = F.G }" + COLLECT.format("M(sensor, A, C, E);"),
    "another language": "def f(x):\n    return x + 1\n" * 9_000,
    "a web page": "<html>" + "<p>one two</p>" * 15_000,
    "quotes": '"' * 200_000,
    "directives": "#if A\n" * 20_000,
}


@pytest.mark.parametrize("text", HARD.values(), ids=HARD)
@pytest.mark.timeout(60)
def test_hard_texts_get_an_answer(text: str) -> None:
    refused = None
    try:
        check(text, spec="reach_target", foreign=True)
    except InvalidInputError as error:
        refused = error
    assert refused is None or (refused.cause.startswith("script_") and refused.fix)


def test_what_is_not_csharp_is_told_by_line() -> None:
    found = check("def step(self):\n    return 1\n", file=True).findings
    assert {one.id for one in found if one.severity == "error"} == {"MLA000"}
    assert found[0].line in {1, 2}


def test_the_parts_of_a_partial_agent_are_one() -> None:
    collects = "public override void CollectObservations(VectorSensor sensor) { sensor.AddObservation(1f); }"
    parts = (
        "using Unity.MLAgents; public partial class TestAgent : Agent { }",
        f"using Unity.MLAgents.Sensors; public partial class TestAgent {{ {collects} }}",
    )
    files = [SourceFile(f"Assets/TestAgent{number}.cs", text) for number, text in enumerate(parts)]
    assert [one.observation_size for one in check_script(files).agents] == [1]


def test_types_are_found_in_the_other_files() -> None:
    agent = COLLECT.format("sensor.AddObservation(Help.Where()); Help.Write(sensor);")
    other = """using Unity.MLAgents.Sensors; using UnityEngine;
        public static class Help
        {
            public static Vector2 Where() => Vector2.zero;
            public static void Write(VectorSensor to) { to.AddObservation(Quaternion.identity); }
        }"""
    files = [SourceFile("Assets/TestAgent.cs", f"{HEAD}{agent} }}"), SourceFile("Assets/Help.cs", other)]
    assert check_script(files).observation_size == 6


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from(list("{}()[];:=<>+-*/\"'#\n .,aA1_?&|!@$\\")), max_size=300))
def test_no_text_breaks_the_checks(text: str) -> None:
    check_script([SourceFile("Assets/TestAgent.cs", HEAD + text)], foreign=True)
