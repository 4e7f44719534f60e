"""What Google's libraries raise, in our words: what is tried anew, what is told, and never a secret in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from unity_mlops_mcp.errors import ExternalError, MlopsError, SetupError
from unity_mlops_mcp.registry.vertex.records import VertexTarget

if TYPE_CHECKING:
    from google.api_core.retry import Retry

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 20.0
_SECRETS = re.compile(
    r"ya29\.[\w.-]+|eyJ[\w-]+\.[\w-]+\.[\w-]*|-----BEGIN.*?(-----END[^-]*-----|$)|(?i:bearer)\s+\S+"
    r"|(?i:\"?(?:access_|refresh_|id_)?(?:token|secret|private_key|password|assertion)\"?\s*[=:]\s*)\"?[^\s\",}]+",
    re.DOTALL,
)
_LONGEST = 300
_ROLES = "roles/aiplatform.user on the project and roles/storage.objectAdmin on the bucket"
_SIGN_IN = (
    "Run `gcloud auth application-default login` on this machine, or let GOOGLE_APPLICATION_CREDENTIALS name the "
    "key file of a service account; then call again."
)
_AGAIN = "Call again: what is there already is found, nothing is made twice."
_TOLD = (
    (("DefaultCredentialsError",), "gcp_credentials", "found no credentials", _SIGN_IN),
    (("RefreshError", "Unauthenticated", "Unauthorized"), "gcp_credentials", "refused the credentials", _SIGN_IN),
    (("PermissionDenied", "Forbidden"), "vertex_permission", "denied permission", f"Give the account {_ROLES}."),
    (
        ("ResourceExhausted", "TooManyRequests"),
        "vertex_quota",
        "is out of quota, also after new tries",
        f"Wait, or ask for more quota in the Google Cloud console (IAM, Quotas). {_AGAIN}",
    ),
    (("NotFound",), "vertex_not_found", "knows no such thing", "Check project, region and bucket; then call again."),
    (
        ("InvalidArgument", "BadRequest", "FailedPrecondition"),
        "vertex_refused",
        "refused it",
        "Read what it says; the serving image is set by UNITY_MLOPS_VERTEX_IMAGE. Then call again.",
    ),
)


@contextmanager
def told(target: VertexTarget, doing: str) -> Iterator[None]:
    """Turn what Google's libraries raise into our errors.

    Args:
        target: named in the message.
        doing: what was being done, such as ``"uploading policy.onnx"``.

    Raises:
        SetupError: the credentials are missing or refused.
        ExternalError: anything else that the services refused or could not do.
    """
    try:
        yield
    except MlopsError:
        raise
    except Exception as error:
        if not _foreign(error):
            raise
        raise _in_words(error, target, doing) from None  # the chain could carry requests with their headers


def retrying(target: VertexTarget) -> Retry:
    """New tries of what may be repeated, for at most the target's timeout, with growing pauses."""
    from google.api_core.retry import Retry

    return Retry(
        predicate=passes,
        initial=_FIRST_PAUSE_S,
        maximum=_LONGEST_PAUSE_S,
        multiplier=2.0,
        timeout=target.timeout_s,
    )


def passes(error: BaseException) -> bool:
    """Whether it is worth a new try: a busy or unreachable service, a dropped connection, a quota for each minute."""
    import requests
    from google.api_core import exceptions as api
    from google.auth.exceptions import TransportError

    passing = (
        api.ServerError,
        api.TooManyRequests,
        api.Aborted,
        api.Cancelled,
        api.AlreadyExists,  # another upload made the model meanwhile: the new try adds a version to it
        TransportError,
        requests.ConnectionError,
        requests.Timeout,
        ConnectionError,
    )
    return isinstance(error, passing) and not isinstance(error, api.MethodNotImplemented)


def _foreign(error: Exception) -> bool:
    import requests
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError

    return isinstance(error, (GoogleAPIError, GoogleAuthError, requests.RequestException, ConnectionError))


def _in_words(error: Exception, target: VertexTarget, doing: str) -> MlopsError:
    cause_of = getattr(error, "cause", None)
    inner = cause_of if isinstance(cause_of, Exception) else error
    names = {kind.__name__ for kind in type(inner).__mro__}
    place = f"project {target.project}, region {target.region}, bucket {target.bucket}"
    for kinds, cause, what, fix in _TOLD:
        if names & set(kinds):
            kind = SetupError if cause == "gcp_credentials" else ExternalError
            said = f"Google Cloud {what} while {doing} ({place}): {scrubbed(inner)}"
            return kind(said, fix=fix, cause=cause)
    said = f"Google Cloud could not be reached or failed while {doing} ({place}): {scrubbed(inner)}"
    fix = f"Look at the network and at status.cloud.google.com. {_AGAIN}"
    return ExternalError(said, fix=fix, cause="vertex_unavailable")


def scrubbed(error: BaseException | str) -> str:
    """What an error says, short, on one line, without tokens and keys."""
    text = " ".join(_SECRETS.sub("[hidden]", str(error)).split())
    name = "" if isinstance(error, str) else f"{type(error).__name__}: "
    return name + (text if len(text) <= _LONGEST else text[:_LONGEST] + "…")
