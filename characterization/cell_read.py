"""The read table: cell current against conductance and voltage, and which state has which conductance."""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from rramkit.characterization.batch import Bench
from rramkit.characterization.plan import Plan
from rramkit.circuits.cell_bench import ReadSweepParams, read_sweep
from rramkit.errors import InputError
from rramkit.surrogate import GridSurrogate
from rramkit.table import HeldOut, Quantity, Table

MARGIN = 1.15  # the read table reaches this factor past both ends of the window: pulses end a little outside it
_COARSE = 21  # states of the first sweep, which finds the state of each conductance


@dataclass(frozen=True)
class StateMap:
    """Conductance at the read voltage against state, monotone: `g` (N,) [S] at `state` (N,)."""

    state: np.ndarray
    g: np.ndarray

    def state_of(self, g: np.ndarray) -> np.ndarray:
        """Return the state whose read conductance is `g` [S]."""
        if np.min(g) < self.g[0] or np.max(g) > self.g[-1]:
            raise InputError(
                f"`conductance` must lie within {self.g[0]:.3g} to {self.g[-1]:.3g} S, what this cell can be; got "
                f"{np.min(g):.3g} to {np.max(g):.3g} S (the read table adds 15 % at both ends). Narrow g_min, g_max."
            )
        return np.clip(PchipInterpolator(np.log(self.g), self.state)(np.log(g)), 0, 1)


def state_map(bench: Bench, plan: Plan) -> StateMap:
    """Sweep the cell in states from 0 to 1 and return its map."""
    states = np.linspace(0, 1, _COARSE)
    currents = _currents(bench, "cell states", plan, states, points=3)
    return StateMap(states, currents[:, -1] / plan.read.v_max)


def read_table(bench: Bench, plan: Plan, states: StateMap) -> Table:
    """Characterise the cell current over conductance and voltage; held out: random states, all voltages."""
    axis = plan.conductance
    wanted = np.geomspace(axis.g_min / MARGIN, axis.g_max * MARGIN, axis.read_points)
    rng = np.random.default_rng([plan.seed, 1])
    other = np.exp(rng.uniform(np.log(wanted[0]), np.log(wanted[-1]), plan.read_held_out))
    v_cell = np.linspace(-plan.read.v_max, plan.read.v_max, _points(plan))
    currents = _currents(bench, "read currents", plan, states.state_of(np.concatenate([wanted, other])), v_cell.size)
    g_cell = np.array([np.interp(plan.read.v_read, v_cell, row) for row in currents]) / plan.read.v_read
    grid = slice(0, axis.read_points)
    table = Table(
        name="read",
        axes={"g_cell": Quantity(g_cell[grid], "S"), "v_cell": Quantity(v_cell, "V")},
        signals={"i_cell": Quantity(currents[grid], "A")},
        conditions={
            "v_read": Quantity(np.array(plan.read.v_read), "V"),
            "v_wl": Quantity(np.array(plan.read.v_wl), "V"),
            "t_read": Quantity(np.array(plan.read.t_read), "s"),
        },
    )
    held_out = _held_out(plan, table, g_cell[axis.read_points :], v_cell, currents[axis.read_points :])
    return Table(table.name, table.axes, table.signals, table.conditions, {"i_cell": held_out})


def _points(plan: Plan) -> int:
    """Return an odd number of voltages in which both 0 V and +-`v_read` stand."""
    steps = round(plan.read.v_max / plan.read.v_read * 5)
    return 2 * max(steps, 5) + 1


def _currents(bench: Bench, stage: str, plan: Plan, states: np.ndarray, points: int) -> np.ndarray:
    """Return the current (len(states), points) [A] of the cell over [-v_max, v_max]."""
    params = [ReadSweepParams(cell=plan.cell, read=plan.read, state=float(s), points=points) for s in states]
    waves = bench.run(stage, [lambda p=p: read_sweep(p).text() for p in params])
    return np.stack([wave["i(v_sl)"] for wave in waves])


def _held_out(plan: Plan, table: Table, g: np.ndarray, v: np.ndarray, i_spice: np.ndarray) -> HeldOut:
    surrogate = GridSurrogate(table, "i_cell")
    g_all, v_all = (part.ravel() for part in np.meshgrid(g, v, indexing="ij"))
    full_scale = surrogate.full_scale
    return HeldOut(
        at={"g_cell": Quantity(g_all, "S"), "v_cell": Quantity(v_all, "V")},
        spice=i_spice.ravel(),
        fit=surrogate.at(g_all, v_all),
        unit="A",
        limit_rms=plan.limits.current_rms * full_scale,
        limit_max=plan.limits.current_max * full_scale,
    )
