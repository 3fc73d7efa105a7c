"""Sense amplifiers: the StrongARM latch, the search for its offset, the current sense amplifier."""

from collections.abc import Mapping

import numpy as np

from rramkit.characterization.components import sense_amp_measure
from rramkit.characterization.components.latch_fit import latch_fits
from rramkit.characterization.engine.component import Component, Mismatch, Signal, Steps
from rramkit.characterization.engine.monte_carlo import RandomDraw
from rramkit.characterization.simulate import Waveforms
from rramkit.circuits.current_sense import CurrentSenseBenchParams, current_train
from rramkit.circuits.deck import Deck
from rramkit.circuits.sense_amp import NAMES, SenseAmpBenchParams, decision_train, offset_search, scaled_mismatch
from rramkit.errors import InputError


def _decision_deck(params: SenseAmpBenchParams, overdrive: np.ndarray, draw: RandomDraw) -> Deck:
    # The sign alternates: a latch that remembered the decision before would then show it.
    signed = overdrive * np.where(np.arange(overdrive.size) % 2, -1.0, 1.0)
    return decision_train(params, signed, dv_threshold=draw.dv_threshold)


def _decisions(waves: Waveforms, params: SenseAmpBenchParams, overdrive: np.ndarray) -> Mapping[str, np.ndarray]:
    found = sense_amp_measure.decisions(waves, params, overdrive.size)
    return {
        "t_decide": found.t_decide,
        "energy": found.energy,
        "kickback": found.kickback,
        "kickback_common": found.kickback_common,
        "tau_regeneration": np.array(sense_amp_measure.waveform_regeneration(waves, params, 0)),
    }


def _offset(waves: Waveforms, params: SenseAmpBenchParams, _: np.ndarray) -> Mapping[str, np.ndarray]:
    try:
        return {"offset": np.array(sense_amp_measure.offset(waves, params))}
    except InputError:  # beyond the range of the search: no offset was found
        return {"offset": np.array(np.nan)}


def _reads(waves: Waveforms, params: CurrentSenseBenchParams, g_cell: np.ndarray) -> Mapping[str, np.ndarray]:
    found = sense_amp_measure.current_reads(waves, params, g_cell.size)
    return {
        "v_line": found.v_line,
        "i_cell": found.i_cell,
        "v_sense": found.v_sense,
        "energy": found.energy,
        "low_resistance": found.low_resistance.astype(float),
    }


_LATCH = Mismatch(lambda _: len(NAMES), lambda params, z: RandomDraw(dv_threshold=scaled_mismatch(params.latch, z)))
BLOCKS = {
    "strongarm": Component(
        deck=_decision_deck,
        measure=_decisions,
        train=Steps("overdrive", "V", "size of the input difference", lambda params: np.abs(params.overdrives)),
        signals={
            "t_decide": Signal("s", "from half the clock's edge until the outputs stand half a supply apart"),
            "energy": Signal("J", "an evaluation and its precharge, from the supply and the clock's driver"),
            "kickback": Signal("V", "largest disturbance of the inputs' difference"),
            "kickback_common": Signal("V", "largest disturbance of one input"),
        },
        summary={"tau_regeneration": Signal("s", "time constant with which the outputs part, first step of the train")},
        mismatch=_LATCH,
        fits=latch_fits,
        constants={"t_clock": ("t_clock", "s"), "v_cm": ("v_cm", "V")},
    ),
    "strongarm-offset": Component(
        deck=lambda params, _, draw: offset_search(params, draw.dv_threshold),
        measure=_offset,
        summary={"offset": Signal("V", "input difference that balances the latch")},
        mismatch=_LATCH,
        step="t_step_search",
        constants={"v_cm": ("v_cm", "V")},
    ),
    "current-sense": Component(
        deck=lambda params, g_cell, draw: current_train(params, g_cell, dv_threshold=draw.dv_threshold),
        measure=_reads,
        train=Steps("g_cell", "S", "conductance of the cell that is read", lambda params: params.conductances),
        signals={
            "v_line": Signal("V", "bit line when the latch is clocked"),
            "i_cell": Signal("A", "the cell's current then"),
            "v_sense": Signal("V", "reference's node less the cell's then: what the latch has to tell"),
            "energy": Signal("J", "one read with its rest, from the supply"),
            "low_resistance": Signal("1", "1 where the cell was found to draw more than the reference"),
        },
        mismatch=Mismatch(
            lambda _: len(NAMES), lambda params, z: RandomDraw(dv_threshold=scaled_mismatch(params.sense.latch, z))
        ),
        constants={"g_ref": ("g_ref", "S"), "v_clamp": ("sense.v_clamp", "V"), "t_read": ("t_slot", "s")},
    ),
}
