"""The files that put the service elsewhere: manifests that clusters take, and a Dockerfile that says what it does."""

from __future__ import annotations

import io
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import typer.main
import yaml
from dockerfile_parse import DockerfileParser
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import REPOSITORY
from unity_mlops_mcp.app import App
from unity_mlops_mcp.config import SECRET_VARIABLES, Settings
from unity_mlops_mcp.errors import ConflictError, InvalidInputError, NotFoundError
from unity_mlops_mcp.interfaces.cli.main import command_line
from unity_mlops_mcp.interfaces.mcp.tools import make_tools
from unity_mlops_mcp.training.trainer import pins
from unity_mlops_mcp.upkeep.deployment.kubernetes import PORT, TRAINER, manifests
from unity_mlops_mcp.upkeep.deployment.settings import Deployment, DeploySettings, read_settings

SHIPPED = sorted((REPOSITORY / "deploy" / "settings").glob("*.env"))
DOCKERFILE = REPOSITORY / "deploy" / "Dockerfile"
DEPLOYMENT = REPOSITORY / "docs" / "deployment.md"
CLUSTERS = ("1.29", "1.31", kubernetes_validate.latest_version())
Manifest = dict[str, Any]


def made(path: Path) -> dict[str, Manifest]:
    return manifests(read_settings(path))


def pods(objects: dict[str, Manifest]) -> Iterator[tuple[str, Manifest]]:
    """The specification of each Pod, by the file it is in."""
    for name, data in objects.items():
        spec = data.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            yield name, spec["template"]["spec"]


def parsed(words: list[str]) -> dict[str, Any]:
    """The parameters of a command line, read as ``unity-mlops`` does."""
    command: Any = typer.main.get_command(command_line())
    rest = list(words)
    while hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    params: dict[str, Any] = command.make_context(words[0], rest).params
    return params


def settings_file(folder: Path, **variables: str) -> Path:
    path = folder / "mine.env"
    path.write_text("\n".join(f"{name}={value}" for name, value in {"DEPLOY_IMAGE": "i:1", **variables}.items()))
    return path


def test_there_are_three_small_settings_files() -> None:
    assert [path.stem for path in SHIPPED] == ["local", "production", "staging"]
    assert all(len(path.read_text().splitlines()) <= 25 for path in SHIPPED)


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_cluster_takes_every_object(path: Path, cluster: str) -> None:
    objects = made(path)
    assert {"deployment.yaml", "service.yaml", "volume.yaml", "networkpolicy.yaml", "job.yaml"} <= set(objects)
    assert ("cronjob.yaml" in objects) is (path.stem != "local")
    for data in objects.values():
        kubernetes_validate.validate(data, cluster, strict=True)


