"""Every plot of a table file or a run file, by file name.

Families of curves, residuals and histograms show a table over all its axes. Maps and staircases of a write table with
axes of corner, supply or temperature are drawn at the nominal condition, which their name says (`set-tt-300.15K-map`).
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from matplotlib.axes import Axes

from rramkit.plots.cells import delta_g_map, staircase
from rramkit.plots.drift import conductance_drift, gap_to_float, pulses_by_matrix
from rramkit.plots.episodes import cells_rewritten, energy, returns
from rramkit.plots.measured import reads_and_fit
from rramkit.plots.tables import change_band, family, histogram, played_train, residual_map, residuals, words
from rramkit.plots.training import (
    conductance_histogram,
    confusion,
    energy_by_epoch,
    energy_cumulative,
    error_curve,
    learning_curve,
    loss,
    pulses_by_cell,
    pulses_by_epoch,
)
from rramkit.record import EpisodeRun, Run, TrainingOutcome
from rramkit.staircase import climb
from rramkit.table import Table, TableFile
from rramkit.table.operating_point import at_condition, nominal_condition
from rramkit.table.schema import READS, SET

Drawing = Callable[[Axes], Axes]


def gallery(tables: TableFile) -> dict[str, Drawing]:
    """Return the drawings of all tables: `TABLE-SIGNAL-KIND`."""
    return {f"{table.name}-{name}": draw for table in tables.tables.values() for name, draw in _of_table(table)}


def _of_table(table: Table) -> Iterator[tuple[str, Drawing]]:
    if table.name in [each.group for each in READS.values()]:
        yield "fit", partial(reads_and_fit, table=table)
        return
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
    if tuple(table.axes) != (SET.g_start, SET.v_pulse) or SET.delta_g not in table.signals:
        return
    if table.axes[SET.v_pulse].values.size == 1:
        yield f"{before}change", partial(change_band, table=table)
        return
    yield f"{before}map", partial(delta_g_map, table=table)
    if not np.any(table.masked(SET.delta_g)):
        yield f"{before}staircase", partial(staircase, steps=climb(table), table=table)


_BY_EPOCH = {
    "learning-curve": learning_curve,
    "error-curve": error_curve,
    "loss": loss,
    "pulses-by-epoch": pulses_by_epoch,
    "energy-by-epoch": energy_by_epoch,
    "energy-cumulative": energy_cumulative,
}


_OF_EPISODES = {"returns": returns, "energy-cumulative": energy, "cells-rewritten": cells_rewritten}


def run_gallery(run: TrainingOutcome) -> dict[str, Drawing]:
    """Return the drawings of a run: of its epochs, its test images, and `matrix-INDEX-KIND` of each matrix.

    Of a training by reinforcement: its returns, energy, and cells rewritten by updates of the target network.
    """
    if isinstance(run, EpisodeRun):
        return {name: partial(draw, run=run) for name, draw in _OF_EPISODES.items()}
    return dict(_of_run(run)) if isinstance(run, Run) else {}


def _of_run(run: Run) -> Iterator[tuple[str, Drawing]]:
    for name, draw in _BY_EPOCH.items():
        yield name, partial(draw, epochs=run.epochs)
    if np.any(np.isfinite(run.epochs.followed[2])):
        yield "gap-to-float", partial(gap_to_float, epochs=run.epochs)
    yield "confusion", partial(confusion, counts=run.confusion)
    if run.layers:
        yield "pulses-by-matrix", partial(pulses_by_matrix, layers=run.layers)
    for index, layer in enumerate(run.layers):
        yield f"matrix-{index}-histogram", partial(conductance_histogram, layer=layer)
        yield f"matrix-{index}-conductance-by-epoch", partial(conductance_drift, layer=layer)
        yield f"matrix-{index}-pulses-by-cell", partial(pulses_by_cell, layer=layer)
