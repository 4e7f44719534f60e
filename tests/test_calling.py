"""`unity-mlops call`: what a CronJob does with a service that runs elsewhere."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import os
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, TCPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.conftest import REPOSITORY
from tests.http_worlds import ServeProcess
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.interfaces.remote import RemoteService

WISH = '{"request": "reach the target", "dry_run": true, "max_steps": 1000}'


def calling(*words: str, **environment: str) -> subprocess.Popen[str]:
    """The command as a process; it has no home that could be used."""
    variables = {**os.environ, "PYTHONPATH": str(REPOSITORY), "UNITY_MLOPS_HOME": "/nowhere", **environment}
    line = [sys.executable, "-m", "unity_mlops_mcp", "call", *words]
    return subprocess.Popen(line, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def called(*words: str) -> tuple[int, str, str]:
    process = calling(*words)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def token_file(folder: Path, token: str) -> str:
    path = folder / "token"
    path.write_text(f"{token}\n")
    return str(path)


@pytest.mark.slow
def test_a_pipeline_is_started_once_and_waited_for(home: Path, tmp_path: Path) -> None:
    with ServeProcess(home) as service:
        words = ["run-pipeline", "--url", service.url, "--token-file", token_file(tmp_path, service.token)]
        words += ["--arguments", WISH, "--idempotency-key", "nightly-1", "--wait"]
        first, second = called(*words), called(*words)
        (code, out, err) = called("list-runs", "--url", service.url, "--token-file", str(tmp_path / "token"))
        assert (code, json.loads(out)["runs"]) == (0, []), err

        wrong = called("list-runs", "--url", service.url, "--token-file", token_file(tmp_path, "umlops_wrong"))
    assert first[0] == second[0] == 0, first[2]
    told = json.loads(first[1])
    assert (told["state"], told["done"]) == ("succeeded", True)
    assert json.loads(second[1])["job_id"] == told["job_id"]
    assert wrong[0] == 1
    assert "umlops_wrong" not in wrong[1] + wrong[2]


@pytest.mark.slow
def test_a_service_that_starts_late_is_waited_for(home: Path, tmp_path: Path) -> None:
    token = "umlops_" + "a" * 40
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    process = calling("list-runs", "--url", url, "--token-file", token_file(tmp_path, token))
    with ServeProcess(home, "--port", str(port), "--token-file", str(tmp_path / "token")):
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert json.loads(out)["runs"] == []


def test_a_service_that_is_not_there_is_told(tmp_path: Path) -> None:
    words = ["--url", "http://127.0.0.1:1", "--token-file", token_file(tmp_path, "t"), "--patience-s", "0"]
    code, _, err = called("list-runs", *words)
    assert code == 1
    assert "did not answer" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trane", "--url", "http://127.0.0.1:1"], "There is no operation"),
        (["list-runs", "--url", "ftp://127.0.0.1"], "no address of a service"),
        (["list-runs", "--url", "http://127.0.0.1:1", "--arguments", "[1]"], "no record"),
    ],
)
def test_what_cannot_be_called_is_misuse(words: list[str], said: str, tmp_path: Path) -> None:
    code, _, err = called(*words, "--token-file", token_file(tmp_path, "t"))
    assert code == 2
    assert said in err


class Elsewhere(BaseHTTPRequestHandler):
    """Sends whoever comes somewhere else, and remembers what it was shown."""

    seen: list[str] = []  # noqa: RUF012 - one server in one test

    def do_GET(self) -> None:
        self.seen.append(self.path)
        self.send_response(302)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_address[1]}/stolen")  # type: ignore[index]
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        del format, args


def test_a_token_follows_no_redirect() -> None:
    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        service = RemoteService(f"http://127.0.0.1:{server.server_address[1]}", token="secret", patience_s=0)  # noqa: S106
        with pytest.raises(Exception, match="answered 302"):
            service.call("list_runs", {})
        server.shutdown()
    assert Elsewhere.seen == ["/api/v1/runs"]


class Stumbling(StreamRequestHandler):
    """Answers what it was given, one after another: what dies in its answer, then what is whole."""

    answers: list[bytes] = []  # noqa: RUF012 - one server in one test

    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        self.wfile.write(self.answers.pop(0))


@pytest.mark.parametrize(
    "broken",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 100\r\n\r\n<html>",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
        b"no HTTP at all\r\n\r\n",
        b"",
    ],
    ids=["cut", "refusal cut", "chunk cut", "no JSON", "no HTTP", "nothing"],
)
def test_an_answer_that_does_not_arrive_whole_is_asked_for_again(broken: bytes) -> None:
    whole = b'{"runs": []}'
    Stumbling.answers = [broken, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(whole), whole)]
    with TCPServer(("127.0.0.1", 0), Stumbling) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        service = RemoteService(f"http://127.0.0.1:{server.server_address[1]}", token="t", pause_s=0)  # noqa: S106
        assert service.call("list_runs", {}) == {"runs": []}
        server.shutdown()
    assert not Stumbling.answers


def certificate(folder: Path) -> tuple[str, str]:
    """A self-signed certificate for this machine, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "unity-mlops")])
    now = dt.datetime.now(dt.timezone.utc)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
    builder = builder.add_extension(names, critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    made = builder.sign(key, hashes.SHA256())
    pem, private = folder / "tls.crt", folder / "tls.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(pem), str(private)


@pytest.mark.slow
def test_a_certificate_is_trusted_when_its_authority_is_named(home: Path, tmp_path: Path) -> None:
    pem, key = certificate(tmp_path)
    with ServeProcess(home, "--tls-certificate", pem, "--tls-key", key) as service:
        words = ["list-runs", "--url", service.url, "--token-file", token_file(tmp_path, service.token)]
        trusted, untrusted = called(*words, "--ca-file", pem), called(*words)
    assert trusted[0] == 0, trusted[2]
    assert untrusted[0] == 1
    assert "cannot be trusted" in untrusted[2]


def test_an_address_with_a_password_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        RemoteService("https://me:hunter2@127.0.0.1", token="t")  # noqa: S106
