"""The service under 200 clients that read runs and metrics of a home with 10,000 runs, beside a bare FastAPI route.

    python bench/http_load.py [--clients 200] [--runs 10000] [--minutes 4] [--watched 200] [--idle]

Both are served by the same uvicorn settings in a process of their own and check a token's SHA-256; the same clients
call both, in turn: a minute of the bare route, then the service. Each client reads the list of runs, then one run,
then its metrics, over and over. With --watched the runs are the newest so many, as when people watch what trains now;
--watched 0 draws them from all. Meanwhile a training tells its progress every second, as ours do; --idle leaves
it out. Exit code 1 when the p95 is more than 5 times the bare route's, the throughput less
than a fifth of it, or the resident memory of the last minute more than 10 % above the second's.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

P95_GOAL, THROUGHPUT_GOAL, GROWTH_GOAL = 5.0, 0.2, 0.10
MINUTE_S = 60.0
BARE = """
import hashlib, sys
from typing import Annotated
import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
KNOWN = {hashlib.sha256(sys.argv[2].encode()).hexdigest()}
async def checked(authorization: Annotated[str, Header()]) -> None:
    if hashlib.sha256(authorization.removeprefix("Bearer ").encode()).hexdigest() not in KNOWN:
        raise HTTPException(401)
app = FastAPI()
@app.get("/", dependencies=[Depends(checked)])
async def nothing() -> dict[str, str]:
    return {"status": "ok"}
uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False)
"""

TRAINING = """
import sys, time
from pathlib import Path
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.store.store import Store
with Store(Path(sys.argv[1])) as store:
    for step in range(10**6):
        store.jobs.beat("job-going", 1, now=utc_now(), progress={"step": step, "max_steps": 10**6})
        time.sleep(1)
"""


@dataclass
class Load:
    """What the clients of one run of the load saw."""

    took: list[float] = field(default_factory=list)
    wrong: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.took) / self.seconds

    @property
    def p95(self) -> float:
        """Milliseconds within which 95 % were answered."""
        return 1000 * statistics.quantiles(self.took, n=20)[-1]

    def __str__(self) -> str:
        p50 = 1000 * statistics.median(self.took)
        return f"{self.rate:8.0f} answers/s, p50 {p50:6.1f} ms, p95 {self.p95:6.1f} ms, {self.wrong} wrong"


@dataclass(frozen=True)
class Target:
    """What is called: a port, a token, the paths of one round, and the process that answers."""

    port: int
    token: str
    process: psutil.Process
    names: tuple[str, ...] = ()

    def round(self, rng: random.Random) -> tuple[str, ...]:
        """The paths that a client reads before it begins again."""
        if not self.names:
            return ("/",)
        name = rng.choice(self.names)
        return ("/api/v1/runs", f"/api/v1/runs/{name}", f"/api/v1/runs/{name}/metrics")


async def client(target: Target, load: Load, until: float, seed: int) -> None:
    """One client on one connection."""
    rng = random.Random(seed)  # noqa: S311 - no secret is drawn
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    while time.perf_counter() < until:
        for path in target.round(rng):
            begun = time.perf_counter()
            head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {target.token}\r\n\r\n"
            writer.write(head.encode())
            answer = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", answer)
            await reader.readexactly(int(length[1]) if length else 0)
            load.took.append(time.perf_counter() - begun)
            load.wrong += not answer.startswith(b"HTTP/1.1 200")
    writer.close()


async def run(target: Target, clients: int, seconds: float) -> tuple[Load, list[tuple[float, int]]]:
    """The load for so long; beside it the resident memory, with the second at which it was looked at."""
    load, memory, begun = Load(), list[tuple[float, int]](), time.perf_counter()
    until = begun + seconds
    tasks = [asyncio.create_task(client(target, load, until, seed)) for seed in range(clients)]
    while time.perf_counter() < until:
        memory.append((time.perf_counter() - begun, target.process.memory_info().rss))
        await asyncio.sleep(1)
    await asyncio.gather(*tasks)
    load.seconds = time.perf_counter() - begun
    return load, memory


def growth(memory: list[tuple[float, int]], seconds: float) -> tuple[float, float]:
    """Mean resident MiB of the second minute and of the last one."""
    second = [rss for at, rss in memory if MINUTE_S <= at < 2 * MINUTE_S]
    last = [rss for at, rss in memory if at >= seconds - MINUTE_S]
    return statistics.fmean(second) / 2**20, statistics.fmean(last) / 2**20


def fill(home: Path, count: int) -> list[str]:
    """Runs with event files, as trainings leave them; the newest last."""
    from tests.report_homes import add_run
    from unity_mlops_mcp.store.store import Store

    names = [f"nav-{number:05}" for number in range(count)]
    with Store(home) as store:
        for name in names:
            add_run(store, name)
        add_run(store, "going", state="running")
    return names


@contextmanager
def training(home: Path, *, idle: bool) -> Iterator[None]:
    """A process that writes a run's progress to the store every second, unless it is to be idle."""
    if idle:
        yield
        return
    started = subprocess.Popen([sys.executable, "-c", TRAINING, str(home)], cwd=REPOSITORY)
    try:
        yield
    finally:
        started.kill()
        started.wait()


@contextmanager
def process(command: list[str], port: int, home: Path) -> Iterator[psutil.Process]:
    """A server of its own, once it answers."""
    environment = {**os.environ, "UNITY_MLOPS_HOME": str(home)}
    started = subprocess.Popen(command, env=environment, cwd=REPOSITORY, stderr=subprocess.DEVNULL)
    try:
        asyncio.run(_answers(port))
        yield psutil.Process(started.pid)
    finally:
        started.terminate()
        started.wait(timeout=60)


async def _answers(port: int) -> None:
    for _ in range(600):
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.1)
    raise TimeoutError(f"Nothing answers on port {port}.")


def main() -> int:
    """Both loads, the figures, and whether the goals are met."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=4)
    parser.add_argument("--watched", type=int, default=200)
    parser.add_argument("--idle", action="store_true")
    given = parser.parse_args()
    from tests.trainings import free_port

    token, port = "0123456789abcdef" * 4, free_port()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        names = fill(home, given.runs)
        watched = tuple(names[-given.watched :] if given.watched else names)
        (Path(folder) / "token").write_text(token, encoding="utf-8")
        with process([sys.executable, "-c", BARE, str(port), token], port, home) as bare:
            floor, _ = asyncio.run(run(Target(port, token, bare), given.clients, min(60, 60 * given.minutes)))
        serve = [sys.executable, "-m", "unity_mlops_mcp", "serve", "--port", str(port), "--rate", "0"]
        serve += ["--token-file", f"{folder}/token", "--log-level", "warning"]
        with process(serve, port, home) as ours, training(home, idle=given.idle):
            load, memory = asyncio.run(run(Target(port, token, ours, watched), given.clients, 60 * given.minutes))
    print(f"bare route  {floor}")
    print(f"service     {load}")
    slower, share = load.p95 / floor.p95, load.rate / floor.rate
    print(
        f"p95 {slower:.2f} times the bare route's (at most {P95_GOAL:g}), {share:.0%} of its throughput (at least 20 %)"
    )
    good = slower <= P95_GOAL and share >= THROUGHPUT_GOAL and not load.wrong and not floor.wrong
    if given.minutes >= 3:
        second, last = growth(memory, 60 * given.minutes)
        print(
            f"resident memory {second:.0f} MiB in the second minute, {last:.0f} in the last: {last / second - 1:+.1%}"
        )
        good = good and last / second - 1 <= GROWTH_GOAL
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
