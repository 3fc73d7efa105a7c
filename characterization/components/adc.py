"""Converters and what stands before them: the SAR converter's levels and conversions, readouts, the whole read."""

from collections.abc import Mapping

import numpy as np

from rramkit.characterization.components import adc_measure, readout_measure
from rramkit.characterization.engine.component import Component, Mismatch, Signal, Steps
from rramkit.characterization.engine.monte_carlo import RandomDraw
from rramkit.characterization.simulate import Waveforms
from rramkit.circuits.adc import AdcBenchParams, conversion_train, scaled_capacitors, transition_train
from rramkit.circuits.deck import Deck
from rramkit.circuits.multibit_read import MultibitReadParams, multibit_train
from rramkit.circuits.readout import ReadoutBenchParams, read_train
from rramkit.circuits.sense_amp import NAMES, scaled_mismatch

_SINE_SAMPLES, _SINE_CYCLES = 1021, 37  # of the sine whose codes give the effective bits; they share no factor


def _levels(waves: Waveforms, params: AdcBenchParams, code: np.ndarray) -> Mapping[str, np.ndarray]:
    """Return each transition; of a train of all of them also what it says of the converter as a whole."""
    sar = params.sar
    found = adc_measure.transitions(waves, params, code)
    summary = dict.fromkeys(("step", "gain_error", "offset", "inl_max", "dnl_max", "effective_bits"), np.array(np.nan))
    if np.array_equal(code, np.arange(1, 2**sar.bits)) and code.size > 2:
        dnl, inl = adc_measure.nonlinearity(found)
        step, ideal = float(np.mean(np.diff(found))), sar.v_ref / 2**sar.bits
        sine = adc_measure.coherent_sine(found, samples=_SINE_SAMPLES, cycles=_SINE_CYCLES)
        codes = adc_measure.quantised(sine, found).astype(float)
        summary = {
            "step": np.array(step),
            "gain_error": np.array(step / ideal - 1),
            "offset": np.array(found[0] - ideal),
            "inl_max": np.array(np.max(np.abs(inl))),
            "dnl_max": np.array(np.max(np.abs(dnl))),
            "effective_bits": np.array(adc_measure.effective_bits(codes, _SINE_CYCLES)),
        }
    return {"v_transition": found} | summary


def _conversions(waves: Waveforms, params: AdcBenchParams, v_in: np.ndarray) -> Mapping[str, np.ndarray]:
    energy = adc_measure.conversion_energies(waves, params, v_in.size)
    return {
        "code": adc_measure.codes(waves, params, v_in.size).astype(float),
        "energy": np.sum(list(energy.values()), axis=0),
        "energy_mean": np.mean(np.sum(list(energy.values()), axis=0)),
        **{f"energy_{source}": values for source, values in energy.items()},
    }


def _mismatch(params: AdcBenchParams, normals: np.ndarray) -> RandomDraw:
    latch, capacitors = normals[: len(NAMES)], normals[len(NAMES) :]
    return RandomDraw(scaled_mismatch(params.sar.latch, latch), scaled_capacitors(params.sar, capacitors))


def _read_deck(params: ReadoutBenchParams, v_in: np.ndarray, _: RandomDraw) -> Deck:
    return read_train(_with_reads(params, v_in), [0.0, *v_in])


def _with_reads(params: ReadoutBenchParams, v_in: np.ndarray) -> ReadoutBenchParams:
    """Return the parameters of a train with a read of nothing before the others: outputs count from there."""
    return params.model_copy(update={"reads": v_in.size + 1})


def _reads(waves: Waveforms, params: ReadoutBenchParams, v_in: np.ndarray) -> Mapping[str, np.ndarray]:
    found = readout_measure.reads(waves, _with_reads(params, v_in))
    names = ("i_in", "v_out", "v_error", "overshoot", "t_settle", "energy")
    return {name: getattr(found, name)[1:] for name in names}


