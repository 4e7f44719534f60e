"""The job that makes a Unity build: copy, run the Editor, believe only its marker and a player, probe, keep."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from unity_mlops_mcp.builds.library import is_startable, record_of
from unity_mlops_mcp.builds.records import Behavior, BuildFacts, PlayerBuild
from unity_mlops_mcp.builds.unity import player as players
from unity_mlops_mcp.builds.unity.copying import Copied, copy_project, release_lock_file
from unity_mlops_mcp.builds.unity.editors import Editor
from unity_mlops_mcp.builds.unity.licence import activate
from unity_mlops_mcp.builds.unity.logs import LogContext, classify
from unity_mlops_mcp.builds.unity.request import UnityBuildRequest, player_folder
from unity_mlops_mcp.builds.unity.run import EditorRun, Following, log_lines, run_editor
from unity_mlops_mcp.builds.unity.workspace import Workspace, build_script, new_project, script_files
from unity_mlops_mcp.errors import ExternalError, InvalidInputError, MlopsError, SetupError
from unity_mlops_mcp.jobs.kinds import JobContext
from unity_mlops_mcp.process.files import write_atomically
from unity_mlops_mcp.process.lookup import pids_working_on
from unity_mlops_mcp.store.ids import utc_now
from unity_mlops_mcp.store.rows import BuildRow

if TYPE_CHECKING:
    from unity_mlops_mcp.spec.library import SavedSpec

FORMAT = 1
"""Raised when equal inputs would give another player, so that old builds are not taken for new."""


@dataclass(frozen=True)
class _Prepared:
    """A copy that is ready to be built, and what it was made of."""

    digest: str
    notes: tuple[str, ...]
    spec: SavedSpec | None


async def build_unity(context: JobContext) -> dict[str, Any]:
    """Make the build that the job's request describes, or find the equal one that is there.

    Returns:
        ``build_id`` (of the build that was found where it is another one), ``cached``; nothing when it was stopped.

    Raises:
        MlopsError: it failed; cause, place, evidence and fix say why.
    """
    request = UnityBuildRequest.model_validate(context.job.request)
    context.progress(step=0, total=100, message="waiting for the project's copy", notes=[])
    workspace = Workspace(context.settings.home, request)
    if not await workspace.take(context):
        return {}
    try:
        return await _Build(context, request, workspace.project).make()
    finally:
        workspace.release()


class _Build:
    """One build in a copy that nobody else uses meanwhile."""

    def __init__(self, context: JobContext, request: UnityBuildRequest, project: Path) -> None:
        self._context = context
        self._request = request
        self._project = project
        self._folder = context.settings.home / "builds" / request.build_id
        self._log = self._folder / "editor.log"

    async def make(self) -> dict[str, Any]:
        await anyio.to_thread.run_sync(self._free_the_copy)
        self._tell("copying the project", 0.01)
        prepared = await anyio.to_thread.run_sync(self._prepare)
        if self._stopped:
            return {}
        known = await anyio.to_thread.run_sync(self._known, prepared.digest)
        if known is not None:
            return {"build_id": known.build_id, "cached": True}
        run = await self._run_editor()
        if self._stopped:
            await anyio.to_thread.run_sync(self._clean_up)
            return {}
        try:
            executable = await anyio.to_thread.run_sync(self._judge, run)
            self._tell("probing the player", 0.9)
            found = await self._probed(executable, prepared)
        except MlopsError:
            await anyio.to_thread.run_sync(self._clean_up)
            raise
        if found is None:
            return {}
        return await anyio.to_thread.run_sync(self._keep, run, executable, found, prepared)

    @property
    def _stopped(self) -> bool:
        return self._context.stop_requested.is_set()

    def _tell(self, message: str, share: float) -> None:
        self._context.progress(message=message, step=round(share * 100), total=100)

    def _free_the_copy(self) -> None:
        """Remove what a killed Editor left; one that lives and is not ours is told."""
        release_lock_file(self._project, in_use=bool(pids_working_on(self._project)))

    def _clean_up(self) -> None:
        """Leave no half player and no lock file; the log stays."""
        shutil.rmtree(player_folder(self._context.settings.home, self._request.build_id), ignore_errors=True)
        if not pids_working_on(self._project):
            release_lock_file(self._project, in_use=False)

    # ---------------------------------------------------------------------------------------------------- inputs
    def _prepare(self) -> _Prepared:
        spec, added = self._added()
        source = Path(self._request.project_path) if self._request.project_path else None
        copied = copy_project(
            source,
            self._project,
            settings=self._context.settings,
            added={**added, **build_script()},
            stopping=self._context.stop_requested.is_set,
        )
        return _Prepared(self._digest(copied), (*self._request.notes, *copied.notes), spec)

    def _added(self) -> tuple[SavedSpec | None, Mapping[str, bytes]]:
        """The spec of the build, and what is added to the project for it."""
        if self._request.spec_id is None:
            return None, {}
        from unity_mlops_mcp.builds.unity.scripts import script_for
        from unity_mlops_mcp.spec.library import load_spec

        home = self._context.settings.home
        saved = load_spec(home, self._request.spec_id)
        script = script_for(
            home,
            saved,
            unity=self._request.editor_version,
            ml_agents=self._request.ml_agents,
            confirmed=self._request.confirmed,
        )
        project = (
            {} if self._request.project_path else new_project(self._request.editor_version, script.versions.ml_agents)
        )
        return saved, {**project, **script_files(script, saved)}

    def _digest(self, copied: Copied) -> str:
        request = self._request
        parts = {
            "format": FORMAT,
            "files": dict(copied.files),
            "editor": request.editor_version or request.editor,
            "target": request.build_target,
            "scenes": request.scenes,
            "areas": request.areas if request.spec_id else None,
            "name": request.player_name,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode("utf-8", "surrogateescape")).hexdigest()

    def _known(self, digest: str) -> PlayerBuild | None:
        row = self._context.store.builds.by_digest(digest)
        build = record_of(row, self._context.settings.home) if row else None
        return build if build and build.player and is_startable(build.player) else None

    # --------------------------------------------------------------------------------------------------- the Editor
    async def _run_editor(self) -> EditorRun:
        """Run it, once more when its licensing client was not ready; gives the last run."""
        settings = self._context.settings
        self._folder.mkdir(parents=True, exist_ok=True)
        editor = Editor(path=Path(self._request.editor), version=self._request.editor_version, source="", modules=None)
        if settings.unity_serial is not None:
            self._tell("activating the licence", 0.02)
            await anyio.to_thread.run_sync(partial(activate, settings, editor), abandon_on_cancel=True)
        run = await self._one_run()
        if run.marker is None and run.ended_by is None and classify(self._lines(), self._log_context(run)).retry:
            self._tell(f"Unity's licensing was not ready; trying again in {settings.unity_retry_s:g} s", 0.02)
            with anyio.move_on_after(settings.unity_retry_s):
                await self._context.stop_requested.wait()
            if not self._stopped:
                await anyio.to_thread.run_sync(self._free_the_copy)
                run = await self._one_run()
        return run

    async def _one_run(self) -> EditorRun:
        nonce = secrets.token_hex(8)
        raw = self._folder / "editor.raw"
        await anyio.to_thread.run_sync(self._empty_output, raw)
        following = Following(raw, self._log, secrets=self._context.settings.secrets, nonce=nonce, tell=self._tell)
        self._tell("starting the Unity Editor", 0.02)
        try:
            return await run_editor(
                self._context, self._command(nonce), folder=self._project, following=following, raw=raw
            )
        finally:
            raw.unlink(missing_ok=True)

    def _empty_output(self, raw: Path) -> None:
        output = player_folder(self._context.settings.home, self._request.build_id)
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir(parents=True)
        raw.unlink(missing_ok=True)
        self._log.write_bytes(b"")

    def _command(self, nonce: str) -> list[str]:
        request = self._request
        command = [
            *(request.editor, "-batchmode", "-nographics"),
            *("-projectPath", str(self._project), "-buildTarget", request.target.argument, "-logFile", "-"),
            *("-executeMethod", "UnityMlops.Builder.Run"),
            *("-mlopsOutput", str(self._output), "-mlopsTarget", request.build_target, "-mlopsNonce", nonce),
        ]
        if request.spec_id is not None:
            return [*command, "-mlopsSceneClass", f"{request.behavior_name}Scene", "-mlopsAreas", str(request.areas)]
        return [*command, "-mlopsScenes", ";".join(request.scenes)]

    @property
    def _output(self) -> Path:
        name = f"{self._request.player_name}{self._request.target.extension}"
        return player_folder(self._context.settings.home, self._request.build_id) / name

    def _lines(self) -> list[str]:
        return log_lines(self._log)

    def _log_context(self, run: EditorRun) -> LogContext:
        target = self._request.target
        return LogContext(
            exit_code=run.exit_code,
            seconds=run.seconds,
            version=self._request.editor_version,
            target=target.name,
            module=target.module_name,
            project=str(self._project),
            log=str(self._log),
            editor=self._request.editor,
        )

    def _judge(self, run: EditorRun) -> Path:
        """The player that was built.

        Raises:
            MlopsError: there is none; the log's class of failure says why.
        """
        if run.ended_by == "timeout":
            raise self._too_slow(run)
        if run.ended_by == "disk":
            raise SetupError(
                f"The disk of {self._context.settings.home} became full during the build, so the Editor was ended.",
                fix="Free several gigabytes, or set UNITY_MLOPS_HOME to another disk; then build again.",
                cause="disk_full",
            )
        if run.marker is not None and run.marker.result == "Succeeded":
            return players.require(self._output, self._request.target, log=self._log)
        found = classify(self._lines(), self._log_context(run))
        raise ExternalError(found.message, fix=found.fix, cause=found.cause, evidence=found.evidence)

    def _too_slow(self, run: EditorRun) -> MlopsError:
        last = [line.strip() for line in self._lines() if line.strip()][-5:]
        return ExternalError(
            f"The Editor did not end within {self._context.settings.unity_timeout_s:g} s and was ended; "
            f"it ran {run.seconds:.0f} s.",
            fix="The evidence is the last it said. A first import of a large project takes long: set "
            "UNITY_MLOPS_UNITY_TIMEOUT_S higher and build again; what was imported is kept.",
            cause="unity_timeout",
            evidence=last,
        )

    # ---------------------------------------------------------------------------------------------------- the player
    async def _probed(self, executable: Path, prepared: _Prepared) -> players.Probed | None:
        """What the player is; None when a stop is asked for meanwhile."""
        look = partial(
            players.probe_player,
            executable,
            target=self._request.target,
            log_folder=self._folder / "probe",
            spec=prepared.spec.spec if prepared.spec else None,
        )
        found: list[players.Probed | MlopsError] = []
        async with anyio.create_task_group() as tasks:

            async def give_up() -> None:
                await self._context.stop_requested.wait()
                tasks.cancel_scope.cancel()

            tasks.start_soon(give_up)
            try:
                found.append(await anyio.to_thread.run_sync(look, abandon_on_cancel=True))
            except MlopsError as error:  # raised outside of the group, which would wrap it
                found.append(error)
            tasks.cancel_scope.cancel()
        outcome = found[0] if found else None
        if isinstance(outcome, MlopsError):
            raise outcome
        return outcome

    def _keep(self, run: EditorRun, executable: Path, found: players.Probed, prepared: _Prepared) -> dict[str, Any]:
        request = self._request
        facts = BuildFacts(
            project=request.project_path,
            editor=request.editor,
            editor_version=request.editor_version,
            ml_agents=request.ml_agents or "",
            scenes=request.scenes,
            areas=request.areas if request.spec_id else None,
            build_target=request.build_target,
            seconds=round(run.seconds, 1),
            size=run.marker.size if run.marker else 0,
            probe=found.facts,
            notes=(*prepared.notes, *found.notes, *_doubts(run)),
        )
        row = BuildRow(
            build_id=request.build_id,
            target="unity",
            digest=prepared.digest,
            data=_data(found.behaviors, facts, executable.relative_to(self._folder)),
            created_at=utc_now(),
            spec_id=request.spec_id,
            archetype=prepared.spec.archetype if prepared.spec else None,
            job_id=self._context.job.id,
        )
        if prepared.spec is not None:
            write_atomically(self._folder / "spec.json", prepared.spec.spec.to_json().encode())
        build = record_of(row, self._context.settings.home)
        write_atomically(self._folder / "build.json", (build.model_dump_json(indent=2) + "\n").encode())
        return self._add(row)

    def _add(self, row: BuildRow) -> dict[str, Any]:
        builds = self._context.store.builds
        added = builds.add(row)
        if added is None:
            raise InvalidInputError(f"The build id {row.build_id} is taken.", fix="Build again; it gets another id.")
        if added.build_id != row.build_id and self._known(row.digest) is None:
            builds.replace(added.build_id, row)  # its files are gone; what was made anew takes its place
            added = row
        return {"build_id": added.build_id, "cached": added.build_id != row.build_id}


def _data(behaviors: tuple[Behavior, ...], facts: BuildFacts, player: Path) -> dict[str, Any]:
    return {
        "behaviors": [behavior.model_dump(mode="json") for behavior in behaviors],
        "facts": facts.model_dump(mode="json"),
        "player": player.as_posix(),
    }


def _doubts(run: EditorRun) -> list[str]:
    """What a person should know of a build that was made although not all went well."""
    doubts = []
    if run.exit_code != 0:
        doubts.append(f"The Editor ended with code {run.exit_code} after the build was done.")
    if run.marker and run.marker.errors:
        doubts.append(f"Unity counted {run.marker.errors} errors in a build that it calls a success; see editor.log.")
    return doubts


def can_resume(request: Mapping[str, Any]) -> bool:
    """Whether an interrupted build goes on: always, the Library that was made is kept and the rest is made anew."""
    return bool(request.get("build_id"))
