"""What the rows of the mapping `sei` give when inputs open them: currents into columns, behind the wires.

All voltages are constant, so that a cell gives one current, and a column's is a sum over open rows::

    i_m = [(1 - rho) sum_r x_r a_rm + rho sum_r x_r b_rm] / (1 + R sum_r x_r g_rm)         rho = sum_r x_r g_rm / G_rows

    a, g   current (A) and conductance (S) of the 2 S cells of input r on column m, behind the wires of their rows
    b      the same current behind all wires with all gates open, times G_rows / G
    G_rows, G   conductance of all cells of the column behind the wires of rows, and behind all (S)
    R      1 / G - 1 / G_rows: resistance of the column's end and wires, as its cells see it together (ohm)

A row is open or closed as a whole, so that its wires do not depend on other inputs. Those of a column do: its open
cells share them. The wires are solved twice (`wires`), as those of rows alone and as all with all gates open. Between
the two, a column is a divider of its open cells, and the weights of its near and far cells move with their part: this
kit's own, exact to the linear part of cells for all open rows and for ends without lines. Arrays of 64 and 128 rows
against ngspice: 0.11 and 0.23 % of full scale (docs/systems/sei.md).
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from rramkit.array.layout import Layout
from rramkit.array.mapping.sei import Sei, port_factors, read_voltage
from rramkit.array.products import product
from rramkit.array.read_model import ReadModel
from rramkit.array.stages.chain import ReadChain


@dataclass(frozen=True)
class Selection:
    """What open rows give, for J parts that are sensed one by one (1 where their columns end in one comparator).

    Attributes
    ----------
    current : ndarray
        Current of an open input into each column (N, J M), all gates being open, times G_rows / G; in amperes.
    alone : ndarray or None
        The same behind the wires of rows alone; None: no wires, so that both are the same.
    linear : ndarray
        Conductance of its cells on each column behind the wires of rows (N, J M), in siemens.
    variance : ndarray or None
        Variance of the current by the cells' noise (N, J M), in square amperes.
    power : ndarray
        Power that its rows take (N,), in watts.
    part : ndarray of int
        Part of each input (N,).
    r_column : ndarray or None
        Resistance R of each column (J M,), in ohms, of columns that are joined side by side; None: no wires.
    """

    current: np.ndarray
    alone: np.ndarray | None
    linear: np.ndarray
    variance: np.ndarray | None
    power: np.ndarray
    part: np.ndarray
    r_column: np.ndarray | None

    def summed(self, layout: Layout, bits: np.ndarray) -> np.ndarray:
        """Return the currents (B, J M) in amperes of bits, which `layout` makes vectors (B, N)."""
        i = product(layout, (bits,), (self.current,))
        if self.alone is None or self.r_column is None:
            return i
        alone, opened = (product(layout, (bits,), (each,)) for each in (self.alone, self.linear))
        part = opened / self.linear.sum(axis=0)
        return (alone + part * (i - alone)) / (1.0 + self.r_column * opened)

    @classmethod
    def of(cls, digits: np.ndarray, sei: Sei, model: ReadModel) -> Self:
        """Return it for cells (2 S, N, M) in siemens, plus slices first, each half's lowest digit first."""
        _, count, outputs = digits.shape
        across, down, inputs, columns = sei.cut(count, outputs, model.largest_array)
        ports = sei.ports(read_voltage(model.cells))
        place, part = _places(count, down, inputs, deal=sei.deal)
        filled = np.full((ports.size, down * inputs, across * columns), float(model.cells.g_grid[0]))
        filled[:, place, :outputs] = digits
        arrays = filled.reshape(ports.size, down, inputs, across, columns).transpose(1, 3, 2, 0, 4)
        joined = down if sei.merge == "current" else 1
        factors = port_factors(sei, model.cells)
        terms, of_rows, r_column = _terms(arrays, model, joined)
        i_cell, i_alone = (np.einsum("kdripc,kp->dripc", each, factors) for each in (terms, of_rows))
        taken = np.abs(i_cell) * _supply(ports, model.chain)[:, None]

        def of_columns(values: np.ndarray) -> np.ndarray:
            """Return values of cells (down, across, inputs, 2 S, columns) summed over ports, as (N, J M)."""
            summed = values.sum(axis=3).transpose(0, 2, 1, 3).reshape(down * inputs, across * columns)
            return _by_part(summed[place, :outputs], part, down // joined)

        noise, variance = model.chain.read_noise, None
        if noise.on:
            settled = model.chain.line_switch.settled(model.t_read)
            own = noise.cell_variance(arrays, model.cells.g_span) * (settled * ports[:, None]) ** 2
            variance = of_columns(own).astype(model.precision)
        return cls(
            current=of_columns(i_cell).astype(model.precision),
            alone=None if r_column is None else of_columns(i_alone).astype(model.precision),
            linear=of_columns(of_rows[0]).astype(model.precision),
            variance=variance,
            power=taken.sum(axis=(1, 3, 4)).reshape(-1)[place],
            part=part,
            r_column=None if r_column is None else _of_parts(r_column[:, :outputs], joined).astype(model.precision),
        )


def _terms(arrays: np.ndarray, model: ReadModel, joined: int) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return terms of cells (K, down, across, inputs, 2 S, columns) for b and for a, and R of columns (down, all).

    Where columns of `joined` arrays end in one readout, each sees its input resistance that many times.
    """
    settled, wires = model.chain.line_switch.settled(model.t_read), model.lines_of(backward=False)
    if wires is None:
        terms = settled * model.cells.conductance_terms(arrays)
        return terms, terms, None
    down, across, inputs, ports, columns = arrays.shape
    r_readout = model.chain.r_sensing or 0.0
    wires = replace(wires, r_sense=wires.r_sense + (joined - 1) * r_readout)
    physical = arrays.reshape(down, across, inputs * ports, columns)
    terms = model.cells.terms_behind_wires(physical, wires.effective)
    of_rows = model.cells.terms_behind_wires(physical, replace(wires, r_sense=0.0, r_col=0.0).effective)
    g_all, g_rows = (each[0].sum(axis=-2, keepdims=True) for each in (terms, of_rows))
    r_column = (1.0 / g_all - 1.0 / g_rows)[..., 0, :].reshape(down, across * columns)
    shape = (-1, *arrays.shape)
    return settled * (g_rows / g_all * terms).reshape(shape), settled * of_rows.reshape(shape), r_column


def _places(count: int, down: int, inputs: int, *, deal: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the place of each input among all parts' rows (N,), and its part (N,)."""
    number = np.arange(count)
    part, place = (number % down, number // down) if deal else (number // inputs, number % inputs)
    return part * inputs + place, part


def _of_parts(r_column: np.ndarray, joined: int) -> np.ndarray:
    """Return R of the columns of all parts (down, M) as they are sensed (J M,): of joined ones the parallel one."""
    return r_column.ravel() if joined == 1 else 1.0 / (1.0 / r_column).sum(axis=0)


def _supply(ports: np.ndarray, chain: ReadChain) -> np.ndarray:
    """Return the voltage (2 S,) that the current of each port costs: with a readout, it gives that of plus slices."""
    if not chain.readout.supplied:
        return np.abs(ports)
    return np.where(ports < 0.0, chain.readout.v_rest - ports, 0.0)


def _by_part(values: np.ndarray, part: np.ndarray, parts: int) -> np.ndarray:
    """Return values (N, M) as (N, J M), those of each input in the columns of its part; of one part as they are."""
    if parts == 1:
        return values
    spread = np.zeros((values.shape[0], parts, values.shape[1]))
    spread[np.arange(part.size), part] = values
    return spread.reshape(values.shape[0], -1)
