"""The dashboard in a real browser: curves that live, keyboard, phone, screen reader, and a server that goes away."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsers import chromium_browser
from tests.dashboard_worlds import furnish, progress, register, schedule, served
from tests.event_files import REWARD, START, SUCCESS, summaries
from tests.report_homes import add_run
from unity_mlops_mcp import config
from unity_mlops_mcp.app import App
from unity_mlops_mcp.interfaces.http.dashboard.rendering import PLACES
from unity_mlops_mcp.reports.gather import gather
from unity_mlops_mcp.reports.library import save_report
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.store.store import Store

pytestmark = pytest.mark.slow

PATIENCE_MS = 30_000
EVERY = (
    *PLACES.values(),
    "/runs/nav-going",
    "/runs/nav-broken",
    "/compare?run=nav-slow&run=nav-fast",
    "/runs/nobody",
    "/models/nav-agent",
    "/schedules/night%20shift",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_browser() as browser:
        yield browser


@pytest.fixture
def app(home: Path) -> Iterator[App]:
    store = Store(home)
    furnish(store)
    store.close()
    application = App(config.settings())
    register(application, home.parent)
    schedule(application)
    yield application
    application.close()


@pytest.fixture
def address(app: App) -> Iterator[str]:
    with served(app) as url:
        yield url


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    """A window at the dashboard; whatever the page's own script or its policy complains of fails the test."""
    context = chromium.new_context(base_url=address)
    window = context.new_page()
    complaints: list[str] = []
    window.on("pageerror", lambda error: complaints.append(str(error)))
    window.on("console", lambda line: complaints.append(line.text) if "Content Security Policy" in line.text else None)
    yield window
    context.close()
    assert not complaints


def grow(app: App, run_id: str, steps: range) -> None:
    """Let the trainer write more summaries."""
    curves = {REWARD: [step / 10_000 for step in steps], SUCCESS: [0.5 for _ in steps]}
    (file,) = app.runs.folder(run_id).path.rglob("events.out.tfevents.*")
    with file.open("ab") as events:
        events.write(b"".join(summaries(steps, curves, episodes=[20] * len(steps), start=START + 100)))


def test_an_open_page_follows_a_run_and_keeps_what_the_reader_has_done(app: App, page: Page) -> None:
    page.goto("/runs/nav-going")
    reward = page.locator("#chart-reward .uplot")
    expect(reward).to_be_visible()
    page.locator("#configuration summary").click()
    page.locator("#chart-reward .u-over").focus()
    page.keyboard.press("End")
    expect(page.locator("#chart-reward .readout")).to_have_text("step 20,000: 1")
    page.evaluate("window.before = document.querySelector('#chart-reward .uplot')")

    grow(app, "nav-going", range(21_000, 25_000, 1000))
    app.runs.folder("nav-going").log.write_text("first line\nanother line\n", encoding="utf-8")
    progress(app.store, "nav-going", 7500, reward=0.5)
    expect(page.locator(".tiles")).to_contain_text("7,500", timeout=PATIENCE_MS)
    expect(page.locator("#log")).to_have_text("first line\nanother line\n", timeout=PATIENCE_MS)
    page.keyboard.press("End")
    expect(page.locator("#chart-reward .readout")).to_have_text("step 24,000: 2.4", timeout=PATIENCE_MS)
    assert page.evaluate("window.before === document.querySelector('#chart-reward .uplot')")
    assert page.evaluate("document.activeElement.className") == "u-over"
    assert page.locator("#configuration").get_attribute("open") is not None
    assert "24k" in (page.locator("#chart-reward .u-over").get_attribute("aria-label") or "")

    app.store.jobs.change(
        "job-nav-going", "succeeded", where=("running",), attempt=1, now=utc_now(), values={"finished_at": utc_now()}
    )
    expect(page.locator("main > .line .state")).to_have_text("succeeded", timeout=PATIENCE_MS)
    expect(page).to_have_title("nav-going (succeeded) · unity-mlops", timeout=PATIENCE_MS)
    expect(page.locator("main > p[role=status]").first).to_have_text("nav-going is succeeded.")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)


