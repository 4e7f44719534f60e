"""The tools: typed arguments, one call into the application, a typed result."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from mcp.server.mcpserver import Context
from mcp.types import ToolAnnotations

from unity_mlops_mcp.interfaces.mcp import arguments as a
from unity_mlops_mcp.interfaces.mcp import sampling
from unity_mlops_mcp.interfaces.mcp.strict import StrictTool
from unity_mlops_mcp.interfaces.mcp.waiting import wait_with_progress
from unity_mlops_mcp.results import (
    BuildResult,
    InstalledModel,
    MetricsResult,
    PipelineResult,
    ResumedRun,
    RunList,
    ScriptResult,
    ScriptReview,
    SetupReport,
    StartedRun,
    Status,
    StopResult,
    WaitResult,
)

if TYPE_CHECKING:
    from unity_mlops_mcp.app import App


class Tools:
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

    def start_training(
        self,
        *,
        build_id: a.BuildId = None,
        env_path: a.EnvPath = None,
        editor: a.Editor = False,
        algorithm: a.Algorithm = None,
        max_steps: a.MaxSteps = None,
        num_envs: a.NumEnvs = None,
        num_areas: a.NumAreas = None,
        time_scale: a.TimeScale = None,
        learning_rate: a.LearningRate = None,
        seed: a.Seed = None,
        trainer_mode: a.TrainerMode = "fast",
        trainer_config: a.TrainerConfig = None,
        initialize_from: a.InitializeFrom = None,
        run_id: a.NewRunId = None,
        force: a.Force = False,
        no_graphics: a.NoGraphics = None,
        width: a.Pixels = None,
        height: a.Pixels = None,
        env_args: a.EnvArgs = None,
        idempotency_key: a.IdempotencyKey = None,
    ) -> StartedRun:
        """Start a real training with ML-Agents' own trainer; it returns at once and goes on without this chat.

        Give exactly one of build_id, env_path, editor; all else has sensible presets. Returns run_id and state;
        waiting_for says why it does not run yet. Next: wait_for(run_id), again and again until done, then
        get_metrics(run_id). Pass an idempotency_key when you might call twice.
        """
        return self._app().start_training(
            build_id=build_id,
            env_path=env_path,
            editor=editor,
            algorithm=algorithm,
            max_steps=max_steps,
            num_envs=num_envs,
            num_areas=num_areas,
            time_scale=time_scale,
            learning_rate=learning_rate,
            seed=seed,
            trainer_mode=trainer_mode,
            trainer_config=trainer_config,
            initialize_from=initialize_from,
            run_id=run_id,
            force=force,
            no_graphics=no_graphics,
            width=width,
            height=height,
            env_args=env_args,
            idempotency_key=idempotency_key,
        )

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

    def list_runs(
        self,
        state: a.StateFilter = None,
        behavior: a.BehaviorFilter = None,
        asset: a.AssetFilter = None,
        limit: a.Limit = 20,
        cursor: a.Cursor = None,
    ) -> RunList:
        """List the trainings on this machine, newest first; call it first when the user asks about earlier work.

        Returns run_id, state, step, mean reward and success of each. More pages: pass next_cursor as cursor.
        Next: get_run(run_id) for one of them.
        """
        return self._app().list_runs(state=state, behavior=behavior, asset=asset, limit=limit, cursor=cursor)

    def get_run(self, id: a.RunOrJobId) -> Status:  # noqa: A002
        """Everything about one run or job, now: state, progress, figures, files, the end of its log.

        When it failed, failure holds the cause, the evidence and the fix: tell the user and apply the fix.
        To wait for a change call wait_for(id) instead of calling this again and again.
        """
        return self._app().get_run(id)

    async def wait_for(
        self,
        id: a.AnyId,  # noqa: A002
        context: Context[Any, Any],
        timeout_s: a.TimeoutS = 25,
        until: a.Until = None,
    ) -> WaitResult:
        """Wait until a run, job or build ends (or reaches `until`), at most timeout_s seconds, with progress.

        Returns the status either way; done says whether it came. When done is false, tell the user in a line how it
        stands and call again; the training goes on meanwhile, with or without you.
        """
        app = await anyio.to_thread.run_sync(self._app)
        return await wait_with_progress(app, context, id, timeout_s=timeout_s, until=until)

    def stop_training(self, id: a.RunOrJobId) -> StopResult:  # noqa: A002
        """Stop a run or any other job; the checkpoint and the ONNX policy so far are kept.

        Returns at once with the state and the files that are there; the state becomes cancelled when the trainer has
        written its checkpoint: wait_for(id). It can go on later with resume_training(run_id).
        """
        return self._app().stop_training(id)

    def resume_training(self, run_id: a.RunId, extra_steps: a.ExtraSteps = None) -> ResumedRun:
        """Go on with a run that was stopped, failed or finished, from its last checkpoint, under the same run_id.

        For a finished run give extra_steps. Returns from_step and the new job. Next: wait_for(run_id).
        """
        return self._app().resume_training(run_id, extra_steps=extra_steps)

    def get_metrics(
        self,
        run_id: a.RunId,
        tags: a.Tags = None,
        max_points: a.MaxPoints = 100,
        cursor: a.Cursor = None,
    ) -> MetricsResult:
        """Say how well a run learns: call it during a training or after it.

        Returns a summary first (last and best reward, success, trend, plateau or divergence with the reason, speed,
        time left), then thinned series for the tags asked for. available_tags names the others; next_cursor gives
        the next ones. Judge by the summary, quote the series only when asked.
        """
        return self._app().get_metrics(run_id, tags=tags, max_points=max_points, cursor=cursor)

    def install_model(
        self,
        *,
        project_path: a.ProjectPath,
        run_id: a.OwnRunId = None,
        onnx_path: a.OnnxPath = None,
        confirm: a.Replace = False,
    ) -> InstalledModel:
        """Put a trained policy into a Unity project, checked for the package that runs models there.

        Give run_id or onnx_path. Returns the files, the inference package (Barracuda, Sentis or Inference Engine) and
        the values to set in the inspector: tell them to the user. Another file of that name is replaced only with
        confirm=true, and kept as a backup. The project may be open in the Editor.
        """
        return self._app().install_model(project_path=project_path, run_id=run_id, onnx_path=onnx_path, confirm=confirm)


def make_tools(app: Callable[[], App]) -> list[StrictTool]:
    """All tools, in the order in which they are used."""
    tools = Tools(app)
    return [
        _tool(tools.check_setup, "Check this machine", idempotent=True, open_world=True),
        _tool(tools.run_pipeline, "Go from a sentence to a trained policy", open_world=True),
        _tool(tools.generate_behavior_script, "Write the C# of a behaviour", open_world=True),
        _tool(tools.check_behavior_script, "Check C#", read_only=True),
        _tool(tools.build_environment, "Make a training environment", idempotent=True, open_world=True),
        _tool(tools.start_training, "Start a training"),
        _tool(tools.wait_for, "Wait for a run, job or build", read_only=True),
        _tool(tools.get_run, "Show a run or job", read_only=True),
        _tool(tools.get_metrics, "Show how well a run learns", read_only=True),
        _tool(tools.list_runs, "List the runs", read_only=True),
        _tool(tools.stop_training, "Stop a run or job", destructive=True, idempotent=True),
        _tool(tools.resume_training, "Resume a run"),
        _tool(tools.install_model, "Install a policy into a Unity project", destructive=True, idempotent=True),
    ]


def _tool(
    function: Callable[..., Any],
    title: str,
    *,
    read_only: bool = False,
    destructive: bool = False,
    idempotent: bool = False,
    open_world: bool = False,
) -> StrictTool:
    annotations = ToolAnnotations(
        title=title,
        read_only_hint=read_only,
        destructive_hint=destructive,
        idempotent_hint=idempotent or read_only,
        open_world_hint=open_world,
    )
    return StrictTool.of(
        function, title=title, annotations=annotations, description=inspect.cleandoc(function.__doc__ or "")
    )
