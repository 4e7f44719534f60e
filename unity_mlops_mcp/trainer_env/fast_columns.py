"""Experiences as columns: one array per field, made only for the fields that a trainer asks for.

mlagents keeps a Python list of small arrays per field and reorders all of them in each epoch. Here a field becomes an
array once per update, and an epoch is one permutation of row numbers, drawn as mlagents draws it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
from mlagents.trainers import buffer as buffers
from mlagents.trainers.buffer import AgentBuffer, AgentBufferField, BufferKey
from mlagents.trainers.ppo.trainer import PPOTrainer
from mlagents.trainers.trainer.on_policy_trainer import OnPolicyTrainer

Array = np.ndarray[Any, Any]


class Column(Array):
    """A field as an array, with the methods of AgentBufferField that optimizers and reward signals call."""

    def to_ndarray(self) -> Column:
        """Itself: it is an array already."""
        return self

    def get_batch(self, *_: object, **__: object) -> Column:
        """All of it, in order."""
        return self

    def padded_to_batch(self, pad_value: float = 0, dtype: Any = np.float32) -> Array:  # noqa: ARG002 - its signature
        """As an array of ``dtype``; nothing is padded where every entry has the same shape."""
        return np.asanyarray(self, dtype=dtype)


class LazyBuffer(AgentBuffer):  # type: ignore[misc]
    """An AgentBuffer that makes a field when it is first asked for; a subclass knows which there are, and how."""

    def _knows(self, key: Any) -> bool:
        raise NotImplementedError

    def _known(self) -> Iterator[Any]:
        raise NotImplementedError

    def _make(self, key: Any) -> Any:
        raise NotImplementedError

    def __getitem__(self, key: Any) -> Any:
        if key not in self._fields and self._knows(key):
            self._fields[key] = self._make(key)
        return self._fields[key]

    def __contains__(self, key: object) -> bool:
        return key in self._fields or self._knows(key)

    def __iter__(self) -> Iterator[Any]:
        known = list(self._known())
        return iter(known + [key for key in self._fields if key not in known])

    def __len__(self) -> int:
        return sum(1 for _ in self)


def column_of(field: Any) -> Column | None:
    """A field as an array; None for what has no one shape, such as the lists of group mates."""
    if isinstance(field, np.ndarray):
        return field.view(Column)
    if not len(field) or isinstance(list.__getitem__(field, 0), list):
        return None
    try:
        array = np.asanyarray(field)
    except ValueError:
        return None
    return None if array.dtype == object else array.view(Column)


class PieceBuffer(LazyBuffer):
    """An update buffer that keeps trajectories as they come and joins a field over them when it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[Any] = []
        self._rows = 0

    def add(self, piece: Any) -> None:
        """Append one trajectory's buffer."""
        self._fields.clear()
        self._pieces.append(piece)
        self._rows += piece.num_experiences

    def reset_agent(self) -> None:
        """Forget all of it, as the trainer does after an update."""
        self._fields.clear()
        self._pieces.clear()
        self._rows = 0

    @property
    def num_experiences(self) -> int:
        """How many experiences the pieces hold together."""
        return self._rows

    def _knows(self, key: object) -> bool:
        return bool(self._pieces) and key in self._pieces[0]

    def _known(self) -> Iterator[Any]:
        return iter(self._pieces[0] if self._pieces else ())

    def _make(self, key: Any) -> Any:
        columns = [column_of(piece[key]) for piece in self._pieces]
        if any(column is None for column in columns):
            return AgentBufferField(entry for piece in self._pieces for entry in piece[key])
        return np.concatenate(columns).view(Column)  # type: ignore[arg-type]


class MiniBatch(LazyBuffer):
    """Some rows of a buffer; ``columns`` is shared by the batches of one update."""

    def __init__(self, source: Any, columns: dict[Any, Column | None], rows: Array) -> None:
        super().__init__()
        self._source, self._columns, self._row_numbers = source, columns, rows

    @property
    def num_experiences(self) -> int:
        """How many experiences the batch has."""
        return len(self._row_numbers)

    def _knows(self, key: object) -> bool:
        return key in self._source

    def _known(self) -> Iterator[Any]:
        return iter(self._source)

    def _make(self, key: Any) -> Any:
        if key not in self._columns:
            self._columns[key] = column_of(self._source[key])
        column = self._columns[key]
        if column is not None:
            return column[self._row_numbers]
        field = self._source[key]
        return AgentBufferField(field[row] for row in self._row_numbers)


