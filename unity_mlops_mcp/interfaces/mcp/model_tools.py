"""Trained policies, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from unity_mlops_mcp.interfaces.mcp import arguments as a
from unity_mlops_mcp.results.evaluations import StartedEvaluation
from unity_mlops_mcp.results.models import InstalledModel
from unity_mlops_mcp.results.promotions import Promotion, Rollback
from unity_mlops_mcp.results.registry import ModelList, RegisteredModel

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App


class ModelTools:
    """The operations as tools; each docstring is what the model reads.

    Args:
        app: gives the application; called at the first tool call.
    """

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def evaluate_model(
        self,
        *,
        run_id: a.PolicyRunId = None,
        model: a.ModelReference = None,
        onnx_path: a.OnnxPath = None,
        build_id: a.PlayOnBuild = None,
        env_path: a.PlayOnPlayer = None,
        episodes: a.Episodes = 200,
        seed: a.EvaluationSeed = 1,
        deterministic: a.Deterministic = False,
        num_areas: a.NumAreas = None,
        parameters: a.HeldParameters = None,
        sweep: a.Sweep = None,
        no_graphics: a.NoGraphics = None,
        env_args: a.EnvArgs = None,
        idempotency_key: a.IdempotencyKey = None,
    ) -> StartedEvaluation:
        """Let a trained policy play whole episodes and say how good it is: figures with 95 % intervals.

        Give run_id, model or onnx_path. Returns at once with job_id; wait_for(job_id) until done: its evaluation holds
        success, return, endings (collisions, falls, timeout), episode length, actions, sensors against the training's
        range, inference time. With sweep it also tells success against a parameter, such as the obstacle count. Quote
        figures with their intervals; training metrics are no substitute.
        """
        return self._app().evaluate_model(
            run_id=run_id,
            model=model,
            onnx_path=onnx_path,
            build_id=build_id,
            env_path=env_path,
            episodes=episodes,
            seed=seed,
            deterministic=deterministic,
            num_areas=num_areas,
            parameters=parameters,
            sweep=sweep,
            no_graphics=no_graphics is not False,
            env_args=env_args,
            idempotency_key=idempotency_key,
        )

    def register_model(
        self,
        *,
        name: a.ModelTitle = None,
        run_id: a.PolicyRunId = None,
        onnx_path: a.OnnxPath = None,
        description: a.Changelog = None,
        registry: a.RegistryName = "local",
        vertex_project: a.VertexProject = None,
        vertex_region: a.VertexRegion = None,
    ) -> RegisteredModel:
        """Keep a trained policy as an immutable version of a model, with all that is known of how it came about.

        Give run_id or onnx_path, and a description of what changed. The policy is checked as Unity would load it and
        refused with the reason otherwise. The same policy again gives the same version (new is false). Next:
        evaluate_model(model=version), then promote_model(version).
        """
        return self._app().register_model(
            name=name,
            run_id=run_id,
            onnx_path=onnx_path,
            description=description,
            registry=registry,
            vertex_project=vertex_project,
            vertex_region=vertex_region,
        )

    def promote_model(
        self,
        *,
        version: a.Promoted = None,
        name: a.FrozenModel = None,
        alias: a.Alias = "production",
        gates: a.Gates = None,
        action: a.PromotionAction = "promote",
        override_reason: a.OverrideReason = None,
        confirm: a.DoIt = False,
    ) -> Promotion:
        """Let an alias such as production point to a version, when its gates pass; or freeze or unfreeze a model.

        Call it without confirm first: it tells each gate with its figures and what would pass it (success and reward
        against the present holder over episodes, no more collisions, reproducible, changelog). With confirm=true it
        promotes, refuses, or starts a job that makes missing evidence and then decides: wait_for(job_id). Pass
        override_reason only when the user said so.
        """
        return self._app().promote_model(
            version=version,
            name=name,
            alias=alias,
            gates=gates,
            action=action,
            override_reason=override_reason,
            confirm=confirm,
        )

    def rollback_model(
        self,
        *,
        name: a.ModelName,
        reason: a.WhyBack,
        alias: a.Alias = "production",
        to: a.BackTo = None,
        corrective_action: a.Correction = None,
        confirm: a.DoIt = False,
    ) -> Rollback:
        """Let an alias point to the last good version again, freeze further promotion, and open an incident.

        Call it without confirm to see which version would come back; with confirm=true it is done in one step. Tell
        the user that promotion is frozen until promote_model(name, action='unfreeze', confirm=true).
        """
        return self._app().rollback_model(
            name=name, alias=alias, to=to, reason=reason, corrective_action=corrective_action, confirm=confirm
        )

    def list_models(
        self,
        *,
        name: a.ModelNamed = None,
        alias: a.AliasFilter = None,
        limit: a.Limit = 10,
        cursor: a.Cursor = None,
    ) -> ModelList:
        """List the registered models with their versions, aliases and figures, newest first.

        Call it to see which version serves (aliases), how good each is (success and return of its newest evaluation,
        with intervals), and whether a model is frozen. The card of a version is the resource models://{version}.
        """
        return self._app().list_models(name=name, alias=alias, limit=limit, cursor=cursor)

    def install_model(
        self,
        *,
        project_path: a.ProjectPath,
        run_id: a.PolicyRunId = None,
        model: a.ModelReference = None,
        onnx_path: a.OnnxPath = None,
        confirm: a.Replace = False,
    ) -> InstalledModel:
        """Put a trained policy into a Unity project, checked for the package that runs models there.

        Give run_id, model or onnx_path. Returns the files, the inference package (Barracuda, Sentis, Inference Engine)
        and the values to set in the inspector: tell them to the user. Another file of that name is replaced only with
        confirm=true, and kept as a backup. The project may be open in the Editor.
        """
        return self._app().install_model(
            project_path=project_path, run_id=run_id, model=model, onnx_path=onnx_path, confirm=confirm
        )
