"""A stand-in for Vertex AI's registry of models: REST and gRPC servers over one memory, with failures on demand."""

from __future__ import annotations

import datetime as dt
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.api_core import exceptions as untyped
from google.cloud import aiplatform_v1
from google.longrunning import operations_pb2
from google.protobuf import json_format

exceptions: Any = untyped
TYPES: Any = aiplatform_v1.types
ALIAS = re.compile(r"[a-z][a-zA-Z0-9-]{0,126}[a-z0-9-]")
LABEL = re.compile(r"[a-z0-9_-]{0,63}")
CALLS = ("UploadModel", "GetModel", "ListModelVersions", "MergeVersionAliases", "UpdateModel")
PLACE = r"projects/[^/]+/locations/[^/]+"
ROUTES = (
    ("POST", rf"(?P<parent>{PLACE})/models:upload", "UploadModel"),
    ("GET", r"(?P<name>projects/.+/operations/\d+)", "GetOperation"),
    ("GET", rf"(?P<name>{PLACE}/models/[^/:]+):listVersions", "ListModelVersions"),
    ("POST", rf"(?P<name>{PLACE}/models/[^/:]+):mergeVersionAliases", "MergeVersionAliases"),
    ("GET", rf"(?P<name>{PLACE}/models/[^/:]+)", "GetModel"),
    ("PATCH", rf"(?P<name>{PLACE}/models/[^/:]+)", "UpdateModel"),
)


class DroppedError(Exception):
    """The connection is cut without an answer."""


@dataclass
class Fault:
    """What goes wrong with a call, and how often; ``after``: its work is done all the same."""

    error: Exception
    times: int = 1
    after: bool = False


