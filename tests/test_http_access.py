"""Who may come in, by what, and what each scope may do."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from tests.http_worlds import BASE, served
from tests.report_homes import add_run
from tests.test_mcp_contract import TOOLS
from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import InvalidInputError, NotFoundError
from unity_mlops_mcp.interfaces.access import SCOPES, TOOL_SETS, Offer, Scope, allows, scope_of
from unity_mlops_mcp.interfaces.http.auth import Door
from unity_mlops_mcp.interfaces.http.options import ServeOptions
from unity_mlops_mcp.interfaces.http.routes import ROUTES
from unity_mlops_mcp.store.store import Store

pytestmark = pytest.mark.usefixtures("home")
PROTECTED = ("/", "/api/v1/runs", "/api/v1/openapi.json", "/metrics", "/mcp", "/sse", "/messages/", "/nowhere")


@pytest.mark.parametrize("path", PROTECTED)
def test_nothing_but_health_answers_without_a_token(path: str) -> None:
    with served() as world:
        stranger = world.client(None)
        for method in ("GET", "POST", "DELETE"):
            answer = stranger.request(method, path)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.json()["cause"] == "unauthorized"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_answers_everybody_and_tells_nothing(path: str) -> None:
    with served() as world:
        answer = world.client(None, Host="10.1.2.3:8765").get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_a_service_whose_store_is_gone_is_alive_and_not_ready(home: Path) -> None:
    with served() as world:
        world.late.close()
        (home / "state.db").rename(home / "gone.db")
        (home / "state.db").mkdir()
        assert world.client(None).get("/healthz").status_code == 200
        answer = world.client(None).get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer umlops_wrong", "Basic eDp5", "Bearer a b"])
def test_a_wrong_token_opens_nothing(header: str) -> None:
    with served() as world:
        assert world.client(None, Authorization=header).get("/api/v1/runs").status_code == 401


def test_a_token_opens_nothing_once_it_is_revoked() -> None:
    with served() as world:
        reader = world.client("read")
        assert reader.get("/api/v1/runs").status_code == 200
        world.late().tokens.revoke("a reader")
        assert reader.get("/api/v1/runs").status_code == 401


def test_each_scope_may_do_what_those_before_it_may() -> None:
    with served() as world:
        asked = {
            "read": ("GET", "/api/v1/runs", 200),
            "run": ("POST", "/api/v1/runs/nope/stop", 404),
            "admin": ("POST", "/api/v1/installations", 422),
        }
        for held in SCOPES:
            for needed, (method, path, status) in asked.items():
                body = {"project_path": "nowhere"} if needed == "admin" else None
                answer = world.client(held).request(method, path, json=body)
                enough = SCOPES.index(held) >= SCOPES.index(needed)
                assert answer.status_code == (status if enough else 403), (held, needed, answer.text)
                if not enough:
                    assert f"needs the scope {needed}" in answer.json()["message"]
                    assert f"--scope {needed}" in answer.json()["fix"]


def test_an_argument_can_need_more_than_its_tool() -> None:
    with served() as world:
        assert world.client("read").post("/api/v1/setup").status_code == 200
        assert world.client("read").post("/api/v1/setup", json={"fix": True}).status_code == 403


def test_what_reads_is_what_the_tools_say_that_they_only_read() -> None:
    for name, (_, _, (read_only, _, _, _)) in TOOLS.items():
        assert (scope_of(name) == "read") == (read_only or name == "check_setup"), name


def test_every_tool_is_in_a_set_and_has_one_address() -> None:
    assert {tool for tools in TOOL_SETS.values() for tool in tools} >= set(TOOLS)
    addressed = [route.tool for route in ROUTES]
    assert len(addressed) == len(set(addressed))
    assert set(addressed) >= set(TOOLS)


def test_a_read_only_service_changes_nothing_for_anybody() -> None:
    with served(ServeOptions(offer=Offer(read_only=True))) as world:
        admin = world.client("admin")
        assert admin.get("/api/v1/runs").status_code == 200
        assert admin.post("/api/v1/runs/nope/stop").status_code == 404
        assert admin.post("/api/v1/runs/nope/stop").json()["cause"] == "not_found"
        assert admin.post("/api/v1/setup", json={"fix": True}).status_code == 403
        assert "/api/v1/pipelines" not in admin.get("/api/v1/openapi.json").json()["paths"]


def test_a_service_offers_the_tools_that_it_was_started_with() -> None:
    with served(ServeOptions(offer=Offer.of(tools=["insight,check_setup"]))) as world:
        paths = world.client().get("/api/v1/openapi.json").json()["paths"]
    assert "/api/v1/comparisons" in paths
    assert "/api/v1/setup" in paths
    assert "/api/v1/models" not in paths


def test_the_dashboard_and_the_texts_offer_no_more_than_the_tools_do(home: Path) -> None:
    with Store(home) as store:
        add_run(store, "nav-1", state="running")
    with served(ServeOptions(offer=Offer.of(tools=["list_models"]))) as world:
        browser = world.client("run", Accept="text/html")
        assert browser.get("/").headers["location"] == "/models"
        assert browser.get("/models").status_code == 200
        for path in ("/runs/nav-1", "/machine", "/api/v1/runs/nav-1/log", "/api/v1/runs/nav-1/metrics/stream"):
            assert browser.get(path).status_code == 404
        answer = browser.post("/runs/nav-1/stop", data={"csrf_token": ""})
        assert (answer.status_code, "does not offer stop_training" in answer.text) == (404, True)
        assert not world.late().jobs.open(kind="training")[0].stop_requested


def test_a_tool_that_there_is_not_cannot_be_offered() -> None:
    with pytest.raises(InvalidInputError, match=r"no tool or set of tools trainings.*Sets: setup"):
        Offer.of(tools=["training,trainings"])


def test_a_one_time_link_opens_one_session() -> None:
    with served() as world:
        code = world.application.door.link()
        browser = world.client(None)
        answer = browser.get(f"/login/{code}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
        assert browser.get("/api/v1/runs").status_code == 200
        assert world.client(None).get(f"/login/{code}").status_code == 401
        assert browser.post("/logout", headers=form_secret(world.application.door, cookie)).status_code == 303
        assert browser.get("/api/v1/runs").status_code == 401


def form_secret(door: Door, cookie: str) -> dict[str, str]:
    """What a page's script sends beside the cookie."""
    caller = door.by_session(cookie.split(";", maxsplit=1)[0].partition("=")[2])
    assert caller is not None
    return {"X-CSRF-Token": caller.csrf}


