"""The dashboard's pages as a browser without script gets them: over HTTP, from a home with something of everything."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import httpx
import pytest

from tests.dashboard_worlds import CSRF, EVIL, VISITOR, furnish, register, schedule, served
from tests.report_homes import BEGUN, add_run
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.interfaces.access import Offer
from unity_mlops_mcp.interfaces.http.dashboard.rendering import PLACES
from unity_mlops_mcp.reports.gather import gather
from unity_mlops_mcp.reports.library import save_report
from unity_mlops_mcp.store.rows import JobRow
from unity_mlops_mcp.store.store import Store


@pytest.fixture
def app(home: Path) -> Iterator[App]:
    store = Store(home)
    furnish(store)
    store.close()
    application = App(config.settings())
    yield application
    application.close()


@pytest.fixture
def browser(app: App) -> Iterator[httpx.Client]:
    with served(app) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


def row_of(app: App, job_id: str) -> JobRow:
    """A job as it is stored."""
    row = app.store.jobs.get(job_id)
    assert row is not None
    return row


def words(answer: httpx.Response) -> str:
    """What a person reads of a page."""
    (inside,) = re.findall(r"<main.*?</main>", answer.text, re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", inside)).split())


def test_runs_are_listed_and_those_that_go_on_stand_above_them_with_their_curves(browser: httpx.Client) -> None:
    answer = browser.get("/")
    assert answer.status_code == 200
    said = words(answer)
    assert "Going on now nav-going running Nav 25 % step 5,000 of 20,000 · reward 0.25 · 30 s left" in said
    assert "queued waits for its turn" not in said
    assert {"nav-slow", "nav-fast", "nav-broken", "nav-waiting"} <= set(re.findall(r'id="run-([^"]+)"', answer.text))
    assert re.findall(r'<figure id="chart-reward-nav-going"', answer.text)


def test_runs_are_chosen_by_state_and_behaviour(browser: httpx.Client) -> None:
    failed = browser.get("/", params={"state": "failed"})
    assert re.findall(r'id="run-([^"]+)"', failed.text) == ["nav-broken"]
    assert "No run fits." in words(browser.get("/", params={"behavior": "Nobody"}))
    wrong = browser.get("/", params={"state": "lost"})
    assert (wrong.status_code, "States: queued, starting" in words(wrong)) == (400, True)


def test_many_runs_come_page_by_page(app: App, browser: httpx.Client) -> None:
    for number in range(60):
        add_run(app.store, f"more-{number}", resources=False)
    first = browser.get("/")
    (older,) = re.findall(r'<a href="([^"]+)" rel="next">', first.text)
    second = browser.get(unescape(older))
    shown = [set(re.findall(r'id="run-([^"]+)"', page.text)) for page in (first, second)]
    assert [len(page) for page in shown] == [50, 15]
    assert not shown[0] & shown[1]


def test_a_run_is_told_with_figures_curves_log_and_configuration(browser: httpx.Client) -> None:
    answer = browser.get("/runs/nav-slow")
    said = words(answer)
    assert "Reward 1 best 1 Success 90 % over 100 episodes" in said
    assert "Learning. The mean reward rose" in said
    assert "Configuration of the trainer behaviors: {}" in said
    assert "--run-id=nav-slow" in said
    assert {"chart-reward", "chart-success", "chart-cores"} <= set(re.findall(r'<figure id="([^"]+)"', answer.text))


def test_a_failed_run_says_why_and_what_to_do_and_nothing_in_it_is_markup(browser: httpx.Client) -> None:
    answer = browser.get("/runs/nav-broken")
    assert f"Why it failed The player ended: {EVIL} player_died SIGSEGV What to do: Resume." in words(answer)
    assert "<img src=x" not in answer.text


def test_a_run_that_has_written_nothing_yet_says_so(app: App, browser: httpx.Client) -> None:
    shutil.rmtree(app.runs.folder("nav-waiting").path)
    said = words(browser.get("/runs/nav-waiting"))
    assert "It waits for its turn" in said
    assert "There is nothing to draw yet" in said
    assert "Nothing has been written yet." in said
    assert browser.get("/").status_code == 200


def test_what_cannot_be_read_of_a_run_is_said_beside_its_curves(app: App, browser: httpx.Client) -> None:
    (events,) = app.runs.folder("nav-slow").path.rglob("events.out.tfevents.*")
    damaged = bytearray(events.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    events.write_bytes(damaged)
    answer = browser.get("/runs/nav-slow")
    assert "Not all of what the trainer wrote can be read" in words(answer)
    assert 'id="chart-reward"' in answer.text


def test_an_address_of_a_job_shows_its_run(browser: httpx.Client) -> None:
    assert "nav-slow" in words(browser.get("/jobs/job-nav-slow"))


def test_a_report_is_opened_from_its_job_and_can_do_nothing_in_our_name(app: App, browser: httpx.Client) -> None:
    report = gather(app.store, ["nav-slow"], report_id="report-1", now=BEGUN)
    save_report(app.store.home, report)
    (job,) = app.jobs.page(subject="nav-slow").rows
    app.store.jobs.add(replace(row_of(app, job.id), id="report-1", kind="report", subject="report of nav-slow"))
    shown = browser.get("/jobs/report-1")
    assert re.findall(r'<a href="(/reports/[^"]+)">Open the report', shown.text) == ["/reports/report-1"]
    opened = browser.get("/reports/report-1")
    assert "Training report" in opened.text
    assert opened.headers["content-security-policy"].startswith("sandbox allow-scripts;")
    assert browser.get("/reports/report-2").status_code == 404


def test_what_a_pipeline_made_is_opened_from_its_stages(app: App, browser: httpx.Client, tmp_path: Path) -> None:
    version, _ = register(app, tmp_path)
    path = save_report(app.store.home, gather(app.store, ["nav-slow"], report_id="report-1", now=BEGUN))
    (job,) = app.jobs.page(subject="nav-slow").rows
    stages = [
        {"name": name, "what": "make it", "state": "done", "said": "made"} for name in ("train", "report", "register")
    ]
    made = {"report": str(path.with_name("report.html")), "version_id": version}
    told = {"stages": stages, "run_id": "nav-slow"}
    row = replace(row_of(app, job.id), id="pipeline-1", kind="pipeline", subject="nav", progress=told, result=made)
    app.store.jobs.add(row)
    shown = browser.get("/jobs/pipeline-1")
    found = re.findall(r'<strong>\w+</strong>.*?<a href="([^"]+)">', shown.text)
    assert found == ["/runs/nav-slow", "/reports/report-1", f"/models/nav-agent/{version}"]
    assert [browser.get(link).status_code for link in found] == [200, 200, 200]
    assert "Nothing was written" not in words(shown)


def test_what_is_not_there_is_said_with_what_there_is(browser: httpx.Client) -> None:
    answer = browser.get("/runs/nobody")
    assert answer.status_code == 404
    assert "There is no run, job or build 'nobody'. Newest runs: nav-waiting" in words(answer)


def test_runs_are_compared_with_verdict_doubt_and_what_differs(browser: httpx.Client) -> None:
    answer = browser.get("/compare", params={"run": ["nav-slow", "nav-fast"], "baseline": "nav-fast"})
    said = words(answer)
    assert "learning_rate 0.0001 is ahead" in said
    assert "hyperparameters.learning_rate 0.0001 0.01" in said
    assert len(re.findall(r'class="line c1"', answer.text)) >= 2
    assert "Choose at least two runs" in words(browser.get("/compare", params={"run": "nav-slow"}))
    wrong = browser.get("/compare", params={"run": "nav-slow,nav-fats"})
    assert (wrong.status_code, "Did you mean nav-fast" in words(wrong)) == (400, True)


def test_models_are_shown_with_aliases_audit_and_cards(app: App, browser: httpx.Client, tmp_path: Path) -> None:
    assert "No model is registered yet." in words(browser.get("/models"))
    first, second = register(app, tmp_path)
    listed = words(browser.get("/models"))
    assert f"Nav Agent 2 versions staging {first} {second}" in listed
    said = words(browser.get("/models/nav-agent"))
    assert f"staging {first} Versions" in said
    assert f"override {first} as staging the first of all" in said
    assert f"register {second} {EVIL}" in said
    assert "# Nav Agent, version 1" in words(browser.get(f"/models/nav-agent/{first}"))
    assert browser.get("/models/nobody").status_code == 404


def test_schedules_are_shown_with_their_next_and_last_firings(app: App, browser: httpx.Client) -> None:
    assert "Nothing is trained by schedule yet." in words(browser.get("/schedules"))
    schedule_id = schedule(app)
    listed = words(browser.get("/schedules"))
    assert re.search(r"night shift 30 2 \* \* \* \w{3} \d{4}-\d\d-\d\d 02:30 Europe/Berlin running", listed)
    assert "reach the target; patrol three points" in listed
    said = words(browser.get(f"/schedules/{schedule_id}"))
    assert len(re.findall(r"\w{3} \d{4}-\d\d-\d\d 02:30", said)) == 5
    assert f"skipped too early {EVIL}" in said
    assert re.search(r"Due State Jobs Ended 2026-11-26 12:00 UTC running job-nav-going", said)
    assert browser.get("/schedules/nobody").status_code == 404


def test_the_machine_tells_what_it_lacks_and_what_it_does(browser: httpx.Client) -> None:
    said = words(browser.get("/machine"))
    assert "What to do: unity-mlops trainer install" in said
    assert "training queued nav-waiting waits for its turn" in said


def test_an_empty_home_says_how_to_begin(home: Path) -> None:
    home.mkdir(parents=True)
    app = App(config.settings())
    with served(app) as address:
        said = {place: words(httpx.get(f"{address}{path}", timeout=60)) for place, path in PLACES.items()}
    app.close()
    assert 'unity-mlops run "an agent that reaches a target' in said["runs"]
    assert "There are no runs to compare yet." in said["compare"]
    assert "unity-mlops register-model" in said["models"]
    assert "Nothing has been asked of this machine yet." in said["machine"]


def test_a_run_is_stopped_by_a_form_of_this_session_and_by_nothing_else(app: App, browser: httpx.Client) -> None:
    shown = browser.get("/runs/nav-waiting")
    assert set(re.findall(r'name="csrf_token" value="([^"]+)"', shown.text)) == {CSRF}
    for data in ({}, {"csrf_token": ""}, {"csrf_token": "of-another"}, {"csrf_token": CSRF, "filler": "x" * 30_000}):
        refused = browser.post("/runs/nav-waiting/stop", data=data)
        assert (refused.status_code, "nothing was done" in words(refused)) == (403, True)
    assert browser.get("/runs/nav-waiting/stop").status_code == 405
    assert app.get_run("nav-waiting").state == "queued"

    answer = browser.post("/runs/nav-waiting/stop", data={"csrf_token": CSRF}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs/nav-waiting?said=stopping")
    assert app.get_run("nav-waiting").state == "cancelled"
    assert "It was asked to stop" in words(browser.get(answer.headers["location"]))


def test_a_resume_that_cannot_be_is_refused_with_the_reason(browser: httpx.Client) -> None:
    wrong = browser.post("/runs/nav-slow/resume", data={"csrf_token": CSRF, "extra_steps": "many"})
    assert (wrong.status_code, "'many' is no number of steps." in words(wrong)) == (400, True)
    going = browser.post("/runs/nav-going/resume", data={"csrf_token": CSRF, "extra_steps": "1000"})
    assert (going.status_code, "nav-going" in words(going)) == (409, True)


def test_who_may_only_look_sees_no_buttons_and_can_do_nothing(app: App) -> None:
    with served(app, replace(VISITOR, scope="read")) as address:
        assert "<button>Resume" not in httpx.get(f"{address}/runs/nav-slow", timeout=60).text
        refused = httpx.post(f"{address}/runs/nav-waiting/stop", data={"csrf_token": CSRF}, timeout=60)
    assert (refused.status_code, "your scope is read" in words(refused)) == (403, True)
    assert app.get_run("nav-waiting").state == "queued"


def test_what_a_service_does_not_offer_is_on_no_page(app: App) -> None:
    with served(app, replace(VISITOR, offer=Offer.of(tools=["insight"]))) as address:
        runs, going = httpx.get(f"{address}/"), httpx.get(f"{address}/runs/nav-going")
        assert re.findall(r'<li><a href="([^"]+)"', runs.text) == ["/", "/compare"]
        assert 'action="/runs' not in going.text
        assert "stop or resume nothing" not in words(going)
        for path in ("/models", "/models/nav", "/schedules", "/machine"):
            answer = httpx.get(address + path)
            assert (answer.status_code, "does not offer" in words(answer)) == (404, True)
        for act in ("stop", "resume"):
            answer = httpx.post(f"{address}/runs/nav-going/{act}", data={"csrf_token": CSRF})
            assert (answer.status_code, f"does not offer {act}_training" in words(answer)) == (404, True)
    assert not row_of(app, "job-nav-going").stop_requested
    with served(app, replace(VISITOR, offer=Offer.of(tools=["models"]))) as address:
        assert httpx.get(address).headers["location"] == "/models"
    with served(app, replace(VISITOR, offer=Offer.of(tools=["list_runs"]))) as address:
        assert "Compare" not in httpx.get(address).text


def test_every_page_is_locked_to_its_own_files(browser: httpx.Client) -> None:
    for path in (*PLACES.values(), "/runs/nav-slow", "/runs/nobody"):
        answer = browser.get(path)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert not re.findall(
            r"<script(?![^>]+src=)|<style| style=| on\w+=|https?://", re.sub(r"<svg.*?</svg>", "", answer.text)
        )
    for name in set(re.findall(r'"(/static/[^"]+)"', browser.get("/").text)):
        asset = browser.get(name)
        assert (asset.status_code, "immutable" in asset.headers["cache-control"]) == (200, True)
    assert browser.get("/static/../rendering.py").status_code == 404


def test_an_error_inside_tells_a_reference_and_nothing_else(app: App, caplog: pytest.LogCaptureFixture) -> None:
    configuration = app.runs.folder("nav-slow").configuration
    configuration.unlink()
    configuration.mkdir()
    with served(app) as address:
        answer = httpx.get(f"{address}/runs/nav-slow", timeout=60)
    assert answer.status_code == 500
    assert str(configuration) not in answer.text
    (reference,) = re.findall(r"[(]reference ([0-9a-f]+)[)]", words(answer))
    assert reference in caplog.text
    assert str(configuration) in caplog.text
