"""The stubs compile for every version pair, reject what Unity rejects, and run agents in ML-Agents' order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.csharp.host import Host, Stubs
from tests.csharp.toolchain import Toolchain

PAIRS = [
    ("2019.4", "2.0.1"),
    ("2021.3", "2.3.0"),
    ("2022.3", "2.0.2"),
    ("2022.3", "3.0.0"),
    ("2023.2", "3.0.0"),
    ("6000.0", "4.0.2"),
]
AGENT = """
using Unity.MLAgents;
using Unity.MLAgents.Actuators;
using Unity.MLAgents.Sensors;
using UnityEngine;

public class WalkAgent : Agent
{
    public int goal = 3;
    float walked;
    public override void OnEpisodeBegin() { transform.localPosition = Vector3.zero; walked = 0f; }
    public override void CollectObservations(VectorSensor sensor) { sensor.AddObservation(transform.localPosition.x); }
    public override void OnActionReceived(ActionBuffers actions)
    {
        transform.localPosition += Vector3.right * actions.ContinuousActions[0];
        walked += actions.ContinuousActions[0];
        AddReward(0.5f);
        if (walked >= goal)
        {
            Academy.Instance.StatsRecorder.Add("Walk/Length", walked);
            EndEpisode();
        }
    }
    public override void Heuristic(in ActionBuffers actionsOut)
    {
        ActionSegment<float> moves = actionsOut.ContinuousActions;
        moves[0] = Input.GetKey(KeyCode.D) ? 1f : 0f;
    }
}
"""
SCENE = """
using System.Collections.Generic;
using Unity.MLAgents;
using Unity.MLAgents.Actuators;
using Unity.MLAgents.Policies;
using Unity.MLAgents.Sensors;
using UnityEditor.SceneManagement;
using UnityEngine;

