"""Makes the managed trainer: an environment of its own under the home, from exact pins, with pip."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event

from unity_mlops_mcp import __version__
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import ConflictError, ExternalError, MlopsError, SetupError
from unity_mlops_mcp.process.commands import run
from unity_mlops_mcp.process.files import FileLock
from unity_mlops_mcp.training.records import Trainer
from unity_mlops_mcp.training.trainer import pins
from unity_mlops_mcp.training.trainer.environment import Cache, describe_trainer, interpreter_of, managed_folder
from unity_mlops_mcp.training.trainer.export import check_export
from unity_mlops_mcp.training.trainer.interpreters import Interpreter, choose, inspect
from unity_mlops_mcp.training.trainer.pip import Pip, end_leftover, pip_environment, without_credentials

INSTALL_PAGE = "https://pytorch.org/get-started/locally/"
NO_DRIVER = (
    "No NVIDIA driver was found here; the CPU build is about {cpu} MB. Its index stands on "
    + INSTALL_PAGE
    + " (Linux, Pip, CPU): stop with Ctrl-C and run `unity-mlops trainer install --torch-index URL`."
)
MOST_WAIT_S = 3600.0
"""Seconds to wait for another process that makes the trainer; a CUDA build over a slow line takes long."""
VENV_TIMEOUT_S = 300.0
_SHARES = {"environment": (0.0, 0.08), "packages": (0.08, 0.45), "torch": (0.45, 0.9), "check": (0.9, 1.0)}


@dataclass(frozen=True)
class Step:
    """Where an installation is.

    Attributes:
        name: ``wait``, ``environment``, ``packages``, ``torch``, ``check`` or ``done``.
        message: a sentence for people; empty when only the share changed.
        share: how much of the whole is done, 0 to 1.
    """

    name: str
    message: str
    share: float


Report = Callable[[Step], None]
Verify = Callable[[Trainer], None]


def install_trainer(
    settings: Settings,
    cache: Cache,
    *,
    now: datetime,
    report: Report,
    python: Path | None = None,
    torch_index: str | None = None,
    repair: bool = False,
    stopping: Event | None = None,
    verify: Verify | None = None,
) -> Trainer:
    """Make the managed trainer, or finish one that was cut off; nothing happens when it is complete.

    Several processes may ask at once: one installs, the others wait and use what it made. A broken download is gone on
    with, in this call and the next.

    Args:
        settings: the home, and the interpreter and the torch index when none are given here.
        cache: keeps what is learnt about the new trainer.
        now: the moment it is made, for its marker.
        report: called with every step, and with what will be downloaded before it is.
        python: the interpreter to make it with, 3.10 to 3.13.
        torch_index: a package index for torch alone, such as PyTorch's CPU index.
        repair: begin from nothing; no training may be using it.
        stopping: set from outside to end it; what was done is kept.
        verify: raises when the new trainer is unfit; an ONNX export by default.

    Raises:
        SetupError: no interpreter fits, too little disk, or the result cannot be used.
        ExternalError: pip failed, or it was stopped (cause ``stopped``).
        ConflictError: another process was still installing after an hour.
    """
    folder = managed_folder(settings)
    if not repair:
        ready = _complete(folder, cache)
        if ready:
            return _done(ready, report)
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = _locked(settings.home, report, stopping or Event())
    try:
        ready = None if repair else _complete(folder, cache)
        if ready is None:
            work = _Work(folder, settings.home / "trainer-install.log", report, stopping)
            work.make(cache, python or settings.trainer_python, torch_index or settings.torch_index, repair=repair)
            ready = work.conclude(cache, now, verify or _exports(cache, settings.home))
    finally:
        lock.release()
    return _done(ready, report)


def _locked(home: Path, report: Report, stopping: Event) -> FileLock:
    lock = FileLock(home / "trainer.lock")
    waited = 0.0
    while not lock.acquire(timeout_s=1.0):
        if waited == 0.0:
            report(Step("wait", "Another process is making the trainer; waiting for it.", 0.0))
        waited += 1.0
        if stopping.is_set() or waited > MOST_WAIT_S:
            raise ConflictError(
                "Another process is still making the trainer.",
                fix="Wait until it is done, or end it, then run `unity-mlops trainer install` again.",
                cause="stopped" if stopping.is_set() else "busy",
            )
    return lock


def _complete(folder: Path, cache: Cache) -> Trainer | None:
    """The trainer in this folder when it is marked, made from today's pins, and has them still; else None."""
    marker = pins.read_marker(folder)
    if marker is None or marker.pins != pins.digest(marker.list_name):
        return None
    try:
        trainer = describe_trainer(interpreter_of(folder), cache)
    except MlopsError:
        return None
    return trainer if _as_pinned(trainer, marker.list_name) else None


