"""Every plot of a table file, by file name.

Families of curves, residuals and histograms show a table over all its axes. Maps and staircases of a write table with
axes of corner, supply or temperature are drawn at the nominal condition, which their name says (`set-tt-300.15K-map`).
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from matplotlib.axes import Axes

from rramkit.plots.cells import delta_g_map, staircase
from rramkit.plots.residuals import residuals
from rramkit.plots.tables import change_band, family, histogram, played_train, residual_map, words
from rramkit.staircase import climb
from rramkit.table import Table, TableFile
from rramkit.table.operating_point import at_condition, nominal_condition
from rramkit.table.schema import SET

Drawing = Callable[[Axes], Axes]


def gallery(tables: TableFile) -> dict[str, Drawing]:
    """Return the drawings of all tables: `TABLE-SIGNAL-KIND`."""
    return {f"{table.name}-{name}": draw for table in tables.tables.values() for name, draw in _of_table(table)}


def _of_table(table: Table) -> Iterator[tuple[str, Drawing]]:
    for signal in table.signals if table.axes else ():
        yield f"{signal}-family", partial(family, table=table, signal=signal)
    for signal, points in table.held_out.items():
        is_train = set(points.at) == {SET.pulse}
        source = "the measurement" if is_train else "SPICE"
        named = partial(residuals, quantity=words(signal), source=source)
        yield f"{signal}-residuals", partial(named, points=points)
        wide = [name for name in table.axes if table.axes[name].values.size > 1]
        if len(wide) > 1 and set(wide) <= set(points.at):
            yield f"{signal}-residual-map", partial(residual_map, table=table, signal=signal)
        if is_train:
            yield f"{signal}-played", partial(played_train, points=points)
    for name, distribution in table.distributions.items():
        yield f"{distribution.signal}-histogram-{distribution.over}", partial(histogram, table=table, name=name)
    if table.polarity is not None:
        yield from _of_writes(at_condition(table), nominal_condition(table))


def _of_writes(table: Table, condition: str) -> Iterator[tuple[str, Drawing]]:
    """Yield the drawings of a write table at one condition."""
    before = f"{condition}-" if condition else ""
    if tuple(table.axes) != (SET.g_start, SET.v_pulse):
        return
    if table.axes[SET.v_pulse].values.size == 1:
        yield f"{before}change", partial(change_band, table=table)
        return
    yield f"{before}map", partial(delta_g_map, table=table)
    if not np.any(table.masked(SET.delta_g)):
        yield f"{before}staircase", partial(staircase, steps=climb(table), table=table)