def test_a_new_run_appears_above_the_chosen_ones(app: App, page: Page) -> None:
    page.goto("/")
    page.get_by_label("Compare nav-slow").check()
    add_run(app.store, "zz-new", state="running")
    expect(page.locator("#card-zz-new")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#run-zz-new")).to_be_visible()
    expect(page.locator("#card-zz-new .uplot")).to_be_visible()
    expect(page.get_by_label("Compare nav-slow")).to_be_checked()
    page.get_by_label("Compare nav-fast").check()
    page.get_by_role("button", name="Compare the chosen runs").click()
    expect(page.get_by_role("heading", name="learning_rate 0.0001 is ahead")).to_be_visible()


def test_a_run_is_stopped_by_keyboard_alone(app: App, page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="nav-going").first).to_be_focused()
    page.goto("/runs/nav-waiting")
    button = page.get_by_role("button", name="Stop")
    for _ in range(12):
        page.keyboard.press("Tab")
        if button.evaluate("one => one === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="It was asked to stop")).to_be_visible(timeout=PATIENCE_MS)
    assert app.get_run("nav-waiting").state == "cancelled"


@pytest.mark.parametrize("width", [320, 375, 900, 1440])
def test_no_page_is_wider_than_the_screen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for path in EVERY:
        page.goto(path)
        too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert too_wide <= 0, path


NAMELESS = """() => [...document.querySelectorAll(
    'a, button, input:not([type=hidden]), select, [tabindex="0"], img, progress')]
  .filter((one) => one.checkVisibility())
  .filter((one) => !(one.labels && one.labels.length) && !one.textContent.trim() && !one.getAttribute('aria-label')
    && !one.getAttribute('aria-labelledby') && !one.hasAttribute('alt'))
  .map((one) => one.outerHTML.slice(0, 120))"""
DOUBLE = """() => { const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);
  return ids.filter((id, place) => ids.indexOf(id) !== place); }"""
LEVELS = "() => [...document.querySelectorAll('h1, h2, h3')].map((one) => Number(one.tagName[1]))"
FAINT = """() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgb = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = (color) => color.slice(0, 3).map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = (one) => { for (let at = one; at; at = at.parentElement) {
    const color = rgb(getComputedStyle(at).backgroundColor); if (color[3] === 255) return color; }
    return [255, 255, 255]; };
  const found = [];
  for (const one of document.querySelectorAll('body *')) {
    if (!one.checkVisibility() || one.closest('svg, .hidden, .skip, progress, select, :disabled')) continue;
    if (![...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
    const [a, b] = [light(rgb(getComputedStyle(one).color)), light(behind(one))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push(ratio.toFixed(2) + ' ' + one.outerHTML.slice(0, 100));
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_can_be_read_and_worked_by_everybody(page: Page, scheme: str) -> None:
    """All that can be reached has a name, headings leave no level out, letters stand out (WCAG 1.4.3)."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for path in EVERY:
        page.goto(path)
        assert page.evaluate(NAMELESS) == [], path
        assert page.evaluate(DOUBLE) == [], path
        levels = page.evaluate(LEVELS)
        assert levels.count(1) == 1, path
        assert all(after <= before + 1 for before, after in pairwise(levels)), (path, levels)
        assert page.evaluate(FAINT) == [], path
        assert page.locator("html").get_attribute("lang") == "en"
        assert page.locator("nav [aria-current=page]").count() == (path != "/runs/nobody")


def test_without_script_the_curves_are_there_all_the_same(chromium: Browser, address: str) -> None:
    context = chromium.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/runs/nav-slow")
    expect(page.get_by_role("img", name="Reward of an episode over agent steps")).to_be_visible()
    context.close()


def test_a_report_is_drawn_though_it_may_do_nothing_in_our_name(app: App, page: Page) -> None:
    save_report(app.store.home, gather(app.store, ["nav-slow"], report_id="report-1", now=utc_now()))
    page.goto("/reports/report-1")
    expect(page.locator("figure[data-chart=reward] .uplot")).to_be_visible()
    assert page.evaluate("window.origin") == "null"


def test_a_service_that_goes_away_is_told_and_forgiven_when_it_comes_back(page: Page) -> None:
    page.goto("/runs/nav-going")
    expect(page.locator("#chart-reward .uplot")).to_be_visible()
    page.route("**/runs/**", lambda route: route.abort())
    expect(page.locator("#connection")).to_contain_text("does not answer", timeout=PATIENCE_MS)
    page.unroute("**/runs/**")
    expect(page.locator("#connection")).to_be_empty(timeout=PATIENCE_MS)


def test_a_session_that_ended_is_told_and_the_page_stops_asking(page: Page) -> None:
    page.goto("/runs/nav-going")
    page.route("**/runs/**", lambda route: route.fulfill(status=401, body="no"))
    expect(page.locator("#connection")).to_contain_text("logged out", timeout=PATIENCE_MS)
    expect(page.locator("h1")).to_have_text("nav-going")
    assert page.locator("body").get_attribute("data-refresh") == "0"
