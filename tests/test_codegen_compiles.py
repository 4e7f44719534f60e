"""The generated C# compiles without a warning for every pair of versions, and passes our own checks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.composed import composed
from tests.csharp.host import Stubs
from tests.csharp.toolchain import Toolchain
from tests.worlds import spec_of
from unity_mlops_mcp.codegen.checking.checks import check_script
from unity_mlops_mcp.codegen.checking.records import SourceFile
from unity_mlops_mcp.codegen.generate import generate_script
from unity_mlops_mcp.codegen.versions import resolve_versions, version_pairs
from unity_mlops_mcp.spec.archetypes import archetype_names, load_archetype
from unity_mlops_mcp.spec.environment import EnvironmentSpec

ARCHETYPES = [load_archetype(name).spec for name in archetype_names()]
COMPOSED = [composed(seed).model_copy(update={"name": f"Composed{seed}"}) for seed in range(25)]
WORDS = (
    "lock",
    "transform",
    "light",
    "random",
    "step",
    "body",
    "area",
    "agents",
    "event",
    "position",
    "sensor",
    "action",
)
LANGUAGES = {"2019.4": "7.3", "2020.3": "8"}
"""The greatest C# of Editors that do not know C# 9."""


def odd(word: str) -> EnvironmentSpec:
    """A spec whose every name means something else in C#."""
    return spec_of(
        name=f"Odd{word.capitalize()}",
        arena={"half_extent": word, "walls": True},
        entities=[{"name": word, "solid": True}, {"name": f"{word}_s", "count": word}],
        observations={"vector": [{"kind": "relative", "of": word}, {"kind": "bearing", "of": f"{word}_s"}]},
        events=[
            {"kind": "touch", "name": word, "of": word},
            {"kind": "near", "name": "x", "of": word, "distance": word},
        ],
        rewards=[{"when": "event", "event": word, "value": 1.0, "shared_by": f"{word}_s"}],
        endings=[{"event": word, "result": "success"}, {"event": "x", "result": "failure"}],
        parameters={word: {"default": 4, "minimum": 3, "maximum": 5, "description": 'A "quoted" <word> & more'}},
    )


def said_of(specs: list[EnvironmentSpec], stubs: Stubs, folder: Path, pair: tuple[str, str]) -> str:
    """What the compiler says of all scripts, those of the player and those of the Editor."""
    player, editor = list[Path](), list[Path]()
    for spec in specs:
        for file in generate_script(spec, resolve_versions(*pair)).files:
            path = folder / Path(file.path).name
            path.write_text(file.text, encoding="utf-8")
            (editor if file.kind == "scene" else player).append(path)
    language = LANGUAGES.get(pair[0], "9")
    game, scenes = folder / "Game.dll", folder / "Scenes.dll"
    known = [path for path in stubs.assemblies if "Editor" not in path.stem]
    defines, compiler = stubs.symbols, stubs.toolchain
    said = compiler.compile(player, game, defines=defines, references=known, language=language).text
    if said:
        return said
    known = [*stubs.assemblies, game]
    return compiler.compile(
        editor, scenes, defines=[*defines, "UNITY_EDITOR"], references=known, language=language
    ).text


@pytest.mark.slow
@pytest.mark.parametrize("pair", version_pairs(), ids=" with ".join)
def test_every_archetype_compiles_for_a_pair_of_versions(
    pair: tuple[str, str], csharp: Toolchain, tmp_path: Path
) -> None:
    line = ".".join(pair[1].split(".")[:2])
    stubs = Stubs(csharp, unity=pair[0], ml_agents=f"{line}.0")
    assert said_of(ARCHETYPES, stubs, tmp_path, pair) == ""


@pytest.mark.slow
def test_specs_of_every_mechanism_and_of_odd_names_compile(csharp: Toolchain, tmp_path: Path) -> None:
    pair = ("6000.0", "4.0.2")
    stubs = Stubs(csharp, unity=pair[0], ml_agents=pair[1])
    assert said_of([*COMPOSED, *map(odd, WORDS)], stubs, tmp_path, pair) == ""


@pytest.mark.slow
def test_an_area_compiles_beside_foreign_code(csharp: Toolchain, tmp_path: Path) -> None:
    stubs = Stubs(csharp, unity="6000.0", ml_agents="4.0.2")
    sources, scenes = list[Path](), list[Path]()
    for spec in [*ARCHETYPES, *COMPOSED]:
        own = f"public class {spec.name}Agent : Unity.MLAgents.Agent {{ }}\n"
        for file in generate_script(spec, resolve_versions("6000.0"), agent_source=own).files:
            path = tmp_path / Path(file.path).name
            path.write_text(file.text, encoding="utf-8")
            (scenes if file.kind == "scene" else sources).append(path)
    assert stubs.compile(sources, tmp_path / "Game.dll").text == ""
    assert stubs.compile(scenes, tmp_path / "Scenes.dll", tmp_path / "Game.dll", editor=True).text == ""


@pytest.mark.parametrize("spec", [*ARCHETYPES, *COMPOSED], ids=lambda spec: spec.name)
@pytest.mark.parametrize("unity", ["2022.3", "6000.0"])
def test_our_own_checks_find_nothing(spec: EnvironmentSpec, unity: str) -> None:
    versions = resolve_versions(unity)
    files = [SourceFile(file.path, file.text) for file in generate_script(spec, versions).files]
    check = check_script(files, spec=spec, versions=versions)
    assert [finding for finding in check.findings if finding.severity != "info"] == []
    assert [agent.observation_size for agent in check.agents] == [spec.vector_size]
