"""Binary weights: a float shadow of each weight in memory, a pair of cells that is written only where its sign changes.

    shadow <- clip(shadow + change, -1, 1)          every batch, digitally
    weight = +1 where shadow >= 0, else -1          a pair of cells: {high, low} for +1, {low, high} for -1
    where the weight has changed:                   both cells of the pair are written

Courbariaux et al. 2016 (BinaryNet, arXiv 1602.02830, algorithm 1): the gradient by the binary weight is taken for that
by the shadow (straight-through), which is clipped so that it cannot run away from the sign. Low and high are the ends
of the mapping's window: those of the tables, or `mapping.weights.g_low` and `g_high`. What the cells hold besides the
sign (spread, write errors) is in no update: the controller knows the shadow alone.
"""

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np

from rramkit.array.mapping import Pairs
from rramkit.array.matrix import Matrix
from rramkit.array.write.state import WriteCost
from rramkit.errors import InputError
from rramkit.learning.rules.rram_device import RramDevice, WriteMethod
from rramkit.learning.rules.rram_rule import RramRule, UpdateRequest
from rramkit.learning.rules.rule import MatrixState
from rramkit.parameters import quantity


class Binary(RramRule):
    """Weights of +1 and -1 in pairs of cells, their float shadows in memory.

    Examples
    --------
    >>> import rramkit as rk
    >>> experiment = rk.Experiment(rule="binary")
    >>> bound = experiment.rule.bind(rk.example(), rk.ArrayModel(rk.example()), experiment.optimiser.built())
    >>> bound.device.mapping.placement, bound.memory["weight"]
    ('low', 1)
    """

    at_ends: ClassVar[bool] = True
    reaches_all: ClassVar[str] = "gives every weight +1 or -1"

    kind: Literal["binary"] = quantity("binary", "1", "weights of +1 and -1, float shadows in memory")
    way: WriteMethod = quantity("verify", "1", "how a pair is written: verify, pulse or error")
    backward: Literal["digital", "tile"] = quantity(
        "tile", "1", "what errors go back through: signs in memory, or cells"
    )

    def held(self, device: RramDevice) -> dict[str, int]:
        """Return the gradient and the shadow."""
        return {"gradient of the batch": 1, "weight": 1}

    def pair_mapping(self, pairs: Pairs) -> Pairs:
        """Return pairs of which one half is at the low end of the window; at +1 and -1 the other one is at the high."""
        return super().pair_mapping(pairs).model_copy(update={"placement": "low"})

    def device(self, device: RramDevice) -> RramDevice:
        """Return the device; raise `InputError` unless a weight is one pair of cells."""
        if not isinstance(device.mapping, Pairs):
            raise InputError(
                "`rule` binary writes a weight as one pair of cells and needs the mapping `pairs`; got "
                f"{type(device.mapping).__name__}. Leave `mapping.kind` out."
            )
        return device

    def first(
        self, device: RramDevice, weight: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Write the signs of first weights (R, C); the weights are the first shadows."""
        state, cost = super().first(device, signs(weight), rng=rng)
        return replace(state, digital=np.clip(weight, -1.0, 1.0)), cost

    def matrix(
        self, device: RramDevice, state: MatrixState, before: Matrix | None, *, rng: np.random.Generator
    ) -> Matrix:
        """Return the matrix that is read: forward from the cells, backward as `backward` says."""
        assert state.digital is not None
        digital = signs(state.digital) if self.backward == "digital" else None
        return device.matrix(state.cells, before, flips=state.flips, digital=digital, rng=rng)

    def apply(
        self, device: RramDevice, state: MatrixState, request: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the state after the shadows moved and the pairs whose sign changed were written."""
        assert state.digital is not None
        shadow = np.clip(state.digital + request.change, -1.0, 1.0).astype(state.digital.dtype, copy=False)
        after = signs(shadow)
        rows, cols = np.nonzero(after != signs(state.digital))
        if not rows.size:
            return replace(state, digital=shadow), WriteCost()
        flat = device.mapping.cells_of(rows, cols, state.cells.g_cell.shape).ravel()
        target = device.mapping.encode(after[rows, cols]).ravel()
        cells = device.write(state.cells, flat, target, method=self.way, rng=rng)
        return replace(state, cells=cells, digital=shadow), cells.tally


def signs(weight: np.ndarray) -> np.ndarray:
    """Return +1 where a weight (...) is 0 or more, else -1, in its dtype."""
    return np.where(weight >= 0.0, 1.0, -1.0).astype(weight.dtype)
