"""Every plot of a run file, by file name."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from rramkit.plots.drift import conductance_drift, gap_to_float, pulses_by_matrix
from rramkit.plots.episodes import cells_rewritten, energy, returns
from rramkit.plots.gallery import Drawing
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
    if np.any(np.isfinite(run.epochs.float_accuracy_test)):
        yield "gap-to-float", partial(gap_to_float, epochs=run.epochs)
    yield "confusion", partial(confusion, counts=run.confusion)
    if run.layers:
        yield "pulses-by-matrix", partial(pulses_by_matrix, layers=run.layers)
    for index, layer in enumerate(run.layers):
        yield f"matrix-{index}-histogram", partial(conductance_histogram, layer=layer)
        yield f"matrix-{index}-conductance-by-epoch", partial(conductance_drift, layer=layer)
        yield f"matrix-{index}-pulses-by-cell", partial(pulses_by_cell, layer=layer)
