"""Players that talk to the training process itself: no worker process between them, and no waiting by spinning.

Limits on restarts, their messages, time-outs and the order of events are those of mlagents' SubprocessEnvManager. A
dead player is noticed within half a second, and a player sees the trainer's death in its connection.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from mlagents.trainers import learn
from mlagents.trainers import subprocess_env_manager as stock
from mlagents.trainers.env_manager import EnvironmentStep, EnvManager
from mlagents.trainers.settings import ParameterRandomizationSettings
from mlagents.trainers.training_analytics_side_channel import TrainingAnalyticsSideChannel
from mlagents_envs import env_utils
from mlagents_envs.exception import (
    UnityCommunicationException,
    UnityCommunicatorStoppedException,
    UnityEnvironmentException,
    UnityTimeOutException,
)
from mlagents_envs.side_channel.engine_configuration_channel import EngineConfig, EngineConfigurationChannel
from mlagents_envs.side_channel.environment_parameters_channel import EnvironmentParametersChannel
from mlagents_envs.side_channel.stats_side_channel import StatsSideChannel

from .fast_transport import PATIENCE_S, step_message

RECOVERABLE = (
    UnityCommunicationException,
    UnityTimeOutException,
    UnityEnvironmentException,
    UnityCommunicatorStoppedException,
)
OK = 200  # the status of a message of a player that goes on


class Launch(threading.Thread):
    """Starts a player and greets it while the trainer goes on; knows the process while its start is under way.

    Its end is an event, since CPython before 3.13 takes a thread for ended when an interrupt comes into its join.
    """

    def __init__(self, worker_id: int, factory: Any, channels: list[Any]) -> None:
        super().__init__(name=f"player-{worker_id}", daemon=True)
        self._arguments = (factory, worker_id, channels)
        self.process: Any = None
        self.env: Any = None
        self.error: BaseException | None = None
        self._ended = threading.Event()

    def run(self) -> None:
        """Make the UnityEnvironment; an error is kept for whoever asks for the result."""
        factory, worker_id, channels = self._arguments
        try:
            self.env = factory(worker_id, channels)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that asks
            self.error = error
        finally:
            self._ended.set()

    def result(self) -> Any:
        """The environment, once it is connected.

        Raises:
            Exception: what its start raised.
        """
        while not self._ended.wait(PATIENCE_S):  # a wait without an end could not be interrupted on Windows
            pass
        if self.error is not None:
            raise self.error
        return self.env

    def abandon(self) -> None:
        """Stop waiting for a player that is being started."""
        if self.process is not None and not self._ended.is_set():
            self.process.kill()
        self._ended.wait(4 * PATIENCE_S)


class Player:
    """One environment, and what is under way with it.

    Attributes:
        step: the last step that it answered.
        actions: what it was told last, by behaviour.
        waiting: whether its answer is awaited, at most until ``deadline``.
    """

    def __init__(self, worker_id: int, factory: Any, options: Any) -> None:
        self.worker_id, self._options = worker_id, options
        self._parameters, self._stats = EnvironmentParametersChannel(), StatsSideChannel()
        self._analytics = TrainingAnalyticsSideChannel() if worker_id == 0 else None
        channels = [self._parameters, _engine_channel(options.engine_settings), self._stats]
        self._launch = Launch(worker_id, factory, [*channels, *([self._analytics] if self._analytics else [])])
        self._opened = False
        self.step, self.actions = EnvironmentStep.empty(worker_id), {}  # type: ignore[var-annotated]
        self.waiting, self.deadline = False, 0.0
        self._launch.start()

    @property
    def env(self) -> Any:
        """The connected UnityEnvironment; waits for it at first."""
        env = self._launch.result()
        if not self._opened:
            self._opened = True
            if not env.academy_capabilities or not env.academy_capabilities.trainingAnalytics:
                self._analytics = None
            if self._analytics:
                self._analytics.environment_initialized(self._options)
        return env

    def post(self, ready: queue.SimpleQueue[int]) -> None:
        """Send the actions; ``ready`` gets the worker id when the answer has come."""
        env = self.env
        for name, info in self.actions.items():
            if len(info.agent_ids):
                env.set_actions(name, info.env_action)
        for name, spec in env._env_specs.items():
            if name not in env._env_actions:
                count = len(env._env_state[name][0]) if name in env._env_state else 0
                env._env_actions[name] = spec.action_spec.empty_action(count)
        message, servicer = step_message(env), env._communicator.unity_to_external
        servicer.arrived = functools.partial(ready.put, self.worker_id)
        self.waiting, self.deadline = True, time.monotonic() + env._timeout_wait
        servicer.parent_conn.send(message)

    def receive(self) -> None:
        """Take the answer that has come.

        Raises:
            UnityCommunicatorStoppedException: the player says that it stops.
            RuntimeError: a reward or an observation is not finite.
        """
        env = self.env
        output = env._communicator.unity_to_external.parent_conn.recv()
        self._settle()
        if output.header.status != OK:
            raise UnityCommunicatorStoppedException("Communicator has exited.")
        env._update_behavior_specs(output.unity_output)
        env._update_state(output.unity_output.rl_output)
        env._env_actions.clear()
        self.step = EnvironmentStep(self._results(), self.worker_id, self.actions, self._stats.get_and_reset_stats())

    def check(self) -> None:
        """Look after a player that has not answered yet.

        Raises:
            UnityEnvironmentException: it is gone.
            UnityTimeOutException: it has had its time.
        """
        env = self.env
        env._poll_process()
        if time.monotonic() > self.deadline:
            communicator = env._communicator
            communicator.timeout_wait = 0  # its own words for a time-out, at once
            communicator.poll_for_timeout()

    def discard(self) -> None:
        """Wait for the answer that is under way, and forget it."""
        connection = self.env._communicator.unity_to_external.parent_conn
        while not connection.poll(PATIENCE_S):
            self.check()
        connection.recv()
        self._settle()
        self.env._env_actions.clear()

    def reset(self) -> None:
        """Begin a new episode in all areas."""
        self.env.reset()
        self.step, self.actions = EnvironmentStep(self._results(), self.worker_id, {}, {}), {}

    def set_parameters(self, parameters: dict[str, Any]) -> None:
        """Send environment parameters with the next message."""
        for name, value in parameters.items():
            if isinstance(value, ParameterRandomizationSettings):
                value.apply(name, self._parameters)

    def note_training(self, behavior_name: str, settings: Any) -> None:
        """Tell the player which behaviour is trained, where it wants to know."""
        if self.env is not None and self._analytics:
            self._analytics.training_started(behavior_name, settings)

    def close(self, timeout_s: float) -> None:
        """Let the player end, by force after ``timeout_s``, and free its port."""
        if self._launch.env is None:
            self._launch.abandon()
        env = self._launch.env
        if env is None or not env._loaded:
            return
        process = env._process
        env._close(timeout_s)
        if process is not None:
            process.wait(PATIENCE_S * 10)
        env._communicator.server.wait_for_termination(PATIENCE_S * 10)

    def _settle(self) -> None:
        self.waiting = False
        self.env._communicator.unity_to_external.arrived = None

    def _results(self) -> dict[str, Any]:
        return {name: self.env.get_steps(name) for name in self.env.behavior_specs}


def _engine_channel(settings: Any) -> Any:
    channel = EngineConfigurationChannel()
    channel.set_configuration(
        EngineConfig(
            width=settings.width,
            height=settings.height,
            quality_level=settings.quality_level,
            time_scale=settings.time_scale,
            target_frame_rate=settings.target_frame_rate,
            capture_frame_rate=settings.capture_frame_rate,
        )
    )
    return channel


class DirectEnvManager(EnvManager):  # type: ignore[misc]
    """Stands for SubprocessEnvManager; the attributes without an underscore are those that its methods read."""

    _take_step = stock.SubprocessEnvManager._take_step
    _assert_worker_can_restart = stock.SubprocessEnvManager._assert_worker_can_restart
    _worker_has_restart_quota = stock.SubprocessEnvManager._worker_has_restart_quota
    _drop_old_restart_timestamps = stock.SubprocessEnvManager._drop_old_restart_timestamps

    def __init__(self, env_factory: Any, run_options: Any, n_env: int = 1) -> None:
        super().__init__()
        self.env_factory, self.run_options = env_factory, run_options
        self.env_parameters: dict[str, Any] | None = None
        self.recent_restart_timestamps: list[list[dt.datetime]] = [[] for _ in range(n_env)]
        self.restart_counts = [0] * n_env
        self._ready: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._look_again = 0.0
        self._players = [Player(worker_id, env_factory, run_options) for worker_id in range(n_env)]

    def _step(self) -> list[Any]:
        for player in self._players:
            if not player.waiting:
                player.actions = self._take_step(player.step)
                player.post(self._ready)
        answered, failure = self._answered()
        if failure:
            self._restart(failure)  # which begins new episodes; what the others answered belongs to the old ones
            return []
        return [player.step for player in answered]

    def _answered(self) -> tuple[list[Player], _Failure | None]:
        """The players whose answers have come, at least one, and the first failure; waits for either."""
        answered: list[Player] = []
        failure = None
        while not failure and not (answered and self._ready.empty()):
            failure = self._missed()
            with contextlib.suppress(queue.Empty):
                player = self._players[self._ready.get(timeout=PATIENCE_S)]
                failure = _failure(player, player.receive) or failure
                answered.append(player)
        return answered, failure

    def _missed(self) -> _Failure | None:
        """The first player that died or has had its time, looked for now and then, since the others go on answering."""
        now = time.monotonic()
        if now < self._look_again:
            return None
        self._look_again = now + PATIENCE_S
        overdue = (_failure(player, player.check) for player in self._players if player.waiting)
        return next(filter(None, overdue), None)

    def _restart(self, failure: _Failure) -> None:
        """Replace each player that failed and begin new episodes; what was collected of unfinished ones is dropped.

        Raises:
            Exception: the failure itself, where no restart mends it or the limit is reached.
        """
        failures = [failure, *self._pause()]
        for each in failures:
            worker_id, error = each.player.worker_id, each.error
            self._assert_worker_can_restart(worker_id, error)
            stock.logger.warning(f"Restarting worker[{worker_id}] after '{error}'")
            self.recent_restart_timestamps[worker_id].append(dt.datetime.now())  # noqa: DTZ005 - as stock compares
            self.restart_counts[worker_id] += 1
            each.player.close(0)
            self._players[worker_id] = Player(worker_id, self.env_factory, self.run_options)
        self.reset(self.env_parameters)

    def _pause(self) -> list[_Failure]:
        """Let the players that still compute come to rest; the failures among them."""
        failures = []
        for player in self._players:
            if player.waiting:
                failure = _failure(player, player.discard)
                failures += [failure] if failure else []
        while not self._ready.empty():
            self._ready.get()
        return failures

    def _reset_env(self, config: dict[str, Any] | None = None) -> list[Any]:
        failures = self._pause()
        if failures:
            raise failures[0].error
        self.set_env_parameters(config)
        for player in self._players:
            failure = _failure(player, player.reset)
            if failure:
                raise failure.error
        return [player.step for player in self._players]

    def set_env_parameters(self, config: dict[str, Any] | None = None) -> None:
        """Send environment parameters to every player."""
        self.env_parameters = config
        for player in self._players:
            player.set_parameters(config or {})

    def on_training_started(self, behavior_name: str, trainer_settings: Any) -> None:
        """Tell the players which behaviour is trained."""
        for player in self._players:
            player.note_training(behavior_name, trainer_settings)

    @property
    def training_behaviors(self) -> dict[str, Any]:
        """The behaviours of all players, by name."""
        return {name: spec for player in self._players for name, spec in player.env.behavior_specs.items()}

    def close(self) -> None:
        """End all players at the same time, by force after the time that mlagents gives a worker."""
        timeout_s = min(self.run_options.env_settings.timeout_wait, stock.WORKER_SHUTDOWN_TIMEOUT_S)
        closing = [threading.Thread(target=player.close, args=(timeout_s,)) for player in self._players]
        for each in closing:
            each.start()
        for each in closing:
            each.join()


class _Failure(NamedTuple):
    """What went wrong with which player."""

    player: Player
    error: Exception


def _failure(player: Player, act: Callable[[], None]) -> _Failure | None:
    """Do something with a player; what went wrong, if anything did."""
    try:
        act()
    except RECOVERABLE as error:
        player.waiting = False
        return _Failure(player, error)
    except Exception as error:  # noqa: BLE001 - a player's error of any kind ends the training with its name
        player.waiting = False
        stock.logger.exception(
            f"UnityEnvironment worker {player.worker_id}: environment raised an unexpected exception."
        )
        return _Failure(player, error)
    return None


def talk_directly() -> None:
    """Let mlagents-learn keep its environments in this process."""
    launch = env_utils.launch_executable

    @functools.wraps(launch)
    def launch_and_note(file_name: str, args: list[str]) -> Any:
        process = launch(file_name, args)
        thread = threading.current_thread()
        if isinstance(thread, Launch):
            thread.process = process
        return process

    env_utils.launch_executable = launch_and_note
    learn.SubprocessEnvManager = DirectEnvManager
