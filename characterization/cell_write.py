"""The write tables: change of conductance and energy of one pulse, against start conductance and amplitude."""

from dataclasses import replace

import numpy as np

from rramkit.characterization.cell_pulses import AskedPulses, Pulses, results
from rramkit.characterization.cell_read import StateMap
from rramkit.characterization.engine.runner import Runner
from rramkit.characterization.fits.of_writes import write_fits
from rramkit.characterization.plan import Plan, PulseAxis
from rramkit.characterization.write_spread import write_distributions
from rramkit.circuits.cell_bench import Polarity, PulseParams
from rramkit.errors import SimulationError
from rramkit.surrogate.grid import GridSurrogate
from rramkit.table import HeldOut, Mask, Quantity, Table

_STEP_SAMPLE = 6  # points run again with half the time step


def write_table(bench: Runner, plan: Plan, states: StateMap, polarity: Polarity) -> Table:
    """Characterise one polarity on its grid; held out: random points of the window and of the amplitudes."""
    axis = _axis(plan, polarity)
    state, v_pulse = states.state_of(plan.conductance.values), axis.values
    g_start, shape = states.read_of(state), (state.size, v_pulse.size)
    grid = AskedPulses(polarity, np.repeat(state, v_pulse.size), np.tile(v_pulse, state.size), plan.pulse.t_step)
    held_out = _random(plan, states, polarity, (g_start, v_pulse), count=axis.held_out)
    whole, halved = _step_sample(plan, states, polarity)
    asked = {"pulses": (grid,), "time step": (whole, halved), "held out": (held_out,)}
    found = bench.together(
        {f"{polarity} {k}": [run for part in v for run in part.runs(plan)] for k, v in asked.items()}
    )
    outcomes, steps, fresh_ones = found.values()
    pulses = results(grid, states, outcomes)
    mask = Mask.of_reasons([outcome.reason for outcome in outcomes], shape)
    table = Table(
        name=polarity,
        axes={"g_start": Quantity(g_start, "S"), "v_pulse": Quantity(v_pulse, "V")},
        signals={
            "delta_g": Quantity(pulses.delta_g.reshape(shape), "S"),
            "energy": Quantity(pulses.energy.reshape(shape), "J"),
        },
        conditions=_conditions(plan, axis, polarity),
        masks=dict.fromkeys(("delta_g", "energy"), mask) if np.any(mask.bad) else {},
    )
    pair = results(whole, states, steps[:_STEP_SAMPLE]), results(halved, states, steps[_STEP_SAMPLE:])
    return replace(
        table,
        step_error={"delta_g": _step_error(plan, polarity, *pair)},
        fits=write_fits(table),
        distributions=write_distributions(bench, plan, states, table),
        held_out=_compare(plan, table, results(held_out, states, fresh_ones)),
    )


def fresh(bench: Runner, plan: Plan, states: StateMap, table: Table, *, count: int) -> dict[str, HeldOut]:
    """Run `count` single pulses at random places of the table's range, and return SPICE against the table."""
    polarity: Polarity = "set" if table.name == "set" else "reset"
    g_axis, v_axis = (axis.values for axis in table.axes.values())
    asked = _random(plan, states, polarity, (g_axis, v_axis), count=count)
    outcomes = bench.run(f"{polarity} held out", asked.runs(plan))
    return _compare(plan, table, results(asked, states, outcomes))


def _axis(plan: Plan, polarity: Polarity) -> PulseAxis:
    return plan.set if polarity == "set" else plan.reset


def _random(
    plan: Plan, states: StateMap, polarity: Polarity, axes: tuple[np.ndarray, np.ndarray], *, count: int
) -> AskedPulses:
    rng = np.random.default_rng([plan.seed, 2 if polarity == "set" else 3])
    g, v = (rng.uniform(axis[0], axis[-1], count) for axis in axes)
    return AskedPulses(polarity, states.state_of(g), v, plan.pulse.t_step)


def _compare(plan: Plan, table: Table, pulses: Pulses) -> dict[str, HeldOut]:
    """Return SPICE against the table at single pulses, for both signals, where both have a value."""
    window = plan.conductance.g_max - plan.conductance.g_min
    scales = {"delta_g": window, "energy": float(np.nanmax(table.signals["energy"].values))}
    spice = {"delta_g": pulses.delta_g, "energy": pulses.energy}
    keep = pulses.good
    keep[keep] = ~GridSurrogate(table, "delta_g").masked(pulses.g_start[keep], pulses.v_pulse[keep])
    g, v = pulses.g_start[keep], pulses.v_pulse[keep]
    return {
        name: HeldOut(
            at={"g_start": Quantity(g, "S"), "v_pulse": Quantity(v, "V")},
            spice=spice[name][keep],
            fit=GridSurrogate(table, name).at(g, v),
            unit=table.signals[name].unit,
            limit_rms=getattr(plan.limits, f"{name}_rms") * scales[name],
            limit_max=getattr(plan.limits, f"{name}_max") * scales[name],
        )
        for name in ("delta_g", "energy")
    }


def _step_sample(plan: Plan, states: StateMap, polarity: Polarity) -> tuple[AskedPulses, AskedPulses]:
    """Return a sample of pulses over window and amplitudes with the plan's time step, and again with half of it."""
    axis, sample = _axis(plan, polarity), np.linspace(0.1, 0.9, _STEP_SAMPLE)
    g = plan.conductance.g_min + sample[::-1] * (plan.conductance.g_max - plan.conductance.g_min)
    state, v_pulse = states.state_of(g), axis.v_first + sample * (axis.v_last - axis.v_first)
    return (
        AskedPulses(polarity, state, v_pulse, plan.pulse.t_step),
        AskedPulses(polarity, state, v_pulse, plan.pulse.t_step / 2),
    )


def _step_error(plan: Plan, polarity: Polarity, whole: Pulses, halved: Pulses) -> float:
    """Return the largest change of `delta_g` [S] over the sample when the time step is halved; raise when too large."""
    change, step = np.abs(whole.delta_g - halved.delta_g), f"`pulse.t_step` = {plan.pulse.t_step:g} s"
    if not np.any(np.isfinite(change)):
        raise SimulationError(
            "incomplete", f"no {polarity} pulse of the sample at {step} and at half of it has a result"
        )
    error, window = float(np.nanmax(change)), plan.conductance.g_max - plan.conductance.g_min
    if error > plan.max_step_error * window:
        raise SimulationError(
            "incomplete",
            f"halving {step} changes a {polarity} pulse by {error:.3g} S, more than `max_step_error` = "
            f"{plan.max_step_error:g} of the window. Make `pulse.t_step` smaller",
        )
    return error


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
