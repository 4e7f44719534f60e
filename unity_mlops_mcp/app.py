"""What one can ask for: the operations behind every face, over one store."""

from __future__ import annotations

from unity_mlops_mcp.config import Settings
from unity_mlops_mcp.jobs.manager import Jobs
from unity_mlops_mcp.operations.comparing import Comparing
from unity_mlops_mcp.operations.datasets import Datasets
from unity_mlops_mcp.operations.elsewhere import Elsewhere
from unity_mlops_mcp.operations.environments import Environments
from unity_mlops_mcp.operations.evaluating import Evaluations
from unity_mlops_mcp.operations.looking import Looking
from unity_mlops_mcp.operations.machine import Machine
from unity_mlops_mcp.operations.models import Models
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.operations.pipelines import Pipelines
from unity_mlops_mcp.operations.planning import Planning
from unity_mlops_mcp.operations.policies import Policies
from unity_mlops_mcp.operations.promoting import Promotions
from unity_mlops_mcp.operations.registering import Registry
from unity_mlops_mcp.operations.reporting import Reports
from unity_mlops_mcp.operations.scripts import Scripts
from unity_mlops_mcp.operations.tokens import Tokens
from unity_mlops_mcp.operations.trainings import Trainings
from unity_mlops_mcp.operations.upkeep import Upkeep
from unity_mlops_mcp.store.cache import Cache
from unity_mlops_mcp.store.store import Store
from unity_mlops_mcp.training.runs import Runs


class App:
    """The operations; all are short and may be called from any thread, those that wait are awaited.

    Each is the method of the same name in ``operations/``, where its arguments, result and errors are described.

    Args:
        settings: the process's settings; the store opens at the first operation that needs it.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._parts = parts = Parts(settings)

        machine = Machine(parts)
        self.check_setup = machine.check_setup
        self.install_trainer = machine.install_trainer
        self.probe = machine.probe

        planning = Planning(parts)
        self.client_question = planning.client_question

        scripts = Scripts(parts, planning)
        self.generate_behavior_script = scripts.generate_behavior_script
        self.check_behavior_script = scripts.check_behavior_script
        self.script_text = scripts.script_text

        environments = Environments(parts, planning)
        self.build_environment = environments.build_environment

        trainings = Trainings(parts, environments)
        self.train = trainings.train
        self.start_training = trainings.start_training
        self.stop_training = trainings.stop_training
        self.resume_training = trainings.resume_training

        self.inspect_dataset = Datasets(parts).inspect_dataset

        policies, elsewhere = Policies(parts), Elsewhere(parts)
        self.install_model = Models(parts, policies).install_model
        self.evaluate_model = Evaluations(parts, policies).evaluate_model
        registry = Registry(parts, policies, elsewhere)
        self.register_model = registry.register_model
        self.list_models = registry.list_models
        self.model_card = registry.model_card
        promotions = Promotions(parts, elsewhere)
        self.promote_model = promotions.promote_model
        self.rollback_model = promotions.rollback_model
        self.run_pipeline = Pipelines(parts, planning).run_pipeline

        reports = Reports(parts)
        self.start_report = reports.start_report
        self.render_report = reports.render_report
        self.report_text = reports.report_text

        self.upload_to_vertex = elsewhere.upload_to_vertex
        self.align_vertex = elsewhere.align_vertex
        self.export_run = elsewhere.export_run
        self.export_model = elsewhere.export_model

        upkeep = Upkeep(parts)
        self.start_backup = upkeep.start_backup
        self.backup_made = upkeep.backup_made
        self.restore_backup = upkeep.restore_backup
        self.prune = upkeep.prune

        looking = Looking(parts)
        self.list_runs = looking.list_runs
        self.get_run = looking.get_run
        self.wait_for = looking.wait_for
        self.get_metrics = looking.get_metrics
        self.read_log = looking.read_log
        self.compare_runs = Comparing(parts).compare_runs

        self.tokens = Tokens(parts)
        """The access tokens of the HTTP service; never offered to its callers."""

    @property
    def store(self) -> Store:
        """The store of the home, opened now if it was not."""
        return self._parts.store

    @property
    def cache(self) -> Cache:
        """The disk cache of the home."""
        return self._parts.cache

    @property
    def jobs(self) -> Jobs:
        """The job runner."""
        return self._parts.jobs

    @property
    def runs(self) -> Runs:
        """The runs of the home."""
        return self._parts.runs

    def close(self) -> None:
        """Release the store and the cache; nothing that runs is stopped."""
        self._parts.close()

    def tend(self) -> None:
        """Recover what died and start what is queued; every living process calls it every few seconds."""
        self.jobs.tend()
        for run_id in self.store.runs.astray():
            self.runs.reclaim(run_id)
