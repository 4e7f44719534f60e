"""Prints one JSON line about the interpreter that runs it: what a trainer it would be.

Usage: ``PYTHON .../trainer_env/describe.py``. It runs under any Python from 3.6 on (so no newer syntax), imports none
of the packages that it reports, and gives null for what is missing.
"""
# ruff: noqa: UP006, UP035

import json
import os
import platform
import re
import sys
from pathlib import Path
from typing import Dict

PACKAGES = (
    "mlagents",
    "mlagents_envs",
    "torch",
    "numpy",
    "protobuf",
    "grpcio",
    "onnx",
    "onnxruntime",
    "cattrs",
    "attrs",
    "tensorboard",
    "h5py",
    "pillow",
    "setuptools",
)


def package_versions() -> Dict[str, object]:
    """The installed version of each package of PACKAGES, or None."""
    try:
        from importlib import metadata
    except ImportError:  # Python before 3.8: setuptools is there, mlagents of that age needs it
        import pkg_resources as metadata  # type: ignore[import-untyped,import-not-found,no-redef,unused-ignore]
    return {name: _version(metadata, name) for name in PACKAGES}


def _version(metadata: object, name: str) -> object:
    try:
        if hasattr(metadata, "version"):
            return metadata.version(name.replace("_", "-"))
        return metadata.get_distribution(name.replace("_", "-")).version  # type: ignore[attr-defined]
    except Exception:  # noqa: BLE001 - a damaged package must not keep the rest from being described
        return None


def torch_build() -> Dict[str, object]:
    """What torch was built for, without its import: ``{"cuda": "12.8" or None, "hip": "6.4" or None}``."""
    try:
        from importlib import util

        spec = util.find_spec("torch")
        text = Path(str(spec.origin if spec else "")).with_name("version.py").read_text(encoding="utf-8")
    except Exception:  # noqa: BLE001 - no torch, or none that can be read
        return {"cuda": None, "hip": None}
    return {name: _assigned(name, text) for name in ("cuda", "hip")}


def _assigned(name: str, source: str) -> object:
    found = re.search(r"^" + name + r"(?:\s*:[^=\n]+)?\s*=\s*['\"]([^'\"]+)['\"]", source, re.MULTILINE)
    return found.group(1) if found else None


def describe() -> Dict[str, object]:
    """All of it, ready for JSON."""
    described: Dict[str, object] = {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "executable": sys.executable,
        "prefix": sys.prefix,
        "platform": sys.platform,
        "machine": platform.machine(),
        "bits": 64 if sys.maxsize > 2**32 else 32,
        "nvidia": _nvidia(),
    }
    described.update(package_versions())
    described.update(torch_build())
    return described


def _nvidia() -> bool:
    """Whether an NVIDIA driver is there; torch's own answer would need its import."""
    windows = Path(os.environ.get("SYSTEMROOT", ""), "System32", "nvcuda.dll")
    return any(path.exists() for path in (Path("/proc/driver/nvidia/version"), Path("/dev/dxg"), windows))


if __name__ == "__main__":
    sys.path[:] = [entry for entry in sys.path if entry != str(Path(__file__).resolve().parent)]
    sys.stdout.write(json.dumps(describe()) + "\n")
