"""The write tables: change of conductance and energy of one pulse, against start conductance and amplitude."""

from dataclasses import dataclass

import numpy as np

from rramkit.characterization.batch import Bench
from rramkit.characterization.cell_read import StateMap
from rramkit.characterization.measure import pulse_energies, read_conductances
from rramkit.characterization.plan import Plan, PulseAxis
from rramkit.circuits.cell_bench import Polarity, WriteParams, write_staircase
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
    pulses = _run(bench, f"{polarity} pulses", [_params(plan, polarity, s, v) for s, v in zip(states.state_of(g_all), v_all, strict=True)])
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
    held_out, step_error = _held_out(bench, plan, states, table, axis)
    return Table(polarity, table.axes, table.signals, _conditions(plan, axis, polarity, step_error), held_out)


def pulse_points(plan: Plan, axis: PulseAxis, table: Table, *, count: int, seed: list[int]) -> tuple[np.ndarray, ...]:
    """Return random start conductances and amplitudes inside the table's range, (count,) each."""
    rng = np.random.default_rng(seed)
    g = table.axes["g_start"].values
    return rng.uniform(g[0], g[-1], count), rng.uniform(axis.v_first, axis.v_last, count)


def compare(plan: Plan, table: Table, pulses: Pulses, v_pulse: np.ndarray) -> dict[str, HeldOut]:
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


def _held_out(
    bench: Bench, plan: Plan, states: StateMap, table: Table, axis: PulseAxis
) -> tuple[dict[str, HeldOut], float]:
    polarity: Polarity = "set" if table.name == "set" else "reset"
    seed = [plan.seed, 2 if polarity == "set" else 3]
    g, v = pulse_points(plan, axis, table, count=axis.held_out, seed=seed)
    params = [_params(plan, polarity, s, a) for s, a in zip(states.state_of(g), v, strict=True)]
    pulses = _run(bench, f"{polarity} held out", params)
    half = plan.pulse.model_copy(update={"t_step": plan.pulse.t_step / 2})
    again = _run(
        bench, f"{polarity} half step", [p.model_copy(update={"pulse": half}) for p in params[:_STEP_SAMPLE]]
    )
    step_error = float(np.max(np.abs(again.delta_g - pulses.delta_g[: again.delta_g.size])))
    window = plan.conductance.g_max - plan.conductance.g_min
    if step_error > plan.max_step_error * window:
        raise SimulationError(
            "incomplete",
            f"halving `pulse.t_step` = {plan.pulse.t_step:g} s changes a {polarity} pulse by {step_error:.3g} S, more "
            f"than `max_step_error` = {plan.max_step_error:g} of the window. Make `pulse.t_step` smaller",
        )
    return compare(plan, table, pulses, v), step_error


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


def _conditions(plan: Plan, axis: PulseAxis, polarity: Polarity, step_error: float) -> dict[str, Quantity]:
    pulse = plan.pulse
    values = {
        "t_pulse": (pulse.t_pulse, "s"),
        "t_rise": (pulse.t_rise, "s"),
        "v_step": (axis.v_step, "V"),
        "v_bl" if polarity == "set" else "v_wl": (pulse.v_bl_set if polarity == "set" else pulse.v_wl_reset, "V"),
        "v_read": (plan.read.v_read, "V"),
        "w_access": (plan.cell.w_access, "m"),
        "r_driver": (pulse.r_driver, "ohm"),
        "c_line": (pulse.c_line, "F"),
        "t_step": (pulse.t_step, "s"),
        "time_step_error": (step_error, "S"),
    }
    return {name: Quantity(np.array(value), unit) for name, (value, unit) in values.items()}
