"""Signatures after the Standard Webhooks specification 1.0 (headers ``webhook-id``, ``-timestamp``, ``-signature``)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

from unity_mlops_mcp.errors import InvalidInputError

PREFIX = "whsec_"


def new_secret() -> str:
    """A fresh secret of 32 bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def require_secret(text: str) -> str:
    """The secret, when it is one.

    Raises:
        InvalidInputError: it is not ``whsec_`` and 24 to 64 bytes in base64; the text is not repeated.
    """
    try:
        size = len(_key(text))
    except binascii.Error:
        size = 0
    if not text.startswith(PREFIX) or not 24 <= size <= 64:  # noqa: PLR2004 - the specification's bounds
        raise InvalidInputError(
            "The webhook secret has the wrong form.", fix="Give whsec_ and 24 to 64 bytes in base64, or leave it out."
        )
    return text


def signed(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of one attempt; ``timestamp`` in seconds since the epoch."""
    text = f"{message_id}.{timestamp}.".encode() + body
    mac = hmac.new(_key(secret), text, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