def test_a_link_is_over_after_five_minutes_and_a_session_after_twelve_hours() -> None:
    with served() as world:
        now = [1000.0]
        door = Door(world.late(), Offer(), clock=lambda: now[0])
        late, soon = door.link(), door.link()
        assert late
        assert soon
        now[0] += 299
        cookie = door.redeem(soon)
        assert cookie
        now[0] += 2
        assert door.redeem(late) is None
        assert door.by_session(cookie) is not None
        now[0] += 12 * 3600
        assert door.by_session(cookie) is None


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_forged_session_opens_nothing(place: int) -> None:
    with served() as world:
        cookie = world.application.door.session(world.tokens["read"])
        assert cookie
        parts = cookie.split(".")
        parts[place] = {0: "token-other", 1: "9999999999", 2: "0" * 64}[place]
        assert world.application.door.by_session(cookie) is not None
        assert world.application.door.by_session(".".join(parts)) is None


@pytest.mark.parametrize("expires", ["\u00b2", "", "-1", "9" * 5000])
def test_a_session_whose_end_is_no_number_of_ours_opens_nothing(expires: str) -> None:
    with served() as world:
        door = world.application.door
        cookie = door.session(world.tokens["read"])
        assert cookie
        token_id, _, signature = cookie.split(".")
        sent = f"{door.cookie}={token_id}.{expires}.{signature}".encode("latin-1")
        assert world.client(None).get("/api/v1/runs", headers=[(b"cookie", sent)]).status_code == 401


def test_a_session_ends_with_its_token() -> None:
    with served() as world:
        browser = world.client(None)
        assert browser.post("/login", data={"token": world.tokens["run"]}).status_code == 303
        assert browser.get("/api/v1/runs").status_code == 200
        world.late().tokens.revoke("a runer")
        assert browser.get("/api/v1/runs").status_code == 401


def test_a_session_changes_nothing_without_the_secret_of_its_forms() -> None:
    with served() as world:
        browser = world.client(None)
        cookie = browser.post("/login", data={"token": world.tokens["run"]}).headers["set-cookie"]
        answer = browser.post("/api/v1/runs/nope/stop")
        assert (answer.status_code, answer.json()["cause"]) == (403, "csrf")
        secret = form_secret(world.application.door, cookie)
        assert browser.post("/api/v1/runs/nope/stop", headers=secret).status_code == 404
        assert browser.post("/api/v1/runs/nope/stop", data={"csrf_token": secret["X-CSRF-Token"]}).status_code == 404
        assert browser.post("/api/v1/runs/nope/stop", data={"csrf_token": "x"}).status_code == 403


