"""Side channels: bytes as ML-Agents writes and reads them."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from tests.ml_agents import ask_ml_agents
from unity_mlops_mcp.protocol.side_channels import (
    ENGINE,
    PARAMETERS,
    STATS,
    Engine,
    Parameter,
    Sampler,
    decode_engine,
    decode_parameter,
    decode_stat,
    encode_engine,
    encode_parameter,
    encode_stats,
    messages_in,
)
from unity_mlops_mcp.protocol.simulation import Stat

PARAMETERS_SENT = (
    Parameter("plain", 2.5),
    Parameter("uniform", Sampler("uniform", (0.5, 1.5), 7)),
    Parameter("gaussian", Sampler("gaussian", (1.0, 0.25), 8)),
    Parameter("ranges", Sampler("multirangeuniform", (0.0, 1.0, 4.0, 5.0), 9)),
)
SETTINGS_SENT = (
    Engine("screen_resolution", (84, 84)),
    Engine("quality_level", (5,)),
    Engine("time_scale", (20.0,)),
    Engine("target_frame_rate", (-1,)),
    Engine("capture_frame_rate", (60,)),
)
STATS_SENT = (Stat("Environment/Success", 1.0), Stat("Sum", 2.5, "sum"), Stat("Last", -3.0, "most_recent"))


def test_what_is_written_is_read_back() -> None:
    data = b"".join(map(encode_parameter, PARAMETERS_SENT)) + b"".join(map(encode_engine, SETTINGS_SENT))
    data += encode_stats(STATS_SENT)
    found = list(messages_in(data))
    assert tuple(decode_parameter(content) for channel, content in found if channel == PARAMETERS) == PARAMETERS_SENT
    assert tuple(decode_engine(content) for channel, content in found if channel == ENGINE) == SETTINGS_SENT
    assert tuple(decode_stat(content) for channel, content in found if channel == STATS) == STATS_SENT


def test_unknown_channels_are_split_off_like_any_other() -> None:
    other = uuid.UUID("b664a4a9-d86f-5a5f-95cb-e8353a7e8356")
    data = other.bytes_le + (3).to_bytes(4, "little") + b"abc" + encode_parameter(PARAMETERS_SENT[0])
    assert [channel for channel, _ in messages_in(data)] == [other, PARAMETERS]


@pytest.mark.parametrize("cut", [1, 10, 19, 21, -1])
def test_a_message_that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(ValueError, match="cut off"):
        list(messages_in(encode_parameter(PARAMETERS_SENT[0])[:cut]))


def test_a_name_that_ml_agents_could_not_decode_is_made_ascii() -> None:
    ((_, content),) = messages_in(encode_stats([Stat("Länge", 1.0)]))
    assert decode_stat(content).name == "L?nge"


_THEIRS = """
from mlagents_envs.side_channel.engine_configuration_channel import EngineConfigurationChannel
from mlagents_envs.side_channel.environment_parameters_channel import EnvironmentParametersChannel
from mlagents_envs.side_channel.side_channel_manager import SideChannelManager
from mlagents_envs.side_channel.stats_side_channel import StatsSideChannel
parameters, engine, stats = EnvironmentParametersChannel(), EngineConfigurationChannel(), StatsSideChannel()
parameters.set_float_parameter("plain", 2.5)
parameters.set_uniform_sampler_parameters("uniform", 0.5, 1.5, 7)
parameters.set_gaussian_sampler_parameters("gaussian", 1.0, 0.25, 8)
parameters.set_multirangeuniform_sampler_parameters("ranges", [(0.0, 1.0), (4.0, 5.0)], 9)
engine.set_configuration_parameters(84, 84, 5, 20.0, -1, 60)
manager = SideChannelManager([parameters, engine, stats])
manager.process_side_channel_message(bytes.fromhex(given))
found = [[name, value, kind.name.lower()] for name, values in stats.stats.items() for value, kind in values]
answer = {"sent": bytes(manager.generate_side_channel_messages()).hex(), "stats": found}
"""


@pytest.mark.trainer
def test_ml_agents_writes_and_reads_the_same_bytes(trainer_python: Path) -> None:
    theirs = ask_ml_agents(trainer_python, _THEIRS, encode_stats(STATS_SENT).hex())
    ours = b"".join(map(encode_parameter, PARAMETERS_SENT)) + b"".join(map(encode_engine, SETTINGS_SENT))
    assert bytes.fromhex(theirs["sent"]) == ours
    assert [Stat(*one) for one in theirs["stats"]] == list(STATS_SENT)
