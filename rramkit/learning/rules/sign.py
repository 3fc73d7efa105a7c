"""The Manhattan rule: every weight takes one equal pulse against the sign of its gradient.

    w <- w - epsilon sign(gradient)

Sign only, no size: all weights of an array change at once in four phases (`pulse_counts`), with one amplitude a
polarity. A weight whose gradient is zero, or smaller than `theta` times the matrix's largest, takes none.

Errors go back through the array itself, by a transposed read, or, with `backward = "copy"`, through a second array that
holds W^T: the copy crossbar of "Training itself" (ASP-DAC 2014), which needs no read through the bit lines. Both arrays
take the same pulses at the same time, and drift apart by the spread of their cells: nothing compares them. The first
layer of a network passes no error on and has no copy.

Source: Zamanidoost et al. (Manhattan-rule training; batch Manhattan on Proben1 comparable to back-propagation), and the
abstract of "Training itself": gradients approximated, sign units, copy crossbar. How the copy is written is not known:
the same pulses are this kit's own choice, and so is `theta`; 0 is the rule.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np

from rramkit.array.backend import namespace, sign
from rramkit.array.matrix import Matrix
from rramkit.array.write.state import WriteCost
from rramkit.errors import InputError
from rramkit.learning.rules.copied import Copied
from rramkit.learning.rules.rram_device import RramDevice
from rramkit.learning.rules.rram_rule import RramRule, UpdateRequest
from rramkit.learning.rules.rule import BoundRule, MatrixState, RuleState
from rramkit.parameters import quantity


class Sign(RramRule):
    """One equal pulse for each weight, by the sign of its gradient alone."""

    optimised: ClassVar[bool] = False

    kind: Literal["sign"] = quantity("sign", "1", "one equal pulse by the sign of the gradient")
    step: float = quantity(0.005, "1", "change of a cell by a pulse, over the conductance range", gt=0.0, le=1.0)
    theta: float = quantity(0.0, "1", "part of the largest gradient below which none is fired", ge=0.0, le=1.0)
    backward: Literal["tile", "copy"] = quantity(
        "tile", "1", "what errors go back through: the array itself, or a copy beside it that holds W^T"
    )

    @property
    def off_device(self) -> str:
        """Nothing: it trains on a device."""
        return ""

    def copied(self, matrix: int, *, first: int = 1) -> bool:
        """Whether a copy stands beside a matrix, by its number: with `backward = "copy"` beside any but the `first`."""
        return self.backward == "copy" and matrix >= first

    def equal_pulses(self) -> float:
        """Return the step of a pulse."""
        return self.step

    def held(self, device: RramDevice) -> dict[str, int]:
        """Return the gradient, of which the sign is used."""
        return {"gradient of the batch": 1}

    def initial_state(self, bound: BoundRule, weights: Sequence[np.ndarray], *, rng: np.random.Generator) -> RuleState:
        """Return matrices of the given weights, and the copies of all but those of the first layer."""
        state = super().initial_state(bound, weights, rng=rng)
        if self.backward == "tile":
            return state
        first = bound.first
        if len(weights) <= first:
            raise InputError(
                '`rule.backward` "copy" needs a network of two matrices or more: of one no error goes back; '
                f'got {len(weights)}. Add a hidden layer, or set it to "tile".'
            )
        copied = [self._copied(bound, state, weights, index, rng=rng) for index in range(first, len(weights))]
        parts = (*state.parts[:first], *(part for part, _, _ in copied))
        matrices = (*state.matrices[:first], *(matrix for _, matrix, _ in copied))
        tallies = (*state.tallies[:first], *(cost for _, _, cost in copied))
        return replace(state, parts=parts, matrices=matrices, tallies=tallies, tally=sum(tallies, WriteCost()))

    def _copied(
        self, bound: BoundRule, state: RuleState, weights: Sequence[np.ndarray], index: int, *, rng: np.random.Generator
    ) -> tuple[MatrixState, Matrix, WriteCost]:
        """Return a matrix with the copy that was written beside it, and the cost of both."""
        device = bound.at(index).device
        assert device is not None
        copy = device.program(weights[index].T, flips=None, rng=rng)
        part = replace(state.parts[index], copy=copy)
        return part, self.matrix(device, part, state.matrices[index], rng=rng), state.tallies[index] + copy.tally

    def matrix(
        self, device: RramDevice, state: MatrixState, before: Matrix | None, *, rng: np.random.Generator
    ) -> Matrix:
        """Return the matrix that is read, with its copy where it has one."""
        main, copy = (before.main, before.copy) if isinstance(before, Copied) else (before, None)
        read = device.matrix(state.cells, main, rng=rng)
        return read if state.copy is None else Copied(read, device.matrix(state.copy, copy, rng=rng))

    def apply(
        self, device: RramDevice, state: MatrixState, request: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the state after one step of each weight."""
        gradient, xp = request.gradient.weight, namespace(request.gradient.weight)
        size = xp.abs(gradient)
        chosen = size >= self.theta * xp.max(size)
        counts = xp.astype(xp.where(chosen, -sign(gradient), 0.0), xp.int64)
        cells, cost = device.equal_pulses.fire_signed(state.cells, counts, rng=rng, most=1)
        state = replace(state, cells=cells, chi=xp.zeros_like(state.chi))
        if state.copy is None:
            return state, cost
        copy, of_copy = device.equal_pulses.fire_signed(state.copy, counts.T, rng=rng, most=1)
        return replace(state, copy=copy), cost + replace(of_copy, seconds=0.0)  # at the same time