def test_the_validation_would_find_a_mistake() -> None:
    wrong = made(SHIPPED[0])["deployment.yaml"]
    wrong["spec"]["replica"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, CLUSTERS[-1], strict=True)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_home_is_one_pods_alone(path: Path) -> None:
    objects = made(path)
    spec = objects["deployment.yaml"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert objects["volume.yaml"]["spec"]["accessModes"] == ["ReadWriteOnce"]
    claims = {name for name, pod in pods(objects) for volume in pod["volumes"] if "persistentVolumeClaim" in volume}
    assert claims == {"deployment.yaml"}, "a job opened the home of the service"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_pod_is_as_little_as_it_can_be(path: Path) -> None:
    for _, pod in pods(made(path)):
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            locked = container["securityContext"]
            assert locked["readOnlyRootFilesystem"] is True
            assert locked["allowPrivilegeEscalation"] is False
            assert locked["capabilities"] == {"drop": ["ALL"]}
            assert "memory" in container["resources"]["limits"]
            assert "env" not in container or all("value" not in one for one in container["env"])


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_containers_are_started_with_commands_that_exist(path: Path) -> None:
    settings = read_settings(path).settings
    for name, pod in pods(made(path)):
        (container,) = pod["containers"]
        options = parsed(container["args"])
        mounted = [mount["mountPath"] for mount in container["volumeMounts"]]
        files = [options[key] for key in ("token_file", "tls_certificate", "tls_key", "ca_file") if options.get(key)]
        assert all(any(str(file).startswith(f"{place}/") for place in mounted) for file in files)
        if name == "deployment.yaml":
            assert (options["host"], options["port"]) == ("0.0.0.0", PORT)  # noqa: S104
            assert container["ports"] == [{"name": "http", "containerPort": PORT}]
            assert pod["terminationGracePeriodSeconds"] > options["save_s"] + 5 > 60
            assert options["no_tls"] is not bool(settings.tls_secret)
            assert f"{settings.name}.{settings.namespace}.svc" in options["allow_host"]
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                assert container[probe]["httpGet"]["scheme"] == ("HTTPS" if settings.tls_secret else "HTTP")
        else:
            assert options["url"].split("//")[1] == f"{settings.name}.{settings.namespace}.svc:{PORT}"
            assert options["wait"] is True
            assert options["idempotency_key"] == "$(JOB_NAME)"
            assert json.loads(options["arguments"]) == settings.pipeline


def test_the_jobs_are_tried_again_and_may_reach_the_service() -> None:
    objects = made(REPOSITORY / "deploy" / "settings" / "production.env")
    assert objects["job.yaml"]["spec"]["backoffLimit"] == 3
    job = objects["cronjob.yaml"]["spec"]["jobTemplate"]["spec"]
    assert job["backoffLimit"] == 3
    ingress = objects["networkpolicy.yaml"]["spec"]["ingress"][0]["from"]
    labels = job["template"]["metadata"]["labels"]
    assert ingress[0]["podSelector"]["matchLabels"].items() <= labels.items()
    assert objects["service.yaml"]["spec"]["selector"].items() <= (
        objects["deployment.yaml"]["spec"]["template"]["metadata"]["labels"].items()
    )
    assert not objects["service.yaml"]["spec"]["selector"].items() <= labels.items(), "a job is no service"


def test_a_gpu_is_asked_for_where_the_settings_say_so(tmp_path: Path) -> None:
    with_gpu = made(settings_file(tmp_path, DEPLOY_GPUS="2", DEPLOY_ACCELERATOR="nvidia-l4"))["deployment.yaml"]
    pod = with_gpu["spec"]["template"]["spec"]
    assert pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == 2
    assert pod["nodeSelector"] == {"cloud.google.com/gke-accelerator": "nvidia-l4"}
    assert pod["tolerations"][0]["key"] == "nvidia.com/gpu"
    kubernetes_validate.validate(with_gpu, CLUSTERS[-1], strict=True)
    without = made(settings_file(tmp_path))["deployment.yaml"]["spec"]["template"]["spec"]
    assert not {"nodeSelector", "tolerations"} & set(without)


def test_the_products_settings_are_passed_on_and_read_back_as_they_are(tmp_path: Path) -> None:
    objects = made(settings_file(tmp_path, UNITY_MLOPS_MAX_JOBS="7", UNITY_MLOPS_VERTEX_PROJECT="p"))
    data = objects["configmap.yaml"]["data"]
    settings = Settings.model_validate(
        {name.removeprefix("UNITY_MLOPS_").lower(): value for name, value in data.items()}
    )
    assert (settings.max_jobs, settings.vertex_project, str(settings.home)) == (7, "p", "/data")
    assert str(settings.trainer) == TRAINER
    other = made(settings_file(tmp_path, UNITY_MLOPS_MAX_JOBS="8"))["deployment.yaml"]
    assert other["spec"]["template"]["metadata"] != objects["deployment.yaml"]["spec"]["template"]["metadata"], (
        "it would not be started anew"
    )


@pytest.mark.parametrize("name", sorted(SECRET_VARIABLES))
def test_a_secret_in_a_settings_file_is_refused_without_being_shown(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as told:
        read_settings(settings_file(tmp_path, **{name: "hunter2"}))
    assert told.value.cause == "secret_in_file"
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DEPLOY_REPLICAS", "2", "no setting DEPLOY_REPLICAS"),
        ("UNITY_MLOPS_HOME", "/elsewhere", "no setting UNITY_MLOPS_HOME"),
        ("UNITY_MLOPS_MAX_JOB", "2", "no setting UNITY_MLOPS_MAX_JOB"),
        ("UNITY_MLOPS_MAX_JOBS", "many", "max_jobs"),
        ("PATH", "/bin", "no setting PATH"),
        ("DEPLOY_NAME", "Not A Name", "name"),
        ("DEPLOY_IMAGE", "untagged", "image"),
        ("DEPLOY_STORAGE", "much", "storage"),
        ("DEPLOY_PIPELINE", "{", "flow"),
        ("DEPLOY_PIPELINE", "[1]", "pipeline"),
        ("DEPLOY_EGRESS_PORTS", "https", "egress_ports"),
        ("no assignment", "", "line 2"),
        ("DEPLOY_NIGHTLY", "every day at noon", "every day at noon"),
        ("DEPLOY_NIGHTLY", "continuous", "continuous"),
        ("DEPLOY_NIGHTLY", "0 2 * * 5#3", "5#3"),
        ("DEPLOY_NIGHTLY", "0 2 * * *", "DEPLOY_PIPELINE"),
        ("DEPLOY_TIME_ZONE", "Mars/Phobos", "Mars/Phobos"),
        ("DEPLOY_EGRESS_PORTS", "99999999,-4", "egress_ports.0"),
        ("DEPLOY_HOSTS", "a b", "hosts.0"),
        ("DEPLOY_HOSTS", "lab.example,$(FOO)", "hosts.1"),
        ("DEPLOY_HOSTS", "*", "hosts.0"),
        ("DEPLOY_NAME", "9abc", "name"),
        ("DEPLOY_NAME", "a" * 60, "name"),
        ("DEPLOY_STORAGE", "0Gi", "storage"),
        ("DEPLOY_STORAGE", "5K", "storage"),
        ("DEPLOY_CPU", "0.0", "cpu"),
        ("DEPLOY_MEMORY", "0", "memory"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, value: str, said: str, tmp_path: Path) -> None:
    path = settings_file(tmp_path, **({} if " " in name else {name: value}))
    if " " in name:
        path.write_text(f"{path.read_text()}\n{name}")
    with pytest.raises(InvalidInputError) as told:
        read_settings(path)
    assert said in str(told.value)


def test_a_settings_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = settings_file(tmp_path)
    path.write_bytes(b"DEPLOY_IMAGE=i:1 \xff\n")
    with pytest.raises(InvalidInputError, match="UTF-8"):
        read_settings(path)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"DEPLOY_PIPELINE": '{"reqest": "x"}'}, "reqest"),
        (
            {"DEPLOY_IMAGE": "REGION-docker.pkg.dev/PROJECT/s:1", "UNITY_MLOPS_VERTEX_PROJECT": "PROJECT"},
            "DEPLOY_IMAGE, UNITY_MLOPS_VERTEX_PROJECT",
        ),
    ],
)
def test_nothing_is_written_that_was_not_filled_in_or_would_start_nothing(
    variables: dict[str, str], said: str, home: Path, tmp_path: Path
) -> None:
    app, path = App(Settings(home=home)), settings_file(tmp_path, **variables)
    with pytest.raises(InvalidInputError) as told:
        app.deploy_k8s(settings=str(path), output=str(tmp_path / "k8s"))
    assert said in str(told.value)
    assert not (tmp_path / "k8s").exists()


