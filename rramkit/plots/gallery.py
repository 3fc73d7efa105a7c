"""Every picture that a table file gives, by file name."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from matplotlib.axes import Axes

from rramkit.plots.cells import delta_g_map, staircase
from rramkit.plots.residuals import residuals
from rramkit.plots.tables import change_band, family, histogram, played_train, residual_map
from rramkit.staircase import climb
from rramkit.table import Table, TableFile

Drawing = Callable[[Axes], Axes]


def gallery(tables: TableFile) -> dict[str, Drawing]:
    """Return the drawings of all tables: `TABLE-SIGNAL-KIND`."""
    return {f"{table.name}-{name}": draw for table in tables.tables.values() for name, draw in _of_table(table)}


def _of_table(table: Table) -> Iterator[tuple[str, Drawing]]:
    for signal in table.signals if table.axes else ():
        yield f"{signal}-family", partial(family, table=table, signal=signal)
    for signal, points in table.held_out.items():
        source = "the measurement" if set(points.at) == {"pulse"} else "SPICE"
        named = partial(residuals, quantity=signal.replace("_", " "), source=source)
        yield f"{signal}-residuals", partial(named, points=points)
        wide = [name for name in table.axes if table.axes[name].values.size > 1]
        if len(wide) > 1 and set(wide) <= set(points.at):
            yield f"{signal}-residual-map", partial(residual_map, table=table, signal=signal)
        if set(points.at) == {"pulse"}:
            yield f"{signal}-played", partial(played_train, points=points)
    for name, found in table.distributions.items():
        yield f"{found.signal}-histogram-{found.over}", partial(histogram, table=table, name=name)
    if tuple(table.axes) == ("g_start", "v_pulse"):
        yield from _of_writes(table)


def _of_writes(table: Table) -> Iterator[tuple[str, Drawing]]:
    if table.axes["v_pulse"].values.size == 1:
        yield "change", partial(change_band, table=table)
        return
    yield "map", partial(delta_g_map, table=table)
    if not np.any(table.masked("delta_g")):
        g_start = table.axes["g_start"].values
        steps = climb(table, g_start=float(g_start[0] if table.name == "set" else g_start[-1]))
        yield "staircase", partial(staircase, steps=steps, name=table.name)