class Sample(LazyBuffer):
    """Rows drawn from a replay buffer; SAC asks for half of the fields, and reward signals often for none."""

    def __init__(self, fields: dict[Any, Any], rows: list[int]) -> None:
        super().__init__()
        self._sources, self._row_numbers = fields, rows

    @property
    def num_experiences(self) -> int:
        """How many experiences were drawn."""
        return len(self._row_numbers)

    def _knows(self, key: object) -> bool:
        return key in self._sources

    def _known(self) -> Iterator[Any]:
        return iter(self._sources)

    def _make(self, key: Any) -> Any:
        field, entry = self._sources[key], list.__getitem__
        return AgentBufferField(entry(field, row) for row in self._row_numbers)


def _rows_of_sequences(starts: Array, length: int) -> Array:
    """Row numbers of sequences of ``length`` rows, given the numbers of the sequences."""
    return starts if length == 1 else (starts[:, None] * length + np.arange(length)).ravel()


def _shuffled(rows: Array, length: int) -> Array:
    """One epoch's order; the same draw as AgentBuffer.shuffle, and like it a remainder of a sequence is dropped."""
    sequences = np.arange(len(rows) // length)
    np.random.shuffle(sequences)  # noqa: NPY002 - the generator that mlagents seeds
    return rows[_rows_of_sequences(sequences, length)]


def _shuffle(self: Any, sequence_length: int, key_list: list[Any] | None = None) -> None:
    keys = list(self._fields) if key_list is None else key_list
    if not self.check_length(keys):
        raise buffers.BufferException("Unable to shuffle if the fields are not of same length")
    rows = _shuffled(np.arange(len(self[keys[0]])), sequence_length).tolist()
    for key in keys:
        entries = list(self[key])
        self[key].set([entries[row] for row in rows])


def _sample_mini_batch(self: Any, batch_size: int, sequence_length: int = 1) -> Sample:
    count = self.num_experiences // sequence_length
    starts = np.random.randint(count, size=batch_size // sequence_length)  # noqa: NPY002 - as above
    return Sample(dict(self.items()), _rows_of_sequences(starts, sequence_length).tolist())


def _normalize_advantages(buffer: Any) -> None:
    advantages = np.array(buffer[BufferKey.ADVANTAGES].get_batch(), dtype=np.float32)
    normalized = (advantages - advantages.mean()) / (advantages.std() + 1e-10)
    if isinstance(buffer, PieceBuffer):
        buffer[BufferKey.ADVANTAGES] = normalized.view(Column)
    else:
        buffer[BufferKey.ADVANTAGES].set(normalized)


def _epochs(trainer: Any) -> dict[str, list[Any]]:
    """Update the policy on every batch of every epoch; the statistics of each batch."""
    settings, buffer = trainer.hyperparameters, trainer.update_buffer
    length = trainer.policy.sequence_length
    size = max(settings.batch_size - settings.batch_size % length, length)
    sequences = max(int(settings.batch_size / length), 1)
    count = buffer.num_experiences
    rows, columns = np.arange(count), {}  # type: ignore[var-annotated]
    statistics: dict[str, list[Any]] = defaultdict(list)
    for _ in range(settings.num_epoch):
        rows = _shuffled(rows, length)
        for start in range(0, count // size * size, size):
            batch = MiniBatch(buffer, columns, rows[start : start + size])
            values = trainer.optimizer.update(batch, sequences)
            values.update(trainer.optimizer.update_reward_signals(batch))
            for name, value in values.items():
                statistics[name].append(value)
    return statistics


def _update_policy(self: Any) -> bool:
    """OnPolicyTrainer._update_policy over columns."""
    self.cumulative_returns_since_policy_update.clear()
    _normalize_advantages(self.update_buffer)
    report = self._stats_reporter.add_stat
    for name, values in _epochs(self).items():
        report(name, np.mean(values))
    if self.optimizer.bc_module:
        for name, value in self.optimizer.bc_module.update().items():
            report(name, value)
    self._clear_update_buffer()
    return True


def update_from_columns() -> None:
    """Let PPO's updates read columns; POCA keeps its own loop, since it reads lists of group mates."""
    original = OnPolicyTrainer._update_policy

    def update(self: Any) -> bool:
        return _update_policy(self) if isinstance(self, PPOTrainer) else original(self)

    OnPolicyTrainer._update_policy = update
    AgentBuffer.shuffle = _shuffle


def sample_fields_when_asked() -> None:
    """Let a draw from a replay buffer gather only the fields that are read."""
    AgentBuffer.sample_mini_batch = _sample_mini_batch
