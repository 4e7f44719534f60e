"""Names of what goes into an ML-Agents policy and comes out of it.

Source: ``mlagents/trainers/torch_entities/model_serialization.py`` of mlagents 1.1.0.
"""

from __future__ import annotations

OBSERVATION = "obs_"
MASKS, MEMORY_IN, MEMORY_OUT = "action_masks", "recurrent_in", "recurrent_out"
CONTINUOUS, DISCRETE = "continuous_actions", "discrete_actions"
DETERMINISTIC = "deterministic_"
VERSION, MEMORY_SIZE = "version_number", "memory_size"
CONTINUOUS_SHAPE, BRANCHES = "continuous_action_output_shape", "discrete_action_output_shape"
