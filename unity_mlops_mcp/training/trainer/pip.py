"""Runs pip in the managed trainer's environment: its progress as numbers, its failures as errors with a way out."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Event

import yaml

from unity_mlops_mcp.config import environment
from unity_mlops_mcp.errors import ExternalError
from unity_mlops_mcp.process.commands import run
from unity_mlops_mcp.process.files import write_atomically
from unity_mlops_mcp.process.identity import Identity
from unity_mlops_mcp.process.log import LogTail
from unity_mlops_mcp.process.start import Started, start_child
from unity_mlops_mcp.process.tree import Tree
from unity_mlops_mcp.training.configuration.schema import version_key

RESUMES_SINCE = (25, 1)
"""The first pip that goes on with a broken download, and tells its progress as plain numbers."""

POLL_S = 0.1
LEAST_CHANGE = 0.01
"""Progress is told anew when it has grown by this share."""
VERSION_TIMEOUT_S = 60.0

_DOWNLOAD = re.compile(r"^\s*(?:Downloading|Using cached) (?P<file>\S+)(?: \((?P<size>[^)]+)\))?")
_BYTES = re.compile(r"^Progress (?P<done>\d+) of (?P<all>\d+)$")
_PACKAGE = re.compile(r"^(?:Collecting|Processing|Requirement already satisfied:) (?P<name>\S+)")


class Pip:
    """The pip of one environment.

    Args:
        python: the environment's interpreter.
        log: where all its output goes.
        stopping: set from outside to end a running pip.
    """

    def __init__(self, python: Path, *, log: Path, stopping: Event | None = None) -> None:
        self.python = python
        self.log = log
        self._stopping = stopping or Event()
        self._said: deque[str] = deque(maxlen=200)
        self._modern = self.version() >= RESUMES_SINCE

    def version(self) -> tuple[int, ...]:
        """Pip's version; empty when this environment has no pip that runs."""
        done = run([self.python, "-m", "pip", "--version"], timeout_s=VERSION_TIMEOUT_S, env=pip_environment())
        words = done.stdout.split()
        return version_key(words[1]) if done.returncode == 0 and len(words) > 1 else ()

    def modernise(self) -> None:
        """Have a pip that resumes downloads; the one that is there stays in use where the index has none."""
        if self._modern:
            return
        self._start_and_follow(["install", "--quiet", "pip>=" + ".".join(map(str, RESUMES_SINCE))], lambda _: None)
        self._modern = self.version() >= RESUMES_SINCE

    def install(self, arguments: Sequence[str], *, count: int, report: Callable[[float, str], None]) -> None:
        """``pip install`` with these arguments.

        Args:
            arguments: requirements and options.
            count: how many packages are expected, to tell how far it is.
            report: called with 0 to 1, and a line for people.

        Raises:
            ExternalError: pip failed, or was stopped (cause ``stopped``); its last lines are the evidence.
        """
        options = ["--progress-bar=raw", "--resume-retries=10"] if self._modern else ["--progress-bar=off"]
        course = Course(count, report)
        code = self._start_and_follow(["install", *options, *arguments], course.read)
        if code != 0:
            raise failure(list(self._said), code)
        report(1.0, "")

    def plan(self, arguments: Sequence[str]) -> list[tuple[str, str]]:
        """What ``pip install`` with these arguments would install, as (name, version); nothing is installed.

        Raises:
            ExternalError: pip cannot find it.
        """
        report = self.log.with_name(f"{self.log.stem}-plan.json")
        report.unlink(missing_ok=True)
        options = ["install", "--dry-run", "--quiet", "--report", str(report)]
        code = self._start_and_follow([*options, *arguments], lambda _: None)
        if code != 0 or not report.exists():
            raise failure(list(self._said), code)
        data = json.loads(report.read_text(encoding="utf-8"))
        report.unlink()
        return [(item["metadata"]["name"], item["metadata"]["version"]) for item in data["install"]]

    def _start_and_follow(self, arguments: Sequence[str], read: Callable[[str], None]) -> int:
        command = [str(self.python), "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
        self._said.clear()
        tail = LogTail(self.log, self.log.stat().st_size if self.log.exists() else 0)
        started = start_child(command, cwd=self.log.parent, env=pip_environment(), stdout=self.log)
        note = identity_file(self.log)
        write_atomically(note, json.dumps(started.identity.to_json()).encode())
        try:
            return self._follow(started, tail, read)
        finally:
            Tree([started.identity], "").stop(grace_s=0)
            note.unlink(missing_ok=True)

    def _follow(self, started: Started, tail: LogTail, read: Callable[[str], None]) -> int:
        while True:
            code = started.poll()
            for line in tail.new_lines():
                self._said.append(line)
                read(line)
            if code is not None:
                return code
            if self._stopping.wait(POLL_S):
                raise ExternalError(
                    "The installation of the trainer was stopped.",
                    fix="Run `unity-mlops trainer install` again; it goes on where it was.",
                    cause="stopped",
                )


class Course:
    """How far an installation is, from pip's lines: packages seen of packages expected, and bytes of a large one."""

    def __init__(self, count: int, report: Callable[[float, str], None]) -> None:
        self._count = max(1, count)
        self._seen = 0
        self._report = report
        self._last = 0.0

    def read(self, line: str) -> None:
        """Take one line of pip's output."""
        size, download, package = _BYTES.match(line), _DOWNLOAD.match(line), _PACKAGE.match(line)
        if size:
            part = int(size["done"]) / max(1, int(size["all"]))
            self._tell(max(0, self._seen - 1) + part, "")
        elif download:
            self._tell(
                self._seen - 0.99,
                f"downloading {download['file']}" + (f", {download['size']}" if download["size"] else ""),
            )
        elif package:
            self._seen += 1
            self._tell(self._seen - 1, "")
        elif line.startswith("Installing collected packages"):
            self._tell(self._count, "unpacking")

    def _tell(self, packages: float, text: str) -> None:
        done = min(0.95, 0.95 * packages / self._count)
        if text or done - self._last >= LEAST_CHANGE:
            self._last = max(self._last, done)
            self._report(self._last, text)


def pip_environment() -> dict[str, str]:
    """Our environment without what would send pip's work elsewhere; pip's own index settings stay."""
    away = dict.fromkeys(("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_HASHES"))
    return environment(**away, PIP_USER="0", PYTHONIOENCODING="utf-8", PYTHONUNBUFFERED="1")


def without_credentials(url: str) -> str:
    """The address of an index as it may be shown: the name and password in it are left out."""
    return re.sub(r"(?<=://)[^/@]*@", "", url)


def identity_file(log: Path) -> Path:
    """Where the running pip is noted: one that outlived its killed installer is ended before another begins."""
    return log.with_name(f"{log.stem}-pip.json")


def end_leftover(log: Path) -> None:
    """End a pip that outlived a killed installer; only the very process that was noted."""
    note = identity_file(log)
    try:
        identity = Identity.from_json(json.loads(note.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return
    if identity.same_place():
        Tree([identity], "").stop(grace_s=0)
    note.unlink(missing_ok=True)


def failure(lines: Sequence[str], code: int) -> ExternalError:
    """Why pip failed, in words."""
    text = "\n".join(lines)
    evidence = [line for line in lines if line.startswith(("ERROR", "error")) or "Errno" in line][-4:] or list(
        lines[-4:]
    )
    for known in _failures():
        if re.search(known["pattern"], text):
            return ExternalError(
                f"pip failed: {known['found']}.", fix=known["fix"], cause=known["cause"], evidence=evidence
            )
    fix = "Run `unity-mlops trainer install` again; if it fails the same way, `--repair` begins from nothing."
    return ExternalError(f"pip ended with code {code}.", fix=fix, cause="pip", evidence=evidence)


@lru_cache(maxsize=1)
def _failures() -> list[dict[str, str]]:
    text = Path(__file__).with_name("pip_failures.yaml").read_text(encoding="utf-8")
    data: list[dict[str, str]] = yaml.safe_load(text)
    return data
