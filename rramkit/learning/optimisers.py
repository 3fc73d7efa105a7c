"""Optimisers: gradients to wanted weight changes, computed digitally; frozen state, `init` and `step`.

Weight decay is decoupled from the gradient (Loshchilov and Hutter 2019, arXiv 1711.05101): a step also takes the part
learning_rate x weight_decay off each weight, whatever the optimiser makes of the gradient.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from rramkit.errors import InputError
from rramkit.learning import kernels
from rramkit.learning.kernels.reference import AdamStep
from rramkit.parameters import Parameters, quantity

Arrays = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class OptimiserState:
    """Steps so far, running means of gradients and of their squares, one array a matrix, and the schedule's factor."""

    steps: int
    first: Arrays
    second: Arrays
    rate: float = 1.0


@dataclass(frozen=True)
class Optimiser(ABC):
    """One rule from gradients to wanted changes; it decays weights by `learning_rate` x `weight_decay` a step."""

    learning_rate: float
    weight_decay: float = 0.0

    def init(self, weights: Sequence[np.ndarray]) -> OptimiserState:
        """Return the state before the first step."""
        zeros = tuple(np.zeros_like(weight) for weight in weights)
        return OptimiserState(0, zeros, zeros)

    def step(
        self, state: OptimiserState, gradients: Sequence[np.ndarray], weights: Sequence[np.ndarray] | None = None
    ) -> tuple[OptimiserState, Arrays]:
        """Return the next state and the wanted changes, one array a matrix; decay needs the `weights`.

        Raises
        ------
        InputError
            When weights decay and are left out.
        """
        rate = self.learning_rate * state.rate
        if not self.weight_decay:
            return self._directions(state, gradients, factor=-rate)
        if weights is None:
            raise InputError("`weights` must be given when they decay; got None. Pass them to `step`.")
        state, directions = self._directions(state, gradients, factor=1.0)
        pairs = zip(directions, weights, strict=True)
        return state, tuple(-rate * (direction + self.weight_decay * weight) for direction, weight in pairs)

    @property
    @abstractmethod
    def memory(self) -> dict[str, int]:
        """Digital numbers that the optimiser keeps for each weight, by name."""

    @abstractmethod
    def _directions(
        self, state: OptimiserState, gradients: Sequence[np.ndarray], *, factor: float
    ) -> tuple[OptimiserState, Arrays]:
        """Return the next state, and `factor` times the directions: changes over minus the learning rate."""


@dataclass(frozen=True)
class Momentum(Optimiser):
    """Gradient descent with momentum: u <- momentum u + gradient, change = -learning_rate u."""

    momentum: float = 0.9

    @property
    def memory(self) -> dict[str, int]:
        """The mean of the gradients; none without momentum."""
        return {"mean of the gradients": 1} if self.momentum else {}

    def _directions(
        self, state: OptimiserState, gradients: Sequence[np.ndarray], *, factor: float
    ) -> tuple[OptimiserState, Arrays]:
        first = tuple(self.momentum * old + new for old, new in zip(state.first, gradients, strict=True))
        return replace(state, steps=state.steps + 1, first=first), tuple(factor * each for each in first)


@dataclass(frozen=True)
class Adam(Optimiser):
    """Kingma and Ba 2015 (arXiv 1412.6980), algorithm 1, with the constants proposed there."""

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    @property
    def memory(self) -> dict[str, int]:
        """The means of the gradients and of their squares."""
        return {"mean of the gradients": 1, "mean of their squares": 1}

    def _directions(
        self, state: OptimiserState, gradients: Sequence[np.ndarray], *, factor: float
    ) -> tuple[OptimiserState, Arrays]:
        steps = state.steps + 1
        filled = 1.0 - self.beta_1**steps, 1.0 - self.beta_2**steps
        constants = AdamStep(self.beta_1, self.beta_2, *filled, self.epsilon, factor)
        triples = zip(state.first, state.second, gradients, strict=True)
        moved = [kernels.of(new).adam(m, s, new, constants) for m, s, new in triples]
        first, second, directions = (tuple(each[k] for each in moved) for k in range(3))
        return replace(state, steps=steps, first=first, second=second), directions


class OptimiserSettings(Parameters):
    """Optimiser of the matrices and of the digital vectors."""

    kind: Literal["adam", "momentum"] = quantity("adam", "1", "Adam, or gradient descent with momentum")
    learning_rate: float = quantity(0.002, "1", "step, in weights of which one is the range", gt=0.0, le=10.0)
    momentum: float = quantity(0.9, "1", "of the kind `momentum`", ge=0.0, lt=1.0)
    weight_decay: float = quantity(0.0, "1", "part of each weight, times the step, taken off", ge=0.0, le=1.0)

    def built(self) -> Optimiser:
        """Return the optimiser of these settings."""
        if self.kind == "adam":
            return Adam(self.learning_rate, self.weight_decay)
        return Momentum(self.learning_rate, self.weight_decay, self.momentum)