def _codes(waves: Waveforms, params: MultibitReadParams, g_cells: np.ndarray) -> Mapping[str, np.ndarray]:
    energy = adc_measure.conversion_energies(waves, params.converter, g_cells.size)
    return {
        "code": adc_measure.codes(waves, params.converter, g_cells.size).astype(float),
        "energy": np.sum(list(energy.values()), axis=0),
    }


_SAR = {"bits": ("sar.bits", "1"), "v_ref": ("sar.v_ref", "V"), "t_conversion": ("t_slot", "s")}
_CONVERSION = {
    "code": Signal("1", "the code"),
    "energy": Signal("J", "a conversion, from reference, comparator and control"),
}
BLOCKS = {
    "sar-levels": Component(
        deck=lambda params, code, draw: transition_train(params, draw.capacitors, codes=code),
        measure=_levels,
        train=Steps(
            "code", "1", "code that begins at the transition", lambda p: np.arange(1.0, 2**p.sar.bits), whole=True
        ),
        signals={"v_transition": Signal("V", "input at which the code goes up to `code`, comparator's offset apart")},
        summary={
            "step": Signal("V", "mean step of the transfer"),
            "gain_error": Signal("1", "its relative difference from v_ref/2^bits"),
            "offset": Signal("V", "first transition less its ideal place"),
            "inl_max": Signal("1", "largest integral nonlinearity, in steps, line through the outer transitions"),
            "dnl_max": Signal("1", "largest differential nonlinearity, in steps"),
            "effective_bits": Signal("1", "effective bits of a sine over the whole range"),
        },
        mismatch=Mismatch(
            lambda params: params.sar.bits_max + 1,
            lambda params, z: RandomDraw(capacitors=scaled_capacitors(params.sar, z)),
        ),
        constants=_SAR,
    ),
    "sar": Component(
        deck=lambda p, v_in, draw: conversion_train(
            p, v_in, capacitors=draw.capacitors, dv_threshold=draw.dv_threshold
        ),
        measure=_conversions,
        train=Steps("v_in", "V", "input of a conversion", lambda params: params.inputs),
        signals=_CONVERSION
        | {f"energy_{part}": Signal("J", f"its {part}") for part in ("reference", "comparator", "control")},
        summary={"energy_mean": Signal("J", "mean energy of the train's conversions")},
        mismatch=Mismatch(lambda params: len(NAMES) + params.sar.bits_max + 1, _mismatch),
        constants=_SAR,
    ),
    "readout": Component(
        deck=_read_deck,
        measure=_reads,
        train=Steps("v_in", "V", "how far the rows are pulled below the clamp", lambda params: params.inputs[1:]),
        signals={
            "i_in": Signal("A", "current that the cells draw from the line when the output is taken"),
            "v_out": Signal("V", "output less that at no input"),
            "v_error": Signal("V", "bit line less the clamp then"),
            "overshoot": Signal("V", "how far the output goes past its last value"),
            "t_settle": Signal("s", "until the output stays within 0.5 % of the train's largest"),
            "energy": Signal("J", "rest and read, from the amplifier's supply"),
        },
        constants={
            "g_cells": ("g_cells", "S"),
            "v_clamp": ("readout.v_clamp", "V"),
            "r_feedback": ("readout.r_feedback", "ohm"),
            "c_integrate": ("readout.c_integrate", "F"),
            "t_integrate": ("t_integrate", "s"),
            "t_read": ("t_slot", "s"),
        },
    ),
    "multibit-read": Component(
        deck=lambda params, g_cells, _: multibit_train(params, g_cells),
        measure=_codes,
        train=Steps("g_cells", "S", "conductance of all cells of the line together", lambda p: p.conductances),
        signals=_CONVERSION,
        step="converter.t_step",
        constants={
            "bits": ("converter.sar.bits", "1"),
            "v_read": ("v_read", "V"),
            "t_conversion": ("converter.t_slot", "s"),
        },
    ),
}
