"""Reads of whole arrays of given conductances in ngspice: the reference for a tile's currents."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import numpy as np

from rramkit.characterization.components.cell import StateMap
from rramkit.characterization.components.wires import (
    WIRES,
    ArrayInput,
    ArrayRead,
    WireParams,
    array_run,
    reads_of,
)
from rramkit.characterization.deck_file import DeckOptions, with_notes
from rramkit.characterization.design import cell_plan_of
from rramkit.characterization.engine.cases import Case
from rramkit.characterization.engine.point import Point
from rramkit.characterization.engine.pool import SpicePool
from rramkit.characterization.engine.preparation import of_case, prepare
from rramkit.characterization.engine.runner import Report, Runner, silent
from rramkit.characterization.plan import Plan
from rramkit.circuits.device import in_plan
from rramkit.errors import TableError
from rramkit.table import TableFile


@contextmanager
def spice_arrays(tables: TableFile, *, timeout: float = 3600.0, report: Report = silent) -> "Iterator[SpiceArrays]":
    """Yield arrays of the plan in a table file's provenance, in one ngspice; `timeout`: processor seconds a run."""
    with SpicePool(workers=1, timeout=timeout) as pool:
        yield SpiceArrays(tables, pool, report)


class SpiceArrays:
    """Real cells behind real transistors and the netlist's wires, solved by ngspice."""

    def __init__(self, tables: TableFile, pool: SpicePool, report: Report) -> None:
        plan = cell_plan_of(tables.provenance)
        if plan is None:
            raise TableError("the table file carries no plan of cell and array. Pass one that was made from SPICE.")
        self._params, self._pool, self._waive = in_plan(plan.wire_params()), pool, plan.waive
        self._states = cell_states(Runner(pool, report, waive=plan.waive), plan)
        self.seconds = 0.0

    def solve(self, array: np.ndarray, v: np.ndarray, direction: Literal["forward", "backward"]) -> np.ndarray:
        """Return the currents (M, B) in amperes of an array (R, C) in siemens at voltages (L, B)."""
        run = array_run(self._params, self._states, ArrayInput(direction, array, v))
        waves = self._pool.run(with_notes(run.deck().text(), DeckOptions(waive=self._waive)))
        self.seconds += waves.seconds
        return run.measure(waves)


def cell_states(runner: Runner, plan: Plan) -> StateMap:
    """Return the map from conductance to state of a plan's cell at its nominal corner."""
    wires = next(each for each in plan.expanded() if each.name == "wires")
    case = Case(WIRES, wires.simulated, condition=wires.corners.condition({}))
    return of_case(prepare(runner, wires, [case]), case)


def read_arrays(
    runner: Runner, params: WireParams, states: StateMap, inputs: Sequence[ArrayInput], *, stage: str
) -> list[ArrayRead]:
    """Read arrays at inputs with ngspice; those that failed are left out."""
    runs = [array_run(params, states, each) for each in inputs]
    points = [Point(lambda run=run: run.deck().text(), run.measure, run.label) for run in runs]
    outcomes = zip(inputs, runner.run(stage, points), strict=True)
    return reads_of([(each, outcome.values) for each, outcome in outcomes if outcome.values is not None])