@settings(max_examples=50, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_whatever_a_wish_is_made_of_it_arrives_as_it_is(text: str) -> None:
    deployed = DeploySettings(image="i:1", nightly="0 2 * * *", pipeline={"description": text})
    objects = manifests(Deployment(settings=deployed, variables={}))
    for name in ("cronjob.yaml", "job.yaml"):
        kubernetes_validate.validate(objects[name], CLUSTERS[-1], strict=True)
    _, pod = list(pods(objects))[-1]
    words = pod["containers"][0]["args"]
    given_text = words[words.index("--arguments") + 1]
    assert not re.search(r"(?<!\$)\$\(", given_text), "Kubernetes would put a variable there"
    assert json.loads(given_text.replace("$$(", "$(")) == {"description": text}


def test_manifests_are_written_and_replaced_and_nothing_else_is(home: Path, tmp_path: Path) -> None:
    app, folder = App(Settings(home=home)), tmp_path / "k8s"
    first = app.deploy_k8s(
        settings=str(settings_file(tmp_path, DEPLOY_NIGHTLY="0 2 * * *", DEPLOY_PIPELINE='{"request": "x"}')),
        output=str(folder),
    )
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert sorted(path.name for path in folder.iterdir()) == sorted(first.files)
    assert set(kustomization["resources"]) == set(first.files) - {"kustomization.yaml", "job.yaml"}
    for name in first.files:
        kubernetes_validate_file(folder / name)

    (folder / "notes.yaml").write_text("mine: 1\n")
    app.deploy_k8s(settings=str(settings_file(tmp_path)), output=str(folder))
    assert not (folder / "cronjob.yaml").exists()
    assert (folder / "notes.yaml").read_text() == "mine: 1\n"
    (folder / "service.yaml").write_text("mine: 1\n")
    with pytest.raises(ConflictError, match=r"service\.yaml"):
        app.deploy_k8s(settings=str(settings_file(tmp_path)), output=str(folder))
    with pytest.raises(NotFoundError):
        app.deploy_k8s(settings=str(tmp_path / "none.env"), output=str(folder))
    app.close()
    assert not (home / "state.db").exists(), "it needs no home"


def kubernetes_validate_file(path: Path) -> None:
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    if data["kind"] != "Kustomization":
        kubernetes_validate.validate(data, CLUSTERS[-1], strict=True)


def instructions() -> list[dict[str, Any]]:
    """The Dockerfile, instruction by instruction."""
    parser = DockerfileParser(fileobj=io.BytesIO(DOCKERFILE.read_bytes()))
    return [one for one in parser.structure if one["instruction"] != "COMMENT"]


def values(instruction: str) -> list[str]:
    return [one["value"] for one in instructions() if one["instruction"] == instruction]


def test_the_image_is_made_from_a_pinned_base_and_runs_as_nobody_special() -> None:
    base = next(value for value in values("ARG") if value.startswith("PYTHON="))
    assert re.fullmatch(r"PYTHON=python:\d+\.\d+\.\d+-slim-\w+", base)
    assert {value.split()[0] for value in values("FROM")} == {"${PYTHON}"}
    assert values("USER") == ["10001:10001"]
    order = [one["instruction"] for one in instructions()]
    assert order.index("USER") > max(place for place, name in enumerate(order) if name in {"RUN", "COPY"})
    assert len(values("HEALTHCHECK")) == 1


def test_the_image_runs_commands_that_exist_with_settings_that_exist() -> None:
    (entry,), (command,) = values("ENTRYPOINT"), values("CMD")
    assert json.loads(entry) == ["tini", "--", "unity-mlops"]
    options = parsed(json.loads(command))
    assert options["no_tls"] is True
    assert 0 < options["save_s"] < int(re.findall(r"--stop-timeout (\d+)", DEPLOYMENT.read_text())[0]) - 5
    for run in values("RUN"):
        for line in re.findall(r"\bunity-mlops (trainer [^&]*)", run):
            assert parsed(shlex.split(line))["repair"] is False
    named = set(re.findall(r"UNITY_MLOPS_\w+", DOCKERFILE.read_text()))
    assert named <= {f"UNITY_MLOPS_{name.upper()}" for name in Settings.model_fields}
    assert f"UNITY_MLOPS_TRAINER={TRAINER}" in DOCKERFILE.read_text()


def test_what_the_image_copies_is_there_and_goes_to_the_builder() -> None:
    let_through = {
        line[1:] for line in DOCKERFILE.with_name("Dockerfile.dockerignore").read_text().split() if line[0] == "!"
    }
    for value in values("COPY"):
        words = value.split()
        if words[0].startswith("--from"):
            continue
        for name in words[:-1]:
            assert (REPOSITORY / name).exists()
            assert name.split("/")[0] in let_through


def test_the_trainers_layer_depends_on_its_pins_alone_and_is_made_as_the_product_makes_it() -> None:
    text = DOCKERFILE.read_text()
    stage = text[text.index("AS trainer") : text.index("FROM ${PYTHON}\n")]
    assert re.findall(r"^COPY (\S+)", stage, re.MULTILINE) == ["unity_mlops_mcp/training/trainer/pins/modern.txt"]
    assert "--no-deps --no-compile --ignore-requires-python --only-binary=:all: -r /tmp/packages.txt" in stage
    python = re.search(r"python:(\d+)\.(\d+)", text)
    assert python
    assert pins.list_for((int(python[1]), int(python[2]))) == "modern"


def test_the_image_holds_no_secret_and_leaves_no_lists() -> None:
    text = DOCKERFILE.read_text().lower()
    assert not re.findall(r"(?:env|arg) .*(?:token|password|secret|api_key)", text)
    assert text.count("apt-get install") == text.count("rm -rf /var/lib/apt/lists/*") == 1
    assert "--no-install-recommends" in text
    assert all(
        "--no-cache-dir" in line for line in text.splitlines() if "-m pip install" in line or "pip wheel" in line
    )


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_pipelines_are_what_the_tool_takes(path: Path) -> None:
    tool = next(one for one in make_tools(lambda: App(Settings())) if one.name == "run_pipeline")
    given = read_settings(path).settings.pipeline
    assert tool.fn_metadata.arg_model.model_validate({**given, "idempotency_key": "k"})
    assert set(given) <= set(tool.fn_metadata.arg_model.model_fields)
