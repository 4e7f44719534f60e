"""The generated C# as text: readable, tidy, the same every time, and kept."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tests.composed import composed
from tests.worlds import spec_of
from unity_mlops_mcp.codegen.generate import generate_script
from unity_mlops_mcp.codegen.library import load_script, save_script
from unity_mlops_mcp.codegen.records import GeneratedScript, ScriptFile
from unity_mlops_mcp.codegen.versions import resolve_versions
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.spec.archetypes import archetype_names, load_archetype
from unity_mlops_mcp.spec.environment import EnvironmentSpec

SPECS = {
    **{name: load_archetype(name).spec for name in archetype_names()},
    **{f"composed {seed}": composed(seed) for seed in range(20)},
}
each_spec = pytest.mark.parametrize("name", SPECS)


@cache
def named(name: str) -> GeneratedScript:
    return script_of(SPECS[name])


def script_of(spec: EnvironmentSpec) -> GeneratedScript:
    return generate_script(spec, resolve_versions("6000.0"))


@each_spec
def test_the_same_spec_gives_the_same_text(name: str) -> None:
    again = EnvironmentSpec.from_text(SPECS[name].to_yaml())
    assert named(name) == script_of(again)


@each_spec
def test_every_file_is_named_after_its_class(name: str) -> None:
    for file in named(name).files:
        classes = re.findall(r"^public (?:static )?class (\w+)", file.text, re.MULTILINE)
        assert classes == [Path(file.path).stem]
        assert (file.kind == "scene") == ("/Editor/" in file.path)


@each_spec
def test_the_text_is_tidy(name: str) -> None:
    for file in named(name).files:
        lines = file.text.split("\n")
        assert lines[-1] == ""
        for before, line in zip(["{", *lines], lines[:-1], strict=False):
            assert line == line.rstrip()
            assert "\t" not in line
            assert not line or (len(line) - len(line.lstrip())) % 4 == 0
            assert line or before.strip() not in {"", "{"}
        assert not re.search(r"\n\n\s*\}", file.text)
        assert file.text.count("{") == file.text.count("}")


@each_spec
def test_each_observation_and_each_reward_has_its_comment(name: str) -> None:
    spec = SPECS[name]
    lines = [line.strip() for line in script_of(spec).file("agent").text.splitlines()]
    start = lines.index("public override void CollectObservations(VectorSensor sensor)")
    body = lines[start : lines.index("public override void OnActionReceived(ActionBuffers actions)")]
    comments = [line for line in body if line.startswith("// ")]
    assert len(comments) == len(spec.observations.vector)
    assert sum(int(size) for line in comments for size in re.findall(r"\((\d+)\)\.$", line)) == spec.vector_size
    paid = [i for i, line in enumerate(lines) if line.startswith("AddReward(")]
    assert len(paid) == len(spec.rewards)
    for i in paid:
        told = [line for line in lines[max(i - 4, 0) : i] if line.startswith("// ")]
        assert told, lines[i]


@each_spec
def test_nothing_is_declared_that_is_not_used(name: str) -> None:
    for file in named(name).files:
        declared = re.findall(
            r"^    (?! )(?:static readonly|const|static|readonly)? ?[\w.<>\[\], ()]+? (\w+)(?:;| =|\()",
            file.text,
            re.MULTILINE,
        )
        for word in set(declared) - {"Create", "CreateFromMenu", "Awake", "OnDrawGizmos"}:
            everywhere = "".join(other.text for other in named(name).files)
            called = len(re.findall(rf"\b{word}\b", everywhere))
            assert called > 1 or f"override void {word}" in file.text, f"{word} in {file.path}"


def test_the_kept_script_comes_back(tmp_path: Path) -> None:
    script = script_of(SPECS["push_block"])
    assert load_script(tmp_path, "pushblock-1") is None
    save_script(tmp_path, "pushblock-1", script)
    assert load_script(tmp_path, "pushblock-1") == script


def test_a_damaged_script_is_told(tmp_path: Path) -> None:
    save_script(tmp_path, "pushblock-1", script_of(SPECS["push_block"]))
    next(tmp_path.rglob("*.json")).write_text("{")
    with pytest.raises(InvalidInputError, match="damaged"):
        load_script(tmp_path, "pushblock-1")


def test_foreign_code_takes_the_agents_place() -> None:
    source = "public class TestAgent : Unity.MLAgents.Agent\r\n{\r\n}\r\n"
    script = generate_script(spec_of(), resolve_versions(), agent_source=source)
    assert script.foreign
    assert script.file("agent").text == source.replace("\r\n", "\n")
    assert "public Agent agent;" in script.file("area").text
    assert "agent.MaxStep = 100;" in script.file("scene").text
    assert script.digest != script_of(spec_of()).digest


def test_the_digest_tells_every_change() -> None:
    one = script_of(SPECS["reach_target"])
    other = generate_script(SPECS["reach_target"], resolve_versions("2022.3"))
    assert one.digest != other.digest
    assert one.files[0].sha256 == ScriptFile.of("x", "agent", one.files[0].text).sha256