def _as_pinned(trainer: Trainer, name: pins.ListName) -> bool:
    wanted = dict(line.split("==") for line in (*pins.packages(name), pins.torch_requirement(name)))
    found = trainer.versions
    pairs = ((wanted["mlagents"], found.mlagents), (wanted["torch"], found.torch), (wanted["numpy"], found.numpy))
    return all(has is not None and has.partition("+")[0] == needs for needs, has in pairs)


def _done(trainer: Trainer, report: Report) -> Trainer:
    versions = trainer.versions
    build = f"CUDA {versions.cuda}" if versions.cuda else "CPU"
    words = f"mlagents {versions.mlagents}, torch {versions.torch} ({build}), Python {versions.python}"
    report(Step("done", f"The trainer is ready: {words}.", 1.0))
    return trainer


def _exports(cache: Cache, home: Path) -> Verify:
    def verify(trainer: Trainer) -> None:
        check = check_export(trainer, cache, folder=home / "cache")
        if check.status == "fail":
            raise SetupError(
                f"The new trainer does not work: {check.found}.",
                fix="Run `unity-mlops trainer install --repair`.",
                cause="trainer_unusable",
            )

    return verify


class _Work:
    """One making of the environment in ``folder``; each step may find its work done already."""

    def __init__(self, folder: Path, log: Path, report: Report, stopping: Event | None) -> None:
        self.folder = folder
        self.log = log
        self.list_name: pins.ListName = "modern"
        self._report = report
        self._stopping = stopping

    def tell(self, name: str, message: str, share: float = 0.0) -> None:
        """Report a step, its own share turned into one of the whole."""
        low, high = _SHARES[name]
        self._report(Step(name, message, low + (high - low) * share))

    def make(self, cache: Cache, python: Path | None, torch_index: str | None, *, repair: bool) -> None:
        """The environment with all its packages, not yet marked."""
        end_leftover(self.log)
        (self.folder / pins.MARKER).unlink(missing_ok=True)
        interpreter = self.environment(python, repair=repair)
        self.list_name = pins.list_for(interpreter.version)
        pip = Pip(interpreter_of(self.folder), log=self.log, stopping=self._stopping)
        self.packages(pip, torch_index)
        self.torch(pip, torch_index, cache)

    def environment(self, python: Path | None, *, repair: bool) -> Interpreter:
        """The virtual environment; an unfinished one is kept when it is of the Python that was asked for."""
        own = inspect(interpreter_of(self.folder)) if self.folder.exists() and not repair else None
        asked = inspect(python) if python else None
        if own and not own.problem and (python is None or (asked and asked.version == own.version)):
            self.tell("environment", f"Going on with the environment in {self.folder}.", 1.0)
            return own
        chosen = choose(python)
        text = f"{chosen.version[0]}.{chosen.version[1]}"
        self.tell("environment", f"Making an environment in {self.folder} with Python {text} ({chosen.path}).")
        if chosen.version == (3, 10):
            self.tell(
                "environment", "On Python 3.10 the trainer is made of the older packages that mlagents 1.1.0 came with."
            )
        done = run([chosen.path, "-m", "venv", "--clear", self.folder], timeout_s=VENV_TIMEOUT_S, env=pip_environment())
        if done.returncode != 0:
            said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            raise SetupError(
                f"{chosen.path} could not make a virtual environment in {self.folder}.",
                fix=f"Debian, Ubuntu: `sudo apt install python{text}-venv`; or name another Python with --python.",
                cause="no_venv",
                evidence=said[-4:],
            )
        return chosen

    def packages(self, pip: Pip, torch_index: str | None) -> None:
        """All pins but torch."""
        names, sizes = pins.packages(self.list_name), pins.downloads(self.list_name)
        torch = pins.torch_requirement(self.list_name)
        builds = (
            f"about {sizes.cpu} MB as a CPU build, {sizes.cuda / 1000:.1f} GB as the CUDA build that PyPI has for Linux"
        )
        source = f"from {without_credentials(torch_index)}" if torch_index else builds
        self.tell(
            "packages", f"To download: {len(names)} packages, about {sizes.packages} MB, then {torch} ({source})."
        )
        pip.modernise()
        exact = ["--no-deps", "--no-compile", "--ignore-requires-python", "--only-binary=:all:", *names]
        pip.install(exact, count=len(names), report=lambda share, text: self.tell("packages", text, share))

    def torch(self, pip: Pip, torch_index: str | None, cache: Cache) -> None:
        """Torch, with NVIDIA's libraries where its build needs them; its size is told before."""
        requirement = pins.torch_requirement(self.list_name)
        arguments = [
            "--no-compile",
            "--only-binary=:all:",
            requirement,
            *(["--index-url", torch_index] if torch_index else []),
        ]
        planned = pip.plan(arguments)
        sizes = pins.downloads(self.list_name)
        cuda = any(name.startswith(("nvidia-", "cuda-")) for name, _ in planned)
        if planned:
            driver = describe_trainer(interpreter_of(self.folder), cache).versions.nvidia
            self.announce(requirement, cuda=cuda, driver=driver)
            self.room(sizes.cuda + sizes.cuda_installed if cuda else sizes.cpu + sizes.cpu_installed)
        pip.install(arguments, count=len(planned) or 1, report=lambda share, text: self.tell("torch", text, share))

    def announce(self, requirement: str, *, cuda: bool, driver: bool) -> None:
        """Say which torch it will be, how large, and how to get the small one where the large one is of no use."""
        sizes = pins.downloads(self.list_name)
        if not cuda:
            self.tell("torch", f"Installing {requirement}, a CPU build: about {sizes.cpu} MB.")
            return
        size = f"about {sizes.cuda / 1000:.1f} GB to download, {sizes.cuda_installed / 1000:.1f} GB on disk"
        self.tell("torch", f"Installing {requirement}, the build for NVIDIA GPUs: {size}.")
        if not driver:
            self.tell("torch", NO_DRIVER.format(cpu=sizes.cpu))

    def room(self, needed_mb: int) -> None:
        """Refuse to begin what the disk cannot hold.

        Raises:
            SetupError: less is free than is needed.
        """
        free = shutil.disk_usage(self.folder).free / 1e6
        if free < needed_mb:
            needed = f"torch needs {needed_mb / 1000:.1f} GB with its download"
            raise SetupError(
                f"The disk of {self.folder} has {free / 1000:.1f} GB free; {needed}.",
                fix="Free some space, set UNITY_MLOPS_HOME to another disk, or take the CPU build with --torch-index.",
                cause="disk_full",
            )

    def conclude(self, cache: Cache, now: datetime, verify: Verify) -> Trainer:
        """Mark the environment as complete, once it is what was asked for and works."""
        self.tell("check", "Checking the new trainer: its packages, and the ONNX export of a tiny policy.")
        marker = pins.Marker(
            list_name=self.list_name, pins=pins.digest(self.list_name), made_at=now.isoformat(), product=__version__
        )
        trainer = describe_trainer(interpreter_of(self.folder), cache, marker=marker)
        if not _as_pinned(trainer, self.list_name):
            raise ExternalError(
                f"pip installed other versions than the pins: {trainer.versions.model_dump(exclude_none=True)}.",
                fix="Remove constraints from pip's configuration (`python -m pip config list`), then run it again.",
                cause="pip",
            )
        verify(trainer)
        pins.write_marker(self.folder, marker)
        return trainer
