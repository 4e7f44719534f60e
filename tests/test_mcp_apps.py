"""The page that clients draw: bound to its tools, self-contained, and drawn by a real browser with a host around it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.mcp_clients import ERAS, Era, in_memory

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

CURVES = "ui://unity_mlops_mcp/curves.html"
RUN = {
    "run_id": "nav-1",
    "state": "succeeded",
    "summary": {"steps": 4000, "success": 0.75, "last_reward": 1.25, "reason": "It rose."},
    "series": [{"tag": "Environment/Cumulative Reward", "steps": [1000, 2000, 4000], "values": [0.1, 0.6, 1.25]}],
}
COMPARISON = {
    "verdict": "gamma 0.99 is ahead",
    "reason": "Final reward.",
    "doubt": "One seed.",
    "curves": [
        {"label": "gamma 0.99", "steps": [1, 2], "middle": [0, 2], "low": [0, 1], "high": [0, 3]},
        {"label": "gamma 0.9", "steps": [1, 2], "middle": [0, 1], "low": [0, 1], "high": [0, 1]},
    ],
    "statistics": {"tag": "reward"},
}
HOST = """
<!doctype html><body><iframe id="app" width="640" height="480"></iframe><pre id="seen"></pre><script>
const page = {page}, result = {result}, theme = {theme}, frame = document.getElementById("app"), asked = [];
addEventListener("message", event => {{
  const message = event.data;
  asked.push(message.method || "answer");
  if (message.method === "ui/initialize")
    frame.contentWindow.postMessage({{jsonrpc: "2.0", id: message.id, result: {{hostContext: {{theme}}}}}}, "*");
  if (message.method === "ui/notifications/initialized")
    frame.contentWindow.postMessage({{jsonrpc: "2.0", method: "ui/notifications/tool-result", params: result}}, "*");
  if (message.method === "tools/call")
    frame.contentWindow.postMessage({{jsonrpc: "2.0", id: message.id, result: {{structuredContent: {later}}}}}, "*");
}});
frame.srcdoc = page;
setInterval(() => {{
  const inner = frame.contentDocument;
  const shown = inner && {{
    title: inner.getElementById("title").textContent, text: inner.getElementById("text").textContent,
    charts: inner.querySelectorAll("svg").length, lines: inner.querySelectorAll("polyline").length,
    bands: inner.querySelectorAll("polygon").length, legend: inner.querySelectorAll("li").length,
    theme: inner.documentElement.dataset.theme, label: (inner.querySelector("svg title") || {{}}).textContent, asked,
  }};
  document.getElementById("seen").textContent = JSON.stringify(shown);
}}, 50);
</script>
"""


@pytest.fixture(scope="module")
def chromium() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium: install it to draw the page that MCP clients show")
    return found


def embedded(data: Any) -> str:
    return json.dumps(data).replace("</", "<\\/")


async def page_of(era: Era) -> str:
    async with in_memory(era) as client:
        (content,) = (await client.read_resource(CURVES)).contents
    return str(getattr(content, "text", ""))


def drawn(chromium: str, folder: Path, page: str, result: Any, *, later: Any = None, theme: str = "dark") -> Any:
    """What a reader sees after some seconds of the browser's own time."""
    host = folder / "host.html"
    parts = {"page": page, "result": {"structuredContent": result}, "later": later or RUN, "theme": theme}
    host.write_text(HOST.format(**{name: embedded(part) for name, part in parts.items()}), "utf-8")
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=6000", "--dump-dom"]
    profile = f"--user-data-dir={folder / 'profile'}"
    done = subprocess.run([*command, profile, host.as_uri()], capture_output=True, text=True, timeout=120, check=False)
    seen = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)
    assert seen is not None, done.stderr[-2000:]
    return json.loads(seen[1].replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">"))


@pytest.mark.parametrize("era", ERAS)
async def test_two_tools_carry_the_page_and_it_needs_nothing_else(era: Era) -> None:
    async with in_memory(era) as client:
        tools = {tool.name: tool.meta or {} for tool in (await client.list_tools()).tools}
        (content,) = (await client.read_resource(CURVES)).contents
    carrying = {name for name, meta in tools.items() if meta.get("ui", {}).get("resourceUri") == CURVES}
    assert carrying == {"get_metrics", "compare_runs"}
    assert tools["get_metrics"]["ui/resourceUri"] == CURVES
    assert content.mime_type == "text/html;profile=mcp-app"
    page = str(getattr(content, "text", ""))
    assert set(re.findall(r"https?://[^\"' ]+", page)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<(link|img|script)[^>]+(src|href)=", page)


async def test_a_browser_draws_a_run_with_its_words(chromium: str, tmp_path: Path) -> None:
    seen = drawn(chromium, tmp_path, await page_of("auto"), RUN)
    assert seen["title"] == "nav-1: succeeded"
    assert seen["text"].startswith("4,000 steps, success 75 %, reward 1.25. It rose.")
    assert (seen["charts"], seen["lines"], seen["theme"]) == (1, 1, "dark")
    assert "from 0.1 to 1.25" in seen["label"]
    assert "tools/call" not in seen["asked"]
    assert "ui/notifications/size-changed" in seen["asked"]


async def test_a_run_that_goes_on_is_looked_at_again(chromium: str, tmp_path: Path) -> None:
    going = {**RUN, "state": "running", "series": []}
    seen = drawn(chromium, tmp_path, await page_of("auto"), going, later=RUN)
    assert "tools/call" in seen["asked"]
    assert (seen["title"], seen["charts"]) == ("nav-1: succeeded", 1)


async def test_a_comparison_has_bands_and_a_legend(chromium: str, tmp_path: Path) -> None:
    seen = drawn(chromium, tmp_path, await page_of("auto"), COMPARISON, theme="light")
    assert seen["title"] == "gamma 0.99 is ahead"
    assert seen["text"] == "Final reward. One seed."
    assert (seen["lines"], seen["bands"], seen["legend"], seen["theme"]) == (2, 2, 2, "light")


async def test_what_cannot_be_drawn_is_told(chromium: str, tmp_path: Path) -> None:
    seen = drawn(chromium, tmp_path, await page_of("auto"), {"other": 1})
    assert seen["title"] == "There is nothing to draw"
