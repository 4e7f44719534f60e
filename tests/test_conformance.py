"""The MCP conformance suite, a foreign program, against the shipped service, and the same with its fixtures."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.http_worlds import FixtureProcess, ServeProcess
from tests.token_proxy import token_proxy

SUITE = os.environ.get("UNITY_MLOPS_TEST_CONFORMANCE", "")
NODE = os.environ.get("UNITY_MLOPS_TEST_NODE", "node")
REVISIONS = {"2025-11-25": 30, "2026-07-28": 37}
"""The revisions of the protocol, and how many scenarios each requires of a server."""
WITHOUT_FIXTURES = {
    "2025-11-25": {
        "server-initialize",
        "ping",
        "logging-set-level",
        "completion-complete",
        "tools-list",
        "tools-call-simple-text",
        "tools-call-error",
        "server-sse-multiple-streams",
        "resources-list",
        "prompts-list",
        "dns-rebinding-protection",
        "server-session-lifecycle",
    },
    "2026-07-28": {
        "completion-complete",
        "tools-list",
        "tools-call-simple-text",
        "tools-call-error",
        "server-sse-multiple-streams",
        "resources-list",
        "prompts-list",
        "dns-rebinding-protection",
        "sep-2164-resource-not-found",
        "caching",
        "input-required-result-missing-input-response",
        "input-required-result-unsupported-methods",
        "input-required-result-ignore-extra-params",
        "input-required-result-validate-input",
        "http-header-validation",
    },
}
"""What a server can pass that has none of the tools that the suite calls."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path(SUITE).is_file(),
        reason="no conformance suite: set UNITY_MLOPS_TEST_CONFORMANCE to its index.js and UNITY_MLOPS_TEST_NODE",
    ),
]
_LINE = re.compile(r"^([✓✗]) ([\w-]+): (\d+) passed, (\d+) failed", re.MULTILINE)
_UNSCORED = re.compile(r"^  [✓✗] ([\w-]+) \(", re.MULTILINE)


def scenarios(service: ServeProcess, revision: str, folder: Path) -> tuple[dict[str, tuple[int, int]], set[str]]:
    """How many checks of each scenario passed and failed, and which scenarios do not count."""
    with token_proxy(service.url, service.token) as url:
        done = subprocess.run(
            [NODE, SUITE, "server", "--url", f"{url}/mcp", "--requirements", revision, "-o", str(folder)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=240,
            check=False,
        )
    found = {name: (int(passed), int(failed)) for _, name, passed, failed in _LINE.findall(done.stdout)}
    assert found, done.stdout + done.stderr
    return found, set(_UNSCORED.findall(done.stdout))


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_shipped_service_passes_what_needs_no_fixture(revision: str, home: Path, tmp_path: Path) -> None:
    with ServeProcess(home, "--rate", "0", "--log-level", "warning") as service:
        found, _ = scenarios(service, revision, tmp_path / "out")
        assert service.end() == 0
    wanted = WITHOUT_FIXTURES[revision]
    assert {name: found.get(name) for name in wanted if name not in found or found[name][1]} == {}
    if revision == "2026-07-28":
        assert found["server-stateless"] == (26, 2)  # two need a tool of the suite


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_same_application_passes_all_that_is_required(revision: str, home: Path, tmp_path: Path) -> None:
    with FixtureProcess(home) as service:
        found, unscored = scenarios(service, revision, tmp_path / "out")
        assert service.end() == 0
    required = set(found) - unscored
    assert {name: found[name] for name in required if found[name][1]} == {}
    assert len(required) == REVISIONS[revision]
