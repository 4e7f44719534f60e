"""Live figures as server-sent events, and the figures of the service itself."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import httpx
import pytest

from tests.event_files import REWARD, START, SUCCESS, summaries, write
from tests.http_worlds import ServeProcess, served
from tests.job_worlds import eventually
from tests.report_homes import add_run
from tests.training_home import finish, nothing_is_left, small, until
from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.interfaces.http.options import ServeOptions
from unity_mlops_mcp.store.rows import EndpointRow, FiringRow
from unity_mlops_mcp.store.store import Store

STREAM = "/api/v1/runs/nav-1/metrics/stream"


def events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, object]]]:
    """Name and data of each event; signs of life are passed over."""
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_the_stream_of_a_finished_run_gives_its_figures_and_ends(home: Path) -> None:
    with Store(home) as store:
        add_run(store, "nav-1")
    with served() as world:
        answer = world.client("read").get(STREAM, params={"tags": REWARD})
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = list(events(iter(answer.text.splitlines())))
    assert [name for name, _ in told] == ["metrics", "end"]
    assert told[0][1]["run_id"] == "nav-1"
    assert [series["tag"] for series in told[0][1]["series"]] == [REWARD]  # type: ignore[attr-defined]
    assert told[1][1] == {"state": "succeeded"}


@pytest.mark.parametrize(("path", "status"), [("nope/metrics/stream", 404), ("nav-1/metrics/stream?max_points=1", 422)])
def test_a_stream_that_cannot_be_is_refused_by_its_status(path: str, status: int, home: Path) -> None:
    with Store(home) as store:
        add_run(store, "nav-1")
    with served() as world:
        assert world.client("read").get(f"/api/v1/runs/{path}").status_code == status


def test_there_are_only_so_many_streams(home: Path) -> None:
    with Store(home) as store:
        add_run(store, "nav-1")
    with served(ServeOptions(max_streams=0)) as world:
        answer = world.client("read").get(STREAM)
    assert (answer.status_code, answer.json()["cause"]) == (503, "too_many_streams")


@pytest.mark.slow
def test_a_stream_follows_a_run_and_ends_when_the_service_is_told_to(home: Path) -> None:
    with Store(home) as store:
        folder = add_run(store, "nav-1", state="queued")
    with ServeProcess(home) as service, service.client() as client:
        with client.stream("GET", STREAM) as answer:
            told = events(answer.iter_lines())
            assert next(told)[1]["summary"]["steps"] == 20_000  # type: ignore[index]
            shown = {REWARD: [0.5], SUCCESS: [0.5]}
            later = START + 100
            write(folder.path, summaries([21_000], shown, episodes=[20], start=later), behavior="Nav", start=later)
            assert next(told)[1]["summary"]["steps"] == 21_000  # type: ignore[index]
            ending = threading.Thread(target=service.end, args=(signal.SIGTERM,))
            ending.start()
            assert list(told) == []
        ending.join(timeout=60)
        assert service.process.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("path", [STREAM, "/sse", "/mcp"])
def test_a_stream_ends_with_the_token_that_opened_it(path: str, home: Path) -> None:
    with Store(home) as store:
        add_run(store, "nav-1", state="queued")
    with ServeProcess(home) as service:
        tokens = App(Settings(home=home)).tokens
        lent = {"Authorization": f"Bearer {tokens.add(name='lent').token}"}
        with httpx.Client(base_url=service.url, headers=lent, timeout=60) as client:
            headers = {"Accept": "text/event-stream", **(mcp_session(client) if path == "/mcp" else {})}
            with client.stream("GET", path, headers=headers) as answer:
                assert answer.status_code == 200
                tokens.revoke("lent")
                for _ in answer.iter_raw():
                    pass  # until the service ends it, which an idle one would never do
        assert not [line for line in service.log if "Traceback" in line or "without completing" in line]


def mcp_session(client: httpx.Client) -> dict[str, str]:
    """The headers of a new session, whose messages to the client a GET listens for."""
    version = "2025-06-18"
    told = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    accepts = {"Accept": "application/json, text/event-stream"}
    asked = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": told}
    answer = client.post("/mcp", json=asked, headers=accepts)
    session = {"Mcp-Session-Id": answer.headers["mcp-session-id"], "Mcp-Protocol-Version": version}
    client.post("/mcp", json={"jsonrpc": "2.0", "method": "notifications/initialized"}, headers={**accepts, **session})
    return session


def test_what_only_counts_down_is_not_told_again(home: Path) -> None:
    with Store(home) as store:
        folder = add_run(store, "nav-1", state="running")
        now = time.time()
        shown = {REWARD: [0.1, 0.2], SUCCESS: [0.1, 0.2]}
        steps = summaries([1_000, 2_000], shown, episodes=[20, 20], start=now - 2)
        write(folder.path, steps, behavior="Nav", start=now - 2)
    with ServeProcess(home) as service, service.client() as client, client.stream("GET", STREAM) as answer:
        told = events(answer.iter_lines())
        first = next(told)[1]["summary"]
        left = [first["eta_s"]]  # type: ignore[index]
        eventually(lambda: left[0] != client.get("/api/v1/runs/nav-1/metrics").json()["summary"]["eta_s"])
        later = time.time()
        write(
            folder.path, summaries([50_000], {REWARD: [0.5]}, episodes=[20], start=later), behavior="Nav", start=later
        )
        assert next(told)[1]["summary"]["steps"] == 50_000  # type: ignore[index]


@pytest.mark.slow
@pytest.mark.trainer
def test_a_training_started_over_rest_goes_on_when_the_service_ends(app: App, home: Path) -> None:
    with ServeProcess(home) as service, service.client() as client:
        build = client.post("/api/v1/builds", json={"description": "reach the target"}).json()
        body = {"build_id": build["build_id"], "seed": 7, "trainer_config": small()}
        run_id = client.post("/api/v1/runs", json=body).json()["run_id"]
        assert client.get(f"/api/v1/runs/{run_id}/wait", params={"until": "running", "timeout_s": 50}).json()["done"]
        assert service.end(signal.SIGTERM) == 0
    assert app.get_run(run_id).state == "running"
    assert finish(app, run_id).state == "succeeded"


@pytest.mark.slow
@pytest.mark.trainer
@pytest.mark.timeout(600)
def test_a_service_whose_end_ends_all_lets_a_training_save_first(app: App, home: Path) -> None:
    with ServeProcess(home, "--save-s", "50") as service, service.client() as client:
        build = client.post("/api/v1/builds", json={"description": "reach the target"}).json()
        body = {"build_id": build["build_id"], "trainer_config": small(20_000, checkpoint=1_000_000)}
        run_id = client.post("/api/v1/runs", json=body).json()["run_id"]
        until(app, run_id, lambda status: bool(status.step))
        assert service.end(signal.SIGTERM) == 0
    assert nothing_is_left(home)
    assert app.get_run(run_id).state == "interrupted"
    saved = list((home / "runs" / run_id).glob("*/*.pt"))
    ended = finish(app, run_id)
    assert saved
    assert (ended.state, ended.attempts) == ("succeeded", 2)


def test_the_figures_of_the_service_count_answers_and_jobs(home: Path) -> None:
    with Store(home) as store:
        add_run(store, "nav-1")
        now = datetime(2026, 11, 25, tzinfo=timezone.utc)
        store.notices.add(EndpointRow("endpoint-1", "webhook", "https://example.com/x", {}, 0, now))
        store.schedules.add_firing(FiringRow("s1.1", "s1", now, "missed", now))
    with served() as world:
        client = world.client("read")
        for path in ("/api/v1/runs", "/api/v1/runs/nav-1", "/api/v1/runs/nope", "/nowhere-1", "/nowhere-2"):
            client.get(path)
        for number in range(20):
            world.client(None).request(f"MADE-UP-{number}", "/healthz")
        lines = client.get("/metrics").text.splitlines()
    counts = 'unity_mlops_http_requests_total{method="GET",route='
    assert f'{counts}"/api/v1/runs",status="200"}} 1.0' in lines
    assert f'{counts}"/api/v1/runs/{{id}}",status="404"}} 1.0' in lines
    assert f'{counts}"other",status="404"}} 2.0' in lines
    assert 'unity_mlops_http_requests_total{method="other",route="/healthz",status="405"} 20.0' in lines
    assert "MADE-UP" not in "".join(lines), "anybody may send such, and each would stay"
    assert 'unity_mlops_jobs{kind="training",state="succeeded"} 1.0' in lines
    assert 'unity_mlops_firings{schedule="s1",state="missed"} 1.0' in lines
    assert any(line.startswith('unity_mlops_deliveries{endpoint="endpoint-1",state="dead"}') for line in lines)


def test_logs_and_cards_are_text(home: Path) -> None:
    with Store(home) as store:
        folder = add_run(store, "nav-1")
    folder.log.write_text("one\ntwo\nthree\n", encoding="utf-8")
    with served() as world:
        client = world.client("read")
        assert client.get("/api/v1/runs/nav-1/log", params={"tail": 2}).text == "two\nthree"
        assert client.get("/api/v1/models/nope/card").status_code == 404


@pytest.mark.slow
def test_tls_is_spoken_where_it_is_asked_for(home: Path, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    with ServeProcess(home, "--tls-certificate", str(certificate), "--tls-key", str(key)) as service:
        assert service.url.startswith("https://")
        login = httpx.post(f"{service.url}/login", data={"token": service.token}, verify=False)  # noqa: S501 - ours
        assert "Secure" in login.headers["set-cookie"]
        assert service.end() == 0


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine, and its key."""
    from datetime import datetime, timedelta, timezone

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(timezone.utc)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    certificate, key = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(made.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    kind = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key.write_bytes(private.private_bytes(serialization.Encoding.PEM, *kind))
    return certificate, key
