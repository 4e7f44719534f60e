"""From words to a player: checking the machine, C#, builds, the whole way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from unity_mlops_mcp.interfaces.mcp import arguments as a
from unity_mlops_mcp.interfaces.mcp import sampling
from unity_mlops_mcp.results.builds import BuildResult
from unity_mlops_mcp.results.pipelines import PipelineResult
from unity_mlops_mcp.results.scripts import ScriptResult, ScriptReview
from unity_mlops_mcp.results.setup import SetupReport

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App


class EnvironmentTools:
    """The operations as tools; each docstring is what the model reads.

    Args:
        app: gives the application; called at the first tool call.
    """

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def check_setup(self, fix: a.Fix = False) -> SetupReport:
        """Say whether this machine can train, before the first training or after a failure.

        Returns each check (trainer, disk, ports, folders …) as ok, warn or fail, with what was found, what is needed
        and the one step that mends it. With fix=true a job mends what it can: follow it with wait_for(job_id).
        When ok is true, call build_environment.
        """
        return self._app().check_setup(fix=fix)

    def run_pipeline(
        self,
        *,
        request: a.Request = None,
        spec: a.OwnSpec = None,
        project_path: a.OwnProject = None,
        scenes: a.Scenes = None,
        target: a.BuildOn = None,
        training: a.Training = None,
        max_steps: a.MaxSteps = None,
        confirm: a.Confirm = False,
        dry_run: a.DryRun = False,
        idempotency_key: a.IdempotencyKey = None,
        client_answer: sampling.AnswerToRequest,
    ) -> PipelineResult:
        """Go the whole way in one call: from a sentence, a spec or the user's project to a policy and how good it is.

        It returns at once with job_id and the plan of its stages, and goes on without this chat, after a crash too.
        Next: wait_for(job_id) until done: its stages say how far it is, its run_id names the training, its notes what
        was assumed (tell the user). stop_training(job_id) stops it and keeps what there is. Use dry_run first when the
        user wants to see the plan and the C#. Use the single tools when the user wants to decide at each step.
        """
        return self._app().run_pipeline(
            request=request,
            spec=spec,
            project_path=project_path,
            scenes=scenes,
            target=target,
            training=training,
            max_steps=max_steps,
            confirm=confirm,
            dry_run=dry_run,
            client_answer=sampling.client_answer(client_answer),
            idempotency_key=idempotency_key,
        )

    def generate_behavior_script(
        self,
        *,
        description: a.Description = None,
        name: a.AssetName = None,
        observation_space: a.ObservationSpace = None,
        action_space: a.ActionSpace = None,
        spec: a.Spec = None,
        spec_id: a.SpecId = None,
        source: a.AgentSource = None,
        unity_version: a.UnityVersion = None,
        ml_agents_version: a.MlAgentsVersion = None,
        use_llm: a.UseLlm = None,
        schema_only: a.SchemaOnly = False,
        output_path: a.OutputPath = None,
        force: a.ForceFiles = False,
        client_answer: sampling.AnswerToDescription,
    ) -> ScriptResult:
        """Write the C# of a behaviour for Unity: the agent, its training area, and the maker of its scene.

        Give description, spec or spec_id. With schema_only=true it gives the schema of specs and an example instead:
        call that first when you write the spec yourself, the surest way for anything unusual. Returns the files (texts
        by their uri), the sizes, who planned it, what was assumed and left_out, and findings of the checks; pass an
        edited agent back as source with the spec_id. Next: build_environment(spec_id).
        """
        return self._app().generate_behavior_script(
            description=description,
            name=name,
            observation_space=observation_space,
            action_space=action_space,
            spec=spec,
            spec_id=spec_id,
            source=source,
            unity_version=unity_version,
            ml_agents_version=ml_agents_version,
            use_llm=use_llm,
            schema_only=schema_only,
            output_path=output_path,
            force=force,
            client_answer=sampling.client_answer(client_answer),
        )

    def check_behavior_script(
        self,
        *,
        path: a.ScriptPath = None,
        source: a.ScriptSource = None,
        spec_id: a.SpecId = None,
        unity_version: a.UnityVersion = None,
        ml_agents_version: a.MlAgentsVersion = None,
    ) -> ScriptReview:
        """Check ML-Agents C# without Unity: before a build, or when a training learns nothing.

        Give path (a file, or a folder of scripts) or source. Returns findings, each with severity, line and fix; the
        size of the observation as the code writes it; and compile_check, the compiler that was used or `none`. With
        spec_id sizes, actions and tags are compared with the spec. Apply the fixes of errors, then build.
        """
        return self._app().check_behavior_script(
            path=path,
            source=source,
            spec_id=spec_id,
            unity_version=unity_version,
            ml_agents_version=ml_agents_version,
        )

    def build_environment(
        self,
        *,
        description: a.Description = None,
        observation_space: a.ObservationSpace = None,
        action_space: a.ActionSpace = None,
        spec_id: a.SpecId = None,
        spec: a.Spec = None,
        name: a.AssetName = None,
        target: a.BuildOn = None,
        project_path: a.OwnProject = None,
        scenes: a.Scenes = None,
        editor_path: a.EditorPath = None,
        build_target: a.BuildTarget = None,
        areas: a.Areas = None,
        confirm: a.Confirm = False,
        use_llm: a.UseLlm = None,
        idempotency_key: a.IdempotencyKey = None,
        client_answer: sampling.AnswerToDescription,
    ) -> BuildResult:
        """Make a player to train in: from one sentence, from an environment spec, or from the user's Unity project.

        Give description (best: who does what, with numbers, in plain words), or spec (you write it: the surest way for
        anything unusual), or spec_id, or project_path. Returns build_id, who planned it (planner), which words led to
        what, what was assumed and left_out (tell the user both), and the behaviour's sizes. A sandbox build is there
        at once: start_training(build_id). A Unity build is made by a job in minutes: wait_for(build_id), or
        start_training at once, which waits for it.
        """
        return self._app().build_environment(
            description=description,
            observation_space=observation_space,
            action_space=action_space,
            spec_id=spec_id,
            spec=spec,
            name=name,
            target=target,
            use_llm=use_llm,
            client_answer=sampling.client_answer(client_answer),
            project_path=project_path,
            scenes=scenes,
            editor_path=editor_path,
            build_target=build_target,
            areas=areas,
            confirm=confirm,
            idempotency_key=idempotency_key,
        )
