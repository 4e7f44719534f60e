"""What can be known of Unity's licence beforehand, its activation, and the hiding of its secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable

from unity_mlops_mcp.builds.unity.editors import Editor
from unity_mlops_mcp.builds.unity.logs import LogContext, classify
from unity_mlops_mcp.builds.unity.platforms import Platform, platform_of
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import ExternalError, InvalidInputError, MlopsError
from unity_mlops_mcp.process.commands import run

HIDDEN = "[hidden]"
ACTIVATION_TIMEOUT_S = 300.0
_SECRET_FLAGS = re.compile(r"(?i)(-(?:serial|username|password)[ =:]+)(?:\"[^\"]*\"|'[^']*'|\S+)")
_ACTIVATED = re.compile(r"(?i)licenses? updated successfully|successfully (?:activated|processed license)|entitlement")


def hide(text: str, secrets: Iterable[str]) -> str:
    """The text without any secret: neither the known values nor what follows Unity's flags for them."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, HIDDEN)
    return _SECRET_FLAGS.sub(rf"\g<1>{HIDDEN}", text)


def licence_found(platform: Platform | None = None) -> str | None:
    """The file that shows a licence or a licence server on this machine; None when there is none.

    A missing file proves nothing: a licence may lie elsewhere. It is worth a warning, not a refusal.
    """
    places = platform or platform_of()
    return next((str(file) for file in (*places.licences, *places.server) if file.is_file()), None)


def activation(settings: Settings) -> tuple[str, ...] | None:
    """The arguments that activate the licence of the settings; None when they name none.

    Raises:
        InvalidInputError: a part of it is missing.
    """
    parts = {
        "UNITY_MLOPS_UNITY_SERIAL": settings.unity_serial,
        "UNITY_MLOPS_UNITY_USERNAME": settings.unity_username,
        "UNITY_MLOPS_UNITY_PASSWORD": settings.unity_password,
    }
    if not any(parts.values()):
        return None
    missing = [name for name, value in parts.items() if value is None]
    if missing:
        raise InvalidInputError(
            f"A Unity licence is activated by serial, user name and password together; not set: {', '.join(missing)}.",
            fix="Set all three, or none when this machine is licensed through the Unity Hub or a licence server.",
            cause="licence_settings",
        )
    values = [value.get_secret_value() for value in parts.values() if value]
    return tuple(word for pair in zip(("-serial", "-username", "-password"), values, strict=True) for word in pair)


def activate(settings: Settings, editor: Editor, *, timeout_s: float = ACTIVATION_TIMEOUT_S) -> bool:
    """Activate the licence of the settings in an Editor run of its own, so that the build's run carries no secret.

    Returns:
        False when the settings name none.

    Raises:
        ExternalError: Unity did not accept it (cause ``unity_licence``), or did not answer.
    """
    arguments = activation(settings)
    if arguments is None:
        return False
    command = [str(editor.path), "-batchmode", "-nographics", "-quit", "-logFile", "-", *arguments]
    try:
        answer = run(command, timeout_s=timeout_s)
    except MlopsError as error:
        secrets = settings.secrets
        raise ExternalError(
            hide(error.message, secrets),
            fix="Run the Editor by hand to see what it waits for; then build again.",
            cause="unity_licence",
            evidence=[hide(line, secrets) for line in error.evidence],
        ) from None  # the original names the command, secrets included
    text = hide(answer.stdout + answer.stderr, settings.secrets)
    if answer.returncode == 0 and _ACTIVATED.search(text):
        return True
    found = classify(text.splitlines(), LogContext(exit_code=answer.returncode, editor=str(editor.path)))
    raise ExternalError(
        f"Unity did not accept the licence of UNITY_MLOPS_UNITY_SERIAL: {found.message}",
        fix="Check serial, user name and password, and that the licence has a free seat; then build again.",
        cause="unity_licence",
        evidence=found.evidence,
    )
