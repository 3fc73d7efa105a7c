"""Write driver: level, overshoot, settling and droop of its pulses, energy from every supply and in the cell."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rramkit.characterization.engine.component import Component, Signal, Steps
from rramkit.characterization.engine.monte_carlo import RandomDraw
from rramkit.characterization.waveforms import Waveforms, integral
from rramkit.circuits.deck import Deck
from rramkit.circuits.write_driver import (
    SUPPLIES,
    CodeTrainParams,
    DriverResetParams,
    DriverWriteParams,
    driven_write,
)

_RESISTANCES = ("r_source", "r_source_far", "r_bit")
_SHAPE = ("v_level", "v_settled", "overshoot", "t_settle", "droop", "v_end", "i_end", "t_cell", *_RESISTANCES)
OPEN = 0.05  # of the cell's current (1): what it may lack while a pulse counts (see `MeasuredPulse.t_cell`)
_INSTANTS = 2001  # of a pulse and its slot: 0.06 ns apart
SETTLED = 10e-3  # V: the band of the settling time; about a step of the converter, so a pulse is on its level in it


@dataclass(frozen=True)
class MeasuredPulse:
    """The stepped line's far end in one pulse, and what the drivers lose; volt, second, ampere, ohm.

    Attributes
    ----------
    v_level : float
        The converter's nominal output.
    v_settled : float
        The line just before the pulse, the lead time over: no cell current yet.
    overshoot : float
        Highest value from the leg's command to the pulse's end, above `v_settled`.
    t_settle : float
        From the leg's command to the last time that the line is more than `SETTLED` from `v_settled`, before the pulse.
    droop : float
        `v_settled` minus the lowest value in the pulse: the drop by the cell's current.
    v_end : float
        The line at the end of the pulse.
    i_end : float
        Size of the cell's current then.
    t_cell : float
        How long the cell's current is within `OPEN` of its mean over the second half: what a cell has of the pulse. A
        filament's rate falls by e in 35 to 60 mV of 1.5 V, and the word line that makes a RESET needs 2 ns (tt) to 7 ns
        (ss, 358 K) to open; with 5 % the change of moving cells at three corners is met within 3 % of itself.
    r_source, r_bit : float
        Volts that the driver of source line and bit line loses at its own end of the line over the cell's current,
        means over the second half of the pulse. The wires are not in it: an array model has its own.
    r_source_far : float
        The same of the source line at its far end, at the cell: driver, wire, and what the row's other cells carry.
    """

    v_level: float
    v_settled: float
    overshoot: float
    t_settle: float
    droop: float
    v_end: float
    i_end: float
    t_cell: float
    r_source: float
    r_source_far: float
    r_bit: float


def driven_conductances(waves: Waveforms, params: DriverWriteParams) -> np.ndarray:
    """Return the conductance (P + 1,) [S] of each read: current of the read rail over its voltage."""
    times = [params.t_read_at(index) for index in range(params.pulses + 1)]
    return -np.interp(times, waves["time"], waves["i_read"]) / params.driver.v_read


def supply_energies(waves: Waveforms, params: DriverWriteParams) -> dict[str, np.ndarray]:
    """Return for each supply the energy (P,) [J] that it gives in each pulse's window; what flows back is lost."""
    windows = [params.window(index) for index in range(params.pulses)]
    levels, energies = params.driver.supply_levels(params.cell, params.polarity), {}
    for name in SUPPLIES:
        power = -(levels[name] if name in levels else waves["v_inhibit"]) * waves[f"i_{name}"]
        energies[name] = np.array([integral(waves["time"], np.maximum(power, 0), window) for window in windows])
    return energies


def cell_energies(waves: Waveforms, params: DriverWriteParams) -> np.ndarray:
    """Return the energy (P,) [J] that goes into the cell (ReRAM and access transistor) in each pulse's window."""
    power = (waves["v_bl"] - waves["v_sl"]) * waves["i_cell"]
    windows = [params.window(index) for index in range(params.pulses)]
    return np.array([integral(waves["time"], power, window) for window in windows])


def pulse_shapes(waves: Waveforms, params: DriverWriteParams) -> list[MeasuredPulse]:
    """Return the shape of each pulse on the stepped line, at its far end."""
    line = params.driver.stepped(params.polarity)
    return [_shape(waves, waves[f"v_{line}"], params, index) for index in range(params.pulses)]


def _shape(waves: Waveforms, v: np.ndarray, params: DriverWriteParams, index: int) -> MeasuredPulse:
    time, (begin, end) = waves["time"], params.pulse_interval(index)
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
        i_end=abs(float(np.interp(end, time, waves["i_cell"]))),
        t_cell=_time_open(waves, window=params.window(index), second_half=((begin + end) / 2, end)),
        **_resistances(waves, params, v_settled=v_settled, window=((begin + end) / 2, end)),
    )


