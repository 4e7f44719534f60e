"""What those ask who watch over the service: is it there, can it work, how much does it do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import anyio.to_thread
from fastapi import APIRouter, Depends
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from starlette.responses import JSONResponse, Response

from unity_mlops_mcp import __version__
from unity_mlops_mcp.errors import MlopsError
from unity_mlops_mcp.interfaces.http.auth import Caller, require

if TYPE_CHECKING:
    from prometheus_client import Metric

    from unity_mlops_mcp.app import App

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.005, 0.02, 0.1, 0.5, 2, 10, 60)


class Figures:
    """The figures of one application, in a registry of their own.

    Args:
        app: the application whose jobs are counted when somebody asks.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        name = "unity_mlops_http"
        self._requests = Counter(f"{name}_requests", "Requests that were answered.", labels, registry=self.registry)
        self._seconds = Histogram(
            f"{name}_request_seconds", "Time to the whole answer.", ("route",), buckets=_SECONDS, registry=self.registry
        )
        about = Gauge("unity_mlops_info", "What is running.", ("version",), registry=self.registry)
        about.labels(__version__).set(1)
        self.registry.register(self)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request: each label has few values, as every set of them takes memory for as long as we live.

        Args:
            method: as the client wrote it, which may be any word; unknown ones count as ``other``.
            route: the pattern of the route that answered.
            status: of the answer.
            seconds: to the whole answer.
        """
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def collect(self) -> Iterable[Metric]:
        """Jobs, deliveries and firings by state, as the store has them now."""
        jobs = GaugeMetricFamily("unity_mlops_jobs", "Jobs in the store.", labels=("kind", "state"))
        for (kind, state), count in sorted(self._app.store.jobs.counts().items()):
            jobs.add_metric((kind, state), count)
        yield jobs
        yield from self._notices()

    def _notices(self) -> Iterable[Metric]:
        told = GaugeMetricFamily(
            "unity_mlops_deliveries", "Notifications that wait or were given up.", labels=("endpoint", "state")
        )
        table = self._app.store.notices
        for endpoint in table.endpoints():
            for state in ("pending", "dead"):
                told.add_metric((endpoint.endpoint_id, state), table.count(endpoint.endpoint_id, state))
        yield told
        firings = GaugeMetricFamily(
            "unity_mlops_firings", "Firings of schedules in the store.", labels=("schedule", "state")
        )
        for (schedule_id, state), count in sorted(self._app.store.schedules.counts().items()):
            firings.add_metric((schedule_id, state), count)
        yield firings

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked of the store before somebody wants the figures."""
        return ()


def health_router(app: App, figures: Figures) -> APIRouter:
    """The routes; the first two answer everybody, and tell nothing."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def alive() -> Response:
        return JSONResponse({"status": "ok"})

    @router.get("/readyz")
    async def ready() -> Response:
        try:
            await anyio.to_thread.run_sync(app.store.changes)
        except (MlopsError, OSError):
            return JSONResponse({"status": "unavailable"}, status_code=503)
        return JSONResponse({"status": "ok"})

    @router.get("/metrics")
    def metrics(_: Annotated[Caller, Depends(require("read"))]) -> Response:
        return Response(generate_latest(figures.registry), media_type=CONTENT_TYPE)

    return router