public static class WalkScene
{
    public static string Create(int areas)
    {
        UnityEngine.SceneManagement.Scene scene =
            EditorSceneManager.NewScene(NewSceneSetup.DefaultGameObjects, NewSceneMode.Single);
        for (int i = 0; i < areas; i++)
        {
            GameObject walker = new GameObject("Walker");
            WalkAgent agent = walker.AddComponent<WalkAgent>();
            agent.goal = 3 + i;
            BehaviorParameters behavior = walker.GetComponent<BehaviorParameters>();
            behavior.BehaviorName = "Walk";
            behavior.BrainParameters.VectorObservationSize = 1;
            behavior.BrainParameters.ActionSpec = ActionSpec.MakeContinuous(1);
            RayPerceptionSensorComponent3D rays = walker.AddComponent<RayPerceptionSensorComponent3D>();
            rays.DetectableTags = new List<string> { "Finish" };
            rays.RaysPerDirection = 1;
            rays.MaxRayDegrees = 90f;
            rays.RayLength = 10f;
            rays.SphereCastRadius = 0f;
            DecisionRequester requester = walker.AddComponent<DecisionRequester>();
            requester.DecisionPeriod = 2;
        }
        GameObject wall = GameObject.CreatePrimitive(PrimitiveType.Cube);
        wall.tag = "Finish";
        wall.transform.position = new Vector3(8f, 0f, 0f);
        EditorSceneManager.SaveScene(scene, "Assets/Walk.unity");
        return "Assets/Walk.unity";
    }
}
"""
HEAD = """
using Unity.MLAgents; using Unity.MLAgents.Actuators; using Unity.MLAgents.Sensors; using UnityEngine;
public class OneAgent : Agent {
"""
WRONG = {
    "public override void CollectObservations(VectorSensor sensor) { sensor.AddObservation(1.0); }": "CS1503",
    "public override void Heuristic(ActionBuffers actionsOut) { }": "CS0115",
    "public override void OnActionReceived(float[] vectorAction) { }": "CS0115",
    "public override void Heuristic(in ActionBuffers actionsOut) { actionsOut.ContinuousActions[0] = 1f; }": "CS1612",
    "protected override void OnEpisodeBegin() { }": "CS0507",
    "public void OnEpisodeBegin() { }": "CS0114",
    "public override void AgentReset() { }": "CS0115",
    "void Use(PhysicMaterial material) { }": "CS0619",
}


@pytest.fixture(scope="module")
def stubs(csharp: Toolchain) -> Stubs:
    return Stubs(csharp, unity="6000.0", ml_agents="4.0.2")


@pytest.fixture
def host(stubs: Stubs, tmp_path: Path) -> Iterator[Host]:
    agent, scene = tmp_path / "WalkAgent.cs", tmp_path / "WalkScene.cs"
    agent.write_text(AGENT)
    scene.write_text(SCENE)
    with Host(stubs, tmp_path, player=[agent], editor=[scene]) as host:
        yield host


@pytest.mark.parametrize(("unity", "ml_agents"), PAIRS)
def test_the_stubs_compile_without_a_word(csharp: Toolchain, unity: str, ml_agents: str) -> None:
    made = Stubs(csharp, unity=unity, ml_agents=ml_agents)
    assert [path.stem for path in made.assemblies] == ["UnityEngineStubs", "UnityEditorStubs", "UnityMLAgentsStubs"]


@pytest.mark.parametrize(("method", "code"), WRONG.items())
def test_what_unity_rejects_is_rejected(stubs: Stubs, tmp_path: Path, method: str, code: str) -> None:
    source = tmp_path / "OneAgent.cs"
    source.write_text(f"{HEAD}{method}\n}}\n")
    told = stubs.compile([source], tmp_path / "One.dll").diagnostics
    assert [found.code for found in told] == [code]


def test_an_agent_lives_by_the_order_of_ml_agents(host: Host) -> None:
    made = host.ask("create", scene="WalkScene", areas=2, seed=1)
    assert [agent["behavior"] for agent in made["agents"]] == ["Walk?team=0"] * 2
    # The rays come first by their name: ahead, right, left, each (tag, nothing, distance); the wall is to the right.
    rays, vector = made["observations"][0]
    assert rays == pytest.approx([0, 1, 1, 1, 0, 0.75, 0, 1, 1])
    assert vector == [0.0]
    first = host.ask("step", actions=[[1.0], [1.0]])
    assert [seen[1] for seen in first["observations"]] == [[2.0], [2.0]]
    assert (first["rewards"], first["terminals"]) == ([1.0, 1.0], [[], []])
    # The first agent ends in the first of two steps and rests in the other; the second agent ends with the period.
    second = host.ask("step", actions=[[1.0], [1.0]])
    assert [[(end["reward"], end["interrupted"]) for end in ends] for ends in second["terminals"]] == [
        [(0.5, False)],
        [(1.0, False)],
    ]
    assert second["terminals"][0][0]["observations"][1] == [3.0]
    assert second["observations"][0][1] == [0.0]
    assert second["stats"] == [["Walk/Length", 3.0], ["Walk/Length", 4.0]]


def test_a_state_is_set_and_read_by_name(host: Host) -> None:
    host.ask("create", scene="WalkScene", areas=1, seed=1)
    place = {"type": "WalkAgent", "index": 0}
    host.ask("set", values=[{**place, "path": "transform.localPosition", "value": [5, 0, 0]}])
    host.ask("set", values=[{**place, "path": "walked", "value": 2.5}])
    assert host.ask("get", **place, path="walked")["value"] == 2.5
    assert host.ask("observe")["observations"][0][1] == [5.0]
    with pytest.raises(RuntimeError, match="no field or property nothing"):
        host.ask("get", **place, path="nothing")


def test_a_human_plays_by_keys(host: Host) -> None:
    host.ask("create", scene="WalkScene", areas=1, seed=1, heuristic=True)
    host.ask("press", keys=["D"])
    assert host.ask("step", actions=[])["observations"][0][1] == [2.0]
