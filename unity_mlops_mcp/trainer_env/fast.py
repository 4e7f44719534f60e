"""What makes mlagents 1.1.0 faster and leaves it the same trainer: equal weights, bit for bit, from an equal seed.

Imported after the compat patches, since it imports mlagents.
"""

from __future__ import annotations

from . import fast_columns, fast_environment, fast_ppo, fast_torch, fast_trajectories, fast_transport
from .patching import Patch, Versions

MADE_FOR = "1.1.0"


def _fits(versions: Versions) -> bool:
    return versions.text("mlagents") == MADE_FOR


PATCHES = (
    Patch(
        "column-update",
        "PPO reorders 25 Python lists of small arrays in every epoch",
        _fits,
        fast_columns.update_from_columns,
    ),
    Patch(
        "sample-when-asked",
        "a draw from SAC's replay buffer copies all fields, of which half are read",
        _fits,
        fast_columns.sample_fields_when_asked,
    ),
    Patch(
        "rows-for-steps",
        "the agent processor builds a dozen objects for each agent at each step",
        _fits,
        fast_trajectories.keep_rows,
    ),
    Patch(
        "no-needless-passes",
        "the value after a finished episode is computed and thrown away, with a graph for gradients",
        _fits,
        fast_ppo.skip_needless_passes,
    ),
    Patch(
        "column-trajectories",
        "PPO turns each trajectory into lists and copies them into longer lists",
        _fits,
        fast_ppo.process_columns,
    ),
    Patch(
        "queues",
        "the gRPC thread and its caller pickle every message through a pipe within one process",
        _fits,
        fast_transport.talk_over_queues,
    ),
    Patch(
        "observation-bytes",
        "vector observations are read number by number",
        _fits,
        fast_transport.read_observations_as_bytes,
    ),
    Patch(
        "direct-players",
        "a worker process between trainer and player pickles every step, and the trainer spins while it waits",
        _fits,
        fast_environment.talk_directly,
    ),
    Patch(
        "no-dynamo",
        "the first optimizer imports torch's compiler, for a second or more, and nothing is compiled",
        lambda versions: _fits(versions) and fast_torch.optimizers_import_dynamo(),
        fast_torch.leave_dynamo_out,
    ),
    Patch(
        "hashed-keys",
        "each look into a buffer hashes the name of an enumeration's member by a Python function",
        _fits,
        fast_torch.hash_keys_by_identity,
    ),
    Patch(
        "no-unused-normalization",
        "each trajectory is made into tensors twice for networks that do not normalise",
        _fits,
        fast_torch.skip_unused_normalization,
    ),
    Patch(
        "counted-masks",
        "each loss builds and adds up a tensor of ones to learn its own length",
        _fits,
        fast_torch.count_masks_once,
    ),
)
