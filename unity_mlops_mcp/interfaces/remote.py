"""A client of a service that runs elsewhere: the operations at their REST addresses, with patience."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unity_mlops_mcp.errors import ExternalError, InvalidInputError, MlopsError, NotFoundError
from unity_mlops_mcp.interfaces.http.routes import ROUTES, Route

_TIMEOUT_S = 90.0  # longer than the longest wait_for
_BUSY = frozenset({429, 503})
_AWAY = frozenset({502, 504})
"""What a proxy answers for a service that is not there."""
_WAIT_S = 50


class RemoteService:
    """A service at an address.

    Args:
        url: where it answers, such as ``https://127.0.0.1:8765``.
        token: what opens it.
        ca_file: certificates of the authority that signed its own; default: those of this machine.
        patience_s: how long it may be away, as while it is started anew.
        pause_s: seconds between two calls meanwhile.

    Raises:
        InvalidInputError: the address is none.
        NotFoundError: there is no such file.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str,
        ca_file: Path | None = None,
        patience_s: float = 300.0,
        pause_s: float = 2.0,
    ) -> None:
        self._url = _checked(url)
        self._token = token
        self._patience_s, self._pause_s = patience_s, pause_s
        if ca_file is not None and not ca_file.is_file():
            raise NotFoundError(f"There is no file {ca_file}.", fix="Give certificates as a PEM file.")
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        self._opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), _NoRedirects())

    def call(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Call an operation by a tool's name and give its result.

        While the service is away it is called again, so that what starts something needs an ``idempotency_key``.

        Raises:
            InvalidInputError: there is no such operation, or its arguments cannot be used.
            MlopsError: what the service refused, in its words.
            ExternalError: it could not be reached.
        """
        route = _route(operation)
        left = dict(arguments)
        path = re.sub(r"\{(\w+)\}", lambda match: urllib.parse.quote(str(left.pop(match[1], "")), safe=""), route.path)
        request = self._request(route, path, left)
        end = time.monotonic() + self._patience_s
        while True:
            try:
                return self._send(request)
            except _AwayError as error:
                if time.monotonic() > end:
                    raise ExternalError(
                        f"{self._url} did not answer within {self._patience_s:g} s: {error}.",
                        fix="Check the address, the network policy and whether the service runs: GET /healthz.",
                        cause="service_away",
                    ) from error
            time.sleep(self._pause_s)

    def wait(self, job_id: str) -> dict[str, Any]:
        """Wait until a job or run has ended; its last status.

        Raises:
            MlopsError: as `call`.
        """
        while True:
            status = self.call("wait_for", {"id": job_id, "timeout_s": _WAIT_S})
            if status["done"]:
                return status

    def _request(self, route: Route, path: str, arguments: Mapping[str, Any]) -> urllib.request.Request:
        url, body = f"{self._url}/api/v1{path}", None
        if route.method == "GET" and arguments:
            url = f"{url}?{urllib.parse.urlencode(arguments)}"
        if route.method == "POST":
            body = json.dumps(arguments).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        return urllib.request.Request(url, data=body, headers=headers, method=route.method)  # noqa: S310 - checked

    def _send(self, request: urllib.request.Request) -> dict[str, Any]:
        status, body = self._exchange(request)
        if status != http.client.OK:
            raise _refusal(status, body)
        try:
            found: dict[str, Any] = json.loads(body)
        except ValueError as error:
            raise _AwayError(f"its answer is no JSON: {error}") from error
        return found

    def _exchange(self, request: urllib.request.Request) -> tuple[int, bytes]:
        """Send a request; the status and the whole body of the answer."""
        try:
            return self._read(request)
        except (OSError, http.client.HTTPException) as error:  # the latter: cut off in its body, or no HTTP at all
            why = error.reason if isinstance(error, urllib.error.URLError) else error
            if isinstance(why, ssl.SSLError):
                raise _untrusted(why) from error
            raise _AwayError(str(why)) from error

    def _read(self, request: urllib.request.Request) -> tuple[int, bytes]:
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read()


class _AwayError(Exception):
    """The service is not there, for now; or what it answered did not arrive whole."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect could carry the token to somebody else."""

    def redirect_request(self, *arguments: Any) -> None:
        """Follow none."""
        del arguments


def _checked(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
        raise InvalidInputError(f"{url!r} is no address of a service.", fix="Such as https://127.0.0.1:8765.")
    return url.rstrip("/")


def _route(operation: str) -> Route:
    name = operation.replace("-", "_")
    found = next((route for route in ROUTES if route.tool == name), None)
    if found is None:
        known = ", ".join(route.tool.replace("_", "-") for route in ROUTES)
        raise InvalidInputError(f"There is no operation {operation!r}.", fix=f"One of: {known}.")
    return found


def _refusal(status: int, body: bytes) -> Exception:
    """What the service said, as an error of its kind; `_AwayError` when a later call may be answered."""
    try:
        told = json.loads(body)
        cause, message, fix = told["cause"], told["message"], told["fix"]
    except (ValueError, KeyError, TypeError):  # a proxy before it speaks
        cause, message, fix = "http", f"The service answered {status}.", "Look into its log."
    if status in _BUSY or (cause == "http" and status in _AWAY):
        return _AwayError(message)
    kind = InvalidInputError if status == 422 else MlopsError  # noqa: PLR2004 - as the service maps it
    return kind(message, fix=fix, cause=cause)


def _untrusted(error: ssl.SSLError) -> ExternalError:
    return ExternalError(
        f"The service's certificate cannot be trusted: {error.reason or error}.",
        fix="Give its authority's certificates with --ca-file, and call it by a name in its certificate.",
        cause="untrusted_certificate",
    )
