"""The last N transitions, for deep Q-learning to learn from (Lin 1992; Mnih et al. 2015, doi 10.1038/nature14236)."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np


@dataclass(frozen=True)
class Transitions:
    """N transitions: `before` and `after` (N, ...), `action` (N,), `reward` (N,), `ended` (N,), which is 1.0 or 0.0."""

    before: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    after: np.ndarray
    ended: np.ndarray

    def of_type(self, dtype: np.dtype) -> "Transitions":
        """Return these with observations as numbers of a type."""
        return replace(self, before=self.before.astype(dtype, copy=False), after=self.after.astype(dtype, copy=False))


class Replay:
    """A ring of `capacity` transitions between observations of a shape, written in place: copies are too dear."""

    def __init__(self, capacity: int, shape: tuple[int, ...], *, dtype: np.dtype | None = None) -> None:
        self.capacity = capacity
        self.added = 0
        self._held = Transitions(
            before=np.zeros((capacity, *shape), dtype=dtype),
            action=np.zeros(capacity, dtype=np.int64),
            reward=np.zeros(capacity),
            after=np.zeros((capacity, *shape), dtype=dtype),
            ended=np.zeros(capacity),
        )

    def __len__(self) -> int:
        return min(self.added, self.capacity)

    def add(self, before: np.ndarray, action: int, reward: float, *, after: np.ndarray, ended: bool) -> None:
        """Keep one transition; the oldest gives way when the ring is full."""
        place, held = self.added % self.capacity, self._held
        held.before[place], held.action[place], held.reward[place] = before, action, reward
        held.after[place], held.ended[place] = after, float(ended)
        self.added += 1

    def sample(self, count: int, *, rng: np.random.Generator) -> Transitions:
        """Draw `count` transitions, with replacement."""
        chosen, held = rng.integers(0, len(self), count), self._held
        return Transitions(
            before=held.before[chosen],
            action=held.action[chosen],
            reward=held.reward[chosen],
            after=held.after[chosen],
            ended=held.ended[chosen],
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what the ring holds, by name, and how many were ever added."""
        held = {field.name: getattr(self._held, field.name)[: len(self)] for field in fields(Transitions)}
        return {**held, "added": np.array(self.added)}

    def take_up(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Hold what `arrays` gave of a ring of the same capacity."""
        self.added = int(arrays["added"])
        for field in fields(Transitions):
            getattr(self._held, field.name)[: len(self)] = arrays[field.name]
