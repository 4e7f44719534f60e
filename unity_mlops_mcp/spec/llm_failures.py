"""What goes wrong with a language model, in our words: the key and the answer's own text stay out of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.errors import ExternalError, MlopsError, SetupError

BUSY = frozenset({"llm_busy", "llm_unavailable"})
"""Causes after which it is worth asking again."""
_LATER = "Try again later, check UNITY_MLOPS_LLM_BASE_URL, or pass use_llm=false."


class Failure(NamedTuple):
    """How an error of the client library is told: the first one in the table that fits.

    Attributes:
        errors: names of its class or of a class above it.
        statuses: HTTP statuses that mean it too.
        cause: the short code.
        says: what follows the model's name; ``{status}``, ``{tries}`` and ``{error}`` are filled in.
        fix: what to do.
    """

    errors: frozenset[str]
    statuses: frozenset[int]
    cause: str
    says: str
    fix: str = _LATER


FAILURES = (
    Failure(
        frozenset({"ModelAuthenticationError"}),
        frozenset({401, 403}),
        "llm_key_refused",
        "refuses the key (status {status})",
        "Set UNITY_MLOPS_LLM_API_KEY to a key that may use this model.",
    ),
    Failure(
        frozenset({"ModelTimeoutError", "ModelRequestTimeout"}), frozenset(), "llm_timeout", "did not answer in time"
    ),
    Failure(
        frozenset({"ModelRateLimitError", "ModelQuotaExceededError"}),
        frozenset({429}),
        "llm_busy",
        "allows no more requests now (status {status})",
    ),
    Failure(
        frozenset({"UsageLimitExceeded", "OutputTokenLimitExceeded", "ModelContextWindowExceededError"}),
        frozenset(),
        "llm_token_cap",
        "needs more tokens than are allowed",
        "Raise UNITY_MLOPS_LLM_MAX_TOKENS, or ask for less.",
    ),
    Failure(
        frozenset({"UnexpectedModelBehavior"}),
        frozenset(),
        "llm_bad_answer",
        "gave no valid spec in {tries} tries",
        "Say the request more plainly, use a stronger model, or pass use_llm=false.",
    ),
    Failure(frozenset({"ModelHTTPError"}), frozenset(), "llm_unavailable", "answers with status {status}"),
    Failure(frozenset({"ModelAPIError"}), frozenset(), "llm_unavailable", "cannot be reached"),
)
_OTHER = Failure(frozenset(), frozenset(), "llm_failed", "failed ({error})")


def named(settings: Settings) -> str:
    """The model, for a sentence."""
    return f"The language model {settings.llm}:{settings.llm_model}"


def failure(error: BaseException, settings: Settings, *, problems: Sequence[str] = ()) -> MlopsError:
    """The error that is told for one of the client library; one of ours that it has wrapped is told as it is.

    Args:
        error: what was raised.
        settings: name the model.
        problems: what the model was last told to mend.
    """
    if (ours := _ours(error)) is not None:
        return ours
    status, names = getattr(error, "status_code", None), {kind.__name__ for kind in type(error).__mro__}
    kind = next((kind for kind in FAILURES if kind.errors & names or status in kind.statuses), _OTHER)
    says = kind.says.format(status=status, tries=settings.llm_tries, error=type(error).__name__)
    made = SetupError if kind.cause == "llm_key_refused" else ExternalError
    return made(f"{named(settings)} {says}.", fix=kind.fix, cause=kind.cause, evidence=[p[:400] for p in problems])


def _ours(error: BaseException | None) -> ExternalError | None:
    """What ended the request from our side; what we told the model to mend is no such thing."""
    while error is not None and not isinstance(error, ExternalError):
        error = error.__cause__ or error.__context__
    return error
