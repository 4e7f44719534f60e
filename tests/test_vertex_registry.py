"""Versions in Vertex AI, by Google's own library against a stand-in service and an emulator of its storage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from google.cloud import storage as google_storage

from tests.stand_ins.vertex import DroppedError, Fault, Registry, exceptions, refusing
from tests.vertex_world import BUCKET, PROJECT, by_rest, register
from unity_mlops_mcp import config
from unity_mlops_mcp.errors import ExternalError, InvalidInputError, SetupError
from unity_mlops_mcp.registry.vertex.client import VertexRegistry
from unity_mlops_mcp.registry.vertex.job import PENDING, upload_of
from unity_mlops_mcp.registry.vertex.records import VertexUpload, VertexVersion, vertex_alias
from unity_mlops_mcp.registry.vertex.target import target_of
from unity_mlops_mcp.store.store import Store

pytestmark = pytest.mark.slow  # runs under one Python, by `make test`


@pytest.fixture
def vertex(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    home.mkdir()
    with by_rest(monkeypatch, tmp_path) as registry:
        yield registry


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with Store(home) as store:
        yield store


def put(upload: VertexUpload, *, timeout_s: float = 20.0) -> VertexVersion:
    target = target_of(config.settings()).model_copy(update={"timeout_s": timeout_s})
    with closing(VertexRegistry(target)) as registry:
        return registry.upload(upload, pending=upload.folder / PENDING)


def objects() -> dict[str, bytes]:
    client = google_storage.Client(project=PROJECT)
    found = {blob.name: blob.download_as_bytes() for blob in client.list_blobs(BUCKET)}
    client.close()
    return found


def test_a_version_is_uploaded_with_its_files_labels_and_image(vertex: Registry, store: Store) -> None:
    row = register(store)
    version = put(upload_of(store, row.version_id))
    assert version.name == f"projects/{PROJECT}/locations/europe-west4/models/navigationagent@1"
    assert version.artifact_uri == f"gs://{BUCKET}/unity-mlops/models/navigationagent/{row.version_id}"
    assert {name.rpartition("/")[2]: content for name, content in objects().items()} == {
        "policy.onnx": b"a policy",
        "version.json": b"{}",
    }
    (model,) = vertex.models[version.resource_name]
    assert model.display_name == "NavigationAgent"
    assert model.labels["unity-mlops-version"] == row.version_id
    assert (
        model.container_spec.image_uri == "europe-west4-docker.pkg.dev/studio-project/unity-mlops/policy-server:latest"
    )
    assert not (upload_of(store, row.version_id).folder / PENDING).exists()


def test_the_same_policy_again_is_the_same_version_and_another_is_the_next(vertex: Registry, store: Store) -> None:
    first, second = (upload_of(store, register(store, content).version_id) for content in (b"one", b"two"))
    assert (put(first).vertex_version, put(second).vertex_version) == ("1", "2")
    again = put(first)
    assert (again.vertex_version, again.found) == ("1", True)
    assert vertex.asked.count("UploadModel") == 2


def test_an_upload_moves_no_alias_but_the_default_of_the_first(vertex: Registry, store: Store) -> None:
    for content in (b"one", b"two"):
        put(upload_of(store, register(store, content).version_id))
    assert vertex.aliases("navigationagent") == {"default": "1"}


def test_a_promotion_moves_the_alias_and_a_rollback_moves_it_back(vertex: Registry, store: Store) -> None:
    one, two = (put(upload_of(store, register(store, content).version_id)) for content in (b"one", b"two"))
    with closing(VertexRegistry(target_of(config.settings()))) as registry:
        assert registry.holder("navigationagent", "production") is None
        registry.move_aliases(one, ["production"])
        assert registry.move_aliases(two, ["production"]) == ("default", "production")
        assert vertex.aliases("navigationagent") == {"production": "2", "default": "2"}
        registry.move_aliases(one, ["production"])
        holder = registry.holder("navigationagent", "production")
        assert holder is not None
        assert holder.version_id == "1"
        registry.move_aliases(two, ["Staging Area"])
        assert registry.drop_alias(two, "Staging Area") == ()


def test_labels_are_added_to_those_there_are(vertex: Registry, store: Store) -> None:
    version = put(upload_of(store, register(store).version_id))
    with closing(VertexRegistry(target_of(config.settings()))) as registry:
        labels = registry.set_labels(version, {"gate": "passed"})
    assert labels == {**version.labels, "gate": "passed"}
    assert dict(vertex.models[version.resource_name][0].labels) == labels


@pytest.mark.parametrize(
    "error",
    [exceptions.ServiceUnavailable("busy"), exceptions.TooManyRequests("quota"), DroppedError()],
    ids=["busy", "quota", "dropped"],
)
@pytest.mark.parametrize("call", ["ListModelVersions", "UploadModel", "GetOperation"])
def test_what_passes_is_tried_again(vertex: Registry, store: Store, call: str, error: Exception) -> None:
    vertex.faults[call] = Fault(error, times=2)
    assert put(upload_of(store, register(store).version_id)).vertex_version == "1"
    assert len(vertex.models) == 1


def test_an_upload_whose_answer_was_lost_is_not_sent_twice(vertex: Registry, store: Store) -> None:
    put(upload_of(store, register(store, b"one").version_id))
    vertex.faults["UploadModel"] = Fault(DroppedError(), after=True)
    assert put(upload_of(store, register(store, b"two").version_id)).vertex_version == "2"
    assert len(vertex.models[f"projects/{PROJECT}/locations/europe-west4/models/navigationagent"]) == 2


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (exceptions.Forbidden("no aiplatform.models.upload for Bearer ya29.secret-token"), "vertex_permission"),
        (exceptions.TooManyRequests("quota"), "vertex_quota"),
        (exceptions.ServiceUnavailable("busy"), "vertex_unavailable"),
        (exceptions.Unauthorized("bad"), "gcp_credentials"),
        (exceptions.BadRequest("the image cannot be used"), "vertex_refused"),
    ],
)
def test_a_failure_that_stays_is_told_without_a_secret(
    vertex: Registry, store: Store, error: Exception, cause: str
) -> None:
    row = register(store)
    vertex.faults["UploadModel"] = Fault(error, times=1000)
    with pytest.raises((ExternalError, SetupError)) as raised:
        put(upload_of(store, row.version_id), timeout_s=1.5)
    assert raised.value.cause == cause
    assert PROJECT in raised.value.message
    assert "secret" not in str(raised.value)
    assert store.models.version(row.version_id) == row
    vertex.faults.clear()
    assert put(upload_of(store, row.version_id)).vertex_version == "1"


def test_a_slow_registration_is_waited_for(vertex: Registry, store: Store) -> None:
    vertex.slow = 4
    assert put(upload_of(store, register(store).version_id)).vertex_version == "1"
    assert vertex.asked.count("GetOperation") == 5


def test_a_registration_too_slow_is_told_and_found_by_the_next_call(vertex: Registry, store: Store) -> None:
    upload = upload_of(store, register(store).version_id)
    vertex.slow = 1000
    with pytest.raises(ExternalError) as raised:
        put(upload, timeout_s=1.0)
    assert raised.value.cause == "vertex_slow"
    for left, _, _ in vertex.waiting.values():
        left[0] = 1
    assert put(upload).found
    assert vertex.asked.count("UploadModel") == 1


def test_a_registration_that_fails_there_is_told_and_can_be_repeated(vertex: Registry, store: Store) -> None:
    upload = upload_of(store, register(store).version_id)
    vertex.fails = "the image cannot be pulled"
    with pytest.raises(ExternalError, match="cannot be pulled") as raised:
        put(upload)
    assert raised.value.cause == "vertex_upload_failed"
    vertex.fails = None
    vertex.waiting.clear()
    assert put(upload).vertex_version == "1"


def test_an_upload_cut_off_before_its_answer_is_looked_for_and_then_sent_again(vertex: Registry, store: Store) -> None:
    upload = upload_of(store, register(store).version_id)
    (upload.folder / PENDING).write_bytes(b"sent")
    assert put(upload, timeout_s=1.5).vertex_version == "1"
    assert vertex.asked.index("UploadModel") > 1
    assert not (upload.folder / PENDING).exists()


def test_a_file_that_is_there_is_not_copied_again(vertex: Registry, store: Store) -> None:
    upload = upload_of(store, register(store).version_id)
    vertex.faults["UploadModel"] = Fault(exceptions.BadRequest("no"))
    said: list[str] = []
    target = target_of(config.settings())
    with closing(VertexRegistry(target)) as registry:
        with pytest.raises(ExternalError):
            registry.upload(upload, pending=upload.folder / PENDING, report=said.append)
        assert sum("copying" in line for line in said) == 2
        said.clear()
        assert not (upload.folder / PENDING).exists()
        registry.upload(upload, pending=upload.folder / PENDING, report=said.append)
    assert not any("copying" in line for line in said)


def test_without_a_bucket_of_that_name_nothing_is_registered(
    vertex: Registry, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = upload_of(store, register(store).version_id)
    monkeypatch.setenv("UNITY_MLOPS_VERTEX_BUCKET", "another-bucket")
    config.settings.cache_clear()
    with pytest.raises(ExternalError) as raised:
        put(upload)
    assert raised.value.cause == "vertex_not_found"
    assert "another-bucket" in raised.value.message
    assert not vertex.models


@pytest.mark.parametrize(("code", "cause"), [(403, "vertex_permission"), (503, "vertex_unavailable")])
def test_a_bucket_that_refuses_is_told_and_nothing_is_registered(
    vertex: Registry, store: Store, monkeypatch: pytest.MonkeyPatch, code: int, cause: str
) -> None:
    upload = upload_of(store, register(store).version_id)
    with refusing(code) as address:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        with pytest.raises(ExternalError) as raised:
            put(upload, timeout_s=2.0)
    assert raised.value.cause == cause
    assert not vertex.models


def test_without_credentials_nothing_is_uploaded(
    vertex: Registry, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = upload_of(store, register(store).version_id)
    damaged = tmp_path / "damaged.json"
    damaged.write_text('{"private_key": "very-secret"}')
    for path in (tmp_path / "missing.json", damaged):
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
        with pytest.raises(SetupError) as raised:
            put(upload)
        assert raised.value.cause == "gcp_credentials"
        assert "gcloud auth" in raised.value.fix
        assert "very-secret" not in str(raised.value)
    assert not vertex.asked
    assert not objects()


def test_all_that_is_missing_is_told_at_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOOGLE_CLOUD_PROJECT", "UNITY_MLOPS_VERTEX_PROJECT", "UNITY_MLOPS_VERTEX_BUCKET"):
        monkeypatch.delenv(name, raising=False)
    config.settings.cache_clear()
    with pytest.raises(SetupError, match="no project and no bucket") as raised:
        target_of(config.settings())
    assert "GOOGLE_CLOUD_PROJECT" in raised.value.fix
    assert "UNITY_MLOPS_VERTEX_BUCKET" in raised.value.fix
    assert not home.exists()


@pytest.mark.parametrize(
    ("what", "value"), [("project", "My Project"), ("region", "europe"), ("region", "eu/../west1")]
)
def test_a_name_that_cannot_be_one_is_refused(
    what: str, value: str, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("UNITY_MLOPS_VERTEX_BUCKET", BUCKET)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
    config.settings.cache_clear()
    with pytest.raises(InvalidInputError, match=what):
        target_of(config.settings(), **{what: value})
    assert not home.exists()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("production", "production"), ("Last Good", "last-good"), ("2", "a-2"), ("v1.0", "v1-0"), ("x", "x-alias")],
)
def test_an_alias_is_spelled_as_vertex_takes_it(ours: str, theirs: str) -> None:
    assert vertex_alias(ours) == theirs
