"""Switched by input: input bits open rows, weight slices are read voltages, slices and signs add up in one column.

SEI (Xia et al., DAC 2016, doi 10.1145/2897937.2898101). FOUND in its abstract: intermediate data of one bit, so no DAC;
"input data as selection signals", which merges crossbars without ADCs. RECALLED, no source at hand: port voltages that
carry slice and sign; rows that are permuted so that the sums of split matrices are alike, and thresholds that move with
the inputs. This kit's own: everything else, for a cell of one transistor and one resistive element. An input r has 2 S
rows, one for each slice and sign, and one word line driver for all of their gates::

    i_m = sum_r x_r sum_k [ i(g+_rkm, +v_k) + i(g-_rkm, -v_k) ]       v_k = v_read / 2^(b (S - 1 - k))
    y_m = 1 where i_m > i_ref,m

    x  input bits: gates       v_k  voltage of the rows of slice k against the column, which is held at rest
    g+, g-  digits of b bits of |w|, lowest slice first, in the half of the weight's sign       i_ref  reference

The cells of level 0 cancel in a pair. The slices add up rightly as far as a cell is linear from v_read down to v_0
(`weight_error`). A matrix of more rows than an array holds is cut; `merge` says how the parts are joined:

    current   the columns of all parts end in one readout and one comparator
    vote      a comparator for each part, against its share of the reference; more than half of them decide

With `vote`, `deal` gives the rows to the parts in turn, as cards are dealt, so that their sums are alike, and `move`
shares the reference out by the number of open rows of each part, not equally.
"""

from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import PrivateAttr, model_validator

from rramkit.array.backend import Array
from rramkit.array.cell_current import CellCurrent
from rramkit.array.mapping.bit_slices import SignedDigits
from rramkit.array.mapping.mapping import Read, Total
from rramkit.array.stages.sense_amp import SenseAmp
from rramkit.errors import InputError
from rramkit.parameters import quantity
from rramkit.table import TableFile
from rramkit.table.schema import SENSE_AMP, SENSE_AMP_OFFSET


