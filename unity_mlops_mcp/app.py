"""What one can ask for: the operations behind every face, over one store."""

from __future__ import annotations

from datetime import datetime

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
from unity_mlops_mcp.operations.notifying import Notifications
from unity_mlops_mcp.operations.parts import Parts
from unity_mlops_mcp.operations.pipelines import Pipelines
from unity_mlops_mcp.operations.planning import Planning
from unity_mlops_mcp.operations.policies import Policies
from unity_mlops_mcp.operations.promoting import Promotions
from unity_mlops_mcp.operations.registering import Registry
from unity_mlops_mcp.operations.reporting import Reports
from unity_mlops_mcp.operations.schedules import Schedules
from unity_mlops_mcp.operations.scripts import Scripts
from unity_mlops_mcp.operations.tokens import Tokens
from unity_mlops_mcp.operations.trainings import Trainings
from unity_mlops_mcp.operations.upkeep import Upkeep
from unity_mlops_mcp.store.cache import Cache
from unity_mlops_mcp.store.ids import utc_now
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
        self._parts = Parts(settings)
        self._planning = Planning(self._parts)
        self._policies = Policies(self._parts)
        self._bind_machine(self._parts)
        self._bind_environments(self._parts)
        self._bind_models(self._parts)
        self._bind_insight(self._parts)
        self._bind_automation(self._parts)
        self._bind_upkeep(self._parts)

    def _bind_machine(self, parts: Parts) -> None:
        machine = Machine(parts)
        self.check_setup = machine.check_setup
        self.install_trainer = machine.install_trainer
        self.probe = machine.probe

        self.tokens = Tokens(parts)
        """The access tokens of the HTTP service; never offered to its callers."""

    def _bind_environments(self, parts: Parts) -> None:
        self.client_question = self._planning.client_question

        scripts = Scripts(parts, self._planning)
        self.generate_behavior_script = scripts.generate_behavior_script
        self.check_behavior_script = scripts.check_behavior_script
        self.script_text = scripts.script_text

        environments = Environments(parts, self._planning)
        self.build_environment = environments.build_environment

        trainings = Trainings(parts, environments)
        self.train = trainings.train
        self.start_training = trainings.start_training
        self.stop_training = trainings.stop_training
        self.resume_training = trainings.resume_training

    def _bind_models(self, parts: Parts) -> None:
        policies, elsewhere = self._policies, Elsewhere(parts)
        datasets = Datasets(parts, policies)
        self.inspect_dataset = datasets.inspect_dataset
        self.record_demonstrations = datasets.record_demonstrations
        self.install_model = Models(parts, policies).install_model
        self.evaluate_model = Evaluations(parts, policies).evaluate_model

        registry = Registry(parts, policies, elsewhere)
        self.register_model = registry.register_model
        self.list_models = registry.list_models
        self.model_card = registry.model_card

        promotions = Promotions(parts, elsewhere)
        self.promote_model = promotions.promote_model
        self.rollback_model = promotions.rollback_model

        self.upload_to_vertex = elsewhere.upload_to_vertex
        self.align_vertex = elsewhere.align_vertex
        self.export_run = elsewhere.export_run
        self.export_model = elsewhere.export_model

    def _bind_insight(self, parts: Parts) -> None:
        reports = Reports(parts)
        self.start_report = reports.start_report
        self.render_report = reports.render_report
        self.report_text = reports.report_text

        looking = Looking(parts)
        self.list_runs = looking.list_runs
        self.get_run = looking.get_run
        self.wait_for = looking.wait_for
        self.get_metrics = looking.get_metrics
        self.read_log = looking.read_log
        self.compare_runs = Comparing(parts).compare_runs

    def _bind_automation(self, parts: Parts) -> None:
        pipelines = Pipelines(parts, self._planning)
        self.run_pipeline = pipelines.run_pipeline

        schedules = Schedules(parts, self._planning, pipelines)
        self.add_schedule = schedules.add_schedule
        self.list_schedules = schedules.list_schedules
        self.update_schedule = schedules.update_schedule

        self._notifications = notifications = Notifications(parts)
        self.add_endpoint = notifications.add_endpoint
        self.ensure_endpoint = notifications.ensure_endpoint
        self.list_endpoints = notifications.list_endpoints
        self.remove_endpoint = notifications.remove_endpoint
        self.test_endpoint = notifications.test_endpoint
        self.renew_secret = notifications.renew_secret
        self.list_deliveries = notifications.list_deliveries
        self.replay_deliveries = notifications.replay_deliveries

    def _bind_upkeep(self, parts: Parts) -> None:
        upkeep = Upkeep(parts)
        self.start_backup = upkeep.start_backup
        self.backup_made = upkeep.backup_made
        self.restore_backup = upkeep.restore_backup
        self.start_mirror = upkeep.start_mirror
        self.mirrored = upkeep.mirrored
        self.tensorboard = upkeep.tensorboard
        self.prune = upkeep.prune
        self.deploy_k8s = upkeep.deploy_k8s

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

    def tend(self, now: datetime | None = None) -> None:
        """Recover what died, start what is queued, fire what is due; every living process calls it every few seconds.

        ``now`` is the moment that schedules are fired for; left out: the present.
        """
        self.jobs.tend()
        for run_id in self.store.runs.astray():
            self.runs.reclaim(run_id)
        if self.store.schedules.any():
            self._parts.scheduler.tend(now or utc_now())

    def stop_firing(self) -> None:
        """Fire nothing more in this process, and let another one fire at once."""
        self._parts.scheduler.stop()

    def notify(self, now: datetime | None = None) -> int:
        """Send the notifications that are due; how many were tried. Every living process calls it every few seconds."""
        return self._notifications.tend(now)
