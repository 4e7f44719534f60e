"""REST is what its OpenAPI document says, whatever is sent: no 5xx, no answer that breaks the schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from schemathesis.specs.openapi.schemas import OpenApiSchema

from tests.http_worlds import ServeProcess
from tests.report_homes import add_run
from tests.test_mcp_contract import TOOLS
from unity_mlops_mcp.interfaces.http.routes import ROUTES
from unity_mlops_mcp.store.store import Store

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]
STARTS = {"check_setup", "run_pipeline"}
"""They would install a trainer, or train: they are asked to plan only."""
SLOW = {"check_setup", "run_pipeline", "generate_behavior_script", "build_environment"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeProcess]:
    """A service whose home has a run."""
    home = tmp_path_factory.mktemp("schema") / "home"
    with Store(home) as store:
        add_run(store, "nav-1")
    with ServeProcess(home, "--rate", "0", "--log-level", "error") as service:
        yield service
        with httpx.Client(base_url=service.url, headers=service.headers, timeout=60) as client:
            for run in client.get("/api/v1/runs").json()["runs"]:
                client.post(f"/api/v1/runs/{run['run_id']}/stop")


@pytest.fixture(scope="module")
def described(service: ServeProcess) -> OpenApiSchema:
    return schemathesis.openapi.from_url(f"{service.url}/api/v1/openapi.json", headers=service.headers)


OPERATIONS = [*(route.tool for route in ROUTES if route.tool in TOOLS), "read_log", "model_card"]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_one_that_the_document_promises(
    name: str, mode: GenerationMode, service: ServeProcess, described: OpenApiSchema
) -> None:
    operation = described.find_operation_by_id(name)

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=5 if name in SLOW else 20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    def answers(case: Any) -> None:
        if name in STARTS and isinstance(case.body, dict):
            case.body = {**case.body, **({"dry_run": True} if name == "run_pipeline" else {"fix": False})}
        case.call_and_validate(headers=service.headers, checks=CHECKS)

    answers()


def test_the_document_has_every_tool_and_no_more(described: OpenApiSchema) -> None:
    results = [result.ok() for result in described.get_all_operations() if isinstance(result, Ok)]
    found = {operation.definition.raw["operationId"] for operation in results}
    assert found == {*OPERATIONS, "stream_metrics"}