class Sei(SignedDigits):
    """Weights of b S bits and a sign in 2 S rows of one column; inputs of one bit, outputs of comparators.

    Examples
    --------
    >>> sei = Sei(bits=2, slices=2, g_low=10e-6, g_high=40e-6)
    >>> [float(v) for v in sei.ports(0.1)]
    [0.025, 0.1, -0.025, -0.1]
    """

    groups: ClassVar[tuple[str, ...]] = (SENSE_AMP.group, SENSE_AMP_OFFSET.group)

    kind: Literal["sei"] = quantity("sei", "1", "input bits open rows, slices of weights are read voltages")
    slices: int = quantity(2, "1", "cells of a half, each with a read voltage of its own", ge=1, le=16)
    merge: Literal["current", "vote"] = quantity("current", "1", "how the parts of a matrix that is cut are joined")
    deal: bool = quantity(False, "1", "whether rows are given to the parts in turn; only with `vote`")
    move: bool = quantity(False, "1", "whether references move with the open rows of a part; only with `vote`")
    _sense_amp: SenseAmp = PrivateAttr(default_factory=SenseAmp)

    @model_validator(mode="after")
    def _votes(self) -> Self:
        for name in ("deal", "move"):
            if getattr(self, name) and self.merge != "vote":
                raise ValueError(f'{name} does nothing with merge = "current". Leave it out, or set merge = "vote"')
        return self

    @property
    def sense_amp(self) -> SenseAmp:
        """The comparators; without tables ideal ones, which take nothing."""
        return self._sense_amp

    def sensed_by(self, tables: TableFile) -> Self:
        """Return this mapping with the comparators of a table file."""
        mapping = self.model_copy()
        mapping._sense_amp = SenseAmp.from_tables(tables)
        return mapping

    @property
    def rows_per_input(self) -> int:
        """Physical rows of an input: one for each slice and sign."""
        return 2 * self.slices

    def cut(self, inputs: int, outputs: int, largest: tuple[int, int]) -> tuple[int, int, int, int]:
        """Return the arrays across and down that a matrix takes, and the inputs and columns of each.

        `largest` has the rows and columns of the largest array, which holds one input at least.
        """
        down, across = -(-inputs // (largest[0] // self.rows_per_input)), -(-outputs // largest[1])
        return across, down, -(-inputs // down), -(-outputs // across)

    def ports(self, v_read: float) -> np.ndarray:
        """Return the voltages (2 S,) in volts of the rows of an input: plus slices, lowest first, then minus slices."""
        v_slice = v_read / 2.0 ** (self.bits * np.arange(self.slices - 1, -1, -1))
        return np.concatenate([v_slice, -v_slice])

    def i_unit(self, v_read: float) -> float:
        """Return the current (A) that stands for a weight of one at an open row."""
        return self.g_unit * v_read / 2.0 ** (self.bits * (self.slices - 1))

    def forward(self, read: Read, v: Array, *, total: Total, v_max: float, flips: Array | None) -> Array:
        """Refuse: rows that are driven with voltages of inputs are no reads of this mapping."""
        raise InputError(_ELSEWHERE)

    def backward(self, read: Read, v: Array, *, v_max: float, flips: Array | None) -> Array:
        """Refuse: gates open whole rows, so no row can be sensed."""
        raise InputError(_ELSEWHERE)


_ELSEWHERE = (
    "the mapping `sei` must be read by input bits, through `SelectedMatrix`, as the networks of experiments are; got a "
    "read by input voltages. Take another mapping here."
)


def weight_error(mapping: Sei, cells: CellCurrent) -> float:
    """Return the largest error of a weight by the nonlinearity of cells, in units of its lowest digit (1).

    Every slice has the error of its own currents against those of equal digits, by the one factor that is right for the
    largest weight (a reference makes up for that). The digits of a weight are free, so the errors of slices add up.
    The slices hold as many bits as are said while this is below a half.

    Parameters
    ----------
    mapping : Sei
        Bits and slices, with a window.
    cells : CellCurrent
        Cell current of a table file.

    Returns
    -------
    float
        Largest error of a weight over the step of weights (1).

    Raises
    ------
    InputError
        When the mapping has no window.

    Examples
    --------
    >>> from rramkit.array import CellCurrent
    >>> from rramkit.table.example import example
    >>> cells = CellCurrent.from_table(example()["read"])
    >>> weight_error(Sei(slices=1, g_low=10e-6, g_high=40e-6), cells) < 0.1
    True
    """
    level = mapping.levels.conductance(np.arange(mapping.levels.highest + 1.0))
    i_cell = port_currents(mapping, cells, level)  # (2 S, levels)
    i_plus, i_minus = i_cell[: mapping.slices], i_cell[mapping.slices :]
    shares = 2.0 ** (mapping.bits * np.arange(mapping.slices))[:, None] * np.arange(level.size)
    largest = 0.0
    for i_digit in (i_plus + i_minus[:, :1], -(i_minus + i_plus[:, :1])):  # of positive and of negative weights
        error = i_digit * (mapping.w_top / i_digit[:, -1].sum()) - shares
        largest = max(largest, *(side.sum() for side in (error.max(axis=1), -error.min(axis=1))))
    return float(largest)


def port_currents(mapping: Sei, cells: CellCurrent, g_cell: np.ndarray) -> np.ndarray:
    """Return the currents (2 S, ...) in amperes into the column of cells (...) in siemens, at each of the ports."""
    factors = port_factors(mapping, cells)
    return np.tensordot(factors.T, cells.conductance_terms(g_cell), axes=1)


def port_factors(mapping: Sei, cells: CellCurrent) -> np.ndarray:
    """Return the factors (K, 2 S) of the conductance terms of a cell in its current into the column, by port."""
    sign = cells.sign(backward=False)
    return sign * cells.voltage_terms(sign * mapping.ports(read_voltage(cells)))


def read_voltage(cells: CellCurrent) -> float:
    """Return the largest port voltage (V): what the table reaches in both directions."""
    return min(cells.v_forward, cells.v_backward)
