"""Whole arrays of given conductances in ngspice: what a tile's currents are compared with."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import numpy as np

from rramkit.characterization.cell_read import state_map
from rramkit.characterization.engine.pool import SpicePool
from rramkit.characterization.engine.progress import Report, silent
from rramkit.characterization.engine.runner import Runner
from rramkit.characterization.verify import plan_of
from rramkit.circuits.crossbar import CrossbarReadParams, static_reads
from rramkit.table import TableFile


@contextmanager
def spice_arrays(tables: TableFile, *, report: Report = silent) -> "Iterator[SpiceArrays]":
    """Yield arrays of the plan that a table file was made by, in one ngspice."""
    with SpicePool(workers=1, timeout=3600.0) as pool:
        yield SpiceArrays(tables, pool, report)


class SpiceArrays:
    """Real cells behind real transistors and the netlist's wires, solved by ngspice."""

    def __init__(self, tables: TableFile, pool: SpicePool, report: Report) -> None:
        self._plan, self._pool = plan_of(tables), pool
        self._states = state_map(Runner(pool, report), self._plan)
        self.seconds = 0.0

    def solve(self, array: np.ndarray, v: np.ndarray, direction: Literal["forward", "backward"]) -> np.ndarray:
        """Return the currents (M, B) in amperes of an array (R, C) in siemens at voltages (L, B)."""
        (rows, cols), wires = array.shape, self._plan.wires
        bar = wires.crossbar.model_copy(update={"rows": rows, "cols": cols, "cell": self._plan.cell})
        params = CrossbarReadParams(
            crossbar=bar, read=self._plan.read, direction=direction, r_drive=wires.r_drive, r_sense=wires.r_sense
        )
        waves = self._pool.run(static_reads(params, self._states.state_of(array), v).text())
        self.seconds += waves.seconds
        return np.stack([waves[name] for name in params.sense_outputs])
