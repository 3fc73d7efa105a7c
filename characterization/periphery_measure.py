"""Numbers out of the transposable array's runs: the matrix that it is, forward and backward."""

from typing import Literal

import numpy as np

from rramkit.characterization.simulate import Waveforms
from rramkit.circuits.periphery_bench import OperateParams


def matrix(waves: Waveforms, params: OperateParams, direction: Literal["forward", "backward"]) -> np.ndarray:
    """Return current over voltage (R, C) [S] from a sweep of `unit_reads`: row i to column j, whichever is driven."""
    periphery, bar = params.periphery, params.periphery.crossbar
    driven, sensed = (bar.rows, bar.cols) if direction == "forward" else (bar.cols, bar.rows)
    side = "col" if direction == "forward" else "row"
    found = np.empty((driven, sensed))
    for line in range(driven):
        for index in range(sensed):
            point = line * periphery.share + index % periphery.share
            found[line, index] = waves[f"i(v_sense_{periphery.unit(side, index)})"][point] / periphery.v_read
    return found if direction == "forward" else found.T


def reciprocity(forward: np.ndarray, backward: np.ndarray) -> float:
    """Return the largest difference of two matrices (R, C) [S] over the largest entry."""
    return float(np.max(np.abs(forward - backward)) / np.max(np.abs(forward)))