@dataclass
class Registry:
    """The models: name → versions, the oldest first; an upload shows once its operation has been polled ``slow`` times.

    Attributes:
        faults: by call.
        slow: polls until a new operation is done.
        asked: the calls, in their order.
        met: set at every call; a test waits for one by it.
    """

    models: dict[str, list[Any]] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    slow: int = 0
    fails: str | None = None
    asked: list[str] = field(default_factory=list)
    waiting: dict[str, tuple[list[int], Any, list[str]]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def call(self, name: str, request: Any) -> Any:
        with self.lock:
            self.asked.append(name)
            fault = self.faults.get(name)
            if fault is not None and fault.times:
                fault.times -= 1
                if fault.after:
                    getattr(self, name)(request)
                raise fault.error
            return getattr(self, name)(request)

    def UploadModel(self, request: Any) -> Any:  # noqa: N802 - the service's names
        if not request.model.container_spec.image_uri:
            raise exceptions.InvalidArgument("model.container_spec.image_uri is required")
        for value in request.model.labels.values():
            if not LABEL.fullmatch(value):
                raise exceptions.InvalidArgument(f"bad label {value!r}")
        name = request.parent_model or f"{request.parent}/models/{request.model_id}"
        if request.parent_model and name not in self.models:
            raise exceptions.NotFound(f"{name} does not exist")
        if not request.parent_model and name in self.models:
            raise exceptions.AlreadyExists(f"{name} exists")
        model = TYPES.Model(request.model)
        model.name = name
        aliases, model.version_aliases = list(model.version_aliases), []
        operation = f"{name}/operations/{len(self.waiting) + 1}"
        self.waiting[operation] = ([self.slow], model, aliases)
        if self.slow == 0 and self.fails is None:
            self._appear(model, aliases)
        return operations_pb2.Operation(name=operation)

    def _appear(self, model: Any, aliases: list[str]) -> None:
        versions = self.models.setdefault(model.name, [])
        model.version_id = str(len(versions) + 1)
        versions.append(model)
        self._point(versions, model, [*aliases, *(["default"] if len(versions) == 1 else [])])

    def GetOperation(self, request: Any) -> Any:  # noqa: N802
        if request.name not in self.waiting:
            raise exceptions.NotFound(f"{request.name} does not exist")
        left, model, aliases = self.waiting[request.name]
        operation = operations_pb2.Operation(name=request.name)
        if left[0] > 0:
            left[0] -= 1
            return operation
        operation.done = True
        if self.fails is not None:
            operation.error.code, operation.error.message = 3, self.fails
            return operation
        if not model.version_id:
            self._appear(model, aliases)
        answer = TYPES.UploadModelResponse(model=model.name, model_version_id=model.version_id)
        operation.response.Pack(TYPES.UploadModelResponse.pb(answer))
        return operation

    def _find(self, name: str) -> tuple[list[Any], Any]:
        base, _, wanted = name.partition("@")
        versions = self.models.get(base, [])
        for version in versions:
            if (wanted or "default") in (version.version_id, *version.version_aliases):
                return versions, version
        raise exceptions.NotFound(f"{name} does not exist")

    def _point(self, versions: list[Any], to: Any, changes: list[str]) -> None:
        for alias in changes:
            if alias == "-default":
                raise exceptions.InvalidArgument("default cannot be removed, only moved")
            if not ALIAS.fullmatch(alias.removeprefix("-")):
                raise exceptions.InvalidArgument(f"bad alias {alias!r}")
            for version in [to] if alias.startswith("-") else versions:
                version.version_aliases = [a for a in version.version_aliases if a != alias.removeprefix("-")]
            if not alias.startswith("-"):
                to.version_aliases = [*to.version_aliases, alias]

    def GetModel(self, request: Any) -> Any:  # noqa: N802
        return self._find(request.name)[1]

    def ListModelVersions(self, request: Any) -> Any:  # noqa: N802
        return TYPES.ListModelVersionsResponse(models=self._find(request.name)[0])

    def MergeVersionAliases(self, request: Any) -> Any:  # noqa: N802
        versions, version = self._find(request.name)
        self._point(versions, version, list(request.version_aliases))
        return version

    def UpdateModel(self, request: Any) -> Any:  # noqa: N802
        version = self._find(request.model.name)[1]
        for name in request.update_mask.paths:
            setattr(version, name, getattr(request.model, name))
        return version

    def aliases(self, model: str) -> dict[str, str]:
        """Alias → version of the only model whose name ends so."""
        found = next(versions for name, versions in self.models.items() if name.endswith(f"/{model}"))
        return {alias: version.version_id for version in found for alias in version.version_aliases}


def _message(result: Any) -> Any:
    return type(result).pb(result) if hasattr(type(result), "pb") else result


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def answer(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
        try:
            code, out = 200, self._result(body)
        except DroppedError:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        except exceptions.GoogleAPICallError as error:
            status = error.grpc_status_code.name if error.grpc_status_code else "UNKNOWN"
            code = int(error.code or 500)
            out = {"error": {"code": code, "message": error.message, "status": status}}
        content = json.dumps(out).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _result(self, body: dict[str, Any]) -> Any:
        url = urlsplit(self.path)
        path = re.sub("^/(v1|ui)/", "", unquote(url.path))
        for verb, pattern, call in ROUTES:
            found = re.fullmatch(pattern, path)
            if verb == self.command and found:
                result = self.server.registry.call(
                    call, self._request(call, body, found.groupdict(), parse_qs(url.query))
                )
                return json_format.MessageToDict(_message(result))
        raise exceptions.MethodNotImplemented(f"{self.command} {url.path}")

    def _request(self, call: str, body: dict[str, Any], named: dict[str, Any], query: dict[str, Any]) -> Any:
        if call == "GetOperation":
            return operations_pb2.GetOperationRequest(name=named["name"])
        kind = getattr(TYPES, f"{call}Request")
        if call == "UpdateModel":
            body, named = {"model": body | named, "updateMask": query["updateMask"][0]}, {}
        return kind(json_format.ParseDict(body | named, kind.pb(kind()), ignore_unknown_fields=True))

    do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - the library's names


@contextmanager
def rest(registry: Registry) -> Iterator[str]:
    """Serve it by REST; gives the endpoint, ``http://…``."""
    with _served(_Server(registry)) as address:
        yield address


@contextmanager
def _served(server: ThreadingHTTPServer) -> Iterator[str]:
    thread = threading.Thread(target=lambda: server.serve_forever(0.01))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def refusing(code: int) -> Iterator[str]:
    """A service that answers everything with one status; gives its address."""

    class Refusing(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            content = json.dumps({"error": {"code": code, "message": "refused"}}).encode()
            self.send_response(code)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PUT = do_GET  # noqa: N815

    with _served(ThreadingHTTPServer(("127.0.0.1", 0), Refusing)) as address:
        yield address


@contextmanager
def rpc(registry: Registry, folder: Path) -> Iterator[tuple[str, Path]]:
    """Serve it by gRPC over TLS; gives ``localhost:port`` and the certificate that a client has to trust."""

    def handler(call: str) -> Any:
        def answer(content: bytes, context: Any) -> bytes:
            kind: Any = getattr(TYPES, f"{call}Request", None)
            request = kind.deserialize(content) if kind else operations_pb2.GetOperationRequest.FromString(content)
            try:
                return bytes(_message(registry.call(call, request)).SerializeToString())
            except DroppedError:
                context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")
            except exceptions.GoogleAPICallError as error:
                context.abort(error.grpc_status_code or grpc.StatusCode.UNKNOWN, str(error.message))
            raise AssertionError

        return grpc.unary_unary_rpc_method_handler(answer)

    generic: Callable[..., Any] = grpc.method_handlers_generic_handler
    with futures.ThreadPoolExecutor(4) as pool:
        server = grpc.server(pool)
        server.add_generic_rpc_handlers(
            (
                generic("google.cloud.aiplatform.v1.ModelService", {call: handler(call) for call in CALLS}),
                generic("google.longrunning.Operations", {"GetOperation": handler("GetOperation")}),
            )
        )
        key, certificate = _self_signed()
        trusted = folder / "trusted.pem"
        trusted.write_bytes(certificate)
        port = server.add_secure_port("localhost:0", grpc.ssl_server_credentials([(key, certificate)]))
        server.start()
        try:
            yield f"localhost:{port}", trusted
        finally:
            server.stop(None).wait()


def service_account(folder: Path) -> Path:
    """The key file of a service account that nobody knows; it signs its calls itself, so that no one is asked."""
    path = folder / "service account.json"
    data = {
        "type": "service_account",
        "project_id": "studio-project",
        "private_key_id": "0123456789",
        "private_key": _pem(_key()).decode(),
        "client_email": "robot@studio-project.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": "http://127.0.0.1:9/token",
        "universe_domain": "googleapis.com",
    }
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    form, encoding = serialization.PrivateFormat.PKCS8, serialization.Encoding.PEM
    return key.private_bytes(encoding, form, serialization.NoEncryption())


def _self_signed() -> tuple[bytes, bytes]:
    """A key and a certificate for ``localhost``, both as PEM."""
    key, name = _key(), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _pem(key), certificate.public_bytes(serialization.Encoding.PEM)
