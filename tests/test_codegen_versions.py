"""Which Editor and which ML-Agents package go together."""

from __future__ import annotations

import pytest

from unity_mlops_mcp.codegen.versions import resolve_versions, version_pairs, version_table
from unity_mlops_mcp.errors import InvalidInputError


@pytest.mark.parametrize(
    ("unity", "asked", "ml_agents", "model_type", "using"),
    [
        ("6000.0.58f2", None, "4.0.2", "ModelAsset", "Unity.InferenceEngine"),
        ("6000.3", None, "4.0.2", "ModelAsset", "Unity.InferenceEngine"),
        ("6000", None, "4.0.2", "ModelAsset", "Unity.InferenceEngine"),
        ("2022.3.62f3", None, "2.0.1", "NNModel", "Unity.Barracuda"),
        ("2021.3.16f1", None, "2.0.1", "NNModel", "Unity.Barracuda"),
        ("2023.2.20f1", None, "3.0.0", "ModelAsset", "Unity.Sentis"),
        ("2022.3", "3.0.0-exp.1", "3.0.0-exp.1", "ModelAsset", "Unity.Sentis"),
        ("2022.3", "2.3", "2.3.0-exp.3", "NNModel", "Unity.Barracuda"),
        ("6000.0", "3.0", "3.0.0", "ModelAsset", "Unity.Sentis"),
        ("6000.0", "2.0.2", "2.0.2", "NNModel", "Unity.Barracuda"),
        ("6000.3.5f2", "4", "4.0.2", "ModelAsset", "Unity.InferenceEngine"),
    ],
)
def test_a_pair_is_completed_with_what_it_is_written_against(
    unity: str, asked: str | None, ml_agents: str, model_type: str, using: str
) -> None:
    versions = resolve_versions(unity, asked)
    assert (versions.unity, versions.ml_agents) == (unity, ml_agents)
    assert (versions.model_type, versions.inference_using) == (model_type, using)


@pytest.mark.parametrize(
    ("asked", "unity"),
    [(None, "6000.0"), ("4.1.0", "6000.0"), ("3.0.0", "2023.2"), ("3.0.0-exp.1", "2022.3"), ("2.0", "2022.3")],
)
def test_the_editor_follows_from_the_package(asked: str | None, unity: str) -> None:
    assert resolve_versions(None, asked).unity == unity


@pytest.mark.parametrize(("unity", "asked"), [("2022.3", "4.0.2"), ("2022.3.62f3", "3.0.0"), ("2020.3", "2.3.0-exp.3")])
def test_a_pair_that_cannot_be_is_refused_with_the_ones_that_can(unity: str, asked: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        resolve_versions(unity, asked)
    assert asked in error.value.message
    for package in version_table().ml_agents:
        assert f"{package.version} with Unity {package.unity_from} or newer" in error.value.fix


@pytest.mark.parametrize(
    ("unity", "asked"), [("latest", None), ("2018.4", None), ("2022.3", "1.0.8"), ("6000.0", "five")]
)
def test_an_unknown_version_is_refused_with_the_known_ones(unity: str, asked: str | None) -> None:
    with pytest.raises(InvalidInputError) as error:
        resolve_versions(unity, asked)
    assert "4.0.2" in error.value.fix or "6000.0" in error.value.fix


def test_every_pair_of_the_table_resolves_to_itself() -> None:
    assert len(version_pairs()) > 20
    for unity, ml_agents in version_pairs():
        versions = resolve_versions(unity, ml_agents)
        assert (versions.unity_line, versions.ml_agents) == (unity, ml_agents)
        assert versions.assemblies[0] == "Unity.ML-Agents"
