"""Numbers out of the write driver's waveforms: levels, pulse shape, energy from every supply and in the cell."""

from dataclasses import dataclass

import numpy as np

from rramkit.characterization.components.cell_measure import integral
from rramkit.characterization.simulate import Waveforms
from rramkit.circuits.disturb import DisturbBenchParams, neighbour_states
from rramkit.circuits.write_driver import SUPPLIES, DriverWriteParams

SETTLED = 10e-3  # V: the band of the settling time; about a step of the converter, so a pulse is on its level in it


@dataclass(frozen=True)
class MeasuredPulse:
    """The stepped line's far end in one pulse; voltages in volt, times in second.

    Attributes
    ----------
    v_level : float
        What the converter asks for.
    v_settled : float
        The line just before the pulse, the lead time over: no cell current yet.
    overshoot : float
        Highest value from the leg's command to the pulse's end, above `v_settled`.
    t_settle : float
        From the leg's command to the last time that the line is more than `SETTLED` from `v_settled`, before the pulse.
    droop : float
        `v_settled` minus the lowest value in the pulse: what the cell's current takes away.
    v_end : float
        The line at the end of the pulse.
    """

    v_level: float
    v_settled: float
    overshoot: float
    t_settle: float
    droop: float
    v_end: float


def driven_conductances(waves: Waveforms, params: DriverWriteParams) -> np.ndarray:
    """Return the conductance (P + 1,) [S] that the reads find: current of the read rail over its voltage."""
    times = [params.t_read_at(index) for index in range(params.pulses + 1)]
    return -np.interp(times, waves["time"], waves["i(v_read)"]) / params.driver.v_read


def supply_energies(waves: Waveforms, params: DriverWriteParams) -> dict[str, np.ndarray]:
    """Return for each supply the energy (P,) [J] that it gives in each pulse's window; negative where it takes."""
    windows = [params.window(index) for index in range(params.pulses)]
    levels, found = params.driver.supply_levels(params.cell, params.polarity), {}
    for name in SUPPLIES:
        power = -(levels[name] if name in levels else waves["v(vinhibit)"]) * waves[f"i(v_{name})"]
        found[name] = np.array([integral(waves["time"], power, window) for window in windows])
    return found


def cell_energies(waves: Waveforms, params: DriverWriteParams) -> np.ndarray:
    """Return the energy (P,) [J] that goes into the cell (ReRAM and access transistor) in each pulse's window."""
    far = params.driver.lines.lumps
    power = (waves["v(bl_cell)"] - waves[f"v(sl_{far})"]) * waves["i(v_cell)"]
    windows = [params.window(index) for index in range(params.pulses)]
    return np.array([integral(waves["time"], power, window) for window in windows])


def pulse_shapes(waves: Waveforms, params: DriverWriteParams) -> list[MeasuredPulse]:
    """Return the shape of each pulse on the stepped line, at its far end."""
    line = params.driver.stepped(params.polarity)
    time, v = waves["time"], waves["v(bl_cell)" if line == "bl" else f"v({line}_{params.driver.lines.lumps})"]
    return [_shape(time, v, params, index) for index in range(params.pulses)]


def _shape(time: np.ndarray, v: np.ndarray, params: DriverWriteParams, index: int) -> MeasuredPulse:
    begin, end = params.pulse_interval(index)
    command = begin - params.driver.t_lead
    lead, pulse = (time >= command) & (time < begin), (time >= begin) & (time < end)
    v_settled = float(np.interp(begin, time, v))
    off = time[lead][np.abs(v[lead] - v_settled) > SETTLED]
    return MeasuredPulse(
        v_level=float(params.amplitudes[index]),
        v_settled=v_settled,
        overshoot=float(np.max(v[lead | pulse]) - v_settled),
        t_settle=float(off[-1] - command) if off.size else 0.0,
        droop=float(v_settled - np.min(v[pulse])),
        v_end=float(np.interp(end, time, v)),
    )


def disturbances(waves: Waveforms, params: DisturbBenchParams) -> dict[str, np.ndarray]:
    """Return for each neighbour's state node the change (P,) of its state that each pulse brings."""
    times = [params.t_between(index) for index in range(params.pulses + 1)]
    return {node: np.diff(np.interp(times, waves["time"], waves[f"v({node})"])) for node in neighbour_states(params)}
