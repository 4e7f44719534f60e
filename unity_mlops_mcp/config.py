"""Settings, read once from the environment; the only reader of ``os.environ``."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from unity_mlops_mcp.errors import InvalidInputError


class Settings(BaseSettings):
    """Where things lie and how much may run at once; each field is the variable ``UNITY_MLOPS_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="UNITY_MLOPS_", env_ignore_empty=True, frozen=True, extra="ignore")

    home: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("unity-mlops", appauthor=False)),
        description="Everything we keep: state, builds, runs, the trainer.",
    )
    roots: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(), description="Folders outside the home that we may read and write, separated as in PATH."
    )
    trainer: Path | None = Field(
        default=None, description="An interpreter with mlagents, or its mlagents-learn; default: the managed one."
    )
    trainer_python: Path | None = Field(
        default=None, description="The interpreter that the managed trainer is made with."
    )
    torch_index: str | None = Field(default=None, description="A package index for torch, such as PyTorch's CPU index.")
    max_jobs: int = Field(default=2, ge=1, le=64, description="Supervised jobs that run at once; more wait in a queue.")
    max_attempts: int = Field(
        default=5, ge=1, le=100, description="Kills until a job fails; shutdowns that let it save do not count."
    )
    base_port: int = Field(default=5105, ge=1024, le=60000, description="First port of the blocks that trainings use.")
    min_free_gb: float = Field(default=1.0, ge=0, description="A run stops with its checkpoint below this free space.")
    warn_free_gb: float = Field(default=5.0, ge=0, description="A warning is given below this free space.")
    editor: Path | None = Field(
        default=None, description="A Unity Editor that is not where the Unity Hub installs them: its executable."
    )
    unity_timeout_s: float = Field(
        default=3600.0,
        gt=0,
        description="Seconds that one Unity build may take; the first import of a project is long.",
    )
    unity_retry_s: float = Field(
        default=30.0, ge=0, description="Seconds before the one new try when Unity's licensing client was not ready."
    )
    browser: Path | None = Field(
        default=None,
        description="A Chrome, Edge or Chromium that prints PDFs where WeasyPrint cannot; default: found.",
    )
    unity_serial: SecretStr | None = Field(
        default=None, description="Serial of a Unity licence that is activated before a build; never shown or written."
    )
    unity_username: SecretStr | None = Field(
        default=None, description="Unity account that goes with the serial; never shown or written."
    )
    unity_password: SecretStr | None = Field(default=None, description="Its password; never shown or written.")
    llm: Literal["openai", "anthropic", "google"] | None = Field(
        default=None, description="The language model that plans environments; openai is any compatible endpoint."
    )
    llm_model: str | None = Field(default=None, description="The model's name, as its provider spells it.")
    llm_base_url: str | None = Field(default=None, description="Its endpoint; default: the provider's own.")
    llm_api_key: SecretStr | None = Field(default=None, description="Its key; a local server may need none.")
    llm_timeout_s: float = Field(default=90.0, gt=0, le=3600, description="Seconds for a plan, all tries together.")
    llm_max_tokens: int = Field(default=8000, ge=500, le=200_000, description="Tokens of one answer at most.")
    llm_tries: int = Field(default=3, ge=1, le=10, description="Answers it may give until one is a valid spec.")

    vertex_project: str | None = Field(
        default=None,
        validation_alias=AliasChoices("UNITY_MLOPS_VERTEX_PROJECT", "GOOGLE_CLOUD_PROJECT", "vertex_project"),
        description="The Google Cloud project of Vertex AI; GOOGLE_CLOUD_PROJECT is read too.",
    )
    vertex_region: str = Field(
        default="us-central1",
        validation_alias=AliasChoices("UNITY_MLOPS_VERTEX_REGION", "VERTEX_REGION", "vertex_region"),
        description="Its region; VERTEX_REGION is read too.",
    )
    vertex_bucket: str | None = Field(
        default=None, description="A Cloud Storage bucket in that region, for the files of versions."
    )
    vertex_image: str = Field(
        default="{region}-docker.pkg.dev/{project}/unity-mlops/policy-server:latest",
        description="The container that would serve a version, in Artifact Registry; "
        "{project} and {region} are filled in.",
    )
    vertex_endpoint: str | None = Field(
        default=None, description="Where Vertex AI answers, if not at the region's address; https://… speaks REST."
    )
    vertex_timeout_s: float = Field(
        default=600.0, gt=0, le=86_400, description="Seconds that one step of an upload may take, new tries included."
    )

    webhook_url: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("UNITY_MLOPS_WEBHOOK_URL", "WEBHOOK_URL", "webhook_url"),
        description="An endpoint that is told of events; WEBHOOK_URL is read too; never shown.",
    )
    webhook_secret: SecretStr | None = Field(
        default=None, description="Signs what is sent there: whsec_ and 24 to 64 bytes in base64; never shown."
    )
    webhook_private: bool = Field(
        default=False, description="Whether that endpoint may have a loopback or private address."
    )
    smtp_host: str | None = Field(default=None, description="The mail server that notifications are sent through.")
    smtp_port: int = Field(default=587, ge=1, le=65_535, description="Its port.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the connection to it is protected."
    )
    smtp_from: str | None = Field(default=None, description="The sender's address; default: the SMTP user.")
    smtp_user: str | None = Field(default=None, description="Who logs in there; left out: nobody.")
    smtp_password: SecretStr | None = Field(default=None, description="Its password; never shown or written.")

    @field_validator("home", mode="after")
    @classmethod
    def _absolute_home(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("roots", mode="before")
    @classmethod
    def _split_roots(cls, value: object) -> object:
        parts = value.split(os.pathsep) if isinstance(value, str) else value
        if not isinstance(parts, (list, tuple)):
            return parts
        return tuple(Path(part).expanduser().resolve() for part in parts if str(part).strip())

    @property
    def secret_variables(self) -> tuple[str, ...]:
        """Names of the variables that hold the secrets which are set here."""
        return tuple(f"UNITY_MLOPS_{name.upper()}" for name, value in self if isinstance(value, SecretStr))

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that must never be shown or written, the longest first."""
        found = [value.get_secret_value() for _, value in self if isinstance(value, SecretStr)]
        return tuple(sorted(found, key=len, reverse=True))

    def allowed_path(self, path: str | Path, *, what: str = "path") -> Path:
        """The resolved path, when it lies in the home or under an allowed root.

        Raises:
            InvalidInputError: it lies elsewhere, and the fix says how to add a root; or it can be no path at all.
        """
        try:
            resolved = Path(path).expanduser().resolve()
        except (OSError, RuntimeError, ValueError) as error:  # a link to itself, an unknown user, a null character
            fix = "Give the absolute path of a file."
            raise InvalidInputError(f"The {what} {str(path)!r} cannot be looked up: {error}.", fix=fix) from error
        for root in (self.home.resolve(), *self.roots):
            if resolved == root or root in resolved.parents:
                return resolved
        allowed = ", ".join(str(root) for root in (self.home, *self.roots))
        wider = shlex.quote(os.pathsep.join(map(str, (*self.roots, resolved.parent))))
        raise InvalidInputError(
            f"The {what} {resolved} lies outside the allowed folders ({allowed}).",
            fix=f"Allow its folder. At the command line: `UNITY_MLOPS_ROOTS={wider} unity-mlops …`. In a chat client: "
            "set that variable in the client's configuration and restart the server. Or move the file into an allowed "
            "folder.",
            cause="path_not_allowed",
        )


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The process's settings, read at the first call.

    Raises:
        InvalidInputError: a variable has a value that cannot be used.
    """
    try:
        return Settings()
    except ValidationError as error:
        told = "; ".join(f"{_variable(fault['loc'])}: {fault['msg']}" for fault in error.errors(include_url=False))
        fix = "Correct or unset it, in the client's configuration or the shell, and start again."
        raise InvalidInputError(f"A setting cannot be used: {told}.", fix=fix, cause="setting") from error


def _variable(place: tuple[int | str, ...]) -> str:
    name = str(place[0]) if place else "…"
    return name if name.isupper() else f"UNITY_MLOPS_{name.upper()}"


def _variables(name: str, field: FieldInfo) -> Iterator[str]:
    """Each variable that a field is read from, in upper case."""
    aliases = field.validation_alias
    choices = aliases.choices if isinstance(aliases, AliasChoices) else [f"UNITY_MLOPS_{name}"]
    yield from (str(choice).upper() for choice in choices)


SECRET_VARIABLES = frozenset(
    variable
    for name, field in Settings.model_fields.items()
    if "Secret" in str(field.annotation)
    for variable in _variables(name, field)
)
"""What only processes of ours may know, in upper case: no trainer, player, Editor or other child is given them."""


def environment(**changes: str | None) -> dict[str, str]:
    """A copy of this process's environment for a child, without secrets, with changes; None removes a variable.

    Settings are read from variables in any case, so that secrets are left out in any case.
    """
    copy = {name: value for name, value in os.environ.items() if name.upper() not in SECRET_VARIABLES}
    for name, value in changes.items():
        if value is None:
            copy.pop(name, None)
        else:
            copy[name] = value
    return copy


def without_telemetry() -> None:
    """Keep the trackers' libraries, imported after this, from telling their makers anything."""
    os.environ.update(
        DO_NOT_TRACK="true", MLFLOW_DISABLE_TELEMETRY="true", WANDB_ERROR_REPORTING="false", WANDB_DISABLE_SENTRY="true"
    )
