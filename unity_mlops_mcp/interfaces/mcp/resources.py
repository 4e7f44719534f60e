"""The resources: a run's status and log, and what a model needs to write an environment spec."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from unity_mlops_mcp.errors import MlopsError, NotFoundError
from unity_mlops_mcp.interfaces.mcp.bounds import MAX_BYTES, bounded, compact_json

if TYPE_CHECKING:
    from mcp.server import MCPServer

    from unity_mlops_mcp.app import App

_LOG_LINES = 200


def add_resources(server: MCPServer[Any], app: Callable[[], App]) -> None:
    """Register all of them; unknown ids are "not found" with the known ones."""

    @server.resource("runs://{run_id}", title="A run", mime_type="application/json")
    def run(run_id: str) -> str:
        """A run's status, figures and files, as get_run gives them."""
        return _read(lambda: compact_json(bounded(app().get_run(run_id).model_dump(mode="json"))))

    @server.resource("runs://{run_id}/log", title="A run's log", mime_type="text/plain")
    def log(run_id: str) -> str:
        """The end of the trainer's log, at most 200 lines."""
        return _read(lambda: _end(app().read_log(run_id, tail=_LOG_LINES)))

    @server.resource("models://{version}", title="A model version's card", mime_type="text/markdown")
    def card(version: str) -> str:
        """The model card of a registered version: policy, evaluation, training, lineage; ``name@alias`` works too."""
        return _read(lambda: _end(app().model_card(version)))

    @server.resource("evaluations://{evaluation_id}", title="An evaluation", mime_type="application/json")
    def evaluation(evaluation_id: str) -> str:
        """The status of an evaluation's job with all its figures."""
        return _read(lambda: compact_json(bounded(app().get_run(evaluation_id).model_dump(mode="json"))))

    @server.resource("reports://{report_id}", title="A report", mime_type="text/markdown")
    def report(report_id: str) -> str:
        """A report that render_report made, as Markdown; the file that it made has the charts."""
        return _read(lambda: _beginning(app().report_text(report_id)))

    @server.resource("spec://schema", title="The schema of environment specs", mime_type="application/schema+json")
    def schema() -> str:
        """The whole JSON schema of an environment spec, every field described."""
        from unity_mlops_mcp.spec.schema import full_schema

        return compact_json(full_schema())

    @server.resource("scripts://{spec_id}/{file}", title="A generated script", mime_type="text/plain")
    def script(spec_id: str, file: str) -> str:
        """The text of a C# file that generate_behavior_script made."""
        return _read(lambda: app().script_text(spec_id, file))

    @server.resource("spec://archetypes/{name}", title="An archetype", mime_type="application/yaml")
    def archetype(name: str) -> str:
        """A preset as an example of a spec: its environment, trainer settings and goal, as YAML."""
        from unity_mlops_mcp.spec.archetypes import archetype_text

        return _read(lambda: archetype_text(name))


def _read(give: Callable[[], str]) -> str:
    try:
        return give()
    except NotFoundError as error:
        raise ResourceNotFoundError(str(error)) from error
    except MlopsError as error:
        raise ResourceError(str(error)) from error


def _beginning(text: str) -> str:
    """The first whole lines that fit."""
    data = text.encode()
    if len(data) <= MAX_BYTES:
        return text
    return data[:MAX_BYTES].decode(errors="ignore").rpartition("\n")[0] + "\n\n… the file has the rest.\n"


def _end(text: str) -> str:
    """The last whole lines that fit."""
    data = text.encode()
    if len(data) <= MAX_BYTES:
        return text
    return data[-MAX_BYTES:].decode(errors="ignore").partition("\n")[2]