def test_a_session_does_not_speak_mcp() -> None:
    with served() as world:
        browser = world.client(None)
        browser.post("/login", data={"token": world.tokens["admin"]})
        assert browser.post("/mcp", json={}).status_code == 401


def test_a_browser_without_a_session_sees_where_to_log_in() -> None:
    with served() as world:
        answer = world.client(None, Accept="text/html").get("/")
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert re.search(r"<label for=\"token\">", answer.text)
        assert "sha256-" in answer.headers["content-security-policy"]
        again = world.client(None).post("/login", data={"token": "umlops_wrong"})
        assert again.status_code == 401
        assert '<p role="alert">That token is not valid, or it was revoked.</p>' in again.text
        assert '<p role="alert">' not in answer.text, "who comes for the first time has done nothing wrong"
        spent = world.client(None).get("/login/spent")
        assert '<p role="alert">That link was used already, or is older than five minutes.</p>' in spent.text


def test_only_so_many_guesses_are_answered() -> None:
    with served() as world:
        guesser = world.client(None, Authorization="Bearer umlops_guess")
        answers = [guesser.get("/api/v1/runs").status_code for _ in range(30)]
        assert answers[0] == 401
        assert answers[-1] == 429
        assert world.client("read").get("/api/v1/runs").status_code == 200


@pytest.mark.parametrize(
    ("host", "status"), [("evil.example", 421), ("127.0.0.1:1", 200), ("localhost", 200), ("", 421)]
)
def test_a_name_that_is_not_its_own_is_refused(host: str, status: int) -> None:
    with served() as world:
        assert world.client("read", Host=host).get("/api/v1/runs").status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://evil.example", 403),
        ("null", 403),
        ("http://[", 403),
        (BASE, 200),
        ("http://127.0.0.1:3000", 403),
        ("https://ui.lab", 200),
    ],
)
def test_pages_of_other_addresses_are_refused_unless_they_are_listed(origin: str, status: int) -> None:
    with served(ServeOptions(origins=("https://ui.lab",))) as world:
        assert world.client("read", Origin=origin).get("/api/v1/runs").status_code == status


def test_a_listed_page_may_ask_what_it_may_send() -> None:
    with served(ServeOptions(origins=("https://ui.lab",))) as world:
        asked = {"Origin": "https://ui.lab", "Access-Control-Request-Method": "POST"}
        asked["Access-Control-Request-Headers"] = "authorization"
        answer = world.client(None).options("/mcp", headers=asked)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "https://ui.lab"
        assert (
            world.client(None).options("/mcp", headers={**asked, "Origin": "https://evil.example"}).status_code == 400
        )


@pytest.mark.parametrize("name", ["nobody", "twice"])
def test_a_token_that_is_not_meant_by_one_name_is_not_revoked(name: str) -> None:
    with served() as world:
        tokens = world.late().tokens
        for _ in range(2):
            tokens.add(name="twice")
        with pytest.raises(NotFoundError, match="a reader"):
            tokens.revoke(name)


def test_a_token_made_elsewhere_is_let_in_when_it_is_long_enough() -> None:
    with served() as world:
        tokens = world.late().tokens
        given = "0123456789abcdef" * 4
        assert tokens.keep(given, name="cluster") == tokens.keep(given, name="cluster")
        assert world.client(None, Authorization=f"Bearer {given}").get("/api/v1/runs").status_code == 200
        with pytest.raises(InvalidInputError, match="6 characters"):
            tokens.keep("secret", name="cluster")
        tokens.revoke("cluster")
        with pytest.raises(InvalidInputError, match="was revoked"):
            tokens.keep(given, name="cluster")


def test_servers_that_start_at_once_keep_one_token_of_theirs(home: Path) -> None:
    """Each round is a new token that eight of them are given together."""
    apps, together = [App(Settings(home=home)) for _ in range(8)], Barrier(8)

    def start(app: App) -> list[str]:
        kept = []
        for number in range(10):
            together.wait(timeout=30)
            kept.append(app.tokens.keep(f"{number}" * 64, name="cluster").token_id)
        return kept

    with ThreadPoolExecutor(8) as threads:
        kept = set(map(tuple, threads.map(start, apps)))
    assert list(kept) == [tuple(row.token_id for row in apps[0].tokens.all().tokens)]
    for app in apps:
        app.close()


def test_scopes_are_in_order() -> None:
    held: list[Scope] = ["read", "run", "admin"]
    assert [[allows(one, other) for other in held] for one in held] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
