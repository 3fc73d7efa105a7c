"""The read table: cell current against conductance and voltage, and which state has which conductance."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy.interpolate import PchipInterpolator

from rramkit.characterization.components.cell_measure import one_current, row_currents
from rramkit.characterization.engine.point import Point, PointGroup
from rramkit.characterization.engine.runner import Runner
from rramkit.characterization.plan import Plan
from rramkit.circuits.cell_rows import ReadRowParams, read_row
from rramkit.errors import InputError
from rramkit.surrogate.grid import GridSurrogate
from rramkit.table import HeldOut, Quantity, Table

MARGIN = 1.15  # the read table reaches this factor past both ends of the window: pulses end a little outside it
_COARSE = 21  # states of the first sweep, which finds the state of each conductance
_FINE = 201  # states read behind the write drivers: a cubic between them is exact to 1e-7
_ROW = 25  # cells side by side in one deck


@dataclass(frozen=True)
class StateMap:
    """Conductance at the read voltage against state, monotone.

    Attributes
    ----------
    state, g : ndarray
        States (N,) and the conductance (N,) [S] of the cell alone.
    fine, g_driven : ndarray
        More states (M,) and the conductance (M,) [S] that a read through the write drivers finds.
    """

    state: np.ndarray
    g: np.ndarray
    fine: np.ndarray
    g_driven: np.ndarray

    def state_of(self, g: np.ndarray) -> np.ndarray:
        """Return the state whose read conductance is `g` [S]."""
        if np.min(g) < self.g[0] or np.max(g) > self.g[-1]:
            raise InputError(
                f"`conductance` must lie within {self.g[0]:.3g} to {self.g[-1]:.3g} S, what this cell can be; got "
                f"{np.min(g):.3g} to {np.max(g):.3g} S (the read table adds 15 % at both ends). Narrow g_min, g_max."
            )
        return np.clip(PchipInterpolator(np.log(self.g), self.state)(np.log(g)), 0, 1)

    def read_of(self, state: np.ndarray) -> np.ndarray:
        """Return the conductance [S] that a read through the write drivers finds in a state."""
        return np.exp(PchipInterpolator(self.fine, np.log(self.g_driven))(state))


def state_map(bench: Runner, plan: Plan) -> StateMap:
    """Sweep the cell in states from 0 to 1 and return its map."""
    states, fine, v_cell = np.linspace(0, 1, _COARSE), np.linspace(0, 1, _FINE), _voltages(plan)
    g = _conductance(plan, v_cell, _currents(bench, "cell states", plan, states, v_cell.size))
    driven = _currents(bench, "driven reads", plan, fine, 1, r_driver=plan.pulse.r_driver)[:, 0]
    return StateMap(states, g, fine, driven / plan.read.v_read)


def read_table(bench: Runner, plan: Plan, states: StateMap) -> Table:
    """Characterise the cell current over conductance and voltage; held out: random conductances, all voltages."""
    axis, v_cell = plan.conductance, _voltages(plan)
    wanted = np.geomspace(axis.g_min / MARGIN, axis.g_max * MARGIN, axis.read_points)
    currents = _currents(bench, "read currents", plan, states.state_of(wanted), v_cell.size)
    table = Table(
        name="read",
        axes={"g_cell": Quantity(_conductance(plan, v_cell, currents), "S"), "v_cell": Quantity(v_cell, "V")},
        signals={"i_cell": Quantity(currents, "A")},
        conditions={
            "v_read": Quantity(np.array(plan.read.v_read), "V"),
            "v_wl": Quantity(np.array(plan.read.v_wl), "V"),
            "t_read": Quantity(np.array(plan.read.t_read), "s"),
        },
    )
    return replace(table, held_out={"i_cell": fresh(bench, plan, states, table, count=plan.read_held_out)})


def fresh(bench: Runner, plan: Plan, states: StateMap, table: Table, *, count: int) -> HeldOut:
    """Run `count` random conductances inside the table's range at all voltages, and return SPICE against the table."""
    rng, g_axis = np.random.default_rng([plan.seed, 1]), table.axes["g_cell"].values
    g_wanted = np.exp(rng.uniform(np.log(g_axis[0]), np.log(g_axis[-1]), count))
    v_cell = table.axes["v_cell"].values
    currents = _currents(bench, "read held out", plan, states.state_of(g_wanted), v_cell.size)
    g, v = np.meshgrid(_conductance(plan, v_cell, currents), v_cell, indexing="ij")
    surrogate = GridSurrogate(table, "i_cell")
    return HeldOut(
        at={"g_cell": Quantity(g.ravel(), "S"), "v_cell": Quantity(v.ravel(), "V")},
        spice=currents.ravel(),
        fit=surrogate.at(g.ravel(), v.ravel()),
        unit="A",
        limit_rms=plan.limits.current_rms * surrogate.full_scale,
        limit_max=plan.limits.current_max * surrogate.full_scale,
    )


def _voltages(plan: Plan) -> np.ndarray:
    """Return the swept voltages (V,) [V]: an odd number of them, in which 0 V stands, and `v_read` or nearly so."""
    steps = round(plan.read.v_max / plan.read.v_read * 5)
    return np.linspace(-plan.read.v_max, plan.read.v_max, 2 * max(steps, 5) + 1)


def _conductance(plan: Plan, v_cell: np.ndarray, currents: np.ndarray) -> np.ndarray:
    """Return the conductance (N,) [S] at `v_read` from currents (N, V) [A]."""
    return np.array([np.interp(plan.read.v_read, v_cell, row) for row in currents]) / plan.read.v_read


def _currents(
    bench: Runner, stage: str, plan: Plan, states: np.ndarray, points: int, *, r_driver: float = 0.0
) -> np.ndarray:
    """Return the current (len(states), points) [A] of the cell over [-v_max, v_max], or at v_read for one point."""

    def row(chunk: np.ndarray) -> ReadRowParams:
        state = tuple(float(s) for s in chunk)
        return ReadRowParams(cell=plan.cell, read=plan.read, state=state, points=points, r_driver=r_driver)

    chunks = [states[k : k + _ROW] for k in range(0, states.size, _ROW)]
    return np.stack(bench.need(stage, [_batch(chunk, row) for chunk in chunks]))


def _batch(states: np.ndarray, row: Callable[[np.ndarray], ReadRowParams]) -> PointGroup:
    alone = tuple(
        Point(lambda s=s: read_row(row(np.array([s]))).text(), one_current, f"state = {s:.6g}") for s in states
    )
    return PointGroup(alone, lambda: read_row(row(states)).text(), partial(row_currents, cells=states.size))
