"""What every answer has, how much may be asked for, what the log tells, and how a service may be started."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http_worlds import served
from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.interfaces.access import Scope
from unity_mlops_mcp.interfaces.http.limits import Buckets
from unity_mlops_mcp.interfaces.http.logs import JsonLines
from unity_mlops_mcp.interfaces.http.options import ServeOptions

pytestmark = pytest.mark.usefixtures("home")


def test_every_answer_has_an_id_and_may_not_be_sniffed_kept_or_framed() -> None:
    with served() as world:
        asked: list[tuple[Scope | None, str]] = [(None, "/api/v1/runs"), ("read", "/api/v1/runs"), ("read", "/nowhere")]
        for scope, path in asked:
            answer = world.client(scope).get(path)
            assert len(answer.headers["x-request-id"]) == 16
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"] == "no-store"
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(("given", "kept"), [("abc-1.2_Z", True), ("x" * 65, False), ("a b", False), ("ä", False)])
def test_a_callers_own_id_is_kept_when_it_is_one(given: str, kept: bool) -> None:
    with served() as world:
        answer = world.client("read").get("/api/v1/runs", headers=[(b"X-Request-ID", given.encode())])
        assert (answer.headers["x-request-id"] == given) == kept


def test_a_body_that_is_too_large_is_refused_whether_it_tells_its_length_or_not() -> None:
    with served(ServeOptions(max_body=2000)) as world:
        client = world.client("run")
        body = json.dumps({"source": "x" * 3000}).encode()

        def chunks() -> Iterator[bytes]:
            yield from (body[place : place + 100] for place in range(0, len(body), 100))

        for path in ("/api/v1/script-checks", "/mcp"):
            for content in (body, chunks()):
                answer = client.post(path, content=content, headers={"Content-Type": "application/json"})
                assert (answer.status_code, answer.json()["cause"]) == (413, "too_large"), path
        small = json.dumps({"source": "class A {"}).encode()
        asked = client.post(
            "/api/v1/script-checks", content=iter([small[:5], small[5:]]), headers={"Content-Type": "application/json"}
        )
        assert asked.status_code == 200
        assert asked.json()["findings"]


def test_a_token_may_ask_so_often_and_others_are_not_held_up() -> None:
    with served(ServeOptions(rate=0.01)) as world:
        asked = [world.client("read").get("/api/v1/runs") for _ in range(2)]
        assert [answer.status_code for answer in asked] == [200, 429]
        assert 90 < int(asked[1].headers["retry-after"]) <= 101
    with served(ServeOptions(rate=2)) as world:
        statuses = [world.client("read").get("/api/v1/runs").status_code for _ in range(6)]
        assert statuses[:4] == [200] * 4
        assert 429 in statuses
        assert world.client("run").get("/api/v1/runs").status_code == 200


def test_a_bucket_fills_at_its_rate() -> None:
    now = [0.0]
    buckets = Buckets(2, 3, clock=lambda: now[0])
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 0]
    assert buckets.take("a") == pytest.approx(0.5)
    assert buckets.take("b") == 0
    now[0] += 0.5
    assert buckets.take("a") == 0
    now[0] += 100
    assert [buckets.take("a") > 0 for _ in range(4)] == [False, False, False, True]


def test_the_log_has_a_line_for_each_request_without_query_token_or_code(caplog: pytest.LogCaptureFixture) -> None:
    with served() as world, caplog.at_level(logging.DEBUG, logger="unity_mlops_mcp"):
        client = world.client("read", **{"X-Request-ID": "mine"})
        client.get("/api/v1/runs?behavior=hidden")
        client.get(f"/login/{world.application.door.link()}")
        client.get("/api/v1/runs", headers={"Authorization": "Bearer umlops_wrong-token"})
        lines = [json.loads(JsonLines().format(record)) for record in caplog.records if record.msg == "request"]
    assert [(line["path"], line["status"], line["method"]) for line in lines] == [
        ("/api/v1/runs", 200, "GET"),
        ("/login/…", 303, "GET"),
        ("/api/v1/runs", 401, "GET"),
    ]
    assert lines[0]["caller"].startswith("token-")
    assert lines[2]["caller"] is None
    text = json.dumps(lines)
    assert "hidden" not in text
    assert "umlops_" not in text


def test_a_secret_never_is_written_wherever_it_stands() -> None:
    error = ValueError('the pass"word is umlops_0123456789abc')
    told = (type(error), error, None)
    record = logging.LogRecord("a", logging.ERROR, "", 1, "sent %s", ("Authorization: Bearer abc.def",), told)
    line = JsonLines(['pass"word']).format(record)
    assert "word" not in line
    assert "umlops_" not in line
    assert "abc.def" not in line
    assert json.loads(line)["trace"].startswith("ValueError")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::", "gpu-box"])  # noqa: S104 - it must be refused
def test_other_addresses_than_loopback_need_tls(host: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"other machines.*--tls-certificate"):
        ServeOptions(host=host).check()
    ServeOptions(host=host, no_tls=True).check()
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text("-", encoding="utf-8")
    ServeOptions(host=host, certificate=tmp_path / "cert.pem", key=tmp_path / "key.pem").check()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.53"])
def test_loopback_needs_none(host: str) -> None:
    ServeOptions(host=host).check()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (ServeOptions(certificate=Path("cert.pem")), "certificate and its key"),
        (ServeOptions(certificate=Path("no.pem"), key=Path("no.pem")), "no file no.pem"),
        (ServeOptions(origins=("ui.lab",)), "no origin"),
        (ServeOptions(origins=("https://ui.lab/page",)), "no origin"),
    ],
)
def test_options_that_cannot_work_are_told_at_the_start(options: ServeOptions, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        options.check()


def test_an_error_of_our_own_is_told_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    with served() as world:
        world.late().store.models.page = None  # type: ignore[method-assign,assignment]
        client = world.client("read")
        client._transport.raise_server_exceptions = False  # type: ignore[attr-defined]
        answer = client.get("/api/v1/models")
    assert answer.status_code == 500
    assert answer.json()["cause"] == "internal"
    assert "callable" not in answer.text
    assert "Traceback" in caplog.text
