"""A trainer YAML is checked before step 0, and composed from a preset and what was asked for."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from unity_mlops_mcp.builds.records import ActionSize, Behavior
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.spec.yaml_text import read_mapping
from unity_mlops_mcp.training.configuration.compose import check_configuration, compose, refuse_errors
from unity_mlops_mcp.training.configuration.schema import objects
from unity_mlops_mcp.training.records import Finding, Findings
from unity_mlops_mcp.training.trainer.environment import TRAINER_ENV

GOOD = {
    "trainer_type": "ppo",
    "hyperparameters": {"batch_size": 512, "buffer_size": 10240, "learning_rate": "3e-4"},
    "network_settings": {"hidden_units": 128, "memory": {"sequence_length": 32, "memory_size": 128}},
    "reward_signals": {"extrinsic": {"gamma": 0.99}, "curiosity": {"strength": 0.02}},
    "max_steps": "5e5",
    "summary_freq": 10000,
    "checkpoint_interval": 50000,
    "self_play": {"save_steps": 20000, "team_change": 100000},
}
RUN = {
    "behaviors": {"Nav": GOOD},
    "env_settings": {"num_envs": 2, "seed": 3, "env_path": None},
    "engine_settings": {"time_scale": 20},
    "checkpoint_settings": {"resume": False},
    "environment_parameters": {
        "gravity": 9.81,
        "size": {"sampler_type": "uniform", "sampler_parameters": {"min_value": 1, "max_value": 2}},
        "count": {
            "curriculum": [
                {
                    "name": "few",
                    "value": 1,
                    "completion_criteria": {"behavior": "Nav", "measure": "progress", "threshold": 0.3},
                },
                {
                    "name": "many",
                    "value": {"sampler_type": "multirangeuniform", "sampler_parameters": {"intervals": [[1, 2]]}},
                },
            ]
        },
    },
    "torch_settings": {"device": None},
}
CONTINUOUS = Behavior(name="Nav", observation_shapes=((6,),), action_spec=ActionSize(continuous=2))


def nav(**changes: Any) -> dict[str, Any]:
    """A run whose behaviour has some settings changed; a dotted name reaches into a mapping, None removes."""
    body = json.loads(json.dumps(GOOD))
    for name, value in changes.items():
        *path, last = name.split("__")
        place = body
        for part in path:
            place = place.setdefault(part, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return {"behaviors": {"Nav": body}}


@pytest.fixture
def check(home: Path, tmp_path: Path) -> Any:
    """Check a configuration with a home and one allowed root."""
    settings = Settings(home=home, roots=(tmp_path,))

    def run(configuration: Any, **around: Any) -> Findings:
        return check_configuration(configuration, settings=settings, **around)

    return run


WRONG = [
    (nav(hyperparameters__batchsize=3), "behaviors.Nav.hyperparameters.batchsize", "Did you mean batch_size?"),
    (nav(memory={"memory_size": 64}), "behaviors.Nav.memory", "belongs under network_settings"),
    ({**RUN, "nonsense": 1}, "nonsense", "behaviors"),
    (nav(hyperparameters__buffer_size="1e4"), "behaviors.Nav.hyperparameters.buffer_size", "10000"),
    (nav(time_horizon=64.5), "behaviors.Nav.time_horizon", "64"),
    (nav(threaded="yes"), "behaviors.Nav.threaded", "true or false"),
    (nav(time_horizon=True), "behaviors.Nav.time_horizon", "quotes"),
    (nav(hyperparameters__learning_rate=0), "behaviors.Nav.hyperparameters.learning_rate", "above 0"),
    (nav(hyperparameters__learning_rate=float("nan")), "behaviors.Nav.hyperparameters.learning_rate", "finite"),
    (nav(hyperparameters__epsilon=1.5), "behaviors.Nav.hyperparameters.epsilon", "1 or less"),
    (
        nav(hyperparameters__learning_rate_schedule="liner"),
        "behaviors.Nav.hyperparameters.learning_rate_schedule",
        "linear",
    ),
    (nav(hyperparameters__tau=0.1), "behaviors.Nav.hyperparameters.tau", "Valid keys"),
    (nav(trainer_type="a2c"), "behaviors.Nav.trainer_type", "ppo, sac"),
    (nav(hyperparameters=3), "behaviors.Nav.hyperparameters", "batch_size"),
    (nav(reward_signals__gail={"strength": 1}), "behaviors.Nav.reward_signals.gail.demo_path", "Add demo_path"),
    (nav(trainer_type=None), "behaviors.Nav.trainer_type", "refuses hyperparameters"),
    (nav(hyperparameters__buffer_size=256), "behaviors.Nav.hyperparameters.buffer_size", "never updates"),
    (nav(network_settings__memory__memory_size=7), "behaviors.Nav.network_settings.memory.memory_size", "8"),
    (
        nav(network_settings__memory__sequence_length=600),
        "behaviors.Nav.network_settings.memory.sequence_length",
        "512",
    ),
    (
        nav(behavioral_cloning={"demo_path": "/etc/x.demo"}),
        "behaviors.Nav.behavioral_cloning.demo_path",
        "UNITY_MLOPS_ROOTS",
    ),
    (nav(init_path="/etc/checkpoint.pt"), "behaviors.Nav.init_path", "UNITY_MLOPS_ROOTS"),
    ({"behaviors": {}}, "behaviors", "Behavior Name"),
    ({**RUN, "env_settings": {"env_path": "/x"}}, "env_settings.env_path", "build_id"),
    ({**RUN, "checkpoint_settings": {"run_id": "x"}}, "checkpoint_settings.run_id", "run_id"),
    ({**RUN, "checkpoint_settings": {"results_dir": "x"}}, "checkpoint_settings.results_dir", "home"),
    ({**RUN, "checkpoint_settings": {"resume": True}}, "checkpoint_settings.resume", "resume_training"),
    ({**RUN, "environment_parameters": {"a": "big"}}, "environment_parameters.a", "sampler"),
    (
        {**RUN, "environment_parameters": {"a": {"sampler_type": "gausian", "sampler_parameters": {}}}},
        "environment_parameters.a.sampler_type",
        "gaussian",
    ),
    (
        {
            **RUN,
            "environment_parameters": {
                "a": {"sampler_type": "uniform", "sampler_parameters": {"min_value": 3, "max_value": 1}}
            },
        },
        "environment_parameters.a.sampler_parameters",
        "Swap",
    ),
    (
        {
            **RUN,
            "environment_parameters": {"a": {"curriculum": [{"name": "x", "value": 1}, {"name": "y", "value": 2}]}},
        },
        "environment_parameters.a.curriculum[0].completion_criteria",
        "Add completion_criteria",
    ),
    (
        {
            **RUN,
            "environment_parameters": {
                "a": {
                    "curriculum": [
                        {
                            "name": "x",
                            "value": 1,
                            "completion_criteria": {"behavior": "nav", "measure": "progress", "threshold": 3},
                        },
                        {"name": "y", "value": 2},
                    ]
                }
            },
        },
        "environment_parameters.a.curriculum[0].completion_criteria.behavior",
        "Did you mean Nav?",
    ),
]

DOUBTFUL = [
    (nav(hyperparameters__buffer_size=10000), "behaviors.Nav.hyperparameters.buffer_size", "10240"),
    (nav(network_settings__memory__sequence_length=128, time_horizon=64), "behaviors.Nav.time_horizon", "128"),
    (nav(summary_freq=600000), "behaviors.Nav.summary_freq", "25000"),
    (nav(self_play__team_change=100), "behaviors.Nav.self_play.team_change", "100000"),
]


def at(findings: tuple[Finding, ...], path: str) -> Finding:
    """The finding at a path."""
    found = [item for item in findings if item.path == path]
    assert found, [str(item) for item in findings]
    return found[0]


def test_a_right_configuration_has_no_findings(check: Any) -> None:
    assert check(RUN).items == ()
    assert check(yaml.safe_dump(RUN)).items == ()


@pytest.mark.parametrize(("configuration", "path", "fix"), WRONG)
def test_what_mlagents_would_refuse_or_misread_is_an_error(check: Any, configuration: Any, path: str, fix: str) -> None:
    findings = check(configuration)
    assert fix in at(findings.errors, path).fix
    with pytest.raises(InvalidInputError) as refused:
        refuse_errors(findings)
    assert refused.value.cause == "trainer_config"
    assert any(path in line for line in refused.value.evidence)


@pytest.mark.parametrize(("configuration", "path", "fix"), DOUBTFUL)
def test_what_is_hardly_meant_is_a_warning(check: Any, configuration: Any, path: str, fix: str) -> None:
    findings = check(configuration)
    assert fix in at(findings.warnings, path).fix
    refuse_errors(findings)


def test_batch_sizes_outside_the_typical_range_are_only_a_hint(check: Any) -> None:
    findings = check(nav(hyperparameters__batch_size=128), behaviors=[CONTINUOUS])
    assert "512 to 5120" in at(findings.hints, "behaviors.Nav.hyperparameters.batch_size").needed
    assert not findings.errors
    assert not findings.warnings


def test_the_players_behaviours_must_have_settings(check: Any) -> None:
    other = Behavior(name="nav", observation_shapes=((6,),), action_spec=ActionSize(continuous=2))
    findings = check(RUN, behaviors=[other])
    assert "behaviors.nav" in at(findings.errors, "behaviors.nav").fix
    assert "Did you mean nav?" in at(findings.warnings, "behaviors.Nav").fix
    assert not check({**RUN, "default_settings": {}}, behaviors=[other]).errors


def test_self_play_with_one_team_is_named(check: Any) -> None:
    assert at(check(RUN, teams={"Nav": [0, 0]}).warnings, "behaviors.Nav.self_play")
    assert not check(RUN, teams={"Nav": [0, 1]}).items


def test_demonstrations_must_be_there(check: Any, tmp_path: Path) -> None:
    path = "behaviors.Nav.behavioral_cloning.demo_path"
    demo = tmp_path / "expert.demo"
    assert "nothing there" in at(check(nav(behavioral_cloning={"demo_path": str(demo)})).errors, path).found
    assert at(check(nav(behavioral_cloning={"demo_path": str(tmp_path)})).errors, path)
    demo.write_bytes(b"demo")
    assert not check(nav(behavioral_cloning={"demo_path": str(demo)})).errors
    assert not check(nav(behavioral_cloning={"demo_path": str(tmp_path)})).errors


def test_a_foreign_checkpoint_needs_a_torch_that_loads_weights_only(check: Any, tmp_path: Path, home: Path) -> None:
    foreign, own = tmp_path / "checkpoint.pt", home / "runs" / "checkpoint.pt"
    own.parent.mkdir(parents=True)
    for file in (foreign, own):
        file.write_bytes(b"weights")
    assert (
        "runs code"
        in at(check(nav(init_path=str(foreign)), torch_version="2.2.2").errors, "behaviors.Nav.init_path").fix
    )
    assert not check(nav(init_path=str(foreign)), torch_version="2.13.0+cpu").errors
    assert not check(nav(init_path=str(own)), torch_version="2.2.2").errors


@pytest.mark.parametrize(
    ("configuration", "version", "path"),
    [
        (nav(even_checkpoints=True), "0.30.0", "behaviors.Nav.even_checkpoints"),
        ({**RUN, "env_settings": {"timeout_wait": 10}}, "0.28.0", "env_settings.timeout_wait"),
        ({**RUN, "engine_settings": {"no_graphics_monitor": True}}, "1.0.0", "engine_settings.no_graphics_monitor"),
        (
            nav(trainer_type="poca", hyperparameters__shared_critic=True),
            "1.1.0",
            "behaviors.Nav.hyperparameters.shared_critic",
        ),
    ],
)
def test_what_a_version_of_mlagents_does_not_know_is_named(
    check: Any, configuration: Any, version: str, path: str
) -> None:
    assert version in at(check(configuration, mlagents_version=version).errors, path).needed
    other = "0.28.0" if version == "1.1.0" else "1.1.0"
    assert not check(configuration, mlagents_version=other).errors


@pytest.mark.parametrize(
    "text",
    [
        "behaviors: [1, ",
        "- a list",
        "!!python/object/apply:os.system ['true']",
        (
            "a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n"
            "d: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d]"
        ),
        "a: &a\n  b: *a\n",
        "x: " + "[" * 100 + "]" * 100,
        "a" * 300_000,
        "'" * 3,
    ],
)
def test_yaml_that_is_broken_or_made_to_harm_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        read_mapping(text, what="trainer YAML")
    assert refused.value.cause == "yaml"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(sorted({key for fields in objects().values() for key in fields})), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_any_data_is_answered_with_findings(data: Any) -> None:
    check_configuration({"behaviors": data, "environment_parameters": data}, settings=Settings())


PRESET = {
    "trainer_type": "ppo",
    "hyperparameters": {"batch_size": 256, "buffer_size": 2048, "learning_rate": 0.001, "shared_critic": True},
    "network_settings": {"hidden_units": 64},
    "time_horizon": 64,
    "max_steps": 300_000,
}


@pytest.mark.parametrize(("agents", "horizon"), [(1, 64), (16, 64), (64, 32), (128, 16), (256, 8), (4096, 8)])
def test_the_time_horizon_follows_the_number_of_agents(agents: int, horizon: int) -> None:
    assert compose("Nav", PRESET, agents=agents)["behaviors"]["Nav"]["time_horizon"] == horizon


def test_a_memory_keeps_the_horizon_at_its_sequence() -> None:
    preset = {**PRESET, "network_settings": {"memory": {"sequence_length": 16}}}
    assert compose("Nav", preset, agents=4096)["behaviors"]["Nav"]["time_horizon"] == 16


def test_what_was_asked_for_stands_at_its_place_and_is_not_changed() -> None:
    asked = {"learning_rate": 1e-4, "gamma": 0.9, "hidden_units": 32, "time_horizon": 5, "summary_freq": 7, "seed": 3}
    more = {"time_scale": 5.0, "device": "cpu", "max_steps": None, "batch_size": 300, "checkpoint_interval": 9}
    data = compose("Nav", PRESET, agents=64, request={**asked, **more})
    body = data["behaviors"]["Nav"]
    assert body["hyperparameters"]["learning_rate"] == 1e-4
    assert body["reward_signals"]["extrinsic"]["gamma"] == 0.9
    assert body["network_settings"]["hidden_units"] == 32
    assert (body["time_horizon"], body["summary_freq"], body["checkpoint_interval"]) == (5, 7, 9)
    assert body["max_steps"] == 300_000
    assert body["hyperparameters"]["buffer_size"] == 2100
    assert (data["env_settings"]["seed"], data["engine_settings"]["time_scale"]) == (3, 5.0)
    assert data["torch_settings"]["device"] == "cpu"


def test_another_algorithm_brings_its_own_hyperparameters(check: Any) -> None:
    sac = compose("Nav", PRESET, agents=32, request={"algorithm": "SAC"})
    hyper = sac["behaviors"]["Nav"]["hyperparameters"]
    assert (hyper["steps_per_update"], hyper["learning_rate"], hyper["buffer_size"]) == (32, 0.001, 100_000)
    assert "epsilon" not in hyper
    poca = compose("Nav", PRESET, overrides={"trainer_type": "poca"})
    assert poca["behaviors"]["Nav"]["hyperparameters"]["batch_size"] == 256
    for data in (sac, poca, compose("Nav", PRESET)):
        assert not check(yaml.safe_dump(data)).errors
        assert not check(yaml.safe_dump(data)).warnings


def test_a_users_own_configuration_is_laid_over_the_rest() -> None:
    own = {"behaviors": {"Nav": {"hyperparameters": {"beta": 0.01}}}, "environment_parameters": {"size": 2}}
    data = compose("Nav", PRESET, overrides=own)
    assert data["behaviors"]["Nav"]["hyperparameters"]["beta"] == 0.01
    assert data["behaviors"]["Nav"]["hyperparameters"]["batch_size"] == 256
    assert data["environment_parameters"] == {"size": 2}


def test_what_is_asked_for_by_name_wins_over_the_users_configuration() -> None:
    own = {"trainer_type": "ppo", "max_steps": 500_000, "hyperparameters": {"learning_rate": 0.1, "batch_size": 64}}
    asked = {"max_steps": 3000, "learning_rate": 0.01, "algorithm": "poca"}
    body = compose("Nav", PRESET, request=asked, overrides=own)["behaviors"]["Nav"]
    assert (body["trainer_type"], body["max_steps"]) == ("poca", 3000)
    assert (body["hyperparameters"]["learning_rate"], body["hyperparameters"]["batch_size"]) == (0.01, 64)
    assert body["checkpoint_interval"] <= 3000


def test_without_a_preset_a_users_configuration_means_what_mlagents_reads_in_it() -> None:
    data = compose("Nav", {}, overrides={"behaviors": {"Nav": {"trainer_type": "sac", "max_steps": 5000}}})
    assert data["behaviors"]["Nav"]["hyperparameters"] == {"steps_per_update": 10}
    assert compose("Nav", {})["behaviors"]["Nav"]["hyperparameters"] == {}


@pytest.mark.parametrize("steps", [1000, 3000, 50_000, 2_000_000, 50_000_000])
def test_a_short_run_has_curves_and_a_kill_costs_little(steps: int) -> None:
    body = compose("Nav", PRESET, request={"max_steps": steps})["behaviors"]["Nav"]
    assert body["summary_freq"] <= max(500, min(steps // 20, 50_000))
    assert body["checkpoint_interval"] <= max(2000, min(steps // 10, 100_000))


@pytest.mark.parametrize(("request_", "names"), [({"learning_rat": 1}, "learning_rate"), ({"algorithm": "a2c"}, "ppo")])
def test_what_no_setting_is_called_is_refused(request_: dict[str, Any], names: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        compose("Nav", PRESET, request=request_)
    assert names in refused.value.fix


READ_SETTINGS = """
import importlib, json, sys
sys.path.insert(0, sys.argv[1])
launcher = importlib.import_module("launcher")
launcher.adopt_package()
importlib.import_module(launcher.PACKAGE + ".start").prepare("compat")
import attr
from mlagents.plugins.trainer_type import register_trainer_plugins
from mlagents.trainers import settings as s
register_trainer_plugins()
from mlagents.plugins import all_trainer_settings as kinds
classes = {"run": s.RunOptions, "trainer": s.TrainerSettings, "network_settings": s.NetworkSettings,
    "memory": s.NetworkSettings.MemorySettings, "behavioral_cloning": s.BehavioralCloningSettings,
    "self_play": s.SelfPlaySettings,
    "reward.extrinsic": s.RewardSignalSettings, "reward.gail": s.GAILSettings, "reward.curiosity": s.CuriositySettings,
    "reward.rnd": s.RNDSettings, "env_settings": s.EnvironmentSettings, "engine_settings": s.EngineSettings,
    "checkpoint_settings": s.CheckpointSettings, "torch_settings": s.TorchSettings, "lesson": s.Lesson,
    "completion_criteria": s.CompletionCriteriaSettings, "curriculum": s.EnvironmentParameterSettings,
    "sampler.uniform": s.UniformSettings, "sampler.gaussian": s.GaussianSettings,
    "sampler.constant": s.ConstantSettings, "sampler.multirangeuniform": s.MultiRangeUniformSettings}
