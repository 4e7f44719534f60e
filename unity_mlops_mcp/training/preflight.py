"""Looks at all that can be looked at before step 0, so that it does not fail after hours instead."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from unity_mlops_mcp.builds.paths import executable_of, player_path_problems
from unity_mlops_mcp.builds.records import Behavior
from unity_mlops_mcp.config import Settings, environment
from unity_mlops_mcp.errors import InvalidInputError, SetupError
from unity_mlops_mcp.process import system
from unity_mlops_mcp.training.configuration.compose import check_configuration
from unity_mlops_mcp.training.configuration.schema import NEWEST
from unity_mlops_mcp.training.records import Check, Trainer
from unity_mlops_mcp.training.trainer.environment import Cache, opened_cache
from unity_mlops_mcp.training.trainer.export import check_export
from unity_mlops_mcp.training.trainer.pitfalls import check_versions

CAUSES = {
    "disk": "disk_full",
    "ports": "port_in_use",
    "trainer YAML": "trainer_config",
    "player": "player_missing",
    "home": "not_writable",
    "ONNX export": "onnx_export_broken",
}
"""The cause of a run that a failed check of this name stopped; ``trainer_unusable`` for all others."""


def preflight(
    settings: Settings,
    *,
    trainer: Trainer,
    player: Path | None,
    base_port: int,
    ports: int = 1,
    configuration: str | Mapping[str, Any] | None = None,
    behaviors: Sequence[Behavior] | None = None,
    no_graphics: bool = True,
    cache: Cache | None = None,
) -> tuple[Check, ...]:
    """Each check of one training, worst news not first but in the order they are needed.

    Args:
        settings: the home and its limits.
        trainer: what will train.
        player: what ``--env`` will be given; None for the Editor.
        base_port: the first port.
        ports: how many, one per player; 0 where nothing listens.
        configuration: the trainer YAML, as text or data; None when it was checked before.
        behaviors: the player's behaviours, where they are known.
        no_graphics: False when the player will open a window.
        cache: keeps what is checked once per trainer; the home's when None.
    """
    with nullcontext(cache) if cache is not None else opened_cache(settings) as kept:
        checks = [check_home(settings), check_disk(settings), *check_trainer(trainer)]
        if ports:
            checks.append(check_ports(base_port, ports))
        if configuration is not None:
            checks.append(check_yaml(configuration, settings, trainer, behaviors))
        if player is not None:
            checks.append(check_player(player))
        if player is not None and not no_graphics:
            checks.append(check_display())
        if not any(check.status == "fail" for check in checks):
            checks.append(check_export(trainer, kept, folder=settings.home / "cache"))
    return tuple(checks)


def require(checks: Iterable[Check]) -> None:
    """Raise when a check failed.

    Raises:
        SetupError: the first failed check in words; all failed and doubtful ones are the evidence.
    """
    doubtful = [check for check in checks if check.status != "ok"]
    failed = next((check for check in doubtful if check.status == "fail"), None)
    if failed is not None:
        raise SetupError(
            f"The training was not started, {failed.name}: found {failed.found}, needed {failed.needed}.",
            fix=failed.fix,
            cause=CAUSES.get(failed.name, "trainer_unusable"),
            evidence=[f"{check.status}: {check.name}: {check.found}; needed: {check.needed}" for check in doubtful],
        )


def check_trainer(trainer: Trainer) -> Iterator[Check]:
    """The trainer's versions: one check per known pitfall, or one that says all is well."""
    problems = check_versions(trainer.kind, trainer.versions)
    yield from problems
    if not problems:
        versions = trainer.versions
        found = f"{trainer.kind}: mlagents {versions.mlagents}, torch {versions.torch}, Python {versions.python}"
        yield Check(name="trainer", status="ok", found=found, needed="mlagents 0.28.0 to 1.1.0 with fitting packages")


def check_home(settings: Settings) -> Check:
    """Whether the home can be written."""
    needed = "a folder that this user can write"
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.home):
            return Check(name="home", status="ok", found=str(settings.home), needed=needed)
    except OSError as error:
        fix = "Make it writable, or set UNITY_MLOPS_HOME to a folder that is."
        return Check(name="home", status="fail", found=f"{settings.home}: {error.strerror}", needed=needed, fix=fix)


