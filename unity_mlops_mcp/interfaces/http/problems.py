"""Errors as HTTP says them: a status, and the same record everywhere."""

from __future__ import annotations

from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from unity_mlops_mcp.errors import (
    ConflictError,
    ExternalError,
    InvalidInputError,
    MlopsError,
    NotFoundError,
    SetupError,
    refused_by_system,
)
from unity_mlops_mcp.results.base import FailureResult

_STATUS: dict[type[MlopsError], int] = {
    InvalidInputError: 422,
    NotFoundError: 404,
    ConflictError: 409,
    SetupError: 424,
    ExternalError: 502,
}
_UNAVAILABLE = frozenset({"store_unavailable", "store_damaged"})
_PLAIN = {
    400: ("invalid_body", "The body cannot be read.", "Send JSON in UTF-8, or a form where a page has one."),
    404: ("not_found", "There is nothing at this address.", "GET /api/v1/openapi.json lists what there is."),
    405: ("method_not_allowed", "This address does not take that method.", "The Allow header names those it takes."),
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": FailureResult, "description": description}
    for status, description in {
        400: "The body cannot be read.",
        401: "No valid token.",
        403: "The token's scope is not enough, or the request came from a foreign page.",
        404: "No such run, job, model or file.",
        409: "It exists, is busy or changed meanwhile.",
        413: "The body is too large.",
        422: "The input cannot be used.",
        424: "This machine lacks something.",
        429: "Too many requests.",
        502: "A program or service that we drive failed.",
        503: "The state of this home cannot be used now.",
    }.items()
}
"""What every route may answer instead, for the OpenAPI document."""


class Problem(Exception):  # noqa: N818 - it is what the client is told
    """An answer that is no success; raised anywhere behind the guard."""

    def __init__(self, status: int, cause: str, message: str, fix: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.cause, self.message, self.fix, self.headers = status, cause, message, fix, headers

    def response(self) -> Response:
        """The answer."""
        return problem(self.status, self.cause, self.message, self.fix, headers=self.headers)


def problem(
    status: int,
    cause: str,
    message: str,
    fix: str,
    *,
    evidence: tuple[str, ...] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """One answer that is no success."""
    body = {"cause": cause, "message": message, "fix": fix, "evidence": list(evidence)}
    return JSONResponse(body, status_code=status, headers=headers)


def status_of(error: MlopsError) -> int:
    """The HTTP status of an error of ours."""
    if error.cause in _UNAVAILABLE:
        return 503
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)


def told(error: MlopsError) -> Response:
    """An error of ours as an answer."""
    return problem(status_of(error), error.cause, error.message, error.fix, evidence=error.evidence)


def unexpected(error: BaseException) -> Response:
    """Any other error: what the system refused, else only that it failed; the log has the rest."""
    refused = refused_by_system(error)
    if refused is not None:
        return told(refused)
    message = f"It failed inside unity-mlops-mcp ({type(error).__name__}); nothing is known to be lost."
    return problem(500, "internal", message, "The service's log holds the details under this X-Request-ID.")


def unusable(error: RequestValidationError | ValidationError) -> Response:
    """Arguments that cannot be used, each named."""
    faults = tuple(f"{_place(fault['loc'])}: {fault['msg']}" for fault in error.errors()[:20])
    message = f"These arguments cannot be used: {'; '.join(faults[:3])}."
    return problem(422, "invalid_input", message, "GET /api/v1/openapi.json describes them.", evidence=faults)


def plain(error: HTTPException) -> Response:
    """An answer of the framework in our words."""
    cause, message, fix = _PLAIN.get(error.status_code, ("refused", str(error.detail), "See docs/http.md."))
    return problem(error.status_code, cause, message, fix, headers=dict(error.headers or {}))


def _place(loc: tuple[int | str, ...]) -> str:
    names = [str(part) for part in loc if part not in {"body", "query", "path"}]
    return ".".join(names) or "body"


async def handle_known(_: Request, error: Exception) -> Response:
    """For FastAPI: every error that we raise, or that it raises itself."""
    match error:
        case Problem():
            return error.response()
        case MlopsError():
            return told(error)
        case RequestValidationError():
            return unusable(error)
        case HTTPException():
            return plain(error)
        case _:
            return unexpected(error)
