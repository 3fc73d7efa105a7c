"""Every plot of a table file or a run file, by file name.

Families of curves, residuals and histograms show a table over all its axes. Maps and staircases of a write table with
axes of corner, supply or temperature are drawn at the nominal condition, which their name says (`set-tt-300.15K-map`).
Every picture has a title in words (`SET: change of conductance`). What cannot show anything is left out: maps of fewer
than four points, and the staircase of a driver with fewer than four amplitudes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes

from rramkit.plots.cells import delta_g_map, staircase
from rramkit.plots.drift import conductance_drift, gap_to_float, pulses_by_matrix
from rramkit.plots.episodes import cells_rewritten, energy, returns, rewrites
from rramkit.plots.measured import reads_and_fit
from rramkit.plots.tables import change_band, family, histogram, played_train, residual_map, residuals
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
from rramkit.table.schema import READS, SET, words_of

FEW = 4
"""Points of a map, amplitudes of a staircase (1): fewer leave a frame with nothing to see."""


@dataclass(frozen=True)
class Drawing:
    """One picture: its title in words, and what draws it on axes and returns them."""

    title: str
    draw: Callable[[Axes], Axes]

    def __call__(self, ax: Axes) -> Axes:
        """Draw on `ax` and return it."""
        return self.draw(ax)


def gallery(tables: TableFile) -> dict[str, Drawing]:
    """Return the drawings of all tables: `TABLE-SIGNAL-KIND`."""
    return {
        f"{table.name}-{name}": Drawing(f"{words_of(table.name)}: {what}", draw)
        for table in tables.tables.values()
        for name, what, draw in _of_table(table)
    }


def _of_table(table: Table) -> "Iterator[tuple[str, str, Callable[[Axes], Axes]]]":
    """Yield name, words and drawing of each picture of a table."""
    if table.name in [each.group for each in READS.values()]:
        yield "fit", "reads, and the curve that the table follows", partial(reads_and_fit, table=table)
        return
    for signal in table.signals if table.axes else ():
        yield f"{signal}-family", words_of(table.name, signal), partial(family, table=table, signal=signal)
    for signal, points in table.held_out.items():
        words, is_train = words_of(table.name, signal), set(points.at) == {SET.pulse}
        source = "the measurement" if is_train else "SPICE"
        named = partial(residuals, quantity=words, source=source, group=table.name)
        if points.spice.size > 1:  # of one point the report's numbers say all
            yield f"{signal}-residuals", f"errors of the fit, {words}", partial(named, points=points)
        wide = [name for name in table.axes if table.axes[name].values.size > 1]
        if len(wide) > 1 and set(wide) <= set(points.at) and points.spice.size >= FEW:
            draw = partial(residual_map, table=table, signal=signal)
            yield f"{signal}-residual-map", f"where the fit errs, {words}", draw
        if is_train:
            yield f"{signal}-played", f"{words}, played from the table", partial(played_train, points=points)
    for name, distribution in table.distributions.items():
        words = f"{words_of(table.name, distribution.signal)}, {_OVER[distribution.over]}"
        draw = partial(histogram, table=table, name=name)
        yield f"{distribution.signal}-histogram-{distribution.over}", words, draw
    if table.polarity is not None:
        yield from _of_writes(at_condition(table), nominal_condition(table))


_OVER = {"cycles": "from pulse to pulse", "devices": "from device to device", "all": "over all draws"}


def _of_writes(table: Table, condition: str) -> "Iterator[tuple[str, str, Callable[[Axes], Axes]]]":
    """Yield the drawings of a write table at one condition."""
    before, at = (f"{condition}-", f" at {condition.replace('-', ', ').replace('K', ' K')}") if condition else ("", "")
    if tuple(table.axes) != (SET.g_start, SET.v_pulse) or SET.delta_g not in table.signals:
        return
    if table.axes[SET.v_pulse].values.size == 1:
        yield f"{before}change", f"change by one write and its scatter{at}", partial(change_band, table=table)
        return
    yield f"{before}map", f"change of conductance by one pulse{at}", partial(delta_g_map, table=table)
    if not np.any(table.masked(SET.delta_g)):
        steps = climb(table)
        if steps.v_pulse.size >= FEW:
            draw = partial(staircase, steps=steps, table=table)
            yield f"{before}staircase", f"a staircase of the driver's amplitudes{at}", draw


_BY_EPOCH = {
    "learning-curve": ("Accuracy by epoch", learning_curve),
    "error-curve": ("Error (1 less the accuracy), by epoch", error_curve),
    "loss": ("Loss by epoch", loss),
    "pulses-by-epoch": ("Write pulses of each epoch", pulses_by_epoch),
    "energy-by-epoch": ("Energy of each epoch", energy_by_epoch),
    "energy-cumulative": ("Energy since the start", energy_cumulative),
}


_OF_EPISODES = {
    "returns": ("Return of each episode", returns),
    "energy-cumulative": ("Energy since the start", energy),
    "cells-rewritten": ("Cells rewritten by updates of the target network", cells_rewritten),
}


def run_gallery(run: TrainingOutcome) -> dict[str, Drawing]:
    """Return the drawings of a run: of its epochs, its test images, and `matrix-INDEX-KIND` of each matrix.

    Of a training by reinforcement: its returns, energy, and cells rewritten by updates of the target network.
    """
    if isinstance(run, EpisodeRun):
        shown = {name: each for name, each in _OF_EPISODES.items() if name != "cells-rewritten" or rewrites(run)}
        return {name: Drawing(title, partial(draw, run=run)) for name, (title, draw) in shown.items()}
    return dict(_of_run(run)) if isinstance(run, Run) else {}


def _of_run(run: Run) -> Iterator[tuple[str, Drawing]]:
    for name, (title, draw) in _BY_EPOCH.items():
        yield name, Drawing(title, partial(draw, epochs=run.epochs))
    if np.any(np.isfinite(run.epochs.followed[2])):
        yield "gap-to-float", Drawing("Accuracy that RRAM costs, by epoch", partial(gap_to_float, epochs=run.epochs))
    if not run.errors:
        yield "confusion", Drawing("Test images by true and predicted class", partial(confusion, counts=run.confusion))
    if run.layers:
        draw = partial(pulses_by_matrix, layers=run.layers)
        yield "pulses-by-matrix", Drawing("Pulses per cell in each epoch, by matrix", draw)
    kinds = {
        "histogram": ("cells by conductance", conductance_histogram),
        "conductance-by-epoch": ("cells by conductance after each epoch", conductance_drift),
        "pulses-by-cell": ("pulses fired at each cell", pulses_by_cell),
    }
    for index, layer in enumerate(run.layers):
        for kind, (what, draw) in kinds.items():
            yield f"matrix-{index}-{kind}", Drawing(f"Matrix {index}: {what}", partial(draw, layer=layer))
