"""Compressed camera observations: concatenated PNG files, each of one or three channels.

Source: ``process_pixels`` in ``mlagents_envs/rpc_utils.py`` of ML-Agents 1.1.0.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from unity_mlops_mcp.errors import SetupError

if TYPE_CHECKING:
    from unity_mlops_mcp.protocol.simulation import Floats

_PNG = b"\x89PNG\r\n\x1a\n"


def decode_image(data: bytes, shape: tuple[int, ...], mapping: tuple[int, ...]) -> Floats:
    """One observation of shape (channels, height, width), in [0, 1].

    Args:
        data: PNG files, one after the other.
        shape: the sensor's.
        mapping: for each decoded channel the observation channel that it goes to, -1 for none; several that go to
            one are averaged. Empty: as they come, and averaged to grey when the sensor has one channel.

    Raises:
        SetupError: the package Pillow is not installed.
        ValueError: the images do not fill the shape.
    """
    channels = np.concatenate([_png(_PNG + part) for part in data.split(_PNG)[1:]])
    if mapping:
        channels = np.stack([channels[np.array(mapping) == index].mean(0) for index in range(max(mapping) + 1)])
    elif shape[0] == 1:
        channels = channels[:3].mean(0, keepdims=True)
    return channels[: shape[0]].reshape(shape).astype(np.float32)


def _png(data: bytes) -> Floats:
    try:
        from PIL import Image
    except ImportError:
        raise SetupError(
            "The player sends camera images as PNG, and the package Pillow that reads them is not installed.",
            fix="Install it beside unity-mlops (pip install pillow), or set the camera sensor's compression to None.",
            cause="pillow_missing",
        ) from None
    with Image.open(io.BytesIO(data)) as image:
        pixels = np.asarray(image.convert("RGB"), np.float32)
    channels: Floats = np.moveaxis(pixels, -1, 0) / np.float32(255)
    return channels
