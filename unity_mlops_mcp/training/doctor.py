"""What this machine has and lacks for training, each thing with the one command that mends it."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from contextlib import nullcontext

import psutil

from unity_mlops_mcp.builds.unity.editors import find_editors
from unity_mlops_mcp.builds.unity.licence import licence_found
from unity_mlops_mcp.builds.unity.platforms import Platform, own_target
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import SetupError
from unity_mlops_mcp.jobs.ports import is_leased, lease_ports
from unity_mlops_mcp.process import system
from unity_mlops_mcp.process.commands import find
from unity_mlops_mcp.process.files import network_mount
from unity_mlops_mcp.training.configuration.schema import version_key
from unity_mlops_mcp.training.preflight import check_disk, check_home, check_trainer
from unity_mlops_mcp.training.records import Check, Trainer
from unity_mlops_mcp.training.trainer.environment import INSTALL_COMMAND, Cache, find_trainer, opened_cache
from unity_mlops_mcp.training.trainer.export import check_export
from unity_mlops_mcp.training.trainer.install import INSTALL_PAGE

LEAST_MEMORY_GB = 4.0
LEAST_GLIBC = (2, 28)
"""What the wheels of torch are built for (manylinux_2_28)."""

UNSET = "Unset UNITY_MLOPS_TRAINER"

_TOOLS = {
    "git": "notes the revision of your project in each run",
    "xvfb-run": "gives players with cameras a display on a machine without one",
}


def doctor(settings: Settings, cache: Cache | None = None, *, export: bool = True) -> tuple[Check, ...]:
    """Every check of the machine.

    Args:
        settings: the home, the trainer and the limits.
        cache: keeps what is checked once per trainer; the home's when None.
        export: whether a trainer that was not checked yet exports a tiny policy, which takes some seconds.
    """
    with nullcontext(cache) if cache is not None else opened_cache(settings) as kept:
        return tuple(_checks(settings, kept, export=export))


def fixable(checks: Iterable[Check]) -> tuple[str, ...]:
    """The names of the failed or doubtful checks that installing or repairing the managed trainer mends."""
    return tuple(check.name for check in checks if check.status != "ok" and check.fix.startswith(INSTALL_COMMAND))


def needs_repair(checks: Iterable[Check]) -> bool:
    """Whether what is fixable calls for making the managed trainer from nothing."""
    return any(check.status == "fail" and check.fix.startswith(f"{INSTALL_COMMAND} --repair") for check in checks)


def _checks(settings: Settings, cache: Cache, *, export: bool) -> Iterator[Check]:
    yield check_home(settings)
    yield _network(settings)
    yield check_disk(settings)
    yield _memory()
    yield from _glibc()
    try:
        trainer = find_trainer(settings, cache)
    except SetupError as error:
        needed = "an interpreter with mlagents, a managed one by preference"
        fix = INSTALL_COMMAND if settings.trainer is None else error.fix
        yield Check(name="trainer", status="fail", found=error.message, needed=needed, fix=fix)
    else:
        yield from _trainer(trainer, settings, cache, export=export)
    yield _ports(settings.base_port)
    yield check_unity(settings)
    yield from _tools()


def _trainer(trainer: Trainer, settings: Settings, cache: Cache, *, export: bool) -> Iterator[Check]:
    found = list(check_trainer(trainer))
    if settings.trainer is None or trainer.kind == "managed":
        yield from found
    else:  # installing another trainer mends nothing while the setting names this one
        yield from (check.model_copy(update={"fix": check.fix and f"{UNSET}, then: {check.fix}"}) for check in found)
    old = next((problem for problem in trainer.problems if problem.startswith("packages:")), "")
    if old:
        yield Check(name="trainer's packages", status="warn", found=old, needed="today's list", fix=INSTALL_COMMAND)
    yield _gpu(trainer)
    if export and not any(check.status == "fail" for check in found):
        yield check_export(trainer, cache, folder=settings.home / "cache")


def check_unity(settings: Settings, platform: Platform | None = None) -> Check:
    """Whether there is a Unity Editor, and what can be known of its licence; the sandbox needs neither."""
    needed = "optional: a Unity Editor with build support for this system, and a licence, for Unity builds"
    editors = find_editors(settings, platform)
    target = own_target()
    if not editors:
        fix = "Install one with the Unity Hub, or set UNITY_MLOPS_EDITOR to its executable; the sandbox works without."
        return Check(name="unity", status="warn", found="no Editor", needed=needed, fix=fix)
    found = ", ".join(f"{editor.version or 'unknown version'} ({editor.path})" for editor in editors[:5])
    if not any(editor.builds(target) for editor in editors):
        fix = f"Unity Hub > Installs > {editors[0].version} > Add modules > {target.module_name}."
        return Check(name="unity", status="warn", found=f"{found}, without build support", needed=needed, fix=fix)
    licence = licence_found(platform)
    if licence is None and settings.unity_serial is None:
        fix = "Sign in to the Unity Hub, or set UNITY_MLOPS_UNITY_SERIAL, _USERNAME and _PASSWORD; see docs/unity.md."
        return Check(name="unity", status="warn", found=f"{found}; no licence was seen", needed=needed, fix=fix)
    return Check(name="unity", status="ok", found=f"{found}; licence: {licence or 'a serial'}", needed=needed)


def _network(settings: Settings) -> Check:
    mount = network_mount(settings.home)
    needed = "a local file system, for the database and the locks"
    if mount is None:
        return Check(name="home's file system", status="ok", found="local", needed=needed)
    fix = "Set UNITY_MLOPS_HOME to a folder on a local disk."
    return Check(
        name="home's file system", status="fail", found=f"{mount.type} at {mount.point}", needed=needed, fix=fix
    )


def _memory() -> Check:
    total = psutil.virtual_memory().total / 1e9
    needed = f"{LEAST_MEMORY_GB:g} GB"
    if total >= LEAST_MEMORY_GB:
        return Check(name="memory", status="ok", found=f"{total:.0f} GB", needed=needed)
    fix = "Set UNITY_MLOPS_MAX_JOBS=1, and keep num_envs at 1."
    return Check(name="memory", status="warn", found=f"{total:.1f} GB", needed=needed, fix=fix)


def _ports(base: int) -> Check:
    """Where the next training will listen: it passes over what others hold, another training of ours among them."""
    needed = f"a free port from {base} up"
    try:
        with lease_ports(1, base) as lease:
            first = lease.first
    except SetupError as error:
        return Check(name="ports", status="fail", found=error.message, needed=needed, fix=error.fix)
    if first == base:
        return Check(name="ports", status="ok", found=f"{base} free", needed=needed)
    holder = "a training that runs" if is_leased(base) else "another program"
    found = f"{base} is held by {holder}; the next training takes {first}"
    return Check(name="ports", status="ok", found=found, needed=needed)


def _glibc() -> Iterator[Check]:
    name, version = platform.libc_ver()
    if not system.LINUX or (name == "glibc" and version_key(version) >= LEAST_GLIBC):
        return
    found = f"{name} {version}".strip() or "no glibc (musl?)"
    fix = "Use a distribution with glibc 2.28 or newer (Debian 10, Ubuntu 20.04, Rocky 8), in a container too."
    yield Check(name="system library", status="fail", found=found, needed="glibc 2.28 or newer, for torch", fix=fix)


def _gpu(trainer: Trainer) -> Check:
    build = f"torch {trainer.versions.torch}, " + (
        f"CUDA {trainer.versions.cuda}" if trainer.versions.cuda else "CPU build"
    )
    needed = "a CPU is enough for vector observations; cameras gain from a GPU"
    if not trainer.versions.nvidia or trainer.versions.cuda:
        driver = "with an NVIDIA driver" if trainer.versions.nvidia else "no NVIDIA driver"
        return Check(name="GPU", status="ok", found=f"{build}, {driver}", needed=needed)
    fix = f"Run `{INSTALL_COMMAND} --repair --torch-index URL`; {INSTALL_PAGE} has the index for your CUDA version."
    return Check(name="GPU", status="warn", found=f"{build}, though an NVIDIA driver is here", needed=needed, fix=fix)


def _tools() -> Iterator[Check]:
    for name, purpose in _TOOLS.items():
        if name == "xvfb-run" and not system.LINUX:
            continue
        path = find(name)
        found = str(path) if path else "not there (optional)"
        yield Check(name=name, status="ok", found=found, needed=f"optional: {purpose}")
