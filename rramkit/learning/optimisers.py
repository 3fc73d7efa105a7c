"""From gradients to wanted weight changes, digitally: frozen state, `init` and `step`."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

Arrays = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class OptimiserState:
    """Steps done, running means of gradients and of their squares, one array a matrix, and the schedule's factor."""

    steps: int
    first: Arrays
    second: Arrays
    rate: float = 1.0


class Optimiser(ABC):
    """One rule from gradients to wanted changes."""

    def init(self, weights: Sequence[np.ndarray]) -> OptimiserState:
        """Return the state before the first step."""
        zeros = tuple(np.zeros_like(weight) for weight in weights)
        return OptimiserState(0, zeros, zeros)

    @abstractmethod
    def step(self, state: OptimiserState, gradients: Sequence[np.ndarray]) -> tuple[OptimiserState, Arrays]:
        """Return the next state and the wanted changes, one array a matrix."""


@dataclass(frozen=True)
class Momentum(Optimiser):
    """Gradient descent with momentum: u <- momentum u + gradient, change = -learning_rate u."""

    learning_rate: float
    momentum: float

    def step(self, state: OptimiserState, gradients: Sequence[np.ndarray]) -> tuple[OptimiserState, Arrays]:
        """Return the next state and the wanted changes, one array a matrix."""
        first = tuple(self.momentum * old + new for old, new in zip(state.first, gradients, strict=True))
        changes = tuple(-self.learning_rate * state.rate * mean for mean in first)
        return replace(state, steps=state.steps + 1, first=first), changes


@dataclass(frozen=True)
class Adam(Optimiser):
    """Kingma and Ba 2015 (arXiv 1412.6980), algorithm 1, with the constants proposed there."""

    learning_rate: float
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def step(self, state: OptimiserState, gradients: Sequence[np.ndarray]) -> tuple[OptimiserState, Arrays]:
        """Return the next state and the wanted changes, one array a matrix."""
        steps = state.steps + 1
        pairs = list(zip(state.first, state.second, gradients, strict=True))
        first = tuple(self.beta_1 * m + (1.0 - self.beta_1) * new for m, _, new in pairs)
        second = tuple(self.beta_2 * s + (1.0 - self.beta_2) * new**2 for _, s, new in pairs)
        m_part, s_part = 1.0 - self.beta_1**steps, 1.0 - self.beta_2**steps
        changes = tuple(
            -self.learning_rate * state.rate * (m / m_part) / (np.sqrt(s / s_part) + self.epsilon)
            for m, s in zip(first, second, strict=True)
        )
        return replace(state, steps=steps, first=first, second=second), changes
