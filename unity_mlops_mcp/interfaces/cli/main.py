"""The command line itself: its commands, and how it ends."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from typing import Any

import typer

from unity_mlops_mcp.errors import InvalidInputError, MlopsError, refused_by_system
from unity_mlops_mcp.interfaces.cli import (
    calling,
    datasets,
    deploying,
    elsewhere,
    journeys,
    keeping,
    machine,
    models,
    notifying,
    operations,
    promoting,
    reports,
    scheduling,
    scripting,
    serving,
)
from unity_mlops_mcp.interfaces.cli.output import FAILED, INTERRUPTED, MISUSE, error_record, fail, print_json

# Typer exports the children of its usage error, not the error itself.
_UsageError: Any = typer.BadParameter.__base__

OPERATIONS: dict[str, Callable[..., None]] = {
    "check-setup": operations.check_setup,
    "run-pipeline": operations.run_pipeline,
    "generate-behavior-script": scripting.generate_behavior_script,
    "check-behavior-script": scripting.check_behavior_script,
    "build-environment": operations.build_environment,
    "start-training": operations.start_training,
    "wait-for": operations.wait_for,
    "get-run": operations.get_run,
    "get-metrics": operations.get_metrics,
    "compare-runs": operations.compare_runs,
    "list-runs": operations.list_runs,
    "stop-training": operations.stop_training,
    "resume-training": operations.resume_training,
    "record-demonstrations": datasets.record_demonstrations,
    "inspect-dataset": datasets.inspect_dataset,
    "evaluate-model": models.evaluate_model,
    "render-report": reports.render_report,
    "register-model": models.register_model,
    "list-models": models.list_models,
    "promote-model": promoting.promote_model,
    "rollback-model": promoting.rollback_model,
    "install-model": models.install_model,
    "add-schedule": scheduling.add_schedule,
    "list-schedules": scheduling.list_schedules,
    "update-schedule": scheduling.update_schedule,
}
"""The commands that are tools too: one for each."""

_TO_BEGIN: dict[str, Callable[..., None]] = {"run": journeys.run, "train": journeys.train, "watch": journeys.watch}
_ELSEWHERE: dict[str, Callable[..., None]] = {
    "upload-to-vertex": elsewhere.upload_to_vertex,
    "align-vertex": elsewhere.align_vertex,
    "export-run": elsewhere.export_run,
    "export-model": elsewhere.export_model,
}
_KEEPING: dict[str, Callable[..., None]] = {
    "backup": keeping.backup,
    "restore": keeping.restore,
    "mirror": keeping.mirror,
    "prune": keeping.prune,
    "tensorboard": keeping.tensorboard,
    "call": calling.call,
}
_MACHINE: dict[str, Callable[..., None]] = {
    "doctor": operations.check_setup,
    "connect": machine.connect,
    "probe": machine.probe,
    "spec-schema": machine.spec_schema,
    "mcp": machine.mcp,
    "serve": serving.serve,
    "scheduler": scheduling.scheduler,
    "version": machine.version,
}


def command_line() -> typer.Typer:
    """All commands."""
    cli = typer.Typer(
        name="unity-mlops",
        help="From one sentence to a trained Unity ML-Agents policy.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for panel, commands in (
        ("To begin", _TO_BEGIN),
        ("Operations", OPERATIONS),
        ("Other registries", _ELSEWHERE),
        ("Upkeep of the home", _KEEPING),
        ("This machine", _MACHINE),
    ):
        for name, function in commands.items():
            cli.command(name, rich_help_panel=panel)(function)
    cli.add_typer(deploying.deploy, name="deploy", rich_help_panel="Upkeep of the home")
    cli.add_typer(machine.trainer, name="trainer", rich_help_panel="This machine")
    cli.add_typer(serving.token, name="token", rich_help_panel="This machine")
    cli.add_typer(notifying.notify, name="notify", rich_help_panel="This machine")
    return cli


def run(arguments: Sequence[str]) -> int:
    """Run one command; the exit code: 0 ok, 1 failed, 2 misuse."""
    as_json = "--json" in arguments
    try:
        _refuse_bytes(arguments)
        code = command_line()(args=list(arguments), prog_name="unity-mlops", standalone_mode=False)
    except MlopsError as error:
        return fail(error, as_json=as_json)
    except _UsageError as error:
        return _misuse(error, as_json=as_json)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001
        refused = refused_by_system(error)
        return fail(refused, as_json=as_json) if refused else _internal(error, as_json=as_json)
    return code if isinstance(code, int) else 0


def _refuse_bytes(arguments: Sequence[str]) -> None:
    """Refuse arguments that are no text: neither the store nor JSON can hold them."""
    shown = " ".join(arguments).encode(errors="replace").decode()
    if shown != " ".join(arguments):
        fix = "Use names in UTF-8, and a terminal that is set to it."
        raise InvalidInputError(f"The arguments {shown!r} are not UTF-8 text.", fix=fix)


def _internal(error: Exception, *, as_json: bool) -> int:
    """Tell an error of our own, with the trace that a report needs."""
    traceback.print_exception(error)
    if as_json:
        fix = "Standard error holds the trace; report it, and see: unity-mlops doctor"
        print_json(error_record("internal", f"{type(error).__name__}: {error}", fix))
    return FAILED


def _misuse(error: Any, *, as_json: bool) -> int:
    """Say how the command is called."""
    if as_json:
        fix = f"See: {error.ctx.command_path} --help" if error.ctx else "See: unity-mlops --help"
        print_json(error_record("usage", error.format_message(), fix))
    else:
        error.show()
    return MISUSE
