"""What of the tables' device a training takes: all of it, or a part made ideal, to see what that part costs.

    current    ohmic   i(g, v) = g v
    change     even    D(g, a) = D(g_mid, a): each amplitude changes a cell by the same at every conductance, by what
                       it does at g_mid, the middle of the table's axis; what is drawn keeps its spread about the mean
    amplitude  fine    the driver makes `FINER` steps where the table's makes one

All three are this kit's own reading of "ideal". Whatever the tables say of energy stays.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, Self

import numpy as np

from rramkit.parameters import Parameters, quantity
from rramkit.surrogate.grid import GridSurrogate
from rramkit.table import Quantity, Table, TableFile

FINER = 16
"""Steps of an ideal driver for one of the table's (1): a change is then missed by a 16th of what the table's misses."""


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
        parts: list[tuple[bool, tuple[str, ...], Callable[[Table], Table]]] = [
            (self.current == "ohmic", ("read",), _ohmic),
            (self.change == "even", ("set", "reset"), _even),
            (self.amplitude == "fine", ("set", "reset"), _fine),
        ]
        changed = dict(tables.tables)
        for wanted, names, ideal in parts:
            if wanted:
                changed.update({name: ideal(changed[name]) for name in names})
        return replace(tables, tables=changed)


def _ohmic(read: Table) -> Table:
    """Return the table `read` with i = g v."""
    g, v = (np.asarray(axis.values, dtype=float) for axis in read.axes.values())
    current = replace(read.signals["i_cell"], values=g[:, None] * v)
    return replace(read, signals={**read.signals, "i_cell": current})


def _even(pulses: Table) -> Table:
    """Return a table of pulses whose changes are, at every conductance, those at the middle of its first axis."""
    first, *others = (np.asarray(axis.values, dtype=float) for axis in pulses.axes.values())
    old = pulses.signals["delta_g"]
    at = np.meshgrid(*others, indexing="ij")
    middle = GridSurrogate(pulses, "delta_g").at(np.full(at[0].shape, 0.5 * (first[0] + first[-1])), *at)
    new = np.broadcast_to(middle, pulses.shape)
    moved = {
        name: replace(each, quantiles=each.quantiles + (new - np.asarray(old.values))[..., None])
        if each.signal == "delta_g"
        else each
        for name, each in pulses.distributions.items()
    }
    return replace(pulses, signals={**pulses.signals, "delta_g": replace(old, values=new)}, distributions=moved)


def _fine(pulses: Table) -> Table:
    """Return a table of pulses for a driver of finer steps."""
    if "v_step" not in pulses.conditions:
        return pulses  # one amplitude: nothing to choose
    step = Quantity(np.asarray(pulses.condition("v_step") / FINER), "V")
    return replace(pulses, conditions={**pulses.conditions, "v_step": step})
