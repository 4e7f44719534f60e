"""The job that makes the evidence which gates miss, and then decides."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import anyio.to_thread

from unity_mlops_mcp.errors import ConflictError, MlopsError
from unity_mlops_mcp.evaluation.records import Evaluation
from unity_mlops_mcp.evaluation.request import EPISODES, EvaluationRequest, policies_of_run
from unity_mlops_mcp.evaluation.request import KIND as EVALUATION
from unity_mlops_mcp.jobs.following import follow
from unity_mlops_mcp.jobs.kinds import JobContext, StoppedError
from unity_mlops_mcp.jobs.manager import Jobs
from unity_mlops_mcp.jobs.records import Job
from unity_mlops_mcp.registry.promoting.evidence import gather
from unity_mlops_mcp.registry.promoting.gates import judge
from unity_mlops_mcp.registry.promoting.moves import note_refusal, promote, require_thawed
from unity_mlops_mcp.registry.promoting.records import Evidence, GateResult, read_gates
from unity_mlops_mcp.registry.promoting.request import PromotionRequest
from unity_mlops_mcp.registry.records import ModelVersion
from unity_mlops_mcp.registry.references import folder_of, resolve
from unity_mlops_mcp.store.rows import AliasRow
from unity_mlops_mcp.training.folder import RunFolder


async def run_promotion(context: JobContext, jobs: Jobs) -> dict[str, Any]:
    """Evaluate what was not evaluated, train again where a gate asks for it, and then promote or refuse.

    Every step is a job of its own under a key, so that an attempt that was cut off takes up what it had started.

    Returns:
        ``promoted``, the gates' results, and the version that held the alias before.

    Raises:
        MlopsError: an evaluation or a training failed, with its cause.
        ConflictError: the alias moved, or the model was frozen meanwhile.
    """
    work = _Promotion(context, jobs)
    try:
        return await work.do()
    except StoppedError:
        return {}


class _Promotion:
    """One attempt."""

    def __init__(self, context: JobContext, jobs: Jobs) -> None:
        self._context, self._jobs = context, jobs
        self._asked = PromotionRequest.model_validate(context.job.request)
        self._store = context.store
        self._version = resolve(self._store, self._asked.version_id)
        self._gates = read_gates(self._asked.gates)
        self._second_run: str | None = None

    async def do(self) -> dict[str, Any]:
        """Make the evidence, then decide."""
        need = next((gate.episodes for gate in self._gates if gate.kind == "evaluated"), 1)
        await self._first(max(EPISODES, need), need)
        await self._holders()
        reproducible = next((gate for gate in self._gates if gate.kind == "reproducible"), None)
        if reproducible is not None and self._evidence().second is None:
            await self._again(reproducible.method)
        return await anyio.to_thread.run_sync(self._decide)

    @property
    def _seen(self) -> AliasRow | None:
        """Where the alias stood when the promotion was asked for."""
        here = self._store.models.alias(self._version.name, self._asked.alias)
        now = (here.version_id, here.moves) if here else None
        if now != self._asked.seen:
            raise ConflictError(
                f"The alias {self._asked.alias} of {self._version.name} moved since the promotion was asked for.",
                fix="Look at list_models, and call promote_model again.",
                cause="moved_meanwhile",
            )
        return here

    def _evidence(self) -> Evidence:
        return gather(self._store, self._version, self._seen, self._gates, second_run=self._second_run)

    async def _first(self, episodes: int, need: int) -> None:
        found = self._evidence().evaluation
        if found is None or found.episodes < need:
            await self._evaluate("first", _request(self._context, self._version, like=found, episodes=episodes))

    async def _holders(self) -> None:
        """Evaluate the holder as the version was, where that was not done."""
        evidence = self._evidence()
        if evidence.holder is not None and evidence.evaluation is not None and evidence.holder_evaluation is None:
            await self._evaluate("holder", _request(self._context, evidence.holder, like=evidence.evaluation))

    async def _again(self, method: str) -> None:
        """The second evaluation, of the same policy or of a second training's."""
        like = self._evidence().evaluation
        if like is None:
            return
        if method == "evaluation":
            request = _request(self._context, self._version, like=like)
            await self._evaluate("second", request.model_copy(update={"seed": like.seed + 1}))
            return
        job = await anyio.to_thread.run_sync(self._train_again)
        await self._follow(job, "train again with another seed")
        self._second_run = job.subject
        policies = policies_of_run(RunFolder(self._context.settings.home / "runs" / job.subject))
        request = _request(self._context, self._version, like=like)
        changed = {"policies": policies, "run_id": job.subject, "version_id": None}
        await self._evaluate("second", request.model_copy(update=changed))

    def _train_again(self) -> Job:
        """The same training with another seed."""
        from unity_mlops_mcp.store.cache import Cache
        from unity_mlops_mcp.training.planning import asked_before
        from unity_mlops_mcp.training.record import read_record
        from unity_mlops_mcp.training.request import TrainingRequest
        from unity_mlops_mcp.training.runs import Naming, Runs

        settings = self._context.settings
        runs = Runs(settings, self._store, self._jobs)
        record = read_record(runs.folder(_run_of(self._version)))
        asked = TrainingRequest.model_validate({**record["request"], "configuration": record["configuration"]})
        place, wish = asked_before(asked.model_copy(update={"seed": asked.seed + 1}))
        naming = Naming(idempotency_key=self._key("training"))
        with closing(Cache(settings.home / "cache")) as cache:
            return runs.start(place, wish, naming, cache=cache, revision=record.get("revision"))

    async def _evaluate(self, which: str, request: EvaluationRequest) -> None:
        data = request.model_dump(mode="json")
        submit: Callable[[], Job] = lambda: self._jobs.submit(  # noqa: E731 - bound to this call's values
            EVALUATION, data, subject=request.subject, idempotency_key=self._key(which)
        )
        await self._follow(await anyio.to_thread.run_sync(submit), f"evaluate ({which})")

    def _key(self, which: str) -> str:
        return f"promotion:{self._context.job.id}:{which}"

    async def _follow(self, job: Job, what: str) -> None:
        """Wait until another job has succeeded."""

        def show(job: Job) -> None:
            self._context.progress(message=f"{what}: {job.progress.get('message') or job.state}")

        try:
            await follow(self._context, self._jobs, job, show)
        except MlopsError as error:
            told = f"{what} failed: {error.message}"
            raise MlopsError(told, fix=error.fix, cause=error.cause, evidence=error.evidence) from error

    def _decide(self) -> dict[str, Any]:
        require_thawed(self._store, self._version.name)
        seen, results = self._seen, judge(self._gates, self._evidence())
        passed = all(result.outcome == "passed" for result in results)
        if passed:
            promote(self._store, self._version, self._asked.alias, seen, gates=results, override_reason=None)
        else:
            note_refusal(self._store, self._version, self._asked.alias, results)
        self._context.progress(message=_told(self._version, self._asked.alias, results), progress=1.0)
        return {
            "promoted": passed,
            "gates": [result.model_dump(mode="json") for result in results],
            "previous_version": seen.version_id if seen else None,
        }


