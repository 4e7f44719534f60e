"""The service for the tests: in this process, and as a process of its own."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from starlette.testclient import TestClient
from typing_extensions import Self

from tests.mcp_clients import REPOSITORY, server_environment
from unity_mlops_mcp.interfaces.access import Scope
from unity_mlops_mcp.interfaces.http.application import Application
from unity_mlops_mcp.interfaces.http.options import ServeOptions
from unity_mlops_mcp.interfaces.upkeep import LateApp

BASE = "http://127.0.0.1:8765"
_TOKEN = re.compile(r"umlops_[\w-]+")
_WAIT_S = 60


class World:
    """An application in this process, with a token of each scope."""

    def __init__(self, options: ServeOptions) -> None:
        self.late = LateApp()
        self.application = Application(self.late, options)
        self.tokens: dict[Scope, str] = {
            scope: self.late().tokens.add(name=f"a {scope}er", scope=scope).token for scope in ("read", "run", "admin")
        }

    def client(self, scope: Scope | None = "admin", **headers: str) -> TestClient:
        """A client that sends the token of a scope, or none."""
        if scope is not None:
            headers = {"Authorization": f"Bearer {self.tokens[scope]}", **headers}
        return TestClient(self.application, base_url=BASE, headers=headers, follow_redirects=False)


@contextmanager
def served(options: ServeOptions | None = None) -> Iterator[World]:
    """Such a world, closed afterwards."""
    world = World(options or ServeOptions())
    try:
        yield world
    finally:
        world.late.close()


class ServeProcess:
    """`unity-mlops serve` on a free port, as a context manager; it has answered once when that is entered."""

    command: tuple[str, ...] = ("unity_mlops_mcp", "serve", "--port", "0")

    def __init__(self, home: Path, *arguments: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", *self.command, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=server_environment(home, **environment),
            cwd=REPOSITORY,
            text=True,
            encoding="utf-8",
        )
        self.home = home
        self.output: list[str] = []
        self.log: list[str] = []
        self._addresses: queue.Queue[str] = queue.Queue()
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stdout, self.output), daemon=True),
            threading.Thread(target=self._read, args=(self.process.stderr, self.log), daemon=True),
        ]
        self.url = ""

    def _read(self, stream: Iterator[str], lines: list[str]) -> None:
        for line in stream:
            lines.append(line)
            if found := re.search(r"Serving (https?://\S+?):? ", line):
                self._addresses.put(found[1])

    def __enter__(self) -> Self:
        for reader in self._readers:
            reader.start()
        try:
            self.url = self._addresses.get(timeout=_WAIT_S)
        except queue.Empty:
            raise AssertionError(f"The service did not start: {''.join(self.log)}") from None
        transport = httpx.HTTPTransport(retries=20, verify=False)
        with httpx.Client(transport=transport) as client:
            assert client.get(f"{self.url}/healthz", timeout=_WAIT_S).status_code == 200
        return self

    @property
    def token(self) -> str:
        """The token that it showed at its first start."""
        found = _TOKEN.search("".join(self.output))
        assert found
        return found[0]

    @property
    def headers(self) -> dict[str, str]:
        """What a client sends."""
        return {"Authorization": f"Bearer {self.token}"}

    def client(self) -> httpx.Client:
        """A client with the first token."""
        return httpx.Client(base_url=self.url, headers=self.headers, timeout=_WAIT_S)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Tell it to end; its exit code, once all that it said has been read."""
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        return self._gone()

    def _gone(self) -> int:
        code = self.process.wait(timeout=_WAIT_S)
        for reader in self._readers:
            reader.join(timeout=_WAIT_S)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return code

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self._gone()


class FixtureProcess(ServeProcess):
    """The same application with what the conformance suite calls."""

    command = ("tests.stand_ins.conformance_server",)