def _time_open(waves: Waveforms, *, window: tuple[float, float], second_half: tuple[float, float]) -> float:
    """Return how long [s] in a window the cell's current lacks at most `OPEN` of its mean over the second half."""
    mean = abs(integral(waves["time"], waves["i_cell"], second_half)) / (second_half[1] - second_half[0])
    size = np.abs(np.interp(np.linspace(*window, _INSTANTS), waves["time"], waves["i_cell"]))
    return float(np.mean(size >= (1.0 - OPEN) * mean)) * (window[1] - window[0])


def _resistances(
    waves: Waveforms, params: DriverWriteParams, *, v_settled: float, window: tuple[float, float]
) -> dict[str, float]:
    """Return over the cell's current what both lines lose at their drivers, and the source line at the cell [ohm]."""
    source, far, bit, current = (
        integral(waves["time"], waves[name], window) / (window[1] - window[0])
        for name in ("v_sl_near", "v_sl", "v_bl_near", "i_cell")
    )
    if params.polarity == "set":
        driven = v_settled if params.driver.set_line == "bl" else params.driver.v_bl_set
        return {"r_source": source / current, "r_source_far": far / current, "r_bit": (driven - bit) / current}
    return {
        "r_source": (v_settled - source) / -current,
        "r_source_far": (v_settled - far) / -current,
        "r_bit": bit / -current,
    }


def deck(params: DriverWriteParams, code: np.ndarray, _draw: RandomDraw) -> Deck:
    """Return the deck of one pulse for each code (N,), the cell's state held: it is a load, and the same at each."""
    return driven_write(code_train(params, code), held=True)


def codes(params: DriverWriteParams) -> np.ndarray:
    """Return the codes (N,) of the bench's own staircase."""
    return params.codes.astype(float)


def measure(waves: Waveforms, params: DriverWriteParams, code: np.ndarray) -> Mapping[str, np.ndarray]:
    """Return shape and energies of each pulse."""
    train = code_train(params, code)
    shapes = pulse_shapes(waves, train)
    supplies = supply_energies(waves, train)
    return {name: np.array([getattr(shape, name) for shape in shapes]) for name in _SHAPE} | {
        "energy": np.sum(list(supplies.values()), axis=0),
        "energy_inhibit": supplies["inhibit"],
        "energy_cell": cell_energies(waves, train),
    }


def code_train(params: DriverWriteParams, code: np.ndarray) -> CodeTrainParams:
    """Return the pulses that are measured: one for each code (N,)."""
    values = {name: getattr(params, name) for name in type(params).model_fields}
    codes = tuple(int(value) for value in code)
    return CodeTrainParams.checked(values | {"pulses": len(codes), "code_list": codes}, where="the plan")


def _component(name: str, parameters: type[DriverWriteParams]) -> Component:
    return Component(
        name=name,
        parameters=parameters,
        deck=deck,
        measure=measure,
        steps=Steps("code", "1", "code of the pulse", codes, whole=True),
        signals={
            "v_level": Signal("V", "nominal amplitude of the code"),
            "v_settled": Signal("V", "the stepped line's far end just before the pulse, no cell current yet"),
            "overshoot": Signal("V", "highest value above that"),
            "t_settle": Signal("s", "from the leg's command until the line stays within 10 mV of it"),
            "droop": Signal("V", "drop of the line by the cell's current during the pulse"),
            "v_end": Signal("V", "the line at the pulse's end"),
            "i_end": Signal("A", "the written cell's current at the pulse's end"),
            "t_cell": Signal("s", "how long the cell's current is within 5 % of its mean over the second half"),
            "r_source": Signal("ohm", "of the source line's driver, at its end of the line, second half of the pulse"),
            "r_source_far": Signal("ohm", "of the source line at the cell: its driver, wire and other cells"),
            "r_bit": Signal("ohm", "of the bit line's driver, at its end of the line, second half of the pulse"),
            "energy": Signal("J", "a pulse with its slot, from all supplies; what flows back is lost"),
            "energy_inhibit": Signal("J", "the part of it that charges the row's other bit lines"),
            "energy_cell": Signal("J", "the part of it that goes into the cell"),
        },
        supplies=("driver.v_write",),
        constants={
            "bits": ("driver.converter.bits", "1"),
            "cells": ("driver.lines.cells", "1"),
            "r_neighbour": ("driver.lines.r_neighbour", "ohm"),
            "t_pulse": ("t_pulse", "s"),
            "t_lead": ("driver.t_lead", "s"),
            "t_slot": ("t_write", "s"),
        },
    )


COMPONENTS = (
    _component("write_driver_set", DriverWriteParams),
    _component("write_driver_reset", DriverResetParams),
)
