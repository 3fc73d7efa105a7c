"""Drivers: the write driver's pulses and what they do to neighbours, level shifter, input drivers of a row."""

from collections.abc import Mapping

import numpy as np

from rramkit.characterization.components import row_driver_measure, write_driver_measure
from rramkit.characterization.engine.component import Component, Signal, Steps
from rramkit.characterization.simulate import Waveforms
from rramkit.circuits.disturb import DisturbBenchParams, write_disturb
from rramkit.circuits.level_shifter import LevelShifterBench, level_shifter_bench
from rramkit.circuits.row_driver import RowDriverBenchParams, SerialRowDriverBenchParams, level_train, word_train
from rramkit.circuits.write_driver import CodeTrainParams, DriverWriteParams, driven_write

_SHAPE = ("v_level", "v_settled", "overshoot", "t_settle", "droop", "v_end")


def _coded(params: DriverWriteParams, code: np.ndarray) -> CodeTrainParams:
    given = {name: getattr(params, name) for name in type(params).model_fields}
    codes = tuple(int(value) for value in code)
    return CodeTrainParams.checked(given | {"pulses": len(codes), "code_list": codes}, where="the plan")


def _pulses(waves: Waveforms, params: DriverWriteParams, code: np.ndarray) -> Mapping[str, np.ndarray]:
    train = _coded(params, code)
    shapes = write_driver_measure.pulse_shapes(waves, train)
    supplies = write_driver_measure.supply_energies(waves, train)
    return {name: np.array([getattr(shape, name) for shape in shapes]) for name in _SHAPE} | {
        "energy": np.sum(list(supplies.values()), axis=0),
        "energy_cell": write_driver_measure.cell_energies(waves, train),
    }


def _disturbance(waves: Waveforms, params: DisturbBenchParams, _: np.ndarray) -> Mapping[str, np.ndarray]:
    changes = write_driver_measure.disturbances(waves, params)
    worst = {where: [np.abs(v) for node, v in changes.items() if f"s_{where}" in node] for where in ("row", "col")}
    return {f"disturb_{where}": np.array(np.max(values)) for where, values in worst.items()}


def _shifter(waves: Waveforms, params: LevelShifterBench, _: np.ndarray) -> Mapping[str, np.ndarray]:
    found = {name: np.array(waves.measures.get(name, np.nan)) for name in ("t_up", "t_down", "v_high", "v_low", "q_io")}
    return found | {"energy": -found["q_io"] * params.technology.v_io}


def _levels(waves: Waveforms, params: RowDriverBenchParams, code: np.ndarray) -> Mapping[str, np.ndarray]:
    found = row_driver_measure.levels(waves, params, code.size)
    return {name: getattr(found, name) for name in ("v_row", "v_far", "t_settle", "energy")}


def _word(waves: Waveforms, params: SerialRowDriverBenchParams, _: np.ndarray) -> Mapping[str, np.ndarray]:
    weights, sent = row_driver_measure.bit_weights(waves, params), params.pattern == 1
    energy = row_driver_measure.word_energy(waves, params)
    ones = weights[sent]
    mean = np.mean(ones) if ones.size else np.nan
    return {
        "weight": np.array(mean),
        "weight_spread": np.array(np.ptp(ones) / mean if ones.size else np.nan),
        "weight_zero": np.array(np.max(np.abs(weights[~sent])) / mean if np.any(~sent) else np.nan),
        "energy_row": np.array(energy["row"]),
        "energy_driver": np.array(energy["driver"]),
    }


_WRITE = {
    "bits": ("driver.converter.bits", "1"),
    "cells": ("driver.lines.cells", "1"),
    "t_pulse": ("t_pulse", "s"),
    "t_lead": ("driver.t_lead", "s"),
}
_DRIVER = Component(
    deck=lambda params, code, _: driven_write(_coded(params, code)),
    measure=_pulses,
    train=Steps("code", "1", "code of the pulse", lambda params: params.codes.astype(float), whole=True),
    signals={
        "v_level": Signal("V", "what the code stands for"),
        "v_settled": Signal("V", "the stepped line's far end just before the pulse, no cell current yet"),
        "overshoot": Signal("V", "highest value above that"),
        "t_settle": Signal("s", "from the leg's command until the line stays within 10 mV of it"),
        "droop": Signal("V", "what the cell's current takes away in the pulse"),
        "v_end": Signal("V", "the line at the pulse's end"),
        "energy": Signal("J", "a pulse with its lead, from all supplies"),
        "energy_cell": Signal("J", "the part of it that goes into the cell"),
    },
    supplies=("driver.v_write",),
    constants=_WRITE,
)
BLOCKS = {
    "write-driver-set": _DRIVER,
    "write-driver-reset": _DRIVER,
    "write-disturb": Component(
        deck=lambda params, *_: write_disturb(params),
        measure=_disturbance,
        summary={
            "disturb_row": Signal("1", "largest change of a row neighbour's state by one pulse"),
            "disturb_col": Signal("1", "the same of a column neighbour"),
        },
        supplies=("driver.v_write",),
    ),
    "level-shifter": Component(
        deck=lambda params, *_: level_shifter_bench(params),
        measure=_shifter,
        summary={
            "t_up": Signal("s", "delay of the rising output"),
            "t_down": Signal("s", "delay of the falling output"),
            "v_high": Signal("V", "output while the input is high"),
            "v_low": Signal("V", "output after the pulse"),
            "energy": Signal("J", "one pulse, from the thick-oxide supply"),
        },
    ),
    "multi-level": Component(
        deck=lambda params, code, _: level_train(params, [int(value) for value in code]),
        measure=_levels,
        train=Steps("code", "1", "code of the level", lambda p: np.array(p.codes, dtype=float), whole=True),
        signals={
            "v_row": Signal("V", "the row at its driver, settled"),
            "v_far": Signal("V", "its far end"),
            "t_settle": Signal("s", "until the far end stays within 0.5 % of the whole range"),
            "energy": Signal("J", "one level, from references, supply and select drivers"),
        },
        constants={
            "bits": ("driver.bits", "1"),
            "v_low": ("driver.v_low", "V"),
            "v_high": ("driver.v_high", "V"),
            "t_level": ("t_level", "s"),
        },
    ),
    "bit-serial": Component(
        deck=lambda params, *_: word_train(params),
        measure=_word,
        summary={
            "weight": Signal("V s", "integral of the row's far end over a bit that is 1, mean over the word"),
            "weight_spread": Signal("1", "largest less smallest of those, over the mean"),
            "weight_zero": Signal("1", "largest of a bit that is 0, over the mean of those that are 1"),
            "energy_row": Signal("J", "the whole word, from the read voltage"),
            "energy_driver": Signal("J", "the whole word, from the inverters' supply and the bit's source"),
        },
        constants={
            "bits": ("bits", "1"),
            "word": ("word", "1"),
            "t_bit": ("t_bit", "s"),
            "v_read": ("driver.v_read", "V"),
        },
    ),
}
