"""Prepares this interpreter for mlagents-learn: signals, patches in their order, then the training."""

from __future__ import annotations

import sys

from . import compat, interrupts
from .patching import Versions, apply_patches

FAST_FOR = "1.1.0"
OLDEST = (1,)


def refusal(mode: str) -> str:
    """Why this interpreter cannot train in this mode; empty where it can."""
    versions = Versions()
    found = versions.text("mlagents")
    if not found:
        return f"{sys.executable} holds no mlagents; install mlagents==1.1.0 into it, or name another interpreter"
    if mode == "fast" and found != FAST_FOR:
        return f"fast mode is made for mlagents {FAST_FOR}, found {found}; use --mode compat"
    if versions.of("mlagents") < OLDEST:
        return f"compat mode is made for mlagents 1.x, found {found}; start its own mlagents-learn"
    return ""


def prepare(mode: str) -> list[str]:
    """Patch this process for a mode; the names of the patches made."""
    interrupts.install()
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]
    versions = Versions()
    made = apply_patches(compat.BEFORE_IMPORT, versions)
    made += apply_patches(compat.AFTER_IMPORT, versions)
    if mode == "fast":
        from . import fast

        made += apply_patches(fast.PATCHES, versions)
    return made


def prepare_worker() -> None:
    """Patch an environment worker, which the operating system started afresh: no patch came with it."""
    prepare("compat")


def learn() -> None:
    """Run mlagents-learn with the arguments in ``sys.argv``."""
    from mlagents.trainers.learn import main

    main()
