"""A trained policy that acts: an ONNX file in onnxruntime, for any number of agents at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from unity_mlops_mcp.errors import InvalidInputError
from unity_mlops_mcp.evaluation.model import OnnxModel, describe, open_session, read_bytes
from unity_mlops_mcp.evaluation.tensors import (
    CONTINUOUS,
    DETERMINISTIC,
    DISCRETE,
    MASKS,
    MEMORY_IN,
    MEMORY_OUT,
    OBSERVATION,
)
from unity_mlops_mcp.protocol.simulation import Actions, BehaviorSpec, Decisions, Floats

Memories = dict[int, Floats]
"""What a policy with memory carries for each agent, by its id: (memory_size,)."""


class Policy:
    """An ONNX policy; ``begin`` it, then let it ``act``.

    Args:
        path: the file.
        deterministic: take the most likely actions; else they are drawn, as ML-Agents does in Unity unless
            ``Deterministic Inference`` is set.

    Attributes:
        model: what the file is.

    Raises:
        NotFoundError, ExternalError, InvalidInputError: the file is absent, does not run or is no policy; or it has no
            deterministic outputs (mlagents before 0.30).
    """

    def __init__(self, path: Path, *, deterministic: bool = False) -> None:
        self._content = read_bytes(path)
        self._session = open_session(self._content, path)
        self.model: OnnxModel = describe(self._session, self._content, path)
        kinds = [name for name in (CONTINUOUS, DISCRETE) if name in self.model.outputs]
        self._outputs = [f"{DETERMINISTIC}{name}" if deterministic else name for name in kinds]
        missing = [name for name in self._outputs if name not in self.model.outputs]
        if missing:
            raise InvalidInputError(
                f"The policy {path} has no output {missing[0]}; it has {', '.join(self.model.outputs)}.",
                fix="Use it without `deterministic`, or export it with mlagents 0.30 or newer.",
                cause="not_deterministic",
            )

    def begin(self, seed: int) -> None:
        """Start the noise of its actions anew: the same seed gives the same actions for the same observations."""
        self._session = open_session(self._content, self.model.path, seed=seed)

    def require_fit(self, behavior: BehaviorSpec) -> None:
        """Do nothing where it can play the behaviour.

        Raises:
            InvalidInputError: observations or actions are of other shapes; both are told.
        """
        seen = tuple(sensor.shape for sensor in behavior.observations)
        own = self.model
        if len(seen) != len(own.observations) or not all(map(_fits, own.observations, seen)):
            raise self._misfit(behavior, "observes", _told(seen), _told(own.observations))
        if own.action != behavior.action:
            raise self._misfit(behavior, "acts with", str(behavior.action), str(own.action))

    def _misfit(self, behavior: BehaviorSpec, what: str, found: str, own: str) -> InvalidInputError:
        return InvalidInputError(
            f"The policy {self.model.path} does not fit the behaviour {behavior.name}: the player {what} {found}, the "
            f"policy {own}.",
            fix="Use a policy that was trained on this very environment, or build the environment it was trained on.",
            cause="shape_mismatch",
        )

    def act(self, decisions: Decisions, memories: Memories) -> Actions:
        """What the agents do.

        Args:
            decisions: who asks, as the player sent it.
            memories: of the agents by id, read and written; whoever ends an episode forgets its agent's.
        """
        count = len(decisions.ids)
        feed = {f"{OBSERVATION}{index}": values for index, values in enumerate(decisions.observations)}
        feed[MASKS] = self._allowed(decisions)
        if self.model.memory_size:
            feed[MEMORY_IN] = self._recall(decisions.ids.tolist(), memories)
        wanted = [*self._outputs, MEMORY_OUT] if self.model.memory_size else self._outputs
        given = self._session.run(wanted, {name: feed[name] for name in self.model.inputs})
        chosen = dict(zip((name.removeprefix(DETERMINISTIC) for name in wanted), given, strict=True))
        if MEMORY_OUT in chosen:
            memories.update(zip(decisions.ids.tolist(), chosen[MEMORY_OUT][:, 0], strict=True))
        continuous = chosen.get(CONTINUOUS, np.zeros((count, 0), np.float32))
        discrete = chosen.get(DISCRETE, np.zeros((count, 0), np.int32))
        return Actions(np.clip(continuous, -1, 1).astype(np.float32), discrete.astype(np.int32))

    def _allowed(self, decisions: Decisions) -> Floats:
        if decisions.masks is None:
            return np.ones((len(decisions.ids), sum(self.model.action.branches)), np.float32)
        return 1 - decisions.masks.astype(np.float32)

    def _recall(self, ids: Sequence[int], memories: Memories) -> Floats:
        fresh = np.zeros(self.model.memory_size, np.float32)
        return np.array([memories.get(agent, fresh) for agent in ids], np.float32)[:, None]


def _fits(own: tuple[int, ...], seen: tuple[int, ...]) -> bool:
    """Whether the shapes are equal, where the model fixes them; an observation that it leaves out may be of any."""
    return not own or (len(own) == len(seen) and all(a in (-1, b) for a, b in zip(own, seen, strict=True)))


def _told(shapes: Sequence[tuple[int, ...]]) -> str:
    return " and ".join(f"({', '.join(map(str, shape))})" for shape in shapes)
