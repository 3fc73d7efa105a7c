"""Distributions of the change by one pulse: over cycles of one cell, and over cells.

Over cells. Draw k is one cell, the same at every place of the table: its device drawn from the model's published
spread, its access transistor's threshold from Pelgrom's law. A threshold that is higher by dv is a gate that sees dv
less, so that the word line's levels carry it and the netlist stays as it is. Each drawn cell is brought to each start
conductance (or to the nearest that it can be) by its own map of states.

Over cycles. The Stanford cell's gap takes one normal step after each pulse, of the deviation that the pulse's own
waveform gives (`cycle_noise`); the voltage over the device follows from its current and state. Draws are steps.

Draws run on a coarser grid of the table's own points. What a draw adds to the plain table is linear between those; the
quantiles are those of the sums.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.interpolate import RegularGridInterpolator

from rramkit.characterization.cell_pulses import AskedPulses, results
from rramkit.characterization.cell_read import StateMap, state_map
from rramkit.characterization.cycle_noise import CycleNoise, noise_equations, sigma_of
from rramkit.characterization.engine.point import Point, values_or_nan
from rramkit.characterization.engine.runner import Runner
from rramkit.characterization.plan import Plan
from rramkit.characterization.waveforms import Waveforms
from rramkit.circuits.cell_bench import Polarity
from rramkit.circuits.cell_rows import PulseRowParams, pulse_row
from rramkit.circuits.device import Device, spread_devices
from rramkit.circuits.mismatch import sigma_threshold
from rramkit.errors import SimulationError
from rramkit.table import Distribution, Table

_KEPT_LEAST = 2 / 3  # of the draws must end everywhere: fewer would be a choice, not a sample


def write_distributions(bench: Runner, plan: Plan, states: StateMap, table: Table) -> dict[str, Distribution]:
    """Return the distributions of `delta_g` that the plan asks for; none when it asks for no draws."""
    spread, found = plan.monte_carlo, {}
    if not spread.count:
        return found
    places = _Places.of(plan, table)
    if "cycles" in spread.spreads:
        added = _over_cycles(bench, plan, states, places)
        found["cycles"] = Distribution.of_draws(places.widened(added), signal="delta_g", over="cycles")
    if {"devices", "mismatch"} & set(spread.spreads):
        added = _over_cells(bench, plan, places)
        found["devices"] = Distribution.of_draws(places.widened(added), signal="delta_g", over="devices")
    return found


@dataclass(frozen=True)
class _Places:
    """The coarse grid: coordinates (G,) and (V,) of points of the table, and the plain change there (G, V).

    `g_cell` (G,) are the conductances of the cell alone, which the table's states were sought for; `g_start` (G,) what
    a read through the write drivers finds of them.
    """

    table: Table
    polarity: Polarity
    g_cell: np.ndarray
    g_start: np.ndarray
    v_pulse: np.ndarray
    delta_g: np.ndarray

    @classmethod
    def of(cls, plan: Plan, table: Table) -> "_Places":
        axes = [axis.values for axis in table.axes.values()]
        counts = (plan.monte_carlo.g_points, plan.monte_carlo.v_points)
        rows, columns = (
            np.unique(np.linspace(0, axis.size - 1, min(axis.size, n)).round().astype(int))
            for axis, n in zip(axes, counts, strict=True)
        )
        change = table.signals["delta_g"].values[np.ix_(rows, columns)]
        polarity: Polarity = "set" if table.name == "set" else "reset"
        return cls(table, polarity, plan.conductance.values[rows], axes[0][rows], axes[1][columns], change)

    def widened(self, added: np.ndarray) -> np.ndarray:
        """Return draws (L, P, D) on the whole table from what they add on the coarse grid (G, V, D)."""
        axes = [axis.values for axis in self.table.axes.values()]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        between = RegularGridInterpolator((self.g_start, self.v_pulse), added)(grid)
        return self.table.signals["delta_g"].values[..., None] + between

    def added(self, change: np.ndarray) -> np.ndarray:
        """Return what draws (D, G, V) add to the plain change, as (G, V, D), without those that failed somewhere."""
        plain = np.isfinite(self.delta_g)
        more = np.where(plain, change - np.where(plain, self.delta_g, 0.0), 0.0)  # masked: never looked up
        kept = np.all(np.isfinite(more), axis=(1, 2))
        if np.count_nonzero(kept) < _KEPT_LEAST * kept.size:
            raise SimulationError(
                "incomplete",
                f"{np.count_nonzero(~kept)} of {kept.size} draws of `monte_carlo` have a {self.polarity} pulse that "
                "failed. Draw less wide spreads, or narrow the window",
            )
        return np.moveaxis(more[kept], 0, -1)


def _over_cells(bench: Runner, plan: Plan, places: _Places) -> np.ndarray:
    """Run the coarse grid on each drawn cell; return what they add (G, V, D)."""
    changes = []
    for number in range(plan.monte_carlo.count):
        drawn, dv = drawn_cell(plan, number)
        states = state_map(bench, drawn)
        state = states.state_of(np.clip(places.g_cell, states.g[0], states.g[-1]))
        stepped_gate = places.polarity == "set" and plan.pulse.set_line == "wl"
        v_pulse = places.v_pulse - (dv if stepped_gate else 0.0)
        asked = AskedPulses(
            places.polarity, np.repeat(state, v_pulse.size), np.tile(v_pulse, state.size), plan.pulse.t_step
        )
        outcomes = bench.run(f"{places.polarity} drawn cells", asked.runs(drawn))
        changes.append(results(asked, states, outcomes).delta_g.reshape(places.delta_g.shape))
    return places.added(np.stack(changes))


def drawn_cell(plan: Plan, number: int) -> tuple[Plan, float]:
    """Return the plan with draw `number` of its cell, and by how much its threshold is higher [V].

    Raises
    ------
    InputError
        When the device's model has no published spread and one is asked for.
    """
    spread, cell = plan.monte_carlo, plan.cell
    rng = np.random.default_rng([spread.seed, number])
    dv = float(rng.normal()) * sigma_threshold(spread.matching, cell.w_access, cell.l_access)
    dv = dv if "mismatch" in spread.spreads else 0.0
    if "devices" in spread.spreads:
        cell = cell.model_copy(update={"device": spread_devices(cell.device, 1, rng=rng)[0]})
    read = plan.read.model_copy(update={"v_wl": plan.read.v_wl - dv})
    gates = {name: getattr(plan.pulse, name) - dv for name in ("v_wl_set", "v_wl_reset")}
    pulse = plan.pulse.model_copy(update=gates)
    return plan.model_copy(update={"cell": cell, "read": read, "pulse": pulse}), dv


def _over_cycles(bench: Runner, plan: Plan, states: StateMap, places: _Places) -> np.ndarray:
    """Run the coarse grid once, draw steps of the state after each pulse; return what they add (G, V, D)."""
    noise_equations(plan.cell.device)
    state, shape = states.state_of(places.g_cell), places.delta_g.shape
    points = [_noisy_point(plan, places.polarity, float(s), float(v)) for s in state for v in places.v_pulse]
    ends, sigmas = values_or_nan(bench.run(f"{places.polarity} cycles", points), (2,)).T
    steps = np.random.default_rng(plan.monte_carlo.seed).standard_normal((plan.monte_carlo.count, ends.size))
    after = np.clip(ends + sigmas * steps, 0.0, 1.0)
    good = np.isfinite(ends)
    change = np.full(after.shape, np.nan)
    change[:, good] = states.read_of(after[:, good]) - states.read_of(ends[good])
    plain = np.where(np.isfinite(places.delta_g), places.delta_g, 0.0)
    return places.added(change.reshape(-1, *shape) + plain)


def _noisy_point(plan: Plan, polarity: Polarity, state: float, amplitude: float) -> Point:
    params = PulseRowParams(cell=plan.cell, pulse=plan.pulse, polarity=polarity, state=(state,), v_pulse=(amplitude,))
    measure = partial(noisy_end, polarity=polarity, device=plan.cell.device, noise=plan.monte_carlo.noise)
    return Point(lambda: pulse_row(params).text(), measure, f"state = {state:.6g}, v_pulse = {amplitude:.4g} V")


def noisy_end(waves: Waveforms, *, polarity: Polarity, device: Device, noise: CycleNoise) -> np.ndarray:
    """Return the state at the end of one pulse, and the standard deviation of its noise, both over the range; (2,)."""
    model, values, state = noise_equations(device), device.values, waves["state_0"]
    # The line that is not driven stands still, so that its driver's current is the device's, without charging.
    current = np.abs(waves["i_sl_0"] if polarity == "set" else waves["i_bl_0"])
    v = np.array([model.voltage(values, float(i), float(s)) for i, s in zip(current, state, strict=True)])
    sigma = sigma_of(waves["time"], v if polarity == "set" else -v, state, device=device, noise=noise)
    return np.array([state[-1], sigma / model.span(values)])
