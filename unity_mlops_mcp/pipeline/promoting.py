"""What is done with the version that holds an alias: begin with its weights, and put a better one in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unity_mlops_mcp.errors import NotFoundError
from unity_mlops_mcp.pipeline.records import Built, Promoted, RegisteredVersion

if TYPE_CHECKING:
    from unity_mlops_mcp.jobs.records import Job
    from unity_mlops_mcp.pipeline.workshop import Workshop


def warm_start(shop: Workshop) -> str | None:
    """The run whose weights a training begins with: that of the version that holds the alias; None without one."""
    from unity_mlops_mcp.registry.references import resolve

    if not shop.wanted.warm_start:
        return None
    try:
        holder = resolve(shop.store, f"{shop.results.of(Built).behaviors[0].name}@{shop.wanted.alias}")
    except NotFoundError:  # nothing is registered, or nothing was promoted yet
        return None
    kept = shop.runs.folder(holder.run_id).checkpoint_step() if holder.run_id else None
    return holder.run_id if kept is not None else None


def start_promotion(shop: Workshop) -> Job | None:
    """Start the promotion, or find it started; None where the version holds the alias already."""
    from unity_mlops_mcp.registry.promoting.request import KIND, PromotionRequest
    from unity_mlops_mcp.registry.references import resolve

    version, alias = resolve(shop.store, shop.results.of(RegisteredVersion).version_id), shop.wanted.alias
    seen = shop.store.models.alias(version.name, alias)
    if seen is not None and seen.version_id == version.version_id:
        return None
    stands = (seen.version_id, seen.moves) if seen else None
    request = PromotionRequest(version_id=version.version_id, alias=alias, seen=stands)
    data, key = request.model_dump(mode="json"), shop.key("promote")
    return shop.jobs.submit(KIND, data, subject=version.version_id, idempotency_key=key)


def promoted(shop: Workshop, job: Job | None) -> Promoted:
    """What was decided."""
    version_id, alias = shop.results.of(RegisteredVersion).version_id, shop.wanted.alias
    if job is None:
        return Promoted(version_id=version_id, alias=alias, promoted=True, told=f"{version_id} is {alias} already")
    given = job.result or {}
    told = str(job.progress.get("message") or "")
    return Promoted(version_id=version_id, alias=alias, promoted=bool(given.get("promoted")), told=told)