def check_disk(settings: Settings) -> Check:
    """Free space where the runs lie."""
    folder = next((path for path in (settings.home, *settings.home.parents) if path.exists()), Path.cwd())
    free = shutil.disk_usage(folder).free / 1e9
    found = f"{free:.1f} GB free in {folder}"
    needed = f"{settings.warn_free_gb:g} GB; a run stops at {settings.min_free_gb:g} GB"
    if free >= max(settings.warn_free_gb, settings.min_free_gb):
        return Check(name="disk", status="ok", found=found, needed=needed)
    status: Any = "fail" if free < settings.min_free_gb else "warn"
    fix = "Free space there (old runs lie in its folder runs), or set UNITY_MLOPS_HOME to another disk."
    return Check(name="disk", status=status, found=found, needed=needed, fix=fix)


def check_ports(base_port: int, count: int) -> Check:
    """Whether the ports that a training has leased are free at this moment: what has no lease may have taken them."""
    last = base_port + max(1, count) - 1
    needed = f"port {base_port} free" if base_port == last else f"ports {base_port} to {last} free"
    try:
        taken = [port for port in range(base_port, last + 1) if not port_is_free(port)]
    except socket.gaierror as error:
        found = f"this machine finds no address for localhost, where mlagents listens: {error.strerror}"
        fix = "Add the line `127.0.0.1 localhost` to its hosts file."
        return Check(name="ports", status="fail", found=found, needed=needed, fix=fix)
    if not taken:
        return Check(name="ports", status="ok", found="free", needed=needed)
    found = f"in use: {', '.join(map(str, taken[:10]))}"
    fix = "End the program that listens there (the Editor, another training), or set UNITY_MLOPS_BASE_PORT."
    return Check(name="ports", status="fail", found=found, needed=needed, fix=fix)


def port_is_free(port: int) -> bool:
    """Whether the trainer could listen on this port; tried as mlagents does (rpc_communicator.py, check_port).

    Raises:
        socket.gaierror: the name localhost has no address, so that no port is to blame.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if system.LINUX:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("localhost", port))
        except socket.gaierror:
            raise
        except OSError:
            return False
    return True


def check_yaml(
    configuration: str | Mapping[str, Any],
    settings: Settings,
    trainer: Trainer,
    behaviors: Sequence[Behavior] | None,
) -> Check:
    """The trainer YAML: its first error, or its first doubtful value."""
    needed = "a trainer YAML that mlagents reads as it is meant"
    try:
        findings = check_configuration(
            configuration,
            settings=settings,
            behaviors=behaviors,
            mlagents_version=trainer.versions.mlagents or NEWEST,
            torch_version=trainer.versions.torch,
        )
    except InvalidInputError as error:
        return Check(name="trainer YAML", status="fail", found=error.message, needed=needed, fix=error.fix)
    worst = (*findings.errors, *findings.warnings)
    if not worst:
        return Check(name="trainer YAML", status="ok", found="no errors", needed=needed)
    more = f" ({len(worst) - 1} more)" if len(worst) > 1 else ""
    found = f"{worst[0].path} is {worst[0].found}, needed is {worst[0].needed}{more}"
    status: Any = "fail" if findings.errors else "warn"
    return Check(name="trainer YAML", status=status, found=found, needed=needed, fix=worst[0].fix)


def check_player(player: Path) -> Check:
    """Whether mlagents can start the player: there, executable, and its path free of what breaks ``--env``."""
    needed = "an executable that mlagents-learn can start"
    problems = player_path_problems(player)
    if problems:
        fix = "Move the player to a path without that, or rename it."
        return Check(name="player", status="fail", found=f"{player}: {problems[0]}", needed=needed, fix=fix)
    try:
        file = executable_of(player)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it is this check's answer
        fix = getattr(error, "fix", "Correct the path, or build the player with build_environment.")
        return Check(name="player", status="fail", found=getattr(error, "message", str(error)), needed=needed, fix=fix)
    if not os.access(file, os.X_OK):
        fix = f'Run `chmod -R 755 "{file}"`.'
        return Check(name="player", status="fail", found=f"{file} may not be executed", needed=needed, fix=fix)
    return Check(name="player", status="ok", found=str(file), needed=needed)


def check_display() -> Check:
    """Whether a player that opens a window can do so."""
    variables = environment()
    needed = "a display, for a player with graphics"
    if not system.LINUX or variables.get("DISPLAY") or variables.get("WAYLAND_DISPLAY"):
        return Check(name="display", status="ok", found="there", needed=needed)
    fix = "Start with no_graphics=true; for cameras start the server under `xvfb-run`."
    return Check(name="display", status="warn", found="none", needed=needed, fix=fix)
