"""Transposable array: its matrix read forward and backward, codes of its converters, energies of its supplies.

A run is a static sweep of the operations or, with readouts (whose operating points are hard to find), a transient: the
values are then those at each slot's end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rramkit.characterization.engine.component import Component, Signal
from rramkit.characterization.engine.monte_carlo import RandomDraw
from rramkit.characterization.waveforms import Waveforms, integral
from rramkit.circuits.deck import Deck
from rramkit.circuits.periphery import OperateParams, Operation, conversions, static_operations, unit_reads
from rramkit.errors import InputError, SimulationError


def matrix(
    waves: Waveforms,
    params: OperateParams,
    direction: Literal["forward", "backward"],
    *,
    first: int = 0,
    seen: Literal["current", "output"] = "current",
) -> np.ndarray:
    """Return current over voltage (R, C) [S] from a run of `unit_reads`: row i to column j, whichever is driven.

    `first` is the slot of the first of these reads. `seen`: the current into the sense units, or from the outputs of
    transimpedance units, (out - v_clamp)/r_feedback, amplifiers' offset and all.
    """
    periphery, bar = params.periphery, params.periphery.crossbar
    driven, sensed = (bar.rows, bar.cols) if direction == "forward" else (bar.cols, bar.rows)
    side = "col" if direction == "forward" else "row"
    units = [periphery.unit(side, index) for index in range(sensed)]
    currents = {unit: _currents(waves, params, unit, seen) for unit in set(units)}
    g = np.empty((driven, sensed))
    for line in range(driven):
        for index, unit in enumerate(units):
            point = first + line * periphery.share + index % periphery.share
            g[line, index] = currents[unit][point] / periphery.v_read
    return g if direction == "forward" else g.T


def _currents(waves: Waveforms, params: OperateParams, unit: str, seen: str) -> np.ndarray:
    """Return the current of the cells of a unit in every operation (N,) [A], positive as the matrix is."""
    periphery = params.periphery
    if seen == "output" and periphery.sense != "transimpedance":
        raise InputError("`seen` must be 'current' with ideal sense units; got 'output'. A probe has no output.")
    if seen == "output":
        values = settled(waves, params, f"v_out_{unit}")
        return (values - periphery.readout.v_clamp) / periphery.readout.r_feedback
    return np.sign(periphery.v_full) * settled(waves, params, f"i_sense_{unit}")


def settled(waves: Waveforms, params: OperateParams, output: str) -> np.ndarray:
    """Return an output's value in every operation (N,): each point of a sweep, an edge before each slot's end."""
    if waves.kind != "tran":
        return waves[output]
    slots = round((waves["time"][-1] - params.t_start) / params.t_slot)
    ends = params.t_start + params.t_slot * np.arange(1, slots + 1) - params.t_rise
    return np.interp(ends, waves["time"], waves[output])


def codes(waves: Waveforms, params: OperateParams, operations: Sequence[Operation]) -> np.ndarray:
    """Return the code (N, U) that each operation gave for each sense unit; -1 where the unit was not converted."""
    periphery, units = params.periphery, list(params.periphery.units)
    codes = np.full((len(operations), len(units)), -1)
    for slot, unit, begin in conversions(params, operations):
        name, at = periphery.converter(unit), periphery.adc.code_at(begin)
        bits = [np.interp(at, waves["time"], waves[f"q_{name}_{bit}"]) for bit in periphery.adc.decided]
        if any(abs(q - 0.5) < 0.3 for q in bits):
            raise SimulationError("incomplete", f"a register of converter {name} stands between 0 and 1 in slot {slot}")
        codes[slot, units.index(unit)] = sum(2**k * (q > 0.5) for k, q in enumerate(bits))
    return codes


def sampled_outputs(waves: Waveforms, params: OperateParams, operations: Sequence[Operation]) -> np.ndarray:
    """Return the outputs (N, U) [V] of the sense units when they were sampled for `codes`; NaN where they were not."""
    units = list(params.periphery.units)
    outputs = np.full((len(operations), len(units)), np.nan)
    for slot, unit, begin in conversions(params, operations):
        at = begin + params.periphery.adc.t_sample
        outputs[slot, units.index(unit)] = np.interp(at, waves["time"], waves[f"v_out_{unit}"])
    return outputs


def reciprocity(forward: np.ndarray, backward: np.ndarray) -> float:
    """Return the largest difference of two matrices (R, C) [S] over the largest entry."""
    return float(np.max(np.abs(forward - backward)) / np.max(np.abs(forward)))


@dataclass(frozen=True)
class LineFit:
    """A straight line through reads: read = gain ideal + offset; `residual` is the largest distance from it."""

    gain: float
    offset: float
    residual: float


def against_ideal(read: np.ndarray, ideal: np.ndarray) -> LineFit:
    """Fit matrices (R, C) [S] read by two kinds of sense unit; offset and residual in siemens."""
    gain, offset = np.polyfit(ideal.ravel(), read.ravel(), 1)
    return LineFit(float(gain), float(offset), float(np.max(np.abs(read - gain * ideal - offset))))


def reference_energy(waves: Waveforms, params: OperateParams, slots: range) -> float:
    """Return the energy [J] that the SAR converters take from their reference during `slots`: it charges the plates."""
    window = params.t_begin(slots.start), params.t_begin(slots.stop)
    return integral(waves["time"], -params.periphery.adc.sar.v_reference * waves["i_adc_ref"], window)


def supply_energy(waves: Waveforms, params: OperateParams, slots: range) -> float:
    """Return the energy [J] that the amplifiers of transimpedance units take from their supply during `slots`."""
    window = params.t_start + params.t_slot * slots.start, params.t_start + params.t_slot * slots.stop
    power = -params.periphery.readout.ota.v_dd * waves["i_vdd_ota"]
    return integral(waves["time"], power, window)


def deck(params: OperateParams, _steps: np.ndarray, _draw: RandomDraw) -> Deck:
    """Return the static sweep that reads the whole matrix, line by line, forward and then backward."""
    bar, rng = params.periphery.crossbar, np.random.default_rng(params.seed)
    shape = (bar.rows, bar.cols)
    values = rng.uniform(5e-6, 80e-6, shape) if bar.cell_kind == "1R" else rng.uniform(0.55, 0.8, shape)
    return static_operations(params, values, [*unit_reads(params, "forward"), *unit_reads(params, "backward")])


def measure(waves: Waveforms, params: OperateParams, _steps: np.ndarray) -> Mapping[str, np.ndarray]:
    """Return how the backward matrix compares with the forward one."""
    forward = matrix(waves, params, "forward")
    backward = matrix(waves, params, "backward", first=len(unit_reads(params, "forward")))
    line = against_ideal(backward, forward)
    return {
        "deviation": np.array(reciprocity(forward, backward)),
        "gain": np.array(line.gain),
        "residual": np.array(line.residual / np.max(forward)),
        "g_forward": np.array(np.mean(forward)),
        "g_backward": np.array(np.mean(backward)),
    }


COMPONENTS = (
    Component(
        name="periphery",
        parameters=OperateParams,
        deck=deck,
        measure=measure,
        summary={
            "deviation": Signal("1", "largest difference of the backward from the forward matrix, over its largest"),
            "gain": Signal("1", "slope of the backward against the forward matrix"),
            "residual": Signal("1", "largest distance from that line, over the forward matrix' largest"),
            "g_forward": Signal("S", "mean of the forward matrix"),
            "g_backward": Signal("S", "mean of the backward matrix"),
        },
        step="",
    ),
)
