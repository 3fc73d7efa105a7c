"""The last N transitions, for deep Q-learning to learn from (Lin 1992; Mnih et al. 2015, doi 10.1038/nature14236)."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np


@dataclass(frozen=True)
class Transitions:
    """N transitions: `before` and `after` (N, ...), `action` (N,), `reward` (N,), `ended` (N,), which is 1.0 or 0.0.

    `steps` (N,) is how many actions lie between the two observations; `reward` is what they gave together.
    """

    before: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    after: np.ndarray
    ended: np.ndarray
    steps: np.ndarray

    def of_type(self, dtype: np.dtype) -> "Transitions":
        """Return these with observations as numbers of a type."""
        return replace(self, before=self.before.astype(dtype, copy=False), after=self.after.astype(dtype, copy=False))


class Replay:
    """A ring of `capacity` transitions between observations of a shape, written in place to avoid copies."""

    def __init__(self, capacity: int, shape: tuple[int, ...], *, dtype: np.dtype | None = None) -> None:
        self.capacity = capacity
        self.added = 0
        self._ring = Transitions(
            before=np.zeros((capacity, *shape), dtype=dtype),
            action=np.zeros(capacity, dtype=np.int64),
            reward=np.zeros(capacity),
            after=np.zeros((capacity, *shape), dtype=dtype),
            ended=np.zeros(capacity),
            steps=np.ones(capacity, dtype=np.int64),
        )

    def __len__(self) -> int:
        return min(self.added, self.capacity)

    def add(
        self, before: np.ndarray, action: int, reward: float, *, after: np.ndarray, ended: bool, steps: int = 1
    ) -> None:
        """Store one transition; the oldest is overwritten when the ring is full."""
        index, ring = self.added % self.capacity, self._ring
        ring.before[index], ring.action[index], ring.reward[index] = before, action, reward
        ring.after[index], ring.ended[index] = after, float(ended)
        ring.steps[index] = steps
        self.added += 1

    def sample(self, count: int, *, rng: np.random.Generator) -> Transitions:
        """Draw `count` transitions, with replacement."""
        indices, ring = rng.integers(0, len(self), count), self._ring
        return Transitions(
            before=ring.before[indices],
            action=ring.action[indices],
            reward=ring.reward[indices],
            after=ring.after[indices],
            ended=ring.ended[indices],
            steps=ring.steps[indices],
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what the ring holds, by name, and how many were ever added."""
        stored = {field.name: getattr(self._ring, field.name)[: len(self)] for field in fields(Transitions)}
        return {**stored, "added": np.array(self.added)}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take over the `arrays` of a ring of the same capacity."""
        self.added = int(arrays["added"])
        if self.added < 0:
            raise ValueError(f"the replay memory counts {self.added} transitions")
        for field in fields(Transitions):
            getattr(self._ring, field.name)[: len(self)] = arrays[field.name]
