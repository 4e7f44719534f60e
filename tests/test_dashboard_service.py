"""The dashboard as it is shipped: `unity-mlops serve`, browsers that come in by a link or a token, a real training."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browsers import chromium_browser
from tests.http_worlds import ServeProcess
from tests.training_home import small
from unity_mlops_mcp.app import App

pytestmark = pytest.mark.slow
PATIENCE_MS = 120_000


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_browser() as browser:
        yield browser


def stand_in_browser(folder: Path) -> Path:
    """What `--open` starts here: it writes down the link that it was given."""
    program = folder / "browser"
    program.write_text(
        f'#!/bin/sh\necho "$1" > "{folder}/being written"\nmv "{folder}/being written" "{folder}/link"\n'
    )
    program.chmod(0o755)
    return program


def link_in(folder: Path) -> str:
    """The link, as soon as it is there."""
    end = time.monotonic() + 60
    while not (folder / "link").exists():
        assert time.monotonic() < end, "no browser was opened"
        time.sleep(0.05)
    return (folder / "link").read_text().strip()


@contextmanager
def another_site(link: str) -> Iterator[str]:
    """A page of another site that leads to an address; gives its own."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f'<a href="{link}">to the runs</a>'.encode())

        def log_message(self, *_: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_browser_comes_in_by_a_link_that_works_once(chromium: Browser, home: Path, tmp_path: Path) -> None:
    with ServeProcess(home, "--open", BROWSER=str(stand_in_browser(tmp_path))) as service:
        link = link_in(tmp_path)
        inside, outside = chromium.new_context(), chromium.new_context()
        page, other = inside.new_page(), outside.new_page()
        page.goto(link)
        expect(page.get_by_text("No training has been started yet.")).to_be_visible()
        (cookie,) = inside.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        other.goto(link)
        expect(other.get_by_role("alert")).to_have_text("That link was used already, or is older than five minutes.")

        with another_site(f"{service.url}/machine") as elsewhere:
            page.goto(elsewhere)
            page.get_by_role("link").click()
            expect(page.get_by_role("heading", name="Machine", level=1)).to_be_visible()
        assert page.goto(f"{service.url}/nothing") is not None
        expect(page.get_by_text("There is no page at this address.")).to_be_visible()
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("button", name="Log in")).to_be_visible()
        inside.close()
        outside.close()


def test_a_browser_comes_in_by_a_token_and_by_nothing_else(chromium: Browser, home: Path) -> None:
    with ServeProcess(home) as service:
        context = chromium.new_context()
        page = context.new_page()
        page.goto(service.url)
        page.get_by_label("Token").fill("umlops_guessed")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_have_text("That token is not valid, or it was revoked.")
        page.get_by_label("Token").fill(service.token)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Runs", level=1)).to_be_visible()
        assert urlsplit(page.url).path == "/"
        context.close()


@pytest.mark.trainer
@pytest.mark.timeout(600)
def test_a_real_training_is_watched_stopped_and_resumed(
    chromium: Browser, app: App, home: Path, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(1) as aside:  # in this thread Playwright's loop runs
        build_id = aside.submit(lambda: app.build_environment(description="reach the target").build_id).result()
    program = stand_in_browser(tmp_path)
    with ServeProcess(home, "--open", BROWSER=str(program)) as service:
        context = chromium.new_context(base_url=service.url)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(link_in(tmp_path))
        run_id = app.start_training(build_id=build_id, trainer_config=small(200_000), seed=3).run_id
        expect(page.locator(f"#card-{run_id} .uplot")).to_be_visible(timeout=PATIENCE_MS)
        page.get_by_role("heading", name=run_id).get_by_role("link").click()
        expect(page.locator("#chart-success .uplot")).to_be_visible(timeout=PATIENCE_MS)
        seen = page.locator("#chart-reward").get_attribute("data-label")
        expect(page.locator("#chart-reward")).not_to_have_attribute("data-label", str(seen), timeout=PATIENCE_MS)
        expect(page.locator("#log")).to_contain_text("Step: ", timeout=PATIENCE_MS)

        page.get_by_role("button", name="Stop").click()
        expect(page.locator("main > .line .state")).to_have_text("cancelled", timeout=PATIENCE_MS)
        stopped_at = app.get_run(run_id).step or 0
        assert 0 < stopped_at < 200_000

        page.get_by_label("train on by").fill("3000")
        page.get_by_role("button", name="Resume").click()
        expect(page.get_by_text("It goes on from its checkpoint.")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.locator("main > .line .state")).to_have_text("succeeded", timeout=PATIENCE_MS)
        ended = app.get_run(run_id)
        assert (ended.state, (ended.step or 0) > stopped_at) == ("succeeded", True)
        context.close()
    assert service.process.poll() is not None