classes.update(("hyperparameters." + name, kinds[name]) for name in kinds)
sys.stdout.write("\\n" + json.dumps({name: sorted(attr.fields_dict(kind)) for name, kind in classes.items()}))
"""


@pytest.mark.trainer
def test_the_schema_has_exactly_the_keys_of_the_real_mlagents(trainer_python: Path) -> None:
    done = subprocess.run(
        [trainer_python, "-c", READ_SETTINGS, TRAINER_ENV], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    real = json.loads(done.stdout.splitlines()[-1])
    beyond = {"trainer": {"framework"}, "hyperparameters.poca": {"shared_critic"}}
    for name, keys in real.items():
        assert set(objects()[name]) - beyond.get(name, set()) == set(keys), name


REFUSED_BY_MLAGENTS = """
import importlib, json, sys
sys.path.insert(0, sys.argv[1])
launcher = importlib.import_module("launcher")
launcher.adopt_package()
importlib.import_module(launcher.PACKAGE + ".start").prepare("compat")
from mlagents.plugins.trainer_type import register_trainer_plugins
from mlagents.trainers.settings import RunOptions, TrainerSettings
register_trainer_plugins()
answers = []
for data in json.load(sys.stdin):
    try:
        TrainerSettings.default_override = None
        for key in data:
            assert key in RunOptions.__annotations__, key
        RunOptions.from_dict(data)
        answers.append("")
    except Exception as error:
        answers.append(type(error).__name__ + ": " + str(error))
sys.stdout.write("\\n" + json.dumps(answers))
"""


@pytest.mark.trainer
def test_the_real_mlagents_accepts_what_we_compose_and_refuses_what_we_call_unknown(trainer_python: Path) -> None:
    composed = [
        compose("Nav", PRESET, agents=n, request={"algorithm": kind})
        for n in (1, 64)
        for kind in ("ppo", "sac", "poca")
    ]
    unknown = [
        case[0] for case in WRONG if "Valid" in case[2] or "Did you mean batch" in case[2] or case[1] == "nonsense"
    ]
    sent = json.dumps([RUN, *composed, *unknown])
    done = subprocess.run(
        [trainer_python, "-c", REFUSED_BY_MLAGENTS, TRAINER_ENV],
        input=sent,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout.splitlines()[-1])
    assert answers[0].startswith("ValueError: num_envs"), "RUN leaves env_path to the command"
    assert answers[1 : 1 + len(composed)] == [""] * len(composed)
    assert all(answers[1 + len(composed) :]), answers
