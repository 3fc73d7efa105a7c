"""Idealise selected device non-idealities, for ablation: what each of them costs in accuracy.

    current    ohmic   i(g, v) = g v
    change     even    D(g, a) = D(g_mid, a): each amplitude changes a cell by the same at every conductance, by its
                       change at g_mid, the middle of the table's axis; distributions keep their width about the mean
    amplitude  fine    the driver's step is the table's over `FINER`

All three are this kit's own definition of "ideal". The energy of the tables stays.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, Self

import numpy as np

from rramkit.parameters import Parameters, quantity
from rramkit.surrogate.grid import GridSurrogate
from rramkit.table import Table, TableFile
from rramkit.table.schema import READ, RESET, SET

FINER = 16
"""Steps of an ideal driver for one of the table's (1): its rounding error is 1/16 of that with the table's step."""


class DeviceSettings(Parameters):
    """Parts of the device, as the tables have them or ideal."""

    current: Literal["table", "ohmic"] = quantity("table", "1", "cell current: the table's, or linear in the voltage")
    change: Literal["table", "even"] = quantity(
        "table", "1", "change of a pulse: the table's, or the same at every conductance"
    )
    amplitude: Literal["table", "fine"] = quantity("table", "1", "driver's amplitudes: in the table's steps, or finer")

    @classmethod
    def ideal(cls) -> Self:
        """Return the device with every part made ideal."""
        return cls(current="ohmic", change="even", amplitude="fine")

    def applied(self, tables: TableFile) -> TableFile:
        """Return the tables with the parts that are to be ideal made so."""
        writes = (SET.group, RESET.group)
        parts: list[tuple[bool, tuple[str, ...], Callable[[Table], Table]]] = [
            (self.current == "ohmic", (READ.group,), _ohmic),
            (self.change == "even", writes, _even),
            (self.amplitude == "fine", writes, _fine),
        ]
        changed = dict(tables.tables)
        for is_ideal, names, idealised in parts:
            if is_ideal:
                changed.update({name: idealised(changed[name]) for name in names})
        return replace(tables, tables=changed)


def _ohmic(read: Table) -> Table:
    """Return the read table with i = g v."""
    g, v = (np.asarray(axis.values, dtype=float) for axis in read.axes.values())
    current = replace(read.signals[READ.i_cell], values=g[:, None] * v)
    return replace(read, signals={**read.signals, READ.i_cell: current})


def _even(pulses: Table) -> Table:
    """Return a write table whose changes are, at every conductance, those at the middle of its first axis."""
    first, *others = (np.asarray(axis.values, dtype=float) for axis in pulses.axes.values())
    old = pulses.signals[SET.delta_g]
    at = np.meshgrid(*others, indexing="ij")
    middle = GridSurrogate(pulses, SET.delta_g).at(np.full(at[0].shape, 0.5 * (first[0] + first[-1])), *at)
    new = np.broadcast_to(middle, pulses.shape)
    moved = {
        name: replace(each, quantiles=each.quantiles + (new - np.asarray(old.values))[..., None])
        if each.signal == SET.delta_g
        else each
        for name, each in pulses.distributions.items()
    }
    return replace(pulses, signals={**pulses.signals, SET.delta_g: replace(old, values=new)}, distributions=moved)


def _fine(pulses: Table) -> Table:
    """Return a write table for a driver of finer steps."""
    if SET.v_step not in pulses.conditions:
        return pulses  # one amplitude: nothing to choose
    step = SET.of(v_step=pulses.condition(SET.v_step) / FINER)
    return replace(pulses, conditions={**pulses.conditions, **step})
