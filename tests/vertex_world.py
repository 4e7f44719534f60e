"""A home with a registered version in it, a stand-in Vertex AI and an emulator of Cloud Storage."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from gcp_storage_emulator.server import create_server

from tests.stand_ins.vertex import Registry, rest, rpc, service_account
from unity_mlops_mcp import config
from unity_mlops_mcp.registry.naming import version_folder
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.store.rows import ModelRow, VersionRow
from unity_mlops_mcp.store.store import Store

PROJECT, BUCKET = "studio-project", "studio-models"


@contextmanager
def storage(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """An emulator of Cloud Storage with one bucket."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = create_server("127.0.0.1", port, in_memory=True, default_bucket=BUCKET)
    server.start()
    patch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
    try:
        yield
    finally:
        server.stop()


@contextmanager
def by_rest(patch: pytest.MonkeyPatch, folder: Path) -> Iterator[Registry]:
    """A stand-in that is spoken to by REST, all settings made for it."""
    registry = Registry()
    with storage(patch), rest(registry) as endpoint:
        _set(patch, folder, endpoint)
        yield registry


@contextmanager
def by_grpc(patch: pytest.MonkeyPatch, folder: Path) -> Iterator[Registry]:
    """The same by gRPC, for processes that are started from now on."""
    registry = Registry()
    with storage(patch), rpc(registry, folder) as (endpoint, trusted):
        _set(patch, folder, endpoint)
        patch.setenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", str(trusted))
        yield registry


def _set(patch: pytest.MonkeyPatch, folder: Path, endpoint: str) -> None:
    patch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
    patch.setenv("VERTEX_REGION", "europe-west4")
    patch.setenv("UNITY_MLOPS_VERTEX_BUCKET", BUCKET)
    patch.setenv("UNITY_MLOPS_VERTEX_ENDPOINT", endpoint)
    patch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(service_account(folder)))
    config.settings.cache_clear()


def register(store: Store, content: bytes = b"a policy", *, title: str = "NavigationAgent") -> VersionRow:
    """A version in the local registry, with its files."""
    name, sha256 = title.lower(), hashlib.sha256(content).hexdigest()

    def make(number: int) -> VersionRow:
        version_id = f"unity-{name}-20260222-{sha256[:7]}-v{number:03d}"
        return VersionRow(version_id, name, number, sha256, {"description": "Goes to the target."}, utc_now())

    row, _ = store.models.add_version(ModelRow(name, title, utc_now()), sha256, make)
    folder = version_folder(store.home, name, row.version_id)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "policy.onnx").write_bytes(content)
    (folder / "version.json").write_text("{}")
    return row
