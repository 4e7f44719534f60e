"""Whether a trained policy is one that opens."""

from __future__ import annotations

from pathlib import Path

from unity_mlops_mcp.errors import ExternalError


def prepare_check() -> None:
    """Import what `check_policy` needs, while a training runs, so that nobody waits for it at the end."""
    import onnxruntime  # noqa: F401 - for its import


def check_policy(path: Path) -> dict[str, list[str]]:
    """Open an ONNX policy in onnxruntime and name what goes in and comes out.

    Returns:
        ``inputs`` and ``outputs``: names with shapes, such as ``obs_0 [batch, 6]``.

    Raises:
        ExternalError: the file is absent, empty or no model that onnxruntime can load.
    """
    import onnxruntime

    try:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(str(path), sess_options=options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises classes of its own, none of them documented as stable
        raise ExternalError(
            f"The policy {path} does not open in onnxruntime: {str(error).splitlines()[0]}",
            fix="Train on from the last checkpoint with resume_training, which exports it again.",
            cause="onnx_broken",
        ) from error
    return {
        "inputs": [f"{node.name} {node.shape}" for node in session.get_inputs()],
        "outputs": [f"{node.name} {node.shape}" for node in session.get_outputs()],
    }
