"""Less work around torch's kernels; the kernels, their inputs and their order stay the same."""

from __future__ import annotations

import functools
from typing import Any

from mlagents.torch_utils import torch
from mlagents.trainers.buffer import BufferKey, ObservationKeyPrefix, RewardSignalKeyPrefix
from mlagents.trainers.torch_entities.encoders import VectorInput
from mlagents.trainers.torch_entities.networks import ObservationEncoder
from mlagents.trainers.torch_entities.utils import ModelUtils
from mlagents.trainers.trajectory import ObsUtil

_DISABLED = "__dynamo_disable"  # where torch._compile keeps the function that it calls instead


def _written_in(function: Any, name: str) -> bool:
    """Whether a method is a wrapper that torch made with an inner function of this name."""
    return getattr(getattr(function, "__code__", None), "co_name", "") == name and hasattr(function, "__wrapped__")


def optimizers_import_dynamo() -> bool:
    """Whether this torch imports its compiler on an optimizer's first use, in the way that can be left out."""
    return _written_in(torch.optim.Adam.step, "_use_grad")


def leave_dynamo_out() -> None:
    """Let Adam work without importing ``torch._dynamo``, which only torch.compile needs.

    ``torch/_compile.py`` imports it to exempt methods from compilation, ``torch/optim/optimizer.py`` to break a graph
    that nobody traces.
    """
    for method in vars(torch.optim.Optimizer).values():
        if _written_in(method, "inner"):
            setattr(method.__wrapped__, _DISABLED, method.__wrapped__)
    step = torch.optim.Adam.step.__wrapped__

    @functools.wraps(step)
    def step_without_graph(self: Any, *arguments: Any, **options: Any) -> Any:
        enabled = torch.is_grad_enabled()
        try:
            torch.set_grad_enabled(self.defaults["differentiable"])
            return step(self, *arguments, **options)
        finally:
            torch.set_grad_enabled(enabled)

    torch.optim.Adam.step = step_without_graph


def hash_keys_by_identity() -> None:
    """Let the keys of buffers be hashed in C; an Enum hashes its name by a Python function."""
    for keys in (BufferKey, ObservationKeyPrefix, RewardSignalKeyPrefix):
        keys.__hash__ = object.__hash__


def _update_normalization(self: Any, buffer: Any) -> None:
    """ObservationEncoder.update_normalization, without tensors for encoders that do not normalise."""
    observations = ObsUtil.from_buffer(buffer, len(self.processors)) if self.normalize else ()
    for vectors, encoder in zip(observations, self.processors, strict=False):
        if isinstance(encoder, VectorInput):
            encoder.update_normalization(torch.as_tensor(vectors.to_ndarray()))


def skip_unused_normalization() -> None:
    """Do nothing for a network that does not normalise its observations."""
    ObservationEncoder.update_normalization = _update_normalization


_stock_masked_mean = ModelUtils.masked_mean


def _masked_mean(tensor: Any, masks: Any) -> Any:
    """ModelUtils.masked_mean: the same sum, divided by a count instead of a sum of ones."""
    if tensor.ndim not in (1, 2) or masks.ndim != 1 or masks.dtype != torch.bool:
        return _stock_masked_mean(tensor, masks)
    turned = tensor if tensor.ndim == 1 else tensor.permute(1, 0)
    count = masks.sum() * (tensor.numel() // len(masks))
    return (turned * masks).sum() / torch.clamp(count.float(), min=1.0)


def count_masks_once() -> None:
    """Let the loss functions divide by a count."""
    ModelUtils.masked_mean = staticmethod(_masked_mean)
