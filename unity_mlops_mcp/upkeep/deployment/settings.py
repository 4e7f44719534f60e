"""What a deployment is made from: a small file of variables, and the product's own settings in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from typing_extensions import Self

from unity_mlops_mcp.config import SECRET_VARIABLES, Settings
from unity_mlops_mcp.errors import InvalidInputError, NotFoundError
from unity_mlops_mcp.scheduling.cron import read_cron, read_zone

PREFIX, OURS = "DEPLOY_", "UNITY_MLOPS_"
SET_BY_US = frozenset({"UNITY_MLOPS_HOME", "UNITY_MLOPS_TRAINER"})
_CRON = re.compile(r"[\d*/, A-Za-z-]+( [\d*/,A-Za-z-]+){4}")
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)")

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
Label = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$")]
"""A name that a Service may have, and short enough for what is added to it."""
Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$")]
Port = Annotated[int, Field(ge=1, le=65535)]
_NO_AMOUNT = re.compile(r"[0.]*\D*")
_PLACEHOLDER = re.compile(r"\b(?:PROJECT|REGION)\b")
"""What the files that we ship have in the place of names that are yours."""


def _more_than_nothing(value: str) -> str:
    if _NO_AMOUNT.fullmatch(value):
        raise ValueError("there must be some")
    return value


Cores = Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)?m?$"), AfterValidator(_more_than_nothing)]
Size = Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)?([kMGT]|[KMGT]i)$"), AfterValidator(_more_than_nothing)]


class DeploySettings(BaseModel):
    """One place to run the service in; each field is the variable ``DEPLOY_<FIELD>`` of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Label = Field(default="unity-mlops", description="Of all objects, and of the service inside the cluster.")
    namespace: Name = Field(default="unity-mlops", description="The namespace; it is made too.")
    environment: Literal["local", "staging", "production"] = Field(
        default="local", description="A label of all objects."
    )
    image: str = Field(pattern=r"^\S+[:@]\S+$", description="The image with its tag or digest.")
    image_pull_policy: Literal["IfNotPresent", "Always", "Never"] = Field(
        default="IfNotPresent", description="Never: an image that was loaded into the node."
    )
    storage: Size = Field(default="50Gi", description="Size of the home's volume.")
    storage_class: Name | None = Field(default=None, description="Its class; default: the cluster's.")
    cpu: Cores = Field(default="2", description="Processors asked for.")
    memory: Size = Field(default="4Gi", description="Memory asked for, and the most there is.")
    gpus: int = Field(default=0, ge=0, le=16, description="NVIDIA GPUs.")
    accelerator: Name | None = Field(default=None, description="GKE's name of the GPU, such as nvidia-l4.")
    admin_secret: Name = Field(
        default="unity-mlops-admin", description="Secret whose key `token` is the admin's token."
    )
    caller_secret: Name = Field(
        default="unity-mlops-caller", description="Secret whose key `token` is a token of scope run, for the jobs."
    )
    settings_secret: Name | None = Field(
        default=None, description="Secret with the product's secret settings as variables, such as a model's key."
    )
    tls_secret: Name | None = Field(
        default=None, description="Secret with tls.crt, tls.key and ca.crt, as cert-manager makes it; else no TLS."
    )
    hosts: tuple[Host, ...] = Field(default=(), description="Further names it is called by, separated by commas.")
    service_account: str | None = Field(
        default=None, description="Google service account that it acts as (Workload Identity)."
    )
    nightly: str | None = Field(
        default=None, description="Cron rule of the nightly pipeline; default: no CronJob is made."
    )
    time_zone: str = Field(default="Etc/UTC", description="Its time zone.")
    pipeline: dict[str, Any] = Field(
        default_factory=dict, description="Arguments of run_pipeline for CronJob and Job, as JSON."
    )
    egress_ports: tuple[Port, ...] = Field(default=(443,), description="Ports it may connect to, besides DNS.")

    @field_validator("hosts", "egress_ports", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("pipeline", mode="before")
    @classmethod
    def _parse(cls, value: object) -> object:
        return yaml.safe_load(value) if isinstance(value, str) else value

    @field_validator("nightly")
    @classmethod
    def _fires(cls, value: str | None) -> str | None:
        fields = None if value is None else read_cron(value)
        if fields is not None and not _CRON.fullmatch(fields):
            raise ValueError(f"a cluster takes no rule {value!r}: give five fields of numbers, * / , and -")
        return fields

    @field_validator("time_zone")
    @classmethod
    def _exists(cls, value: str) -> str:
        return read_zone(value)

    @model_validator(mode="after")
    def _has_work(self) -> Self:
        if self.nightly and not self.pipeline:
            raise ValueError("nightly fires a pipeline, and none is given: set DEPLOY_PIPELINE")
        return self


class Deployment(BaseModel):
    """The settings of a deployment, and what the product in it is told."""

    model_config = ConfigDict(frozen=True)

    settings: DeploySettings
    variables: dict[str, str]
    unfilled: tuple[str, ...] = Field(default=(), description="Variables that still hold PROJECT or REGION.")


def read_settings(path: Path) -> Deployment:
    """The deployment that a file of variables describes.

    Args:
        path: lines of ``NAME=value``: ``DEPLOY_…`` are the fields of `DeploySettings`, ``UNITY_MLOPS_…`` the product's
            settings, which are passed on.

    Raises:
        NotFoundError: there is no such file.
        InvalidInputError: a variable is unknown, cannot be used, or is a secret, which belongs into a Secret.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no settings file {path}.", fix="See docs/deployment.md for the three we ship.")
    given = dict(_variables(path))
    ours = {name: value for name, value in given.items() if name.startswith(OURS)}
    rest = {name: value for name, value in given.items() if name not in ours}
    _check_names(path, ours, rest)
    fields = {name.removeprefix(PREFIX).lower(): value for name, value in rest.items() if value}
    try:
        Settings.model_validate({name.removeprefix(OURS).lower(): value for name, value in ours.items() if value})
        unfilled = tuple(name for name, value in given.items() if _PLACEHOLDER.search(value))
        return Deployment(settings=DeploySettings.model_validate(fields), variables=ours, unfilled=unfilled)
    except (ValidationError, yaml.YAMLError, InvalidInputError) as error:
        raise _unusable(path, _told(error)) from error


def _variables(path: Path) -> list[tuple[str, str]]:
    found = []
    for number, text in enumerate(_text_of(path).splitlines(), start=1):
        line = text.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise _unusable(path, f"line {number} is no NAME=value")
        value = match[2].strip()
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
        found.append((match[1], value[1:-1] if quoted else value))
    return found


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # some editors begin a file with a mark
    except UnicodeDecodeError as error:
        raise _unusable(path, "it is no text in UTF-8") from error


def _check_names(path: Path, ours: dict[str, str], rest: dict[str, str]) -> None:
    known = {f"{OURS}{name.upper()}" for name in Settings.model_fields} - SET_BY_US
    secret = sorted(SECRET_VARIABLES & {*ours, *rest})
    if secret:
        raise InvalidInputError(
            f"{path} holds the secret {secret[0]}.",
            fix="Put it into a Secret of the cluster, and name that as DEPLOY_SETTINGS_SECRET; never into a file.",
            cause="secret_in_file",
        )
    fields = {f"{PREFIX}{name.upper()}" for name in DeploySettings.model_fields}
    unknown = sorted((set(ours) - known) | (set(rest) - fields))
    if unknown:
        raise _unusable(path, f"there is no setting {unknown[0]}")


def _told(error: ValidationError | yaml.YAMLError | InvalidInputError) -> str:
    if isinstance(error, InvalidInputError):
        return error.message.rstrip(".")
    if isinstance(error, yaml.YAMLError):
        return str(error).splitlines()[0]
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False))


def require_filled_in(deployment: Deployment, path: Path) -> None:
    """See to it that nothing is deployed to a project of which only the place is kept.

    Raises:
        InvalidInputError: naming each variable that still holds such.
    """
    if deployment.unfilled:
        raise InvalidInputError(
            f"In the settings file {path}, PROJECT or REGION still stands in {', '.join(deployment.unfilled)}.",
            fix="Put your Google Cloud project and region there, or remove the lines that you do not need.",
            cause="settings_file",
        )


def _unusable(path: Path, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"The settings file {path} cannot be used: {why}.",
        fix="docs/deployment.md lists the variables; correct it and call again.",
        cause="settings_file",
    )
