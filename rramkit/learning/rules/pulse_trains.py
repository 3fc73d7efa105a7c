"""Pulse trains of rows and columns: a cell is pulsed where both coincide.

One step (`pulse_counts`) changes a weight by epsilon, so a sample needs rate |x_r e_c| / epsilon coincidences. With
c = sqrt(rate / (slots epsilon)) ::

    stochastic      in each of `slots` slots the row fires with probability c |x_r|, the column with c |e_c|,
                    independently
    deterministic   the row fires in a_r = round(c' |x_r|) of B slots, and the column, in each of those, in
                    b_c = round(c' |e_c|) of B parts of it: a_r b_c coincidences, c' = sqrt(rate / epsilon), B = slots

A probability beyond one, and a count beyond B, is clipped and counted. Before that, samples are balanced: x and e are
scaled against each other so that their largest are equal. Source of the stochastic pulse trains: Gokmen and Vlasov
(Front. Neurosci. 10, 333, 2016); RECALLED, not confirmed: its balance of the two and its 10 slots. The deterministic
trains, and firing all samples' pulses of a batch together, are this kit's own choice.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from rramkit.array.matrix import Gradient

PulseTrains = Literal["stochastic", "deterministic"]
"""How the pulse trains of rows and columns are drawn."""


@dataclass(frozen=True)
class Coincidences:
    """Coincidences of row and column pulse trains.

    Attributes
    ----------
    trains : str
        `stochastic` or `deterministic`.
    slots : int
        Slots of a sample's trains.
    """

    trains: PulseTrains
    slots: int

    def counts(
        self, gradient: Gradient, rate: float, epsilon: float, *, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, int]:
        """Return the steps up and down (R, C) of a batch, and how many line values were clipped.

        Where a step changes nothing (`epsilon` zero), none is fired.
        """
        if not epsilon > 0.0:
            none = np.zeros((gradient.inputs.shape[1], gradient.errors.shape[1]), dtype=np.int64)
            return none, none, 0
        x, e = _balanced(gradient.inputs, gradient.errors)
        scale = np.sqrt(rate / epsilon)
        if self.trains == "deterministic":
            (a, cut_x), (b, cut_e) = (_clipped(np.round(scale * np.abs(v)), self.slots) for v in (x, e))
            rows, cols = np.sign(x) * a, np.sign(e) * b
        else:
            (p, cut_x), (q, cut_e) = (_clipped(scale / np.sqrt(self.slots) * np.abs(v), 1.0) for v in (x, e))
            rows = (np.sign(x) * (rng.uniform(size=(self.slots, *p.shape)) < p)).reshape(-1, x.shape[1])
            cols = (np.sign(e) * (rng.uniform(size=(self.slots, *q.shape)) < q)).reshape(-1, e.shape[1])
        both, difference = np.abs(rows).T @ np.abs(cols), rows.T @ cols  # a weight falls where the signs agree
        up, down = (np.round((both + sign * difference) / 2.0).astype(np.int64) for sign in (-1.0, 1.0))
        return up, down, cut_x + cut_e


def _balanced(x: np.ndarray, e: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale each sample's inputs (N, R) and errors (N, C) against each other: equal largest, same product."""
    top_x, top_e = (np.max(np.abs(v), axis=1, keepdims=True) for v in (x, e))
    silent = (top_x == 0.0) | (top_e == 0.0)
    ratio = np.sqrt(np.where(silent, 1.0, top_e) / np.where(silent, 1.0, top_x))
    return np.where(silent, 0.0, x * ratio), np.where(silent, 0.0, e / ratio)


def _clipped(values: np.ndarray, top: float) -> tuple[np.ndarray, int]:
    return np.minimum(values, top), int(np.count_nonzero(values > top))