def _told(version: ModelVersion, alias: str, results: tuple[GateResult, ...]) -> str:
    failed = [
        f"{result.name}: {result.value}; needed {result.needed}" for result in results if result.outcome != "passed"
    ]
    if failed:
        return f"{version.version_id} was not promoted to {alias}. {'; '.join(failed)}"
    return f"{version.version_id} is {alias} now: all {len(results)} gates passed"


def _run_of(version: ModelVersion) -> str:
    if version.run_id is None:
        raise ConflictError(
            f"{version.version_id} came from a file: it cannot be trained again.",
            fix="Use the method evaluation in the gate of reproducibility.",
            cause="no_run",
        )
    return version.run_id


def _request(
    context: JobContext, version: ModelVersion, *, like: Evaluation | None, episodes: int | None = None
) -> EvaluationRequest:
    """An evaluation of a version, on what another one was played on, else on what it was trained on."""
    folder = folder_of(context.settings.home, version)
    policies = [
        {"behavior": policy.behavior, "path": str(folder / policy.file), "sha256": policy.sha256}
        for policy in version.policies
    ]
    build_id = like.build_id if like else version.build_id
    env_path = like.player if like and like.build_id is None else None
    if build_id is None and env_path is None:
        raise ConflictError(
            f"It is not known which player {version.version_id} was trained on.",
            fix=f"Call evaluate_model(model={version.version_id!r}, build_id=…) first.",
            cause="no_player",
        )
    shared = {"seed": like.seed, "areas": like.areas, "deterministic": like.deterministic} if like else {}
    return EvaluationRequest.model_validate(
        {
            "policies": policies,
            "run_id": version.run_id,
            "version_id": version.version_id,
            "build_id": build_id,
            "env_path": env_path,
            "episodes": episodes or (like.episodes if like else EPISODES),
            **shared,
        }
    )
