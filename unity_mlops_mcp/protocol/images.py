"""Compressed camera observations: concatenated PNG files, each of one or three channels.

Source: ``process_pixels`` in ``mlagents_envs/rpc_utils.py`` of ML-Agents 1.1.0.
"""

from __future__ import annotations

import io
import struct
import zlib
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
        ValueError: they are no images, or do not fill the shape.
    """
    count, height, width = shape
    channels = np.concatenate([_png(_PNG + part, (width, height)) for part in data.split(_PNG)[1:]])
    if mapping:
        if len(mapping) != len(channels) or not set(range(count)) <= set(mapping):
            raise ValueError(f"{len(channels)} channels are mapped by {len(mapping)} numbers to {count}")
        channels = np.stack([channels[np.array(mapping) == index].mean(0) for index in range(count)])
    elif count == 1:
        channels = channels[:3].mean(0, keepdims=True)
    return channels[:count].reshape(shape).astype(np.float32)


def _png(data: bytes, size: tuple[int, int]) -> Floats:
    """Three channels; an image of another size (width, height) is refused before it is unpacked."""
    try:
        from PIL import Image
    except ImportError:
        raise SetupError(
            "The player sends camera images as PNG, and the package Pillow that reads them is not installed.",
            fix="Install it beside unity-mlops (pip install pillow), or set the camera sensor's compression to None.",
            cause="pillow_missing",
        ) from None
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if image.size != size:
                raise ValueError(f"an image has the size {image.size} where {size} was expected")
            pixels = np.asarray(image.convert("RGB"), np.float32)
    except (OSError, SyntaxError, EOFError, struct.error, zlib.error, Image.DecompressionBombError) as error:
        raise ValueError(f"an image cannot be read: {error}") from error
    channels: Floats = np.moveaxis(pixels, -1, 0) / np.float32(255)
    return channels
