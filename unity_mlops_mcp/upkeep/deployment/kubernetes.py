"""Kubernetes manifests of a deployment: a template, filled and read back, a file for each object."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from unity_mlops_mcp.errors import ConflictError, InvalidInputError
from unity_mlops_mcp.process.files import write_atomically
from unity_mlops_mcp.upkeep.deployment.settings import Deployment, DeploySettings, read_settings, require_filled_in

PORT = 8765
SAVE_S, GRACE_S = 75, 90
"""How long trainings may save when the Pod ends, and how long the Pod may take for that and for what is under way."""
HOME, TRAINER = "/data", "/opt/unity-mlops/trainer/bin/python"
ONCE = "job.yaml"
"""Not among the resources of the kustomization: it is created when somebody wants it."""
_KUSTOMIZATION = "kustomization.yaml"
_MARK = "# Made by unity-mlops deploy k8s from "


def serve_arguments(settings: DeploySettings) -> list[str]:
    """How the container is started; the image's entry point is ``unity-mlops``."""
    own = f"{settings.name}.{settings.namespace}"
    names = (settings.name, own, f"{own}.svc", f"{own}.svc.cluster.local", *settings.hosts)
    tls = ["--tls-certificate", "/run/tls/tls.crt", "--tls-key", "/run/tls/tls.key"]
    listening = ["--host", "0.0.0.0", "--port", str(PORT), "--save-s", str(SAVE_S)]  # noqa: S104
    token = ["--token-file", "/run/secrets/unity-mlops/admin"]
    hosts = [word for name in names for word in ("--allow-host", name)]
    return ["serve", *listening, *token, *(tls if settings.tls_secret else ["--no-tls"]), *hosts]


def manifests(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """Each object by the name of its file, the ones that others need first."""
    variables = {**deployment.variables, "UNITY_MLOPS_HOME": HOME, "UNITY_MLOPS_TRAINER": TRAINER}
    text = _rendered(deployment.settings, variables)
    return {name: yaml.safe_load(document) for name, document in _documents(text)}


def _rendered(settings: DeploySettings, variables: dict[str, str]) -> str:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)  # noqa: S701 - YAML
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)  # the built-in one is for HTML
    template = files("unity_mlops_mcp.upkeep.deployment").joinpath("manifests.yaml.j2").read_text(encoding="utf-8")
    digest = hashlib.sha256(json.dumps(variables, sort_keys=True).encode()).hexdigest()[:16]
    return environment.from_string(template).render(
        s=settings,
        port=PORT,
        grace_s=GRACE_S,
        variables=variables,
        digest=digest,
        arguments=serve_arguments(settings),
        wish=json.dumps(settings.pipeline).replace("$(", "$$("),  # or Kubernetes would put a variable there
    )


def _documents(text: str) -> Iterator[tuple[str, str]]:
    for document in text.split("\n---\n"):
        head, _, body = document.strip().partition("\n")
        yield head.removeprefix("# file: "), body


def write_manifests(settings: Path, output: Path, *, arguments: Collection[str]) -> Sequence[Path]:
    """Write the manifests of a settings file into a folder, each whole or not at all.

    Args:
        settings: the file.
        output: the folder; made when missing. What was made before is replaced, anything else there is left alone.
        arguments: the names that a pipeline's arguments may have.

    Raises:
        NotFoundError, InvalidInputError: see `read_settings`; the file was not filled in, or a pipeline has no such
            argument.
        ConflictError: a file of such a name is there that we did not make.
    """
    deployment = read_settings(settings)
    require_filled_in(deployment, settings)
    _require_known(deployment.settings.pipeline, arguments)
    made = manifests(deployment)
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [name for name in made if name != ONCE],
    }
    texts = {name: _text(data, settings) for name, data in {**made, _KUSTOMIZATION: kustomization}.items()}
    output.mkdir(parents=True, exist_ok=True)
    foreign = [name for name in texts if not _is_ours(output / name)]
    if foreign:
        raise ConflictError(
            f"{output / foreign[0]} was not made by this command.", fix="Give an --output folder of its own."
        )
    for old in output.glob("*.yaml"):
        if old.name not in texts and _is_ours(old):
            old.unlink()  # such as the CronJob of a settings file that names no rule any more
    for name, text in texts.items():
        write_atomically(output / name, text.encode())
    return [output / name for name in texts]


def _require_known(pipeline: Collection[str], arguments: Collection[str]) -> None:
    unknown = [name for name in pipeline if name not in arguments]
    if unknown:
        raise InvalidInputError(
            f"DEPLOY_PIPELINE has {unknown[0]!r}, which is no argument of run_pipeline.",
            fix=f"Arguments are: {', '.join(sorted(arguments))}.",
            cause="settings_file",
        )


def _text(data: dict[str, Any], settings: Path) -> str:
    return f"{_MARK}{settings.name}\n{yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)}"


def _is_ours(path: Path) -> bool:
    return not path.exists() or path.read_text(encoding="utf-8", errors="replace").startswith(_MARK)
