"""The write tables: change of conductance and energy of one pulse, against start conductance and amplitude."""

from dataclasses import dataclass, replace

import numpy as np

from rramkit.characterization.batch import Bench
from rramkit.characterization.cell_read import StateMap
from rramkit.characterization.measure import pulse_energies, read_conductances
from rramkit.characterization.plan import Plan, PulseAxis
from rramkit.circuits.cell_bench import Polarity, PulseParams, WriteParams, write_staircase
from rramkit.errors import SimulationError
from rramkit.surrogate import GridSurrogate
from rramkit.table import HeldOut, Quantity, Table

_STEP_SAMPLE = 6  # held-out points run again with half the time step


@dataclass(frozen=True)
class Pulses:
    """Results of single pulses, (N,) each: conductance before, its change [S], energy [J]."""

    g_start: np.ndarray
    delta_g: np.ndarray
    energy: np.ndarray


def write_table(bench: Bench, plan: Plan, states: StateMap, polarity: Polarity) -> Table:
    """Characterise one polarity on its grid; held out: random points of the window and of the amplitudes."""
    axis: PulseAxis = getattr(plan, polarity)
    g_wanted, v_pulse = plan.conductance.values, axis.values
    shape = (g_wanted.size, v_pulse.size)
    g_all, v_all = (part.ravel() for part in np.meshgrid(g_wanted, v_pulse, indexing="ij"))
    pulses = _run(
        bench,
        f"{polarity} pulses",
        [_params(plan, polarity, s, v) for s, v in zip(states.state_of(g_all), v_all, strict=True)],
    )
    # The read before the pulse does not know the amplitude: one start conductance a row of the grid.
    g_start = pulses.g_start.reshape(shape).mean(axis=1)
    table = Table(
        name=polarity,
        axes={"g_start": Quantity(g_start, "S"), "v_pulse": Quantity(v_pulse, "V")},
        signals={
            "delta_g": Quantity(pulses.delta_g.reshape(shape), "S"),
            "energy": Quantity(pulses.energy.reshape(shape), "J"),
        },
    )
    step_error = _step_error(bench, plan, states, polarity)
    return replace(
        table,
        conditions=_conditions(plan, axis, polarity),
        step_error={"delta_g": step_error},
        held_out=fresh(bench, plan, states, table, count=axis.held_out),
    )


def fresh(bench: Bench, plan: Plan, states: StateMap, table: Table, *, count: int) -> dict[str, HeldOut]:
    """Run `count` single pulses at random places of the table's range, and return SPICE against the table."""
    polarity = _polarity(table)
    rng = np.random.default_rng([plan.seed, 2 if polarity == "set" else 3])
    g_axis, v_axis = (axis.values for axis in table.axes.values())
    g, v = rng.uniform(g_axis[0], g_axis[-1], count), rng.uniform(v_axis[0], v_axis[-1], count)
    params = [_params(plan, polarity, s, a) for s, a in zip(states.state_of(g), v, strict=True)]
    return _compare(plan, table, _run(bench, f"{polarity} held out", params), v)


def _compare(plan: Plan, table: Table, pulses: Pulses, v_pulse: np.ndarray) -> dict[str, HeldOut]:
    """Return SPICE against the table at single pulses, for both signals."""
    window = plan.conductance.g_max - plan.conductance.g_min
    scales = {"delta_g": window, "energy": float(np.max(table.signals["energy"].values))}
    spice = {"delta_g": pulses.delta_g, "energy": pulses.energy}
    return {
        name: HeldOut(
            at={"g_start": Quantity(pulses.g_start, "S"), "v_pulse": Quantity(v_pulse, "V")},
            spice=spice[name],
            fit=GridSurrogate(table, name).at(pulses.g_start, v_pulse),
            unit=table.signals[name].unit,
            limit_rms=getattr(plan.limits, f"{name}_rms") * scales[name],
            limit_max=getattr(plan.limits, f"{name}_max") * scales[name],
        )
        for name in ("delta_g", "energy")
    }


def _step_error(bench: Bench, plan: Plan, states: StateMap, polarity: Polarity) -> float:
    """Return the largest change of `delta_g` [S] over a sample of pulses when the time step is halved."""
    axis: PulseAxis = getattr(plan, polarity)
    sample = np.linspace(0.1, 0.9, _STEP_SAMPLE)
    g = plan.conductance.g_min + sample[::-1] * (plan.conductance.g_max - plan.conductance.g_min)
    v = axis.v_first + sample * (axis.v_last - axis.v_first)
    params = [_params(plan, polarity, s, a) for s, a in zip(states.state_of(g), v, strict=True)]
    half = plan.pulse.model_copy(update={"t_step": plan.pulse.t_step / 2})
    pulses = _run(bench, f"{polarity} time step", [*params, *(p.model_copy(update={"pulse": half}) for p in params)])
    error = float(np.max(np.abs(np.diff(pulses.delta_g.reshape(2, -1), axis=0))))
    window = plan.conductance.g_max - plan.conductance.g_min
    if error > plan.max_step_error * window:
        raise SimulationError(
            "incomplete",
            f"halving `pulse.t_step` = {plan.pulse.t_step:g} s changes a {polarity} pulse by {error:.3g} S, more "
            f"than `max_step_error` = {plan.max_step_error:g} of the window. Make `pulse.t_step` smaller",
        )
    return error


def _polarity(table: Table) -> Polarity:
    return "set" if table.name == "set" else "reset"


def _params(plan: Plan, polarity: Polarity, state: float, amplitude: float) -> WriteParams:
    return WriteParams(
        cell=plan.cell,
        read=plan.read,
        pulse=plan.pulse,
        polarity=polarity,
        state=float(state),
        v_first=float(amplitude),
        v_last=float(amplitude),
        pulses=1,
    )


def _run(bench: Bench, stage: str, params: list[WriteParams]) -> Pulses:
    waves = bench.run(stage, [lambda p=p: write_staircase(p).text() for p in params])
    reads = np.stack([read_conductances(wave, p) for wave, p in zip(waves, params, strict=True)])
    energy = np.array([pulse_energies(wave, p)[0] for wave, p in zip(waves, params, strict=True)])
    return Pulses(reads[:, 0], reads[:, 1] - reads[:, 0], energy)


def _conditions(plan: Plan, axis: PulseAxis, polarity: Polarity) -> dict[str, Quantity]:
    pulse = plan.pulse
    values = {
        "t_pulse": (pulse.t_pulse, "s"),
        "t_rise": (pulse.t_rise, "s"),
        "v_step": (axis.v_step, "V"),
        **_other_line(pulse, polarity),
        "v_read": (plan.read.v_read, "V"),
        "w_access": (plan.cell.w_access, "m"),
        "r_driver": (pulse.r_driver, "ohm"),
        "c_line": (pulse.c_line, "F"),
        "t_step": (pulse.t_step, "s"),
    }
    return {name: Quantity(np.array(value), unit) for name, (value, unit) in values.items()}


def _other_line(pulse: PulseParams, polarity: Polarity) -> dict[str, tuple[float, str]]:
    """Return the voltage of the line that is driven besides the stepped one."""
    if polarity == "reset":
        return {"v_wl": (pulse.v_wl_reset, "V")}
    return {"v_wl": (pulse.v_wl_set, "V")} if pulse.set_line == "bl" else {"v_bl": (pulse.v_bl_set, "V")}
