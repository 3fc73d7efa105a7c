"""Signed weights on an array of positive conductances: differential pairs, and their read.

A weight matrix (R, N) becomes physical columns in one of three arrangements; the difference is taken of two sense
currents, here by ideal controlled sources (a circuit's subtractor belongs to the periphery) ::

    adjacent    one array (R, 2N):      weight n = column 2n minus column 2n + 1
    arrays      two arrays (R, N):      column n of the first minus column n of the second, rows driven alike
    reference   one array (R, N + 1):   column n minus the last column, which holds the same reference everywhere
"""

from typing import Literal, Self

import numpy as np
from pydantic import model_validator
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.crossbar import CrossbarReadParams, add_crossbar, add_sense, join
from rramkit.circuits.deck import CatalogEntry, Deck, Measure, Output
from rramkit.circuits.stimuli import add_sweep
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity

Arrangement = Literal["adjacent", "arrays", "reference"]


class PairParams(Parameters):
    """A read of signed weights; the crossbar's `cols` is the number N of weights in a row."""

    read: CrossbarReadParams = CrossbarReadParams()
    arrangement: Arrangement = quantity("adjacent", "1", "where the negative half of a weight stands")
    g_low: float = quantity(5e-6, "S", "conductance of weight nothing (1R)", ge=0, le=1e-2)
    g_high: float = quantity(80e-6, "S", "conductance of the largest weight (1R)", gt=0, le=1e-2)

    @model_validator(mode="after")
    def _driven_by_rows(self) -> Self:
        if self.read.direction != "forward":
            raise ValueError("read.direction must be forward: the difference is one of columns")
        return self


def pair_values(weights: np.ndarray, arrangement: Arrangement, low: float, high: float) -> tuple[np.ndarray, ...]:
    """Return the values of the physical arrays, (R, 2N), twice (R, N) or (R, N + 1), for weights (R, N) in [-1, 1].

    A pair holds low + max(w, 0) (high - low) and low + max(-w, 0) (high - low); against a reference at the middle of
    the range a cell holds the middle + w (high - low)/2, so its difference has half the span.
    """
    if weights.ndim != 2 or not np.all(np.abs(weights) <= 1):
        raise InputError(f"`weights` must be (R, N) within -1 and 1; got {weights.shape}. Scale them.")
    if arrangement == "reference":
        middle = np.full((weights.shape[0], 1), (low + high) / 2)
        return (np.concatenate([middle + weights * (high - low) / 2, middle], axis=1),)
    plus, minus = (low + np.maximum(sign * weights, 0) * (high - low) for sign in (1, -1))
    if arrangement == "arrays":
        return plus, minus
    return (np.stack([plus, minus], axis=2).reshape(weights.shape[0], -1),)


def pair_columns(columns: int, arrangement: Arrangement) -> list[tuple[str, str]]:
    """Return the plus and the minus column line of each of N weights."""
    if arrangement == "adjacent":
        return [(f"col_{2 * n}", f"col_{2 * n + 1}") for n in range(columns)]
    if arrangement == "arrays":
        return [(f"col_{n}", f"minus_col_{n}") for n in range(columns)]
    return [(f"col_{n}", f"col_{columns}") for n in range(columns)]


def paired_reads(params: PairParams, values: tuple[np.ndarray, ...], v_in: np.ndarray) -> Deck:
    """Return a `.dc` deck of B input vectors (R, B) [V]: the differences of the column currents, as `v(diff_n)` [A/S].

    `values` are the arrays of `pair_values`; for 1T1R or 1S1R cells they are states.
    """
    read, bar = params.read, params.read.crossbar
    pairs, circuit = pair_columns(bar.cols, params.arrangement), Circuit("paired read")
    add_sweep(circuit, read.read.driven(v_in))
    for prefix, array in zip(("", "minus_"), values, strict=False):
        physical = bar.model_copy(update={"cols": array.shape[1]})
        add_crossbar(circuit, physical, array, static=True, prefix=prefix)
        for i in range(physical.words):
            circuit.V(f"_{prefix}word_{i}", f"{prefix}word_{i}", circuit.gnd, read.read.v_wl)
        for i in range(bar.rows):
            join(circuit, f"{prefix}row_{i}", f"in_{i}", read.r_drive)
        for j in range(physical.cols):
            line = f"{prefix}col_{j}"
            join(circuit, line, f"{line}_out", read.r_sense)
            add_sense(circuit, line, f"{line}_out", read.read)
    for n, (plus, minus) in enumerate(pairs):
        circuit.raw_spice += f"B_diff_{n} diff_{n} 0 v = i(V_sense_{plus}) - i(V_sense_{minus})\n"
    return Deck(
        title=f"{bar.rows} x {bar.cols} signed weights, {params.arrangement}: {v_in.shape[1]} static reads",
        parameters=params,
        circuit=circuit,
        libraries=bar.libraries,
        analysis=f".dc V_sweep 0 {v_in.shape[1] - 1} 1",
        outputs=tuple(
            Output(f"i_weight_{n}", f"v(diff_{n})", "A", f"current of {p} less that of {m} (1 V stands for 1 A)")
            for n, (p, m) in enumerate(pairs)
        ),
        measures=tuple(
            Measure(f"i_first_{n}", f"find v(diff_{n}) at=0", "A", f"current of weight {n} at the first input vector")
            for n in range(bar.cols)
        ),
        options="reltol=1e-5 abstol=1e-12 vntol=1e-8",
        swept="input vector (1)",
    )


def example_read(params: PairParams) -> Deck:
    """Return a deck with seeded weights, and each row driven alone in turn."""
    bar, rng = params.read.crossbar, np.random.default_rng(params.read.seed)
    low, high = (params.g_low, params.g_high) if bar.cell_kind == "1R" else (0.5, 0.95)
    values = pair_values(rng.uniform(-1, 1, (bar.rows, bar.cols)), params.arrangement, low, high)
    v_on = params.read.read.v_read + (bar.selector.v_th if bar.cell_kind == "1S1R" else 0.0)
    spread = tuple(params.read.spread.drawn(array, bar.cell_kind, rng=rng) for array in values)
    return paired_reads(params, spread, v_on * np.eye(bar.rows))


CATALOG = {
    "crossbar_pairs": CatalogEntry(
        PairParams,
        example_read,
        "crossbar of signed weights as differential pairs: each row alone",
    ),
}
