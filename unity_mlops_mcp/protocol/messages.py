"""The messages of ML-Agents' communicator 1.5.0, made from our own table.

Only the wire format is shared with ML-Agents (its ``protobuf-definitions/proto/*.proto``): field numbers and types. The
classes live in a descriptor pool of their own, so they coexist with ``mlagents_envs`` in one process, and need no
generated code, whatever protobuf is installed. Names of fields are ML-Agents' own; enumerations are plain int32, which
the wire cannot tell apart.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

COMMUNICATION_VERSION = "1.5.0"
SERVICE = "communicator_objects.UnityToExternalProto"
METHOD = f"/{SERVICE}/Exchange"

STATUS_OK = 200
STATUS_STOP = 400
"""Header status by which either side ends the conversation."""

STEP, RESET, QUIT = 0, 1, 2
"""Values of ``rl_input.command``."""

COMPRESSION_NONE, COMPRESSION_PNG = 0, 1
"""Values of ``observations[].compression_type``."""

SPACE_DISCRETE, SPACE_CONTINUOUS = 0, 1
"""Values of ``vector_action_space_type_deprecated``."""

CAPABILITIES = (
    "baseRLCapabilities",
    "concatenatedPngObservations",
    "compressedChannelMapping",
    "hybridActions",
    "trainingAnalytics",
    "variableLengthObservation",
    "multiAgentGroups",
)

_PACKAGE = "unity_mlops_mcp.communicator"

# One message per block; one field per line: number, name, type. "*" is repeated, "map" is map<string, type>.
_SCHEMA = """
Header
    1 status int32
    2 message string
Capabilities
    1 baseRLCapabilities bool
    2 concatenatedPngObservations bool
    3 compressedChannelMapping bool
    4 hybridActions bool
    5 trainingAnalytics bool
    6 variableLengthObservation bool
    7 multiAgentGroups bool
AgentAction
    1 vector_actions_deprecated float*
    4 value float
    6 continuous_actions float*
    7 discrete_actions int32*
FloatData
    1 data float*
Observation
    1 shape int32*
    2 compression_type int32
    3 compressed_data bytes
    4 float_data FloatData
    5 compressed_channel_mapping int32*
    6 dimension_properties int32*
    7 observation_type int32
    8 name string
AgentInfo
    7 reward float
    8 done bool
    9 max_step_reached bool
    10 id int32
    11 action_mask bool*
    13 observations Observation*
    14 group_id int32
    15 group_reward float
ActionSpec
    1 num_continuous_actions int32
    2 num_discrete_actions int32
    3 discrete_branch_sizes int32*
    4 action_descriptions string*
BrainParameters
    3 vector_action_size_deprecated int32*
    5 vector_action_descriptions_deprecated string*
    6 vector_action_space_type_deprecated int32
    7 brain_name string
    8 is_training bool
    9 action_spec ActionSpec
ListAgentAction
    1 value AgentAction*
ListAgentInfo
    1 value AgentInfo*
RLInput
    1 agent_actions map ListAgentAction
    4 command int32
    5 side_channel bytes
RLInitializationInput
    1 seed int32
    2 communication_version string
    3 package_version string
    4 capabilities Capabilities
    5 num_areas int32
RLOutput
    2 agentInfos map ListAgentInfo
    3 side_channel bytes
RLInitializationOutput
    1 name string
    2 communication_version string
    3 log_path string
    5 brain_parameters BrainParameters*
    7 package_version string
    8 capabilities Capabilities
UnityInput
    1 rl_input RLInput
    2 rl_initialization_input RLInitializationInput
UnityOutput
    1 rl_output RLOutput
    2 rl_initialization_output RLInitializationOutput
UnityMessage
    1 header Header
    2 unity_output UnityOutput
    3 unity_input UnityInput
AgentInfoActionPair
    1 agent_info AgentInfo
    2 action_info AgentAction
DemonstrationMeta
    1 api_version int32
    2 demonstration_name string
    3 number_steps int32
    4 number_episodes int32
    5 mean_reward float
PackedRLInput
    1 agent_actions map bytes
    4 command int32
    5 side_channel bytes
PackedInput
    1 rl_input PackedRLInput
    2 rl_initialization_input RLInitializationInput
PackedRLOutput
    2 agentInfos map bytes
    3 side_channel bytes
PackedOutput
    1 rl_output PackedRLOutput
    2 rl_initialization_output RLInitializationOutput
PackedMessage
    1 header Header
    2 unity_output PackedOutput
    3 unity_input PackedInput
"""

_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "int32": _Field.TYPE_INT32,
    "float": _Field.TYPE_FLOAT,
    "bool": _Field.TYPE_BOOL,
    "string": _Field.TYPE_STRING,
    "bytes": _Field.TYPE_BYTES,
}


def _add_field(message: descriptor_pb2.DescriptorProto, number: str, name: str, kind: str, *, repeated: bool) -> None:
    field = message.field.add(name=name, number=int(number))
    field.label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"


def _add_map(message: descriptor_pb2.DescriptorProto, number: str, name: str, kind: str) -> None:
    # protoc's own rule: a map is a repeated nested message named after the field in CamelCase, plus "Entry".
    entry = message.nested_type.add(name="".join(part[:1].upper() + part[1:] for part in name.split("_")) + "Entry")
    entry.options.map_entry = True
    _add_field(entry, "1", "key", "string", repeated=False)
    _add_field(entry, "2", "value", kind, repeated=False)
    _add_field(message, number, name, f"{message.name}.{entry.name}", repeated=True)


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="unity_mlops_mcp/communicator.proto", package=_PACKAGE)
    file.syntax = "proto3"
    for line in _SCHEMA.strip().splitlines():
        match line.split():
            case [name]:
                file.message_type.add(name=name)
            case [number, name, "map", kind]:
                _add_map(file.message_type[-1], number, name, kind)
            case [number, name, kind]:
                _add_field(file.message_type[-1], number, name, kind.rstrip("*"), repeated=kind.endswith("*"))
    return file


_POOL = descriptor_pool.DescriptorPool()
_POOL.AddSerializedFile(_file().SerializeToString())


def _message_class(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


# Typed Any: their fields come from the table above at run time.
UnityMessage: Any = _message_class("UnityMessage")
RLInitializationOutput: Any = _message_class("RLInitializationOutput")
BrainParameters: Any = _message_class("BrainParameters")
ListAgentInfo: Any = _message_class("ListAgentInfo")
ListAgentAction: Any = _message_class("ListAgentAction")
AgentInfo: Any = _message_class("AgentInfo")
AgentAction: Any = _message_class("AgentAction")
Observation: Any = _message_class("Observation")
AgentInfoActionPair: Any = _message_class("AgentInfoActionPair")
DemonstrationMeta: Any = _message_class("DemonstrationMeta")

# The same bytes as a UnityMessage: the wire writes a nested message as it writes bytes, so that the lists of agents can
# be left to the codec while protobuf does the rest.
PackedMessage: Any = _message_class("PackedMessage")


def packed_message(status: int = STATUS_OK) -> Any:
    """An empty PackedMessage with its header's status set."""
    message = PackedMessage()
    message.header.status = status
    return message
